//! The store of the core, over a Durable Object's SQLite.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use ::worker::State;
use js_sys::{Array, ArrayBuffer, JsString, Uint8Array};
use townwatch_protocol::error::{Error, Result};
use townwatch_protocol::id::POSITION_MAX;
use townwatch_town::metrics::Rows;
use townwatch_town::store::{Fill, KnownHead, Row, Store, Value};
use wasm_bindgen::prelude::*;

use crate::js;

/// Statements whose text is kept as a JavaScript string. The core has about 100. With one more than 512 all are
/// dropped.
const STATEMENTS_MAX: usize = 512;

/// The free space below the limit at which a full store takes batches again, 1 MiB.
const FULL_MARGIN_BYTES: u64 = 1 << 20;

/// The parts of the platform's SQLite that the crate does not bind, or binds with a conversion of the statement's text
/// at every call.
#[allow(unsafe_code)] // wasm-bindgen's macro expands to it
mod glue {
    use super::{Array, JsString, JsValue, wasm_bindgen};

    #[wasm_bindgen]
    extern "C" {
        pub(super) type Storage;

        #[wasm_bindgen(method, getter)]
        pub(super) fn sql(this: &Storage) -> Sql;

        /// Runs the closure in a transaction. An error that it throws rolls the transaction back and is thrown again.
        #[wasm_bindgen(method, catch, js_name = transactionSync)]
        pub(super) fn transaction_sync(
            this: &Storage,
            body: &mut dyn FnMut() -> Result<JsValue, JsValue>,
        ) -> Result<JsValue, JsValue>;

        pub(super) type Sql;

        /// The bytes of the used pages.
        #[wasm_bindgen(method, getter, js_name = databaseSize)]
        pub(super) fn database_size(this: &Sql) -> f64;

        #[wasm_bindgen(method, catch, variadic)]
        pub(super) fn exec(this: &Sql, statement: &JsString, parameters: &Array) -> Result<Cursor, JsValue>;

        pub(super) type Cursor;

        /// An array of rows, each an array of values.
        pub(super) type Rows;

        #[wasm_bindgen(method, catch)]
        pub(super) fn raw(this: &Cursor) -> Result<JsValue, JsValue>;

        /// The rows read so far, those of indices included. The number is complete once all rows were read.
        #[wasm_bindgen(method, getter, js_name = rowsRead)]
        pub(super) fn rows_read(this: &Cursor) -> f64;

        #[wasm_bindgen(method, getter, js_name = rowsWritten)]
        pub(super) fn rows_written(this: &Cursor) -> f64;

        /// The values of all rows, in their order.
        #[wasm_bindgen(method)]
        pub(super) fn flat(this: &Rows) -> Array;

        /// Reads an iterator to its end in one crossing.
        #[wasm_bindgen(catch, js_namespace = Array, js_name = from)]
        pub(super) fn collect(iterator: &JsValue) -> Result<Array, JsValue>;
    }
}

/// A Durable Object's tables.
pub struct SqlStore {
    storage: glue::Storage,
    sql: glue::Sql,
    statements: RefCell<HashMap<Box<str>, JsString>>,
    rows: Cell<Rows>,
    /// The most bytes that the tables may use; a lower value after the platform has refused a write.
    max_bytes: Cell<u64>,
    known_head: KnownHead,
}

impl SqlStore {
    /// The tables of the object whose state it is.
    pub fn new(state: &State) -> Self {
        let storage = state.storage();
        let raw: &JsValue = storage.as_raw().as_ref();
        let storage: glue::Storage = raw.clone().unchecked_into();
        let sql = storage.sql();
        Self {
            storage,
            sql,
            statements: RefCell::default(),
            rows: Cell::default(),
            max_bytes: Cell::new(u64::MAX),
            known_head: KnownHead::default(),
        }
    }

    /// Sets the most MiB that the tables may use. Without this call there is no limit.
    pub fn set_max_mib(&self, max_mib: u64) {
        self.max_bytes.set(self.max_bytes.get().min(max_mib << 20));
    }

    /// The rows that this instance has read and written.
    pub fn rows(&self) -> Rows {
        self.rows.get()
    }

    /// Runs `ask` without counting its rows, for reading the counts themselves.
    pub fn uncounted<T>(&self, ask: impl FnOnce() -> T) -> T {
        let rows = self.rows.get();
        let answer = ask();
        self.rows.set(rows);
        answer
    }

    /// The statement's text as JavaScript's, converted once.
    fn statement(&self, sql: &str) -> JsString {
        let mut known = self.statements.borrow_mut();
        if let Some(text) = known.get(sql) {
            return text.clone();
        }
        if known.len() >= STATEMENTS_MAX {
            known.clear();
        }
        let text = JsString::from(sql);
        known.insert(sql.into(), text.clone());
        text
    }

    fn run(&self, sql: &str, parameters: &Array) -> Result<Array> {
        let failed = |thrown: JsValue| {
            let words = js::describe(&thrown);
            let Some(full) = Error::of_full_store(&words) else { return Error::internal(format!("{words}: {sql}")) };
            // The platform gives less than the bound: from now on what is here is too much, and the next batch makes room.
            self.max_bytes.set(self.max_bytes.get().min(self.fill().taken_bytes.saturating_sub(FULL_MARGIN_BYTES)));
            full
        };
        let cursor = self.sql.exec(&self.statement(sql), parameters).map_err(failed)?;
        let found = cursor.raw().and_then(|rows| glue::collect(&rows)).map_err(failed)?;
        let Rows { read, written } = self.rows.get();
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // counts of rows
        let (more_read, more_written) = (cursor.rows_read() as u64, cursor.rows_written() as u64);
        self.rows.set(Rows { read: read + more_read, written: written + more_written });
        Ok(found)
    }
}

impl Store for SqlStore {
    fn fill(&self) -> Fill {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a count of bytes
        let taken_bytes = self.sql.database_size() as u64;
        Fill { taken_bytes, max_bytes: self.max_bytes.get() }
    }

    fn known_head(&self) -> &KnownHead {
        &self.known_head
    }

    fn query(&self, sql: &str, parameters: &[Value]) -> Result<Vec<Row>> {
        let bound = Array::new();
        for parameter in parameters {
            bound.push(&to_js(parameter, sql)?);
        }
        let rows = self.run(sql, &bound)?;
        let count = rows.length();
        if count == 0 {
            return Ok(Vec::new());
        }
        // All values in one array: of a row by itself each would be a crossing more.
        let values = rows.unchecked_ref::<glue::Rows>().flat();
        let mut read = values.iter().map(|value| from_js(&value, sql));
        let columns = (values.length() / count) as usize;
        (0..count).map(|_| read.by_ref().take(columns).collect::<Result<_>>().map(Row)).collect()
    }

    fn script(&self, sql: &str) -> Result<()> {
        self.run(sql, &Array::new()).map(|_| ())
    }

    fn transaction(&self, body: &mut dyn FnMut() -> Result<()>) -> Result<()> {
        let mut failed = None;
        let ended = self.storage.transaction_sync(&mut || match body() {
            Ok(()) => Ok(JsValue::UNDEFINED),
            Err(error) => {
                failed = Some(error);
                Err(JsValue::from_str("rolled back"))
            }
        });
        match (failed, ended) {
            (Some(error), _) => Err(error),
            (None, Err(thrown)) => Err(js::fault(&thrown)),
            (None, Ok(_)) => Ok(()),
        }
    }
}

fn to_js(value: &Value, sql: &str) -> Result<JsValue> {
    match value {
        Value::Null => Ok(JsValue::NULL),
        Value::Text(text) => Ok(JsValue::from_str(text)),
        Value::Bytes(bytes) => Ok(Uint8Array::from(bytes.as_slice()).into()),
        #[allow(clippy::cast_precision_loss)] // not within the bound
        Value::Integer(number) if number.unsigned_abs() <= POSITION_MAX => Ok(JsValue::from_f64(*number as f64)),
        Value::Integer(number) => Err(Error::internal(format!("{number} does not fit a JavaScript number: {sql}"))),
    }
}

fn from_js(value: &JsValue, sql: &str) -> Result<Value> {
    // Texts come first, since most values are texts and each question is a crossing.
    if let Some(text) = value.as_string() {
        return Ok(Value::Text(text));
    }
    if let Some(number) = value.as_f64() {
        #[allow(clippy::cast_precision_loss)] // not within the bound
        if number.fract() != 0.0 || number.abs() > POSITION_MAX as f64 {
            return Err(Error::internal(format!("a column holds {number}, which is no integer of ours: {sql}")));
        }
        #[allow(clippy::cast_possible_truncation)] // checked just before
        return Ok(Value::Integer(number as i64));
    }
    if value.is_null() {
        return Ok(Value::Null);
    }
    if let Some(bytes) = value.dyn_ref::<ArrayBuffer>() {
        return Ok(Value::Bytes(Uint8Array::new(bytes).to_vec()));
    }
    Err(Error::internal(format!("a column holds neither integer, text nor bytes: {sql}")))
}
