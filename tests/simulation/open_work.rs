//! What must be true of what an agent has open, held against the words of the log.

use serde_json::Value;

use super::oracle::Oracle;

impl Oracle {
    /// What an agent is at follows from what it has open; what it has open was begun in its run and has not ended there;
    /// and its time is all accounted for.
    pub fn check_open_work(&self, state: &Value) {
        let Some(run_id) = state["run_id"].as_str() else {
            assert_eq!(state["activity"], Value::Null, "an agent without a run is at something");
            return;
        };
        check_activity(state);
        let agent_id = state["agent_id"].as_str().unwrap();
        let all = self.log.values().filter(|stored| stored.agent_id == agent_id);
        let events: Vec<Value> = all.map(|stored| serde_json::from_str(&stored.frame).unwrap()).collect();
        let events: Vec<&Value> = events.iter().filter(|event| event["run_id"] == run_id).collect();
        let listed = |list: &str, name: &str| -> Vec<String> {
            let entries = state[list].as_array().unwrap().iter();
            entries.map(|entry| entry[name].as_str().unwrap().to_owned()).collect()
        };
        let kinds = [
            ("outstanding_tool_calls", "tool_use_id", "agent_tool_call", "agent_tool_result"),
            ("questions", "request_id", "agent_question", "agent_question_answered"),
            ("background_tasks", "task_id", "agent_task_started", "agent_task_ended"),
        ];
        for (list, name, begins, ends) in kinds {
            let mut open: Vec<&str> = Vec::new();
            for event in &events {
                let id = event["data"][name].as_str();
                if event["event"] == begins {
                    open.extend(id);
                } else if event["event"] == ends {
                    open.retain(|one| Some(*one) != id);
                }
            }
            for one in listed(list, name) {
                assert!(open.contains(&one.as_str()), "{one} is listed among {list} and is not open: {state}");
            }
        }
        // What the agent itself has called since its last turn ended, and has no result of.
        let of_turn = events.iter().rposition(|event| event["data"]["status"] == "waiting").map_or(0, |at| at + 1);
        let calls = listed("outstanding_tool_calls", "tool_use_id");
        for (index, event) in events.iter().enumerate().skip(of_turn) {
            let id = &event["data"]["tool_use_id"];
            let is_own = event["event"] == "agent_tool_call" && event["data"]["parent_tool_use_id"].is_null();
            let has_result = events[index..]
                .iter()
                .any(|later| later["event"] == "agent_tool_result" && later["data"]["tool_use_id"] == *id);
            if is_own && !has_result && state["exit"].is_null() && calls.len() < 64 {
                assert!(calls.iter().any(|call| call == id), "{id} is open and is not listed: {state}");
            }
        }
        let calls: std::collections::BTreeSet<&str> = events
            .iter()
            .filter(|event| event["event"] == "agent_tool_call")
            .map(|event| event["data"]["tool_use_id"].as_str().unwrap())
            .collect();
        assert_eq!(state["tool_call_count"], calls.len(), "calls are counted wrong");
    }
}

fn check_activity(state: &Value) {
    let is_empty = |list: &str| state[list].as_array().unwrap().is_empty();
    let own = |call: &Value| call["parent_tool_use_id"].is_null();
    let calls = state["outstanding_tool_calls"].as_array().unwrap();
    let kind = if !state["exit"].is_null() {
        assert!(
            is_empty("questions") && is_empty("background_tasks") && calls.is_empty(),
            "open after the end: {state}"
        );
        assert_eq!((&state["working_since"], &state["takes_messages"]), (&Value::Null, &Value::Bool(false)));
        let (worked, waited) = (state["worked_ms"].as_i64().unwrap(), state["waited_ms"].as_i64().unwrap());
        let at = |name: &str| townwatch_protocol::time::Timestamp::parse(state[name].as_str().unwrap()).unwrap();
        assert_eq!(worked + waited, at("ended_at").millis() - at("started_at").millis(), "time is missing: {state}");
        if state["exit"]["reason"] == "lost" { "lost" } else { "ended" }
    } else if !is_empty("questions") {
        "question"
    } else if let Some(call) = calls.iter().rfind(|call| own(call)).or(calls.last()) {
        assert_eq!(state["activity"]["detail"], call["summary"], "another call than the newest is shown");
        assert_eq!(state["activity"]["since"], call["since"]);
        "tool"
    } else if state["outstanding_llm_calls"] != 0 || state["status"] != "waiting" {
        "thinking"
    } else if !is_empty("background_tasks") {
        "background"
    } else {
        "waiting"
    };
    assert_eq!(state["activity"]["kind"], kind, "{state}");
    let is_pause = matches!(kind, "waiting" | "ended" | "lost");
    assert!(!is_pause || state["working_since"].is_null(), "nobody works, and time is counted: {state}");
    let is_work = matches!(kind, "thinking" | "background" | "tool");
    assert!(!is_work || state["working_since"].is_string(), "somebody works, and no time is counted: {state}");
}
