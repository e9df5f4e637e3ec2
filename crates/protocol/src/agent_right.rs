//! An agent's right, as its token says it. Its end and its signature the Worker looks at; whether the token was revoked
//! only the agent's rig knows, and so the Worker hands the right on with the request.

use serde::{Deserialize, Serialize};

use crate::error::{Code, Error, Result};
use crate::id::{AgentId, RigId, TokenId, TownId};
use crate::time::Timestamp;

/// On a request that the Worker hands to an object: the right of the agent that asks, as [`AgentRight::header`] writes it.
/// Absent: the operator asks. The Worker removes it from what comes in from outside.
pub const AGENT_HEADER: &str = "Townwatch-Agent";

/// What an agent's token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentRight {
    /// Its town.
    pub town_id: TownId,
    /// Its rig.
    pub rig_id: RigId,
    /// Itself.
    pub agent_id: AgentId,
    /// Which of its tokens was shown.
    pub token: ShownToken,
}

/// Which token was shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShownToken {
    /// One that the rig has made.
    Named(TokenId),
    /// One without an id: whoever has the secret can make such a one.
    WithoutId {
        /// When it was made, if it says so.
        issued_at: Option<Timestamp>,
    },
}

impl AgentRight {
    /// For [`AGENT_HEADER`].
    pub fn header(&self) -> Result<String> {
        serde_json::to_string(self).map_err(Error::internal)
    }

    /// Reads [`AGENT_HEADER`].
    pub fn read(header: &str) -> Result<Self> {
        serde_json::from_str(header).map_err(Error::internal)
    }

    /// Whether it is of this agent of this town, which only a rig knows of itself.
    pub fn check(&self, town_id: &TownId, agent_id: &AgentId) -> Result<()> {
        if self.town_id == *town_id && self.agent_id == *agent_id {
            return Ok(());
        }
        Err(Error::new(Code::Forbidden, "agent_id: an agent's token is only good for that agent, in its town"))
    }
}
