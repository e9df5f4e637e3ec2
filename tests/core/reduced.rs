//! An agent whose events are told one after the other, for tests of its state.

use serde_json::value::RawValue;
use serde_json::{Value as Json, json};
use townwatch_protocol::event::{EventData, Role};
use townwatch_protocol::id::{AgentId, EventId, EventName, RigId, RunId};
use townwatch_protocol::time::Timestamp;
use townwatch_protocol::wire::AgentState;
use townwatch_town::log::reducer::{ReducerInput, Snapshot};

pub struct Agent {
    pub snapshot: Snapshot,
    pub id: u64,
    /// What the clock is ahead or behind, in seconds.
    pub skew_seconds: i64,
}

impl Agent {
    pub fn new() -> Self {
        let (agent_id, rig_id) = (AgentId::parse("a").unwrap(), RigId::parse("rig").unwrap());
        Self { snapshot: Snapshot::new(agent_id, rig_id, "Ada", Role::Polecat), id: 0, skew_seconds: 0 }
    }

    /// In its first run, at work.
    pub fn at_work() -> Self {
        let mut agent = Self::new();
        agent.is("running");
        agent
    }

    /// An event of the run of this number, a second after the one before.
    pub fn happens(&mut self, run: u64, event: &str, data: &Json) -> &AgentState {
        self.id += 1;
        let data = RawValue::from_string(data.to_string()).unwrap();
        let data = EventData::read(&EventName::parse(event).unwrap(), &data);
        let run_id = RunId::parse(&format!("run-{run}")).unwrap();
        let at = Timestamp::from_millis((i64::try_from(self.id).unwrap() + self.skew_seconds) * 1_000);
        let id = EventId::new(self.id).unwrap();
        self.snapshot.reduce(&ReducerInput { id, run: Some((&run_id, run)), data: &data, at });
        &self.snapshot.state
    }

    /// The same in the first run.
    pub fn does(&mut self, event: &str, data: &Json) -> Json {
        serde_json::to_value(self.happens(1, event, data)).unwrap()
    }

    /// Stored, and read again as after a hibernation.
    pub fn stored(&mut self) -> usize {
        let text = serde_json::to_string(&self.snapshot).unwrap();
        self.snapshot = serde_json::from_str(&text).unwrap();
        assert_eq!(serde_json::to_string(&self.snapshot).unwrap(), text);
        text.len()
    }

    pub fn is(&mut self, status: &str) -> Json {
        self.does("agent.status", &json!({"status": status}))
    }

    pub fn calls(&mut self, id: &str, tool: &str) -> Json {
        self.calls_for(id, tool, None)
    }

    /// A call of the sub-agent that works for another call.
    pub fn calls_for(&mut self, id: &str, tool: &str, parent: Option<&str>) -> Json {
        let category = if tool == "Task" { "Task" } else { "Read" };
        let mut call = json!({"tool_use_id": id, "tool": tool, "category": category, "input": {"of": id},
            "summary": format!("{tool} {id}")});
        if let Some(parent) = parent {
            call["parent_tool_use_id"] = json!(parent);
        }
        self.does("agent_tool_call", &call)
    }

    pub fn gets(&mut self, id: &str) -> Json {
        self.gets_success(id, true)
    }

    pub fn gets_success(&mut self, id: &str, success: bool) -> Json {
        let result =
            json!({"tool_use_id": id, "success": success, "content": "", "content_length": 0, "duration_ms": 1});
        self.does("agent_tool_result", &result)
    }

    pub fn uses(&mut self, data: &Json) -> Json {
        self.does("agent_usage", data)["usage"].clone()
    }

    pub fn progress(&mut self, data: &Json) -> Json {
        let mut whole = json!({"current_phase": "", "tool_call_count": 0, "elapsed_seconds": 0, "percentage": null});
        whole.as_object_mut().unwrap().extend(data.as_object().unwrap().clone());
        self.does("progress_update", &whole)
    }

    /// A permission is asked for.
    pub fn asks(&mut self, id: &str, more: &Json) -> Json {
        let mut question = json!({"request_id": id, "kind": "permission", "detail": format!("May it {id}?"), "options": ["once", "reject"]});
        question.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.does("agent_question", &question)
    }

    pub fn is_answered(&mut self, id: &str) -> Json {
        self.does("agent_question_answered", &json!({"request_id": id, "answer": "once", "by": "operator"}))
    }

    pub fn leaves_running(&mut self, task: &str, kind: &str, call: Option<&str>) -> Json {
        let mut data = json!({"task_id": task, "kind": kind, "description": format!("{task} in the background")});
        if let Some(call) = call {
            data["tool_use_id"] = json!(call);
        }
        self.does("agent_task_started", &data)
    }

    pub fn task_ends(&mut self, task: &str) -> Json {
        self.does("agent_task_ended", &json!({"task_id": task, "outcome": "failed"}))
    }
}

/// The names of a list's entries.
pub fn ids<'a>(list: &'a Json, name: &str) -> Vec<&'a str> {
    list.as_array().unwrap().iter().map(|entry| entry[name].as_str().unwrap()).collect()
}

/// What it is at, in short: `tool Bash t1 since 4`.
pub fn activity(state: &Json) -> String {
    let activity = &state["activity"];
    let since = Timestamp::parse(activity["since"].as_str().unwrap()).unwrap().millis() / 1_000;
    let detail = activity["detail"].as_str().map_or_else(String::new, |detail| format!(" {detail}"));
    format!("{}{detail} since {since}", activity["kind"].as_str().unwrap())
}
