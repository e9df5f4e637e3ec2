//! The server's frames: each is read as it was written, and written again to the same bytes.

use serde_json::Value;
use townwatch_protocol::wire::{PressureLevel, ServerFrame};
use townwatch_town::viewers::text_of;

use crate::story::{Story, agent};

fn state() -> String {
    let mut story = Story::new();
    story.register("a");
    serde_json::to_string(&story.town.agent(&agent("a")).unwrap().unwrap()).unwrap()
}

/// A text of each type; some in more than one form.
fn examples() -> Vec<(&'static str, String)> {
    let event = r#"{"id":7,"agent_id":"a","event":"note","data":{ "n": 1.10, "big":123456789012345678901234567890, "s":"\ud800"},"at":"2026-11-22T14:46:39.000Z"}"#;
    let fixed = [
        (
            "hello",
            r#"{"type":"hello","protocol":1,"town_id":"t","epoch":"e","head":9,"oldest_id":1,"reset":false,"settings":{"stream_enabled":true,"stream_rate_limit":10,"stream_batch_ms":100,"stream_window_events":500,"event_cap":10000,"ticket_ttl_seconds":60}}"#,
        ),
        ("agent_deleted", r#"{"type":"agent_deleted","agent_id":"a"}"#),
        ("events", r#"{"type":"events","events":[],"backfill":false}"#),
        ("preview", r#"{"type":"preview","agent_id":"a","run_id":"r","message_id":"m","offset":3,"text":"Hel"}"#),
        ("caught_up", r#"{"type":"caught_up","id":0}"#),
        ("gap", r#"{"type":"gap","agent_id":"a","from":1,"to":4,"count":3,"reason":"elided"}"#),
        ("gap", r#"{"type":"gap","agent_id":"a","from":1,"to":4,"reason":"pruned"}"#),
        ("backpressure", r#"{"type":"backpressure","level":"paused","lag_events":501}"#),
        (
            "subscription_confirmed",
            r#"{"type":"subscription_confirmed","agents":"*","filters":{"tool_calls":true,"tool_results":false,"output":true,"files":true,"progress":false},"after_id":5}"#,
        ),
        (
            "subscription_confirmed",
            r#"{"type":"subscription_confirmed","agents":["a","b"],"filters":{"tool_calls":true,"tool_results":true,"output":true,"files":true,"progress":true},"after_id":0}"#,
        ),
        ("heartbeat", r#"{"type":"heartbeat","at":"2026-11-22T14:46:39.000Z","id":9}"#),
        ("pong", r#"{"type":"pong"}"#),
        (
            "error",
            r#"{"type":"error","code":"invalid_request","message":"ack: \"id\"","frame":"ack","at":"2026-11-22T14:46:39.000Z"}"#,
        ),
        ("error", r#"{"type":"error","code":"forbidden","message":"no","at":"2026-11-22T14:46:39.000Z"}"#),
    ];
    let fixed = fixed.into_iter().map(|(name, text)| (name, text.to_owned()));
    let made = [
        ("state", format!(r#"{{"type":"state","agent":{}}}"#, state())),
        ("events", format!(r#"{{"type":"events","events":[{event},{event}],"backfill":true}}"#)),
    ];
    fixed.chain(made).collect()
}

#[test]
fn each_is_written_as_it_was_read() {
    for (name, text) in examples() {
        let frame: ServerFrame = ServerFrame::read(&text).unwrap().unwrap_or_else(|| panic!("{name} is not known"));
        assert_eq!(frame.name(), name);
        assert_eq!(text_of(&frame), text);
    }
}

/// The type may stand anywhere, and a newer server may say more.
#[test]
fn each_is_read_whatever_its_order() {
    for (name, text) in examples() {
        let fields = text.strip_prefix(&format!(r#"{{"type":"{name}""#)).unwrap().strip_suffix('}').unwrap();
        let turned = format!(r#"{{"more":{{"type":"x"}}{fields},"type":"{name}"}}"#);
        let frame: ServerFrame = ServerFrame::read(&turned).unwrap().unwrap();
        assert_eq!(text_of(&frame), text);
    }
}

#[test]
fn a_type_that_is_not_known_is_told_from_what_is_no_frame() {
    let read = |text: &str| ServerFrame::<Value>::read(text);
    assert!(read(r#"{"type":"unheard_of","id":"x"}"#).unwrap().is_none());
    for text in
        ["", "{}", "[]", "7", r#"{"type":7}"#, r#"{"type":"gap","agent_id":"a"}"#, r#"{"type":"events","events":[}"#]
    {
        assert!(read(text).is_err(), "{text}");
    }
}

/// A reader that needs little of a state does not fail on the rest of it.
#[test]
fn a_state_is_read_as_the_reader_wants_it() {
    let text = r#"{"type":"state","agent":{"agent_id":"a","runtime":"unheard_of"}}"#;
    assert!(ServerFrame::<townwatch_protocol::wire::AgentState>::read(text).is_err());
    let ServerFrame::State { agent } = ServerFrame::<Value>::read(text).unwrap().unwrap() else { panic!("no state") };
    assert_eq!(agent["runtime"], "unheard_of");
    let text = r#"{"type":"backpressure","level":"normal","lag_events":0}"#;
    let frame = ServerFrame::<Value>::read(text).unwrap().unwrap();
    assert!(matches!(frame, ServerFrame::Backpressure { level: PressureLevel::Normal, lag_events: 0 }));
}
