//! Agents' tokens, which are rows of their rig.
//!
//! Invariants:
//!
//! * A token with an id is valid only while its row is, however it is signed.
//! * The row is written before anybody has the token.
//! * A revoked token is never valid again.

use townwatch_protocol::agent_right::{AgentRight, ShownToken};
use townwatch_protocol::error::{Code, Error, Result};
use townwatch_protocol::id::{AgentId, TokenId};
use townwatch_protocol::limits::TOKENS_PER_AGENT_MAX;
use townwatch_protocol::time::Timestamp;
use townwatch_protocol::wire::{AgentToken, AgentTokens, TokensWithoutId};

use crate::agents::parse;
use crate::agents::runs::{maybe_moment, moment};
use crate::rig::Rig;
use crate::store::{Row, atomically};

/// The time within which the use of a token is not noted again, one minute. So a post does not write one more row each
/// time.
const USED_MS: i64 = 60_000;

impl Rig {
    /// Adds a new token of an agent. Beyond [`TOKENS_PER_AGENT_MAX`] the tokens that were used longest ago are revoked.
    ///
    /// # Errors
    /// `not_found`: the agent is not registered here. Otherwise the tables cannot be written.
    pub fn add_token(
        &self,
        agent_id: &AgentId,
        token_id: &TokenId,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<()> {
        self.check_agent(agent_id)?;
        atomically(self.store.as_ref(), || {
            self.store.query(
                "DELETE FROM agent_tokens WHERE agent_id = ? AND expires_at_ms <= ?",
                &[agent_id.as_str().into(), now.millis().into()],
            )?;
            self.store.query(
                "INSERT INTO agent_tokens (agent_id, token_id, created_at_ms, expires_at_ms) VALUES (?, ?, ?, ?)",
                &[agent_id.as_str().into(), token_id.as_str().into(), now.millis().into(), expires_at.millis().into()],
            )?;
            self.store.query(
                "UPDATE agent_tokens SET revoked_at_ms = ?1 WHERE agent_id = ?2 AND token_id IN (SELECT token_id \
                 FROM agent_tokens WHERE agent_id = ?2 AND revoked_at_ms IS NULL \
                 ORDER BY coalesce(used_at_ms, created_at_ms) DESC, token_id DESC LIMIT -1 OFFSET ?3)",
                &[now.millis().into(), agent_id.as_str().into(), TOKENS_PER_AGENT_MAX.into()],
            )?;
            // Revoked tokens stay in the list, but only up to a bound. A token without its row is just as invalid.
            self.store.query(
                "DELETE FROM agent_tokens WHERE agent_id = ?1 AND token_id IN (SELECT token_id FROM agent_tokens \
                 WHERE agent_id = ?1 AND revoked_at_ms IS NOT NULL \
                 ORDER BY revoked_at_ms DESC, token_id DESC LIMIT -1 OFFSET ?2)",
                &[agent_id.as_str().into(), TOKENS_PER_AGENT_MAX.into()],
            )?;
            Ok(())
        })
    }

    /// Reads the tokens of an agent whose time is not over, the newest first.
    ///
    /// # Errors
    /// `not_found`: the agent is not registered here. Otherwise the tables cannot be read.
    pub fn tokens(&self, agent_id: &AgentId, now: Timestamp) -> Result<AgentTokens> {
        self.check_agent(agent_id)?;
        let rows = self.store.query(
            "SELECT token_id, created_at_ms, expires_at_ms, used_at_ms, revoked_at_ms FROM agent_tokens \
             WHERE agent_id = ? AND expires_at_ms > ? ORDER BY token_id DESC",
            &[agent_id.as_str().into(), now.millis().into()],
        )?;
        let tokens = rows.iter().map(token_of).collect::<Result<_>>()?;
        let (used_at, revoked_at) = self.of_tokens_without_id(agent_id)?;
        Ok(AgentTokens { tokens, without_id: TokensWithoutId { last_used_at: used_at, revoked_at } })
    }

    /// Revokes one token. A second revocation changes nothing: the token stays revoked since the first.
    ///
    /// # Errors
    /// `not_found`: there is no such token, or its time is over. Otherwise the tables cannot be written.
    pub fn revoke_token(&self, agent_id: &AgentId, token_id: &TokenId, now: Timestamp) -> Result<()> {
        let revoked = self.store.query(
            "UPDATE agent_tokens SET revoked_at_ms = coalesce(revoked_at_ms, ?1) \
             WHERE agent_id = ?2 AND token_id = ?3 AND expires_at_ms > ?1 RETURNING 1",
            &[now.millis().into(), agent_id.as_str().into(), token_id.as_str().into()],
        )?;
        if revoked.is_empty() { Err(Error::not_found("token of this agent")) } else { Ok(()) }
    }

    /// Revokes all tokens that exist by now, and also all that have no id.
    ///
    /// # Errors
    /// `not_found`: the agent is not registered here. Otherwise the tables cannot be written.
    pub fn revoke_tokens(&self, agent_id: &AgentId, now: Timestamp) -> Result<()> {
        self.check_agent(agent_id)?;
        atomically(self.store.as_ref(), || {
            let parameters = [now.millis().into(), agent_id.as_str().into()];
            self.store.query(
                "UPDATE agent_tokens SET revoked_at_ms = ? WHERE agent_id = ? AND revoked_at_ms IS NULL",
                &parameters,
            )?;
            self.store.query("UPDATE agents SET tokens_revoked_at_ms = ? WHERE agent_id = ?", &parameters)?;
            Ok(())
        })
    }

    /// Checks that a right is one to this agent at this moment, and notes its use.
    ///
    /// # Errors
    /// `forbidden`: the right is to another agent or town. `not_found`: the agent is not registered here.
    /// `token_revoked`: the token was revoked, or has no row. Otherwise the tables cannot be read or written.
    pub fn admit(&self, right: &AgentRight, agent_id: &AgentId, now: Timestamp) -> Result<()> {
        right.check(&self.town_id, agent_id)?;
        match &right.token {
            ShownToken::Named(token_id) => self.admit_named(agent_id, token_id, now),
            ShownToken::WithoutId { issued_at } => self.admit_without_id(agent_id, *issued_at, now),
        }
    }

    fn admit_named(&self, agent_id: &AgentId, token_id: &TokenId, now: Timestamp) -> Result<()> {
        let rows = self.store.query(
            "SELECT used_at_ms FROM agent_tokens WHERE agent_id = ? AND token_id = ? AND revoked_at_ms IS NULL",
            &[agent_id.as_str().into(), token_id.as_str().into()],
        )?;
        let Some(row) = rows.first() else {
            self.check_agent(agent_id)?; // deleted, it has none
            return Err(revoked());
        };
        if is_to_be_noted(maybe_moment(row, 0)?, now) {
            self.store.query(
                "UPDATE agent_tokens SET used_at_ms = ? WHERE agent_id = ? AND token_id = ?",
                &[now.millis().into(), agent_id.as_str().into(), token_id.as_str().into()],
            )?;
        }
        Ok(())
    }

    /// Checks a token without an id. Such a token has its time of issue in whole seconds, or not at all. A token from
    /// the second of the revocation may be older than the revocation, and so may a token without a time. Both are
    /// refused.
    fn admit_without_id(&self, agent_id: &AgentId, issued_at: Option<Timestamp>, now: Timestamp) -> Result<()> {
        let (used_at, revoked_at) = self.of_tokens_without_id(agent_id)?;
        if revoked_at.is_some_and(|revoked_at| issued_at.is_none_or(|issued_at| issued_at <= revoked_at)) {
            return Err(revoked());
        }
        if is_to_be_noted(used_at, now) {
            self.store.query(
                "UPDATE agents SET token_without_id_used_at_ms = ? WHERE agent_id = ?",
                &[now.millis().into(), agent_id.as_str().into()],
            )?;
        }
        Ok(())
    }

    /// The last use and the revocation of tokens without an id. An agent that is not registered has neither.
    fn of_tokens_without_id(&self, agent_id: &AgentId) -> Result<(Option<Timestamp>, Option<Timestamp>)> {
        let sql = "SELECT token_without_id_used_at_ms, tokens_revoked_at_ms FROM agents WHERE agent_id = ?";
        let rows = self.store.query(sql, &[agent_id.as_str().into()])?;
        let row = rows.first().ok_or_else(|| self.no_such_agent(agent_id))?;
        Ok((maybe_moment(row, 0)?, maybe_moment(row, 1)?))
    }
}

fn is_to_be_noted(used_at: Option<Timestamp>, now: Timestamp) -> bool {
    used_at.is_none_or(|used_at| now.millis() - used_at.millis() >= USED_MS)
}

fn revoked() -> Error {
    Error::new(Code::TokenRevoked, "the agent's token was revoked: have a new one made")
}

fn token_of(row: &Row) -> Result<AgentToken> {
    Ok(AgentToken {
        token_id: parse(TokenId::parse(row.text(0)?))?,
        created_at: moment(row, 1)?,
        expires_at: moment(row, 2)?,
        last_used_at: maybe_moment(row, 3)?,
        revoked_at: maybe_moment(row, 4)?,
    })
}
