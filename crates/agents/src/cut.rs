//! Cutting: every event's data is kept within its bound, with a mark where something was cut.

use serde_json::value::{RawValue, to_raw_value};
use townwatch_protocol::body::is_deeper_than;
use townwatch_protocol::event::EventData;
use townwatch_protocol::limits::{EVENT_BYTES_MAX, JSON_DEPTH_MAX};

use crate::json::read;

/// The depth of an event's data, 120 levels: the town's bound of 128, less the levels around the data.
const DEPTH_MAX: usize = JSON_DEPTH_MAX - 8;

/// The event's data as JSON text of at most [`EVENT_BYTES_MAX`].
pub fn bounded(event: &EventData) -> Box<RawValue> {
    bounded_data(event.to_raw())
}

/// [`bounded`] for data that is text already.
///
/// Beyond the bound all long texts are cut to one common length, the longest that fits, and each ends in `… [N bytes
/// cut]`. Other fields stay, so a result's `content_length` still has the original length.
pub fn bounded_data(raw: Box<RawValue>) -> Box<RawValue> {
    if is_deeper_than(raw.get().as_bytes(), DEPTH_MAX) {
        return unreadable(&raw);
    }
    if raw.get().len() <= EVENT_BYTES_MAX {
        return raw;
    }
    let mut text_bytes_max = EVENT_BYTES_MAX;
    while text_bytes_max > 64 {
        text_bytes_max = text_bytes_max * 3 / 4;
        let cut = cut_texts(raw.get(), text_bytes_max);
        if cut.len() <= EVENT_BYTES_MAX {
            return RawValue::from_string(cut).unwrap_or_else(|_| unreadable(&raw));
        }
    }
    unreadable(&raw)
}

/// The text, or its first `bytes_max` bytes and a mark.
pub fn text(text: &str, bytes_max: usize) -> String {
    if text.len() <= bytes_max {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(bytes_max);
    format!("{}… [{} bytes cut]", &text[..end], text.len() - end)
}

/// The JSON with each longer text cut to `bytes_max`. All else stays as written, numbers digit for digit.
fn cut_texts(json: &str, bytes_max: usize) -> String {
    let (mut cut, mut copied, mut at) = (String::new(), 0, 0);
    while let Some(found) = memchr::memchr(b'"', &json.as_bytes()[at..]) {
        let start = at + found;
        let end = text_end(json.as_bytes(), start + 1);
        at = end;
        let is_name = json[end..].trim_start().starts_with(':');
        let long = end - start > bytes_max && !is_name;
        let Some(whole) = long.then(|| read::<String>(&json[start..end])).flatten() else { continue };
        if whole.len() > bytes_max {
            cut.push_str(&json[copied..start]);
            cut.push_str(&serde_json::to_string(&text(&whole, bytes_max)).unwrap_or_default());
            copied = end;
        }
    }
    cut.push_str(&json[copied..]);
    cut
}

/// The place after the quotation mark that ends a text.
fn text_end(json: &[u8], mut at: usize) -> usize {
    while let Some(found) = memchr::memchr2(b'"', b'\\', &json[at..]) {
        at += found;
        if json[at] == b'"' {
            return at + 1;
        }
        at = (at + 2).min(json.len());
    }
    json.len()
}

/// The substitute for data that no cutting of texts makes fit: its small top-level fields, and marks for the others.
fn unreadable(raw: &RawValue) -> Box<RawValue> {
    let fields: std::collections::BTreeMap<String, Box<RawValue>> = serde_json::from_str(raw.get()).unwrap_or_default();
    let kept: std::collections::BTreeMap<_, _> = fields
        .into_iter()
        .map(|(name, field)| {
            let bytes = field.get().len();
            let fits = bytes <= 4 << 10 && !is_deeper_than(field.get().as_bytes(), DEPTH_MAX - 1);
            let mark = || to_raw_value(&format!("… [{bytes} bytes cut]")).unwrap_or_default();
            (name, if fits { field } else { mark() })
        })
        .collect();
    to_raw_value(&kept).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use townwatch_protocol::event::{AgentToolCall, AgentToolResult, ToolCategory};

    fn call(input: String) -> EventData {
        AgentToolCall {
            tool_use_id: "t".into(),
            tool: "Write".into(),
            category: ToolCategory::Write,
            input: RawValue::from_string(input).unwrap(),
            path: None,
            summary: "Writing a".into(),
            parent_tool_use_id: None,
        }
        .into()
    }

    #[test]
    fn what_fits_stays_byte_for_byte() {
        let input = r#"{"a" : 1.10, "b":12345678901234567890123}"#;
        assert!(bounded(&call(input.into())).get().contains(input));
    }

    #[test]
    fn numbers_beside_a_text_that_is_cut_stay_digit_for_digit() {
        let numbers = r#""b": [1.10,1e400],"id":2512292042121000001,"small":-9223372036854775808,"q":"\"\\","#;
        let long = "é\\\"\u{1f680}".repeat(EVENT_BYTES_MAX / 4);
        let input = format!(r#"{{{numbers}"long":"{long}","end":0.10}}"#);
        let raw = bounded(&call(input));
        assert!(raw.get().len() <= EVENT_BYTES_MAX && raw.get().contains(numbers), "{:.300}", raw.get());
        assert!(raw.get().contains(r#" bytes cut]","end":0.10}"#));
        serde_json::from_str::<AgentToolCall>(raw.get()).unwrap();
    }

    #[test]
    fn a_long_result_is_cut_and_keeps_its_length() {
        for content in ["é".repeat(EVENT_BYTES_MAX), "\u{1}".repeat(EVENT_BYTES_MAX)] {
            let content_length = content.len() as u64;
            let data = AgentToolResult {
                tool_use_id: "t".into(),
                success: true,
                content,
                content_length,
                duration_ms: 1,
                exit_code: None,
                attachments: Vec::new(),
            };
            let raw = bounded(&data.into());
            assert!(raw.get().len() <= EVENT_BYTES_MAX);
            let back: AgentToolResult = serde_json::from_str(raw.get()).unwrap();
            assert!(back.content.ends_with(" bytes cut]") && back.content.len() > 100_000);
            assert_eq!(back.content_length, content_length);
        }
    }

    #[test]
    fn a_call_that_is_too_long_or_too_deep_stays_a_call() {
        let many = format!("[{}1]", "1,".repeat(EVENT_BYTES_MAX));
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        for input in [many, deep] {
            let raw = bounded(&call(input));
            assert!(raw.get().len() < 1000);
            let back: AgentToolCall = serde_json::from_str(raw.get()).unwrap();
            assert_eq!((back.tool.as_str(), back.summary.as_str()), ("Write", "Writing a"));
        }
    }
}
