//! Why the model stopped, where that is not the end of what it had to say: it refused, or had no more room.
//!
//! The program often says the same with its next line in words of its own, as an error in the agent's place. So a stop is
//! told with the line behind it, and only where that is no such error; and in a turn of the agent itself once.

use townwatch_protocol::event::EventData;

use crate::normalise::kinds::Becomes::{Event, Nothing};
use crate::normalise::kinds::Table;
use crate::normalise::recent::Recent;
use crate::normalise::stop::Stop;
use crate::normalise::wire::StopDetails;

/// What a message's `stop_reason` can be.
pub(super) static STOPS: Table<Stop> = Table::new(
    "stop reason",
    &[
        ("end_turn", Nothing("it had said all that it wanted to")),
        ("tool_use", Nothing("the calls that it waits for are told")),
        ("stop_sequence", Nothing("it ended at words that whoever asked it chose")),
        ("pause_turn", Nothing("the program lets it go on by itself")),
        ("compaction", Nothing("the program's own lines tell of it")),
        ("refusal", Event("agent_error", Stop::Refused)),
        ("max_tokens", Event("agent_notice", Stop::AnswerFull)),
        ("model_context_window_exceeded", Event("agent_error", Stop::ContextFull)),
    ],
);

/// The stops of one run.
#[derive(Debug, Clone, Default)]
pub(super) struct Stops {
    /// One that was heard and not told yet.
    heard: Option<Heard>,
    /// Messages whose stop was heard: each of its lines repeats it.
    messages: Recent<()>,
    /// Those of the agent itself that were told in this turn.
    told_in_turn: Vec<Stop>,
    /// The program told in its own words how this turn ended.
    told_otherwise: bool,
}

#[derive(Debug, Clone)]
struct Heard {
    stop: Stop,
    /// What it was for, in the API's words.
    why: Option<String>,
    /// The call whose sub-agent's model it is.
    author: Option<String>,
}

impl Stops {
    /// A message, or without a name a turn of the agent itself, ended for this reason. Whether the reason is known.
    pub(super) fn heard(
        &mut self,
        reason: &str,
        details: Option<StopDetails>,
        message_id: Option<&str>,
        author: Option<&str>,
    ) -> bool {
        let stop = match STOPS.find(reason) {
            Some(Event(_, stop)) => stop,
            Some(Nothing(_)) => return true,
            None => return false,
        };
        if message_id.is_none_or(|id| self.messages.insert(id, ())) {
            let details = details.unwrap_or_default();
            let why =
                [details.explanation, details.category].into_iter().flatten().find(|text| !text.trim().is_empty());
            self.heard = Some(Heard { stop, why, author: author.map(str::to_owned) });
        }
        true
    }

    /// What was heard and nobody else has told.
    pub(super) fn tell(&mut self) -> Option<EventData> {
        let heard = self.heard.take()?;
        if heard.author.is_none() {
            if self.is_told(heard.stop) {
                return None;
            }
            self.told_in_turn.push(heard.stop);
        }
        Some(heard.stop.event(heard.why.as_deref(), heard.author))
    }

    /// The program told it in its own words.
    pub(super) fn told_otherwise(&mut self) {
        (self.heard, self.told_otherwise) = (None, true);
    }

    /// Whether it was told in this turn that the agent itself stopped so.
    pub(super) fn is_told(&self, stop: Stop) -> bool {
        self.told_otherwise || self.told_in_turn.contains(&stop)
    }

    /// The next turn has stops of its own.
    pub(super) fn turn_ended(&mut self) {
        self.heard = None;
        self.told_in_turn.clear();
        self.told_otherwise = false;
    }
}
