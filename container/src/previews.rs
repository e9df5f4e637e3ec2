//! The texts that agents are typing at this moment, and that have no event yet. The module is pure: the time comes in.
//!
//! Invariants: no part of a text is given once its event is in the buffer. Each preview of a text begins where the one
//! before ended, or at offset 0. Memory is bounded, and at a bound only previews are lost, never an event.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;
use townwatch_agents::normalise::Piece;
use townwatch_protocol::event::{AgentOutput, AgentStatusChanged, EventData, Status};
use townwatch_protocol::id::{AgentId, RunId};
use townwatch_protocol::limits::{PREVIEWED_BYTES_MAX, PREVIEWS_MAX};
use townwatch_protocol::wire::Preview;

/// The time for which typed pieces are merged, 50 ms, so that previews cause at most 20 answers a second.
pub const MERGED: Duration = Duration::from_millis(50);
/// The text of one preview, 10 KiB; the rest goes into the next preview. As JSON it has at most six times that, and
/// with its ids less than a frame's 64 KiB.
pub const TEXT_BYTES_MAX: usize = 10 << 10;
/// The text in the previews of one answer; the rest goes with the next answer.
const ANSWER_TEXT_BYTES_MAX: usize = PREVIEWED_BYTES_MAX;
/// The previews of one answer, 512 KiB: as JSON at most six times their text, 384 KiB, and 400 bytes each for the names
/// and ids of at most 263 previews (every message, and seven parts of a long one). The bound on text is reached first.
pub const ANSWER_BYTES_MAX: usize = 512 << 10;
/// The rate at which whole texts are repeated, 8 bytes for each ms: a short text each time, a text of 8 KiB every
/// second. A lost answer leaves a hole that only offset 0 heals, and nobody reports the loss. So each text is repeated
/// whole from time to time, more rarely the longer it is.
pub const REPEATED_BYTES_PER_MS: usize = 8;

/// The texts that are being typed in one town.
#[derive(Debug, Default)]
pub struct TownPreviews {
    /// The texts, those that were shown longest ago first.
    texts: VecDeque<PreviewText>,
    given_at: Option<Instant>,
}

#[derive(Debug)]
struct PreviewText {
    agent_id: AgentId,
    run_id: RunId,
    message_id: String,
    text: String,
    given_bytes: usize,
    given_units: u64,
    whole_at: Option<Instant>,
    /// Whether no more of the text is shown.
    is_spoiled: bool,
}

impl TownPreviews {
    /// Takes a typed piece. A piece of a text whose beginning is missing is dropped. A text that begins anew before its
    /// event is not shown until that event comes: a receiver may have the old beginning, and would join the two.
    pub fn add(&mut self, agent_id: &AgentId, run_id: &RunId, piece: Piece) {
        let Piece { message_id, begins, text } = piece;
        let found = self.texts.iter().position(|text| text.agent_id == *agent_id && text.message_id == message_id);
        let index = match (found, begins) {
            (None, false) => return,
            (Some(index), false) => {
                self.texts[index].text.push_str(&text);
                index
            }
            (Some(index), true) => return self.texts[index].spoil(),
            (None, true) => {
                if self.texts.len() >= PREVIEWS_MAX {
                    self.texts.pop_front();
                }
                self.texts.push_back(PreviewText::new(agent_id, run_id, message_id, text));
                self.texts.len() - 1
            }
        };
        let text = &mut self.texts[index];
        if text.is_spoiled || text.text.len() > PREVIEWED_BYTES_MAX {
            text.spoil();
        }
    }

    /// Takes an event that is in the buffer. The text in it is shown no more, nor is a text that will not be continued.
    pub fn end(&mut self, agent_id: &AgentId, event: &EventData) {
        let ended: Option<&str> = match event {
            EventData::Output(AgentOutput { message_id: Some(message_id), .. }) => Some(message_id),
            EventData::Status(AgentStatusChanged { status: Status::Waiting }) | EventData::Exited(_) => None,
            _ => return,
        };
        self.texts.retain(|text| text.agent_id != *agent_id || ended.is_some_and(|ended| text.message_id != ended));
    }

    /// The moment from which a preview is due; `None` while nothing new was typed.
    pub fn due(&self, now: Instant) -> Option<Instant> {
        let typed = self.texts.iter().any(|text| !text.rest().is_empty());
        typed.then(|| self.given_at.map_or(now, |at| at + MERGED))
    }

    /// Takes the previews that are due.
    pub fn take(&mut self, now: Instant) -> Vec<Preview> {
        let mut previews = Vec::new();
        if self.due(now).is_none_or(|due| due > now) {
            return previews;
        }
        let mut room = ANSWER_TEXT_BYTES_MAX;
        for _ in 0..self.texts.len() {
            let Some(mut text) = self.texts.pop_front() else { break };
            if !text.rest().is_empty() {
                text.rewind(now);
                if text.rest().len() > room {
                    self.texts.push_front(text);
                    break;
                }
                room -= text.rest().len();
                text.give(&mut previews);
            }
            self.texts.push_back(text);
        }
        self.given_at = Some(now);
        previews
    }
}

impl PreviewText {
    fn new(agent_id: &AgentId, run_id: &RunId, message_id: String, text: String) -> Self {
        let (agent_id, run_id) = (agent_id.clone(), run_id.clone());
        Self { agent_id, run_id, message_id, text, given_bytes: 0, given_units: 0, whole_at: None, is_spoiled: false }
    }

    fn spoil(&mut self) {
        (self.text, self.given_bytes, self.is_spoiled) = (String::new(), 0, true);
    }

    fn rest(&self) -> &str {
        &self.text[self.given_bytes..]
    }

    /// Goes back to the beginning, if it is time to repeat the whole text.
    fn rewind(&mut self, now: Instant) {
        let pause = Duration::from_millis((self.text.len() / REPEATED_BYTES_PER_MS) as u64);
        if self.whole_at.is_none_or(|at| now.duration_since(at) >= pause) {
            (self.given_bytes, self.given_units, self.whole_at) = (0, 0, Some(now));
        }
    }

    fn give(&mut self, previews: &mut Vec<Preview>) {
        while !self.rest().is_empty() {
            let part = &self.rest()[..self.rest().floor_char_boundary(TEXT_BYTES_MAX)];
            let (text, bytes, units) = (part.to_owned(), part.len(), part.encode_utf16().count() as u64);
            let (agent_id, run_id) = (self.agent_id.clone(), self.run_id.clone());
            previews.push(Preview {
                agent_id,
                run_id,
                message_id: self.message_id.clone(),
                offset: self.given_units,
                text,
            });
            self.given_bytes += bytes;
            self.given_units += units;
        }
    }
}
