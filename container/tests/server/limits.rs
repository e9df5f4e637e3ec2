//! What a control server takes on, and what one run may use.

use serde_json::{Value, json};

use crate::common::{Server, texts};

/// Starts a shell script; the answer.
fn start(server: &Server, agent: &str, script: &str) -> (u16, Value) {
    let order = json!({"runtime": "process", "command": ["sh", "-c", script]});
    server.order(agent, &format!("run-of-{agent}"), order)
}

/// What a person is told of a refusal.
fn words(answer: &(u16, Value)) -> &str {
    assert_eq!((answer.0, &answer.1["error"]["code"]), (429, &json!("rate_limited")), "{answer:?}");
    answer.1["error"]["message"].as_str().unwrap()
}

#[test]
fn so_many_runs_are_open_at_once_and_one_more_is_refused_until_one_has_ended() {
    let server = Server::start_with(&[("CONTROL_RUNS_MAX", "2")]);
    assert_eq!(server.get("/health").1["runs"]["max"], 2);
    for agent in ["one", "two"] {
        assert_eq!(start(&server, agent, "exec sleep 300").0, 200);
    }
    let refusal = start(&server, "three", "true");
    assert!(words(&refusal).contains("has 2 runs open") && words(&refusal).contains("CONTROL_RUNS_MAX"), "{refusal:?}");
    assert_eq!(server.get("/agents/three/status").0, 404, "nothing is left of it");
    assert_eq!(start(&server, "two", "exec sleep 300").0, 200, "a repeat is no further run");
    server.post("/agents/one/stop", "");
    server.ended("one");
    assert_eq!(start(&server, "three", "true").0, 200);
    assert_eq!(server.ended("three").1["reason"], "completed");
}

#[test]
fn nothing_starts_on_a_disk_that_is_nearly_full() {
    let server = Server::start_with(&[("CONTROL_DISK_FREE_MIN_BYTES", "9007199254740991")]);
    let refusal = start(&server, "a", "true");
    assert!(words(&refusal).contains("CONTROL_DISK_FREE_MIN_BYTES"), "{refusal:?}");
    assert!(server.get("/health").1["disk_free_bytes"].as_u64().unwrap() > 0);
}

#[test]
fn a_file_of_a_run_grows_to_its_bound_and_the_end_says_so() {
    let server = Server::start_with(&[("CONTROL_RUN_FILE_BYTES_MAX", "134217728")]);
    for (agent, script) in
        [("itself", "exec truncate -s 134217729 file"), ("its-child", "(truncate -s 134217729 file; exit $?); exit $?")]
    {
        start(&server, agent, script);
        let (_, exit) = server.ended(agent);
        let message = exit["message"].as_str().unwrap();
        assert!(message.contains("a run's file may have 134217728 bytes (CONTROL_RUN_FILE_BYTES_MAX)"), "{message}");
    }
    start(&server, "within", "truncate -s 134217728 file && ulimit -f");
    let (events, exit) = server.ended("within");
    assert_eq!(exit["reason"], "completed", "{events:?}");
}

#[test]
fn agents_die_before_the_server_when_memory_is_short() {
    let server = Server::start();
    start(&server, "a", "sleep 0.2; cat /proc/self/oom_score_adj");
    let score = |text: &str| text.trim().parse::<i32>().unwrap();
    let of_agent = score(&texts(&server.ended("a").0, "stdout")[0]);
    let of_server = score(&std::fs::read_to_string(format!("/proc/{}/oom_score_adj", server.child.id())).unwrap());
    assert!(of_agent >= of_server + 500, "{of_agent} and {of_server}");
}
