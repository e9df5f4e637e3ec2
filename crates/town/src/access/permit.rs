//! The permit of a stream: the agents that it may watch, and the grantor of that right. It is stored with the stream,
//! also in the note of a sleeping socket. No message of the viewer can extend the right.

use serde::{Deserialize, Serialize};
use townwatch_protocol::error::{Code, Error, Result};
use townwatch_protocol::id::AgentId;
use townwatch_protocol::wire::AgentSelection;

use crate::access::grantor::Grantor;

/// The right that a stream was opened by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Permit {
    /// The agents that the stream may watch.
    pub scope: Scope,
    /// The grantor. The stream ends with the grantor's right.
    pub grantor: Grantor,
}

/// The agents that a right to watch covers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// All agents of the town.
    Town,
    /// This agent.
    Agent(AgentId),
}

impl Permit {
    /// The permit of a ticket, for one agent's stream or for the whole town's.
    pub fn of_ticket(agent_id: Option<&AgentId>, grantor: Grantor) -> Self {
        let scope = agent_id.map_or(Scope::Town, |agent_id| Scope::Agent(agent_id.clone()));
        Self { scope, grantor }
    }

    /// The permit of the operator, who may watch the whole town, even on the stream of one agent.
    pub fn of_operator(grantor: Grantor) -> Self {
        Self { scope: Scope::Town, grantor }
    }

    /// Whether these agents are within the right; 403 where one is not.
    pub fn check(&self, agents: &AgentSelection) -> Result<()> {
        let Scope::Agent(own) = &self.scope else { return Ok(()) };
        match agents {
            AgentSelection::Only(agents) if agents.iter().all(|agent_id| agent_id == own) => Ok(()),
            _ => Err(Error::new(
                Code::Forbidden,
                format!(
                    "agents: this stream's ticket is for {own} alone; open the town's stream with a ticket of its own"
                ),
            )),
        }
    }
}
