//! One turn of the relay: the alarm's work. It asks the control server again and again, hands each answer to the core,
//! and leaves the next time behind.

use crate::core::relay::{self, Answered, Position};
use crate::core::runs::{self, Run, Source};
use crate::core::store::Store;
use crate::core::town::Town as Core;
use crate::edge::fresh;
use crate::edge::log::log;
use crate::edge::timer::Sleep;
use crate::edge::town_object::TownObject;
use crate::edge::upstream::Upstream;
use crate::error::{Code, Error, Result};
use crate::limits::{BATCH_EVENTS_MAX, RELAY_REARM_MS, RELAY_TURN_MS};
use crate::protocol::{ControlEvents, ControlStarted, ControlStatus};

/// After a request that failed.
pub(super) const RETRY_MS: i64 = 1_000;
/// Failures in a row before the container counts as silent: a restarted control server is back before.
const FAILURES_TOLERATED: u32 = 3;
/// How long the start of a run may go unconfirmed before the control server is asked for it.
const UNCONFIRMED_GRACE_MS: u64 = 5_000;
/// What an answer may take beyond the time that the server was asked to wait.
const ANSWER_LIMIT_MS: u64 = 10_000;

/// Takes a turn.
pub(super) async fn take(town: &TownObject) -> Result<()> {
    let began = fresh::now();
    if town.with(|_| Ok(())).is_err_and(|error| error.code == Code::NotFound) {
        return Ok(());
    }
    if runs::any_open_of(store(town), &Source::Container)? {
        town.set_alarm(began.plus_millis(RELAY_REARM_MS)).await;
        carry(town, began).await?;
    }
    town.tick();
    town.let_silent_go();
    let watched = town.is_watched()?;
    let next = town.with(|core| {
        let relay = relay::next_turn(store(town), watched, fresh::now(), core.config().drain_interval_ms)?;
        Ok([relay, core.due_at(fresh::now())].into_iter().flatten().min())
    })?;
    match next {
        Some(at) => town.set_alarm(at).await,
        None => town.clear_alarm().await,
    }
    Ok(())
}

/// Asks until the turn's time is over, no run is open, or, while nobody watches, nothing is left to fetch.
async fn carry(town: &TownObject, began: crate::time::Timestamp) -> Result<()> {
    let Some(upstream) = town.upstream()? else {
        return no_answer(town, &Error::new(Code::NotConfigured, "neither CONTAINER_URL nor a container is set"));
    };
    if !upstream.is_running() {
        let cap = town.with(|core| Ok(core.config().event_cap))?;
        town.publish(&relay::stopped(store(town), fresh::now(), cap, &mut fresh::run_id)?);
    }
    let poll_interval_ms = town.config()?.settings.poll_interval_ms;
    let mut failures = 0;
    let mut settled = false;
    loop {
        let asked_at = fresh::now();
        let open = runs::any_open_of(store(town), &Source::Container)?;
        let wait_ms = if open && town.is_watched()? { poll_interval_ms } else { 0 };
        let asked = relay::position(store(town), &Source::Container)?;
        let empty = match ask(town, &upstream, &asked, wait_ms).await {
            Ok(answer) => {
                failures = 0;
                take_over(town, &asked, answer)?
            }
            Err(error) => {
                failures += 1;
                town.count(|counts| counts.relay_failures += 1);
                if failures >= FAILURES_TOLERATED {
                    no_answer(town, &error)?;
                }
                if !runs::any_open_of(store(town), &Source::Container)? {
                    return Ok(());
                }
                Sleep::new(RETRY_MS.unsigned_abs()).await;
                false
            }
        };
        town.tick();
        if failures == 0 && !settled {
            settled = true;
            settle(town, &upstream).await?;
        }
        let watched = town.is_watched()?;
        let over = fresh::now().millis_since(began) >= RELAY_TURN_MS;
        if over || (empty && (!open || !watched)) {
            return Ok(());
        }
        let waited_ms = fresh::now().millis_since(asked_at);
        if empty && waited_ms < poll_interval_ms {
            Sleep::new(poll_interval_ms - waited_ms).await;
        }
    }
}

async fn ask(town: &TownObject, upstream: &Upstream, asked: &Position, wait_ms: u64) -> Result<ControlEvents> {
    let epoch = asked.epoch.as_ref().map_or_else(String::new, |epoch| format!("epoch={epoch}&"));
    let previews = if town.is_watched()? { "&previews=1" } else { "" };
    let path =
        format!("/events?{epoch}after={}&ack=1&wait_ms={wait_ms}&limit={BATCH_EVENTS_MAX}{previews}", asked.cursor);
    town.count(|counts| counts.relay_requests += 1);
    let (_, text) = upstream.request("GET", &path, &town.town_id()?, None, wait_ms + ANSWER_LIMIT_MS).await?;
    serde_json::from_str(&text).map_err(|error| Error::new(Code::ContainerError, format!("/events: {error}")))
}

/// Hands an answer to the core; true if it brought nothing.
fn take_over(town: &TownObject, asked: &Position, answer: ControlEvents) -> Result<bool> {
    let was_silent = relay::silent_since(store(town))?.is_some();
    let cap = town.with(|core| Ok(core.config().event_cap))?;
    let taken = relay::apply(store(town), asked, &answer, fresh::now(), cap, &mut fresh::run_id)?;
    if was_silent {
        town.with(Core::silence_changed)?;
    }
    match taken {
        Answered::Taken(outcome) => {
            town.publish(&outcome);
            let is_empty = answer.events.is_empty() && answer.previews.is_empty();
            town.preview(answer.previews);
            Ok(is_empty)
        }
        Answered::NewEpoch(outcome) => {
            town.publish(&outcome);
            Ok(false)
        }
        Answered::Stale => Ok(true),
    }
}

/// Notes that the control server does not answer.
fn no_answer(town: &TownObject, error: &Error) -> Result<()> {
    let was_silent = relay::silent_since(store(town))?.is_some();
    let cap = town.with(|core| Ok(core.config().event_cap))?;
    let outcome = relay::unanswered(store(town), fresh::now(), cap, &mut fresh::run_id)?;
    if !was_silent {
        log("relay_error", &[("message", &error.message)]);
        town.with(Core::silence_changed)?;
    }
    town.publish(&outcome);
    Ok(())
}

/// Settles runs whose start was never confirmed, by the control server's own word.
async fn settle(town: &TownObject, upstream: &Upstream) -> Result<()> {
    let unconfirmed = town.with(|core| core.unconfirmed_runs(fresh::now(), UNCONFIRMED_GRACE_MS))?;
    for run in unconfirmed {
        let known = match status(town, upstream, &run).await {
            Ok(status) if status.run_id == run.run_id => Some(status.epoch),
            Ok(_) => None,
            Err(error) if error.code == Code::NotFound => None,
            Err(_) => continue,
        };
        let outcome = if let Some(epoch) = known {
            let present = relay::position(store(town), &Source::Container)?.epoch;
            let Some(epoch) = epoch.or(present) else { continue };
            let started = ControlStarted { epoch, run_id: run.run_id.clone() };
            town.with(|core| core.run_accepted(&started, fresh::now(), &mut fresh::run_id))?
        } else {
            let why = "the control server does not know of this run: its start never arrived";
            town.with(|core| core.run_refused(&run.run_id, why, fresh::now(), &mut fresh::run_id))?
        };
        town.publish(&outcome);
    }
    Ok(())
}

async fn status(town: &TownObject, upstream: &Upstream, run: &Run) -> Result<ControlStatus> {
    let path = format!("/agents/{}/status", run.agent_id);
    let (_, text) = upstream.request("GET", &path, &town.town_id()?, None, ANSWER_LIMIT_MS).await?;
    serde_json::from_str(&text).map_err(|error| Error::new(Code::ContainerError, format!("{path}: {error}")))
}

fn store(town: &TownObject) -> &dyn Store {
    town.store.as_ref()
}
