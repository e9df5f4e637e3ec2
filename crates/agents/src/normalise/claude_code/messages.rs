//! `assistant` and `user`: messages of the API, mostly one line for each block.

use serde_json::value::RawValue;
use townwatch_protocol::event::{AgentError, AgentOutput, EventData, NoticeKind, OutputStream};
use townwatch_protocol::time::Timestamp;

use super::{ClaudeCode, kinds};
use crate::json::read;
use crate::normalise::kinds::Handling;
use crate::normalise::stop::REFUSAL;
use crate::normalise::warnings::{self, RATE_LIMITED};
use crate::normalise::wire::{Block, Head, MessageLine, ToolOutcome};
use crate::normalise::{Meaning, content, limit_end};

/// The longest name of a call. The program makes none that is longer; of a sub-agent's longer one the beginning counts.
const AUTHOR_BYTES_MAX: usize = 256;

/// The origin of a block: its author, and the fields of its line.
#[derive(Debug, Default)]
pub(super) struct BlockOrigin {
    pub(super) assistant: bool,
    pub(super) message_id: Option<String>,
    pub(super) parent: Option<String>,
    /// The id of the line.
    pub(super) uuid: Option<String>,
    /// Whether the words are a person's, repeated by the program.
    pub(super) replay: bool,
    /// Whether the words are for the model alone.
    pub(super) meta: bool,
    /// The data of the line's first result.
    pub(super) outcome: Option<Box<RawValue>>,
    pub(super) structured: Option<Box<RawValue>>,
}

impl ClaudeCode {
    pub(super) fn message(&mut self, from_assistant: bool, line: &str, at: Timestamp, meaning: &mut Meaning) {
        let message: MessageLine = read(line).unwrap_or_default();
        let Some(body) = message.message else {
            meaning.events.extend(self.notices.note(NoticeKind::Malformed, line));
            return;
        };
        let parent = message.parent_tool_use_id.map(|mut name| {
            name.truncate(name.floor_char_boundary(AUTHOR_BYTES_MAX));
            self.names.told(name)
        });
        let repeated = message.uuid.as_deref().is_some_and(|uuid| !self.is_new(uuid));
        if let Some(model) = body.model.as_deref().filter(|_| from_assistant) {
            self.spent.of_model(model);
        }
        let spent = body.usage.as_ref().zip(body.id.as_deref()).filter(|_| from_assistant);
        let spent = spent.and_then(|(usage, id)| self.spent.message(id, usage, parent.as_deref()));
        if repeated {
            meaning.events.extend(spent.map(EventData::from));
            return;
        }
        let content = body.content.as_deref();
        // What is left running in the background goes on between turns, too, and a result can be late.
        if parent.is_none() && (from_assistant || !is_results(content)) {
            self.at_work(&mut meaning.events);
        }
        let (reason, details) = (body.stop_reason.filter(|_| from_assistant), body.stop_details);
        let is_error = message.is_api_error_message == Some(true) || message.error.is_some();
        let words = (from_assistant && is_error).then(|| content::read(content, None));
        if let Some(words) = words.filter(|words| words.unknown.is_empty()) {
            let code = message.api_error_type.or_else(|| message.error.clone());
            let limited = message.error.as_deref() == Some("rate_limit") || warnings::is_limit(&words.text);
            let code = match code {
                _ if limited => RATE_LIMITED.to_owned(),
                _ if reason.as_deref() == Some(REFUSAL) => REFUSAL.to_owned(),
                code => code.unwrap_or_else(|| "api_error".into()),
            };
            self.api_error(code, words.text, parent.is_none(), at, &mut meaning.events);
            return;
        }
        meaning.events.extend(self.stops.tell());
        let known =
            reason.is_none_or(|reason| self.stops.heard(&reason, details, body.id.as_deref(), parent.as_deref()));
        if !known {
            meaning.events.extend(self.notices.note(NoticeKind::Unknown, line));
        }
        let mcp_meta = message.mcp_meta.and_then(|meta| read::<ToolOutcome>(meta.get()));
        let mut from = BlockOrigin {
            assistant: from_assistant,
            message_id: body.id,
            parent,
            uuid: message.uuid,
            replay: message.is_replay == Some(true) && message.is_synthetic != Some(true),
            meta: message.is_meta == Some(true),
            outcome: message.tool_use_result,
            structured: mcp_meta.and_then(|meta| meta.structured_content),
        };
        match content.and_then(|content| read::<Vec<Box<RawValue>>>(content.get())) {
            Some(blocks) => blocks.iter().for_each(|block| self.block(&mut from, block.get(), at, meaning)),
            None => match content.and_then(|content| read::<String>(content.get())) {
                Some(text) => self.text(&from, text, &mut meaning.events),
                None => meaning.events.extend(self.notices.note(NoticeKind::Malformed, line)),
            },
        }
        meaning.events.extend(spent.map(EventData::from));
    }

    /// Reads the program's words in the agent's place, where the API gave no message.
    fn api_error(&mut self, code: String, text: String, own: bool, at: Timestamp, events: &mut Vec<EventData>) {
        let limited = code == RATE_LIMITED;
        if !(limited && self.limits.told_in_turn()) {
            let until = limited.then(|| limit_end::in_words(&text, at)).flatten();
            events.push(AgentError { until, ..AgentError::new(code, text.clone(), Some(false)) }.into());
        }
        if limited {
            self.limits.told_otherwise();
        }
        if own {
            self.stops.told_otherwise();
            self.told_failure = Some(text);
        }
    }

    pub(super) fn block(&mut self, from: &mut BlockOrigin, raw: &str, at: Timestamp, meaning: &mut Meaning) {
        let kind = read::<Head>(raw).and_then(|head| head.kind).unwrap_or_default();
        let known = match kinds::BLOCKS.find(&kind) {
            Some(Handling::Event(_, known) | Handling::Preview(known)) => known,
            Some(Handling::Nothing(_)) => return,
            None => {
                meaning.events.extend(self.notices.note(NoticeKind::Unknown, raw));
                let Some(guess) = kinds::guess(&kind) else { return };
                guess
            }
        };
        let block: Block = read(raw).unwrap_or_default();
        let events = &mut meaning.events;
        match known {
            kinds::BlockKind::Text => self.text(from, block.text.unwrap_or_default(), events),
            kinds::BlockKind::Thinking => {
                let text = block.thinking.unwrap_or_default();
                if from.assistant && !text.is_empty() {
                    events.extend(self.partials.moved_on(from.parent.as_deref()));
                    events.push(output(from, OutputStream::Thinking, text).into());
                }
            }
            kinds::BlockKind::Call => self.call(from, block, at, events),
            kinds::BlockKind::Result => self.result(from, block, at, meaning),
            kinds::BlockKind::Shown => self.text(from, format!("[{kind}]"), events),
        }
    }

    /// Reads a text. Words of a person or of the program to the agent (`user`) are no output of the agent.
    fn text(&mut self, from: &BlockOrigin, text: String, events: &mut Vec<EventData>) {
        if text.is_empty() {
            return;
        }
        if !from.assistant {
            return self.heard(from, text, events);
        }
        if from.parent.is_none() {
            (self.spoke, self.last_said) = (true, super::hash(&text));
        }
        events.extend(self.partials.said(from.parent.as_deref(), from.message_id.as_deref(), &text));
        events.push(output(from, OutputStream::Assistant, text).into());
    }
}

/// Whether a content has only results of calls.
fn is_results(content: Option<&RawValue>) -> bool {
    let blocks = content.and_then(|content| read::<Vec<Head>>(content.get()));
    let is_result = |block: &Head| block.kind.as_deref().is_some_and(|kind| kind.ends_with("tool_result"));
    blocks.is_some_and(|blocks| !blocks.is_empty() && blocks.iter().all(is_result))
}

fn output(from: &BlockOrigin, stream: OutputStream, text: String) -> AgentOutput {
    AgentOutput {
        message_id: from.message_id.clone(),
        parent_tool_use_id: from.parent.clone(),
        ..AgentOutput::new(stream, text)
    }
}
