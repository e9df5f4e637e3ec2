//! Runs that the town has stopped by itself, since a budget is used up or their agent has too many open: an order lies in the
//! run's row from the transaction that decides it until the one who has to know of it says that it was heard. So a crash in
//! between forgets none.

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
    /// The rig that its agent posts to: the run has ended, for this reason, and the rig refuses what follows.
    Rig(RigId, ExitReason),
}

/// A stop that nobody has confirmed yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StopOrder {
    /// The run.
    pub run_id: RunId,
    /// Whose.
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

    /// The control server has no such run. One that it had is not asked for any more, and whether it is over is settled as with
    /// a start that was never confirmed. One whose start is under way may arrive behind the stop: false, it is to be asked for
    /// again. Of one that is over for the town nothing is left to settle.
    fn stop_found_none(&self, run_id: &RunId) -> Result<bool> {
        let sql = "UPDATE runs SET stop_heard = 1, source_epoch = CASE WHEN exit IS NULL THEN NULL ELSE source_epoch END \
             WHERE run_id = ? AND (source_epoch IS NOT NULL OR exit IS NOT NULL) RETURNING 1";
        Ok(!self.store.query(sql, &[run_id.as_str().into()])?.is_empty())
    }

    /// A container of another make stops nothing: it is not asked again, and the run's log says so.
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

/// The word of the one who has to know of a stop. The answer is whether the order is done; else it is to be tried again.
#[derive(Debug)]
pub struct StopAnswered<'a> {
    /// The run.
    pub run_id: &'a RunId,
    /// The word.
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

/// A run that is posted ends in the transaction that orders its stop; so its row says why.
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

/// A run of the container ends: nobody needs to stop it any more. Gives why it was to be stopped, if it was.
pub(crate) fn fulfilled(store: &dyn Store, run_id: &RunId) -> Result<Option<String>> {
    let sql = "UPDATE runs SET stop_heard = 1 WHERE run_id = ? AND stop_message IS NOT NULL \
         AND source = 'container' RETURNING stop_message";
    let rows = store.query(sql, &[run_id.as_str().into()])?;
    rows.first().map(|row| row.text(0).map(str::to_owned)).transpose()
}
