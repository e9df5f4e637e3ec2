//! Secrets in everything that agents write, and what only looks like one.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)] // test helpers

mod reading;

use std::time::{Duration, Instant};

use base64::prelude::{BASE64_STANDARD as STANDARD, BASE64_URL_SAFE as URL_SAFE, Engine};
use proptest::prelude::*;
use townwatch_agents::lines::Line;
use townwatch_agents::normalise::Piece;
use townwatch_agents::recordings::RECORDINGS;
use townwatch_agents::redact::{KeyLines, Redaction, Redactor, SecretValues};
use townwatch_protocol::event::{AgentOutput, EventData, OutputStream};

/// Letters and digits in no order that a person would see.
fn body(bytes: usize) -> String {
    "q7Xc2LmZ9aTf4RkV0bNw8JyH3sPd6GuE1oQx5iCvM".chars().cycle().take(bytes).collect()
}

fn hex(bytes: usize) -> String {
    "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822c".chars().cycle().take(bytes).collect()
}

fn key(lines: &[&str]) -> String {
    let label = "RSA PRIVATE KEY-----"; // in two parts, so that no scanner takes this file for one with a key
    format!("-----BEGIN {label}\n{}\n-----END {label}", lines.join("\n"))
}

/// Secrets by the kind that they are called by.
fn secrets() -> Vec<(&'static str, String)> {
    let of = |begins: &str, rest: String| format!("{begins}{rest}");
    vec![
        ("anthropic_key", of("sk-ant-", format!("api03-{}AA", body(93)))),
        ("openai_key", of("sk-proj-", body(120))),
        ("openai_key", of("sk-svcacct-", body(74))),
        ("openrouter_key", of("sk-or-v1-", hex(64))),
        ("api_key", of("sk-", body(48))),
        ("api_key", of("sk-", hex(32))),
        ("github_token", of("ghp_", body(36))),
        ("github_token", of("ghs_", body(36))),
        ("github_token", of("github_pat_", body(82))),
        ("gitlab_token", of("glpat-", body(20))),
        ("gitlab_token", of("glpat-", format!("{}.01.{}", body(27), "0w1a2b3c4"))),
        ("slack_token", of("xoxb-", format!("123456789012-1234567890123-{}", body(24)))),
        ("slack_token", of("xapp-", format!("1-A0B1C2D3E4F-1234567890123-{}", hex(64)))),
        ("slack_webhook", of("hooks.slack.com/services/", format!("T0123ABCD/B0123ABCD/{}", body(24)))),
        ("aws_key", of("AKIA", "Y34FZKBOKMUTVV7A".into())),
        ("google_key", of("AIza", body(35))),
        ("google_token", of("ya29.", body(60))),
        ("npm_token", of("npm_", body(36))),
        ("pypi_token", of("pypi-AgEI", format!("cHlwaS5vcmc{}", body(60)))),
        ("docker_token", of("dckr_pat_", body(27))),
        ("stripe_key", of("sk_live_", body(24))),
        ("stripe_key", of("rk_test_", body(99))),
        ("huggingface_token", of("hf_", "abcdefghijklmnopqrstuvwxyzABCDEFGH".into())),
        ("groq_key", of("gsk_", body(52))),
        ("xai_key", of("xai-", body(80))),
        ("sendgrid_key", of("SG.", format!("{}.{}", body(22), body(43)))),
        ("digitalocean_token", of("dop_v1_", hex(64))),
        ("databricks_token", of("dapi", hex(32))),
        ("vault_token", of("hvs.", body(95))),
        ("shopify_token", of("shpat_", hex(32))),
        ("age_key", of("AGE-SECRET-KEY-1", body(58).to_uppercase())),
        ("jwt", format!("eyJ{}.eyJ{}.{}", body(33), body(60), body(43))),
        ("private_key", key(&[&body(64), &body(64), &body(20)])),
    ]
}

fn redactor() -> Redactor {
    Redactor::new(SecretValues::default()).unwrap()
}

fn mark(kind: &str) -> String {
    format!("‹redacted:{kind}›")
}

#[test]
fn each_known_format_goes_wherever_it_stands() {
    let redactor = redactor();
    for (kind, secret) in secrets() {
        let around =
            [("", ""), ("token: ", "\n"), ("a=", "&b"), ("(", ")"), ("é", "é"), ("\x1b[32m", "\x1b[0m"), ("`", "`.")];
        for (before, after) in around {
            let text = format!("{before}{secret}{after}");
            let expected = format!("{before}{}{after}", mark(kind));
            assert_eq!(redactor.text(&text), expected.as_str());
            let (mut json, mut clean) = (text, expected);
            for depth in 1..=3 {
                (json, clean) = (serde_json::to_string(&json).unwrap(), serde_json::to_string(&clean).unwrap());
                assert_eq!(redactor.text(&json), clean.as_str(), "{kind}, {depth} texts deep");
            }
        }
        let twice = format!("{secret} {secret}");
        assert_eq!(redactor.text(&twice), format!("{0} {0}", mark(kind)).as_str());
        let as_key = format!(r#"{{"{}":1}}"#, serde_json::to_string(&secret).unwrap().trim_matches('"'));
        assert_eq!(redactor.text(&as_key), format!(r#"{{"{}":1}}"#, mark(kind)).as_str());
        assert_eq!(redactor.text(&mark(kind)), mark(kind).as_str(), "what went before stays as it is");
    }
}

#[test]
fn what_stands_beside_a_secret_tells_others() {
    let token = body(40);
    let cases = [
        (format!("Authorization: Bearer {token}"), "Authorization: Bearer ‹redacted:bearer›"),
        (format!("curl -H 'authorization: bearer {token}' x"), "curl -H 'authorization: bearer ‹redacted:bearer›' x"),
        ("Authorization: Basic dXNlcjpwYXNzd29yZA==".into(), "Authorization: Basic ‹redacted:basic_auth›"),
        (
            "git clone https://me:hunter2@example.org/a.git".into(),
            "git clone https://me:‹redacted:password›@example.org/a.git",
        ),
        ("postgres://app:p%40ss@db:5432/app".into(), "postgres://app:‹redacted:password›@db:5432/app"),
        (format!("aws_secret_access_key = {token}"), "aws_secret_access_key = ‹redacted:aws_key›"),
        (format!(r#"{{\"SecretAccessKey\": \"{token}\"}}"#), r#"{\"SecretAccessKey\": \"‹redacted:aws_key›\"}"#),
    ];
    for (text, expected) in cases {
        assert_eq!(redactor().text(&text), expected);
    }
}

#[test]
fn a_key_goes_also_where_a_tool_numbers_its_lines_or_cuts_it_off() {
    let label = "PRIVATE KEY-----";
    let (one, two) = (body(64), body(63));
    let cut = format!("-----BEGIN {label}\n{one}\n{two}");
    assert_eq!(redactor().text(&cut), "‹redacted:private_key›");
    assert_eq!(redactor().text(&serde_json::to_string(&cut).unwrap()), "\"‹redacted:private_key›\"");
    let numbered =
        format!(r"     1→-----BEGIN {label}\n     2→{one}\n     3→{two}\n     4→-----END {label}\n     5→rest");
    assert_eq!(redactor().text(&numbered), r"     1→‹redacted:private_key›\n     5→rest");
    let behind = format!("{cut}\nand that was it. {}", "words ".repeat(20));
    assert_eq!(
        redactor().text(&behind),
        format!("‹redacted:private_key›\nand that was it. {}", "words ".repeat(20)).as_str()
    );
}

#[test]
fn a_secret_ends_where_a_key_or_a_value_begins_right_behind_it() {
    let redactor = of(&[("ONE_KEY", "-hunter-2-hun+ter-2")]);
    let key = key(&[&body(64), &body(20)]);
    for (kind, token) in secrets().into_iter().filter(|(kind, _)| *kind != "private_key") {
        let expected = mark(kind);
        assert_eq!(redactor.text(&format!("{token}{key}")), format!("{expected}{}", mark("private_key")));
        assert_eq!(redactor.text(&format!("{token}-hunter-2-hun+ter-2")), format!("{expected}{}", mark("ONE_KEY")));
    }
}

#[test]
#[allow(clippy::disallowed_methods)] // its time is what is tested
fn many_beginnings_in_one_line_do_not_make_it_slow() {
    for part in ["glpat-.", "eyJ.", "eyJaaaaa.eyJ.x.", "hvs.", "://", "Bearer ", "sk-ant-", "fo1_=", "-----BEGIN "] {
        let (redactor, line) = (redactor(), part.repeat((1 << 20) / part.len()));
        let started = Instant::now();
        redactor.text(&line);
        assert!(started.elapsed() < Duration::from_secs(5), "{part} took {:?}", started.elapsed());
    }
}

#[test]
fn what_only_looks_like_a_secret_stays() {
    let css = ".sk-circle-fade-dot{animation:sk-circle-fade-dot 1.2s}.task-sk-1{mask-image:none}.risk-assessment-2024-q1-final-v2{}";
    let minified = "var e=t.basic,n=function(r){return r.Bearer},o={sk_test:1,npm_config_registry:2};a?.b://x:80/@y";
    let lock = format!(
        r#""node_modules/a":{{"version":"1.0.0","resolved":"https://registry.example.org/a/-/a-1.0.0.tgz","integrity":"sha512-{}=="}}"#,
        body(86)
    );
    let mut image = String::from("data:image/png;base64,");
    let mut seed = 7_u64;
    for _ in 0..200_000 {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        image.push(char::from(digits[usize::try_from(seed >> 58).unwrap()]));
    }
    let cases = [
        "commit 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b",
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "018f3e6e-7b2a-7c3d-9e4f-5a6b7c8d9e0f",
        "An OpenAI key begins with sk- and Anthropic's with sk-ant-; ours is sk-...",
        "sk-your-api-key-here sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx sk-ant-xxxx",
        "export GITHUB_TOKEN=ghp_YOUR_TOKEN glpat-YOUR-TOKEN-HERE-please-now",
        "Bearer authentication-is-what-this-service-wants; Bearer ${TOKEN}; Bearer <CONTAINER_TOKEN>",
        "a basic authorization; Basic 12345678",
        "http://localhost:3000/@scope http://[::1]:80 https://user@host https://${USER}:${PASS}@host ssh://git@host:22/a",
        "AKIAIOSFODNN7EXAMPLEKEYS and AKIAlower and ASIAN markets",
        "eyJhbGciOiJIUzI1NiJ9 alone",
        "if text.starts_with(\"-----BEGIN PRIVATE KEY-----\") { read(text) }",
        "-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIUABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnop\n-----END CERTIFICATE-----",
        "the line -----BEGIN PRIVATE KEY----- begins a key, and many words follow it here",
        "hf_hub_download hf_transfer npm_config_user_agent npm_lifecycle_event pul-request r8_0 dapi",
        "‹redacted: and ‹redacted:what›",
        css,
        minified,
        &lock,
        &image,
    ];
    for text in cases {
        assert_eq!(redactor().text(text), text);
    }
}

#[test]
fn base64_that_has_a_token_by_chance_stays_whole() {
    let picture = |bytes: usize| "iVBORw0KGgo+/".repeat(bytes / 13 + 1);
    for token in [format!("AIza{}", body(35)), format!("cio{}", body(32)), format!("ABSK{}", body(120))] {
        let text = format!(r#"{{"data":"{}{token}+{}"}}"#, picture(300), picture(1_000));
        assert_eq!(redactor().text(&text), text);
        // Behind less of it, or anything else, it is a secret.
        for before in [picture(200), format!("{} ", picture(300)), format!("{}\\n", picture(300))] {
            let text = format!(r#"{{"data":"{before}{token} "}}"#);
            assert!(!redactor().text(&text).contains(&token), "{text}");
        }
    }
    let large = format!("ABSK{}", "x1+/".repeat(10_000));
    assert_eq!(redactor().text(&large), large, "no key is as long as this");
}

#[test]
fn no_recording_has_a_secret() {
    let redactor = redactor();
    for recording in RECORDINGS {
        let bytes = recording.bytes().unwrap();
        let text = std::str::from_utf8(&bytes).unwrap();
        assert!(matches!(redactor.text(text), std::borrow::Cow::Borrowed(_)), "{}", recording.name);
    }
}

fn of(variables: &[(&str, &str)]) -> Redactor {
    let owned = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Redactor::new(SecretValues::of(owned, &[])).unwrap()
}

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

/// Base64 as everybody writes it.
fn base64(text: &str, is_url: bool, is_padded: bool) -> String {
    let engine = if is_url { URL_SAFE } else { STANDARD };
    let written = engine.encode(text);
    if is_padded { written } else { written.trim_end_matches('=').to_owned() }
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
