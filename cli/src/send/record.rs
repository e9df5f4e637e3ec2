//! From events to lines of the spool. Each line is the JSON that will be posted, so that a repeat has the same bytes.

use serde::Serialize;
use serde_json::value::RawValue;
use townwatch_agents::cut;
use townwatch_agents::redact::Redaction;
use townwatch_host::now;
use townwatch_protocol::event::{AgentExited, EventData, ExitReason, SourceGap};
use townwatch_protocol::time::Timestamp;

use super::spooled_run::{SPOOL_BYTES_MAX, SpoolRoom, SpooledRun};
use crate::notice::say;

/// An event as it is posted.
#[derive(Serialize)]
struct PostedLine<'a> {
    /// The id by which the rig recognises a repeat. It is unique in the agent, because it contains the run's id.
    event_id: &'a str,
    run_id: &'a str,
    event_type: &'a str,
    at: Timestamp,
    data: &'a RawValue,
}

/// A writer of a run's events, those of one read at a time.
pub(super) struct Recorder<'a> {
    run: &'a SpooledRun,
    redaction: &'a Redaction,
    number: u64,
    lines: String,
    count: u64,
    /// The number of events left out since the last written one.
    left_out: u64,
}

impl<'a> Recorder<'a> {
    pub(super) fn new(run: &'a SpooledRun, redaction: &'a Redaction) -> Self {
        Self { run, redaction, number: 0, lines: String::new(), count: 0, left_out: 0 }
    }

    /// Adds an event, redacted, to those of the next `write`, and reports its redactions.
    pub(super) fn event(&mut self, event: &EventData, at: Timestamp) {
        self.push(event, at);
        self.redaction.first_notices().iter().for_each(|notice| self.push(notice, at));
    }

    fn push(&mut self, event: &EventData, at: Timestamp) {
        self.number += 1;
        let event_id = format!("{}-{}", self.run.run_id, self.number);
        self.lines.push_str(&line(&event_id, &self.run.run_id, event, &self.redaction.data(event), at));
        self.count += 1;
    }

    /// Writes the added events. If the spool is full, they are left out and counted.
    pub(super) fn write(&mut self) {
        if self.count == 0 {
            return;
        }
        if self.left_out > 0 && self.run.has_room(self.lines.len()) {
            self.tell_left_out();
        }
        let (lines, count) = (std::mem::take(&mut self.lines), std::mem::take(&mut self.count));
        let problem = match self.run.append(&lines, count, SpoolRoom::Bounded) {
            Ok(true) => return,
            Ok(false) => format!("{} MiB wait for the server, which is the most", SPOOL_BYTES_MAX >> 20),
            Err(error) => format!("the spool {} cannot be written ({error})", self.run.dir.display()),
        };
        if self.left_out == 0 {
            say(&format!("{problem}; what comes is left out, and counted, until that has changed"));
        }
        self.left_out += count;
    }

    /// Writes the run's end after all other events.
    pub(super) fn end(mut self, exit: &AgentExited) {
        self.redaction.last_notices().iter().for_each(|notice| self.push(notice, now()));
        self.write();
        self.tell_left_out();
        if let Err(error) = self.run.end(&end_line(&self.run.run_id, exit.clone())) {
            say(&format!("the run's end is lost: it cannot be written to {} ({error})", self.run.dir.display()));
        }
    }

    fn tell_left_out(&mut self) {
        let count = std::mem::take(&mut self.left_out);
        if count == 0 {
            return;
        }
        let event_id = format!("{}-gap-{}", self.run.run_id, self.number);
        let line = gap_line(&event_id, &self.run.run_id, count, "the full spool of townwatch send");
        // If this cannot be written either, the person was told before.
        let _ = self.run.append(&line, 1, SpoolRoom::Always);
    }
}

/// The line that stands for missing events.
pub(super) fn gap_line(event_id: &str, run_id: &str, count: u64, source: &str) -> String {
    let gap = SourceGap { agent_id: None, count: Some(count), source: source.to_owned() }.into();
    line(event_id, run_id, &gap, &gap.to_raw(), now())
}

/// The beginning of the line with a run's end, by which the end is recognised.
pub(super) fn end_prefix(run_id: &str) -> String {
    format!(r#"{{"event_id":"{run_id}-end","#)
}

/// The line with the end of a run that no process saw.
pub(super) fn lost_line(run_id: &str) -> String {
    end_line(run_id, AgentExited::because(ExitReason::Lost, "`townwatch send` was ended before its input"))
}

fn end_line(run_id: &str, exit: AgentExited) -> String {
    let exit = exit.into();
    line(&format!("{run_id}-end"), run_id, &exit, &cut::bounded(&exit), now())
}

fn line(event_id: &str, run_id: &str, event: &EventData, data: &RawValue, at: Timestamp) -> String {
    let line = PostedLine { event_id, run_id, event_type: event.name(), at, data };
    let mut text = serde_json::to_string(&line).unwrap_or_default().replace('\n', " "); // none can stand within a text
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use townwatch_protocol::wire::PostEvent;

    #[test]
    fn a_line_is_what_the_rig_takes() {
        let text = lost_line("r1");
        assert!(text.starts_with(&end_prefix("r1")) && text.ends_with("}\n"));
        let posted: PostEvent = serde_json::from_str(&text).unwrap();
        assert_eq!(posted.event_id.unwrap().as_str(), "r1-end");
        assert_eq!((posted.event_type.as_str(), posted.run_id.unwrap().as_str()), ("agent.exited", "r1"));
        assert!(posted.data.unwrap().get().contains(r#""reason":"lost""#));
    }
}
