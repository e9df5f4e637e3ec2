//! The alarm's work: one turn of the relay, as [`RelayTurn`] directs it, and the time of the next one.

use townwatch_protocol::error::{Code, Error, Result};
use townwatch_protocol::id::AgentId;
use townwatch_protocol::limits::RELAY_REARM_MS;
use townwatch_protocol::signed_call::Purpose;
use townwatch_protocol::time::Timestamp;
use townwatch_protocol::wire::{ControlStatus, RigRequest};
use townwatch_town::relay::source_answer::SourceAnswer;
use townwatch_town::relay::taking::{ContainerStopped, RelayFailure};
use townwatch_town::relay::turn::{RelayRequest, RelayStep, RelayTurn};

use crate::control_request::ControlRequest;
use crate::log::log;
use crate::timer::Sleep;
use crate::town_object::TownObject;
use crate::upstream::Upstream;
use crate::{images, platform, stop_orders, town_routes};

/// The time that an answer may need beyond the time that the server was asked to wait, 10 s.
const ANSWER_LIMIT_MS: u64 = 10_000;

/// Takes a turn.
pub(super) async fn take(town: &TownObject) -> Result<()> {
    let began = platform::now();
    if town.with(|_| Ok(())).is_err_and(|error| error.code == Code::NotFound) {
        return Ok(());
    }
    images::begin(town);
    stop_orders::begin(town);
    if town.wants_relay()? {
        town.set_alarm(began.plus_millis(RELAY_REARM_MS)).await;
        carry(town, began).await?;
    }
    town.tick().await;
    town.let_silent_go();
    let (demand, now) = (town.demand()?, platform::now());
    let next = town.with(|core| core.relay_due_at(demand, now))?;
    let dues = [next, town.due_at(now)?, images::due_at(town)?, stop_orders::due_at(town)];
    match dues.into_iter().flatten().min() {
        Some(at) => town.set_alarm(at).await,
        None => town.clear_alarm().await,
    }
    Ok(())
}

async fn carry(town: &TownObject, began: Timestamp) -> Result<()> {
    let Some(upstream) = town.upstream()? else {
        let error = Error::new(Code::NotConfigured, "neither CONTAINER_URL nor a container is set");
        if town.handle(RelayFailure { error: &error })? {
            note_failure(&error);
        }
        return Ok(());
    };
    if !upstream.is_running() {
        town.handle(ContainerStopped)?;
    }
    let settings = &town.config()?.settings;
    let mut turn = RelayTurn::new(settings.poll_interval_ms, settings.relay_while_watched, began);
    loop {
        let demand = town.demand()?;
        match town.step(|core| turn.next(core, demand, platform::now()))? {
            RelayStep::Ask(request) => {
                let came = ask(town, &upstream, &request).await;
                if came.is_err() {
                    town.count(|counts| counts.relay_failures += 1);
                }
                let news = town.step(|core| turn.answered(core, request, came, platform::now()))?;
                if let Some(error) = news {
                    note_failure(&error);
                }
                images::begin(town);
                stop_orders::begin(town);
            }
            RelayStep::MakeRig => {
                let request = RigRequest { name: "Container".to_owned(), git_url: None, default_branch: None };
                town_routes::add_rig(town, &request).await?;
            }
            RelayStep::AskStatus(run) => {
                let came = status(&upstream, &run.agent_id).await;
                town.step(|core| turn.told_status(core, &run, came, platform::now()))?;
            }
            RelayStep::Tick => town.tick().await,
            RelayStep::Sleep(millis) => Sleep::new(millis).await,
            RelayStep::Over => return Ok(()),
        }
    }
}

fn note_failure(error: &Error) {
    log("relay_error", &[("message", &error.message)]);
}

async fn ask(town: &TownObject, upstream: &Upstream, request: &RelayRequest) -> Result<SourceAnswer> {
    town.count(|counts| counts.relay_requests += 1);
    let limit_ms = request.wait_ms + ANSWER_LIMIT_MS;
    let text = upstream.text(ControlRequest::get(Purpose::Relay, request.target(), limit_ms)).await?;
    SourceAnswer::read(&text, platform::now())
}

async fn status(upstream: &Upstream, agent_id: &AgentId) -> Result<ControlStatus> {
    let path = format!("/agents/{agent_id}/status");
    upstream.read(ControlRequest::get(Purpose::Look, path, ANSWER_LIMIT_MS)).await
}
