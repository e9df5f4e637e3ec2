//! Brings an object's tables to the version of this build: `migrations/` in order, each once.

use townwatch_protocol::error::{Code, Error, Result};

use crate::store::{Store, atomically};

/// A kind of object with its migrations, oldest first. One that has landed is never edited.
#[derive(Debug, Clone, Copy)]
pub struct Schema(&'static [&'static str]);

impl Schema {
    /// The version that the last migration leads to: how many there are.
    fn version(self) -> u64 {
        self.0.len() as u64
    }
}

/// The Town's tables.
pub const TOWN: Schema = Schema(&[
    include_str!("../../../migrations/town/0001_town.sql"),
    include_str!("../../../migrations/town/0002_heard.sql"),
    include_str!("../../../migrations/town/0003_images.sql"),
    include_str!("../../../migrations/town/0004_other_containers.sql"),
    include_str!("../../../migrations/town/0005_resume_rights.sql"),
    include_str!("../../../migrations/town/0006_source_times.sql"),
    include_str!("../../../migrations/town/0007_control_key.sql"),
    include_str!("../../../migrations/town/0008_deleted_agents.sql"),
    include_str!("../../../migrations/town/0009_budgets.sql"),
    include_str!("../../../migrations/town/0010_image_sums.sql"),
    include_str!("../../../migrations/town/0011_archive.sql"),
]);
/// The Rig's tables.
pub const RIG: Schema = Schema(&[
    include_str!("../../../migrations/rig/0001_rig.sql"),
    include_str!("../../../migrations/rig/0002_ended_runs.sql"),
    include_str!("../../../migrations/rig/0003_agent_tokens.sql"),
    include_str!("../../../migrations/rig/0004_deleted_agents.sql"),
    include_str!("../../../migrations/rig/0005_archive.sql"),
    include_str!("../../../migrations/rig/0006_run_rate.sql"),
    include_str!("../../../migrations/rig/0007_waiting_bytes.sql"),
]);
/// The Account's tables.
pub const ACCOUNT: Schema = Schema(&[
    include_str!("../../../migrations/account/0001_account.sql"),
    include_str!("../../../migrations/account/0002_sessions.sql"),
]);

/// Brings the tables of an object that exists to this build; false where it was never made, and then nothing is written.
pub fn open(store: &dyn Store, schema: Schema) -> Result<bool> {
    let made =
        !store.query("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'schema_version'", &[])?.is_empty();
    // Nearly always there is nothing to do, which two reads tell.
    if made && version(store)? != schema.version() {
        migrate(store, schema)?;
    }
    Ok(made)
}

/// Runs what has not been run yet; creates the tables of an empty object. An older build leaves the tables of a newer
/// one alone: it does not know what they mean.
pub fn migrate(store: &dyn Store, schema: Schema) -> Result<()> {
    atomically(store, || {
        store.script("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL) STRICT")?;
        let done = version(store)?;
        if done > schema.version() {
            let (known, say) = (schema.version(), "deploy the newer build again, or one after it; nothing was changed");
            let problem = format!("a newer build made these tables (version {done}); this one knows {known}: {say}");
            return Err(Error::new(Code::OlderBuild, problem));
        }
        for (version, script) in (1_u64..).zip(schema.0).skip_while(|(version, _)| *version <= done) {
            store.script(script)?;
            store.query("INSERT INTO schema_version (version) VALUES (?)", &[version.into()])?;
        }
        Ok(())
    })
}

/// The version of the tables, 0 before the first migration.
fn version(store: &dyn Store) -> Result<u64> {
    let rows = store.query("SELECT coalesce(max(version), 0) FROM schema_version", &[])?;
    rows.first().map_or(Ok(0), |row| row.number(0))
}
