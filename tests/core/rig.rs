//! A rig: what it takes, what it refuses, what it hands on and what it forgets.

use std::rc::Rc;

use serde_json::{Value as Json, json};
use townwatch_protocol::error::Code;
use townwatch_protocol::time::Timestamp;
use townwatch_redaction::{Redactor, SecretValues};
use townwatch_town::rig::Rig;
use townwatch_town::store::Store;

use crate::desk::{Desk, EVENT_CAP, ids};
use crate::story::{agent, dump, position};

#[test]
fn one_event_or_a_batch_is_stored_in_its_order() {
    let desk = Desk::new();
    assert_eq!(desk.post(&json!({"agent_id": "a", "event_type": "note", "data": 1})), (1, 0, 1));
    let events =
        json!([{"event_type": "note", "run_id": "r1", "at": "2026-11-22T14:00:00+02:00"}, {"event_type": "x"}]);
    assert_eq!(desk.post(&json!({"agent_id": "b", "events": events})), (2, 0, 3));
    let batch = desk.rig.next_batch().unwrap().unwrap();
    assert_eq!((batch.after, batch.rig_epoch.as_str()), (position(0), "rig-1"));
    let shown: Vec<_> = batch
        .events
        .iter()
        .map(|event| {
            (
                event.agent_id.as_str(),
                event.run_id.as_ref().map(townwatch_protocol::id::RunId::as_str),
                event.data.get(),
            )
        })
        .collect();
    assert_eq!(shown, [("a", None, "1"), ("b", Some("r1"), "null"), ("b", None, "null")]);
    assert!(batch.events.iter().all(|event| event.at == desk.now));
}

#[test]
fn an_event_id_is_stored_once_for_each_agent() {
    let desk = Desk::new();
    let keyed = |agent_id: &str, key: &str| json!({"agent_id": agent_id, "event_type": "note", "event_id": key});
    assert_eq!(desk.post(&keyed("a", "k1")), (1, 0, 1));
    assert_eq!(desk.post(&keyed("a", "k1")), (0, 1, 1));
    assert_eq!(desk.post(&keyed("b", "k1")), (1, 0, 2));
    let twice = [("k2", 3), ("k2", 4), ("k3", 5), ("k1", 6)];
    let events: Vec<_> =
        twice.iter().map(|(key, data)| json!({"event_type": "x", "event_id": key, "data": data})).collect();
    assert_eq!(desk.post(&json!({"agent_id": "a", "events": events})), (2, 2, 4));
    let events = desk.rig.events(&agent("a"), position(1), 10).unwrap();
    let data: Vec<_> = events.iter().map(|event| event.data.get()).collect();
    assert_eq!(data, ["3", "5"], "the first one counts");
}

#[test]
fn json_arrives_as_it_was_written() {
    let data = "{\"b\":12345678901234567890123,\"a\":1e999,\r\n\"a\": [ \"\\ud800\\u001e\\u001f\" ],\t\"é\":-0.0}";
    let desk = Desk::new();
    desk.post_text(&format!(r#"{{"agent_id":"a","event_type":"note","data": {data} }}"#)).unwrap();
    assert_eq!(desk.rig.next_batch().unwrap().unwrap().events[0].data.get(), data);
    assert_eq!(desk.rig.events(&agent("a"), position(0), 1).unwrap()[0].data.get(), data);
}

#[test]
fn what_is_refused_names_its_field_and_stores_nothing() {
    let deep = format!("{}1{}", "[".repeat(129), "]".repeat(129));
    let long = format!("\"{}\"", "x".repeat(1 << 20));
    let many = vec![r#"{"event_type":"note"}"#; 501].join(",");
    let cases = [
        (r#""event_type":"state""#.to_owned(), Code::InvalidRequest, "event_type: state is the name of a stream frame"),
        (r#""events":[]"#.to_owned(), Code::InvalidRequest, "events: expected at least one"),
        (r#""data":1"#.to_owned(), Code::InvalidRequest, "event_type: missing"),
        (r#""event_type":"x","events":[{"event_type":"x"}]"#.to_owned(), Code::InvalidRequest, "events: not together"),
        (
            r#""data":1,"events":[{"event_type":"x"}]"#.to_owned(),
            Code::InvalidRequest,
            "events: not together with data",
        ),
        (
            r#""event_id":"k","events":[{"event_type":"x"}]"#.to_owned(),
            Code::InvalidRequest,
            "events: not together with event_id",
        ),
        (format!(r#""event_type":"x","data":{deep}"#), Code::InvalidRequest, "data: nested deeper than 128"),
        (format!(r#""event_type":"x","data":{long}"#), Code::TooLarge, "data: 1048578 bytes"),
        (format!(r#""events":[{many}]"#), Code::TooLarge, "events: 501 in one batch"),
        (r#""event_type":"agent.exited""#.to_owned(), Code::InvalidRequest, "data.reason: expected"),
        (r#""event_type":"agent.exited","data":null"#.to_owned(), Code::InvalidRequest, "data.reason: expected"),
        (
            r#""events":[{"event_type":"x"},{"event_type":"agent.exited","data":{"reason":"tired"}}]"#.to_owned(),
            Code::InvalidRequest,
            "events[1].data.reason: expected",
        ),
    ];
    let desk = Desk::new();
    let before = dump(&desk.store);
    for (fields, code, message) in cases {
        let error = desk.post_text(&format!(r#"{{"agent_id":"a",{fields}}}"#)).unwrap_err();
        assert_eq!(error.code, code, "{message}");
        assert!(error.message.starts_with(message), "{} is not {message}", error.message);
    }
    let error = desk.post_text(r#"{"agent_id":"c","event_type":"note"}"#).unwrap_err();
    assert_eq!(error.code, Code::NotFound);
    assert!(error.message.contains("register c with POST /api/rigs/rig/agents"), "{}", error.message);
    assert_eq!(desk.rig.events(&agent("c"), position(0), 1).unwrap_err().code, Code::NotFound);
    assert_eq!(dump(&desk.store), before);
}

#[test]
fn a_post_is_stored_as_a_whole_or_not_at_all() {
    let desk = Desk::new();
    desk.notes("a", 7);
    desk.rig.adopt(position(7)).unwrap();
    let body =
        json!({"agent_id": "a", "events": [{"event_type": "x", "event_id": "k"}, {"event_type": "y"}]}).to_string();
    let before = dump(&desk.store);
    let mut refused = 0;
    for statement in 0.. {
        desk.store.fail_after(statement);
        let Err(error) = desk.post_text(&body) else { break };
        assert_eq!(error.code, Code::Internal);
        assert_eq!(dump(&desk.store), before, "after a fault at statement {statement}");
        refused += 1;
    }
    desk.store.query("the fault that is left", &[]).unwrap_err();
    assert!(refused >= 8, "{refused} statements");
    assert_eq!(desk.ids("a"), [5, 6, 7, 8, 9]);
}

#[test]
fn nothing_is_pruned_that_the_town_has_not_got() {
    let desk = Desk::new();
    desk.notes("a", 8);
    desk.notes("b", 2);
    assert_eq!(desk.ids("a"), [1, 2, 3, 4, 5, 6, 7, 8]);
    desk.rig.adopt(position(2)).unwrap();
    desk.notes("a", 1);
    assert_eq!(desk.ids("a"), [3, 4, 5, 6, 7, 8, 11], "beyond the cap, but not forwarded");
    desk.rig.adopt(position(11)).unwrap();
    assert_eq!(desk.ids("a").len(), 7, "the next post prunes");
    desk.notes("a", 1);
    assert_eq!((desk.ids("a"), desk.ids("b")), (vec![6, 7, 8, 11, 12], vec![9, 10]));
    assert_eq!(desk.number("SELECT event_count FROM agents WHERE agent_id = 'a'"), EVENT_CAP);
    assert_eq!(desk.number("SELECT event_bytes FROM agents WHERE agent_id = 'a'"), EVENT_CAP * 4, "of `null`");
}

#[test]
fn a_key_is_remembered_as_long_as_its_event() {
    let desk = Desk::new();
    let keyed = json!({"agent_id": "a", "event_type": "note", "event_id": "k"});
    desk.post(&keyed);
    desk.rig.adopt(position(1)).unwrap();
    desk.notes("a", 5);
    assert_eq!(desk.ids("a"), [2, 3, 4, 5, 6]);
    assert_eq!(desk.post(&keyed), (1, 0, 7));
}

#[test]
fn the_outbox_has_room_for_ten_thousand() {
    let desk = Desk::new();
    for _ in 0..20 {
        desk.notes("a", 500);
    }
    let error = desk.post_text(r#"{"agent_id":"b","event_type":"note"}"#).unwrap_err();
    assert_eq!(error.code, Code::TownUnavailable);
    assert!(error.message.starts_with("10000 events of 40000 bytes wait for the town"), "{}", error.message);
    desk.rig.adopt(position(1)).unwrap();
    desk.notes("b", 1);
}

#[test]
fn the_outbox_has_room_for_64_mebibytes() {
    let desk = Desk::new();
    let mebibyte = json!({"agent_id": "a", "event_type": "note", "data": "x".repeat((1 << 20) - 2)}).to_string();
    for _ in 0..64 {
        desk.post_text(&mebibyte).unwrap();
    }
    let error = desk.post_text(r#"{"agent_id":"b","event_type":"note"}"#).unwrap_err();
    assert_eq!(error.code, Code::TownUnavailable);
    desk.rig.adopt(position(1)).unwrap();
    desk.post_text(&mebibyte).unwrap();
    assert_eq!(desk.post_text(&mebibyte).unwrap_err().code, Code::TownUnavailable);
}

#[test]
fn batches_follow_the_towns_cursor() {
    let desk = Desk::new();
    assert!(desk.rig.next_batch().unwrap().is_none());
    desk.notes("a", 300);
    desk.notes("b", 300);
    let batch = desk.rig.next_batch().unwrap().unwrap();
    assert_eq!((batch.events.len(), ids(&batch.events)[499]), (500, 500));
    assert_eq!(ids(&desk.rig.next_batch().unwrap().unwrap().events).len(), 500, "until it is taken");
    desk.rig.adopt(position(500)).unwrap();
    let batch = desk.rig.next_batch().unwrap().unwrap();
    assert_eq!((batch.after, batch.events.len()), (position(500), 100));
    desk.rig.adopt(position(450)).unwrap();
    assert_eq!(desk.rig.next_batch().unwrap().unwrap().after, position(450), "the town's word counts, also backwards");
    desk.rig.adopt(position(9_999)).unwrap();
    assert!(desk.rig.next_batch().unwrap().is_none());
    desk.notes("a", 1);
    assert_eq!(ids(&desk.rig.next_batch().unwrap().unwrap().events), [601], "a cursor beyond the head is the head");
}

#[test]
fn large_events_go_a_few_at_a_time_and_only_these_are_read() {
    let desk = Desk::new();
    let data = "x".repeat(1_000_000);
    for _ in 0..12 {
        desk.post(&json!({"agent_id": "a", "event_type": "note", "data": data}));
    }
    let batch = desk.rig.next_batch().unwrap().unwrap();
    assert_eq!(ids(&batch.events), [1, 2]);
    let body = serde_json::to_string(&batch).unwrap();
    assert!(body.len() < townwatch_protocol::limits::BODY_BYTES_MAX);
    assert_eq!(ids(&desk.rig.events(&agent("a"), position(0), 1_000).unwrap()).len(), 8, "a page has 8 MiB");
    assert_eq!(ids(&desk.rig.events(&agent("a"), position(8), 1_000).unwrap()), [9, 10, 11, 12]);
}

#[test]
fn any_time_that_can_be_written_can_be_read() {
    let desk = Desk::new();
    for at in ["1969-12-31T23:59:59.999Z", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59Z"] {
        desk.post(&json!({"agent_id": "a", "event_type": "note", "at": at}));
    }
    // Beyond the years of RFC 3339 once in UTC.
    for at in ["9999-12-31T23:59:59-23:59", "0000-01-01T00:00:00+23:59"] {
        desk.post(&json!({"agent_id": "a", "event_type": "note", "at": at}));
    }
    let events = desk.rig.next_batch().unwrap().unwrap().events;
    let times: Vec<_> = events.iter().map(|event| event.at.to_string()).collect();
    let now = desk.now.to_string();
    let expected = [
        "1969-12-31T23:59:59.999Z",
        "0000-01-01T00:00:00.000Z",
        now.as_str(), // a clock that is ahead says when it arrived
        "1970-01-01T00:00:00.000Z",
        "1970-01-01T00:00:00.000Z",
    ];
    assert_eq!(times, expected);
    for time in times {
        assert_eq!(Timestamp::parse(&time).unwrap().to_string(), time);
    }
}

#[test]
fn a_post_costs_the_same_whatever_the_rig_keeps() {
    let cost = |event_cap: u64| {
        let desk = Desk::capped(event_cap);
        desk.notes("b", 400);
        for _ in 0..event_cap / 50 {
            desk.notes("a", 50);
        }
        desk.rig.adopt(position(10_000)).unwrap();
        desk.notes("a", 1);
        let (statements, steps, rows) = (desk.store.statements(), desk.store.steps(), desk.store.rows_changed());
        desk.notes("a", 10);
        desk.rig.adopt(position(10_000)).unwrap();
        let cost = (desk.store.statements() - statements, desk.store.steps() - steps, desk.store.rows_changed() - rows);
        assert_eq!(desk.number("SELECT count(*) FROM agent_events WHERE agent_id = 'a'"), event_cap);
        cost
    };
    let (statements, steps, rows) = cost(50);
    assert_eq!(rows, 10 + 2, "each event's row, the agent's counts, and what the town has");
    let (more_statements, more_steps, _) = cost(2_000);
    assert_eq!(more_statements, statements);
    assert!(more_steps <= steps + steps / 10, "{steps} steps where 50 are kept, {more_steps} where 2,000 are");
}

#[test]
fn what_waits_is_counted_in_both_directions() {
    let desk = Desk::new();
    for data in ["x", "xx", "xxx", "xxxx"] {
        desk.post(&json!({"agent_id": "a", "event_type": "note", "data": data}));
    }
    let waiting = |cursor| {
        desk.rig.adopt(position(cursor)).unwrap();
        let waiting = desk.rig.waiting().unwrap();
        (waiting.events, waiting.bytes)
    };
    // Two quotes each.
    assert_eq!(
        [waiting(1), waiting(3), waiting(2), waiting(4), waiting(0)],
        [(3, 15), (1, 6), (2, 11), (0, 0), (4, 18)]
    );
}

#[test]
fn what_waits_is_counted_anew_where_another_instance_opens_the_rig() {
    let desk = Desk::new();
    desk.notes("a", 3);
    desk.rig.adopt(position(1)).unwrap();
    let refused = desk.post_text(&json!({"agent_id": "b", "event_type": "agent.exited", "data": {}}).to_string());
    refused.unwrap_err();
    let waiting = desk.rig.waiting().unwrap();
    assert_eq!((waiting.events, waiting.bytes), (2, 8), "null and null");
    let store = Rc::clone(&desk.store) as Rc<dyn Store>;
    assert_eq!(Rig::open(store, EVENT_CAP).unwrap().unwrap().waiting().unwrap(), waiting);
}

#[test]
fn a_refused_post_costs_no_look_at_all_that_waits() {
    let desk = Desk::capped(2_000);
    desk.notes("a", 400);
    let refused = || {
        let before = desk.store.steps();
        let body = json!({"agent_id": "nobody", "event_type": "note"}).to_string();
        assert_eq!(desk.post_text(&body).unwrap_err().code, Code::NotFound);
        desk.store.steps() - before
    };
    let once = refused();
    desk.notes("a", 1);
    assert_eq!(refused(), once);
    assert!(once < 200, "{once} steps");
}

#[test]
fn ids_that_went_with_a_deleted_agent_are_not_waited_for() {
    let desk = Desk::new();
    desk.notes("a", 2);
    desk.notes("b", 3);
    desk.rig.adopt(position(5)).unwrap();
    desk.rig.forget(&agent("b")).unwrap();
    // The answer to a batch of before comes late.
    desk.rig.adopt(position(2)).unwrap();
    assert!(desk.rig.next_batch().unwrap().is_none());
    assert_eq!(desk.rig.waiting().unwrap().events, 0);
    assert_eq!(desk.post(&json!({"agent_id": "a", "event_type": "note"})).2, 6);
    assert_eq!(desk.rig.next_batch().unwrap().unwrap().after, position(5));
}

#[test]
fn a_post_needs_few_statements_however_many_events_it_has() {
    let desk = Desk::capped(2_000);
    let cost = |count: usize| {
        let events: Vec<Json> =
            (0..count).map(|index| json!({"event_type": "note", "event_id": format!("{count}-{index}")})).collect();
        let before = desk.store.statements();
        desk.post(&json!({"agent_id": "a", "events": events}));
        desk.store.statements() - before
    };
    cost(2);
    // The agent, its keys, its counts, and a statement for each 14 events.
    assert_eq!([cost(1), cost(14), cost(100)], [4, 4, 3 + 8]);
}

#[test]
fn an_event_id_given_twice_in_one_post_is_stored_once() {
    let desk = Desk::new();
    let keyed = |key: &str| json!({"event_type": "note", "event_id": key});
    let body = json!({"agent_id": "a", "events": [keyed("k"), keyed("l"), keyed("k")]});
    assert_eq!(desk.post(&body), (2, 1, 2));
    desk.rig.adopt(position(2)).unwrap();
    desk.notes("a", 3);
    // The keys that go with this very post are known in it.
    desk.rig.adopt(position(5)).unwrap();
    let body = json!({"agent_id": "a", "events": [keyed("m"), keyed("n"), keyed("k")]});
    assert_eq!(desk.post(&body), (2, 1, 7));
}

#[test]
fn a_post_is_stored_without_secrets_and_else_byte_for_byte() {
    let redactor = Rc::new(Redactor::new(SecretValues::default()).unwrap());
    let token = format!("ghp_{}", "q7Xc2LmZ9aTf4RkV0bNw8JyH3sPd6GuE1oQx");
    let with_secrets = format!(r#"{{ "text":"a {token}\n" , "{token}":1.50,"at":"https://me:hunter2@example.org/" }}"#);
    let clean = r#"{ "text":"a ‹redacted:github_token›\n" , "‹redacted:github_token›":1.50,"at":"https://me:‹redacted:password›@example.org/" }"#;
    let plain = r#"{ "n" : 12345678901234567890123, "x":1.50, "s":"\ud800 A\/" }"#;
    for (redactor, expected) in [(Some(redactor), clean), (None, with_secrets.as_str())] {
        let desk = Desk::new();
        let desk = Desk { rig: desk.rig.redacting(redactor), ..desk };
        for (data, stored) in [(with_secrets.as_str(), expected), (plain, plain)] {
            let body = format!(r#"{{"agent_id":"a","event_type":"note","event_id":"{}","data":{data}}}"#, data.len());
            let receipt = desk.post_text(&body).unwrap();
            assert_eq!((receipt.appended, receipt.duplicates), (1, 0));
            let again = desk.post_text(&body).unwrap();
            assert_eq!((again.appended, again.duplicates), (0, 1), "a repeat is still one");
            let last = desk.rig.next_batch().unwrap().unwrap().events.pop().unwrap();
            assert_eq!(last.data.get(), stored);
        }
        let bytes = (expected.len() + plain.len()) as u64;
        assert_eq!(desk.number("SELECT event_bytes FROM agents WHERE agent_id = 'a'"), bytes, "as they lie there");
    }
}

#[test]
fn a_post_that_grows_beyond_its_bound_without_its_secrets_is_refused() {
    let desk = Desk::new();
    let redactor = Rc::new(Redactor::new(SecretValues::default()).unwrap());
    let desk = Desk { rig: desk.rig.redacting(Some(redactor)), ..desk };
    let body = json!({"agent_id": "a", "event_type": "note", "data": "://a:bcd@e ".repeat(90_000)});
    let refusal = desk.post_text(&body.to_string()).unwrap_err();
    assert_eq!(refusal.code, Code::TooLarge);
    assert!(refusal.message.starts_with("data: "), "{}", refusal.message);
}
