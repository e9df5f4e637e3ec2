//! The questions of an agent's state: which are open, whose they are, and how much of each there is room for.

use serde_json::{Value as Json, json};
use townwatch_protocol::limits::{STATE_BYTES_MAX, STATE_QUESTIONS_BYTES_MAX};
use townwatch_protocol::state_text::stated_option;

use crate::reduced::{Agent, activity, ids};

fn open(state: &Json) -> Vec<&str> {
    ids(&state["questions"], "request_id")
}

#[test]
fn each_question_stays_open_until_its_own_answer() {
    let mut agent = Agent::at_work();
    agent.calls("t1", "Bash");
    let state = agent.asks("q1", &json!({"tool_use_id": "t1"}));
    assert_eq!(activity(&state), "question May it q1? since 3");
    agent.is("waiting");
    agent.asks("q2", &json!({"parent_tool_use_id": "task"}));
    let state = agent.is("waiting");
    assert_eq!((open(&state), activity(&state)), (vec!["q1", "q2"], "question May it q1? since 3".into()));
    assert_eq!(ids(&state["outstanding_tool_calls"], "tool_use_id"), ["t1"], "a call that waits for an answer is open");
    assert_eq!((&state["questions"][0]["event_id"], &state["questions"][0]["cut"]), (&json!(3), &json!(false)));
    assert_eq!(state["questions"][1]["parent_tool_use_id"], "task");
    assert_eq!(open(&agent.is_answered("q0")), ["q1", "q2"]);
    assert_eq!(open(&agent.asks("q2", &json!({}))), ["q1", "q2"], "its line is repeated");
    let state = agent.is_answered("q1");
    assert_eq!((open(&state), activity(&state)), (vec!["q2"], "question May it q2? since 5".into()));
    let state = agent.is_answered("q2");
    assert_eq!((open(&state), activity(&state)), (vec![], "tool Bash t1 since 2".into()));
}

#[test]
fn a_question_closes_with_its_calls_result_its_turn_or_its_run() {
    let mut agent = Agent::at_work();
    agent.calls("t1", "Bash");
    agent.asks("q1", &json!({"tool_use_id": "t1"}));
    let state = agent.gets("t1");
    assert_eq!((open(&state), activity(&state)), (vec![], "thinking since 4".into()));
    agent.asks("q2", &json!({}));
    assert_eq!(open(&agent.is("waiting")), ["q2"], "this waiting says that it waits for the answer");
    assert_eq!(open(&agent.is("running")), ["q2"]);
    let state = agent.is("waiting");
    assert_eq!((open(&state), activity(&state)), (vec![], "waiting since 8".into()), "the turn was broken off");
    agent.asks("q3", &json!({}));
    agent.is("waiting");
    agent.does("agent_output", &json!({"text": "never mind", "stream": "assistant"}));
    assert_eq!(open(&agent.is("waiting")), Vec::<&str>::new(), "the end of the turn that the question waited in");
    agent.asks("q4", &json!({}));
    assert_eq!(open(&agent.does("agent.exited", &json!({"reason": "completed"}))), Vec::<&str>::new());
}

#[test]
fn what_the_background_asks_outlives_the_agents_turns() {
    let mut agent = Agent::at_work();
    agent.calls("task", "Task");
    agent.leaves_running("bg", "agent", Some("task"));
    agent.gets("task");
    agent.is("waiting");
    agent.calls_for("inner", "Bash", Some("task"));
    agent.asks("q1", &json!({"tool_use_id": "inner", "parent_tool_use_id": "task"}));
    for status in ["waiting", "running", "waiting"] {
        assert_eq!(open(&agent.is(status)), ["q1"], "{status}");
    }
    assert_eq!(open(&agent.task_ends("bg")), Vec::<&str>::new(), "its sub-agent is over");
}

#[test]
fn an_input_question_without_parts_has_one() {
    let mut agent = Agent::at_work();
    let input = json!({"request_id": "q", "kind": "input", "detail": "Which?", "options": ["red", "blue"]});
    let state = agent.does("agent_question", &input);
    let part = json!({"text": "Which?", "options": [{"label": "red"}, {"label": "blue"}], "multiple": false, "free_text": true});
    assert_eq!(
        (&state["questions"][0]["parts"], &state["questions"][0]["options"]),
        (&json!([part]), &input["options"])
    );
    let parts = json!([{"text": "Own", "options": [], "multiple": true, "free_text": false}]);
    agent.is_answered("q");
    let state = agent.asks("q2", &json!({"kind": "input", "parts": parts}));
    assert_eq!(state["questions"][0]["parts"], parts);
    assert_eq!(agent.asks("q3", &json!({}))["questions"][1].get("parts"), None, "a permission has none");
}

#[test]
fn a_long_question_is_whole_where_it_fits() {
    let mut agent = Agent::at_work();
    let command = "make all; ".repeat(300);
    let subject = json!({"kind": "command", "text": command});
    let state = agent.asks("long", &json!({"subject": subject, "always": "All of `make`"}));
    assert_eq!((&state["questions"][0]["subject"], &state["questions"][0]["cut"]), (&subject, &json!(false)));
    let label = "é".repeat(90);
    let options = vec![json!({"label": label, "description": "d".repeat(900), "preview": "p".repeat(900)}); 12];
    let part = json!({"header": "H", "text": "t".repeat(900), "options": options, "multiple": true, "free_text": true});
    let state =
        agent.asks("wide", &json!({"kind": "input", "parts": vec![part; 6], "options": vec![label.clone(); 72]}));
    let [long, wide] = [&state["questions"][0], &state["questions"][1]];
    assert_eq!((&long["cut"], &wide["cut"]), (&json!(false), &json!(true)), "who takes most is cut");
    assert_eq!(
        wide["parts"][0]["options"][0]["label"],
        stated_option(&label),
        "a label is found again by its beginning"
    );
    assert!(wide["parts"][0]["text"].as_str().unwrap().len() >= 60);
    agent.stored();
}

#[test]
fn all_of_64_are_named_whatever_their_texts_are() {
    for unit in ["x", "é", "😀", "\u{1}", "\"", "\\"] {
        let text = unit.repeat(3_000 / unit.len());
        let mut agent = Agent::at_work();
        let mut state = Json::Null;
        for number in 0..70 {
            let id = format!("{number:036}");
            let subject = json!({"kind": "text", "text": text});
            state = agent.asks(
                &id,
                &json!({"detail": text, "subject": subject, "parent_tool_use_id": "toolu_0123456789abcdefghijkl"}),
            );
        }
        let questions = state["questions"].as_array().unwrap();
        let named: Vec<String> = (6..70).map(|number| format!("{number:036}")).collect();
        assert_eq!(open(&state), named, "all but the oldest of more than 64");
        let is_short = |question: &Json| {
            !question["detail"].as_str().unwrap().is_empty() && question["parent_tool_use_id"].is_string()
        };
        assert!(questions.iter().all(is_short), "{unit:?}: {}", state["questions"]);
        assert!(questions.iter().all(|question| question["kind"] == "permission" && question["cut"] == true));
        let bytes = state["questions"].to_string().len();
        assert!(bytes <= STATE_QUESTIONS_BYTES_MAX + 2, "{unit:?}: {bytes}");
        // Ids of their own making, too.
        for number in 0..64 {
            state = agent.asks(
                &format!("{number}{text}"),
                &json!({"detail": text, "tool_use_id": text, "parent_tool_use_id": text}),
            );
        }
        assert_eq!(state["questions"].as_array().unwrap().len(), 64);
        let bytes = state["questions"].to_string().len();
        assert!(bytes <= STATE_QUESTIONS_BYTES_MAX + 2, "{unit:?}: {bytes}");
        assert!(state.to_string().len() <= STATE_BYTES_MAX, "{unit:?}: {}", state.to_string().len());
    }
}

#[test]
fn a_question_with_a_cut_id_is_closed_by_its_answer() {
    let mut agent = Agent::at_work();
    let id = |number: u64| format!("{number}{}", "i".repeat(400));
    for number in 0..64 {
        agent.asks(&id(number), &json!({}));
    }
    assert_eq!(agent.is_answered(&id(63))["questions"].as_array().unwrap().len(), 63);
}
