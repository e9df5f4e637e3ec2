//! Brings an object's tables to the version of this build: `migrations/` in order, each once.

use crate::core::store::{Store, atomically};
use crate::error::Result;

/// A kind of object with its migrations, oldest first. One that has landed is never edited.
#[derive(Debug, Clone, Copy)]
pub struct Schema(&'static [&'static str]);

/// The Town's tables.
pub const TOWN: Schema = Schema(&[
    include_str!("../../migrations/town/0001_town.sql"),
    include_str!("../../migrations/town/0002_heard.sql"),
    include_str!("../../migrations/town/0003_images.sql"),
    include_str!("../../migrations/town/0004_other_containers.sql"),
    include_str!("../../migrations/town/0005_resume_rights.sql"),
    include_str!("../../migrations/town/0007_control_key.sql"),
]);
/// The Rig's tables.
pub const RIG: Schema = Schema(&[include_str!("../../migrations/rig/0001_rig.sql")]);
/// The Account's tables.
pub const ACCOUNT: Schema = Schema(&[include_str!("../../migrations/account/0001_account.sql")]);

/// Whether the object has ever been made. Reads only: asking an empty object leaves it empty.
pub fn exists(store: &dyn Store) -> Result<bool> {
    Ok(!store.query("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'schema_version'", &[])?.is_empty())
}

/// Runs what has not been run yet; creates the tables of an empty object.
pub fn migrate(store: &dyn Store, schema: Schema) -> Result<()> {
    atomically(store, || {
        store.script("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL) STRICT")?;
        let done = store.query("SELECT coalesce(max(version), 0) FROM schema_version", &[])?;
        let done = done.first().map_or(Ok(0), |row| row.number(0))?;
        for (version, script) in (1_u64..).zip(schema.0).skip_while(|(version, _)| *version <= done) {
            store.script(script)?;
            store.query("INSERT INTO schema_version (version) VALUES (?)", &[version.into()])?;
        }
        Ok(())
    })
}
