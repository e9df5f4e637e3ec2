//! The tests' own store keeps the promises of the seam.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod sqlite;

use sqlite::Sqlite;
use townwatch::core::store::{Store, Value, atomically};
use townwatch::error::{Code, Error};

#[test]
fn values_come_back_as_they_went_in() {
    let store = Sqlite::new();
    store.script("CREATE TABLE t(a, b, c, d); CREATE INDEX i ON t(a)").unwrap();
    let row = [Value::Null, Value::Integer((1 << 53) - 1), Value::from("\u{0}é\u{1F600}"), Value::from(&[0, 255][..])];
    store.query("INSERT INTO t VALUES (?, ?, ?, ?)", &row).unwrap();
    assert_eq!(store.query("SELECT a, b, c, d FROM t", &[]).unwrap()[0].0, row);
    assert_eq!(store.rows_changed(), 1);
}

#[test]
fn an_error_undoes_all_of_a_transaction() {
    let store = Sqlite::new();
    store.script("CREATE TABLE t(a)").unwrap();
    let outcome = atomically(&store, || {
        store.query("INSERT INTO t VALUES (1)", &[])?;
        Err::<(), _>(Error::not_found("town"))
    });
    assert_eq!(outcome.unwrap_err().code, Code::NotFound);
    store.fail_after(1);
    let outcome = atomically(&store, || {
        store.query("INSERT INTO t VALUES (2)", &[])?;
        store.query("INSERT INTO t VALUES (3)", &[])
    });
    assert_eq!(outcome.unwrap_err().code, Code::Internal);
    assert_eq!(atomically(&store, || store.query("SELECT a FROM t", &[])).unwrap(), []);
}

/// A Durable Object runs a script that ends in a comment, keeps what it did, and then fails.
#[test]
fn no_migration_ends_in_a_comment() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let mut count = 0;
    for object in ["account", "rig", "town"] {
        for file in std::fs::read_dir(folder.join(object)).unwrap() {
            let script = std::fs::read_to_string(file.unwrap().path()).unwrap();
            assert!(script.trim_end().ends_with(';'), "a migration of {object} has something after its last statement");
            count += 1;
        }
    }
    assert!(count >= 3);
}
