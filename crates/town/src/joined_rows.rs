//! Many rows as one text. Each value of a row crosses from SQLite by itself, which for events costs more than to read them. So
//! where many rows are read SQLite joins them: `7␟agent-1␟note␟{…}␞8␟…`, a unit separator (U+001F) between values and a record
//! separator (U+001E) between rows. Neither can stand in a value: ids and names have none, and JSON has control characters
//! only as escapes.

use townwatch_protocol::error::{Error, Result};

/// The most bytes of one text: the platform's bound of a row is 2 MB.
pub(crate) const JOINED_BYTES_MAX: u64 = 2_000_000;
/// The bytes beside a row's longest value at most, 1 KiB: ids, names and numbers.
pub(crate) const NAMES_BYTES_MAX: u64 = 1 << 10;

/// The expression that joins rows of these columns. None of them may be NULL, because a row with a NULL would be left out. The
/// rows come in no certain order.
pub(crate) fn joined(columns: &[&str]) -> String {
    format!("group_concat({}, char(30))", columns.join(" || char(31) || "))
}

/// The rows of such a text, each of `COLUMNS` values.
pub(crate) fn rows_of<const COLUMNS: usize>(text: &str) -> impl Iterator<Item = Result<[&str; COLUMNS]>> {
    text.split('\u{1e}').map(|row| {
        let mut values = row.splitn(COLUMNS, '\u{1f}');
        let row: [&str; COLUMNS] = std::array::from_fn(|_| values.next().unwrap_or_default());
        if row.last().is_some_and(|last| last.is_empty()) {
            return Err(Error::internal("a joined row has too few values"));
        }
        Ok(row)
    })
}
