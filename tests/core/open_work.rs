//! What an agent is at is what it has open: its calls, those of its sub-agents, what runs in the background.

use crate::reduced::{Agent, activity, ids};
use serde_json::{Value as Json, json};

fn calls(state: &Json) -> Vec<&str> {
    ids(&state["outstanding_tool_calls"], "tool_use_id")
}

#[test]
fn of_parallel_calls_that_end_out_of_order_the_open_one_is_shown() {
    let mut agent = Agent::at_work();
    agent.calls("t1", "Bash");
    assert_eq!(activity(&agent.calls("t2", "Read")), "tool Read t2 since 3");
    let state = agent.gets("t2");
    assert_eq!((activity(&state), &state["outstanding_llm_calls"]), ("tool Bash t1 since 2".into(), &json!(0)));
    let said = agent.does("agent_output", &json!({"text": "meanwhile", "stream": "assistant"}));
    assert_eq!(activity(&said), "tool Bash t1 since 2", "what is said ends no call");
    let state = agent.gets("t1");
    assert_eq!((activity(&state), &state["outstanding_llm_calls"]), ("thinking since 6".into(), &json!(1)));
}

#[test]
fn a_call_ends_with_its_result_else_its_turn_else_its_run() {
    let mut agent = Agent::at_work();
    agent.calls("t1", "Bash");
    let state = agent.is("waiting");
    assert_eq!((activity(&state), calls(&state)), ("waiting since 3".into(), vec![]));
    assert_eq!(activity(&agent.is("running")), "thinking since 4", "the next turn is work");
    agent.calls("t2", "Bash");
    let before = agent.calls("t3", "Read");
    let mut late = agent.gets("t1");
    for name in ["last_event_id", "last_event_at"] {
        late[name] = before[name].clone();
    }
    assert_eq!(late, before, "a late result changes nothing");
    let state = agent.does("agent.exited", &json!({"reason": "completed"}));
    assert_eq!(
        (activity(&state), calls(&state), &state["tool_call_count"]),
        ("ended since 8".into(), vec![], &json!(3))
    );
}

#[test]
fn a_repeated_line_of_a_call_is_the_same_call() {
    let mut agent = Agent::at_work();
    agent.calls("t1", "Bash");
    let state = agent.calls("t1", "Bash");
    assert_eq!(
        (calls(&state), &state["tool_call_count"], activity(&state)),
        (vec!["t1"], &json!(1), "tool Bash t1 since 2".into())
    );
    let corrected = json!({"tool_use_id": "t1", "tool": "Bash", "category": "Bash", "input": {"command": "make"},
        "summary": "Running `make`"});
    let state = agent.does("agent_tool_call", &corrected);
    assert_eq!((&state["tool_call_count"], activity(&state)), (&json!(1), "tool Running `make` since 2".into()));
    agent.gets("t1");
    agent.stored();
    for _ in 0..2 {
        let state = agent.does("agent_tool_call", &corrected);
        assert_eq!((calls(&state), &state["tool_call_count"]), (vec![], &json!(1)), "repeated after its result");
    }
}

#[test]
fn a_call_of_a_sub_agent_shows_behind_the_agents_own() {
    let mut agent = Agent::at_work();
    agent.calls("task", "Task");
    let state = agent.calls_for("inner", "Bash", Some("task"));
    assert_eq!((activity(&state), calls(&state)), ("tool Task task since 2".into(), vec!["task", "inner"]));
    // The sub-agent is over, and so is what it had open.
    let state = agent.gets("task");
    assert_eq!(
        (activity(&state), calls(&state), &state["outstanding_llm_calls"]),
        ("thinking since 4".into(), vec![], &json!(1))
    );
    assert_eq!(state["sub_agents"][0]["ended_at"], "1970-01-01T00:00:04.000Z");
}

#[test]
fn background_work_goes_on_when_the_turn_is_over() {
    let mut agent = Agent::at_work();
    agent.calls("task", "Task");
    agent.leaves_running("bg", "agent", Some("task"));
    let state = agent.gets("task");
    assert_eq!((&state["sub_agents"][0]["ended_at"], activity(&state)), (&Json::Null, "thinking since 4".into()));
    agent.calls_for("inner", "Task", Some("task"));
    agent.calls_for("innermost", "Read", Some("inner"));
    agent.calls("own", "Bash");
    let state = agent.is("waiting");
    assert_eq!((calls(&state), activity(&state)), (vec!["inner", "innermost"], "tool Read innermost since 6".into()));
    agent.gets("innermost");
    let state = agent.gets("inner");
    assert_eq!(activity(&state), "background bg in the background since 3");
    assert_eq!(state["background_tasks"][0]["tool_use_id"], "task");
    let state = agent.leaves_running("bg", "agent", Some("task"));
    assert_eq!(state["background_tasks"].as_array().unwrap().len(), 1, "its line is repeated");
    let state = agent.task_ends("bg");
    assert_eq!((activity(&state), &state["background_tasks"]), ("waiting since 12".into(), &json!([])));
    assert_eq!(state["sub_agents"][0]["ended_at"], "1970-01-01T00:00:12.000Z");
    let state = agent.leaves_running("bg", "agent", Some("task"));
    assert_eq!(state["background_tasks"], json!([]), "its line is repeated after its end");
}

#[test]
fn background_work_ends_with_the_run_and_has_a_bound() {
    let mut agent = Agent::at_work();
    for task in 0..40 {
        agent.leaves_running(&format!("bg-{task}"), "command", None);
    }
    let state = agent.is("waiting");
    let tasks = ids(&state["background_tasks"], "task_id");
    assert_eq!((tasks.len(), tasks[0], tasks[31]), (32, "bg-8", "bg-39"));
    assert_eq!(agent.does("agent.exited", &json!({"reason": "stopped"}))["background_tasks"], json!([]));
}

#[test]
fn to_dos_and_usage_are_kept_by_author() {
    let mut agent = Agent::at_work();
    agent.progress(
        &json!({"current_phase": "all of it", "percentage": 20, "todos": [{"content": "mine", "status": "pending"}]}),
    );
    agent.calls("task", "Task");
    let theirs = json!({"current_phase": "a part", "percentage": 90, "parent_tool_use_id": "task",
        "todos": [{"content": "theirs", "status": "completed"}]});
    let state = agent.progress(&theirs);
    assert_eq!((&state["todos"][0]["content"], &state["progress"]["percentage"]), (&json!("mine"), &json!(20.0)));
    assert_eq!(state["progress"]["current_phase"], "all of it");
    let sub_agent = &state["sub_agents"][0];
    assert_eq!((&sub_agent["todos"][0]["content"], &sub_agent["current_phase"]), (&json!("theirs"), &json!("a part")));
    assert_eq!((&sub_agent["description"], &sub_agent["tool_use_id"]), (&json!("Task task"), &json!("task")));
    // One whose call was never heard of is named by what it was told.
    let told = json!({"text": "\nLook for tests\nand run them", "by": "claude_code", "source": "prompt", "parent_tool_use_id": "x"});
    let state = agent.does("user_message", &told);
    assert_eq!((&state["sub_agents"][1]["description"], &state["title"]), (&json!("Look for tests"), &Json::Null));
    // Of a call that hands work over, what it is about.
    let call = json!({"tool_use_id": "y", "tool": "Task", "category": "Task", "input": {}, "summary": "Handing work to a sub-agent: build the api"});
    agent.does("agent_tool_call", &call);
    let state = agent.progress(&json!({"current_phase": "a part", "percentage": null, "parent_tool_use_id": "y"}));
    assert_eq!(state["sub_agents"][2]["description"], "build the api");
}

#[test]
fn the_newest_sub_agents_are_listed_and_those_at_work_before_others() {
    let mut agent = Agent::at_work();
    for task in 0..20 {
        agent.calls(&format!("task-{task}"), "Task");
        if task % 2 == 0 {
            agent.gets(&format!("task-{task}"));
        }
    }
    let state = agent.is("running");
    let listed = ids(&state["sub_agents"], "tool_use_id");
    assert_eq!(listed.len(), 16);
    assert!(!listed.contains(&"task-0") && listed.contains(&"task-1") && listed.contains(&"task-19"), "{listed:?}");
}

#[test]
fn a_call_that_fails_again_and_again_is_a_loop() {
    let mut agent = Agent::at_work();
    let fail = |agent: &mut Agent, id: &str, command: &str| {
        let call = json!({"tool_use_id": id, "tool": "Bash", "category": "Bash", "input": {"command": command},
            "summary": format!("Running `{command}`")});
        agent.does("agent_tool_call", &call);
        agent.gets_success(id, false)["failing_loop"].clone()
    };
    let shown = |count: u64| json!({"summary": "Running `make`", "count": count});
    assert_eq!(fail(&mut agent, "f1", "make"), Json::Null);
    assert_eq!(fail(&mut agent, "g1", "ls"), Json::Null);
    assert_eq!(fail(&mut agent, "f2", "make"), Json::Null);
    agent.calls("between", "Read");
    agent.gets("between");
    assert_eq!(fail(&mut agent, "f3", "make"), shown(3));
    agent.stored();
    assert_eq!(fail(&mut agent, "f4", "make"), shown(4));
    // Nine other calls, and it is still at it; ten, and it does something else.
    for other in 0..9 {
        agent.calls(&format!("other-{other}"), "Read");
    }
    assert_eq!(agent.gets("none")["failing_loop"], shown(4));
    agent.calls("other-9", "Read");
    assert_eq!(agent.gets("none")["failing_loop"], Json::Null);
    for id in ["f5", "f6", "f7"] {
        fail(&mut agent, id, "make");
    }
    let call = json!({"tool_use_id": "good", "tool": "Bash", "category": "Bash", "input": {"command": "make"}, "summary": "s"});
    assert_eq!(agent.does("agent_tool_call", &call)["failing_loop"], shown(3));
    assert_eq!(agent.gets("good")["failing_loop"], Json::Null, "a success ends it");
    for id in ["f8", "f9", "f10"] {
        fail(&mut agent, id, "make");
    }
    assert_eq!(agent.does("agent.exited", &json!({"reason": "failed"}))["failing_loop"], Json::Null);
}

#[test]
fn a_command_that_is_described_otherwise_each_time_is_the_same_command() {
    let mut agent = Agent::at_work();
    let mut fail = |id: &str, input: &Json| {
        let call = json!({"tool_use_id": id, "tool": "Bash", "category": "Bash", "input": input, "summary": "Running"});
        agent.does("agent_tool_call", &call);
        agent.gets_success(id, false)["failing_loop"]["count"].clone()
    };
    fail("a", &json!({"command": "make", "description": "Build"}));
    fail("b", &json!({"command": "make", "description": "Build once more"}));
    assert_eq!(fail("c", &json!({"description": "And again", "command": "make", "timeout": 9})), json!(3));
    fail("d", &json!({"command": ["make"]}));
    assert_eq!(fail("e", &json!({"command": ["make"], "description": "x"})), json!(3), "what is no text is told apart");
}
