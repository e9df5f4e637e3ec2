//! The bound on runs that an agent begins by its posts. An agent with a new run for each event would fill the town with
//! runs of one event, which nobody can follow. So a rig takes a number of runs in a minute, and its refusal names a way
//! out.
//!
//! A run is known by its id, in a bounded table. A run that is older than all runs in the table counts as begun once
//! more. An event without a `run_id` begins a run if no run is open, as far as the rig knows: after an end that was
//! posted, or of which the town has told the rig. A post that begins no run writes nothing here.

use std::collections::BTreeSet;
use townwatch_protocol::event::EventKind;

use townwatch_protocol::error::{Code, Error, Result};
use townwatch_protocol::id::{AgentId, RunId};
use townwatch_protocol::limits::{RUNS_PER_MINUTE_MAX, RUNS_RATE_MS};
use townwatch_protocol::time::Timestamp;
use townwatch_protocol::wire::PostEvent;

use crate::agents::runs::moment;
use crate::rig::Rig;
use crate::store::{LIST, list};

/// Runs that a rig knows of each agent, the newest 100: more than the 60 that may begin in a minute. The oldest go, and
/// count as new if they are posted to again.
const KNOWN_RUNS_MAX: u64 = 100;

impl Rig {
    /// Counts the runs that new events begin, or refuses the events.
    ///
    /// # Errors
    /// `too_large`: the events alone begin more runs than a minute may have. `rate_limited`: they do together with the
    /// runs of the present minute. Otherwise the tables cannot be written.
    pub(crate) fn count_runs(
        &self,
        agent_id: &AgentId,
        has_open_run: bool,
        fresh: &[&PostEvent],
        now: Timestamp,
    ) -> Result<()> {
        let named = self.unknown_runs(agent_id, fresh)?;
        let begun = named.len() as u64 + unnamed_runs(has_open_run, fresh);
        if begun == 0 {
            return Ok(());
        }
        if begun > RUNS_PER_MINUTE_MAX {
            let problem = format!(
                "they begin {begun} runs, and an agent may begin {RUNS_PER_MINUTE_MAX} in a minute; post the events of one run \
                 under one run_id"
            );
            return Err(Error::too_large("events", problem));
        }
        let (since, before) = self.minute(agent_id, now)?;
        if before + begun > RUNS_PER_MINUTE_MAX {
            let left_s = since.plus_millis(RUNS_RATE_MS).millis_since(now).div_ceil(1_000);
            let message = format!(
                "agent {agent_id} has begun {before} runs within a minute, and may begin {RUNS_PER_MINUTE_MAX}; post the events \
                 of one run under one run_id, and what begins another in {left_s} s"
            );
            return Err(Error { retry_after_s: Some(left_s), ..Error::new(Code::RateLimited, message) });
        }
        let sql = "UPDATE agents SET runs_begun = ?, runs_since_ms = ?, has_ended_run = 0 WHERE agent_id = ?";
        let counted = [(before + begun).into(), since.millis().into(), agent_id.as_str().into()];
        self.store.query(sql, &counted)?;
        if named.is_empty() { Ok(()) } else { self.know_runs(agent_id, &named, now) }
    }

    /// The begin of the agent's present minute, and the runs begun in it. If the clock steps back, another minute
    /// begins.
    fn minute(&self, agent_id: &AgentId, now: Timestamp) -> Result<(Timestamp, u64)> {
        let sql = "SELECT runs_since_ms, runs_begun FROM agents WHERE agent_id = ?";
        let rows = self.store.query(sql, &[agent_id.as_str().into()])?;
        let Some(row) = rows.first() else { return Ok((now, 0)) };
        let since = moment(row, 0)?;
        let lasts = since <= now && now < since.plus_millis(RUNS_RATE_MS);
        Ok(if lasts { (since, row.number(1)?) } else { (now, 0) })
    }

    fn unknown_runs<'e>(&self, agent_id: &AgentId, fresh: &[&'e PostEvent]) -> Result<BTreeSet<&'e RunId>> {
        let mut named: BTreeSet<&RunId> = fresh.iter().filter_map(|event| event.run_id.as_ref()).collect();
        if named.is_empty() {
            return Ok(named);
        }
        let run_ids: Vec<&str> = named.iter().map(|run_id| run_id.as_str()).collect();
        let sql = format!("SELECT run_id FROM posted_runs WHERE agent_id = ? AND run_id IN {LIST}");
        let known = self.store.query(&sql, &[agent_id.as_str().into(), list(&run_ids)?])?;
        for row in &known {
            let known = row.text(0)?;
            named.retain(|run_id| run_id.as_str() != known);
        }
        Ok(named)
    }

    fn know_runs(&self, agent_id: &AgentId, run_ids: &BTreeSet<&RunId>, now: Timestamp) -> Result<()> {
        let sql = "INSERT INTO posted_runs (agent_id, run_id, begun_at_ms) VALUES (?, ?, ?)";
        for run_id in run_ids {
            self.store.query(sql, &[agent_id.as_str().into(), run_id.as_str().into(), now.millis().into()])?;
        }
        let sql = "DELETE FROM posted_runs WHERE agent_id = ?1 AND run_id NOT IN \
             (SELECT run_id FROM posted_runs WHERE agent_id = ?1 ORDER BY begun_at_ms DESC, run_id DESC LIMIT ?2)";
        self.store.query(sql, &[agent_id.as_str().into(), KNOWN_RUNS_MAX.into()])?;
        Ok(())
    }
}

/// The number of runs that events without a run begin.
fn unnamed_runs(mut is_open: bool, fresh: &[&PostEvent]) -> u64 {
    let mut begun = 0;
    for event in fresh {
        if event.run_id.is_none() && !is_open {
            begun += 1;
        }
        is_open = !event.event_type.is(EventKind::Exited);
    }
    begun
}
