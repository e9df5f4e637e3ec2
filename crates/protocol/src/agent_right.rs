//! The right of an agent, as its token states it. The Worker checks its signature and its end. Only the agent's rig
//! knows whether the token was revoked, so the Worker passes the right on with the request.

use serde::{Deserialize, Serialize};

use crate::error::{Code, Error, Result};
use crate::id::{AgentId, RigId, TokenId, TownId};
use crate::time::Timestamp;

/// The header by which the Worker tells an object which agent asks, as [`AgentRight::header`] writes it. Without the
/// header the operator asks. The Worker removes the header from requests that come from outside.
pub const AGENT_HEADER: &str = "Townwatch-Agent";

/// The claims of an agent's token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentRight {
    /// The agent's town.
    pub town_id: TownId,
    /// The agent's rig.
    pub rig_id: RigId,
    /// The agent.
    pub agent_id: AgentId,
    /// The token that the request showed.
    pub token: ShownToken,
}

/// The token that a request showed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShownToken {
    /// A token that the rig has made and keeps a row of.
    Named(TokenId),
    /// A token without an id. Every holder of the signing secret can make one.
    WithoutId {
        /// The time at which the token was made, if the token states one.
        issued_at: Option<Timestamp>,
    },
}

impl AgentRight {
    /// The right as the text of [`AGENT_HEADER`].
    pub fn header(&self) -> Result<String> {
        serde_json::to_string(self).map_err(Error::internal)
    }

    /// Reads [`AGENT_HEADER`].
    pub fn read(header: &str) -> Result<Self> {
        serde_json::from_str(header).map_err(Error::internal)
    }

    /// Refuses a right of another agent or of another town with `forbidden`. Only a rig knows its town, so only a rig
    /// can check this.
    pub fn check(&self, town_id: &TownId, agent_id: &AgentId) -> Result<()> {
        if self.town_id == *town_id && self.agent_id == *agent_id {
            return Ok(());
        }
        Err(Error::new(Code::Forbidden, "agent_id: an agent's token is only good for that agent, in its town"))
    }
}
