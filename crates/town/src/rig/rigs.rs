//! A town's rigs, one row each. The posts of their agents lie in objects of their own.

use townwatch_protocol::error::{Code, Error, Result};
use townwatch_protocol::id::RigId;
use townwatch_protocol::limits::RIGS_PER_TOWN_MAX;
use townwatch_protocol::time::Timestamp;
use townwatch_protocol::wire::{RigRequest, RigView};

use crate::agents::holds::Subject;
use crate::agents::parse;
use crate::agents::runs::{maybe_moment, moment};
use crate::git_url;
use crate::store::Row;
use crate::town::Town;

impl Town {
    /// The town's rigs, the oldest first.
    pub fn rigs(&self) -> Result<Vec<RigView>> {
        let sql = "SELECT rig_id, name, git_url, default_branch, created_at_ms, archived_at_ms FROM rigs \
             ORDER BY created_at_ms, rig_id";
        self.store.query(sql, &[])?.iter().map(|row| self.rig_of(row)).collect()
    }

    fn rig_of(&self, row: &Row) -> Result<RigView> {
        Ok(RigView {
            rig_id: parse(RigId::parse(row.text(0)?))?,
            town_id: self.town_id.clone(),
            name: row.text(1)?.to_owned(),
            git_url: row.maybe_text(2).map(git_url::shown),
            default_branch: row.maybe_text(3).map(str::to_owned),
            created_at: moment(row, 4)?,
            archived_at: maybe_moment(row, 5)?,
        })
    }

    /// Whether the town has a rig.
    pub fn has_rig(&self, rig_id: &RigId) -> Result<bool> {
        Ok(!self.store.query("SELECT 1 FROM rigs WHERE rig_id = ?", &[rig_id.as_str().into()])?.is_empty())
    }

    /// Refuses one more rig with `rate_limited` where [`RIGS_PER_TOWN_MAX`] is reached. The check comes before the
    /// rig's own object is made.
    pub fn check_room_for_rig(&self) -> Result<()> {
        let count = self.store.query("SELECT count(*) FROM rigs", &[])?.first().map_or(Ok(0), |row| row.number(0))?;
        if count >= RIGS_PER_TOWN_MAX {
            return Err(Error::new(
                Code::RateLimited,
                format!(
                    "the town has {RIGS_PER_TOWN_MAX} rigs, which is the most; delete one that is done (DELETE \
                     /api/towns/{}/rigs/:rig)",
                    self.town_id
                ),
            ));
        }
        Ok(())
    }

    /// Adds a rig.
    pub fn add_rig(&self, rig_id: RigId, request: &RigRequest, now: Timestamp) -> Result<RigView> {
        self.store.query(
            "INSERT INTO rigs (rig_id, name, git_url, default_branch, created_at_ms) VALUES (?, ?, ?, ?, ?)",
            &[
                rig_id.as_str().into(),
                request.name.as_str().into(),
                request.git_url.as_deref().into(),
                request.default_branch.as_deref().into(),
                now.millis().into(),
            ],
        )?;
        Ok(RigView {
            rig_id,
            town_id: self.town_id.clone(),
            name: request.name.clone(),
            git_url: request.git_url.clone(),
            default_branch: request.default_branch.clone(),
            created_at: now,
            archived_at: None,
        })
    }

    /// Reads one rig.
    ///
    /// # Errors
    /// `not_found`: the town has no such rig. Otherwise the tables cannot be read.
    pub fn rig(&self, rig_id: &RigId) -> Result<RigView> {
        self.rigs()?.into_iter().find(|rig| rig.rig_id == *rig_id).ok_or_else(|| Error::not_found("rig"))
    }

    /// Refuses a rig in which no agent may be registered, started or brought back: with `not_found` if the town has no
    /// such rig, with `conflict` if it is archived or held.
    pub(crate) fn check_rig_takes(&self, rig_id: &RigId) -> Result<()> {
        let rows = self
            .store
            .query("SELECT archived_at_ms IS NOT NULL FROM rigs WHERE rig_id = ?", &[rig_id.as_str().into()])?;
        let Some(row) = rows.first() else { return Err(Error::not_found("rig")) };
        self.holds.check(&Subject::Rig(rig_id.clone()))?;
        if row.number(0)? == 1 {
            let message = format!(
                "rig {rig_id} is archived, so no agent is registered, started or brought back in it; bring the rig back with \
                 DELETE /api/towns/{}/rigs/{rig_id}/archive",
                self.town_id
            );
            return Err(Error::new(Code::Conflict, message));
        }
        Ok(())
    }
}
