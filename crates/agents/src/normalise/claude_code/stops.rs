//! Early stops of the model: a refusal, or no more room.
//!
//! The next line of the program often reports the same in its own words, as an error in the agent's place. So a stop is
//! reported only after that line, and only if that line is no such error. Within a turn of the agent itself it is
//! reported once.

use townwatch_protocol::event::{EventData, EventKind};

use crate::normalise::kinds::Handling::{Event, Nothing, Preview};
use crate::normalise::kinds::KindTable;
use crate::normalise::recent::Recent;
use crate::normalise::stop::Stop;
use crate::normalise::wire::StopDetails;

/// The values of a message's `stop_reason`.
pub(super) static STOPS: KindTable<Stop> = KindTable::new(
    "stop reason",
    &[
        ("end_turn", Nothing("it had said all that it wanted to")),
        ("tool_use", Nothing("the calls that it waits for are told")),
        ("stop_sequence", Nothing("it ended at words that whoever asked it chose")),
        ("pause_turn", Nothing("the program lets it go on by itself")),
        ("compaction", Nothing("the program's own lines tell of it")),
        ("refusal", Event(EventKind::Error, Stop::Refused)),
        ("max_tokens", Event(EventKind::Notice, Stop::AnswerFull)),
        ("model_context_window_exceeded", Event(EventKind::Error, Stop::ContextFull)),
    ],
);

/// The stops of one run.
#[derive(Debug, Clone, Default)]
pub(super) struct Stops {
    /// The stop that was read and not reported yet.
    heard: Option<PendingStop>,
    /// The messages whose stop was read. Each line of a message repeats it.
    messages: Recent<()>,
    /// The agent's own stops that were reported in this turn.
    told_in_turn: Vec<Stop>,
    /// Whether the program has reported the end of this turn in its own words.
    told_otherwise: bool,
}

#[derive(Debug, Clone)]
struct PendingStop {
    stop: Stop,
    /// The reason, in the API's words.
    why: Option<String>,
    /// The call whose sub-agent's model stopped; `None` for the agent itself.
    author: Option<String>,
}

impl Stops {
    /// Reads the stop reason of a message, or without `message_id` of a turn of the agent itself; true if the reason is
    /// known.
    pub(super) fn heard(
        &mut self,
        reason: &str,
        details: Option<StopDetails>,
        message_id: Option<&str>,
        author: Option<&str>,
    ) -> bool {
        let stop = match STOPS.find(reason) {
            Some(Event(_, stop) | Preview(stop)) => stop,
            Some(Nothing(_)) => return true,
            None => return false,
        };
        if message_id.is_none_or(|id| self.messages.insert(id, ())) {
            let details = details.unwrap_or_default();
            let why =
                [details.explanation, details.category].into_iter().flatten().find(|text| !text.trim().is_empty());
            self.heard = Some(PendingStop { stop, why, author: author.map(str::to_owned) });
        }
        true
    }

    /// The event of a stop that no other line has reported.
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

    /// Notes that the program has reported the stop in its own words.
    pub(super) fn told_otherwise(&mut self) {
        (self.heard, self.told_otherwise) = (None, true);
    }

    /// Whether this stop of the agent itself was reported in this turn.
    pub(super) fn is_told(&self, stop: Stop) -> bool {
        self.told_otherwise || self.told_in_turn.contains(&stop)
    }

    /// Ends the turn. The next turn reports its own stops.
    pub(super) fn turn_ended(&mut self) {
        self.heard = None;
        self.told_in_turn.clear();
        self.told_otherwise = false;
    }
}
