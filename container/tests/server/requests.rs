//! Who may ask, and what a wrong request is told.

use std::process::Command;

use serde_json::json;
use townwatch_protocol::body::parse_body;
use townwatch_protocol::limits::BATCH_EVENTS_MAX;
use townwatch_protocol::query::Query;
use townwatch_protocol::wire::MessageAgent;

use crate::common::{Server, signed};

#[test]
fn every_call_names_its_town() {
    let server = Server::start();
    let [(authorization, signature), _] = signed("GET", "/events", "");
    for path in ["/events", "/health", "/no/such/route"] {
        let (status, body) = server.with_headers(path, &[(authorization, &signature)]);
        assert_eq!((status, &body["error"]["details"]["field"]), (400, &json!("Townwatch-Town")), "{path}");
    }
    let (status, _) = server.with_headers("/events", &[(authorization, &signature), ("Townwatch-Town", "a/b")]);
    assert_eq!(status, 400);
}

#[test]
fn it_says_how_it_is_and_what_it_can_run() {
    let server = Server::start();
    let (status, health) = server.get("/health");
    assert_eq!((status, &health["status"], &health["agents"]), (200, &json!("ok"), &json!(0)));
    assert_eq!(health["agents_apart"], false, "they run as its own user");
    let runtimes = health["runtimes"].as_array().unwrap();
    assert_eq!(runtimes[0]["name"], "claude_code");
    assert_eq!(runtimes[0]["install"], "npm install -g @anthropic-ai/claude-code");
    assert!(runtimes.iter().any(|runtime| runtime["name"] == "replay" && runtime["found"] == true));
}

#[test]
fn a_bad_number_is_refused_by_its_name() {
    let server = Server::start();
    for (path, field) in [
        ("/events?after=x", "after"),
        ("/events?after=-1", "after"),
        ("/events?after=9007199254740992", "after"),
        ("/events?ack=yes", "ack"),
        ("/events?wait_ms=30001", "wait_ms"),
        ("/events?wait_ms=1.5", "wait_ms"),
        ("/events?limit=0", "limit"),
        ("/events?limit=501", "limit"),
        ("/agents/a/events?after=", "after"),
        ("/events?after=1&after=2", "after"),
        ("/events?epoch=a&epoch=b", "epoch"),
        ("/agents/a/events?limit=1&limit=1", "limit"),
    ] {
        let (status, body) = server.get(path);
        assert_eq!((status, &body["error"]["details"]["field"]), (400, &json!(field)), "{path}");
        assert_eq!(body["success"], false);
    }
}

#[test]
fn a_wrong_request_is_refused_in_the_words_of_the_worker() {
    let server = Server::start();
    let told = |body: &serde_json::Value| body["error"]["message"].as_str().unwrap().to_owned();
    for body in ["", "{", "[]", "[1]", "{}", r#"{"prompt":1}"#, r#"{"prompt":"a","prompt":"b"}"#, r#"{"prompt":"x"} y"#]
    {
        let (status, answer) = server.post("/agents/a/message", body);
        let worker = parse_body::<MessageAgent>(body.as_bytes()).unwrap_err();
        assert_eq!((status, told(&answer)), (400, worker.message), "{body}");
    }
    for query in ["limit=0", "limit=x", "limit=1&limit=1"] {
        let worker = Query::parse(query).number("limit", 1, BATCH_EVENTS_MAX as u64).unwrap_err();
        let (status, answer) = server.get(&format!("/events?{query}"));
        assert_eq!((status, told(&answer)), (400, worker.message), "{query}");
    }
    assert_eq!(told(&server.post("/agents/a/message", "{}").1), "prompt: is missing");
    assert_eq!(told(&server.get("/events?limit=0").1), "limit: expected an integer from 1 to 500");
    assert_eq!(server.post("/agents/a/stop", " ").1, json!({"stopped": true}), "its body may be left out");
}

#[test]
fn a_bad_order_is_refused_by_the_name_of_its_field() {
    let server = Server::start();
    for (order, field) in [
        (json!({}), "runtime"),
        (json!({"runtime": "abacus"}), "runtime"),
        (json!({"runtime": "process"}), "command"),
        (json!({"runtime": "process", "command": []}), "command"),
        (json!({"runtime": "process", "command": ["a\u{0}b"]}), "command"),
        (json!({"runtime": "process", "command": "ls"}), "command"),
        (json!({"runtime": "process", "command": ["ls"], "run_id": "a b"}), "run_id"),
        (json!({"runtime": "process", "command": ["ls"], "timeout_seconds": -1}), "timeout_seconds"),
        (json!({"runtime": "process", "command": ["ls"], "timeout_seconds": 0}), "timeout_seconds"),
        (json!({"runtime": "process", "command": ["ls"], "timeout_seconds": 604_801}), "timeout_seconds"),
        (json!({"runtime": "process", "command": ["ls"], "env_vars": {"A=B": "x"}}), "env_vars.A=B"),
        (json!({"runtime": "replay"}), "transcript"),
        (json!({"runtime": "replay", "transcript": "no-such"}), "transcript"),
        (json!({"runtime": "replay", "transcript": "demo", "speed": -1}), "speed"),
    ] {
        let (status, body) = server.order("a", "r", order.clone());
        assert_eq!((status, &body["error"]["details"]["field"]), (400, &json!(field)), "{order} {body}");
    }
    assert_eq!(server.post("/agents/start", "{").0, 400);
    let (status, body) = server.order("a", "r", json!({"runtime": "replay", "transcript": "no-such"}));
    assert!(status == 400 && body["error"]["message"].as_str().unwrap().contains("volume320"));
    assert_eq!(server.get("/agents/a/status").0, 404, "nothing was started");
}

#[test]
fn a_program_that_is_not_installed_is_named_with_what_installs_it() {
    let server = Server::start_with(&[("PATH", "/nowhere")]);
    for (runtime, install) in [
        ("claude_code", "npm install -g @anthropic-ai/claude-code"),
        ("codex", "npm install -g @openai/codex"),
        ("gemini", "npm install -g @google/gemini-cli"),
        ("opencode", "npm install -g opencode-ai"),
        ("kilo", "npm install -g @kilocode/cli"),
    ] {
        let (status, body) = server.order("a", "r", json!({"runtime": runtime, "prompt": "x"}));
        assert_eq!((status, &body["error"]["code"]), (409, &json!("not_supported_by_runtime")));
        assert!(body["error"]["message"].as_str().unwrap().contains(install), "{body}");
    }
}

#[test]
fn other_routes_and_methods_get_the_envelope() {
    let server = Server::start();
    assert_eq!(server.get("/nowhere").1["error"]["code"], "not_found");
    let (status, body) = server.post("/events", "");
    assert_eq!((status, &body["error"]["code"]), (405, &json!("method_not_allowed")));
    let (status, body) = server.post("/agents/start", &"x".repeat((4 << 20) + 1));
    assert_eq!((status, &body["error"]["code"]), (413, &json!("too_large")));
    assert_eq!(server.post("/agents/nobody/message", r#"{"prompt":"x"}"#).0, 404);
    assert_eq!(server.post("/agents/nobody/stop", "").1, json!({"stopped": true}));
    let (status, body) = server.post("/agents/nobody/stop", r#"{"run_id":"under-way"}"#);
    assert_eq!((status, &body["error"]["message"]), (404, &json!("no such run")), "its start may arrive behind this");
    assert_eq!(server.get("/agents/nobody/events").1["events"], json!([]));
}

#[test]
fn it_does_not_start_without_a_key() {
    for key in [None, Some(""), Some("changeme")] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_townwatch-control"));
        command.env_remove("CONTROL_PUBLIC_KEY").env("CONTROL_PORT", "0").env("CONTAINER_TOKEN", "k3y-of-the-tests");
        command.envs(key.map(|key| ("CONTROL_PUBLIC_KEY", key)));
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&output.stderr).contains("CONTROL_PUBLIC_KEY"));
    }
}
