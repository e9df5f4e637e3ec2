//! An account: the directory of its towns.

pub(crate) mod ended_sessions;
pub mod known_sessions;
pub mod sessions;
pub mod wrong_keys;

use townwatch_protocol::error::{Code, Error, Result};
use townwatch_protocol::id::TownId;
use townwatch_protocol::limits::TOWNS_MAX;
use townwatch_protocol::wire::TownSummary;

use crate::agents::parse;
use crate::agents::runs::moment;
use crate::schema;
use crate::store::Store;

/// Whether one more town fits; asked before the town's own object is made.
pub fn check_room(store: &dyn Store) -> Result<()> {
    if list(store)?.len() as u64 >= TOWNS_MAX {
        return Err(Error::new(
            Code::RateLimited,
            format!("there are {TOWNS_MAX} towns, which is the most; delete one"),
        ));
    }
    Ok(())
}

/// Takes a town in.
pub fn add(store: &dyn Store, town: &TownSummary) -> Result<()> {
    schema::migrate(store, schema::ACCOUNT)?;
    store.query(
        "INSERT OR REPLACE INTO towns (town_id, name, created_at_ms) VALUES (?, ?, ?)",
        &[town.town_id.as_str().into(), town.name.as_str().into(), town.created_at.millis().into()],
    )?;
    Ok(())
}

/// All towns, oldest first.
pub fn list(store: &dyn Store) -> Result<Vec<TownSummary>> {
    if !schema::open(store, schema::ACCOUNT)? {
        return Ok(Vec::new());
    }
    let rows = store.query("SELECT town_id, name, created_at_ms FROM towns ORDER BY created_at_ms, town_id", &[])?;
    rows.iter()
        .map(|row| {
            Ok(TownSummary {
                town_id: parse(TownId::parse(row.text(0)?))?,
                name: row.text(1)?.to_owned(),
                created_at: moment(row, 2)?,
            })
        })
        .collect()
}

/// Whether the town is the account's.
pub fn has(store: &dyn Store, town_id: &TownId) -> Result<bool> {
    Ok(list(store)?.iter().any(|town| town.town_id == *town_id))
}

/// Gives a town another name in the directory.
pub fn rename(store: &dyn Store, town_id: &TownId, name: &str) -> Result<()> {
    if schema::open(store, schema::ACCOUNT)? {
        store.query("UPDATE towns SET name = ? WHERE town_id = ?", &[name.into(), town_id.as_str().into()])?;
    }
    Ok(())
}

/// Takes a town out of the directory.
pub fn remove(store: &dyn Store, town_id: &TownId) -> Result<()> {
    if schema::open(store, schema::ACCOUNT)? {
        store.query("DELETE FROM towns WHERE town_id = ?", &[town_id.as_str().into()])?;
    }
    Ok(())
}
