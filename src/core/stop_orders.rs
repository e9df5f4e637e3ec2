//! Runs that the town has stopped by itself, since a budget is used up or their agent has too many open: an order lies in the
//! run's row from the transaction that decides it until the one who has to know of it says that it was heard. So a crash in
//! between forgets none.

use crate::core::agents::parse;
use crate::core::store::{Row, Store};
use crate::core::town::Town;
use crate::error::{Error, Result};
use crate::event::{AgentExited, ExitReason};
use crate::id::{AgentId, RigId, RunId};
use crate::limits::STOP_ORDERS_AT_ONCE_MAX;

/// Who has to know that a run is stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StopPlace {
    /// The control server: the run ends when its program has.
    Container,
    /// The rig that its agent posts to: the run has ended, for this reason, and the rig refuses what follows.
    Rig(RigId, ExitReason),
}

/// A stop that nobody has confirmed yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StopOrder {
    /// The run.
    pub run_id: RunId,
    /// Whose.
    pub agent_id: AgentId,
    /// Who has to know.
    pub place: StopPlace,
}

impl Town {
    /// The oldest stops that nobody has confirmed; of a run in the container only as long as it is open.
    pub fn stop_orders(&self) -> Result<Vec<StopOrder>> {
        let sql = "SELECT run_id, agent_id, source, exit FROM runs WHERE stop_message IS NOT NULL AND stop_heard = 0 \
             AND (exit IS NOT NULL OR source = 'container') ORDER BY run_id LIMIT ?";
        let rows = self.store.query(sql, &[STOP_ORDERS_AT_ONCE_MAX.into()])?;
        rows.iter().map(read).collect()
    }

    /// The one who has to know has heard it.
    pub fn stop_heard(&self, run_id: &RunId) -> Result<()> {
        self.store.query("UPDATE runs SET stop_heard = 1 WHERE run_id = ?", &[run_id.as_str().into()])?;
        Ok(())
    }
}

/// A run that is posted ends in the transaction that orders its stop; so its row says why.
fn read(row: &Row) -> Result<StopOrder> {
    let place = match row.text(2)?.strip_prefix("rig:") {
        Some(rig_id) => {
            let exit: AgentExited = serde_json::from_str(row.text(3)?).map_err(Error::internal)?;
            StopPlace::Rig(parse(RigId::parse(rig_id))?, exit.reason)
        }
        None => StopPlace::Container,
    };
    let (run_id, agent_id) = (parse(RunId::parse(row.text(0)?))?, parse(AgentId::parse(row.text(1)?))?);
    Ok(StopOrder { run_id, agent_id, place })
}

/// Has a run stopped, if it is not being stopped already. False where it is.
pub(crate) fn order(store: &dyn Store, run_id: &RunId, message: &str) -> Result<bool> {
    let sql = "UPDATE runs SET stop_message = ? WHERE run_id = ? AND stop_message IS NULL RETURNING 1";
    Ok(!store.query(sql, &[message.into(), run_id.as_str().into()])?.is_empty())
}

/// A run of the container ends: nobody needs to stop it any more. Gives why it was to be stopped, if it was.
pub(crate) fn fulfilled(store: &dyn Store, run_id: &RunId) -> Result<Option<String>> {
    let sql = "UPDATE runs SET stop_heard = 1 WHERE run_id = ? AND stop_message IS NOT NULL \
         AND source = 'container' RETURNING stop_message";
    let rows = store.query(sql, &[run_id.as_str().into()])?;
    rows.first().map(|row| row.text(0).map(str::to_owned)).transpose()
}
