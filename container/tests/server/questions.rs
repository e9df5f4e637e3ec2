//! What people say to agents and answer them, through the real control server: what an agent hears, and what the log has.

use serde_json::{Value, json};

use crate::claude::{answer, asked, claude, heard, start};
use crate::common::Server;
use crate::stand_ins::World;

/// A line that asks for a permission of a call.
fn may(request_id: &str, call: &str, command: &str) -> String {
    let input = json!({"command": command});
    let request = json!({"subtype": "can_use_tool", "tool_name": "Bash", "input": input, "tool_use_id": call});
    let line = json!({"type": "control_request", "request_id": request_id, "request": request});
    format!("say '{line}'")
}

/// A line that asks for words.
fn ask(request_id: &str, questions: &Value) -> String {
    let input = json!({"questions": questions});
    let request =
        json!({"subtype": "can_use_tool", "tool_name": "AskUserQuestion", "input": input, "tool_use_id": "t"});
    let line = json!({"type": "control_request", "request_id": request_id, "request": request});
    format!("say '{line}'")
}

/// A call, of a sub-agent where it names one.
fn calls(id: &str, parent: Option<&str>) -> String {
    let content = json!([{"type": "tool_use", "id": id, "name": "Bash", "input": {"command": "x"}}]);
    let line = json!({"type": "assistant", "message": {"id": id, "content": content}, "parent_tool_use_id": parent});
    format!("say '{line}'")
}

fn of(events: &[Value], name: &str) -> Vec<Value> {
    events.iter().filter(|event| event["event"] == name).map(|event| event["data"].clone()).collect()
}

/// What it heard after its prompt: the request and the response of each line.
fn responses(events: &[Value]) -> Vec<(String, Value)> {
    let of = |line: &Value| {
        let response = &line["response"];
        (response["request_id"].as_str().unwrap().to_owned(), response["response"].clone())
    };
    heard(events)[1..].iter().map(of).collect()
}

#[test]
fn two_that_are_open_at_once_are_answered_in_any_order() {
    let script = [
        "hear; begin".to_owned(),
        calls("A", None),
        calls("B", None),
        calls("a1", Some("A")),
        may("one", "a1", "rm -rf build"),
        calls("b1", Some("B")),
        may("two", "b1", "make publish"),
        "hear; hear; end over; hear".to_owned(),
    ];
    let world = claude("claude-two", &script.join("\n"));
    start(&world);
    let (two, one) = (asked(&world.server, "two"), asked(&world.server, "one"));
    assert_eq!((&one["tool_use_id"], &one["parent_tool_use_id"]), (&json!("a1"), &json!("A")));
    assert_eq!((&two["tool_use_id"], &two["parent_tool_use_id"]), (&json!("b1"), &json!("B")));
    assert_eq!(answer(&world.server, "two", &json!({"answer": "once"})).0, 200);
    assert_eq!(world.server.get("/agents/a/status").1["status"], "waiting", "the other one is open");
    assert_eq!(answer(&world.server, "one", &json!({"answer": "reject"})).0, 200);
    let (events, exit) = world.server.ended("a");
    assert_eq!(exit["reason"], "completed");
    let allow = json!({"behavior": "allow", "updatedInput": {"command": "make publish"}});
    let deny = json!({"behavior": "deny", "message": "A person who was asked said no."});
    assert_eq!(responses(&events), [("two".to_owned(), allow), ("one".to_owned(), deny)]);
}

#[test]
fn each_part_gets_its_own_answer_and_several_choices_go_together() {
    let questions = json!([
        {"question": "Which colour?", "header": "Colour", "multiSelect": false,
         "options": [{"label": "red", "description": "like fire", "preview": "<red>"}, {"label": "blue"}]},
        {"question": "Which sizes?", "header": "Sizes", "multiSelect": true,
         "options": [{"label": "S"}, {"label": "M"}, {"label": "L"}]},
    ]);
    let world = claude("claude-parts", &format!("hear; begin; {}; hear; end over; hear", ask("q", &questions)));
    start(&world);
    let question = asked(&world.server, "q");
    let parts = json!([
        {"header": "Colour", "text": "Which colour?", "multiple": false, "free_text": true,
         "options": [{"label": "red", "description": "like fire", "preview": "<red>"}, {"label": "blue"}]},
        {"header": "Sizes", "text": "Which sizes?", "multiple": true, "free_text": true,
         "options": [{"label": "S"}, {"label": "M"}, {"label": "L"}]},
    ]);
    assert_eq!((&question["kind"], &question["parts"]), (&json!("input"), &parts));
    assert_eq!(question["options"], json!(["red", "blue", "S", "M", "L"]));
    for (more, field) in [
        (json!({"answer": "once"}), "answers"),
        (json!({"answer": "once", "text": "red"}), "answers"),
        (json!({"answer": "once", "answers": [{"choices": ["red"]}]}), "answers"),
        (json!({"answer": "once", "answers": [{"choices": ["red", "blue"]}, {"choices": ["S"]}]}), "answers.0.choices"),
        (json!({"answer": "once", "answers": [{"choices": ["red"]}, {}]}), "answers.1"),
        (json!({"answer": "once", "text": "x".repeat((256 << 10) + 1)}), "text"),
    ] {
        let (status, refusal) = answer(&world.server, "q", &more);
        assert_eq!(refusal["error"]["details"]["field"], field, "{refusal}");
        assert_eq!(status, if field == "text" { 413 } else { 400 });
    }
    let answers = json!([{"choices": ["blue"]}, {"choices": ["S", "L"], "text": "and one to measure"}]);
    assert_eq!(answer(&world.server, "q", &json!({"answer": "once", "answers": answers})).0, 200);
    let (events, _) = world.server.ended("a");
    let said = json!({"Which colour?": "blue", "Which sizes?": "S, L, and one to measure"});
    let updated = json!({"behavior": "allow", "updatedInput": {"questions": questions, "answers": said}});
    assert_eq!(responses(&events), [("q".to_owned(), updated)]);
    let answered = json!({"request_id": "q", "answer": "once", "by": "operator", "answers": answers});
    assert_eq!(of(&events, "agent_question_answered"), [answered]);
}

#[test]
fn the_whole_of_a_long_command_and_of_a_plan_stand_in_the_question() {
    let command = "test -f data/file.csv && ".repeat(100);
    let plan = json!({"subtype": "can_use_tool", "tool_name": "ExitPlanMode", "input": {"plan": "# First\n- then"}});
    let plan = json!({"type": "control_request", "request_id": "plan", "request": plan});
    let plan = plan.to_string().replace("\\n", "\\\\n"); // the shell's `printf` is not to take it for its own
    let script = format!(
        "hear; begin; {}; hear; say '{}'; hear; end over; hear",
        may("long", "t", &command),
        plan.replace("\\\\n", "\\n")
    );
    let world = claude("claude-whole", &script);
    start(&world);
    let question = asked(&world.server, "long");
    assert_eq!(question["subject"], json!({"kind": "command", "text": command}));
    assert_eq!(question["detail"], format!("May it run `{command}`?"));
    assert_eq!(question.get("always"), None);
    let (status, refusal) = answer(&world.server, "long", &json!({"answer": "always"}));
    assert_eq!((status, &refusal["error"]["details"]["field"]), (400, &json!("answer")), "it is not offered");
    answer(&world.server, "long", &json!({"answer": "once"}));
    assert_eq!(asked(&world.server, "plan")["subject"], json!({"kind": "plan", "text": "# First\n- then"}));
    assert_eq!(answer(&world.server, "plan", &json!({"answer": "reject", "text": "Smaller steps."})).0, 200);
    let (events, _) = world.server.ended("a");
    let deny = json!({"behavior": "deny", "message": "Smaller steps."});
    assert_eq!(responses(&events)[1], ("plan".to_owned(), deny));
    let refused = json!({"request_id": "plan", "answer": "reject", "by": "operator", "text": "Smaller steps."});
    assert_eq!(of(&events, "agent_question_answered")[1], refused);
}

#[test]
fn who_comes_too_late_is_told_who_was_first_and_what_they_said() {
    let world = claude("claude-race", &format!("hear; begin; {}; hear; end over; hear", may("q", "t", "make")));
    start(&world);
    asked(&world.server, "q");
    assert_eq!(answer(&world.server, "q", &json!({"answer": "reject"})).0, 200);
    let late = |server: &Server| answer(server, "q", &json!({"answer": "once"}));
    let expected = json!({
        "code": "conflict", "message": "question q was answered already: operator said no",
        "details": {"answer": "reject", "by": "operator"},
    });
    assert_eq!(late(&world.server), (409, json!({"success": false, "error": expected})));
    world.server.ended("a");
    assert_eq!(late(&world.server).1["error"], expected, "after its run, too");
    let never = answer(&world.server, "never", &json!({"answer": "once"})).1;
    assert_eq!((&never["error"]["code"], never["error"].get("details")), (&json!("conflict"), None));
}

#[test]
fn of_too_many_the_oldest_is_refused() {
    let questions: Vec<_> = (0..=64).map(|number| may(&format!("q{number}"), &format!("t{number}"), "make")).collect();
    let script = format!("hear; begin; {}\nhear; hear; end over; exit 0", questions.join("\n"));
    let world = claude("claude-many", &script);
    start(&world);
    asked(&world.server, "q64");
    let late = answer(&world.server, "q0", &json!({"answer": "once"})).1;
    assert_eq!(late["error"]["details"], json!({"answer": "reject", "by": "townwatch"}));
    assert_eq!(answer(&world.server, "q64", &json!({"answer": "once"})).0, 200);
    let (events, _) = world.server.ended("a");
    let answers: Vec<_> = responses(&events).into_iter().map(|(id, answer)| (id, answer["behavior"].clone())).collect();
    assert_eq!(answers, [("q0".to_owned(), json!("deny")), ("q64".to_owned(), json!("allow"))]);
}

#[test]
fn what_people_say_is_in_the_log_without_secrets() {
    let world = claude("claude-said", "hear; begin; end one; hear; begin; end two; hear");
    let order = json!({"runtime": "claude_code", "prompt": "Use q7Zk-90fgh-Lw2xT\n\n naïve", "env_vars": {"API_KEY": "q7Zk-90fgh-Lw2xT"}});
    world.start("a", order);
    world.server.events_until("a", |event| event["data"]["status"] == "waiting");
    let said = json!({"prompt": "And now?"}).to_string();
    assert_eq!(world.server.post("/agents/a/message", &said).0, 200);
    let (events, _) = world.server.ended("a");
    let message = |text: &str, source: &str| json!({"text": text, "by": "operator", "source": source});
    let prompt = message("Use ‹redacted:API_KEY›\n\n naïve", "prompt");
    assert_eq!((&events[0]["event"], &events[0]["data"]), (&json!("user_message"), &prompt));
    assert_eq!(of(&events, "user_message"), [prompt, message("And now?", "message")]);
    assert_eq!(heard(&events)[0]["message"]["content"], "Use ‹redacted:API_KEY›\n\n naïve");
    let session = &of(&events, "agent_session")[0];
    assert_eq!(session["takes_messages"], true);
}

#[test]
fn a_process_tells_its_command_and_where_it_runs() {
    let world = World::with("process-said", &[], &[]);
    world.start("a", json!({"runtime": "process", "command": ["sh", "-c", "echo \"it's\" $1", "x y"]}));
    let (events, _) = world.server.ended("a");
    let command = &of(&events, "user_message")[0];
    assert_eq!((&command["source"], &command["by"]), (&json!("command"), &json!("operator")));
    let words = shlex::split(command["text"].as_str().unwrap()).unwrap();
    assert_eq!(words, ["sh", "-c", "echo \"it's\" $1", "x y"], "a shell takes it as it was: {command}");
    let session = &of(&events, "agent_session")[0];
    assert!(session["working_dir"].as_str().unwrap().ends_with("run-of-a"), "{session}");
    assert_eq!((&session["os"], session.get("session_id")), (&json!("linux"), None));
    assert_eq!((session["hostname"].is_string(), &session["takes_messages"]), (true, &json!(false)));
    world.start("b", json!({"runtime": "replay", "transcript": "codex/basic", "speed": 0}));
    let (events, _) = world.server.ended("b");
    assert_eq!(of(&events, "user_message"), [] as [Value; 0], "nobody here told it anything");
    assert!(of(&events, "agent_session").iter().all(|session| session["takes_messages"] == false));
}
