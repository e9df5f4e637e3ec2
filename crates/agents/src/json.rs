//! Reading foreign JSON: an unexpected field must not lose the fields beside it.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// Reads JSON; text with lone surrogates, which JavaScript writes and Rust cannot hold, is read with U+FFFD for them.
pub fn read<T: DeserializeOwned>(json: &str) -> Option<T> {
    serde_json::from_str(json).ok().or_else(|| serde_json::from_str(&without_lone_surrogates(json)?).ok())
}

/// The reader of an optional field: a value of another type reads as absent.
pub fn if_readable<'de, T: DeserializeOwned, D: Deserializer<'de>>(from: D) -> Result<Option<T>, D::Error> {
    Ok(Option::<&RawValue>::deserialize(from)?.and_then(|raw| read(raw.get())))
}

/// The JSON with U+FFFD for every escaped surrogate without a partner; `None` if there is none.
fn without_lone_surrogates(json: &str) -> Option<String> {
    let unit = |at: usize| {
        let digits = json.as_bytes().get(at..at + 6)?.strip_prefix(b"\\u")?;
        digits.iter().try_fold(0_u32, |unit, digit| Some(unit * 16 + char::from(*digit).to_digit(16)?))
    };
    let (mut repaired, mut copied, mut at) = (String::new(), 0, 0);
    while let Some(found) = memchr::memchr(b'\\', &json.as_bytes()[at..]) {
        at += found;
        match unit(at) {
            Some(0xd800..=0xdbff) if matches!(unit(at + 6), Some(0xdc00..=0xdfff)) => at += 12,
            Some(0xd800..=0xdfff) => {
                repaired.push_str(&json[copied..at]);
                repaired.push_str("\\ufffd");
                at += 6;
                copied = at;
            }
            Some(_) => at += 6,
            None => at += 2, // another escape; an escaped backslash must not be taken for the start of the next one
        }
        if at >= json.len() {
            break;
        }
    }
    (copied > 0).then(|| repaired + &json[copied..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lone_surrogates_do_not_lose_a_text() {
        let cases = [
            (r#""\ud83d\ude80""#, "🚀"),
            (r#""a\ud83d""#, "a\u{fffd}"),
            (r#""\ude80\ud83d\ud83d\ude80é""#, "\u{fffd}\u{fffd}🚀é"),
            (r#""\\ud83d \ud83d""#, "\\ud83d \u{fffd}"),
            (r#""\uD83D\u0041""#, "\u{fffd}A"),
        ];
        for (json, expected) in cases {
            assert_eq!(read::<String>(json).as_deref(), Some(expected), "{json}");
        }
        for broken in ["\"\\", "\"\\u", "\"\\ud8", "\"é\\é", "{\"\\ud800", "\\ud800\\u"] {
            assert_eq!(read::<String>(broken), None);
        }
    }

    #[test]
    fn a_field_of_another_kind_does_not_lose_the_others() {
        #[derive(Deserialize)]
        struct NumberAndText {
            #[serde(default, deserialize_with = "if_readable")]
            number: Option<u64>,
            #[serde(default, deserialize_with = "if_readable")]
            text: Option<String>,
        }
        let two = read::<NumberAndText>(r#"{"number":"five","text":"t\ud83d"}"#).unwrap();
        assert_eq!((two.number, two.text.as_deref()), (None, Some("t\u{fffd}")));
        for other in ["null", "true", "-1", "1", "0.5", "1e400", r#"["a",{"b":[]}]"#, r#"{"a":{"b":"c\ud83d"}}"#] {
            let two = read::<NumberAndText>(&format!(r#"{{"text":{other},"number":5}}"#)).unwrap();
            assert_eq!((two.number, two.text.as_deref()), (Some(5), None), "{other}");
        }
    }
}
