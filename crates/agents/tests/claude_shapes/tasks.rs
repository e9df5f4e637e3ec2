//! Lists that are kept item by item, and work in the background.

use serde_json::{Value, json};

use super::{by, call, done, events, init, named, of, picked, result, system, text, with};

#[test]
fn a_to_do_list_is_kept_item_by_item_and_by_author() {
    let lines = [
        call("t1", "TaskCreate", json!({"subject": "Read"})),
        result("t1", "Task #1 created successfully: Read".into()),
        call("t2", "TaskCreate", json!({"subject": "Write"})),
        with(result("t2", "made".into()), "tool_use_result", json!({"task": {"id": "2", "subject": "Write"}})),
        by(call("t3", "TodoWrite", json!({"todos": [{"content": "inner", "status": "pending"}]})), "agent"),
        call("t4", "TaskUpdate", json!({"taskId": "1", "status": "completed"})),
        result("t4", "Updated task #1 status".into()),
        call("t5", "TaskUpdate", json!({"taskId": "2", "status": "deleted"})),
        json!({"type": "user", "message": {"content": [
            {"type": "tool_result", "tool_use_id": "t5", "content": "No such task", "is_error": true}]}}),
    ];
    let progress = of(&lines, "progress_update");
    let list = |items: &[(&str, &str)]| -> Value {
        items.iter().map(|(content, status)| json!({"content": content, "status": status})).collect()
    };
    let expected = json!([
        [null, 0.0, list(&[("Read", "pending")])],
        [null, 0.0, list(&[("Read", "pending"), ("Write", "pending")])],
        ["agent", 0.0, list(&[("inner", "pending")])],
        [null, 50.0, list(&[("Read", "completed"), ("Write", "pending")])],
    ]);
    assert_eq!(picked(&progress, &["parent_tool_use_id", "percentage", "todos"]), expected);
    assert_eq!(of(&lines, "agent_tool_call")[0]["category"], "Todo");
}

#[test]
fn a_command_in_the_background_begins_and_ends_once() {
    let lines = [
        init(),
        call("t", "Bash", json!({"command": "make all", "run_in_background": true})),
        system(
            "task_started",
            json!({"task_id": "b1", "tool_use_id": "t", "description": "make all", "task_type": "local_bash", "uuid": "1"}),
        ),
        result("t", "Command running in background with ID: b1. Output is being written to: /tmp/b1".into()),
        system(
            "background_tasks_changed",
            json!({"tasks": [{"task_id": "b1", "task_type": "local_bash"}], "uuid": "2"}),
        ),
        text("m", "It runs."),
        done(),
        system("background_tasks_changed", json!({"tasks": [], "uuid": "2"})),
        system(
            "task_notification",
            json!({"task_id": "b1", "tool_use_id": "t", "status": "failed", "summary": "Background command \"make all\" failed with exit code 2", "uuid": "3"}),
        ),
        init(),
        text("m2", "I look."),
        done(),
    ];
    let all = events(&lines);
    let names = ["agent_task_started", "agent_task_ended", "agent.status"];
    let told: Vec<_> = all
        .iter()
        .filter(|event| names.contains(&event.name()))
        .map(|event| {
            let data: Value = serde_json::from_str(event.to_raw().get()).unwrap();
            (event.name().to_owned(), data)
        })
        .collect();
    let expected = [
        (
            "agent_task_started",
            json!({"task_id": "b1", "kind": "command", "description": "make all", "tool_use_id": "t"}),
        ),
        ("agent.status", json!({"status": "waiting"})),
        (
            "agent_task_ended",
            json!({"task_id": "b1", "outcome": "failed", "summary": "Background command \"make all\" failed with exit code 2", "exit_code": 2, "tool_use_id": "t"}),
        ),
        ("agent.status", json!({"status": "running"})),
        ("agent.status", json!({"status": "waiting"})),
    ];
    assert_eq!(told, expected.map(|(name, data)| (name.to_owned(), data)));
}

#[test]
fn work_in_the_background_is_known_by_its_call_alone() {
    let lines = [
        call("t1", "Bash", json!({"command": "serve", "run_in_background": true})),
        result("t1", "Command running in background with ID: bash_1".into()),
        call("t2", "Agent", json!({"description": "look"})),
        with(result("t2", "launched".into()), "tool_use_result", json!({"status": "async_launched", "agentId": "a9"})),
        call("t3", "BashOutput", json!({"bash_id": "bash_1"})),
        result("t3", "<status>completed</status>\n<exit_code>0</exit_code>\n<stdout>up</stdout>".into()),
        call("t4", "TaskStop", json!({"task_id": "a9"})),
        result("t4", "stopped".into()),
    ];
    let all = events(&lines);
    let began = picked(&named(&all, "agent_task_started"), &["task_id", "kind", "description", "tool_use_id"]);
    assert_eq!(began, json!([["bash_1", "command", "serve", "t1"], ["a9", "agent", "look", "t2"]]));
    let ended = picked(&named(&all, "agent_task_ended"), &["task_id", "outcome", "exit_code", "tool_use_id"]);
    assert_eq!(ended, json!([["bash_1", "completed", 0, "t1"], ["a9", "stopped", null, "t2"]]));
}

#[test]
fn a_sub_agent_in_the_background_does_not_begin_a_turn_and_its_work_counts() {
    let lines = [
        call("t", "Agent", json!({"description": "look"})),
        system(
            "task_started",
            json!({"task_id": "a", "tool_use_id": "t", "task_type": "local_agent", "is_backgrounded": true}),
        ),
        done(),
        by(text("inner", "I look."), "t"),
        system("task_notification", json!({"task_id": "a", "status": "completed", "summary": "Fine."})),
    ];
    assert_eq!(picked(&of(&lines, "agent.status"), &["status"]), json!([["waiting"]]));
}

#[test]
fn the_program_keeps_the_statuses_of_a_list_itself() {
    let create = call("c", "TaskCreate", json!({"subject": "Look"}));
    let lines = [
        init(),
        create,
        result("c", "Task #1 created successfully: Look".into()),
        system("task_list_statuses", json!({"statuses": [{"id": "1", "status": "completed"}]})),
    ];
    let progress = of(&lines, "progress_update");
    assert_eq!(progress.last().unwrap()["todos"], json!([{"content": "Look", "status": "completed"}]));
}
