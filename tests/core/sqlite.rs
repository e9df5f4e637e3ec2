//! The seam under the core over the host's SQLite, for tests: a real implementation, in memory.
//!
//! It keeps to what production can do: at most 100 parameters, integers within ±(2^53 - 1), no nested transaction.

use std::cell::Cell;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, StatementStatus, ToSql, params_from_iter};
use townwatch_protocol::error::{Error, Result};
use townwatch_town::store::{Fill, KnownHead, Row, Store, Value};

/// The largest integer that the production binding carries exactly.
const INTEGER_MAX: i64 = (1 << 53) - 1;

/// A database.
pub struct Sqlite {
    connection: Connection,
    in_transaction: Cell<bool>,
    statements: Cell<u64>,
    steps: Cell<u64>,
    fails_at: Cell<Option<u64>>,
    max_bytes: Cell<u64>,
    /// How far below a full store there is room again; none: it does not know that it is full.
    full_margin_bytes: Cell<Option<u64>>,
    known_head: KnownHead,
}

impl Sqlite {
    /// A fresh one in memory.
    pub fn new() -> Self {
        let connection = Connection::open_in_memory().unwrap();
        connection.set_prepared_statement_cache_capacity(256);
        let in_transaction = Cell::new(false);
        let (statements, steps) = (Cell::new(0), Cell::new(0));
        let known_head = KnownHead::default();
        let (fails_at, max_bytes, full_margin_bytes) = (Cell::new(None), Cell::new(u64::MAX), Cell::new(None));
        Self { connection, in_transaction, statements, steps, fails_at, max_bytes, full_margin_bytes, known_head }
    }

    /// Table rows that were inserted, updated or deleted so far. Rows of indices, which production bills too, are not
    /// in it.
    pub fn rows_changed(&self) -> u64 {
        self.connection.total_changes()
    }

    /// Statements run so far.
    pub fn statements(&self) -> u64 {
        self.statements.get()
    }

    /// Steps of SQLite's machine so far: what statements cost, whether they read one row or a whole table.
    pub fn steps(&self) -> u64 {
        self.steps.get()
    }

    /// Lets the statement after the next `count` ones fail, once: for tests that nothing is half done.
    pub fn fail_after(&self, count: u64) {
        self.fails_at.set(Some(self.statements.get() + count + 1));
    }

    /// Lets no statement fail any more; whether one did.
    pub fn has_failed(&self) -> bool {
        self.fails_at.take().is_none()
    }

    /// What its tables may take before the core lets something go.
    pub fn set_max_bytes(&self, bytes: u64) {
        self.max_bytes.set(bytes);
    }

    /// Lets it know, once it is full, that it may take so much less from then on, as production does.
    pub fn learn_that_it_is_full(&self, margin_bytes: u64) {
        self.full_margin_bytes.set(Some(margin_bytes));
    }

    /// Lets it grow by so many pages of 4 KiB, and no further: as where the platform gives no more.
    pub fn end_after_pages(&self, pages: u64) {
        let most = i64::try_from(self.pragma("page_count") + pages).unwrap();
        self.connection.pragma_update(None, "max_page_count", most).unwrap();
    }

    fn pragma(&self, name: &str) -> u64 {
        let value = self.connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).unwrap();
        u64::try_from(value).unwrap()
    }

    /// Its tables by name, with everything that lies in them.
    pub fn dump(&self) -> Vec<(Row, Vec<Row>)> {
        let tables = self.query("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name", &[]).unwrap();
        let rows = |table: &Row| self.query(&format!("SELECT * FROM {}", table.text(0).unwrap()), &[]).unwrap();
        tables.into_iter().map(|table| (table.clone(), rows(&table))).collect()
    }

    fn count(&self) -> Result<()> {
        self.statements.set(self.statements.get() + 1);
        if self.fails_at.get() == Some(self.statements.get()) {
            self.fails_at.set(None);
            return Err(Error::internal("the disk is full (a test's fault)"));
        }
        Ok(())
    }
}

impl Store for Sqlite {
    fn fill(&self) -> Fill {
        let pages = self.pragma("page_count") - self.pragma("freelist_count");
        Fill { taken_bytes: pages * self.pragma("page_size"), max_bytes: self.max_bytes.get() }
    }

    fn known_head(&self) -> &KnownHead {
        &self.known_head
    }

    fn query(&self, sql: &str, parameters: &[Value]) -> Result<Vec<Row>> {
        self.count()?;
        assert!(parameters.len() <= 100, "production binds at most 100 parameters: {sql}");
        for parameter in parameters {
            if let Value::Integer(number) = parameter {
                assert!(number.abs() <= INTEGER_MAX, "production carries no integer of {number}: {sql}");
            }
        }
        let fault = |failure: rusqlite::Error| {
            let words = format!("{failure}: {sql}");
            let Some(full) = Error::of_full_store(&words) else { return Error::internal(words) };
            if let Some(margin_bytes) = self.full_margin_bytes.get() {
                self.max_bytes.set(self.max_bytes.get().min(self.fill().taken_bytes.saturating_sub(margin_bytes)));
            }
            full
        };
        let mut statement = self.connection.prepare_cached(sql).map_err(fault)?;
        let columns = statement.column_count();
        let mut found = statement.query(params_from_iter(parameters.iter().map(Bound))).map_err(fault)?;
        let mut rows = Vec::new();
        while let Some(row) = found.next().map_err(fault)? {
            let values =
                (0..columns).map(|column| row.get_ref(column).map_err(fault).and_then(|value| read(value, sql)));
            rows.push(Row(values.collect::<Result<_>>()?));
        }
        drop(found);
        let steps = u64::try_from(statement.reset_status(StatementStatus::VmStep)).unwrap();
        self.steps.set(self.steps.get() + steps);
        Ok(rows)
    }

    fn script(&self, sql: &str) -> Result<()> {
        self.count()?;
        self.connection.execute_batch(sql).map_err(|failure| Error::internal(format!("{failure}: {sql}")))
    }

    fn transaction(&self, body: &mut dyn FnMut() -> Result<()>) -> Result<()> {
        assert!(!self.in_transaction.replace(true), "a transaction within a transaction");
        let fault = |failure: rusqlite::Error| Error::internal(failure);
        let outcome = self.connection.execute_batch("BEGIN").map_err(fault).and_then(|()| body());
        let end = if outcome.is_ok() { "COMMIT" } else { "ROLLBACK" };
        let ended = self.connection.execute_batch(end).map_err(fault);
        self.in_transaction.set(false);
        outcome.and(ended)
    }
}

struct Bound<'a>(&'a Value);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            Value::Null => ValueRef::Null,
            Value::Integer(number) => ValueRef::Integer(*number),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

fn read(value: ValueRef<'_>, sql: &str) -> Result<Value> {
    match value {
        ValueRef::Null => Ok(Value::Null),
        ValueRef::Integer(number) => Ok(Value::Integer(number)),
        ValueRef::Text(text) => std::str::from_utf8(text).map(Value::from).map_err(Error::internal),
        ValueRef::Blob(bytes) => Ok(Value::from(bytes)),
        ValueRef::Real(_) => Err(Error::internal(format!("a column holds a fraction, which is none of ours: {sql}"))),
    }
}
