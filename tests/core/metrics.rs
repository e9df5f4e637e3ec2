//! Metrics as Prometheus reads them.

use std::collections::BTreeMap;
use std::rc::Rc;

use townwatch_protocol::body::parse_body;
use townwatch_protocol::event::Role;
use townwatch_protocol::id::{RigId, TownId};
use townwatch_protocol::time::Timestamp;
use townwatch_town::metrics::{Counts, Rows, of_rig, of_town};
use townwatch_town::reading::cursor::BeginRequest;
use townwatch_town::rig::Rig;
use townwatch_town::store::Store;

use crate::sqlite::Sqlite;
use crate::story;
use crate::story::{Story, epoch, position};

fn counts() -> Counts {
    let counts = Counts::new(Timestamp::parse("2026-11-22T12:00:00.007Z").unwrap());
    Counts {
        alarms_set: 3,
        events_stored: 4,
        frames_sent: 5,
        bytes_sent: 600,
        relay_requests: 7,
        relay_failures: 2,
        ..counts
    }
}

/// Reads a page as a scraper does: each series after its HELP and TYPE. Gives the values by name, and that its names
/// keep to the conventions.
fn read(page: &str, label: &str) -> BTreeMap<String, String> {
    assert!(page.ends_with('\n'));
    let lines: Vec<&str> = page.lines().collect();
    let mut values = BTreeMap::new();
    for three in lines.chunks(3) {
        let name = three[0].strip_prefix("# HELP ").unwrap().split(' ').next().unwrap();
        let (kind_of, kind) = three[1].strip_prefix("# TYPE ").unwrap().split_once(' ').unwrap();
        assert_eq!(kind_of, name);
        assert_eq!(kind == "counter", name.ends_with("_total"), "{name} is a {kind}");
        let (series, value) = three[2].rsplit_once(' ').unwrap();
        assert_eq!(series, format!("{name}{{{label}}}"));
        assert!(value.parse::<f64>().is_ok(), "{name} {value}");
        let name = name.strip_prefix("townwatch_").unwrap().to_owned();
        assert!(values.insert(name, value.to_owned()).is_none(), "twice");
    }
    values
}

#[test]
fn a_towns_page() {
    let mut story = Story::capped(5);
    for name in ["a", "b"] {
        story.register(name);
    }
    story.notes("a", 7);
    story.notes("b", 2);
    story.join("", BeginRequest::default());
    let rows = Rows { read: 11, written: 12 };
    let alarm_at = Some(Timestamp::parse("2026-11-22T12:00:30Z").unwrap());
    let page = of_town(&story.town, &counts(), rows, alarm_at).unwrap();
    let database_bytes = story.store.fill().taken_bytes.to_string();
    let expected = [
        ("agents", "2"),
        ("agents_archived", "0"),
        ("alarm_time_seconds", "1795348830.000"),
        ("alarms_set_total", "3"),
        ("database_bytes", database_bytes.as_str()),
        ("events_stored_total", "4"),
        ("instance_start_time_seconds", "1795348800.007"),
        ("log_events_retained", "7"),
        ("log_head_id", "9"),
        ("log_oldest_id", "3"),
        ("relay_failures_total", "2"),
        ("relay_requests_total", "7"),
        ("sql_rows_read_total", "11"),
        ("sql_rows_written_total", "12"),
        ("stream_frames_sent_total", "5"),
        ("stream_sent_bytes_total", "600"),
        ("stream_viewers", "1"),
    ];
    let expected: BTreeMap<String, String> =
        expected.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    assert_eq!(read(&page, "town_id=\"town\""), expected);
}

#[test]
fn a_rigs_page_says_what_its_town_has_not_taken() {
    let store = Rc::new(Sqlite::new());
    Rig::create(store.as_ref(), &RigId::parse("rig").unwrap(), &TownId::parse("town").unwrap(), &epoch("e")).unwrap();
    let rig = Rig::open(Rc::clone(&store) as Rc<dyn Store>, 5).unwrap().unwrap();
    let now = Timestamp::from_millis(0);
    rig.register(&story::agent("a"), "a", Role::Polecat, now).unwrap();
    let body = r#"{"agent_id":"a","events":[{"event_type":"n","data":"xyz"},{"event_type":"n"},{"event_type":"n"}]}"#;
    rig.post(parse_body(body.as_bytes()).unwrap(), now).unwrap();
    rig.adopt(position(1)).unwrap();
    let page = of_rig(&rig, &counts(), Rows::default(), None).unwrap();
    let values = read(&page, "rig_id=\"rig\"");
    let shown = ["outbox_events", "outbox_bytes", "alarm_time_seconds"].map(|name| values[name].as_str());
    assert_eq!(shown, ["2", "8", "0"]);
    assert_eq!(values["database_bytes"], store.fill().taken_bytes.to_string());
}
