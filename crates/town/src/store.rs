//! The seam under the core: synchronous SQLite, in production the Durable Object's, in tests the host's.

use std::cell::Cell;

use serde::Serialize;
use townwatch_protocol::error::{Code, Error, Result};
use townwatch_protocol::id::EventId;

/// A value in a statement or a row. Integers cross the production binding as f64, so they stay within ±(2^53 - 1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// SQL NULL.
    Null,
    /// An integer.
    Integer(i64),
    /// A text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

/// A row of a result, by column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row(pub Vec<Value>);

/// The space that a store uses, and the space that it may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fill {
    /// The bytes that the tables and their indices use. Deleted rows do not count.
    pub taken_bytes: u64,
    /// The most bytes that they may use.
    pub max_bytes: u64,
}

/// The most parameters of one statement, 100: the platform refuses more.
pub(crate) const PARAMETERS_MAX: usize = 100;

/// A list as one parameter, made by [`list`].
pub(crate) const LIST: &str = "(SELECT value FROM json_each(?))";

/// A list of texts as the one parameter of [`LIST`].
pub(crate) fn list(texts: &[impl Serialize]) -> Result<Value> {
    serde_json::to_string(texts).map(Value::from).map_err(Error::internal)
}

/// The places for the values of some rows, so that they need one statement: `(?, ?), (?, ?)` for two rows of two columns.
pub(crate) fn places(rows: usize, columns: usize) -> String {
    let row = format!("({})", vec!["?"; columns].join(", "));
    vec![row; rows].join(", ")
}

/// The database as the core needs it. Both implementations run the same statements of `migrations/`.
pub trait Store {
    /// Runs one statement, at most 100 parameters, and gives all of its rows.
    fn query(&self, sql: &str, parameters: &[Value]) -> Result<Vec<Row>>;

    /// Runs a script of statements without parameters.
    fn script(&self, sql: &str) -> Result<()>;

    /// Runs `body` as one transaction: an error undoes all that it wrote. Does not nest.
    fn transaction(&self, body: &mut dyn FnMut() -> Result<()>) -> Result<()>;

    /// The present fill. The maximum is the set one, or less where the platform has refused a write. The look costs no
    /// row but some time, so it is made once a batch at most.
    fn fill(&self) -> Fill;

    /// The log's head, as far as this instance knows it.
    fn known_head(&self) -> &KnownHead;
}

/// The parts of the log's head that an instance remembers. Almost each step asks for the head, and each reading would cost a
/// statement and billed rows.
#[derive(Debug, Default)]
pub struct KnownHead {
    /// The newest id that the log's table has, or had when the agent of it was deleted: as this instance has written it last.
    /// `None` where the table is to be asked: at first, and after any transaction that failed.
    pub newest: Cell<Option<EventId>>,
    /// The newest id that went with a deleted agent.
    pub erased: Cell<EventId>,
}

/// [`Store::transaction`] for a body that gives a value.
pub fn atomically<T>(store: &dyn Store, mut body: impl FnMut() -> Result<T>) -> Result<T> {
    let mut outcome = None;
    store
        .transaction(&mut || {
            outcome = Some(body()?);
            Ok(())
        })
        .inspect_err(|_| store.known_head().newest.set(None))?;
    outcome.ok_or_else(|| Error::internal("a transaction returned without running its body"))
}

/// [`atomically`] for a body that first makes room ([`Store::fill`]). Where the platform gives no more, the store knows from
/// then on that it is full; so it is tried once more, and room is made.
pub fn atomically_with_room<T>(store: &dyn Store, mut body: impl FnMut() -> Result<T>) -> Result<T> {
    match atomically(store, &mut body) {
        Err(error) if error.code == Code::StoreFull => atomically(store, body),
        done => done,
    }
}

impl Row {
    /// The integer in a column, as a count or position.
    pub fn number(&self, column: usize) -> Result<u64> {
        match self.0.get(column) {
            Some(Value::Integer(value)) => u64::try_from(*value).ok(),
            _ => None,
        }
        .ok_or_else(|| Error::internal(format!("column {column} holds no count: {self:?}")))
    }

    /// The integer in a column, also a negative one.
    pub fn integer(&self, column: usize) -> Result<i64> {
        match self.0.get(column) {
            Some(Value::Integer(value)) => Ok(*value),
            _ => Err(Error::internal(format!("column {column} holds no integer: {self:?}"))),
        }
    }

    /// The text in a column.
    pub fn text(&self, column: usize) -> Result<&str> {
        self.maybe_text(column).ok_or_else(|| Error::internal(format!("column {column} holds no text: {self:?}")))
    }

    /// The text in a column, if there is one.
    pub fn maybe_text(&self, column: usize) -> Option<&str> {
        match self.0.get(column) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// Takes the text out of a column, without a copy of it.
    pub fn take_text(&mut self, column: usize) -> Result<String> {
        match self.0.get_mut(column) {
            Some(Value::Text(text)) => Ok(std::mem::take(text)),
            _ => Err(Error::internal(format!("column {column} holds no text: {self:?}"))),
        }
    }

    /// The bytes in a column.
    pub fn bytes(&self, column: usize) -> Result<&[u8]> {
        match self.0.get(column) {
            Some(Value::Bytes(bytes)) => Ok(bytes),
            _ => Err(Error::internal(format!("column {column} holds no bytes"))),
        }
    }

    /// The integer in a column, if there is one.
    pub fn maybe_number(&self, column: usize) -> Option<u64> {
        match self.0.get(column) {
            Some(Value::Integer(value)) => u64::try_from(*value).ok(),
            _ => None,
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Self {
        Self::Bytes(bytes.to_vec())
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<u64> for Value {
    /// Counts and positions stay far below 2^63; one that did not would be stored as 2^63 - 1.
    fn from(number: u64) -> Self {
        Self::Integer(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl From<EventId> for Value {
    fn from(id: EventId) -> Self {
        id.get().into()
    }
}

impl From<townwatch_protocol::id::SourceId> for Value {
    fn from(id: townwatch_protocol::id::SourceId) -> Self {
        id.get().into()
    }
}
