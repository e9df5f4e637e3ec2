//! Starting a run: stored as `starting` before the control server hears of it, and settled by what it says.

use townwatch_protocol::error::{Code, Error, Result};
use townwatch_protocol::event::{
    AgentExited, AgentNotice, AgentNoticeKind, AgentStatusChanged, Draft, ExitReason, NoticeLevel, Status,
};
use townwatch_protocol::id::{AgentId, RunId};
use townwatch_protocol::limits::SECRET_ENV_MAX;
use townwatch_protocol::runtime::Work;
use townwatch_protocol::time::Timestamp;
use townwatch_protocol::wire::{
    AgentState, Budget, ControlStart, ControlStarted, StartAgent, check_timeout, check_words,
};
use townwatch_redaction::{Redactor, SecretValues};

use crate::agents;
use crate::agents::budgets;
use crate::agents::runs::{self, Run, Source};
use crate::agents::stop_orders;
use crate::decision::{Decide, Decision};
use crate::git_url;
use crate::log::ingest::Outcome;
use crate::relay::{self, silence};
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
    match order.runtime.properties().work {
        Work::Command if order.command.as_ref().is_none_or(Vec::is_empty) => {
            Err(Error::invalid("command", "a process needs the program and its arguments, as in [\"ls\", \"-l\"]"))
        }
        Work::Recording if order.transcript.is_none() => {
            Err(Error::invalid("transcript", "a replay needs the name of a bundled recording, as in \"demo\""))
        }
        Work::Prompt if order.prompt.as_ref().is_none_or(|prompt| prompt.trim().is_empty()) => {
            Err(Error::invalid("prompt", "this agent needs to be told what to do"))
        }
        _ => Ok(()),
    }
}

/// The secrets of a start that its prompt must not show.
fn secrets(order: &StartAgent) -> SecretValues {
    let variables = order.env_vars.iter().flatten().map(|(name, value)| (name.clone(), value.clone()));
    SecretValues::of(variables, order.secret_env.as_deref().unwrap_or_default())
}

/// The start of a run, which is stored as `starting`. The answer is the order for the control server, and the agent's state.
#[derive(Debug)]
pub struct StartRun {
    /// The order.
    pub order: StartAgent,
    /// A fresh name for the agent, used where the order brings none.
    pub fresh_agent: AgentId,
    /// The run's name.
    pub run_id: RunId,
}

/// The control server's word that it took a start: the run is in this life of its buffers. If that life is over already, so is
/// the run.
#[derive(Debug)]
pub struct StartConfirmed<'a> {
    /// The word.
    pub started: &'a ControlStarted,
}

/// The control server's refusal of a start.
#[derive(Debug)]
pub struct StartRefused<'a> {
    /// The run.
    pub run_id: &'a RunId,
    /// The reason, for people.
    pub why: &'a str,
}

impl Decide for StartRun {
    type Answer = (ControlStart, AgentState);

    fn decide(self, town: &mut Town, now: Timestamp) -> Result<Decision<Self::Answer>> {
        town.begin_run(self, now).map(|(start, state, outcome)| Decision::seen((start, state), outcome))
    }
}

impl Decide for StartConfirmed<'_> {
    type Answer = ();

    fn decide(self, town: &mut Town, now: Timestamp) -> Result<Decision<()>> {
        town.run_accepted(self.started, now).map(|outcome| Decision::seen((), outcome))
    }
}

impl Decide for StartRefused<'_> {
    type Answer = ();

    fn decide(self, town: &mut Town, now: Timestamp) -> Result<Decision<()>> {
        let run = runs::load(town.store.as_ref(), self.run_id)?.filter(|run| !run.ended);
        let exit = AgentExited::because(ExitReason::Failed, self.why);
        let outcome = run.map(|run| town.end_run(&run, exit, now)).transpose()?;
        Ok(Decision::seen((), outcome.unwrap_or_default()))
    }
}

impl Town {
    fn begin_run(&self, start: StartRun, now: Timestamp) -> Result<(ControlStart, AgentState, Outcome)> {
        let StartRun { mut order, fresh_agent, run_id } = start;
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
            silence::forget(self.store.as_ref())?;
            let (budgets, before) = (agent.budgets.clone(), agent.now.state.clone());
            for snapshot in [&mut agent.now, agent.base.read()?] {
                snapshot.register(&order.name, order.role, Some(order.runtime), asked.as_deref());
            }
            let mut ingest = self.ingest(Source::Container, None, now)?;
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

    fn run_accepted(&self, started: &ControlStarted, now: Timestamp) -> Result<Outcome> {
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
            return self.end_run(&run, exit, now);
        }
        if run.source_epoch.as_ref() != Some(&started.epoch) {
            runs::found_in(self.store.as_ref(), &run.run_id, &started.epoch)?;
        }
        Ok(Outcome::default())
    }

    /// Ends a run in the town's own words, in one transaction; nothing if it has ended.
    fn end_run(&self, run: &Run, exit: AgentExited, now: Timestamp) -> Result<Outcome> {
        let draft = Draft::new(run.agent_id.clone(), run.run_id.clone(), exit, now);
        atomically(self.store.as_ref(), || {
            let mut ingest = self.ingest(Source::Container, None, now)?;
            ingest.take(&draft)?;
            ingest.finish()
        })
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
