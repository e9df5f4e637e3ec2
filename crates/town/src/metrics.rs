//! The counts of an object since its instance began, in the form of Prometheus (text format 0.0.4). The counts are in
//! memory, so an eviction ends them; the metric for the begin of the instance shows that.

use std::fmt::{Display, Write};

use townwatch_protocol::error::Result;
use townwatch_protocol::time::Timestamp;

use crate::account;
use crate::account::sessions;
use crate::agents;
use crate::log;
use crate::rig::Rig;
use crate::store::Store;
use crate::town::Town;

/// The media type of what is rendered here.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Rows of SQLite as the platform bills them: those of indices are in it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rows {
    /// Rows looked at, found or not.
    pub read: u64,
    /// Rows inserted, changed and deleted.
    pub written: u64,
}

/// The counts of an instance.
#[derive(Debug, Clone, Copy)]
pub struct Counts {
    /// The time at which the instance began.
    pub began_at: Timestamp,
    /// Alarms set: each is billed as a row written, which SQLite does not know of.
    pub alarms_set: u64,
    /// Events stored.
    pub events_stored: u64,
    /// Stream frames handed to the runtime.
    pub frames_sent: u64,
    /// Their bytes, before any compression.
    pub bytes_sent: u64,
    /// Questions for events to the control server.
    pub relay_requests: u64,
    /// Questions without an answer, or with one that cannot be read.
    pub relay_failures: u64,
}

impl Counts {
    /// The counts of an instance that begins.
    pub fn new(began_at: Timestamp) -> Self {
        Self {
            began_at,
            alarms_set: 0,
            events_stored: 0,
            frames_sent: 0,
            bytes_sent: 0,
            relay_requests: 0,
            relay_failures: 0,
        }
    }
}

/// A town's metrics. `alarm_at`: when its alarm is set for.
pub fn of_town(town: &Town, counts: &Counts, rows: Rows, alarm_at: Option<Timestamp>) -> Result<String> {
    let store = town.store.as_ref();
    let found = store.query("SELECT coalesce(sum(event_count), 0) FROM agents", &[])?;
    let retained = found.first().map_or(Ok(0), |row| row.number(0))?;
    let mut page = ObjectMetrics::new("town_id", town.town_id.as_str());
    page.instance(counts, rows, alarm_at, store);
    page.counter("events_stored_total", "Events that got their id.", counts.events_stored);
    page.counter("stream_frames_sent_total", "Stream frames handed to the runtime.", counts.frames_sent);
    page.counter("stream_sent_bytes_total", "Bytes of these frames, uncompressed.", counts.bytes_sent);
    page.gauge("stream_viewers", "Streams that are open.", town.viewer_count());
    page.counter("relay_requests_total", "Questions for events to the control server.", counts.relay_requests);
    page.counter("relay_failures_total", "Those without an answer that can be read.", counts.relay_failures);
    page.gauge("log_head_id", "The newest event's id.", log::head(store)?);
    page.gauge("log_oldest_id", "The oldest retained event's id; 0: none.", log::oldest(store)?);
    page.gauge("log_events_retained", "Events in the log.", retained);
    page.gauge("agents", "Agents of the town that are not archived.", agents::count(store)?);
    page.gauge("agents_archived", "Its archived agents.", agents::count_archived(store)?);
    Ok(page.text)
}

/// A rig's metrics.
pub fn of_rig(rig: &Rig, counts: &Counts, rows: Rows, alarm_at: Option<Timestamp>) -> Result<String> {
    let waiting = rig.waiting()?;
    let mut page = ObjectMetrics::new("rig_id", rig.rig_id.as_str());
    page.instance(counts, rows, alarm_at, rig.store.as_ref());
    page.counter("events_stored_total", "Events that got their id.", counts.events_stored);
    page.gauge("outbox_events", "Posted events that the town has not taken yet.", waiting.events);
    page.gauge("outbox_bytes", "Bytes of their data.", waiting.bytes);
    Ok(page.text)
}

/// The sign-ins that the account's instance has seen.
#[derive(Debug, Clone, Copy, Default)]
pub struct SignIns {
    /// Browsers that signed in.
    pub signed_in: u64,
    /// Wrong keys and codes.
    pub wrong_keys: u64,
}

/// The account's metrics.
pub fn of_account(store: &dyn Store, seen: SignIns, began_at: Timestamp, rows: Rows, now: Timestamp) -> Result<String> {
    let mut page = ObjectMetrics::new("account_id", "default");
    page.instance(&Counts::new(began_at), rows, None, store);
    page.counter("sign_ins_total", "Browsers that signed in.", seen.signed_in);
    page.counter("wrong_keys_total", "Wrong keys and sign-in codes, looked at or not.", seen.wrong_keys);
    page.gauge("sessions", "Browsers that are signed in.", sessions::list(store, now)?.len());
    page.gauge("towns", "Towns of the account.", account::list(store)?.len());
    Ok(page.text)
}

/// The lines of one object. Every series has the object's id, so that pages of several objects can be joined.
struct ObjectMetrics {
    label: String,
    text: String,
}

impl ObjectMetrics {
    fn new(name: &str, id: &str) -> Self {
        // An id's alphabet has nothing that would have to be escaped.
        Self { label: format!("{{{name}=\"{id}\"}}"), text: String::new() }
    }

    fn instance(&mut self, counts: &Counts, rows: Rows, alarm_at: Option<Timestamp>, store: &dyn Store) {
        let (began_at, alarm_at) = (seconds(counts.began_at), alarm_at.map_or("0".to_owned(), seconds));
        self.gauge("instance_start_time_seconds", "When this instance began; all else counts since then.", began_at);
        self.counter("sql_rows_read_total", "Rows that SQLite read, as billed.", rows.read);
        self.counter("sql_rows_written_total", "Rows that SQLite wrote, as billed, without alarms.", rows.written);
        self.counter("alarms_set_total", "Alarms set, each billed as one row written more.", counts.alarms_set);
        self.gauge("alarm_time_seconds", "When the alarm is set for; 0: none is.", alarm_at);
        self.gauge("database_bytes", "What the tables take, indices included.", store.fill().taken_bytes);
    }

    fn counter(&mut self, name: &str, help: &str, value: u64) {
        self.write(name, "counter", help, &value);
    }

    fn gauge(&mut self, name: &str, help: &str, value: impl Display) {
        self.write(name, "gauge", help, &value);
    }

    fn write(&mut self, name: &str, kind: &str, help: &str, value: &dyn Display) {
        let Self { label, text } = self;
        // Writing to a String does not fail.
        let _ = writeln!(
            text,
            "# HELP townwatch_{name} {help}\n# TYPE townwatch_{name} {kind}\ntownwatch_{name}{label} {value}"
        );
    }
}

fn seconds(at: Timestamp) -> String {
    format!("{}.{:03}", at.millis().div_euclid(1_000), at.millis().rem_euclid(1_000))
}
