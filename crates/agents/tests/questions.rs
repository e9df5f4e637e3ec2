//! What OpenCode asks, whose question it is, and what it is answered, here and elsewhere.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)] // test helpers

use serde_json::{Value, json};
use townwatch_agents::normalise::{Normalise, Opencode, RunContext};
use townwatch_protocol::time::Timestamp;
use townwatch_protocol::wire::AnswerAgent;

/// A run of the session `s`.
struct Run(Opencode);

impl Run {
    fn new() -> Self {
        Self(Opencode::new("opencode", RunContext::default(), Some("s".into())))
    }

    /// The events of a frame of a session, each with its name.
    fn frame(&mut self, session: &str, kind: &str, mut properties: Value) -> Vec<(String, Value)> {
        properties["sessionID"] = json!(session);
        let frame = json!({"id": "e", "type": kind, "properties": properties}).to_string();
        let events = self.0.line(&frame, Timestamp::from_millis(0)).events;
        let read = |event: townwatch_protocol::event::EventData| {
            (event.name().to_owned(), serde_json::from_str(event.to_raw().get()).unwrap())
        };
        events.into_iter().map(read).collect()
    }

    fn ask(&mut self, session: &str, kind: &str, properties: Value) -> Value {
        let events = self.frame(session, kind, properties);
        events.into_iter().find(|(name, _)| name == "agent_question").unwrap().1
    }

    /// What an answer comes to before it is sent: whether it is taken, or the failure.
    fn answer(&mut self, answer: Value) -> Result<(), Value> {
        let answer: AnswerAgent = serde_json::from_value(answer).unwrap();
        let (_, given) = self.0.check(&answer, "operator").map_err(|error| serde_json::to_value(error).unwrap())?;
        self.0.answering(&answer.request_id, Some(given));
        Ok(())
    }
}

fn questions() -> Value {
    json!([
        {"question": "Which colour?", "header": "Colour", "options": [{"label": "red", "description": "like fire"}], "custom": false},
        {"question": "Which sizes?", "header": "", "options": [{"label": "S", "description": ""}, {"label": "M", "description": ""}], "multiple": true},
    ])
}

#[test]
fn parts_have_what_the_program_says_of_them() {
    let question = Run::new().ask("s", "question.asked", json!({"id": "q", "questions": questions()}));
    let parts = json!([
        {"header": "Colour", "text": "Which colour?", "multiple": false, "free_text": false,
         "options": [{"label": "red", "description": "like fire"}]},
        {"text": "Which sizes?", "multiple": true, "free_text": true, "options": [{"label": "S"}, {"label": "M"}]},
    ]);
    assert_eq!((&question["parts"], &question["options"]), (&parts, &json!(["red", "S", "M"])));
}

#[test]
fn several_are_open_at_once_and_each_is_somebodys() {
    let mut run = Run::new();
    run.frame("s", "session.created", json!({"info": {"id": "child", "parentID": "s"}}));
    let state = json!({"status": "running", "input": {}, "metadata": {"sessionId": "child"}, "time": {"start": 1}});
    let part = json!({"id": "p", "messageID": "m", "sessionID": "s", "type": "tool", "tool": "task", "callID": "task-1", "state": state});
    run.frame("s", "message.part.updated", json!({"part": part}));
    let asked = |id: &str, call: &str| {
        let diff = "--- a\n+++ a\n@@ -1 +1 @@\n-x\n+y\n";
        json!({"id": id, "permission": "edit", "patterns": ["a"], "metadata": {"filepath": "a", "diff": diff},
               "always": ["src/*"], "tool": {"messageID": "m", "callID": call}})
    };
    let own = run.ask("s", "permission.asked", asked("one", "c1"));
    let childs = run.ask("child", "permission.asked", asked("two", "c2"));
    assert_eq!((&own["tool_use_id"], own.get("parent_tool_use_id")), (&json!("c1"), None));
    assert_eq!((&childs["tool_use_id"], &childs["parent_tool_use_id"]), (&json!("c2"), &json!("task-1")));
    assert_eq!(own["subject"], json!({"kind": "difference", "text": "--- a\n+++ a\n@@ -1 +1 @@\n-x\n+y\n"}));
    assert_eq!(own["always"], "`src/*` with edit, until this run ends");
    run.answer(json!({"request_id": "two", "answer": "reject", "text": "Not there."})).unwrap();
    let late = run.answer(json!({"request_id": "two", "answer": "once"})).unwrap_err();
    assert_eq!((&late["code"], &late["details"]), (&json!("conflict"), &json!({"answer": "reject", "by": "operator"})));
    let events = run.frame("child", "permission.replied", json!({"requestID": "two", "reply": "reject"}));
    let refused = json!({"request_id": "two", "answer": "reject", "by": "operator", "text": "Not there."});
    assert_eq!(events, [("agent_question_answered".to_owned(), refused)], "the other one is open");
    run.answer(json!({"request_id": "one", "answer": "always"})).unwrap();
    let events = run.frame("s", "permission.replied", json!({"requestID": "one", "reply": "always"}));
    assert_eq!(events[1], ("agent.status".to_owned(), json!({"status": "running"})));
}

#[test]
fn what_was_answered_elsewhere_is_told_with_its_words() {
    let mut run = Run::new();
    run.ask("s", "question.asked", json!({"id": "q", "questions": questions()}));
    let replied = json!({"requestID": "q", "answers": [["red"], ["M", "and a large one"]]});
    let expected = json!({
        "request_id": "q", "answer": "once", "by": "opencode",
        "answers": [{"choices": ["red"]}, {"choices": ["M"], "text": "and a large one"}],
    });
    assert_eq!(run.frame("s", "question.replied", replied)[0], ("agent_question_answered".to_owned(), expected));
    let gone = run.answer(json!({"request_id": "q", "answer": "reject"})).unwrap_err();
    assert_eq!(gone["code"], "conflict");
}

#[test]
fn an_answer_that_the_server_did_not_take_can_be_given_again() {
    let mut run = Run::new();
    run.ask("s", "question.asked", json!({"id": "q", "questions": questions()}));
    run.answer(json!({"request_id": "q", "answer": "reject"})).unwrap();
    run.0.answering("q", None);
    let answers = json!([{"choices": ["red"]}, {"choices": ["S"]}]);
    run.answer(json!({"request_id": "q", "answer": "once", "answers": answers})).unwrap();
}

#[test]
fn of_too_many_the_oldest_is_closed_and_stays_closed() {
    let mut run = Run::new();
    let asked = |number: u32| json!({"id": format!("q{number}"), "questions": questions()});
    for number in 0..64 {
        run.ask("s", "question.asked", asked(number));
    }
    let events = run.frame("s", "question.asked", asked(64));
    assert_eq!(
        (events[0].0.as_str(), &events[0].1["request_id"], &events[0].1["by"]),
        ("agent_question_answered", &json!("q0"), &json!("townwatch"))
    );
    assert_eq!(events[1].0, "agent_question");
    assert_eq!(run.frame("s", "question.asked", asked(0)), [], "the server goes on listing it");
    assert!(run.answer(json!({"request_id": "q0", "answer": "reject"})).is_err());
}
