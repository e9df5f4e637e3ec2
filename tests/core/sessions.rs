//! Browsers that are signed in, the codes of links, and those who show wrong keys.

use townwatch_protocol::error::Code;
use townwatch_protocol::id::SessionId;
use townwatch_protocol::limits::{SESSIONS_MAX, SIGN_IN_CODES_MAX, WRONG_KEY_ADDRESSES_MAX, WRONG_KEYS_MAX};
use townwatch_protocol::time::Timestamp;
use townwatch_town::access::browser::name_of;
use townwatch_town::account;
use townwatch_town::account::known_sessions::KnownSessions;
use townwatch_town::account::sessions;
use townwatch_town::account::wrong_keys::{RefusedAddresses, WrongKeys, counted_as};
use townwatch_town::store::Store;

use crate::sqlite::Sqlite;

const HOUR_MS: i64 = 3_600_000;

fn now() -> Timestamp {
    Timestamp::parse("2026-11-22T18:00:00.500Z").unwrap()
}

fn id(name: impl std::fmt::Display) -> SessionId {
    SessionId::parse(&name.to_string()).unwrap()
}

fn names(store: &Sqlite, now: Timestamp) -> Vec<String> {
    sessions::list(store, now).unwrap().iter().map(|session| session.session_id.to_string()).collect()
}

#[test]
fn a_session_lasts_while_it_is_used_and_a_week_in_all() {
    let (store, began) = (Sqlite::new(), now());
    assert!(!sessions::is_seen(&store, &id("a"), began).unwrap(), "there is no account yet");
    sessions::begin(&store, &id("a"), "Firefox on Linux", began).unwrap();
    sessions::begin(&store, &id("b"), "Chrome on Android", began).unwrap();
    let at = |hours: i64| began.plus_millis(hours * HOUR_MS);
    for hours in (11..7 * 24).step_by(11) {
        assert!(sessions::is_seen(&store, &id("a"), at(hours)).unwrap(), "{hours}");
    }
    assert!(!sessions::is_seen(&store, &id("b"), at(12)).unwrap(), "not used for 12 hours");
    let last = began.plus_millis(7 * 24 * HOUR_MS - 1);
    assert!(sessions::is_seen(&store, &id("a"), last).unwrap());
    assert!(!sessions::is_seen(&store, &id("a"), last.plus_millis(1)).unwrap());
    assert_eq!(sessions::ends_at(began).to_string(), "2026-11-29T18:00:00.000Z", "whole seconds");
}

#[test]
fn the_list_says_who_when_and_until_when_and_use_is_noted_once_a_minute() {
    let (store, began) = (Sqlite::new(), now());
    sessions::begin(&store, &id("a"), "Firefox on Linux", began).unwrap();
    sessions::begin(&store, &id("b"), "Chrome on Android", began.plus_millis(1)).unwrap();
    let before = store.rows_changed();
    assert!(sessions::is_seen(&store, &id("a"), began.plus_millis(59_999)).unwrap());
    assert_eq!((store.rows_changed(), names(&store, began)), (before, vec!["b".to_owned(), "a".to_owned()]));
    let seen_at = began.plus_millis(60_000);
    assert!(sessions::is_seen(&store, &id("a"), seen_at).unwrap());
    assert_eq!(names(&store, began), ["a", "b"], "the one that was seen last is first");
    let all = sessions::list(&store, seen_at).unwrap();
    assert_eq!((all[0].browser.as_str(), all[0].created_at, all[0].last_seen_at), ("Firefox on Linux", began, seen_at));
    assert_eq!(all[0].ends_at, seen_at.plus_millis(12 * HOUR_MS));
}

#[test]
fn one_that_was_ended_is_gone_and_stays_known_until_all_are_told() {
    let (store, now) = (Sqlite::new(), now());
    for name in ["a", "b", "c"] {
        sessions::begin(&store, &id(name), "x", now).unwrap();
    }
    sessions::end(&store, &id("a"), now).unwrap();
    assert!(!sessions::is_seen(&store, &id("a"), now).unwrap());
    assert_eq!(
        (names(&store, now), sessions::untold(&store).unwrap()),
        (vec!["c".to_owned(), "b".to_owned()], vec![id("a")])
    );
    sessions::end(&store, &id("a"), now).unwrap();
    sessions::told(&store, &[id("a")]).unwrap();
    assert_eq!(sessions::untold(&store).unwrap(), []);
    assert_eq!(sessions::end(&store, &id("a"), now).unwrap_err().code, Code::NotFound);
    sessions::end_all(&store, now).unwrap();
    assert_eq!((names(&store, now).len(), sessions::untold(&store).unwrap().len()), (0, 2));
}

#[test]
fn one_too_many_signs_out_the_one_that_was_seen_longest_ago() {
    let (store, now) = (Sqlite::new(), now());
    for number in 0..SESSIONS_MAX {
        sessions::begin(&store, &id(format!("s{number}")), "x", now.plus_millis(number.cast_signed())).unwrap();
    }
    let later = now.plus_millis(2 * 60_000);
    assert!(sessions::is_seen(&store, &id("s0"), later).unwrap());
    sessions::begin(&store, &id("new"), "x", later).unwrap();
    assert_eq!(sessions::untold(&store).unwrap(), [id("s1")]);
    assert_eq!(names(&store, later).len() as u64, SESSIONS_MAX);
    // Those that no town was told of do not add up either.
    for number in 0..2 * SESSIONS_MAX {
        sessions::begin(&store, &id(format!("m{number}")), "x", later.plus_millis(number.cast_signed())).unwrap();
    }
    assert_eq!(sessions::untold(&store).unwrap().len() as u64, SESSIONS_MAX);
}

#[test]
fn a_code_is_good_once_and_for_a_minute_and_not_stored() {
    let (store, now) = (Sqlite::new(), now());
    assert!(!sessions::use_code(&store, "none", now).unwrap());
    for (after_ms, is_good) in [(0, true), (59_999, true), (60_000, false)] {
        let expires_at = sessions::make_code(&store, "code", now).unwrap();
        assert_eq!(expires_at, now.plus_millis(60_000));
        assert!(!sessions::use_code(&store, "other", now).unwrap());
        let stored = store.query("SELECT code_hash FROM sign_in_codes", &[]).unwrap();
        assert!(stored.iter().all(|row| !row.text(0).unwrap().contains("code")));
        let at = now.plus_millis(after_ms);
        assert_eq!(sessions::use_code(&store, "code", at).unwrap(), is_good, "{after_ms}");
        assert!(!sessions::use_code(&store, "code", at).unwrap(), "once");
        store.query("DELETE FROM sign_in_codes", &[]).unwrap();
    }
    for number in 0..=SIGN_IN_CODES_MAX {
        sessions::make_code(&store, &format!("c{number}"), now.plus_millis(number.cast_signed())).unwrap();
    }
    assert!(!sessions::use_code(&store, "c0", now).unwrap(), "the oldest goes");
    assert!(sessions::use_code(&store, "c1", now).unwrap());
}

#[test]
fn an_account_of_before_gets_the_new_tables() {
    let store = Sqlite::new();
    store.script("CREATE TABLE schema_version (version INTEGER NOT NULL) STRICT").unwrap();
    store.script(include_str!("../../migrations/account/0001_account.sql")).unwrap();
    store.script("INSERT INTO schema_version VALUES (1); INSERT INTO towns VALUES ('t1', 'Riverside', 5)").unwrap();
    sessions::begin(&store, &id("a"), "x", now()).unwrap();
    assert_eq!((names(&store, now()), account::list(&store).unwrap().len()), (vec!["a".to_owned()], 1));
}

#[test]
fn the_worker_asks_again_after_a_minute_or_when_one_was_ended() {
    let (mut known, now) = (KnownSessions::default(), now());
    assert!(!known.lasts(&id("a"), now));
    known.note(id("a"), now);
    assert!(known.lasts(&id("a"), now.plus_millis(59_999)) && !known.lasts(&id("b"), now));
    assert!(!known.lasts(&id("a"), now.plus_millis(60_000)));
    assert!(!known.lasts(&id("a"), now.plus_millis(-1)), "a clock that was set back");
    known.forget();
    assert!(!known.lasts(&id("a"), now));
}

#[test]
fn too_many_wrong_keys_of_an_address_close_it_for_the_rest_of_its_minute() {
    let (mut wrong, now) = (WrongKeys::default(), now());
    for _ in 0..WRONG_KEYS_MAX {
        assert_eq!(wrong.count("1.2.3.4", now), None);
    }
    let until = now.plus_millis(60_000);
    assert_eq!(wrong.count("1.2.3.4", now.plus_millis(59_999)), Some(until));
    assert_eq!(wrong.count("1.2.3.5", now), None, "another one");
    assert_eq!(wrong.count("1.2.3.4", until), None, "its next minute");
    // One with very many addresses pushes the oldest out, not all.
    let mut wrong = WrongKeys::default();
    for number in 0..=WRONG_KEY_ADDRESSES_MAX {
        for _ in 0..=WRONG_KEYS_MAX {
            wrong.count(&number.to_string(), now.plus_millis(i64::try_from(number).unwrap()));
        }
    }
    assert_eq!(wrong.count("0", now.plus_millis(1_000)), None);
    assert!(wrong.count(&WRONG_KEY_ADDRESSES_MAX.to_string(), now.plus_millis(1_000)).is_some());

    let mut refused = RefusedAddresses::default();
    assert!(refused.is_empty());
    refused.note("1.2.3.4".to_owned(), until, now);
    assert_eq!(refused.until("1.2.3.4", now), Some(until));
    assert_eq!((refused.until("1.2.3.4", until), refused.until("1.2.3.5", now)), (None, None));
}

#[test]
fn an_address_is_counted_with_those_that_one_person_has() {
    for (address, expected) in [
        (Some("203.0.113.7"), "203.0.113.7"),
        (Some("::ffff:203.0.113.7"), "203.0.113.7"),
        (Some("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64"),
        (Some("2001:db8:1:2:ffff::"), "2001:db8:1:2::/64"),
        (Some("nonsense"), "unknown"),
        (None, "unknown"),
    ] {
        assert_eq!(counted_as(address), expected);
    }
}

#[test]
fn a_browser_is_named_in_short() {
    for (header, name) in [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0",
            "Edge on Windows",
        ),
        (
            "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36",
            "Chrome on Android",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
            "Safari on iPhone",
        ),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15",
            "Safari on macOS",
        ),
        ("curl/8.5.0", "curl/8.5.0"),
        ("", "unknown"),
    ] {
        assert_eq!(name_of(Some(header)), name);
    }
    assert_eq!((name_of(None), name_of(Some(&"x".repeat(10_000))).len()), ("unknown".to_owned(), 40));
}
