//! What the messages of an event stream are, for the tests and for the fuzz target.

use townwatch_agents::sse::{SseDecoder, SseMessage};

/// The data of messages; `None` for one that is too long.
pub(crate) fn messages<'a>(max_bytes: usize, reads: impl Iterator<Item = &'a [u8]>) -> Vec<Option<String>> {
    let (mut messages, mut decoder) = (Vec::new(), SseDecoder::new(max_bytes));
    for read in reads {
        decoder.push(read, |message| {
            messages.push(match message {
                SseMessage::Event { data, .. } => Some(data.into_owned()),
                SseMessage::Oversized { .. } => None,
            });
        });
    }
    messages
}

/// The same, slowly and with all bytes at hand.
pub(crate) fn expected(stream: &[u8]) -> Vec<Option<String>> {
    // As Latin-1, so that every byte is one character and comes back as it was.
    let text: String = stream.iter().copied().map(char::from).collect();
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut lines: Vec<&str> = text.split('\n').collect();
    lines.pop(); // has not ended
    if let Some(first) = lines.first_mut() {
        *first = first.strip_prefix("\u{ef}\u{bb}\u{bf}").unwrap_or(first);
    }
    let (mut messages, mut data) = (Vec::new(), Vec::new());
    for line in lines {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        if line.is_empty() && !data.is_empty() {
            let bytes: Vec<u8> = data.join("\n").chars().filter_map(|one| u8::try_from(one).ok()).collect();
            messages.push(Some(String::from_utf8_lossy(&bytes).into_owned()));
            data.clear();
        } else if field == "data" {
            data.push(value.strip_prefix(' ').unwrap_or(value));
        }
    }
    messages
}
