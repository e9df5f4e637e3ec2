//! The states of all agents that a stream watches, one after the other by id. A town of a thousand agents can have 32
//! MiB of states. So only the states that are sent are made.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::rc::Rc;

use serde::{Deserialize, Serialize};
use townwatch_protocol::error::Result;
use townwatch_protocol::id::AgentId;
use townwatch_protocol::wire::{AgentSelection, AgentState, ServerFrame};

use crate::agents;
use crate::log::Selection;
use crate::reading::stream_query::Form;
use crate::relay::silence::{Silence, silence};
use crate::store::Store;
use crate::town::presented;
use crate::viewers::text_of;

/// States of the first read, 8. A turn of an event stream takes 64 KiB, and large states beyond that would be read in vain.
const PAGE_STATES_MIN: u64 = 8;
/// States of one read at most: 64 of 32 KiB are 2 MiB. Each read is twice as large as the one before, up to this.
const PAGE_STATES_MAX: u64 = 64;

/// The progress of a stream in the list of states.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StateList {
    /// All states were sent.
    #[default]
    #[serde(rename = "had")] // as the notes of sockets that sleep through a deploy have it
    Complete,
    /// The states up to this agent's were sent; `None`: no state was sent.
    After(Option<AgentId>),
}

impl StateList {
    /// The begin of a new stream. A stream of frames begins with the first state. A flat stream is sent no states.
    pub(crate) fn begin(form: Form) -> Self {
        match form {
            Form::Frames => Self::After(None),
            Form::Flat => Self::Complete,
        }
    }
}

/// The next states of a list.
pub(crate) struct StatePage {
    /// By agent, each with its frame.
    pub(crate) states: Vec<(AgentId, Rc<str>)>,
    /// Whether the list ends here.
    pub(crate) is_last: bool,
}

/// The texts of states, each made once for all viewers that are sent it in the same step.
pub(crate) struct StateTexts<'a> {
    store: &'a dyn Store,
    /// Whether the container is silent, read at the first use.
    silence: OnceCell<Option<Silence>>,
    known: HashMap<AgentId, Rc<str>>,
    /// The states of the next read.
    page_states: u64,
}

impl<'a> StateTexts<'a> {
    pub(crate) fn new(store: &'a dyn Store) -> Self {
        Self { store, silence: OnceCell::new(), known: HashMap::new(), page_states: PAGE_STATES_MIN }
    }

    /// The next states of the selected agents, by id.
    pub(crate) fn page(&mut self, selection: &Selection, after: Option<&AgentId>) -> Result<StatePage> {
        match &selection.agents {
            AgentSelection::All => {
                let limit = self.page_states;
                self.page_states = (2 * limit).min(PAGE_STATES_MAX);
                let states = agents::load_state_page(self.store, after, limit)?;
                let is_last = (states.len() as u64) < limit;
                let texts = states.into_iter().map(|(state, is_silent)| {
                    let agent_id = state.agent_id.clone();
                    let text = match self.known.get(&agent_id) {
                        Some(text) => Rc::clone(text),
                        None => self.make(state, is_silent)?,
                    };
                    Ok((agent_id, text))
                });
                Ok(StatePage { states: texts.collect::<Result<_>>()?, is_last })
            }
            AgentSelection::Only(agents) => {
                let is_next = |agent_id: &&AgentId| after.is_none_or(|after| *agent_id > after);
                let mut texts = Vec::new();
                for agent_id in agents.iter().filter(is_next) {
                    texts.extend(self.of(agent_id)?.map(|text| (agent_id.clone(), text)));
                }
                Ok(StatePage { states: texts, is_last: true })
            }
        }
    }

    /// An agent's state as a frame; `None` where there is no such agent.
    pub(crate) fn of(&mut self, agent_id: &AgentId) -> Result<Option<Rc<str>>> {
        if let Some(text) = self.known.get(agent_id) {
            return Ok(Some(Rc::clone(text)));
        }
        let Some(agent) = agents::load(self.store, agent_id)? else { return Ok(None) };
        let is_silent = agent.is_silent;
        self.make(agent.shown(), is_silent).map(Some)
    }

    fn make(&mut self, state: AgentState, is_silent: bool) -> Result<Rc<str>> {
        let silence = if let Some(known) = self.silence.get() {
            known
        } else {
            let read = silence(self.store)?;
            self.silence.get_or_init(|| read)
        };
        let agent = Box::new(presented(self.store, state, silence.as_ref(), is_silent)?);
        let text = match self.known.entry(agent.agent_id.clone()) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => unknown.insert(text_of(&ServerFrame::State { agent }).into()),
        };
        Ok(Rc::clone(text))
    }
}
