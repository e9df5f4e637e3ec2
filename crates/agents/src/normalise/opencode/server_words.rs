//! Messages of the server to every client, outside any session.

use townwatch_protocol::event::{AgentNotice, AgentNoticeKind, NoticeLevel};
use townwatch_protocol::time::Timestamp;

use super::kinds::FrameKind;
use super::wire::ServerWords;
use crate::json::read;
use crate::normalise::warnings;

/// The notice of such a frame; `None` if it has no words.
pub(super) fn notice(kind: FrameKind, properties: &str, at: Timestamp) -> Option<AgentNotice> {
    let words: ServerWords = read(properties).unwrap_or_default();
    if kind == FrameKind::SignIn {
        let (name, url) = (words.mcp_name.unwrap_or_default(), words.url.unwrap_or_default());
        let message = format!("The tool server {name} wants somebody to sign in: {url}");
        return Some(AgentNotice::new(AgentNoticeKind::ToolServer, NoticeLevel::Warning, message));
    }
    let said = [words.title, words.message].into_iter().flatten().filter(|text| !text.is_empty());
    let message = said.collect::<Vec<_>>().join(": ");
    let is_good = kind == FrameKind::Toast && !matches!(words.variant.as_deref(), Some("warning" | "error"));
    let level = if is_good { NoticeLevel::Info } else { NoticeLevel::Warning };
    (!message.is_empty()).then(|| AgentNotice { level, ..warnings::warning(message, at) })
}
