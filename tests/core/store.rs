//! The tests' own store keeps the promises of the seam.

use std::rc::Rc;

use townwatch_protocol::error::{Code, Error};
use townwatch_protocol::id::TownId;
use townwatch_protocol::time::Timestamp;
use townwatch_protocol::wire::TownSummary;
use townwatch_town::account;
use townwatch_town::rig::Rig;
use townwatch_town::store::{Store, Value, atomically};
use townwatch_town::town::{Town, TownConfig};

use crate::sqlite::Sqlite;
use crate::story::no_run;

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

/// As after a roll-back of the Worker: what the newer build made is neither read nor changed.
#[test]
fn an_older_build_refuses_newer_tables_and_leaves_them_alone() {
    let store = Rc::new(Sqlite::new());
    let town = TownSummary {
        town_id: TownId::parse("town-1").unwrap(),
        name: "Riverside".into(),
        created_at: Timestamp::from_millis(0),
    };
    account::add(store.as_ref(), &town).unwrap();
    assert_eq!(account::list(store.as_ref()).unwrap().len(), 1);
    store.query("INSERT INTO schema_version (version) VALUES (99)", &[]).unwrap();
    let changed = store.rows_changed();
    let refusals = [
        account::list(store.as_ref()).map(drop),
        account::add(store.as_ref(), &town),
        account::rename(store.as_ref(), &town.town_id, "Hillside"),
        account::remove(store.as_ref(), &town.town_id),
        Town::open(Rc::clone(&store) as Rc<dyn Store>, TownConfig::default(), no_run()).map(drop),
        Rig::open(Rc::clone(&store) as Rc<dyn Store>, 2_000).map(drop),
    ];
    for refusal in refusals {
        let problem = refusal.unwrap_err();
        assert_eq!(problem.code, Code::OlderBuild);
        assert!(problem.message.contains("version 99"), "{problem}");
    }
    assert_eq!(store.rows_changed(), changed);
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
