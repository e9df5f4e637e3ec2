//! How long an agent worked and how long it waited for a person, and that no clock makes either of them nonsense.

use serde_json::{Value as Json, json};
use townwatch_protocol::time::Timestamp;

use crate::reduced::Agent;

/// Seconds at work, seconds of waiting, and whether it is at work.
fn time(state: &Json) -> (u64, u64, bool) {
    let seconds = |name: &str| state[name].as_u64().unwrap() / 1_000;
    (seconds("worked_ms"), seconds("waited_ms"), state["working_since"].is_string())
}

#[test]
fn between_turns_nobody_works() {
    let mut agent = Agent::at_work();
    agent.calls("t1", "Bash");
    assert_eq!(time(&agent.gets("t1")), (0, 0, true));
    assert_eq!(time(&agent.is("waiting")), (3, 0, false));
    agent.skew_seconds = 3_600;
    agent.stored();
    assert_eq!(time(&agent.is("running")), (3, 3_601, true));
    assert_eq!(time(&agent.does("agent.exited", &json!({"reason": "completed"}))), (4, 3_601, false));
}

#[test]
fn a_question_stops_the_work_unless_other_work_goes_on() {
    let mut agent = Agent::at_work();
    agent.calls("t1", "Bash");
    assert!(!time(&agent.asks("q1", &json!({"tool_use_id": "t1"}))).2);
    agent.is("waiting");
    assert!(time(&agent.calls("t2", "Read")).2, "another call runs beside it");
    assert!(!time(&agent.gets("t2")).2);
    assert!(time(&agent.is_answered("q1")).2);
    agent.gets("t1");
    // A sub-agent asks while another works.
    agent.calls("a", "Task");
    agent.calls("b", "Task");
    assert!(time(&agent.asks("q2", &json!({"parent_tool_use_id": "a"}))).2);
    assert!(!time(&agent.gets("b")).2, "now the one that asks is all that is open");
    agent.leaves_running("bg", "command", None);
    assert!(time(&agent.is("running")).2, "a command in the background");
    agent.does("agent.exited", &json!({"reason": "stopped"}));
    // A question without a call, of an agent that posts.
    let mut agent = Agent::at_work();
    assert!(!time(&agent.asks("q", &json!({}))).2);
    assert!(time(&agent.is_answered("q")).2);
}

#[test]
fn waiting_until_the_end_is_waiting() {
    let mut agent = Agent::at_work();
    agent.is("waiting");
    agent.skew_seconds = 300;
    let state = agent.does("agent.exited", &json!({"reason": "completed"}));
    assert_eq!(time(&state), (1, 301, false));
    assert_eq!(
        (&state["started_at"], &state["ended_at"]),
        (&json!("1970-01-01T00:00:01.000Z"), &json!("1970-01-01T00:05:03.000Z"))
    );
}

#[test]
fn a_clock_that_is_set_back_makes_no_time_run_backwards() {
    let mut agent = Agent::new();
    agent.skew_seconds = 7_200;
    agent.is("running");
    agent.skew_seconds = 0;
    let state = agent.calls("t1", "Bash");
    assert_eq!(state["outstanding_tool_calls"][0]["since"], state["started_at"]);
    agent.is("waiting");
    let state = agent.does("agent.exited", &json!({"reason": "completed"}));
    assert_eq!(time(&state), (0, 0, false));
    assert_eq!((&state["ended_at"], &state["last_event_at"]), (&state["started_at"], &state["started_at"]));
    // The next run has the clock as it is then.
    let at = agent.happens(2, "agent.status", &json!({"status": "running"})).started_at;
    assert_eq!(at, Some(Timestamp::from_millis(5_000)));
}
