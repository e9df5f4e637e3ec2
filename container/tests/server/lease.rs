//! A town that asks no more has its runs ended.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::common::{Server, lives, texts, until};

const LEASE: [(&str, &str); 1] = [("CONTROL_LEASE_SECONDS", "2")];

#[test]
fn a_run_that_nobody_asks_about_is_ended_with_the_reason() {
    let (server, log) = Server::start_logged(&LEASE);
    server.shell("a", "trap '' TERM; sh -c 'trap \"\" TERM; echo $$; while :; do sleep 1; done' & wait");
    let events = server.events_until("a", |event| event["event"] == "agent_output");
    let process = texts(&events, "stdout").remove(0);
    let begun = Instant::now();
    until("the run ends", || !log("run_ended").is_empty());
    assert!(begun.elapsed() > Duration::from_millis(1_900), "{:?}", begun.elapsed());
    assert!(!lives(&process));
    let over = log("lease_over");
    assert_eq!(over.len(), 1, "it is said once: {over:?}");
    assert_eq!((&over[0]["run_ids"], &over[0]["unasked_seconds"]), (&json!(["run-of-a"]), &json!(2)));
    let (_, exit) = server.ended("a");
    assert_eq!(exit["reason"], "stopped");
    assert_eq!(exit["message"], "it was stopped because its town had not asked about it for 2 seconds");
}

#[test]
fn whoever_asks_keeps_a_run_and_a_stop_is_told_as_one() {
    let (server, log) = Server::start_logged(&LEASE);
    server.shell("a", "sleep 300");
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(5) {
        server.get("/events?limit=1");
        std::thread::sleep(Duration::from_millis(200));
    }
    assert!(log("lease_over").is_empty() && log("run_ended").is_empty());
    server.post("/agents/a/stop", "");
    assert_eq!(server.ended("a").1["message"], "it was stopped");
}
