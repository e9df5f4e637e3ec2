//! An agent's state, event by event: what each kind moves, and what none may.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use serde_json::value::RawValue;
use serde_json::{Value as Json, json};
use townwatch::core::reducer::{Happened, Snapshot, differs};
use townwatch::event::{EventData, Role};
use townwatch::id::{AgentId, EventId, EventName, RigId, RunId};
use townwatch::limits::STATE_BYTES_MAX;
use townwatch::protocol::AgentState;
use townwatch::time::Timestamp;

struct Agent {
    snapshot: Snapshot,
    id: u64,
}

impl Agent {
    fn new() -> Self {
        let (agent_id, rig_id) = (AgentId::parse("a").unwrap(), RigId::parse("rig").unwrap());
        Self { snapshot: Snapshot::new(agent_id, rig_id, "Ada", Role::Polecat), id: 0 }
    }

    /// In its first run, at work.
    fn at_work() -> Self {
        let mut agent = Self::new();
        agent.happens(1, "agent.status", &json!({"status": "running"}));
        agent
    }

    /// An event of the run of this number, a second after the one before.
    fn happens(&mut self, run: u64, event: &str, data: &Json) -> &AgentState {
        self.id += 1;
        let data = RawValue::from_string(data.to_string()).unwrap();
        let data = EventData::read(&EventName::parse(event).unwrap(), &data);
        let run_id = RunId::parse(&format!("run-{run}")).unwrap();
        let at = Timestamp::from_millis(i64::try_from(self.id).unwrap() * 1_000);
        let id = EventId::new(self.id).unwrap();
        self.snapshot.reduce(&Happened { id, run: Some((&run_id, run)), data: &data, at });
        &self.snapshot.state
    }

    fn does(&mut self, event: &str, data: &Json) -> Json {
        serde_json::to_value(self.happens(1, event, data)).unwrap()
    }

    fn calls(&mut self, id: &str, tool: &str) -> Json {
        let summary = format!("{tool} {id}");
        let call = json!({"tool_use_id": id, "tool": tool, "category": "Read", "input": {}, "summary": summary});
        self.does("agent_tool_call", &call)
    }

    fn gets(&mut self, id: &str) -> Json {
        let result = json!({"tool_use_id": id, "success": true, "content": "", "content_length": 0, "duration_ms": 1});
        self.does("agent_tool_result", &result)
    }

    fn uses(&mut self, data: &Json) -> Json {
        self.does("agent_usage", data)["usage"].clone()
    }

    fn progress(&mut self, data: &Json) -> Json {
        let mut whole = json!({"current_phase": "", "tool_call_count": 0, "elapsed_seconds": 0, "percentage": null});
        whole.as_object_mut().unwrap().extend(data.as_object().unwrap().clone());
        self.does("progress_update", &whole)
    }
}

fn ids(calls: &Json) -> Vec<&str> {
    calls.as_array().unwrap().iter().map(|call| call["tool_use_id"].as_str().unwrap()).collect()
}

#[test]
fn a_status_is_taken_over_and_says_what_the_agent_is_at() {
    // status, then: activity, model calls under way
    let cases = [
        ("starting", "thinking", 1),
        ("running", "thinking", 1),
        ("waiting", "waiting", 0),
        ("stopping", "thinking", 0),
        ("exited", "thinking", 0),
    ];
    for (status, activity, calls) in cases {
        let mut agent = Agent::new();
        assert_eq!(agent.snapshot.state.status.as_str(), "idle");
        let state = agent.does("agent.status", &json!({"status": status}));
        assert_eq!(state["status"], status);
        assert_eq!((&state["activity"]["kind"], &state["outstanding_llm_calls"]), (&json!(activity), &json!(calls)));
        assert_eq!((&state["run_number"], &state["run_id"]), (&json!(1), &json!("run-1")));
    }
}

#[test]
fn each_end_has_its_status() {
    let cases = [
        ("completed", "exited", "ended"),
        ("stopped", "exited", "ended"),
        ("failed", "failed", "ended"),
        ("timeout", "failed", "ended"),
        ("lost", "failed", "lost"),
    ];
    for (reason, status, activity) in cases {
        let mut agent = Agent::at_work();
        agent.calls("t1", "Read");
        let state = agent.does("agent.exited", &json!({"reason": reason, "exit_code": 3, "message": "why"}));
        assert_eq!((&state["status"], &state["activity"]["kind"]), (&json!(status), &json!(activity)));
        assert_eq!(state["exit"], json!({"reason": reason, "exit_code": 3, "message": "why"}));
        assert_eq!(state["ended_at"], "1970-01-01T00:00:03.000Z");
        assert_eq!((&state["outstanding_tool_calls"], &state["outstanding_llm_calls"]), (&json!([]), &json!(0)));
    }
}

#[test]
fn an_end_that_cannot_be_read_is_an_end() {
    for data in [json!(null), json!({"reason": "tired"}), json!([1])] {
        let state = Agent::at_work().does("agent.exited", &data);
        assert_eq!((&state["status"], &state["exit"]["reason"]), (&json!("failed"), &json!("failed")), "{data}");
    }
}

#[test]
fn a_new_run_begins_from_nothing_but_who_the_agent_is() {
    let mut agent = Agent::at_work();
    agent.snapshot.register("Ada", Role::Mayor, None, Some("\n  \nFix the bug\nand more"));
    agent.calls("t1", "Read");
    agent.progress(&json!({"percentage": 80, "todos": [{"content": "x", "status": "pending"}]}));
    agent.uses(&json!({"message_id": "m", "input_tokens": 5, "output_tokens": 7}));
    agent.does("file_changed", &json!({"path": "a.rs", "action": "modified", "lines_added": 3}));
    agent.does("agent.exited", &json!({"reason": "completed"}));
    let state =
        serde_json::to_value(agent.happens(2, "agent_output", &json!({"text": "", "stream": "stdout"}))).unwrap();
    let expected = json!({
        "name": "Ada", "role": "mayor", "title": "Fix the bug", "status": "running", "run_id": "run-2", "run_number": 2,
        "tool_call_count": 0, "files_changed": 0, "lines_added": 0, "progress": null, "todos": [], "exit": null,
        "ended_at": null, "first_event_id": 7, "last_event_id": 7, "started_at": "1970-01-01T00:00:07.000Z",
        "outstanding_tool_calls": [], "message_count": 0,
    });
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(&state[key], value, "{key}");
    }
    assert_eq!(state["usage"]["input_tokens"], 0);
}

#[test]
fn an_event_of_an_older_run_only_moves_the_newest_id() {
    let mut agent = Agent::at_work();
    let mut before = serde_json::to_value(agent.happens(2, "agent.status", &json!({"status": "waiting"}))).unwrap();
    let late = [
        ("agent.exited", json!({"reason": "lost"})),
        ("agent_usage", json!({"message_id": "m", "input_tokens": 5, "output_tokens": 7})),
        ("agent.status", json!({"status": "running"})),
    ];
    for (event, data) in late {
        let after = agent.does(event, &data);
        before["last_event_id"] = json!(agent.id);
        before["last_event_at"] = after["last_event_at"].clone();
        assert_eq!(after, before, "{event}");
    }
}

#[test]
fn calls_are_outstanding_until_their_result() {
    let mut agent = Agent::at_work();
    assert_eq!(ids(&agent.calls("t1", "Read")["outstanding_tool_calls"]), ["t1"]);
    let state = agent.calls("t2", "Bash");
    assert_eq!(ids(&state["outstanding_tool_calls"]), ["t1", "t2"]);
    assert_eq!((&state["activity"]["kind"], &state["activity"]["detail"]), (&json!("tool"), &json!("Bash t2")));
    assert_eq!(state["outstanding_llm_calls"], 0);
    assert_eq!(ids(&agent.gets("unknown")["outstanding_tool_calls"]), ["t1", "t2"]);
    assert_eq!(ids(&agent.gets("t1")["outstanding_tool_calls"]), ["t2"]);
    let state = agent.gets("t2");
    assert_eq!((&state["activity"]["kind"], &state["outstanding_llm_calls"]), (&json!("thinking"), &json!(1)));
    for call in 0..70 {
        agent.calls(&format!("many-{call}"), "Read");
    }
    let state = agent.gets("many-69");
    assert_eq!((ids(&state["outstanding_tool_calls"]).len(), &state["tool_call_count"]), (64, &json!(72)));
}

#[test]
fn a_question_waits_for_its_own_answer() {
    let mut agent = Agent::at_work();
    agent.calls("t1", "Bash");
    let question = json!({"request_id": "q1", "kind": "permission", "detail": "rm?", "options": ["yes", "no"]});
    let state = agent.does("agent_question", &question);
    assert_eq!((&state["question"], &state["activity"]["kind"]), (&question, &json!("question")));
    assert_eq!(agent.does("agent.status", &json!({"status": "waiting"}))["activity"]["kind"], "question");
    let answer = |id: &str| json!({"request_id": id, "answer": "once", "by": "operator"});
    assert_eq!(agent.does("agent_question_answered", &answer("q0"))["question"], question);
    let state = agent.does("agent_question_answered", &answer("q1"));
    assert_eq!(state["question"], Json::Null);
    assert_eq!((&state["activity"]["kind"], &state["activity"]["detail"]), (&json!("tool"), &json!("Bash")));
    agent.gets("t1");
    agent.does("agent_question", &question);
    assert_eq!(agent.does("agent_question_answered", &answer("q1"))["activity"]["kind"], "thinking");
}

#[test]
fn usage_counts_once_per_message_and_a_total_replaces() {
    let mut agent = Agent::at_work();
    let message = json!({"message_id": "m1", "input_tokens": 10, "output_tokens": 1, "cache_read_input_tokens": 4});
    let once = agent.uses(&message);
    assert_eq!((&once["input_tokens"], &once["cost_usd"]), (&json!(10), &Json::Null));
    assert_eq!(agent.uses(&message), once);
    let second = json!({"message_id": "m2", "input_tokens": 5, "output_tokens": 2, "cost_usd": 0.5});
    let twice = json!({
        "input_tokens": 15, "output_tokens": 3, "cache_read_input_tokens": 4, "cache_creation_input_tokens": 0,
        "cost_usd": 0.5,
    });
    assert_eq!(agent.uses(&second), twice);
    let total = |tokens: u64| json!({"message_id": "", "input_tokens": tokens, "output_tokens": 3, "cumulative": true});
    let replaced = json!({
        "input_tokens": 20, "output_tokens": 3, "cache_read_input_tokens": 0, "cache_creation_input_tokens": 0,
        "cost_usd": 0.5,
    });
    assert_eq!(agent.uses(&total(20)), replaced);
    assert_eq!(agent.uses(&total(20)), replaced);
    assert_eq!(agent.uses(&total(30))["input_tokens"], 30);
    let huge = json!({"message_id": "m3", "input_tokens": u64::MAX, "output_tokens": 1});
    assert_eq!(agent.uses(&huge)["input_tokens"], u64::MAX);
}

#[test]
fn a_message_of_several_parts_is_one_message() {
    let mut agent = Agent::at_work();
    let part = |id: &str| json!({"text": "x", "stream": "assistant", "message_id": id});
    for (id, count) in [("m1", 1), ("m1", 1), ("m2", 2), ("m1", 2)] {
        assert_eq!(agent.does("agent_output", &part(id))["message_count"], count);
    }
    assert_eq!(agent.does("agent_output", &json!({"text": "x", "stream": "assistant"}))["message_count"], 3);
    assert_eq!(agent.does("agent_output", &json!({"text": "x", "stream": "stdout"}))["message_count"], 3);
}

#[test]
fn progress_never_falls_and_stays_a_percentage() {
    let mut agent = Agent::at_work();
    let cases = [
        (json!(null), json!(null)),
        (json!(-3), json!(0.0)),
        (json!(30), json!(30.0)),
        (json!(20), json!(30.0)),
        (json!(null), json!(30.0)),
        (json!(31.5), json!(31.5)),
        (json!(1e300), json!(100.0)),
    ];
    for (said, shown) in cases {
        let state = agent.progress(&json!({"percentage": said, "current_phase": "build"}));
        assert_eq!((&state["progress"]["percentage"], &state["progress"]["current_phase"]), (&shown, &json!("build")));
    }
    agent.progress(&json!({"todos": [{"content": "x", "status": "pending"}]}));
    let state = agent.progress(&json!({}));
    assert_eq!(state["todos"], json!([{"content": "x", "status": "pending"}]), "kept until it is said anew");
    assert_eq!(agent.progress(&json!({"todos": []}))["todos"], json!([]));
}

#[test]
fn files_are_told_apart_and_lines_add_up() {
    let mut agent = Agent::at_work();
    for (path, files) in [("a", 1), ("a", 1), ("b", 2)] {
        let change = json!({"path": path, "action": "modified", "lines_added": 2, "lines_removed": 1});
        assert_eq!(agent.does("file_changed", &change)["files_changed"], files);
    }
    let state = agent.does("file_changed", &json!({"path": "b", "action": "deleted", "lines_added": u64::MAX}));
    assert_eq!((&state["lines_added"], &state["lines_removed"]), (&json!(u64::MAX), &json!(3)));
}

#[test]
fn a_session_names_what_it_knows_and_leaves_the_rest() {
    let mut agent = Agent::at_work();
    agent.does("agent_session", &json!({"session_id": "s1", "model": "m1", "branch": "main", "in_container": true}));
    let state = agent.does("agent_session", &json!({"session_id": "s2", "model": "m2"}));
    assert_eq!((&state["session_id"], &state["model"], &state["branch"]), (&json!("s2"), &json!("m2"), &json!("main")));
    assert_eq!(state["in_container"], true);
}

#[test]
fn what_is_not_known_moves_the_newest_id_and_no_state_frame() {
    let mut agent = Agent::at_work();
    let before = agent.snapshot.state.clone();
    for (event, data) in [("note", json!([1])), ("agent_usage", json!("nonsense")), ("agent_error", json!({}))] {
        agent.does(event, &data);
    }
    let after = &agent.snapshot.state;
    assert_eq!(after.last_event_id, EventId::new(4));
    assert!(!differs(&before, after));
    agent.calls("t1", "Read");
    assert!(differs(&before, &agent.snapshot.state));
}

#[test]
fn the_whole_stays_within_16_kib_whatever_its_texts_are() {
    for unit in ["x", "é", "😀", "\u{1}", "\"", "\\", "\n"] {
        let text = unit.repeat(3_000 / unit.len());
        let mut agent = Agent::new();
        // A name has no control characters: `check_name` sees to it.
        agent.snapshot.register(&"😀".repeat(200), Role::Refinery, None, Some(&text));
        let status = json!({"status": "starting"});
        agent.does("agent.status", &status);
        agent.does(
            "agent_session",
            &json!({
                "session_id": text, "model": text, "working_dir": text, "branch": text, "initial_commit": text,
                "git_origin": text, "hostname": text, "os": text, "in_container": false,
            }),
        );
        for call in 0..80 {
            let call = json!({
                "tool_use_id": format!("{call}{text}"), "tool": text, "category": "Other", "input": null, "path": text,
                "summary": text,
            });
            agent.does("agent_tool_call", &call);
        }
        let todos = vec![json!({"content": text, "status": "in_progress"}); 120];
        let progress = json!({
            "percentage": 33.333_333_333_333_336, "current_phase": text, "tool_call_count": u64::MAX,
            "elapsed_seconds": u64::MAX, "estimated_remaining_seconds": u64::MAX, "todos": todos,
        });
        agent.does("progress_update", &progress);
        let options = vec![text.clone(); 50];
        agent.does(
            "agent_question",
            &json!({"request_id": text, "kind": "permission", "detail": text, "options": options}),
        );
        let usage = json!({
            "message_id": text, "input_tokens": u64::MAX, "output_tokens": u64::MAX, "cache_read_input_tokens": u64::MAX,
            "cache_creation_input_tokens": u64::MAX, "cost_usd": 1.234_567_890_123_456_7e-300, "cumulative": true,
        });
        agent.does("agent_usage", &usage);
        let state = agent.does("file_changed", &json!({"path": "a", "action": "created", "lines_added": u64::MAX}));
        assert!(state["todos"].as_array().unwrap().len() > 5, "{unit:?}: {}", state["todos"]);
        assert!(!ids(&state["outstanding_tool_calls"]).is_empty());
        assert!(state.to_string().len() <= STATE_BYTES_MAX, "{unit:?}: {}", state.to_string().len());
        let state = agent.does("agent.exited", &json!({"reason": "completed", "signal": text, "message": text}));
        assert!(state.to_string().len() <= STATE_BYTES_MAX, "{unit:?}: {}", state.to_string().len());
    }
}

#[test]
fn lists_of_the_usual_size_are_kept_whole() {
    let mut agent = Agent::at_work();
    let todos = vec![json!({"content": "write the table of cases", "status": "completed"}); 100];
    let state = agent.progress(&json!({"todos": todos}));
    assert_eq!(state["todos"].as_array().unwrap().len(), 100);
    for call in 0..20 {
        agent.calls(&format!("toolu_{call:020}"), "Read");
    }
    assert_eq!(ids(&agent.gets("none")["outstanding_tool_calls"]).len(), 20);
}
