//! What the sources do to a world: the container, the relay's requests to it, the rig.

use serde_json::json;
use townwatch::core::body::parse_body;
use townwatch::core::relay::{self, Answered};
use townwatch::core::runs::Source;
use townwatch::event::{
    AgentExited, AgentOutput, AgentStatusChanged, EventData, ExitReason, OutputStream, Role, Runtime, Status,
};
use townwatch::id::{Epoch, RunId};
use townwatch::protocol::{ControlStart, ControlStarted, StartAgent};

use super::container::Container;
use super::faults::Fault;
use super::world::{AGENTS, World, agent, fresh};

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
            command: Some(vec!["true".to_owned()]),
            transcript: None,
            speed: None,
            timeout_seconds: None,
        };
        let Ok((start, _, outcome)) = self.town.begin_run(order, agent(9), run_id, self.now) else { return };
        self.perform(&outcome);
        match self.rng.u32(0..10) {
            0 => self.fire(Fault::StartLost),
            1 => {
                self.fire(Fault::StartAnswerLost);
                self.container_starts(&start);
            }
            _ => {
                self.container_starts(&start);
                let started = ControlStarted { epoch: self.container.epoch.clone(), run_id: start.run_id };
                let outcome = self.town.run_accepted(&started, self.now, &mut fresh).unwrap();
                self.perform(&outcome);
            }
        }
    }

    pub(super) fn container_starts(&mut self, start: &ControlStart) {
        self.container.start(start);
        let running = AgentStatusChanged { status: Status::Running };
        self.container.emit(&start.run_id, &running.into(), self.now);
    }

    pub(super) fn some_run(&mut self) -> Option<RunId> {
        let runs: Vec<RunId> = self.container.runs.keys().cloned().collect();
        self.rng.choice(runs)
    }

    pub(super) fn fresh_token(&mut self, source: &str) -> u64 {
        self.tokens += 1;
        self.emitted.insert(self.tokens, source.to_owned());
        self.tokens
    }

    pub(super) fn agent_speaks(&mut self) {
        let Some(run_id) = self.some_run() else { return };
        for _ in 0..self.rng.u32(1..12) {
            let token = self.fresh_token("container");
            let length = if self.rng.u32(0..40) == 0 { 100_000 } else { 10 };
            let text = format!("#{token} {}", "x".repeat(length));
            let output = AgentOutput { text, stream: OutputStream::Stdout, message_id: None, parent_tool_use_id: None };
            self.container.emit(&run_id, &output.into(), self.now);
        }
    }

    pub(super) fn agent_exits(&mut self) {
        let Some(run_id) = self.some_run() else { return };
        let exit = AgentExited { reason: ExitReason::Completed, exit_code: Some(0), signal: None, message: None };
        self.container.emit(&run_id, &EventData::Exited(exit), self.now);
    }

    pub(super) fn agent_speaks_after_its_end(&mut self) {
        let Some(run_id) = self.rng.choice(self.container.ended.keys().cloned().collect::<Vec<_>>()) else { return };
        self.fire(Fault::SpokeAfterEnd);
        let token = self.fresh_token("container");
        let text = format!("#{token} too late");
        let output = AgentOutput { text, stream: OutputStream::Stdout, message_id: None, parent_tool_use_id: None };
        self.container.emit(&run_id, &output.into(), self.now);
    }

    pub(super) fn restart_container(&mut self) {
        self.fire(Fault::ContainerRestarted);
        self.lives += 1;
        self.previous = Some(std::mem::replace(&mut self.container, Container::new(self.lives)));
    }

    pub(super) fn overflow(&mut self) {
        let keep = self.rng.usize(0..6);
        if !self.container.overflow(keep).is_empty() {
            self.fire(Fault::ContainerOverflowed);
        }
    }

    // ---- the relay ----

    pub(super) fn ask(&mut self) {
        let asked = relay::position(self.store.as_ref(), &Source::Container).unwrap();
        let limit = self.rng.usize(1..30);
        let answer = match &self.previous {
            // One that the town has followed: of two that it has not, nobody could tell which is the older.
            Some(previous) if self.follows_no_more(&previous.epoch) && self.rng.u32(0..12) == 0 => {
                let answer = previous.answer(&asked, limit);
                self.fire(Fault::OldEpochAnswers);
                answer
            }
            _ => self.container.answer(&asked, limit),
        };
        self.answers.push((asked, answer));
        if self.rng.bool() {
            self.deliver_answer();
        }
    }

    pub(super) fn follows_no_more(&self, epoch: &Epoch) -> bool {
        relay::is_retired(self.store.as_ref(), &Source::Container, epoch).unwrap()
    }

    pub(super) fn deliver_answer(&mut self) {
        if self.answers.is_empty() {
            return;
        }
        let (asked, answer) = self.answers.swap_remove(self.rng.usize(0..self.answers.len()));
        match self.rng.u32(0..12) {
            0 => return self.fire(Fault::AnswerDropped),
            1 => {
                self.fire(Fault::AnswerRepeated);
                self.answers.push((asked.clone(), answer.clone()));
            }
            _ => {}
        }
        if answer.epoch != self.container.epoch {
            self.fire(Fault::OldEpochLate);
        }
        match relay::apply(self.store.as_ref(), &asked, &answer, self.now, self.config.event_cap, &mut fresh).unwrap() {
            Answered::Taken(outcome) | Answered::NewEpoch(outcome) => self.perform(&outcome),
            Answered::Stale => self.fire(Fault::AnswerLate),
        }
    }

    pub(super) fn unanswered(&mut self) {
        self.fire(Fault::RelayUnanswered);
        let outcome = relay::unanswered(self.store.as_ref(), self.now, self.config.event_cap, &mut fresh).unwrap();
        self.perform(&outcome);
    }

    // ---- the rig ----

    pub(super) fn post(&mut self) {
        let agent_id = agent(self.rng.u64(0..AGENTS));
        let events: Vec<serde_json::Value> = (0..self.rng.u32(1..6))
            .map(|_| {
                let token = self.fresh_token("rig");
                self.posted.push(token);
                json!({"event_type": "note", "data": format!("#{token} note"), "event_id": format!("key-{token}")})
            })
            .collect();
        let body = json!({"agent_id": agent_id.as_str(), "events": events}).to_string();
        let receipt = self.rig.post(parse_body(body.as_bytes()).unwrap(), self.now).unwrap();
        assert_eq!((receipt.appended, receipt.duplicates), (events.len() as u64, 0));
        if self.rng.u32(0..4) == 0 {
            self.fire(Fault::PostRepeated);
            let again = self.rig.post(parse_body(body.as_bytes()).unwrap(), self.now).unwrap();
            assert_eq!((again.appended, again.duplicates), (0, events.len() as u64));
        }
    }

    pub(super) fn forward(&mut self) {
        if let Some(batch) = self.rig.next_batch().unwrap() {
            self.batches.push(batch);
        }
        if self.batches.is_empty() {
            return;
        }
        let batch = self.batches.swap_remove(self.rng.usize(0..self.batches.len()));
        match self.rng.u32(0..10) {
            0 => return self.fire(Fault::BatchDropped),
            1 => {
                self.fire(Fault::BatchRepeated);
                self.batches.push(batch.clone());
            }
            _ => {}
        }
        let (cursor, outcome) = self.town.take_batch(&batch, &mut fresh).unwrap();
        self.perform(&outcome);
        if self.rng.u32(0..6) == 0 {
            self.fire(Fault::CursorLost);
        } else {
            self.cursors.push(cursor);
        }
        // The rig has one request in flight, so answers reach it in order.
        for cursor in self.cursors.drain(..) {
            self.rig.adopt(cursor.cursor).unwrap();
        }
    }
}
