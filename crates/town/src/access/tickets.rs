//! Single-use rights to open one stream each.

use townwatch_protocol::error::Result;
use townwatch_protocol::id::AgentId;
use townwatch_protocol::limits::TICKETS_MAX;
use townwatch_protocol::time::Timestamp;

use crate::access::grantor::Grantor;
use crate::store::Store;

/// Stores a ticket for one agent's stream, or for the whole town's. Beyond [`TICKETS_MAX`] the oldest go.
pub fn mint(
    store: &dyn Store,
    ticket: &str,
    agent: Option<&AgentId>,
    grantor: &Grantor,
    expires_at: Timestamp,
    now: Timestamp,
) -> Result<()> {
    store.query("DELETE FROM tickets WHERE expires_at_ms <= ?", &[now.millis().into()])?;
    store.query(
        "INSERT INTO tickets (ticket, agent_id, principal, principal_ends_at_ms, expires_at_ms) VALUES (?, ?, ?, ?, ?)",
        &[
            ticket.into(),
            agent.map(AgentId::as_str).into(),
            grantor.name.as_str().into(),
            grantor.ends_at_ms().into(),
            expires_at.millis().into(),
        ],
    )?;
    store.query(
        "DELETE FROM tickets WHERE ticket IN (SELECT ticket FROM tickets ORDER BY expires_at_ms DESC LIMIT -1 OFFSET ?)",
        &[TICKETS_MAX.into()],
    )?;
    Ok(())
}

/// Uses a ticket up, if it is good for this stream at this moment, and gives whose it was; otherwise it stays as it was.
pub fn consume(store: &dyn Store, ticket: &str, agent: Option<&AgentId>, now: Timestamp) -> Result<Option<Grantor>> {
    let used = store.query(
        "DELETE FROM tickets WHERE ticket = ? AND agent_id IS ? AND expires_at_ms > ? \
         RETURNING principal, principal_ends_at_ms",
        &[ticket.into(), agent.map(AgentId::as_str).into(), now.millis().into()],
    )?;
    used.first().map(|row| Grantor::read(row, 0, 1)).transpose()
}
