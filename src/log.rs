//! The log: one structured line for each event of a stream, a relay or a run. No line for a single agent event, and no
//! secrets.

use ::worker::console_log;
use serde_json::{Map, Value};

/// Writes one line.
pub(super) fn log(event: &str, fields: &[(&str, &str)]) {
    let mut line = Map::new();
    line.insert("event".to_owned(), event.into());
    for (name, value) in fields {
        line.insert((*name).to_owned(), (*value).into());
    }
    console_log!("{}", Value::Object(line));
}
