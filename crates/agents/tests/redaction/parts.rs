//! Lines and texts that are told in parts, and texts of any shape.

use proptest::prelude::*;
use townwatch_agents::lines::Line;
use townwatch_agents::normalise::Piece;
use townwatch_agents::redact::{KeyLines, Redaction, SecretValues};

use super::reading;
use super::{base64, body, key, mark, secrets};

/// Texts with secrets, parts of them, and what stands around them.
fn text() -> impl Strategy<Value = String> {
    let words = [
        "a",
        " ",
        "\n",
        "\"",
        "\\",
        "\\n",
        "\\u00e9",
        "é🚀",
        "Bearer ",
        "sk-",
        "://a:b",
        "@c",
        "-----BEGIN ",
        "-----",
        "=",
        "‹redacted:jwt›",
        "hunt",
        "er-2-hunter-2",
        "aHVudGVyLTIt", // the same in base64, in two parts; and behind another byte
        "aHVudGVyLTI=",
        "Omh1bnRlci0y",
        "LWh1bnRlci0y",
        "‹redacted:.aws/credentials›",
    ];
    let whole = prop::sample::select(secrets()).prop_map(|(_, secret)| secret);
    let part = (prop::sample::select(secrets()), any::<prop::sample::Index>(), any::<prop::sample::Index>()).prop_map(
        |((_, secret), from, to)| {
            let (from, to) = (from.index(secret.len()), to.index(secret.len()));
            secret[from.min(to)..from.max(to)].to_owned()
        },
    );
    let word = prop::sample::select(words.to_vec()).prop_map(str::to_owned);
    prop::collection::vec(prop_oneof![4 => word, 1 => whole, 1 => part, 1 => ".{0,6}"], 0..16)
        .prop_map(|parts| parts.concat())
}

fn with_secrets() -> Redaction {
    let variables =
        [("ONE_KEY", "hunter-2-hunter-2"), ("TWO_KEY", "n00e9-\"\\-\n-end"), ("TRE_KEY", "u00e9n-begins-as-an-escape")];
    Redaction::new(SecretValues::of(variables.map(|(name, value)| (name.to_owned(), value.to_owned())), &[])).unwrap()
}

/// The parts and the rest of a line that is cut at these places.
fn told_in_parts(keys: &mut KeyLines, redaction: &Redaction, line: &str, cuts: &[usize]) -> Vec<String> {
    let mut from = 0;
    let mut told = Vec::new();
    for cut in cuts {
        told.push(keys.part(redaction.in_text(), &line[from..*cut]));
        from = *cut;
    }
    match keys.clean(redaction.in_text(), Line::Text(line[from..].into())) {
        Line::Text(rest) => told.push(rest.into_owned()),
        Line::Oversized { .. } => told.push("too long".into()),
    }
    told
}

#[test]
fn a_line_that_is_told_in_parts_tells_no_part_of_a_secret() {
    let redaction = with_secrets();
    let values = [
        ("ONE_KEY", base64("hunter-2-hunter-2", false, true)),
        ("ONE_KEY", base64(":hunter-2-hunter-2;", true, false)),
    ];
    for (kind, secret) in secrets().into_iter().chain(values).filter(|(_, secret)| !secret.contains('\n')) {
        let line = format!("TOKEN={secret} and more");
        let expected = redaction.text(&line);
        assert_ne!(expected, line, "{kind}");
        for cut in (0..=line.len()).filter(|cut| line.is_char_boundary(*cut)) {
            let told = told_in_parts(&mut KeyLines::default(), &redaction, &line, &[cut]);
            assert_eq!(told.concat(), expected, "{kind}, cut at {cut}: {told:?}");
        }
        let every: Vec<usize> = (0..=line.len()).filter(|cut| line.is_char_boundary(*cut)).collect();
        assert_eq!(told_in_parts(&mut KeyLines::default(), &redaction, &line, &every).concat(), expected, "{kind}");
    }
}

#[test]
fn a_line_of_a_key_is_told_in_no_part() {
    let redaction = with_secrets();
    let text = key(&[&body(64), &body(64), &body(20)]);
    let whole = |keys: &mut KeyLines, line: &str| told_in_parts(keys, &redaction, line, &[]);
    let mut keys = KeyLines::default();
    let expected: Vec<String> = text.lines().flat_map(|line| whole(&mut keys, line)).collect();
    for cut in 0..64 {
        let mut keys = KeyLines::default();
        for (line, expected) in text.lines().zip(&expected) {
            let told = told_in_parts(&mut keys, &redaction, line, &[cut.min(line.len())]);
            assert_eq!(told.concat(), *expected, "cut at {cut}");
        }
    }
}

proptest! {
    #[test]
    fn json_stays_json(text in text(), json in reading::json(&["sk-", "token", "u00e9n-begins-as-an-escape", "\nn00e9"]), depth in 1..4) {
        let redaction = with_secrets();
        let mut nested = text;
        for _ in 0..depth {
            nested = serde_json::to_string(&nested).unwrap();
        }
        for json in [nested, json] {
            let valid = |text: &str| serde_json::from_str::<&serde_json::value::RawValue>(text).is_ok();
            let clean = redaction.json(&json);
            prop_assert!(valid(&clean) || !valid(&json), "{json} became {clean}");
        }
    }

    #[test]
    fn what_is_typed_is_the_beginning_of_what_the_event_will_say(text in text(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12)) {
        let redaction = with_secrets();
        let mut ends: Vec<usize> = cuts.iter().map(|cut| text.floor_char_boundary(cut.index(text.len() + 1))).collect();
        ends.push(text.len());
        ends.sort_unstable();
        let (mut begin, mut typed) = (0, String::new());
        for (index, end) in ends.into_iter().enumerate() {
            let piece = Piece { message_id: "m".into(), begins: index == 0, text: text[begin..end].to_owned() };
            let shown = redaction.piece(piece);
            prop_assert_eq!(shown.begins, index == 0);
            typed.push_str(&shown.text);
            begin = end;
        }
        prop_assert!(redaction.text(&text).starts_with(&typed), "{typed:?} was typed of {:?}", redaction.text(&text));
    }

    #[test]
    fn nothing_of_a_secret_is_typed_before_it_is_whole((kind, secret) in prop::sample::select(secrets()), read_bytes in 1..20_usize) {
        let redaction = with_secrets();
        let text = format!("It is {secret} as you see");
        let mut typed = String::new();
        for (index, part) in text.as_bytes().chunks(read_bytes).enumerate() {
            let text = std::str::from_utf8(part).unwrap().to_owned();
            typed.push_str(&redaction.piece(Piece { message_id: "m".into(), begins: index == 0, text }).text);
        }
        prop_assert!(typed.starts_with(&format!("It is {} as you", mark(kind))), "{typed}");
    }

    #[test]
    fn nothing_is_left_for_a_second_look(text in text()) {
        let redaction = with_secrets();
        let clean = redaction.text(&text).into_owned();
        prop_assert_eq!(redaction.text(&clean), clean.as_str());
        let clean = redaction.json(&text).into_owned();
        prop_assert_eq!(redaction.json(&clean), clean.as_str());
    }

    #[test]
    fn no_text_makes_it_panic(text in any::<String>()) {
        with_secrets().text(&text);
    }
}
