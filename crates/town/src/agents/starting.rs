//! Starting a run: stored as `starting` before the control server hears of it, and settled by what it says.

use townwatch_protocol::error::{Code, Error, Result};
use townwatch_protocol::event::{
    AgentExited, AgentNotice, AgentNoticeKind, AgentStatusChanged, Draft, ExitReason, NoticeLevel, Runtime, Status,
};
use townwatch_protocol::id::{AgentId, RunId};
use townwatch_protocol::limits::SECRET_ENV_MAX;
use townwatch_protocol::time::Timestamp;
use townwatch_protocol::wire::{
    AgentState, Budget, ControlStart, ControlStarted, StartAgent, check_timeout, check_words,
};
use townwatch_redaction::{Redactor, SecretValues};

use crate::agents;
use crate::agents::budgets;
use crate::agents::runs::{self, Run, Source};
use crate::agents::stop_orders;
use crate::git_url;
use crate::log::ingest::{Ingest, Outcome, RunIdSource};
use crate::relay;
use crate::store::atomically;
use crate::town::{Town, check_name};

/// Checks an order as far as the town can; whether the program is there only the control server knows.
pub fn check(order: &StartAgent) -> Result<()> {
    check_name("name", &order.name)?;
    git_url::check("git_url", order.git_url.as_deref().unwrap_or_default())?;
    for (field, text) in [("prompt", &order.prompt), ("system_prompt", &order.system_prompt)] {
        check_words(field, text.as_deref().unwrap_or_default())?;
    }
    check_timeout(order.timeout_seconds)?;
    let declared = order.secret_env.as_ref().map_or(0, Vec::len);
    if declared > SECRET_ENV_MAX {
        return Err(Error::invalid("secret_env", format!("{declared} names; at most {SECRET_ENV_MAX} are possible")));
    }
    Budget { max_cost_usd: order.max_cost_usd, max_tokens: order.max_tokens }.check()?;
    if order.speed.is_some_and(|speed| !(0.0..=1000.0).contains(&speed)) {
        return Err(Error::invalid(
            "speed",
            "expected a number from 0 (at once) to 1000; 1 is the recording's own pace",
        ));
    }
    match order.runtime {
        Runtime::Process if order.command.as_ref().is_none_or(Vec::is_empty) => {
            Err(Error::invalid("command", "a process needs the program and its arguments, as in [\"ls\", \"-l\"]"))
        }
        Runtime::Replay if order.transcript.is_none() => {
            Err(Error::invalid("transcript", "a replay needs the name of a bundled recording, as in \"demo\""))
        }
        Runtime::ClaudeCode | Runtime::Codex | Runtime::Gemini | Runtime::Opencode | Runtime::Kilo
            if order.prompt.as_ref().is_none_or(|prompt| prompt.trim().is_empty()) =>
        {
            Err(Error::invalid("prompt", "this agent needs to be told what to do"))
        }
        _ => Ok(()),
    }
}

/// What of an order nobody is to see in what its agent is asked.
fn secrets(order: &StartAgent) -> SecretValues {
    let variables = order.env_vars.iter().flatten().map(|(name, value)| (name.clone(), value.clone()));
    SecretValues::of(variables, order.secret_env.as_deref().unwrap_or_default())
}

impl Town {
    /// Stores the run as `starting`. `agent_id` and `run_id` are fresh names, used where the order brings none.
    pub fn begin_run(
        &mut self,
        mut order: StartAgent,
        fresh_agent: AgentId,
        run_id: RunId,
        now: Timestamp,
    ) -> Result<(ControlStart, AgentState, Outcome)> {
        check(&order)?;
        let redactor = Redactor::new(secrets(&order))?;
        let asked = order.prompt.as_deref().map(|prompt| redactor.text(prompt));
        let agent_id = order.agent_id.take().unwrap_or(fresh_agent);
        // What may be spent is the town's to know: it counts what is.
        let budget = Budget { max_cost_usd: order.max_cost_usd.take(), max_tokens: order.max_tokens.take() };
        let (budgets, outcome) = atomically(self.store.as_ref(), || {
            let mut agent = self.agent_for(&order.rig_id, &agent_id, &order.name, order.role)?;
            if let Some(run) = runs::newest_open(self.store.as_ref(), &agent_id)? {
                let message =
                    format!("agent {agent_id} has an open run, {}; stop it first, or start another agent", run.run_id);
                return Err(Error::new(Code::AlreadyRunning, message));
            }
            let town_budget = budgets::of_town(self.store.as_ref())?;
            agent.budgets.day.check_left(
                "the agent",
                &format!("/api/towns/{}/agents/{agent_id}", self.town_id),
                now,
            )?;
            town_budget.check_left("the town", &format!("/api/towns/{}", self.town_id), now)?;
            let unheld =
                budgets::cannot_hold(order.runtime, &[budget, agent.budgets.day.budget(), town_budget.budget()]);
            agent.budgets.begin_run(&run_id, budget);
            relay::forget_silence(self.store.as_ref())?;
            let (budgets, before) = (agent.budgets.clone(), agent.now.state.clone());
            for snapshot in [&mut agent.now, agent.base.read()?] {
                snapshot.register(&order.name, order.role, Some(order.runtime), asked.as_deref());
            }
            let mut named = || run_id.clone();
            let mut ingest =
                Ingest::new(self.store.as_ref(), Source::Container, None, self.config.event_cap, &mut named, now)?;
            ingest.put_agent(before, agent);
            let starting = AgentStatusChanged { status: Status::Starting };
            ingest.take(&Draft::new(agent_id.clone(), run_id.clone(), starting, now))?;
            if let Some(message) = unheld {
                let notice = AgentNotice::new(AgentNoticeKind::Budget, NoticeLevel::Warning, message);
                ingest.take(&Draft::new(agent_id.clone(), run_id.clone(), notice, now))?;
            }
            Ok((budgets, ingest.finish()?))
        })?;
        let state = outcome.states.first().map(|(_, after)| after.clone());
        let mut state = state.ok_or_else(|| Error::internal("a begun run left no state"))?;
        budgets.present(&mut state);
        Ok((ControlStart { run_id, agent_id, order }, state, outcome))
    }

    /// The control server took the start: its run is in this life of its buffers. If that life is over already, so is
    /// the run.
    pub fn run_accepted(
        &mut self,
        started: &ControlStarted,
        now: Timestamp,
        fresh_run: RunIdSource<'_>,
    ) -> Result<Outcome> {
        let Some(run) = runs::load(self.store.as_ref(), &started.run_id)? else { return Ok(Outcome::default()) };
        if run.ended {
            // One that the town gave up before anything was heard of it works on unseen: it has to be stopped.
            let message = "its start was confirmed after the town had given it up";
            let is_unseen = run.source_epoch.is_none();
            let orders_stops = is_unseen && stop_orders::order(self.store.as_ref(), &run.run_id, message)?;
            return Ok(Outcome { orders_stops, ..Outcome::default() });
        }
        if relay::is_retired(self.store.as_ref(), &Source::Container, &started.epoch)? {
            let exit = AgentExited::because(ExitReason::Lost, "the container went away while the agent started in it");
            return relay::end_run(self.store.as_ref(), &run, exit, now, self.config.event_cap, fresh_run);
        }
        if run.source_epoch.as_ref() != Some(&started.epoch) {
            runs::found_in(self.store.as_ref(), &run.run_id, &started.epoch)?;
        }
        Ok(Outcome::default())
    }

    /// The control server would not start it.
    pub fn run_refused(
        &mut self,
        run_id: &RunId,
        why: &str,
        now: Timestamp,
        fresh_run: RunIdSource<'_>,
    ) -> Result<Outcome> {
        match runs::load(self.store.as_ref(), run_id)?.filter(|run| !run.ended) {
            None => Ok(Outcome::default()),
            Some(run) => {
                let exit = AgentExited::because(ExitReason::Failed, why);
                relay::end_run(self.store.as_ref(), &run, exit, now, self.config.event_cap, fresh_run)
            }
        }
    }

    /// Runs whose start the control server has not confirmed for `grace_ms`, or has confirmed in a life that is not the
    /// one that the relay follows: it has to be asked for them.
    pub fn unconfirmed_runs(&self, now: Timestamp, grace_ms: u64) -> Result<Vec<Run>> {
        let present = relay::position(self.store.as_ref(), &Source::Container)?.epoch;
        let is_confirmed = |run: &Run| run.source_epoch.is_some() && run.source_epoch == present;
        let open = runs::open_of(self.store.as_ref(), &Source::Container)?;
        Ok(open.into_iter().filter(|run| !is_confirmed(run) && now.millis_since(run.started_at) >= grace_ms).collect())
    }

    /// Whether an agent exists here; for routes that go on to the control server.
    pub fn check_agent(&self, agent_id: &AgentId) -> Result<()> {
        agents::load(self.store.as_ref(), agent_id)?.map(|_| ()).ok_or_else(|| Error::not_found("agent"))
    }
}
