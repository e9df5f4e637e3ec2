//! One turn of the relay: the alarm's work. It asks the control server again and again, hands each answer to the core,
//! and leaves the next time behind.

use townwatch_protocol::error::{Code, Error, Result};
use townwatch_protocol::limits::{BATCH_EVENTS_MAX, RELAY_REARM_MS, RELAY_TURN_MS};
use townwatch_protocol::signed_call::Purpose;
use townwatch_protocol::wire::{ControlStarted, ControlStatus, RigRequest};
use townwatch_town::agents::runs::{Run, Source};
use townwatch_town::relay::source_answer::SourceAnswer;
use townwatch_town::relay::{self, Answered, Position, Reach};
use townwatch_town::store::Store;
use townwatch_town::town::Town as Core;

use crate::control_request::ControlRequest;
use crate::log::log;
use crate::timer::Sleep;
use crate::town_object::TownObject;
use crate::upstream::Upstream;
use crate::{images, platform, stop_orders, town_routes};

/// After a request that failed.
pub(super) const RETRY_MS: i64 = 1_000;
/// Failures in a row before the container counts as silent: a restarted control server is back before.
const FAILURES_TOLERATED: u32 = 3;
/// How long the start of a run may go unconfirmed before the control server is asked for it.
const UNCONFIRMED_GRACE_MS: u64 = 5_000;
/// How often a container that names no life is asked for all that it has, where its last event is gone.
const LOOK_INTERVAL_MS: u64 = 5_000;
/// What an answer may take beyond the time that the server was asked to wait.
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
    town.tick();
    town.let_silent_go();
    let (watched, unasked) = (town.is_watched()?, town.relays_unasked()?);
    let next = town.with(|core| {
        relay::next_turn(store(town), watched, unasked, platform::now(), core.config().drain_interval_ms)
    })?;
    let dues = [next, town.due_at(platform::now())?, images::due_at(town)?, stop_orders::due_at(town)];
    let next = dues.into_iter().flatten().min();
    match next {
        Some(at) => town.set_alarm(at).await,
        None => town.clear_alarm().await,
    }
    Ok(())
}

/// Asks until the turn's time is over, nothing is wanted of it any more, or, while nobody watches, nothing is left to fetch.
async fn carry(town: &TownObject, began: townwatch_protocol::time::Timestamp) -> Result<()> {
    let Some(upstream) = town.upstream()? else {
        return no_answer(town, &Error::new(Code::NotConfigured, "neither CONTAINER_URL nor a container is set"));
    };
    if !upstream.is_running() {
        let cap = town.with(|core| Ok(core.config().event_cap))?;
        town.publish(&relay::stopped(store(town), platform::now(), cap, &mut platform::run_id)?);
    }
    let poll_interval_ms = town.config()?.settings.poll_interval_ms;
    let mut failures = 0;
    let mut settled = false;
    let mut reach = Reach::New;
    let mut looked_at = None;
    loop {
        let asked_at = platform::now();
        let wanted = town.wants_relay()?;
        let wait_ms = if wanted && town.is_watched()? { poll_interval_ms } else { 0 };
        let asked = relay::position(store(town), &Source::Container)?;
        let asked_for = std::mem::replace(&mut reach, Reach::New);
        let empty = match ask(town, &upstream, (&asked, asked_for), wait_ms).await {
            Ok(answer) => {
                failures = 0;
                let taken = take_over(town, (&asked, asked_for), answer).await?;
                let may_look = looked_at.is_none_or(|at| asked_at.millis_since(at) >= LOOK_INTERVAL_MS);
                if taken == Taken::Unrecognised && may_look {
                    (reach, looked_at) = (Reach::All, Some(asked_at));
                    continue;
                }
                taken != Taken::Something
            }
            Err(error) => {
                failures += 1;
                town.count(|counts| counts.relay_failures += 1);
                if failures >= FAILURES_TOLERATED {
                    no_answer(town, &error)?;
                }
                if !town.wants_relay()? {
                    return Ok(());
                }
                Sleep::new(RETRY_MS.unsigned_abs()).await;
                false
            }
        };
        images::begin(town);
        stop_orders::begin(town);
        town.tick();
        if failures == 0 && !settled {
            settled = true;
            settle(town, &upstream).await?;
        }
        let watched = town.is_watched()?;
        let over = platform::now().millis_since(began) >= RELAY_TURN_MS;
        if over || (empty && (!wanted || !watched)) {
            return Ok(());
        }
        let waited_ms = platform::now().millis_since(asked_at);
        if empty && waited_ms < poll_interval_ms {
            Sleep::new(poll_interval_ms - waited_ms).await;
        }
    }
}

async fn ask(
    town: &TownObject,
    upstream: &Upstream,
    (asked, reach): (&Position, Reach),
    wait_ms: u64,
) -> Result<SourceAnswer> {
    let previews = if town.is_watched()? { "&previews=1" } else { "" };
    let query = asked.query(reach);
    let path = format!("/events?{query}&ack=1&wait_ms={wait_ms}&limit={BATCH_EVENTS_MAX}{previews}");
    town.count(|counts| counts.relay_requests += 1);
    let text = upstream.text(ControlRequest::get(Purpose::Relay, path, wait_ms + ANSWER_LIMIT_MS)).await?;
    SourceAnswer::read(&text, platform::now())
}

/// What an answer brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Taken {
    Something,
    Nothing,
    Unrecognised,
}

/// Hands an answer to the core.
async fn take_over(town: &TownObject, asked: (&Position, Reach), answer: SourceAnswer) -> Result<Taken> {
    if town.config()?.settings.relay_while_watched {
        admit(town, &answer).await?;
    }
    let was_silent = relay::silence(store(town))?.is_some();
    let cap = town.with(|core| Ok(core.config().event_cap))?;
    let taken = relay::apply(store(town), asked, &answer, platform::now(), cap, &mut platform::run_id)?;
    if was_silent && relay::silence(store(town))?.is_none() {
        town.with(Core::silence_changed)?;
    }
    match taken {
        Answered::Taken(outcome) => {
            town.publish(&outcome);
            let is_empty = outcome.stored + outcome.dropped == 0 && answer.previews.is_empty();
            town.preview(answer.previews);
            Ok(if is_empty { Taken::Nothing } else { Taken::Something })
        }
        Answered::NewEpoch(outcome) => {
            town.publish(&outcome);
            Ok(Taken::Something)
        }
        Answered::Stale | Answered::Doubted => Ok(Taken::Nothing),
        Answered::Unrecognised => Ok(Taken::Unrecognised),
    }
}

/// Takes in the agents that an answer tells of and nobody started from here. Where the town has no rig for them, it gets
/// one.
async fn admit(town: &TownObject, answer: &SourceAnswer) -> Result<()> {
    let told = || answer.events.iter().map(|event| (&event.agent_id, event.run_id.as_ref()));
    if answer.events.is_empty() || town.with(|core| core.admit(told()))? {
        return Ok(());
    }
    let request = RigRequest { name: "Container".to_owned(), git_url: None, default_branch: None };
    town_routes::add_rig(town, &request).await?;
    town.with(|core| core.admit(told())).map(|_| ())
}

/// Notes that the control server does not answer, or what is wrong with what it answers.
fn no_answer(town: &TownObject, error: &Error) -> Result<()> {
    let before = relay::silence(store(town))?;
    let cap = town.with(|core| Ok(core.config().event_cap))?;
    let is_silence = matches!(error.code, Code::ContainerUnavailable | Code::ContainerTimeout | Code::NotConfigured);
    let problem = (!is_silence).then_some(error.message.as_str());
    let outcome = relay::unanswered(store(town), problem, platform::now(), cap, &mut platform::run_id)?;
    if relay::silence(store(town))? != before {
        log("relay_error", &[("message", &error.message)]);
        town.with(Core::silence_changed)?;
    }
    town.publish(&outcome);
    Ok(())
}

/// Settles runs whose start was never confirmed, by the control server's own word.
async fn settle(town: &TownObject, upstream: &Upstream) -> Result<()> {
    let unconfirmed = town.with(|core| core.unconfirmed_runs(platform::now(), UNCONFIRMED_GRACE_MS))?;
    for run in unconfirmed {
        let known = match status(upstream, &run).await {
            Ok(status) if status.run_id == run.run_id => Some(status.epoch),
            Ok(_) => None,
            Err(error) if error.code == Code::NotFound => None,
            Err(_) => continue,
        };
        let outcome = if let Some(epoch) = known {
            let present = relay::position(store(town), &Source::Container)?.epoch;
            let Some(epoch) = epoch.or(present) else { continue };
            let started = ControlStarted { epoch, run_id: run.run_id.clone() };
            town.with(|core| core.run_accepted(&started, platform::now(), &mut platform::run_id))?
        } else {
            let why =
                "the control server does not know of this run: its start never arrived there, or it was forgotten";
            town.with(|core| core.run_refused(&run.run_id, why, platform::now(), &mut platform::run_id))?
        };
        town.publish(&outcome);
    }
    Ok(())
}

async fn status(upstream: &Upstream, run: &Run) -> Result<ControlStatus> {
    let path = format!("/agents/{}/status", run.agent_id);
    upstream.read(ControlRequest::get(Purpose::Look, path, ANSWER_LIMIT_MS)).await
}

fn store(town: &TownObject) -> &dyn Store {
    town.store.as_ref()
}
