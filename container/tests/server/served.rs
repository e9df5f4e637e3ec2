//! Agents that are servers, where the server does not do what it should. What a real one does is tested with recordings
//! and with the programs themselves, in `tests/live`.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::common::{Server, lives, texts, until};

/// A control server that finds this shell script as `opencode`.
fn with_opencode(name: &str, script: &str) -> Server {
    let dir: PathBuf = std::env::temp_dir().join(format!("townwatch-test-served-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let program = dir.join("opencode");
    std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", dir.display(), std::env::var("PATH").unwrap());
    Server::start_with(&[("PATH", &path)])
}

fn order(more: &Value) -> Value {
    let mut order = json!({"runtime": "opencode", "prompt": "x"});
    order.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    order
}

#[test]
fn a_server_that_ends_by_itself_is_a_failed_run_with_its_last_words() {
    let server = with_opencode("ends", "echo 'no such config' >&2; exit 3");
    assert_eq!(server.order("a", "r", order(&json!({}))).0, 200);
    let (events, exit) = server.ended("a");
    let message = "the server of opencode ended by itself with exit status: 3: no such config";
    assert_eq!(exit, json!({"reason": "failed", "message": message}));
    assert_eq!(texts(&events, "stderr"), ["no such config"]);
}

#[test]
fn a_server_that_says_nothing_is_stopped_or_late_with_all_that_it_started() {
    let script = "sh -c 'trap \"\" TERM; echo $$ >&2; sleep 300' & trap '' TERM; sleep 300; sleep 300";
    let server = with_opencode("ignores", script);
    server.order("a", "r", order(&json!({})));
    let grandchild = texts(&server.events_until("a", |event| event["event"] == "agent_output"), "stderr").remove(0);
    let begun = Instant::now();
    let (status, body) = server.post("/agents/a/answer", r#"{"request_id":"q","answer":"once","by":"operator"}"#);
    assert_eq!((status, &body["error"]["code"]), (409, &json!("conflict")), "it is not up");
    server.post("/agents/a/stop", "");
    let (_, exit) = server.ended("a");
    assert_eq!(exit, json!({"reason": "stopped", "message": "it was stopped with SIGKILL"}));
    assert!(begun.elapsed() < Duration::from_secs(18), "{:?}", begun.elapsed());
    until("the grandchild is gone", || !lives(&grandchild));
    let (status, body) = server.post("/agents/a/message", r#"{"prompt":"still there?"}"#);
    assert_eq!((status, &body["error"]["code"]), (409, &json!("conflict")), "{body}");
}

#[test]
fn a_server_elsewhere_is_not_believed_and_a_late_one_is_a_timeout() {
    let server = with_opencode("elsewhere", "echo 'listening on http://192.0.2.1:80'; exec sleep 300");
    server.order("a", "r", order(&json!({"timeout_seconds": 1})));
    let (events, exit) = server.ended("a");
    assert_eq!(exit, json!({"reason": "timeout", "message": "it took longer than it was given"}));
    let statuses: Vec<_> = events.iter().filter_map(|event| event["data"]["status"].as_str()).collect();
    assert_eq!(statuses, ["running", "stopping"]);
}

#[test]
fn a_bad_order_is_refused_by_the_name_of_its_field() {
    let server = with_opencode("orders", "exit 1");
    for (more, field) in [
        (json!({"prompt": " "}), "prompt"),
        (json!({"prompt": "x".repeat((256 << 10) + 1)}), "prompt"),
        (json!({"model": "claude-opus-4"}), "model"),
        (json!({"model": "/x"}), "model"),
    ] {
        let (status, body) = server.order("a", "r", order(&more));
        assert_eq!((status, &body["error"]["details"]["field"]), (400, &json!(field)), "{body}");
    }
}

#[test]
fn an_agent_that_takes_no_messages_and_asks_nothing_says_so() {
    let server = Server::start();
    server.shell("a", "sleep 300");
    for (path, body, reason) in [
        ("message", r#"{"prompt":"x"}"#, "takes no messages while it runs"),
        ("answer", r#"{"request_id":"q","answer":"once","by":"operator"}"#, "asks no questions"),
    ] {
        let (status, answer) = server.post(&format!("/agents/a/{path}"), body);
        assert_eq!((status, &answer["error"]["code"]), (409, &json!("not_supported_by_runtime")), "{path}");
        assert!(answer["error"]["message"].as_str().unwrap().contains(reason), "{answer}");
        assert_eq!(server.post(&format!("/agents/nobody/{path}"), body).0, 404);
    }
    for (path, body) in [
        ("message", r#"{"prompt":" "}"#),
        ("answer", r#"{"request_id":"q","answer":"perhaps","by":"operator"}"#),
        ("answer", r#"{"answer":"once","by":"operator"}"#),
    ] {
        assert_eq!(server.post(&format!("/agents/a/{path}"), body).0, 400, "{body}");
    }
    let long = json!({"prompt": "x".repeat((256 << 10) + 1)}).to_string();
    assert_eq!(server.post("/agents/a/message", &long).1["error"]["details"]["field"], "prompt");
}
