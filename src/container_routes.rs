//! The routes of a town's control server: starting an agent, and messages to it.

use ::worker::Response;
use ::worker::web_sys::Request as Raw;
use futures_util::future::join_all;
use serde::Serialize;
use serde_json::value::RawValue;
use townwatch_protocol::error::{Code, Error, Result};
use townwatch_protocol::id::{AgentId, RunId};
use townwatch_protocol::limits::SILENCE_LOST_MS;
use townwatch_protocol::signed_call::Purpose;
use townwatch_protocol::wire::{
    AnswerAgent, Answered, ContainerStatus, ContainerView, ControlAnswer, ControlHealth, ControlStart, ControlStarted,
    ControlStop, MessageAgent, Sent, StartAgent, StopAgent, Stopped,
};
use townwatch_town::agents::runs::{self, Source};
use townwatch_town::agents::starting::{StartConfirmed, StartRefused, StartRun};
use townwatch_town::relay::control_response::StopAnswer;

use crate::control_request::ControlRequest;
use crate::http::{self, success};
use crate::town_object::TownObject;
use crate::upstream::Upstream;
use crate::{config, platform, posted_end};

/// The time limit of a health request.
const HEALTH_LIMIT_MS: u64 = 1_500;
/// The time limit of a start. The control server clones nothing before it answers.
const START_LIMIT_MS: u64 = 20_000;
/// The time limit of every other call.
const CALL_LIMIT_MS: u64 = 10_000;
/// The time limit for telling a control server that a town is deleted. It answers before it removes anything.
const FORGET_LIMIT_MS: u64 = 1_000;
/// The time from which the relay settles a start that this instance did not finish, 5 s after its begin.
const START_SAFETY_MS: i64 = 5_000;

fn reachable(town: &TownObject) -> Result<Upstream> {
    town.upstream()?.ok_or_else(|| {
        let message = "this installation has no container: agents that run elsewhere post their events to their rig";
        Error::new(Code::ContainerUnavailable, message)
    })
}

/// The container as the town's page shows it. A sleeping one is not started.
pub(super) async fn view(town: &TownObject) -> Result<ContainerView> {
    let silent = |status| ContainerView { status, runtimes: Vec::new(), agents_apart: None, sandbox: None };
    let Some(upstream) = town.upstream()?.filter(Upstream::is_running) else {
        return Ok(silent(ContainerStatus::Asleep));
    };
    Ok(match ask_health(&upstream).await {
        Ok(ControlHealth { runtimes, agents_apart, sandbox, .. }) => {
            ContainerView { status: ContainerStatus::Running, runtimes, agents_apart, sandbox }
        }
        Err(_) => silent(ContainerStatus::Unreachable),
    })
}

/// The health as the control server itself reports it. A sleeping container is not started.
pub(super) async fn health(town: &TownObject) -> Result<Response> {
    town.with(|_| Ok(()))?;
    Ok(success(200, &ask_health(&reachable(town)?).await?))
}

async fn ask_health(upstream: &Upstream) -> Result<ControlHealth> {
    upstream.read(ControlRequest::get(Purpose::Look, "/health", HEALTH_LIMIT_MS)).await
}

/// Starts an agent. The run is stored before the control server is called. If no answer comes, the relay finds out
/// whether the run exists.
pub(super) async fn start(town: &TownObject, request: &Raw) -> Result<Response> {
    let mut order: StartAgent = http::read_json(request).await?;
    town.with(|_| Ok(()))?;
    let upstream = reachable(town)?;
    let mut environment = config::agent_env(&town.env);
    environment.extend(order.env_vars.take().unwrap_or_default());
    order.env_vars = Some(environment);
    let start = StartRun { order, fresh_agent: platform::agent_id(), run_id: platform::run_id() };
    let (start, state) = town.handle(start)?;
    town.pull_alarm(platform::now().plus_millis(START_SAFETY_MS)).await;
    posted_end::allow_again(town, &start.agent_id).await?;
    match order_start(&upstream, &start).await {
        Ok(started) => {
            town.handle(StartConfirmed { started: &started })?;
            town.pull_alarm(platform::now()).await;
            Ok(success(201, &state))
        }
        Err(error) => {
            if !is_unknown(&error) {
                town.handle(StartRefused { run_id: &start.run_id, why: &error.message })?;
            }
            Err(error)
        }
    }
}

/// Whether the control server may have taken a start although its answer did not arrive.
fn is_unknown(error: &Error) -> bool {
    matches!(error.code, Code::ContainerTimeout | Code::ContainerUnavailable)
}

async fn order_start(upstream: &Upstream, start: &ControlStart) -> Result<ControlStarted> {
    upstream.start().await?;
    upstream.read(ControlRequest::post(Purpose::Start, "/agents/start", START_LIMIT_MS).with_body(start)?).await
}

/// Stops an agent. An agent without a run counts as stopped.
pub(super) async fn stop(town: &TownObject, agent_id: &AgentId, request: &Raw) -> Result<Response> {
    let stop: StopAgent = http::read_optional_json(request).await?;
    end(town, agent_id, &stop).await?;
    Ok(success(200, &Stopped { stopped: true }))
}

/// Stops an agent where it posts, where it runs, or both.
pub(super) async fn end(town: &TownObject, agent_id: &AgentId, stop: &StopAgent) -> Result<()> {
    let plan = town.with(|core| core.stop_plan(agent_id))?;
    if let Some((rig_id, run_ids)) = plan.posted {
        posted_end::stop(town, &rig_id, agent_id, run_ids).await?;
    }
    if !plan.in_container {
        return Ok(());
    }
    match ask_to_stop(town, agent_id, stop).await? {
        StopAnswer::Heard | StopAnswer::NoRun => Ok(()),
        StopAnswer::NoRoute(error) | StopAnswer::Unheard(error) => Err(error),
    }
}

/// Asks the control server to stop an agent of this town, or one run of it.
async fn ask_to_stop(town: &TownObject, agent_id: &AgentId, body: &impl Serialize) -> Result<StopAnswer> {
    town.with(|core| core.check_agent(agent_id))?;
    let path = format!("/agents/{agent_id}/stop");
    let request = ControlRequest::post(Purpose::Stop, path, CALL_LIMIT_MS).with_body(body)?;
    Ok(reachable(town)?.stop_agent(request).await)
}

/// Stops an agent that is to be deleted. A container that does not run has no agents.
///
/// # Errors
///
/// `container_unavailable` where the control server may not have received the stop.
pub(super) async fn stop_for_good(town: &TownObject, agent_id: &AgentId) -> Result<()> {
    if town.upstream()?.is_none_or(|upstream| !upstream.is_running()) {
        return Ok(());
    }
    let StopAnswer::Unheard(error) = ask_to_stop(town, agent_id, &StopAgent::default()).await? else { return Ok(()) };
    let message = format!(
        "the agent may still be at work, and its control server has not heard its stop ({}), so nothing was deleted; see that \
         it runs well and delete the agent again, or wait: after {} minutes without an answer the town calls its run lost and \
         can delete it, and the control server ends it by itself",
        error.message,
        SILENCE_LOST_MS / 60_000
    );
    Err(Error::new(Code::ContainerUnavailable, message))
}

/// Stops one run of an agent, and no later run.
pub(super) async fn stop_run(town: &TownObject, agent_id: &AgentId, run_id: &RunId) -> Result<StopAnswer> {
    ask_to_stop(town, agent_id, &ControlStop { signal: None, run_id: Some(run_id.clone()) }).await
}

/// Sends an agent a message.
pub(super) async fn message(town: &TownObject, agent_id: &AgentId, request: &Raw) -> Result<Response> {
    let message: MessageAgent = http::read_json(request).await?;
    tell(town, agent_id, &message).await?;
    Ok(success(200, &Sent { sent: true }))
}

/// Sends an agent a message, for other routes.
pub(super) async fn tell(town: &TownObject, agent_id: &AgentId, message: &MessageAgent) -> Result<()> {
    message.check()?;
    call(town, agent_id, Purpose::Tell, "message", message).await
}

/// Answers an agent's question, as the operator: nobody else may.
pub(super) async fn answer(town: &TownObject, agent_id: &AgentId, request: &Raw) -> Result<Response> {
    let answer: AnswerAgent = http::read_json(request).await?;
    answer.check()?;
    call(town, agent_id, Purpose::Answer, "answer", &ControlAnswer { answer, by: "operator".to_owned() }).await?;
    Ok(success(200, &Answered { answered: true }))
}

async fn call(
    town: &TownObject,
    agent_id: &AgentId,
    purpose: Purpose,
    what: &str,
    body: &impl Serialize,
) -> Result<()> {
    town.with(|core| core.check_agent(agent_id))?;
    let path = format!("/agents/{agent_id}/{what}");
    let request = ControlRequest::post(purpose, path, CALL_LIMIT_MS).with_body(body)?;
    reachable(town)?.text(request).await.map(drop)
}

/// The status of an agent as the control server reports it.
pub(super) async fn status(town: &TownObject, agent_id: &AgentId) -> Result<Response> {
    town.with(|core| core.check_agent(agent_id))?;
    let path = format!("/agents/{agent_id}/status");
    let status: Box<RawValue> = reachable(town)?.read(ControlRequest::get(Purpose::Look, path, CALL_LIMIT_MS)).await?;
    Ok(http::success_text(200, status.get()))
}

/// Stops all runs of a town that is to be deleted.
///
/// # Errors
///
/// `container_unavailable` where the control server may not have received a stop. A run without an answer ends as lost
/// within minutes; after that its control server is not asked any more.
pub(super) async fn stop_all(town: &TownObject) -> Result<()> {
    let open = runs::open_of(town.store.as_ref(), &Source::Container)?;
    let Some(upstream) = town.upstream()? else { return Ok(()) };
    // All at once: one that hangs is waited for, but not one after the other.
    let stop = StopAgent::default();
    let stops = open.iter().map(|run| ask_to_stop(town, &run.agent_id, &stop));
    let unheard = |answer: Result<StopAnswer>| match answer {
        Ok(StopAnswer::Unheard(error)) => Some(error.message),
        _ => None,
    };
    let unheard: Vec<String> = join_all(stops).await.into_iter().filter_map(unheard).collect();
    // A container of the town's own ends with all that runs in it, whether it listens or not.
    upstream.stop().await?;
    if let Some(why) = unheard.first()
        && upstream.outlives_town()
    {
        let message = format!(
            "{} of this town's agents may still be at work, and their control server has not heard their stop ({why}), so \
             nothing was deleted; see that it runs well and delete the town again, or wait: after {} minutes without an answer \
             the town calls them lost and can be deleted, and the control server ends them by itself",
            unheard.len(),
            SILENCE_LOST_MS / 60_000
        );
        return Err(Error::new(Code::ContainerUnavailable, message));
    }
    if upstream.outlives_town() {
        // Where this is not heard, or not understood, what the runs made goes some days after their ends.
        let _ = upstream.bytes(ControlRequest::post(Purpose::Forget, "/forget", FORGET_LIMIT_MS)).await;
    }
    Ok(())
}
