//! The option `--include-partial-messages`: the API's own events about a message that is being typed.
//!
//! A message's blocks come one after the other. The `assistant` line of a block comes before its `content_block_stop`.
//! Only a text is shown while it is typed; a thought comes with its event.
//!
//! Typed text is kept until the line with the whole text. If that line never comes, the text was broken off: its
//! program was killed, or its message was dropped for another try. Such a try often repeats the text. So a text counts
//! as broken off only when another text shows that it will not be repeated.

use townwatch_protocol::event::{AgentOutput, EventData, OutputStream};

use super::Piece;
use super::kinds::Handling;
use super::partial_kinds::{EVENTS, PartialStep, TYPED};
use super::wire::{StopDetails, StreamEvent, Usage};
use crate::json::read;

/// Authors that type at once, 64: the agent and its sub-agents; real runs have about ten. Beyond it the oldest is
/// forgotten.
const AUTHORS_MAX: usize = 64;
/// The longest name, 128 bytes; real names have 30. A longer one, or one with escapes in JSON, could be too large for a
/// preview's frame.
const NAME_BYTES_MAX: usize = 128;
/// The typed text that is kept without its line, 1 MiB. Beyond it only the size is kept.
const KEPT_BYTES_MAX: usize = 1 << 20;
/// Texts of one message that wait for their lines; real messages have one or two.
const TEXTS_MAX: usize = 16;

/// The content of a `stream_event`.
#[derive(Debug, Default)]
pub(super) struct PartialEvent {
    /// The typed text.
    pub(super) piece: Option<Piece>,
    /// The usage of the message so far, if this event has it.
    pub(super) usage: Option<(String, Usage)>,
    /// The message that has ended, with the reason.
    pub(super) stop: Option<(String, String, Option<StopDetails>)>,
    /// The call whose sub-agent types; `None` for the agent itself.
    pub(super) author: Option<String>,
    /// Whether the event is of an unknown kind.
    pub(super) unknown: bool,
}

/// The messages that are being typed. Only the first event of each has its id.
#[derive(Debug, Clone, Default)]
pub(super) struct Partials {
    /// The oldest first.
    authors: Vec<AuthorTexts>,
}

#[derive(Debug, Clone, Default)]
struct AuthorTexts {
    /// The call that the sub-agent works for; `None` for the agent itself.
    name: Option<String>,
    /// The message that is being typed, if one is.
    message_id: Option<String>,
    /// The texts whose line has not come, the oldest first.
    texts: Vec<PartialText>,
}

#[derive(Debug, Clone)]
struct PartialText {
    message_id: String,
    typed: String,
    bytes_left_out: usize,
    /// Whether the message was dropped for another try.
    abandoned: bool,
}

impl Partials {
    /// Reads a `stream_event`.
    pub(super) fn line(&mut self, line: &str) -> PartialEvent {
        let Some(StreamEvent { event: Some(event), parent_tool_use_id: author }) = read(line) else {
            return PartialEvent { unknown: true, ..PartialEvent::default() };
        };
        let step = match event.kind.as_deref().map(|kind| EVENTS.find(kind)) {
            Some(Some(Handling::Event(_, step) | Handling::Preview(step))) => step,
            Some(Some(Handling::Nothing(_))) => return PartialEvent::default(),
            _ => return PartialEvent { unknown: true, ..PartialEvent::default() },
        };
        let mut heard = PartialEvent { author: author.clone(), ..PartialEvent::default() };
        match step {
            PartialStep::MessageStarts => {
                let message = event.message.unwrap_or_default();
                let Some(message_id) = message.id else { return heard };
                heard.usage = message.usage.map(|usage| (message_id.clone(), usage));
                if is_name(&message_id) && author.as_deref().is_none_or(is_name) {
                    let author = self.author(author);
                    author.texts.retain(|text| !text.typed.is_empty());
                    author.texts.iter_mut().for_each(|text| text.abandoned = true);
                    author.message_id = Some(message_id);
                }
            }
            PartialStep::MessageEnds => {
                if let Some(author) = self.known(author.as_deref()) {
                    author.message_id = None;
                }
            }
            PartialStep::Counts => {
                let message_id = self.known(author.as_deref()).and_then(|author| author.message_id.clone());
                let delta = event.delta.unwrap_or_default();
                let ended = message_id.clone().zip(delta.stop_reason);
                heard.stop = ended.map(|(message_id, reason)| (message_id, reason, delta.stop_details));
                heard.usage = message_id.zip(event.usage);
            }
            PartialStep::BlockStarts | PartialStep::Adds => {
                let begins = matches!(step, PartialStep::BlockStarts);
                let Some(typed) = (if begins { event.content_block } else { event.delta }) else { return heard };
                match typed.kind.as_deref().map(|kind| TYPED.find(kind)) {
                    Some(Some(Handling::Event(..) | Handling::Preview(()))) => {}
                    Some(Some(Handling::Nothing(_))) => return heard,
                    _ => return PartialEvent { unknown: begins, ..heard }, // its deltas would only say it again
                }
                let text = typed.text.unwrap_or_default();
                let message_id = self.known(author.as_deref()).and_then(|author| author.message_id.clone());
                let Some(message_id) = message_id else { return heard };
                self.keep(author.as_deref(), &message_id, begins, &text);
                heard.piece = Some(Piece { message_id, begins, text });
            }
        }
        heard
    }

    /// Notes the line with a whole text, which ends its typing. A dropped text that is not the beginning of this one
    /// was broken off.
    pub(super) fn said(&mut self, author: Option<&str>, message_id: Option<&str>, said: &str) -> Vec<EventData> {
        let Some(author) = self.known(author).filter(|author| !author.texts.is_empty()) else { return Vec::new() };
        let given_up = |text: &PartialText| text.abandoned || Some(text.message_id.as_str()) != message_id;
        let mut mine = author.texts.iter().enumerate().filter(|(_, text)| !given_up(text));
        let first = mine.clone().next().map(|(index, _)| index);
        let same = mine.find(|(_, text)| !text.typed.is_empty() && said.starts_with(&text.typed));
        if let Some(index) = same.map(|(index, _)| index).or(first) {
            author.texts.remove(index);
        }
        author.texts.retain(|text| !(given_up(text) && said.starts_with(&text.typed)));
        author.broken_off(given_up)
    }

    /// Notes that an author does something else, so that its dropped texts will not be repeated.
    pub(super) fn moved_on(&mut self, author: Option<&str>) -> Vec<EventData> {
        self.known(author).map(|author| author.broken_off(|text| text.abandoned)).unwrap_or_default()
    }

    /// Notes the end of an author's turn. Texts whose line has not come were broken off.
    pub(super) fn turn_ended(&mut self, author: Option<&str>) -> Vec<EventData> {
        self.known(author).map(|author| author.broken_off(|_| true)).unwrap_or_default()
    }

    /// Ends the stream. Texts whose line has not come were broken off.
    pub(super) fn end(&mut self) -> Vec<EventData> {
        self.authors.iter_mut().flat_map(|author| author.broken_off(|_| true)).collect()
    }

    fn keep(&mut self, author: Option<&str>, message_id: &str, begins: bool, text: &str) {
        let kept: usize = self.authors.iter().flat_map(|author| &author.texts).map(|text| text.typed.len()).sum();
        let Some(author) = self.known(author) else { return };
        let room = KEPT_BYTES_MAX.saturating_sub(kept);
        let last = author.texts.last().is_some_and(|last| !last.abandoned && last.message_id == message_id);
        if begins || !last {
            if author.texts.len() >= TEXTS_MAX {
                author.texts.remove(0);
            }
            let (message_id, typed) = (message_id.to_owned(), String::new());
            author.texts.push(PartialText { message_id, typed, bytes_left_out: 0, abandoned: false });
        }
        let Some(typed) = author.texts.last_mut() else { return };
        let fits = if typed.bytes_left_out == 0 { text.floor_char_boundary(room) } else { 0 };
        typed.typed.push_str(&text[..fits]);
        typed.bytes_left_out += text.len() - fits;
    }

    fn known(&mut self, name: Option<&str>) -> Option<&mut AuthorTexts> {
        self.authors.iter_mut().find(|author| author.name.as_deref() == name)
    }

    fn author(&mut self, name: Option<String>) -> &mut AuthorTexts {
        let index = self.authors.iter().position(|author| author.name == name).unwrap_or_else(|| {
            if self.authors.len() >= AUTHORS_MAX {
                self.authors.remove(0);
            }
            self.authors.push(AuthorTexts { name, ..AuthorTexts::default() });
            self.authors.len() - 1
        });
        &mut self.authors[index]
    }
}

impl AuthorTexts {
    fn broken_off(&mut self, is: impl Fn(&PartialText) -> bool) -> Vec<EventData> {
        let broken = self.texts.extract_if(.., |text| is(text)).filter(|text| !text.typed.is_empty());
        let output = |PartialText { message_id, typed: mut text, bytes_left_out, .. }: PartialText| {
            if bytes_left_out > 0 {
                text = format!("{text}… [{bytes_left_out} bytes cut]");
            }
            EventData::from(AgentOutput {
                message_id: Some(message_id),
                parent_tool_use_id: self.name.clone(),
                broken_off: true,
                ..AgentOutput::new(OutputStream::Assistant, text)
            })
        };
        broken.map(output).collect()
    }
}

/// Whether a preview's frame has room for this name.
pub(super) fn is_name(text: &str) -> bool {
    text.len() <= NAME_BYTES_MAX && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.:".contains(&byte))
}

#[cfg(test)]
#[allow(clippy::panic)]
mod tests {
    use super::*;

    fn line(author: &str, event: &str) -> String {
        format!(r#"{{"type":"stream_event","event":{event},"parent_tool_use_id":{author}}}"#)
    }

    fn start(message_id: &str) -> String {
        format!(r#"{{"type":"message_start","message":{{"id":"{message_id}"}}}}"#)
    }

    const TYPED: &str = r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"é"}}"#;

    #[test]
    fn an_agent_and_its_sub_agents_type_at_once() {
        let mut partials = Partials::default();
        for (author, message_id) in [("null", "m"), (r#""t1""#, "m1"), (r#""t2""#, "m2")] {
            assert_eq!(partials.line(&line(author, &start(message_id))).piece, None);
        }
        let begin = r#"{"type":"content_block_start","content_block":{"type":"text","text":"a"}}"#;
        let piece = |message_id: &str, begins, text: &str| {
            Some(Piece { message_id: message_id.into(), begins, text: text.into() })
        };
        assert_eq!(partials.line(&line(r#""t1""#, begin)).piece, piece("m1", true, "a"));
        assert_eq!(partials.line(&line("null", TYPED)).piece, piece("m", false, "é"));
        assert_eq!(partials.line(&line(r#""t2""#, r#"{"type":"message_stop"}"#)).piece, None);
        assert_eq!(partials.line(&line(r#""t2""#, TYPED)).piece, None);
        for other in ["thinking", "tool_use"] {
            let begin = format!(r#"{{"type":"content_block_start","content_block":{{"type":"{other}","text":"x"}}}}"#);
            assert_eq!(partials.line(&line("null", &begin)).piece, None);
        }
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut partials = Partials::default();
        for number in 0..10_000 {
            partials.line(&line(&format!(r#""t{number}""#), &start("m")));
            assert!(partials.authors.len() <= AUTHORS_MAX);
        }
        assert!(partials.line(&line(r#""t9999""#, TYPED)).piece.is_some());
        for message_id in [&"m".repeat(NAME_BYTES_MAX + 1), "\\u0001"] {
            partials.line(&line("null", &start(message_id)));
            assert_eq!(partials.line(&line("null", TYPED)).piece, None);
        }
    }

    fn broken(events: &[EventData]) -> Vec<&str> {
        let text = |event| match event {
            &EventData::Output(AgentOutput { ref text, broken_off: true, .. }) => text.as_str(),
            other => panic!("{}", other.name()),
        };
        events.iter().map(text).collect()
    }

    fn typing(partials: &mut Partials, message_id: &str, text: &str) {
        partials.line(&line("null", &start(message_id)));
        partials.line(&line("null", r#"{"type":"content_block_start","content_block":{"type":"text","text":""}}"#));
        let delta = serde_json::json!({"type": "content_block_delta", "delta": {"type": "text_delta", "text": text}});
        partials.line(&line("null", &delta.to_string()));
    }

    #[test]
    fn a_text_whose_line_never_comes_is_told_once() {
        let mut partials = Partials::default();
        typing(&mut partials, "m1", "said");
        assert_eq!(broken(&partials.said(None, Some("m1"), "said")), [""; 0]);
        typing(&mut partials, "m2", "half of");
        assert_eq!(broken(&partials.end()), ["half of"]);
        assert_eq!(broken(&partials.end()), [""; 0]);
    }

    #[test]
    fn what_was_given_up_and_is_said_again_is_told_once() {
        let mut partials = Partials::default();
        typing(&mut partials, "m1", "The cause");
        typing(&mut partials, "m2", "The cause is here");
        assert_eq!(broken(&partials.said(None, Some("m2"), "The cause is here")), [""; 0]);
        assert_eq!(broken(&partials.end()), [""; 0]);
        typing(&mut partials, "m3", "One way");
        typing(&mut partials, "m4", "Another");
        assert_eq!(broken(&partials.said(None, Some("m4"), "Another")), ["One way"]);
        typing(&mut partials, "m5", "And then");
        assert_eq!(broken(&partials.moved_on(None)), [""; 0]);
        partials.line(&line("null", &start("m6")));
        assert_eq!(broken(&partials.moved_on(None)), ["And then"]);
    }

    #[test]
    fn what_is_kept_of_typed_texts_is_bounded() {
        let mut partials = Partials::default();
        typing(&mut partials, "m", &"é".repeat(KEPT_BYTES_MAX));
        partials.line(&line("null", TYPED));
        let events = partials.end();
        let text = broken(&events)[0];
        assert!(text.len() < KEPT_BYTES_MAX + 100 && text.ends_with("[1048578 bytes cut]"), "{}", text.len());
    }
}
