//! The outcome of a run so far: its agent's last text, the session with which it can go on, and the usage.

use serde_json::value::RawValue;
use townwatch_agents::cut;
use townwatch_protocol::event::{AgentOutput, EventData, OutputStream};
use townwatch_protocol::wire::{RunResult, UsageTotals};
use townwatch_town::log::reducer::Counted;

/// The longest text that is kept, 64 KiB; the rest is only in the event.
const TEXT_BYTES_MAX: usize = 64 << 10;

/// The outcome of a run.
#[derive(Debug, Default)]
pub(crate) struct RunOutcome {
    text: Option<String>,
    session_id: Option<String>,
    usage: Option<UsageTotals>,
    counted: Counted,
}

impl RunOutcome {
    /// Takes an event. `data` is its data as the town gets it, without secrets.
    pub(crate) fn take(&mut self, event: &EventData, data: &RawValue) {
        match event {
            // The text of a sub-agent is meant for its agent only.
            EventData::Output(AgentOutput { stream: OutputStream::Assistant, parent_tool_use_id: None, .. }) => {
                let told = serde_json::from_str::<AgentOutput>(data.get());
                self.text = told.ok().map(|said| cut::text(&said.text, TEXT_BYTES_MAX)).or(self.text.take());
            }
            EventData::Session(session) => self.session_id.clone_from(&session.session_id),
            EventData::Usage(usage) => {
                self.counted.count(self.usage.get_or_insert_default(), usage);
            }
            _ => {}
        }
    }

    /// The outcome for the agent's status; `None` before anything happened.
    pub(crate) fn view(&self) -> Option<RunResult> {
        let result =
            RunResult { text: self.text.clone(), session_id: self.session_id.clone(), usage: self.usage.clone() };
        (result != RunResult::default()).then_some(result)
    }
}
