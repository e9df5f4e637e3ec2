//! The open questions of a town, each complete.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use townwatch_protocol::event::AgentQuestion;
use townwatch_protocol::id::{AgentId, TownId};
use townwatch_protocol::time::Timestamp;
use townwatch_protocol::wire::OpenQuestion;

use crate::server::{Failure, Server};

/// An open question.
#[derive(Debug, Serialize)]
pub(super) struct ListedQuestion {
    pub(super) agent_id: AgentId,
    /// The agent's name.
    pub(super) name: String,
    /// The task of the sub-agent that asks, if one does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sub_agent: Option<String>,
    pub(super) since: Timestamp,
    /// Whether a part is missing, because the question's event is gone.
    pub(super) cut: bool,
    #[serde(flatten)]
    pub(super) question: AgentQuestion,
}

/// A page of events, each as it stands.
#[derive(Debug, Deserialize)]
pub(super) struct EventPage {
    pub(super) events: Vec<Box<RawValue>>,
}

#[derive(Debug, Deserialize)]
struct TownQuestions {
    agents: Vec<AgentQuestions>,
}

/// The fields of an agent's state that are needed here.
#[derive(Debug, Deserialize)]
#[allow(clippy::struct_field_names)] // the names are the wire's
struct AgentQuestions {
    agent_id: AgentId,
    name: String,
    #[serde(default)]
    questions: Vec<OpenQuestion>,
    #[serde(default)]
    sub_agents: Vec<SubAgentTask>,
}

#[derive(Debug, Deserialize)]
struct SubAgentTask {
    tool_use_id: String,
    description: String,
}

/// All open questions of a town or of one of its agents, the oldest first.
pub(super) fn all(server: &Server, town: &TownId, agent: Option<&AgentId>) -> Result<Vec<ListedQuestion>, Failure> {
    let TownQuestions { agents } = server.data(&format!("/api/towns/{town}"))?;
    if let Some(agent) = agent.filter(|agent| agents.iter().all(|one| one.agent_id != **agent)) {
        return Err(Failure::Refused(format!("there is no agent {agent} in this town")));
    }
    let mut asked = Vec::new();
    for AgentQuestions { agent_id, name, questions, sub_agents } in agents {
        if agent.is_some_and(|agent| *agent != agent_id) {
            continue;
        }
        for OpenQuestion { event_id, since, cut, question } in questions {
            let whole = if cut { whole(server, town, event_id.get())? } else { None };
            let cut = cut && whole.is_none();
            let question = whole.unwrap_or(question);
            let sub_agent = question.parent_tool_use_id.as_ref().map(|parent| {
                let known = sub_agents.iter().find(|one| one.tool_use_id == *parent);
                known.map_or_else(String::new, |one| one.description.clone())
            });
            asked.push(ListedQuestion {
                agent_id: agent_id.clone(),
                name: name.clone(),
                sub_agent,
                since,
                cut,
                question,
            });
        }
    }
    asked.sort_by_key(|one| one.since.millis());
    Ok(asked)
}

/// The question from its event; `None` if the event is gone.
fn whole(server: &Server, town: &TownId, event_id: u64) -> Result<Option<AgentQuestion>, Failure> {
    match server.data::<Box<RawValue>>(&format!("/api/towns/{town}/events/{event_id}")) {
        Ok(event) => Ok(data(event.get())),
        Err(failure @ (Failure::Offline(_) | Failure::Busy { .. })) => Err(failure),
        Err(_) => Ok(None),
    }
}

/// The data of an event; `None` if it has another shape.
pub(super) fn data<T: DeserializeOwned>(event: &str) -> Option<T> {
    #[derive(Deserialize)]
    struct Event<T> {
        data: T,
    }
    serde_json::from_str::<Event<T>>(event).ok().map(|event| event.data)
}

impl ListedQuestion {
    /// The question as a line of JSON.
    pub(super) fn json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default() + "\n"
    }
}
