//! What readers get of a town's log: pages, events, gaps and runs.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
#[cfg(feature = "schema")]
use ts_rs::TS;

use super::state::UsageTotals;
use crate::error::{Error, Result};
use crate::event::AgentExited;
use crate::id::{AgentId, Epoch, EventId, EventName, RigId, RunId};
use crate::time::Timestamp;

wire! {
    /// A page of the town's log.
    #[derive(Debug)]
    EventsPage {
        /// The life of the log.
        epoch: Epoch,
        /// Ascending by id.
        #[cfg_attr(feature = "schema", ts(as = "Vec<TownEvent>"), schemars(with = "Vec<TownEvent>"))]
        events: Vec<String>,
        /// The `after_id` of the next page.
        next_after_id: EventId,
        /// The newest event's id.
        head: EventId,
        /// The oldest retained event's id.
        oldest_id: EventId,
        /// The requested events that are gone.
        gaps: Vec<Gap>,
        /// Whether the cursor is unknown here, so that the page begins at the start.
        #[cfg_attr(feature = "schema", ts(optional, as = "Option<bool>"), schemars(skip_serializing_if = "std::ops::Not::not"))]
        reset: bool,
    }
    /// Events of an agent that a reader requested and does not get.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
    Gap {
        /// The agent's id.
        agent_id: AgentId,
        /// The first missing id.
        from: EventId,
        /// The last missing id.
        to: EventId,
        /// The number of them, where it is known.
        count: Option<u64>,
        /// The reason.
        reason: GapReason,
    }
    /// A run in lists.
    #[derive(Debug, Clone, Serialize, Deserialize)]
    RunView {
        /// The run.
        run_id: RunId,
        /// The agent's id.
        agent_id: AgentId,
        /// The number of the run among the agent's, from 1.
        run_number: u64,
        /// Its first event, 0 where it has none yet.
        first_event_id: EventId,
        /// Its newest event.
        last_event_id: EventId,
        /// The time of the start request.
        started_at: Timestamp,
        /// The time of its end.
        ended_at: Option<Timestamp>,
        /// The end of the run.
        exit: Option<AgentExited>,
        /// Calls of its agent.
        tool_call_count: u64,
        /// Tokens and cost.
        usage: UsageTotals,
    }
    /// An event of the town's log, as viewers get it.
    #[derive(Debug, Deserialize)]
    TownEvent {
        /// The position of the event.
        id: EventId,
        /// The agent's id.
        agent_id: AgentId,
        /// The rig of the event.
        rig_id: Option<RigId>,
        /// The run's id.
        run_id: Option<RunId>,
        /// The name of the event.
        event: EventName,
        /// The data of the event.
        #[cfg_attr(feature = "schema", ts(type = "unknown"))]
        data: Box<RawValue>,
        /// The time of the event.
        at: Timestamp,
        /// The parts left out of `data`. `GET …/events/:id` gives the whole event.
        cut: Option<Vec<Cut>>,
    }
    /// A part of an event's data that was left out of its frame form.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
    Cut {
        /// JSON Pointer into `data`.
        path: String,
        /// The number of bytes that were left out.
        bytes: u64,
    }
}

words! {
    /// Why events are missing.
    GapReason {
        /// Events beyond a bound, which are gone for good.
        Pruned,
        /// Events that were left out because the viewer is slow. The log still has them.
        Elided,
    }
}

impl EventsPage {
    /// The page as JSON. Its events are texts as they are stored, which are JSON already. To check each once more would cost a
    /// page more than to write all else of it.
    ///
    /// # Errors
    /// `internal`: the page cannot be written, which is a fault of ours.
    pub fn to_json(&self) -> Result<String> {
        #[derive(Serialize)]
        struct Frame<'a> {
            epoch: &'a Epoch,
            next_after_id: EventId,
            head: EventId,
            oldest_id: EventId,
            gaps: &'a [Gap],
            #[serde(skip_serializing_if = "std::ops::Not::not")]
            reset: bool,
        }
        let Self { epoch, events, next_after_id, head, oldest_id, gaps, reset } = self;
        let (next_after_id, head, oldest_id, reset) = (*next_after_id, *head, *oldest_id, *reset);
        let frame = Frame { epoch, next_after_id, head, oldest_id, gaps, reset };
        let frame = serde_json::to_string(&frame).map_err(Error::internal)?;
        let frame = frame.strip_suffix('}').unwrap_or(&frame);
        Ok(format!("{frame},\"events\":[{}]}}", events.join(",")))
    }
}
