//! Runs that a budget has stopped: an order lies in the run's row from the transaction in which the usage is stored until the
//! one who has to know of it says that it was heard. So a crash in between forgets none.

use townwatch_protocol::error::Result;
use townwatch_protocol::id::{AgentId, RigId, RunId};
use townwatch_protocol::limits::STOP_ORDERS_AT_ONCE_MAX;

use crate::agents::parse;
use crate::store::Store;
use crate::town::Town;

/// Who has to know that a run is stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StopPlace {
    /// The control server: the run ends when its program has.
    Container,
    /// The rig that its agent posts to: the run has ended, and the rig refuses what follows.
    Rig(RigId),
}

/// A stop that nobody has confirmed yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StopOrder {
    /// The run.
    pub run_id: RunId,
    /// Whose.
    pub agent_id: AgentId,
    /// Who has to know.
    pub place: StopPlace,
}

impl Town {
    /// The oldest stops that nobody has confirmed; of a run in the container only as long as it is open.
    pub fn stop_orders(&self) -> Result<Vec<StopOrder>> {
        let sql = "SELECT run_id, agent_id, source FROM runs WHERE stop_message IS NOT NULL AND stop_heard = 0 \
             ORDER BY run_id LIMIT ?";
        let rows = self.store.query(sql, &[STOP_ORDERS_AT_ONCE_MAX.into()])?;
        let read = rows.iter().map(|row| {
            let place = match row.text(2)?.strip_prefix("rig:") {
                Some(rig_id) => StopPlace::Rig(parse(RigId::parse(rig_id))?),
                None => StopPlace::Container,
            };
            let (run_id, agent_id) = (parse(RunId::parse(row.text(0)?))?, parse(AgentId::parse(row.text(1)?))?);
            Ok(StopOrder { run_id, agent_id, place })
        });
        read.collect()
    }

    /// The one who has to know has heard it.
    pub fn stop_heard(&self, run_id: &RunId) -> Result<()> {
        self.store.query("UPDATE runs SET stop_heard = 1 WHERE run_id = ?", &[run_id.as_str().into()])?;
        Ok(())
    }
}

/// Has a run stopped, if it is not being stopped already. False where it is.
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
