//! Settings and secrets: defaults, ranges, and refusals that name the variable.

use std::rc::Rc;

use townwatch_protocol::control_key::SigningKey;
use townwatch_protocol::error::{Code, Error};
use townwatch_town::settings::{ControlRight, Secrets, Settings};
use townwatch_town::town::TownConfig;

fn read(given: &[(&str, &str)]) -> Result<Settings, Error> {
    Settings::read(&|name| given.iter().find(|(one, _)| *one == name).map(|(_, value)| (*value).to_owned()))
}

fn secrets(given: &[(&str, &str)], has_container: bool) -> Result<Secrets, Error> {
    Secrets::read(
        &|name| given.iter().find(|(one, _)| *one == name).map(|(_, value)| (*value).to_owned()),
        has_container,
    )
}

const KEY: &str = "f4b1c09d2e7a8356";

#[test]
fn what_clients_are_told_is_what_is_set() {
    let set = |name: &str| match name {
        "STREAM_ENABLED" => Some("false".to_owned()),
        "STREAM_RATE_LIMIT" => Some("7".to_owned()),
        "STREAM_BATCH_MS" => Some("8".to_owned()),
        "STREAM_WINDOW_EVENTS" => Some("9".to_owned()),
        "EVENT_CAP" => Some("10".to_owned()),
        "TICKET_TTL_SECONDS" => Some("11".to_owned()),
        _ => None,
    };
    let told =
        |lookup: &dyn Fn(&str) -> Option<String>| serde_json::to_value(Settings::read(lookup).unwrap().view()).unwrap();
    let expected = serde_json::json!({
        "stream_enabled": false, "stream_rate_limit": 7, "stream_batch_ms": 8, "stream_window_events": 9,
        "event_cap": 10, "ticket_ttl_seconds": 11,
    });
    assert_eq!(told(&set), expected);
    assert_eq!(told(&|_| None), serde_json::to_value(TownConfig::default().settings).unwrap(), "the defaults");
}

#[test]
fn the_defaults_are_those_of_the_contract() {
    let settings = read(&[]).unwrap();
    let expected = Settings {
        poll_interval_ms: 500,
        drain_interval_seconds: 15,
        relay_while_watched: false,
        posted_lost_seconds: 86_400,
        redact_posts: true,
        event_cap: 2_000,
        town_store_mib: 4_096,
        rig_store_mib: 1_024,
        stream_enabled: true,
        stream_rate_limit: 50,
        stream_batch_ms: 100,
        stream_window_events: 1_000,
        ticket_ttl_seconds: 60,
        container_url: None,
        container_idle_seconds: 600,
        allowed_origins: vec![],
    };
    assert_eq!(settings, expected);
    assert_eq!(read(&[("EVENT_CAP", " "), ("CONTAINER_URL", "")]).unwrap(), expected, "an empty value is no value");
}

#[test]
fn good_values_are_taken() {
    let settings = read(&[
        ("POLL_INTERVAL_MS", "20"),
        ("STREAM_ENABLED", "false"),
        ("CONTAINER_URL", "http://127.0.0.1:8080/"),
        ("ALLOWED_ORIGINS", "https://Watch.example.com/, http://localhost:5173 http://[::1]:80"),
    ])
    .unwrap();
    assert_eq!(settings.poll_interval_ms, 20);
    assert!(!settings.stream_enabled);
    assert_eq!(settings.container_url.as_deref(), Some("http://127.0.0.1:8080"));
    assert_eq!(settings.allowed_origins, ["https://watch.example.com", "http://localhost:5173", "http://[::1]:80"]);
}

#[test]
fn a_bad_value_is_refused_by_name() {
    for (name, value) in [
        ("POLL_INTERVAL_MS", "0"),
        ("POLL_INTERVAL_MS", "abc"),
        ("POLL_INTERVAL_MS", "-5"),
        ("POLL_INTERVAL_MS", "1.5"),
        ("DRAIN_INTERVAL_SECONDS", "0"),
        ("POSTED_LOST_SECONDS", "0"),
        ("POSTED_LOST_SECONDS", "2592001"),
        ("EVENT_CAP", "0"),
        ("EVENT_CAP", "18446744073709551616"),
        ("TOWN_STORE_MIB", "0"),
        ("RIG_STORE_MIB", "8193"),
        ("RELAY_WHILE_WATCHED", "1"),
        ("REDACT_POSTS", "no"),
        ("STREAM_ENABLED", "yes"),
        ("STREAM_RATE_LIMIT", "0"),
        ("STREAM_BATCH_MS", "60000"),
        ("STREAM_WINDOW_EVENTS", "0"),
        ("TICKET_TTL_SECONDS", "0"),
        ("CONTAINER_IDLE_SECONDS", "x"),
        ("CONTAINER_URL", "127.0.0.1:8080"),
        ("CONTAINER_URL", "ftp://host"),
        ("CONTAINER_URL", "http://"),
        ("CONTAINER_URL", "http://user@host"),
        ("CONTAINER_URL", "http://host/path"),
        ("CONTAINER_URL", "http://host:99999"),
        ("CONTAINER_URL", "http://host:"),
        ("ALLOWED_ORIGINS", "*"),
        ("ALLOWED_ORIGINS", "null"),
        ("ALLOWED_ORIGINS", "https://good.example, bad.example"),
        ("ALLOWED_ORIGINS", "https://good.example/path"),
    ] {
        let refusal = read(&[(name, value)]).expect_err(value);
        assert_eq!(refusal.code, Code::NotConfigured, "{name}={value}");
        assert!(refusal.message.starts_with(&format!("{name}: expected ")), "{}", refusal.message);
    }
}

#[test]
fn a_missing_short_or_sample_secret_is_refused_by_name_and_never_shown() {
    for value in [
        "",
        "   ",
        "changeme",
        "change-me",
        "CHANGE_ME_PLEASE_NOW",
        "secret",
        "test",
        "your-key-here",
        "your-api-key-goes-here",
        "aaaaaaaaaaaaaaaaaaaa",
        "0000000000000000",
        "f4b1c09d2e7a835",
        "f4b1c09d 2e7a8356x",
        "f4b1c09d2e7a8356é",
        "password12345678",
    ] {
        let refusal = secrets(&[("TOWNWATCH_API_KEY", value), ("TOWNWATCH_JWT_SECRET", KEY)], false).expect_err(value);
        assert_eq!(refusal.code, Code::NotConfigured, "{value}");
        assert!(refusal.message.starts_with("TOWNWATCH_API_KEY: "), "{}", refusal.message);
        assert!(refusal.message.contains("wrangler secret put TOWNWATCH_API_KEY"), "{}", refusal.message);
        assert!(value.trim().len() < 8 || !refusal.message.contains(value.trim()), "{}", refusal.message);
    }
    let refusal = secrets(&[("TOWNWATCH_API_KEY", KEY)], false).unwrap_err();
    assert!(refusal.message.starts_with("TOWNWATCH_JWT_SECRET: is not set"), "{}", refusal.message);
}

#[test]
fn the_previous_secret_is_checked_as_the_one_of_today_and_is_another_one() {
    let given = [("TOWNWATCH_API_KEY", KEY), ("TOWNWATCH_JWT_SECRET", KEY)];
    let with = |value| secrets(&[&given[..], &[("TOWNWATCH_JWT_SECRET_PREVIOUS", value)]].concat(), false);
    assert_eq!(with(" ").unwrap().jwt_secrets().collect::<Vec<_>>(), [KEY], "an empty one is none");
    let previous = "f4b1c09d2e7a8357";
    assert_eq!(with(previous).unwrap().jwt_secrets().collect::<Vec<_>>(), [KEY, previous]);
    for (value, problem) in [
        (KEY, "is the same as"),
        ("change-me", "is a sample"),
        ("f4b1c09d", "is shorter"),
        ("f4b1c09d 2e7a8356", "holds"),
    ] {
        let refusal = with(value).expect_err(value);
        assert_eq!(refusal.code, Code::NotConfigured, "{value}");
        let expected = format!("TOWNWATCH_JWT_SECRET_PREVIOUS: {problem}");
        assert!(refusal.message.starts_with(&expected) && !refusal.message.contains(value), "{}", refusal.message);
        assert!(refusal.message.contains("secret delete TOWNWATCH_JWT_SECRET_PREVIOUS"), "{}", refusal.message);
    }
}

#[test]
fn what_opens_a_control_server_is_asked_for_only_where_there_is_one_at_a_url() {
    let given = [("TOWNWATCH_API_KEY", KEY), ("TOWNWATCH_JWT_SECRET", KEY)];
    let with = |more: &[(&str, &str)]| secrets(&[&given[..], more].concat(), true);
    assert!(secrets(&given, false).unwrap().control.is_none());
    let refusal = with(&[]).unwrap_err();
    assert!(refusal.message.starts_with("CONTROL_KEY: is not set"), "{}", refusal.message);
    assert!(refusal.message.contains("CONTAINER_TOKEN"), "{}", refusal.message);
    let seed = "0123456789abcdef".repeat(4);
    let key = Rc::new(SigningKey::parse(&seed).unwrap());
    assert!(with(&[("CONTROL_KEY", &seed)]).unwrap().control == Some(ControlRight::Key(key.clone())));
    assert!(with(&[("CONTAINER_TOKEN", KEY)]).unwrap().control == Some(ControlRight::Token(KEY.to_owned())));
    let both = with(&[("CONTROL_KEY", &seed), ("CONTAINER_TOKEN", KEY)]).unwrap().control;
    assert!(both == Some(ControlRight::Key(key)), "the token goes to nobody who does not need it");
    let bad = with(&[("CONTROL_KEY", &seed[1..]), ("CONTAINER_TOKEN", KEY)]).unwrap_err();
    assert!(
        bad.message.starts_with("CONTROL_KEY: expected 64") && !bad.message.contains(&seed[1..]),
        "{}",
        bad.message
    );
    let sample = with(&[("CONTAINER_TOKEN", "changeme")]).unwrap_err();
    assert!(sample.message.starts_with("CONTAINER_TOKEN: is a sample"), "{}", sample.message);
    assert_eq!(format!("{:?}", secrets(&given, false).unwrap()), "Secrets(…)");
}
