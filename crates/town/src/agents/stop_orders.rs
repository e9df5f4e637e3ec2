//! Stop orders: the town itself stops a run, because a budget is used up or because the agent has too many open runs.
//!
//! The order is stored in the run's row, in the transaction that decides the stop. It stays there until its receiver,
//! the control server or the rig, has confirmed it. So a crash in between loses no order.

use townwatch_protocol::error::{Error, Result};
use townwatch_protocol::event::{AgentExited, AgentNotice, AgentNoticeKind, Draft, ExitReason, NoticeLevel};
use townwatch_protocol::id::{AgentId, RigId, RunId};
use townwatch_protocol::limits::STOP_ORDERS_AT_ONCE_MAX;
use townwatch_protocol::time::Timestamp;

use crate::agents::parse;
use crate::agents::runs::{self, Source};
use crate::decision::{Decide, Decision};
use crate::log::ingest::Outcome;
use crate::relay::control_response::StopAnswer;
use crate::store::{Row, Store, atomically};
use crate::town::Town;

/// The receiver of a stop order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StopPlace {
    /// The control server: the run ends when its program has.
    Container,
    /// The rig that the run's agent posts to. The run has ended in the town, for this reason, and the rig refuses
    /// further events of the run.
    Rig(RigId, ExitReason),
}

/// A stop that nobody has confirmed yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StopOrder {
    /// The run.
    pub run_id: RunId,
    /// The run's agent.
    pub agent_id: AgentId,
    /// The receiver of the order.
    pub place: StopPlace,
}

impl Town {
    /// The oldest stops that nobody has confirmed.
    pub fn stop_orders(&self) -> Result<Vec<StopOrder>> {
        let sql = "SELECT run_id, agent_id, source, exit FROM runs WHERE stop_message IS NOT NULL AND stop_heard = 0 \
             AND (exit IS NOT NULL OR source = 'container') ORDER BY run_id LIMIT ?";
        let rows = self.store.query(sql, &[STOP_ORDERS_AT_ONCE_MAX.into()])?;
        rows.iter().map(read).collect()
    }

    /// Settles a stop order to which the control server answered that it has no such run. The answer is whether the
    /// order is done:
    ///
    /// * The run has ended in the town: true, and nothing else changes.
    /// * The control server had confirmed the run's start: true. The run then counts as one whose start was never
    ///   confirmed, and the check of such starts settles whether it is over.
    /// * The start was never confirmed: false. The start may still reach the control server, after this stop, so the
    ///   stop is tried again.
    fn stop_found_none(&self, run_id: &RunId) -> Result<bool> {
        let sql = "UPDATE runs SET stop_heard = 1, source_epoch = CASE WHEN exit IS NULL THEN NULL ELSE source_epoch END \
             WHERE run_id = ? AND (source_epoch IS NOT NULL OR exit IS NOT NULL) RETURNING 1";
        Ok(!self.store.query(sql, &[run_id.as_str().into()])?.is_empty())
    }

    /// Settles a stop order for a container that is not ours and has no call to stop a run. The order counts as done,
    /// and a notice in the run's log says that the run goes on.
    fn stop_impossible(&self, run_id: &RunId, now: Timestamp) -> Result<Outcome> {
        let store = self.store.as_ref();
        atomically(store, || {
            self.stop_heard(run_id)?;
            let mut ingest = self.ingest(Source::Container, None, now)?;
            if let Some(run) = runs::load(store, run_id)?.filter(|run| !run.ended) {
                let message =
                    "The container cannot be asked to stop a run, so this one goes on though its budget is used up";
                let notice = AgentNotice::new(AgentNoticeKind::Budget, NoticeLevel::Warning, message.to_owned());
                ingest.take_own_word(&Draft::new(run.agent_id, run.run_id, notice, now))?;
            }
            ingest.finish()
        })
    }

    fn stop_heard(&self, run_id: &RunId) -> Result<()> {
        self.store.query("UPDATE runs SET stop_heard = 1 WHERE run_id = ?", &[run_id.as_str().into()])?;
        Ok(())
    }
}

/// The answer of a stop order's receiver. The decision gives whether the order is done; if not, the order is to be
/// tried again.
#[derive(Debug)]
pub struct StopAnswered<'a> {
    /// The run.
    pub run_id: &'a RunId,
    /// The receiver's answer.
    pub answer: &'a StopAnswer,
}

impl Decide for StopAnswered<'_> {
    type Answer = bool;

    fn decide(self, town: &mut Town, now: Timestamp) -> Result<Decision<bool>> {
        match self.answer {
            StopAnswer::Heard => town.stop_heard(self.run_id).map(|()| Decision::unseen(true)),
            StopAnswer::NoRun => town.stop_found_none(self.run_id).map(Decision::unseen),
            StopAnswer::NoRoute(_) => {
                town.stop_impossible(self.run_id, now).map(|outcome| Decision::seen(true, outcome))
            }
            StopAnswer::Unheard(_) => Ok(Decision::unseen(false)),
        }
    }
}

/// Reads an order from the run's row. A posted run ends in the transaction that orders its stop, so the reason of its
/// end is in the row.
fn read(row: &Row) -> Result<StopOrder> {
    let place = match row.text(2)?.strip_prefix("rig:") {
        Some(rig_id) => {
            let exit: AgentExited = serde_json::from_str(row.text(3)?).map_err(Error::internal)?;
            StopPlace::Rig(parse(RigId::parse(rig_id))?, exit.reason)
        }
        None => StopPlace::Container,
    };
    let (run_id, agent_id) = (parse(RunId::parse(row.text(0)?))?, parse(AgentId::parse(row.text(1)?))?);
    Ok(StopOrder { run_id, agent_id, place })
}

/// Orders the stop of a run; false where a stop was ordered already.
pub(crate) fn order(store: &dyn Store, run_id: &RunId, message: &str) -> Result<bool> {
    let sql = "UPDATE runs SET stop_message = ? WHERE run_id = ? AND stop_message IS NULL RETURNING 1";
    Ok(!store.query(sql, &[message.into(), run_id.as_str().into()])?.is_empty())
}

/// Marks the stop order of a container's run as done, because the run has ended. Gives the message of the order, if
/// there was one.
pub(crate) fn fulfilled(store: &dyn Store, run_id: &RunId) -> Result<Option<String>> {
    let sql = "UPDATE runs SET stop_heard = 1 WHERE run_id = ? AND stop_message IS NOT NULL \
         AND source = 'container' RETURNING stop_message";
    let rows = store.query(sql, &[run_id.as_str().into()])?;
    rows.first().map(|row| row.text(0).map(str::to_owned)).transpose()
}
