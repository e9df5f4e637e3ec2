//! Messages: their authors, their usage, and messages to the agent.

use townwatch_protocol::event::{AgentNotice, AgentNoticeKind, EventData, MessageSource, NoticeLevel, UserMessage};
use townwatch_protocol::time::Timestamp;

use super::Opencode;
use super::author::Author;
use super::kinds::PartKind;
use super::wire::{MessageFrame, Part, figures, model_name};
use crate::json::read;
use crate::normalise::stop::Stop;

/// The author of a person's message, in the word of the wire.
const PERSON: &str = "operator";

impl Opencode {
    /// Reads a message, without its parts.
    pub(super) fn message(&mut self, properties: &str, author: &Author, at: Timestamp, events: &mut Vec<EventData>) {
        let mut message = read::<MessageFrame>(properties).and_then(|frame| frame.info).unwrap_or_default();
        let (id, main) = (message.id.take().unwrap_or_default(), matches!(author, Author::Main));
        if message.role.as_deref() != Some("assistant") {
            return self.inbox.message(&id, message.session_id.as_deref().unwrap_or_default(), main);
        }
        if main {
            self.inbox.answered();
        }
        let sums_up = message.summary == Some(true) || message.mode.as_deref() == Some("compaction");
        if main && !sums_up {
            let model = model_name(message.provider_id.as_deref(), message.model_id.as_deref());
            self.model_is(model, events);
        }
        if let Some(failure) = message.error.take()
            && self.failed_messages.insert(&id, ())
        {
            self.fail(failure, main, at, events);
        }
        if let Some(reason) = message.finish.take().filter(|_| !self.failed_messages.contains(&id)) {
            events.extend(self.stopped(&reason, &id, author.call()));
        }
        let Some(mut usage) = message.usage(id.clone()) else { return };
        let figures = figures(&usage);
        if self.counted_messages.get(&id) != Some(&figures) {
            self.counted_messages.set(&id, figures);
            usage.parent_tool_use_id = author.call();
            events.push(usage.into());
        }
    }

    /// The event of a message's early stop, once for each message; `None` for another reason.
    pub(super) fn stopped(&mut self, reason: &str, message_id: &str, call: Option<String>) -> Option<EventData> {
        let stop = match reason {
            "length" => Stop::AnswerFull,
            "content-filter" => Stop::Refused,
            _ => return None,
        };
        self.stopped_messages.insert(message_id, ()).then(|| stop.event(None, call))
    }

    /// Notes the session's model, and reports a change.
    fn model_is(&mut self, model: Option<String>, events: &mut Vec<EventData>) {
        self.tell_session(model.clone(), events);
        let Some(model) = model else { return };
        let before = self.model.replace(model.clone());
        if let Some(before) = before.filter(|before| *before != model) {
            let message = format!("It goes on with the model {model} instead of {before}");
            events.push(AgentNotice::new(AgentNoticeKind::ModelChanged, NoticeLevel::Info, message).into());
            self.session_told = false;
            self.tell_session(Some(model), events);
        }
    }

    /// Reads a part of a message to the agent, or to the sub-agent of a call.
    pub(super) fn said_to(
        &mut self,
        kind: PartKind,
        part: Part,
        said_as: Option<MessageSource>,
        call: Option<String>,
    ) -> Option<EventData> {
        if !self.parts.is_new(part.id.as_deref().unwrap_or_default()) || part.ignored == Some(true) {
            return None;
        }
        let by_program = part.synthetic == Some(true) || call.is_some();
        let text = match kind {
            PartKind::Text => part.text,
            PartKind::Subtask => part.prompt,
            PartKind::File => {
                let name = part.filename.or(part.url.filter(|url| !url.starts_with("data:")));
                Some(format!("Attached: {}", name.or(part.mime).unwrap_or_else(|| "a file".to_owned())))
            }
            PartKind::Compaction => return Some(compaction(part.auto == Some(true), call).into()),
            PartKind::Tool | PartKind::Patch | PartKind::StepStart => None,
        };
        let source = match (said_as, by_program) {
            (Some(source), _) => source,
            (None, true) => MessageSource::Message,
            (None, false) => return None,
        };
        let text = text.filter(|text| !text.is_empty())?;
        let by = if by_program { self.program } else { PERSON }.to_owned();
        Some(UserMessage { text, by, source, message_id: part.message_id, parent_tool_use_id: call }.into())
    }

    /// The notice of a message that was taken back, if it was a person's.
    pub(super) fn taken_back(&mut self, message_id: &str, call: Option<String>) -> Option<EventData> {
        self.inbox.get(message_id)?;
        let message = "A message was taken back, with what followed it: the agent no longer knows of it";
        let notice = AgentNotice::new(AgentNoticeKind::Other, NoticeLevel::Info, message);
        Some(AgentNotice { parent_tool_use_id: call, ..notice }.into())
    }
}

fn compaction(auto: bool, call: Option<String>) -> AgentNotice {
    let why = if auto { ", to make room" } else { ", as it was told to" };
    let message = format!("The conversation is being summed up{why}");
    let notice = AgentNotice::new(AgentNoticeKind::CompactionStarted, NoticeLevel::Info, message);
    AgentNotice { parent_tool_use_id: call, ..notice }
}

/// The notice of a compaction.
pub(super) fn compacted(call: Option<String>) -> AgentNotice {
    let message = "The conversation was summed up, and goes on from there";
    let notice = AgentNotice::new(AgentNoticeKind::CompactionEnded, NoticeLevel::Info, message);
    AgentNotice { parent_tool_use_id: call, ..notice }
}
