//! The events in a line of JSON lines. Most lines are one event. But a second writer on the same pipe can put text
//! before, after or into an event, and lines can end with CR alone.

use serde_json::Deserializer;
use serde_json::value::RawValue;

use super::fields::Fields;

/// The places of a broken line at which an event is looked for. Each can cost the length of the line.
const LOOKS_MAX: usize = 8;

/// A part of a line.
#[derive(Debug)]
pub(super) enum LinePart<'a> {
    /// A whole object.
    Object(&'a str, Fields),
    /// Any other text.
    Stray(&'a str),
}

/// The parts of a line, in order. Inside a broken line an object counts only if its `type` is one that `known` accepts
/// for a line: other objects may be parts of the broken event.
pub(super) fn parts(line: &str, known: fn(&str) -> bool) -> Vec<LinePart<'_>> {
    if let Some(fields) = Fields::read(line) {
        return vec![LinePart::Object(line, fields)]; // the usual case
    }
    let (mut parts, mut rest) = (Vec::new(), line);
    let mut looks = LOOKS_MAX;
    while !rest.trim().is_empty() {
        let starts = rest.match_indices("{\"").map(|(at, _)| at).take(looks);
        let found = starts.inspect(|_| looks -= 1).find_map(|at| {
            let (object, fields) = leading(&rest[at..])?;
            // From the line's start on, whatever is whole is a line's own.
            let own = parts.is_empty() && rest[..at].trim().is_empty();
            (own || fields.text("type").is_some_and(|kind| known(&kind))).then_some((at, object, fields))
        });
        let (stray, next) = rest.split_at(found.as_ref().map_or(rest.len(), |(at, ..)| *at));
        if !stray.trim().is_empty() {
            parts.push(LinePart::Stray(stray));
        }
        rest = next;
        if let Some((_, object, fields)) = found {
            looks += 1; // only those in vain count
            rest = &next[object.len()..];
            parts.push(LinePart::Object(object, fields));
        }
    }
    parts
}

/// The object at the beginning of a text.
fn leading(text: &str) -> Option<(&str, Fields)> {
    let object = Deserializer::from_str(text).into_iter::<&RawValue>().next()?.ok()?.get();
    Some((object, Fields::read(object)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(line: &str) -> Vec<String> {
        let known = |kind: &str| kind == "event";
        let tell = |part: &LinePart<'_>| match part {
            LinePart::Object(text, _) => format!("object {text}"),
            LinePart::Stray(text) => format!("stray {text}"),
        };
        parts(line, known).iter().map(tell).collect()
    }

    #[test]
    fn an_event_is_found_wherever_it_stands_in_a_line() {
        let event = r#"{"type":"event","x":1}"#;
        let object = format!("object {event}");
        let cases: &[(&str, String, &[&str])] = &[
            ("alone", event.to_owned(), &[&object]),
            ("spaced", format!(" {event}\r"), &[&format!("object  {event}\r")]),
            ("glued to another", format!("{event}{event}"), &[&object, &object]),
            ("after a carriage return alone", format!("{event}\r{event}\r"), &[&object, &object]),
            ("after other text", format!("50 %{event}"), &["stray 50 %", &object]),
            ("before other text", format!("{event}oops"), &[&object, "stray oops"]),
            (
                "within another event",
                format!(r#"{{"type":"event","text":"hel{event}"#),
                &[r#"stray {"type":"event","text":"hel"#, &object],
            ),
            ("not an event of its own", r#"{"a":{"type":"b"},"#.to_owned(), &[r#"stray {"a":{"type":"b"},"#]),
            ("in a text it is none", format!("{{\"text\":{event:?}}}"), &[&format!("object {{\"text\":{event:?}}}")]),
            ("nothing", " \r".to_owned(), &[]),
            ("no object", "[1]".to_owned(), &["stray [1]"]),
        ];
        for (what, line, expected) in cases {
            assert_eq!(told(line), *expected, "{what}");
        }
    }

    #[test]
    #[allow(clippy::disallowed_methods)] // its time is what is tested
    fn a_line_made_to_be_slow_is_not() {
        let begun = std::time::Instant::now();
        assert_eq!(parts(&r#"{"a":"#.repeat(1 << 20), |_| true).len(), 1);
        assert!(begun.elapsed().as_secs() < 10, "{:?}", begun.elapsed());
    }
}
