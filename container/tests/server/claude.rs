//! Stand-ins for Claude Code: how it is told things, asks, and is stopped. What the real one does is tested in
//! `tests/live`.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::common::{Server, texts};
use crate::stand_ins::World;

/// Says on standard error each line that it reads, and what it is to say of it on standard output.
const LISTEN: &str = r#"hear() { IFS= read -r line && printf '%s\n' "$line" >&2; }
say() { printf '%s\n' "$1"; }
begin() { say '{"type":"system","subtype":"init","session_id":"s","cwd":"/w"}'; }
end() { say '{"type":"result","subtype":"success","result":"'"$1"'","uuid":"'"$1"'","usage":{"output_tokens":1}}'; }
call() { say '{"type":"assistant","message":{"id":"m","content":[{"type":"tool_use","id":"t","name":"Bash","input":{"command":"make"}}]}}'; }
ask() { say '{"type":"control_request","request_id":"'"$1"'","request":{"subtype":"can_use_tool","tool_name":"Bash","input":{"command":"make"},"permission_suggestions":[{"type":"setMode"}],"tool_use_id":"t"}}'; }
"#;

pub fn claude(name: &str, script: &str) -> World {
    World::with(name, &[("claude", &format!("{LISTEN}{script}"))], &[("CONTROL_WAITING_SECONDS", "1")])
}

pub fn start(world: &World) {
    world.start("a", json!({"runtime": "claude_code", "prompt": "do it"}));
}

pub fn heard(events: &[Value]) -> Vec<Value> {
    texts(events, "stderr").iter().map(|line| serde_json::from_str(line).unwrap()).collect()
}

pub fn answer(server: &Server, request_id: &str, more: &Value) -> (u16, Value) {
    let mut answer = json!({"request_id": request_id, "by": "operator"});
    answer.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    server.post("/agents/a/answer", &answer.to_string())
}

pub fn asked(server: &Server, request_id: &str) -> Value {
    let is_it = |event: &Value| event["event"] == "agent_question" && event["data"]["request_id"] == request_id;
    server.events_until("a", is_it).into_iter().find(is_it).unwrap()["data"].clone()
}

fn statuses(events: &[Value]) -> Vec<&str> {
    events.iter().filter_map(|event| event["data"]["status"].as_str()).collect()
}

#[test]
fn it_is_run_as_the_agent_sdk_runs_it() {
    let script = r#"[ "$1" = --version ] && { echo '9.9.9 (Claude Code)'; exit; }
        for word; do printf '"%s"\n' "$word" >&2; done; hear; begin; end hello"#;
    let world = claude("claude-words", script);
    assert_eq!(world.server.get("/health").1["runtimes"][0]["version"], "9.9.9 (Claude Code)");
    let order = json!({"runtime": "claude_code", "prompt": "-do\nit", "model": "opus", "system_prompt": "be kind"});
    world.start("a", order);
    let (events, exit) = world.server.ended("a");
    assert_eq!(exit, json!({"reason": "completed", "exit_code": 0}));
    let words = [
        "-p",
        "--input-format",
        "stream-json",
        "--output-format",
        "stream-json",
        "--verbose",
        "--include-partial-messages",
        "--permission-prompt-tool",
        "stdio",
        "--permission-mode",
        "default",
        "--model=opus",
        "--append-system-prompt=be kind",
    ];
    let prompt = json!({
        "type": "user", "message": {"role": "user", "content": "-do\nit"}, "parent_tool_use_id": null, "session_id": "",
    });
    assert_eq!(heard(&events), words.iter().map(|word| json!(word)).chain([prompt]).collect::<Vec<_>>());
    assert_eq!(texts(&events, "assistant"), ["hello"]);
    let session = events.iter().find(|event| event["event"] == "agent_session").unwrap();
    assert_eq!((&session["data"]["working_dir"], &session["data"]["os"]), (&json!("/w"), &json!("linux")));
}

#[test]
fn one_that_reads_nothing_is_none_the_worse_for_it() {
    let print = "begin; end hello";
    for (name, script) in [("open", print.to_owned()), ("closed", format!("exec 0<&-; sleep 0.2; {print}; sleep 0.2"))]
    {
        let world = claude(&format!("claude-deaf-{name}"), &script);
        world.start("a", json!({"runtime": "claude_code", "prompt": "x".repeat(200 << 10)}));
        let (events, exit) = world.server.ended("a");
        assert_eq!(exit, json!({"reason": "completed", "exit_code": 0}), "{name}");
        assert_eq!(texts(&events, "assistant"), ["hello"]);
    }
}

#[test]
fn it_is_told_more_after_its_turn_and_during_it_and_completes_when_nobody_does() {
    let world = claude("claude-told", "hear; begin; end one; hear; begin; hear; end two; hear; exit 0");
    start(&world);
    let say = |prompt: &str| world.server.post("/agents/a/message", &json!({"prompt": prompt}).to_string());
    world.server.events_until("a", |event| event["data"]["status"] == "waiting");
    assert_eq!(say("more"), (200, json!({"sent": true})));
    world.server.events_until("a", |event| event["data"]["text"].as_str().is_some_and(|text| text.contains("more")));
    assert_eq!(say("and this").0, 200);
    let (events, exit) = world.server.ended("a");
    assert_eq!(exit, json!({"reason": "completed", "exit_code": 0}), "it ended by itself with its input");
    assert_eq!(statuses(&events), ["running", "waiting", "running", "waiting"]);
    let said = heard(&events);
    let said: Vec<_> = said.iter().map(|line| &line["message"]["content"]).collect();
    assert_eq!(said, ["do it", "more", "and this"]);
    let (status, late) = say("still there?");
    assert_eq!((status, &late["error"]["code"]), (409, &json!("conflict")), "{late}");
}

#[test]
fn a_failed_turn_is_not_waited_for_and_one_that_stays_is_ended() {
    let script = r#"hear; begin; say '{"type":"result","is_error":true,"result":"no such model"}'; hear; exit 1"#;
    let world = claude("claude-failed", script);
    start(&world);
    assert_eq!(world.server.ended("a").1, json!({"reason": "failed", "exit_code": 1, "message": "no such model"}));
    let world = claude("claude-stays", "begin; end hello; exec sleep 300");
    let begun = Instant::now();
    start(&world);
    assert_eq!(world.server.ended("a").1, json!({"reason": "completed", "signal": "SIGTERM"}));
    assert!(begun.elapsed() > Duration::from_secs(5), "it had its time to go by itself");
}

#[test]
fn a_turn_that_was_broken_off_can_be_followed_by_another() {
    let script = r#"hear; begin; call; say '{"type":"result","subtype":"error_during_execution","is_error":false}'
        hear; begin; end done; hear"#;
    let waits = [("CONTROL_WAITING_SECONDS", "3")];
    let world = World::with("claude-broken-off", &[("claude", &format!("{LISTEN}{script}"))], &waits);
    start(&world);
    world.server.events_until("a", |event| event["data"]["status"] == "waiting");
    std::thread::sleep(Duration::from_millis(1_500)); // longer than a failed turn is waited for
    assert_eq!(world.server.post("/agents/a/message", r#"{"prompt":"Go on."}"#).0, 200);
    let (events, exit) = world.server.ended("a");
    assert_eq!((&exit["reason"], texts(&events, "assistant")), (&json!("completed"), vec!["done".into()]));
}

#[test]
fn what_it_left_running_is_waited_for() {
    let tasks =
        |tasks: &str| format!(r#"say '{{"type":"system","subtype":"background_tasks_changed","tasks":[{tasks}]}}'"#);
    let script = format!("hear; begin; {}; end one; sleep 2.5; {}; begin; end two; hear", tasks("{}"), tasks(""));
    let world = claude("claude-tasks", &script);
    start(&world);
    let (events, exit) = world.server.ended("a");
    assert_eq!((&exit["reason"], texts(&events, "assistant")), (&json!("completed"), vec!["one".into(), "two".into()]));
}

#[test]
fn its_questions_are_answered() {
    let result =
        r#"say '{"type":"user","message":{"content":[{"type":"tool_result","tool_use_id":"t","content":"made"}]}}'"#;
    let world = claude(
        "claude-asks",
        &format!("hear; begin; call; ask q1; hear; ask q2; hear; ask q3; hear; {result}; end over; hear"),
    );
    start(&world);
    let question = asked(&world.server, "q1");
    let options = json!(["once", "always", "reject"]);
    let expected = json!({
        "request_id": "q1", "kind": "permission", "detail": "May it run `make`?", "options": options,
        "subject": {"kind": "command", "text": "make"}, "always": r#"{"type":"setMode"}"#, "tool_use_id": "t",
    });
    assert_eq!(question, expected);
    assert_eq!(world.server.get("/agents/a/status").1["status"], "waiting");
    std::thread::sleep(Duration::from_millis(1500)); // a question is waited for longer than a message
    let (status, gone) = answer(&world.server, "q0", &json!({"answer": "once"}));
    assert_eq!((status, &gone["error"]["code"]), (409, &json!("conflict")), "{gone}");
    assert_eq!(answer(&world.server, "q1", &json!({"answer": "once"})), (200, json!({"answered": true})));
    assert_eq!(answer(&world.server, "q1", &json!({"answer": "once"})).0, 409);
    asked(&world.server, "q2");
    assert_eq!(answer(&world.server, "q2", &json!({"answer": "always"})).0, 200);
    asked(&world.server, "q3");
    assert_eq!(answer(&world.server, "q3", &json!({"answer": "reject", "text": "Not here."})).0, 200);
    let (events, exit) = world.server.ended("a");
    assert_eq!(exit["reason"], "completed");
    let response = |request_id, response| json!({"type": "control_response", "response": {"subtype": "success", "request_id": request_id, "response": response}});
    let input = json!({"command": "make"});
    let expected = [
        response("q1", json!({"behavior": "allow", "updatedInput": input})),
        response(
            "q2",
            json!({"behavior": "allow", "updatedInput": input, "updatedPermissions": [{"type": "setMode"}]}),
        ),
        response("q3", json!({"behavior": "deny", "message": "Not here."})),
    ];
    assert_eq!(heard(&events)[1..], expected);
    let answered = events.iter().filter(|event| event["event"] == "agent_question_answered");
    let answered: Vec<_> = answered.map(|event| event["data"].clone()).collect();
    let by_operator = |request_id, answer| json!({"request_id": request_id, "answer": answer, "by": "operator"});
    let mut refused = by_operator("q3", "reject");
    refused["text"] = json!("Not here.");
    assert_eq!(answered, [by_operator("q1", "once"), by_operator("q2", "always"), refused]);
}

#[test]
fn what_secrets_were_taken_out_of_is_not_repeated_to_it() {
    let script = r#"hear; begin; say '{"type":"control_request","request_id":"q","request":{"subtype":"can_use_tool","tool_name":"Bash","input":{"command":"use '"$API_KEY"'"}}}'; hear; end over; hear"#;
    let world = claude("claude-secret", script);
    world.start("a", json!({"runtime": "claude_code", "prompt": "do it", "env_vars": {"API_KEY": "q7Zk-90fgh-Lw2xT"}}));
    let question = asked(&world.server, "q");
    assert_eq!(question["detail"], "May it run `use ‹redacted:API_KEY›`?");
    assert_eq!(answer(&world.server, "q", &json!({"answer": "once"})).0, 200);
    let (events, _) = world.server.ended("a");
    let response = json!({"subtype": "success", "request_id": "q", "response": {"behavior": "allow"}});
    assert_eq!(heard(&events)[1], json!({"type": "control_response", "response": response}));
}

#[test]
fn a_stop_breaks_off_the_turn_first_where_it_listens() {
    let script = r#"trap 'exit 143' TERM; hear; begin; call; ask q; hear; say '{"type":"control_cancel_request","request_id":"q"}'
        say '{"type":"result","subtype":"error_during_execution","is_error":true,"terminal_reason":"aborted_tools","usage":{"output_tokens":7}}'
        hear; exit 143"#;
    let world = claude("claude-interrupted", script);
    start(&world);
    asked(&world.server, "q");
    let begun = Instant::now();
    world.server.post("/agents/a/stop", "");
    let (events, exit) = world.server.ended("a");
    assert_eq!(exit, json!({"reason": "stopped", "exit_code": 143, "message": "it was stopped"}));
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    let interrupt = json!({"type": "control_request", "request_id": "interrupt", "request": {"subtype": "interrupt"}});
    assert_eq!(heard(&events)[1], interrupt);
    let of = |name: &str| events.iter().find(|event| event["event"] == name).map(|event| event["data"].clone());
    let answered = json!({"request_id": "q", "answer": "reject", "by": "claude_code"});
    assert_eq!(of("agent_question_answered"), Some(answered), "the question closed");
    assert_eq!(of("agent_usage").unwrap()["output_tokens"], 7, "what it cost is known");
    assert_eq!(answer(&world.server, "q", &json!({"answer": "once"})).0, 409);
}

#[test]
fn one_that_does_not_listen_is_stopped_all_the_same() {
    let world = claude("claude-stubborn", "begin; exec sleep 300");
    start(&world);
    world.server.events_until("a", |event| event["event"] == "agent_session");
    let begun = Instant::now();
    world.server.post("/agents/a/stop", "");
    let (_, exit) = world.server.ended("a");
    assert_eq!(exit, json!({"reason": "stopped", "signal": "SIGTERM", "message": "it was stopped"}));
    assert!((1900..4500).contains(&begun.elapsed().as_millis()), "{:?}", begun.elapsed());
}

#[test]
fn a_request_that_nobody_knows_is_refused_and_noticed() {
    let script = r#"hear; begin; say '{"type":"control_request","request_id":"r","request":{"subtype":"dream"}}'; hear; end over; hear"#;
    let world = claude("claude-unknown", script);
    start(&world);
    let (events, exit) = world.server.ended("a");
    assert_eq!(exit["reason"], "completed");
    let refusal = json!({"type": "control_response", "response": {
        "subtype": "error", "request_id": "r", "error": "nobody here knows control requests of the kind \"dream\"",
    }});
    assert_eq!(heard(&events)[1], refusal);
    let notices: Vec<_> = events.iter().filter(|event| event["event"] == "parser_notice").collect();
    assert_eq!((notices.len(), &notices[0]["data"]["kind"]), (1, &json!("unknown")));
}
