//! What the town's relay relies on: order, epochs, acknowledgement, waiting.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use townwatch_protocol::wire::ControlEvents;

use crate::common::Server;

fn replay(transcript: &str) -> Value {
    json!({"runtime": "replay", "transcript": transcript, "speed": 0})
}

#[test]
fn a_recording_becomes_events_in_order_with_one_end() {
    let server = Server::start();
    let (status, started) = server.order("a", "run", replay("demo"));
    assert_eq!((status, &started["run_id"]), (200, &json!("run")));
    let (events, exit) = server.ended("a");
    assert_eq!(exit, json!({"reason": "completed", "exit_code": 0}));
    let ids: Vec<_> = events.iter().map(|event| event["id"].as_u64().unwrap()).collect();
    assert_eq!(ids, (1..=events.len() as u64).collect::<Vec<_>>());
    assert_eq!((&events[0]["event"], &events[2]["event"]), (&json!("agent_session"), &json!("agent_session")));
    assert_eq!(events[1]["data"], json!({"status": "running"}));
    let (_, page) = server.get("/events");
    assert_eq!(page["epoch"], started["epoch"]);
    let page: ControlEvents = serde_json::from_value(page).unwrap();
    assert_eq!((page.oldest.get(), page.head.get()), (1, events.len() as u64));
    let (_, status) = server.get("/agents/a/status");
    assert_eq!((&status["status"], &status["exit"]["reason"]), (&json!("exited"), &json!("completed")));
    assert_eq!(server.post("/agents/a/stop", "{}").1, json!({"stopped": true}));
    assert_eq!(server.events_of("a").len(), events.len(), "to stop what has ended changes nothing");
}

#[test]
fn recordings_of_failures_fail() {
    let server = Server::start();
    for (transcript, exit_code) in [("err400", 1), ("abort-sigterm", 143), ("abort-in-tool-sigint", 0)] {
        assert_eq!(server.order(transcript, transcript, replay(transcript)).0, 200);
        let (_, exit) = server.ended(transcript);
        assert_eq!((&exit["reason"], &exit["exit_code"]), (&json!("failed"), &json!(exit_code)), "{transcript}");
    }
}

#[test]
fn a_start_is_idempotent_on_its_run_and_an_agent_has_one_open_run() {
    let server = Server::start();
    let sleep = json!({"runtime": "process", "command": ["sleep", "60"]});
    let first = server.order("a", "one", sleep.clone());
    assert_eq!(server.order("a", "one", sleep.clone()), first);
    let (status, body) = server.order("a", "two", sleep.clone());
    assert_eq!((status, &body["error"]["code"]), (409, &json!("already_running")));
    server.post("/agents/a/stop", r#"{"signal":"SIGKILL"}"#);
    server.ended("a");
    assert_eq!(server.order("a", "one", sleep).0, 200);
    assert_eq!(server.order("a", "two", replay("demo")).0, 200);
    let end_of_two = |event: &Value| event["event"] == "agent.exited" && event["run_id"] == "two";
    let events = server.events_until("a", end_of_two);
    assert_eq!(events.iter().filter(|event| event["event"] == "agent.exited").count(), 2);
}

#[test]
fn a_start_right_behind_a_stop_waits_for_its_end() {
    let server = Server::start();
    let slow = json!({"runtime": "process", "command": ["sh", "-c", "trap 'sleep 1; exit 3' TERM; echo up; while :; do sleep 0.05; done"]});
    server.order("a", "one", slow);
    server.events_until("a", |event| event["data"]["text"] == "up");
    server.post("/agents/a/stop", "{}");
    assert_eq!(server.order("a", "two", replay("demo")).0, 200);
    let events = server.events_until("a", |event| event["event"] == "agent.exited" && event["run_id"] == "two");
    let runs: Vec<&str> = events.iter().map(|event| event["run_id"].as_str().unwrap()).collect();
    assert!(runs.is_sorted(), "nothing of the first is behind the beginning of the second: {runs:?}");
}

#[test]
fn a_waiting_request_is_answered_as_soon_as_something_happens() {
    let server = Server::start();
    let epoch = server.epoch();
    let begun = Instant::now(); // a thread may take its time to start
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            let (_, page) = server.get(&format!("/events?epoch={epoch}&after=0&wait_ms=20000"));
            (begun.elapsed(), page)
        });
        std::thread::sleep(Duration::from_millis(200));
        server.shell("a", "sleep 5");
        let (waited, page) = waiting.join().unwrap();
        assert!((200..2000).contains(&waited.as_millis()), "{waited:?}");
        assert_eq!(page["events"][0]["data"]["text"], "sh -c 'sleep 5'");
    });
    server.events_until("a", |event| event["data"]["status"] == "running");
    let after = server.get("/events").1["head"].clone();
    let begun = Instant::now();
    let (_, page) = server.get(&format!("/events?epoch={epoch}&after={after}&wait_ms=300"));
    assert_eq!(page["events"], json!([]));
    assert!((300..1500).contains(&begun.elapsed().as_millis()), "nothing happened, so it waited");
}

#[test]
fn a_cursor_of_another_epoch_acknowledges_nothing_and_is_answered_at_once() {
    let server = Server::start();
    let begun = Instant::now();
    let (_, page) = server.get("/events?epoch=of-before&after=7&ack=1&wait_ms=20000");
    assert_eq!((&page["head"], &page["oldest"], &page["events"]), (&json!(0), &json!(1), &json!([])));
    assert!(begun.elapsed() < Duration::from_secs(2));
    server.shell("a", "seq 600");
    server.settled("a");
    for query in ["epoch=of-before&after=602&ack=1", "after=602&ack=1"] {
        let (_, page) = server.get(&format!("/events?{query}"));
        assert_eq!((&page["oldest"], &page["events"][0]["id"]), (&json!(1), &json!(1)), "{query}");
    }
}

#[test]
fn acknowledged_events_go_but_the_latest_500() {
    let server = Server::start();
    server.shell("a", "seq 1000");
    server.settled("a");
    let epoch = server.epoch();
    let (mut after, mut texts) = (0, Vec::new());
    loop {
        let (_, page) = server.get(&format!("/events?epoch={epoch}&after={after}&ack=1"));
        let events = page["events"].as_array().unwrap();
        assert!(events.len() <= 500);
        let Some(last) = events.last() else { break };
        after = last["id"].as_u64().unwrap();
        texts.extend(crate::common::texts(events, "stdout"));
    }
    assert_eq!(texts, (1..=1000).map(|number| number.to_string()).collect::<Vec<_>>());
    let (_, page) = server.get(&format!("/events?epoch={epoch}&after=0"));
    assert_eq!(page["oldest"], after - 499);
    assert_eq!(server.events_of("a").len(), 500);
    assert_eq!(server.get(&format!("/agents/a/events?after={}", after - 1)).1["events"].as_array().unwrap().len(), 1);
}

#[test]
fn towns_know_nothing_of_each_other() {
    let server = Server::start();
    server.shell("a", "echo here");
    server.ended("a");
    let headers = crate::common::signed_by("other", "GET", "/events", "");
    let (_, other) = server.with_headers("/events", &headers.each_ref().map(|(name, value)| (*name, value.as_str())));
    assert_eq!((&other["head"], &other["events"]), (&json!(0), &json!([])));
    assert_ne!(other["epoch"], server.epoch());
}

#[test]
fn an_answer_is_bounded_in_bytes() {
    let server = Server::start();
    server.shell("a", "for i in 1 2 3 4 5 6; do head -c 900000 /dev/zero | tr '\\0' x; echo; done");
    server.settled("a");
    let (_, page) = server.get("/events");
    assert!(page.to_string().len() <= 4 << 20);
    assert_eq!(page["events"].as_array().unwrap().len(), 7); // the command, where, `running` and four lines
}
