//! An agent's state, event by event: what each kind moves, and what none may.

use serde_json::{Value as Json, json};
use townwatch_protocol::event::Role;
use townwatch_protocol::id::EventId;
use townwatch_protocol::limits::STATE_BYTES_MAX;
use townwatch_protocol::runtime::Runtime;
use townwatch_town::log::reducer::differs;

use crate::reduced::{Agent, ids};

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
    agent.snapshot.register("Ada", Role::Mayor, Some(Runtime::Process), Some("\n  \nFix the bug\nand more"));
    agent.calls("t1", "Read");
    agent.progress(&json!({"percentage": 80, "todos": [{"content": "x", "status": "pending"}]}));
    agent.uses(&json!({"message_id": "m", "input_tokens": 5, "output_tokens": 7}));
    agent.does("file_changed", &json!({"path": "a.rs", "action": "modified", "lines_added": 3}));
    agent.does("agent.exited", &json!({"reason": "completed"}));
    let state =
        serde_json::to_value(agent.happens(2, "agent_output", &json!({"text": "", "stream": "stdout"}))).unwrap();
    let expected = json!({
        "name": "Ada", "role": "mayor", "title": "Fix the bug…", "status": "running", "run_id": "run-2", "run_number": 2,
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
    assert_eq!(ids(&agent.calls("t1", "Read")["outstanding_tool_calls"], "tool_use_id"), ["t1"]);
    let state = agent.calls("t2", "Bash");
    assert_eq!(ids(&state["outstanding_tool_calls"], "tool_use_id"), ["t1", "t2"]);
    assert_eq!((&state["activity"]["kind"], &state["activity"]["detail"]), (&json!("tool"), &json!("Bash t2")));
    assert_eq!(state["outstanding_llm_calls"], 0);
    assert_eq!(ids(&agent.gets("unknown")["outstanding_tool_calls"], "tool_use_id"), ["t1", "t2"]);
    assert_eq!(ids(&agent.gets("t1")["outstanding_tool_calls"], "tool_use_id"), ["t2"]);
    let state = agent.gets("t2");
    assert_eq!((&state["activity"]["kind"], &state["outstanding_llm_calls"]), (&json!("thinking"), &json!(1)));
    for call in 0..70 {
        agent.calls(&format!("many-{call}"), "Read");
    }
    let state = agent.gets("many-69");
    assert_eq!(
        (ids(&state["outstanding_tool_calls"], "tool_use_id").len(), &state["tool_call_count"]),
        (64, &json!(72))
    );
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
fn the_whole_stays_within_its_bound_whatever_its_texts_are() {
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
        for number in 0..70 {
            let subject = json!({"kind": "plan", "text": text});
            agent.asks(&format!("{number}{text}"), &json!({"detail": text, "subject": subject, "tool_use_id": text}));
            let task = json!({"task_id": format!("{number}{text}"), "kind": "command", "description": text, "tool_use_id": text});
            agent.does("agent_task_started", &task);
            if number % 4 == 0 {
                let theirs = format!("{number}{text}");
                agent.progress(&json!({"current_phase": text, "todos": todos, "parent_tool_use_id": theirs}));
            }
        }
        let failing = json!({"tool_use_id": "f", "tool": "t", "category": "Bash", "input": 1, "summary": text});
        for number in 0..3 {
            let mut call = failing.clone();
            call["tool_use_id"] = json!(format!("f{number}"));
            agent.does("agent_tool_call", &call);
            agent.gets_success(&format!("f{number}"), false);
        }
        let usage = json!({
            "message_id": text, "input_tokens": u64::MAX, "output_tokens": u64::MAX, "cache_read_input_tokens": u64::MAX,
            "cache_creation_input_tokens": u64::MAX, "cost_usd": 1.234_567_890_123_456_7e-300, "cumulative": true,
        });
        agent.does("agent_usage", &usage);
        let state = agent.does("file_changed", &json!({"path": "a", "action": "created", "lines_added": u64::MAX}));
        assert!(state["todos"].as_array().unwrap().len() > 3, "{unit:?}: {}", state["todos"]);
        for list in ["outstanding_tool_calls", "background_tasks", "sub_agents", "questions"] {
            assert!(!state[list].as_array().unwrap().is_empty(), "{unit:?}: {list}");
        }
        assert!(state["failing_loop"].is_object());
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
    assert_eq!(ids(&agent.gets("none")["outstanding_tool_calls"], "tool_use_id").len(), 20);
}

#[test]
fn what_an_agent_was_asked_is_its_title() {
    let mut agent = Agent::at_work();
    let said = |source: &str, text: &str| json!({"text": text, "by": "operator", "source": source});
    let state = agent.does("user_message", &said("message", "first a word"));
    assert_eq!((&state["title"], &state["prompt_event_id"]), (&json!(null), &json!(null)));
    let state = agent.does("user_message", &said("prompt", " \nFix the bug\nand more"));
    assert_eq!((&state["title"], &state["prompt_event_id"]), (&json!("Fix the bug…"), &json!(3)));
    let state = agent.does("user_message", &said("prompt", "Something else"));
    assert_eq!((&state["title"], &state["prompt_event_id"]), (&json!("Fix the bug…"), &json!(3)));
    assert_eq!(state["message_count"], 0);
    let state = serde_json::to_value(agent.happens(2, "user_message", &said("command", "make test"))).unwrap();
    assert_eq!((&state["title"], &state["prompt_event_id"]), (&json!("make test"), &json!(5)));
    let state = serde_json::to_value(agent.happens(3, "note", &json!(1))).unwrap();
    assert_eq!(state["title"], json!(null), "nobody has said what this run is about");
}

#[test]
fn an_agent_takes_messages_only_while_its_run_is_open() {
    let mut agent = Agent::at_work();
    assert_eq!(agent.does("agent_session", &json!({"takes_messages": true}))["takes_messages"], true);
    assert_eq!(agent.does("agent_session", &json!({"model": "m"}))["takes_messages"], true);
    assert_eq!(agent.does("agent.exited", &json!({"reason": "completed"}))["takes_messages"], false);
    assert!(!agent.happens(2, "agent.status", &json!({"status": "running"})).takes_messages);
}

#[test]
fn whatever_people_are_shown_is_worth_a_frame() {
    let events = [
        ("user_message", json!({"text": "Go", "by": "operator", "source": "prompt"})),
        ("agent_session", json!({"takes_messages": true})),
        ("agent_session", json!({"branch": "main"})),
        ("agent_task_started", json!({"task_id": "b", "kind": "command", "description": "d"})),
        (
            "progress_update",
            json!({"percentage": null, "current_phase": "", "tool_call_count": 0, "elapsed_seconds": 0,
            "parent_tool_use_id": "t"}),
        ),
        ("agent_usage", json!({"message_id": "m", "input_tokens": 1, "output_tokens": 1})),
        ("file_changed", json!({"path": "a", "action": "created"})),
        ("agent_question", json!({"request_id": "q", "kind": "permission", "detail": "d", "options": []})),
        ("agent_question_answered", json!({"request_id": "q", "answer": "once", "by": "operator"})),
    ];
    let mut agent = Agent::at_work();
    for (event, data) in events {
        let before = agent.snapshot.state.clone();
        agent.does(event, &data);
        assert!(differs(&before, &agent.snapshot.state), "{event} {data}");
    }
}
