//! Keeps every event's data within its bound, with a mark where something was cut.

use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};
use townwatch::core::body::is_deeper_than;
use townwatch::event::EventData;
use townwatch::limits::{EVENT_BYTES_MAX, JSON_DEPTH_MAX};

/// The event around its data takes some of the depth that the town allows.
const DEPTH_MAX: usize = JSON_DEPTH_MAX - 8;

/// The event's data as JSON text of at most [`EVENT_BYTES_MAX`].
pub fn bounded(event: &EventData) -> Box<RawValue> {
    bounded_data(event.to_raw())
}

/// The same of data that is text already.
///
/// Beyond the bound the long texts are cut to the longest common length that fits, each ending in `… [N bytes cut]`. Other
/// fields stay, so a result's `content_length` still tells the original.
pub fn bounded_data(raw: Box<RawValue>) -> Box<RawValue> {
    if is_deeper_than(raw.get().as_bytes(), DEPTH_MAX) {
        return unreadable(&raw);
    }
    if raw.get().len() <= EVENT_BYTES_MAX {
        return raw;
    }
    let Ok(whole) = serde_json::from_str::<Value>(raw.get()) else { return unreadable(&raw) };
    let mut text_bytes_max = EVENT_BYTES_MAX;
    while text_bytes_max > 64 {
        text_bytes_max = text_bytes_max * 3 / 4;
        let mut value = whole.clone();
        cut_texts(&mut value, text_bytes_max);
        if let Ok(cut) = to_raw_value(&value)
            && cut.get().len() <= EVENT_BYTES_MAX
        {
            return cut;
        }
    }
    unreadable(&raw)
}

/// The text, cut to at most `bytes_max` and a mark.
pub fn text(text: &str, bytes_max: usize) -> String {
    if text.len() <= bytes_max {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(bytes_max);
    format!("{}… [{} bytes cut]", &text[..end], text.len() - end)
}

fn cut_texts(value: &mut Value, bytes_max: usize) {
    match value {
        Value::String(string) if string.len() > bytes_max => *string = text(string, bytes_max),
        Value::Array(items) => items.iter_mut().for_each(|item| cut_texts(item, bytes_max)),
        Value::Object(fields) => fields.values_mut().for_each(|field| cut_texts(field, bytes_max)),
        _ => {}
    }
}

/// What is left of data that no cutting of texts makes fit: its top-level fields that are small, the others marked.
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
    use townwatch::event::{AgentToolCall, AgentToolResult, ToolCategory};

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
    fn a_long_result_is_cut_and_keeps_its_length() {
        for content in ["é".repeat(EVENT_BYTES_MAX), "\u{1}".repeat(EVENT_BYTES_MAX)] {
            let content_length = content.len() as u64;
            let data =
                AgentToolResult { tool_use_id: "t".into(), success: true, content, content_length, duration_ms: 1 };
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
