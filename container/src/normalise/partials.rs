//! `--include-partial-messages`: the API's own events while a message is being typed.
//!
//! A message's blocks come one after the other, and the `assistant` line of a block comes before its
//! `content_block_stop`. Only a text is shown while it is typed; thinking comes with its event.

use std::collections::HashMap;

use super::Piece;
use super::wire::StreamEvent;
use crate::json::read;

/// The agent itself and its sub-agents type at once; real ones run about ten of them.
const AUTHORS_MAX: usize = 64;
/// Real names are 30 bytes long; what is longer, or would grow as JSON, could be too much for a preview's frame.
const NAME_BYTES_MAX: usize = 128;

/// The messages that are being typed: only the first event of each names it.
#[derive(Debug, Clone, Default)]
pub(super) struct Partials {
    /// By the call that the sub-agent works for; none is the agent itself.
    message_ids: HashMap<Option<String>, String>,
}

impl Partials {
    /// What a `stream_event` adds to a text.
    pub(super) fn line(&mut self, line: &str) -> Option<Piece> {
        let StreamEvent { event, parent_tool_use_id: author } = read(line)?;
        let event = event?;
        match event.kind.as_deref()? {
            "message_start" => {
                let message_id = event.message?.id?;
                if is_name(&message_id) && author.as_deref().is_none_or(is_name) {
                    if self.message_ids.len() >= AUTHORS_MAX {
                        self.message_ids.clear(); // whoever was cut off typing never ends; the others begin a next one
                    }
                    self.message_ids.insert(author, message_id);
                }
                None
            }
            "message_stop" => {
                self.message_ids.remove(&author);
                None
            }
            kind @ ("content_block_start" | "content_block_delta") => {
                let begins = kind == "content_block_start";
                let typed = if begins { event.content_block } else { event.delta }?;
                if !matches!(typed.kind.as_deref(), Some("text" | "text_delta")) {
                    return None;
                }
                let message_id = self.message_ids.get(&author)?.clone();
                Some(Piece { message_id, begins, text: typed.text.unwrap_or_default() })
            }
            _ => None,
        }
    }
}

/// Whether it is a name that a preview's frame has room for.
pub(super) fn is_name(text: &str) -> bool {
    text.len() <= NAME_BYTES_MAX && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.:".contains(&byte))
}

#[cfg(test)]
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
            assert_eq!(partials.line(&line(author, &start(message_id))), None);
        }
        let begin = r#"{"type":"content_block_start","content_block":{"type":"text","text":"a"}}"#;
        let piece = |message_id: &str, begins, text: &str| {
            Some(Piece { message_id: message_id.into(), begins, text: text.into() })
        };
        assert_eq!(partials.line(&line(r#""t1""#, begin)), piece("m1", true, "a"));
        assert_eq!(partials.line(&line("null", TYPED)), piece("m", false, "é"));
        assert_eq!(partials.line(&line(r#""t2""#, r#"{"type":"message_stop"}"#)), None);
        assert_eq!(partials.line(&line(r#""t2""#, TYPED)), None);
        for other in ["thinking", "tool_use"] {
            let begin = format!(r#"{{"type":"content_block_start","content_block":{{"type":"{other}","text":"x"}}}}"#);
            assert_eq!(partials.line(&line("null", &begin)), None);
        }
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut partials = Partials::default();
        for number in 0..10_000 {
            partials.line(&line(&format!(r#""t{number}""#), &start("m")));
            assert!(partials.message_ids.len() <= AUTHORS_MAX);
        }
        assert!(partials.line(&line(r#""t9999""#, TYPED)).is_some());
        for message_id in [&"m".repeat(NAME_BYTES_MAX + 1), "\\u0001"] {
            partials.line(&line("null", &start(message_id)));
            assert_eq!(partials.line(&line("null", TYPED)), None);
        }
    }
}
