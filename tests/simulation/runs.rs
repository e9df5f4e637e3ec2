//! What runs in a container do to a world: they start, say all kinds of things, end, or go with their container.

use serde_json::json;
use serde_json::value::{RawValue, to_raw_value};
use townwatch_protocol::event::{AgentExited, AgentStatusChanged, EventData, ExitReason, Role, Status};
use townwatch_protocol::id::{EventName, RunId};
use townwatch_protocol::runtime::Runtime;
use townwatch_protocol::wire::{ControlStart, ControlStarted, StartAgent};
use townwatch_town::agents::runs;
use townwatch_town::agents::runs::Source;
use townwatch_town::agents::starting::{StartConfirmed, StartRun};
use townwatch_town::relay::taking::ContainerStopped;

use super::container::Container;
use super::faults::Fault;
use super::world::{AGENTS, World, agent};

impl World {
    pub(super) fn start_run(&mut self) {
        self.runs += 1;
        let run_id = RunId::parse(&format!("run-{}", self.runs)).unwrap();
        let order = StartAgent {
            agent_id: Some(agent(self.rng.u64(0..AGENTS))),
            rig_id: self.rig_id.clone(),
            name: "Agent".to_owned(),
            role: Role::Polecat,
            runtime: Runtime::Process,
            prompt: None,
            model: None,
            system_prompt: None,
            git_url: None,
            branch: None,
            default_branch: None,
            env_vars: None,
            secret_env: None,
            command: Some(vec!["true".to_owned()]),
            transcript: None,
            speed: None,
            timeout_seconds: None,
            max_cost_usd: None,
            max_tokens: (self.rng.u32(0..3) == 0).then(|| self.rng.u64(3..40)),
        };
        let begun = self.handle(StartRun { order, fresh_agent: agent(9), run_id });
        // One that has an open run is refused.
        let Some(Ok((start, _))) = begun else { return };
        match self.rng.u32(0..10) {
            0 => self.fire(Fault::StartLost),
            1 => {
                self.fire(Fault::StartAnswerLost);
                self.container_starts(&start);
            }
            _ => {
                self.container_starts(&start);
                let started = ControlStarted { epoch: self.container.epoch.clone(), run_id: start.run_id };
                if let Some(confirmed) = self.handle(StartConfirmed { started: &started }) {
                    confirmed.unwrap();
                }
            }
        }
    }

    fn container_starts(&mut self, start: &ControlStart) {
        self.container.start(start);
        let running = AgentStatusChanged { status: Status::Running };
        self.container.emit(&start.run_id, &running.into(), self.now);
    }

    fn some_run(&mut self) -> Option<RunId> {
        let runs: Vec<RunId> = self.container.runs.keys().cloned().collect();
        self.rng.choice(runs)
    }

    pub(super) fn fresh_token(&mut self, source: &str) -> u64 {
        self.tokens += 1;
        self.emitted.insert(self.tokens, source.to_owned());
        self.tokens
    }

    /// Something that an agent may say, of each kind that a viewer can filter out, and of others.
    fn something(&mut self) -> (&'static str, Box<RawValue>) {
        let token = self.fresh_token("container");
        let call = self.rng.choice(self.calls.clone()).unwrap_or_else(|| "none".to_owned());
        let parent = if self.rng.u32(0..4) == 0 { json!(call) } else { json!(null) };
        let (name, data) = match self.rng.u32(0..22) {
            0..2 => {
                self.calls.truncate(8);
                self.calls.insert(0, format!("call-{token}"));
                let category = if self.rng.bool() { "Task" } else { "Bash" };
                (
                    "agent_tool_call",
                    json!({"tool_use_id": format!("call-{token}"), "tool": "Bash", "category": category, "input": {},
                        "summary": format!("#{token}"), "parent_tool_use_id": parent}),
                )
            }
            2 => (
                "agent_tool_result",
                json!({"tool_use_id": call, "success": self.rng.bool(), "content": format!("#{token}"), "content_length": 9,
                    "duration_ms": 1}),
            ),
            3 => ("file_changed", json!({"path": format!("#{token}"), "action": "modified"})),
            4 => (
                "progress_update",
                json!({"percentage": null, "current_phase": format!("#{token}"), "tool_call_count": 0,
                    "elapsed_seconds": 0}),
            ),
            5 => ("agent_error", json!({"code": "x", "message": format!("#{token}")})),
            6 => (
                "agent_question",
                json!({"request_id": format!("question-{}", self.rng.u32(0..4)), "kind": "input",
                    "detail": format!("#{token}"), "options": ["a"], "tool_use_id": call, "parent_tool_use_id": parent}),
            ),
            7 => (
                "agent_question_answered",
                json!({"request_id": format!("question-{}", self.rng.u32(0..4)), "answer": "once", "by": "operator",
                    "text": format!("#{token}")}),
            ),
            8 => (
                "agent_task_started",
                json!({"task_id": format!("task-{token}"), "kind": "agent", "description": format!("#{token}"),
                    "tool_use_id": call}),
            ),
            9 => (
                "agent_task_ended",
                json!({"task_id": format!("task-{}", token - self.rng.u64(0..token.min(20))), "outcome": "completed",
                    "summary": format!("#{token}")}),
            ),
            10 => (
                "agent_usage",
                json!({"message_id": format!("message-{}", self.rng.u32(0..50)), "input_tokens": 1, "output_tokens": 2,
                    "cumulative": self.rng.u32(0..8) == 0, "parent_tool_use_id": parent, "note": format!("#{token}")}),
            ),
            11 => (
                "user_message",
                json!({"text": format!("#{token}"), "by": "operator", "source": "prompt", "parent_tool_use_id": parent}),
            ),
            12..14 => {
                let status = if self.rng.bool() { "waiting" } else { "running" };
                ("agent.status", json!({"status": status, "note": format!("#{token}")}))
            }
            _ => {
                let is_long = self.is_loud || self.rng.u32(0..40) == 0;
                let length = if is_long { 100_000 } else { 10 };
                ("agent_output", json!({"text": format!("#{token} {}", "x".repeat(length)), "stream": "stdout"}))
            }
        };
        (name, to_raw_value(&data).unwrap())
    }

    pub(super) fn agent_speaks(&mut self) {
        let Some(run_id) = self.some_run() else { return };
        for _ in 0..self.rng.u32(1..if self.is_loud { 80 } else { 12 }) {
            let (name, data) = self.something();
            self.container.emit_raw(&run_id, EventName::parse(name).unwrap(), data, self.now);
        }
    }

    pub(super) fn agent_exits(&mut self) {
        let Some(run_id) = self.some_run() else { return };
        let exit = AgentExited { reason: ExitReason::Completed, exit_code: Some(0), signal: None, message: None };
        self.container.emit(&run_id, &EventData::Exited(exit), self.now);
    }

    fn some_ended_run(&mut self) -> Option<RunId> {
        let ended: Vec<RunId> = self.container.ended.keys().cloned().collect();
        self.rng.choice(ended)
    }

    pub(super) fn agent_speaks_after_its_end(&mut self) {
        let Some(run_id) = self.some_ended_run() else { return };
        self.fire(Fault::SpokeAfterEnd);
        let (name, data) = self.something();
        self.container.emit_raw(&run_id, EventName::parse(name).unwrap(), data, self.now);
    }

    pub(super) fn expire_run(&mut self) {
        if let Some(run_id) = self.some_ended_run() {
            self.container.expire(&run_id);
        }
    }

    pub(super) fn restart_container(&mut self) {
        self.fire(Fault::ContainerRestarted);
        self.lives += 1;
        let fresh = Container::new(self.lives, &mut self.rng);
        self.previous = Some(std::mem::replace(&mut self.container, fresh));
    }

    /// The container stops, which the town is told, and is started again when it is next wanted.
    pub(super) fn stop_container(&mut self) {
        self.fire(Fault::ContainerStopped);
        self.restart_container();
        if let Some(stopped) = self.handle(ContainerStopped) {
            stopped.unwrap();
            let open = runs::open_of(self.store.as_ref(), &Source::Container).unwrap();
            assert!(open.iter().all(|run| run.source_epoch.is_none()), "a run is open in a container that stopped");
        }
    }

    pub(super) fn overflow(&mut self) {
        let keep = self.rng.usize(0..6);
        self.container.lose(self.container.retained().saturating_sub(keep), Fault::ContainerOverflowed);
    }
}
