//! A town's mayor, as Gastown's clients ask for it: the agent whose role is mayor.

use townwatch_protocol::error::{Error, Result};
use townwatch_protocol::event::{Role, Status};
use townwatch_protocol::wire::{AgentState, MayorSession, MayorSessionStatus, MayorView};

use crate::agents;
use crate::town::Town;

impl Town {
    /// The mayor of the town. Of several, running ones come first, and then the one with the latest event.
    pub fn mayor(&self) -> Result<Option<AgentState>> {
        let states = agents::load_states(self.store.as_ref())?.into_iter().map(|(state, _)| state);
        let mayors = states.filter(|state| state.role == Role::Mayor);
        Ok(mayors.max_by_key(|state| (has_open_run(state), state.last_event_at, state.last_event_id)))
    }

    /// The mayor that runs; 404 where none does, since nobody would hear what it is told.
    pub fn running_mayor(&self) -> Result<AgentState> {
        self.mayor()?.filter(has_open_run).ok_or_else(|| {
            Error::not_found("mayor at work; start an agent with the role mayor (POST …/container/agents/start)")
        })
    }

    /// The mayor's standing, in Gastown's words.
    pub fn mayor_view(&self) -> Result<MayorView> {
        let mayor = self.mayor()?;
        Ok(MayorView {
            configured: mayor.is_some(),
            session: mayor.filter(has_open_run).map(session_of),
            town_id: self.town_id.clone(),
        })
    }
}

fn has_open_run(state: &AgentState) -> bool {
    state.run_id.is_some() && state.exit.is_none()
}

fn session_of(state: AgentState) -> MayorSession {
    let run_id = state.run_id.map_or_else(String::new, |run_id| run_id.to_string());
    MayorSession {
        agent_id: state.agent_id,
        session_id: state.session_id.unwrap_or(run_id),
        status: session_status(state.status),
        last_activity_at: state.last_event_at.or(state.started_at),
    }
}

/// An agent's status in the three words that Gastown has for it.
pub fn session_status(status: Status) -> MayorSessionStatus {
    match status {
        Status::Starting => MayorSessionStatus::Starting,
        Status::Waiting | Status::Idle | Status::Exited | Status::Failed => MayorSessionStatus::Idle,
        Status::Running | Status::Stopping => MayorSessionStatus::Active,
    }
}
