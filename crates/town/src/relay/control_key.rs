//! The key pair of a town that has its own container. It is made once, and lies in the town's tables.

use townwatch_protocol::control_key::SigningKey;
use townwatch_protocol::error::{Error, Result};

use crate::store::Store;

/// Reads the town's own key. A town without one gets one, made of the 32 bytes from `fresh`.
pub fn of_town(store: &dyn Store, fresh: &mut dyn FnMut() -> [u8; 32]) -> Result<SigningKey> {
    let stored = || store.query("SELECT seed FROM control_key", &[]);
    let mut rows = stored()?;
    if rows.is_empty() {
        store.query("INSERT INTO control_key (one, seed) VALUES (1, ?)", &[fresh().as_slice().into()])?;
        rows = stored()?;
    }
    let seed = rows.first().ok_or_else(|| Error::internal("the town's key was not kept"))?.bytes(0)?;
    Ok(SigningKey::of(seed.try_into().map_err(Error::internal)?))
}
