//! Secrets by their formats, and what only looks like one.

use std::time::{Duration, Instant};
use townwatch_agents::recordings::RECORDINGS;

use super::{body, key, mark, of, redactor, secrets};

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
