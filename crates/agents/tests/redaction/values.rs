//! Secrets by their values, also in base64, and their counts.

use townwatch_agents::normalise::Piece;
use townwatch_agents::redact::{Redaction, SecretValues};
use townwatch_protocol::event::{AgentOutput, EventData, OutputStream};

use super::{base64, body, key, mark, of};

#[test]
fn values_of_secret_variables_go_however_they_are_written() {
    let redactor = of(&[
        ("DB_PASSWORD", "hun\"ter\\2 é\n3"),
        ("APP_TOKEN", "plain-value-1"),
        ("DEPLOY_KEY", "first-line-of-the-key\nsecond-line-of-the-key"),
        ("HOME", "/home/someone-else"),
        ("SECRET_KEY", "development"),
    ]);
    let text = "a hun\"ter\\2 é\n3 b plain-value-1";
    let once = serde_json::to_string(text).unwrap();
    assert_eq!(redactor.text(&once), "\"a ‹redacted:DB_PASSWORD› b ‹redacted:APP_TOKEN›\"");
    let twice = serde_json::to_string(&once).unwrap();
    assert_eq!(redactor.text(&twice), "\"\\\"a ‹redacted:DB_PASSWORD› b ‹redacted:APP_TOKEN›\\\"\"");
    assert_eq!(redactor.text("?p=hun%22ter%5C2%20%C3%A9%0A3"), "?p=‹redacted:DB_PASSWORD›");
    assert_eq!(redactor.text("> second-line-of-the-key"), "> ‹redacted:DEPLOY_KEY›");
    for other in ["/home/someone-else", "development", "plain-value-"] {
        assert_eq!(redactor.text(other), other);
    }
}

#[test]
fn values_go_also_from_what_is_not_written_as_json() {
    let variables = [("DB_PASSWORD".to_owned(), "hun\"ter\\2-hunter".to_owned())];
    let redaction = Redaction::new(SecretValues::of(variables, &[])).unwrap();
    let text = "It is hun\"ter\\2-hunter indeed";
    assert_eq!(redaction.text(text), "It is ‹redacted:DB_PASSWORD› indeed");
    let typed: String = text
        .char_indices()
        .map(|(at, one)| redaction.piece(Piece { message_id: "m".into(), begins: at == 0, text: one.into() }).text)
        .collect();
    assert_eq!(typed, "It is ‹redacted:DB_PASSWORD› indeed");
    assert!(redaction.data(&output(text)).get().contains("It is ‹redacted:DB_PASSWORD› indeed"));
}

#[test]
fn values_that_begin_alike_or_like_a_format_are_told_apart() {
    let (one, two) = (key(&[&body(64), "AAAA"]), key(&[&body(64), "BBBB"]));
    let token = format!("ghp_{}", body(36));
    let redactor =
        of(&[("A_KEY", &one), ("B_TOKEN", &token), ("C_TOKEN", "plain-value"), ("D_TOKEN", "plain-value-and-more")]);
    let json = |text: &str| serde_json::to_string(text).unwrap();
    assert_eq!(redactor.text(&json(&one)), "\"‹redacted:A_KEY›\"");
    assert_eq!(redactor.text(&json(&two)), "\"‹redacted:private_key›\"");
    assert_eq!(redactor.text(&token), "‹redacted:B_TOKEN›");
    assert_eq!(redactor.text(&format!("ghp_{}9999999", &body(36)[..29])), "‹redacted:github_token›");
    assert_eq!(redactor.text("plain-value-and-more, plain-value"), "‹redacted:D_TOKEN›, ‹redacted:C_TOKEN›");
}

#[test]
fn values_go_also_in_base64_wherever_they_stand_in_it() {
    let value = "hunter-2?hunter~2>ü";
    let redactor = of(&[("DB_PASSWORD", value), ("SHORT_KEY", "ten-bytes?")]);
    for (before, after) in (0..7).flat_map(|before| (0..7).map(move |after| (before, after))) {
        let text = format!("{}{value}{}", &"user-a:"[..before], &"; path="[..after]);
        for (is_url, is_padded) in [(false, false), (false, true), (true, false), (true, true)] {
            let written = base64(&text, is_url, is_padded);
            let clean = redactor.text(&written).into_owned();
            assert_eq!(clean.matches("‹redacted:DB_PASSWORD›").count(), 1, "{text}");
            // Of what stood before it, and behind it, no more is left than shares no character with it.
            let (begin, end) = clean.split_once("‹redacted:DB_PASSWORD›").unwrap();
            assert!(written.starts_with(begin) && begin.len() <= (before * 8).div_ceil(6), "{clean} of {written}");
            assert!(after > 0 || end.is_empty(), "{clean}: nothing follows the value");
            let json = serde_json::to_string(&format!("Cookie: {written}")).unwrap();
            assert!(!redactor.text(&json).contains(&written[6.min(written.len())..]), "{json}");
            assert_eq!(redactor.text(&clean), clean.as_str());
        }
    }
    let short = base64("ten-bytes?", false, true);
    assert_eq!(redactor.text(&short), short.as_str(), "so few could stand in a picture by chance");
    assert_eq!(redactor.text("ten-bytes?"), "‹redacted:SHORT_KEY›");
    let header = format!("curl -u - -H 'Authorization: Basic {}'", base64(&format!("me:{value}"), false, true));
    assert_eq!(redactor.text(&header), "curl -u - -H 'Authorization: Basic ‹redacted:basic_auth›'");
}

#[test]
fn a_value_that_begins_as_a_longer_one_does_goes_where_the_longer_one_is_cut_off() {
    let long = "hunter-2-hunter-2-and-so-on-for-a-good-while";
    let redactor = of(&[("LONG_KEY", long), ("SHORT_KEY", &long[..17])]);
    assert_eq!(redactor.text(long), "‹redacted:LONG_KEY›");
    assert_eq!(redactor.text(&format!("{}!", &long[..40])), format!("‹redacted:SHORT_KEY›{}!", &long[17..40]));
}

fn output(text: &str) -> EventData {
    let (text, stream) = (text.to_owned(), OutputStream::Stdout);
    AgentOutput { text, stream, message_id: None, parent_tool_use_id: None, partial: false, broken_off: false }.into()
}

#[test]
fn secrets_in_events_are_counted_by_their_kind() {
    let redaction = Redaction::new(SecretValues::default()).unwrap();
    let (token, key) = (format!("ghp_{}", body(36)), format!("AIza{}", body(35)));
    assert_eq!(redaction.data(&output("nothing")).get(), r#"{"text":"nothing","stream":"stdout"}"#);
    assert!(redaction.first_notices().is_empty());
    assert!(redaction.data(&output(&format!("{token} {token} {key}"))).get().contains("‹redacted:google_key›"));
    let told = |events: Vec<EventData>| events.iter().map(|event| event.to_raw().get().to_owned()).collect::<Vec<_>>();
    assert_eq!(
        told(redaction.first_notices()),
        [
            r#"{"kind":"redacted","count":2,"sample":"github_token"}"#,
            r#"{"kind":"redacted","count":1,"sample":"google_key"}"#,
        ]
    );
    redaction.data(&output(&format!("{token} and one that went before: {}", mark("google_key"))));
    assert!(redaction.first_notices().is_empty());
    assert_eq!(told(redaction.last_notices()).len(), 2);
    assert!(redaction.last_notices().is_empty());
}
