//! Recordings of real agents, printed by a child process. Process, pipe, line reader and parser are the same as for a
//! live agent.

use std::io::{self, Write};
use std::time::Duration;

use serde::Deserialize;
use townwatch_agents::json;
use townwatch_agents::recordings::{RECORDINGS, Recording};
use townwatch_protocol::error::{Error, Result};
use townwatch_protocol::time::Timestamp;
use townwatch_protocol::wire::StartAgent;

use super::{Input, Launch};
use crate::config::Config;

/// The hidden subcommand of this program that prints a recording.
pub const PRINT_COMMAND: &str = "replay-print";
/// The longest pause of a recording at its own pace, 2 s; a longer one is cut to it.
const PAUSE_MAX: Duration = Duration::from_secs(2);
/// The highest speed of a recording, 1000 times its own pace; a higher one is refused. A speed of 0 plays it without
/// pauses.
const SPEED_MAX: f64 = 1000.0;

/// Launches this program itself, as the printer of the order's recording.
pub(super) fn launch(order: &StartAgent, config: &Config) -> Result<Launch> {
    let names = || RECORDINGS.iter().map(|recording| recording.name).collect::<Vec<_>>().join(", ");
    let Some(name) = &order.transcript else {
        return Err(Error::invalid("transcript", format!("name a recording: demo, {}", names())));
    };
    let Some(recording) = Recording::find(name) else {
        return Err(Error::invalid(
            "transcript",
            format!("no recording is called {name:?}; there are demo, {}", names()),
        ));
    };
    let speed = order.speed.unwrap_or(1.0);
    if !(0.0..=SPEED_MAX).contains(&speed) {
        return Err(Error::invalid("speed", format!("expected a number from 0 (at once) to {SPEED_MAX}")));
    }
    let arguments = [PRINT_COMMAND, recording.name, "--speed", &speed.to_string()].map(str::to_owned).to_vec();
    Ok(Launch { program: config.own_program.clone(), arguments, variables: Vec::new(), input: Input::None })
}

/// Prints a recording: `NAME [--speed S]`. Gives the exit code.
pub fn print(arguments: &[String], out: &mut impl Write) -> io::Result<u8> {
    let wrong = |problem: &str| io::Error::new(io::ErrorKind::InvalidInput, problem);
    let (name, speed) = match arguments {
        [name] => (name, 1.0),
        [name, option, speed] if option == "--speed" => (name, speed.parse().map_err(|_| wrong("--speed: a number"))?),
        _ => return Err(wrong("expected NAME [--speed S]")),
    };
    let recording = Recording::find(name).ok_or_else(|| wrong("no such recording"))?;
    let bytes = recording.bytes()?;
    if speed <= 0.0 {
        out.write_all(&bytes)?;
    } else {
        for (line, pause) in paced(&bytes) {
            std::thread::sleep(pause.div_f64(speed));
            out.write_all(line)?;
            out.flush()?;
        }
    }
    out.flush()?;
    Ok(recording.exit_code)
}

/// The lines, each with the pause before it. Only some lines have a time. The time between two of those is spread
/// evenly over the lines from one to the other.
fn paced(bytes: &[u8]) -> Vec<(&[u8], Duration)> {
    #[derive(Deserialize)]
    struct Stamped {
        #[serde(default, deserialize_with = "json::if_readable")]
        timestamp: Option<Timestamp>,
        #[serde(default, deserialize_with = "json::if_readable")]
        id: Option<String>,
    }
    let mut lines: Vec<_> = bytes.split_inclusive(|byte| *byte == b'\n').map(|line| (line, Duration::ZERO)).collect();
    let mut last: Option<(usize, Timestamp)> = None;
    for index in 0..lines.len() {
        let stamped = serde_json::from_slice::<Stamped>(lines[index].0).ok();
        let stamped = stamped.and_then(|line| line.timestamp.or_else(|| time_in_id(line.id.as_deref()?)));
        let Some(at) = stamped else { continue };
        if let Some((last_index, last_at)) = last {
            let passed = Duration::from_millis(at.millis_since(last_at)).min(PAUSE_MAX);
            let steps = u32::try_from(index - last_index).unwrap_or(u32::MAX);
            lines[last_index + 1..=index].iter_mut().for_each(|(_, pause)| *pause = passed / steps);
        }
        last = Some((index, at));
    }
    lines
}

/// The time in an id of OpenCode: `evt_`, then in hexadecimal the milliseconds since some day, and three digits that count.
fn time_in_id(id: &str) -> Option<Timestamp> {
    let digits = id.strip_prefix("evt_")?.get(..12)?;
    Some(Timestamp::from_millis(i64::from_str_radix(digits, 16).ok()? >> 12))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_recording_is_whole() {
        for recording in RECORDINGS {
            let bytes = recording.bytes().unwrap();
            assert!(bytes.ends_with(b"\n") && bytes.starts_with(b"{"), "{}", recording.name);
            let mut printed = Vec::new();
            let arguments = [recording.name.to_owned(), "--speed".into(), "0".into()];
            assert_eq!(print(&arguments, &mut printed).unwrap(), recording.exit_code);
            assert_eq!(printed, *bytes);
        }
    }

    #[test]
    fn pauses_are_the_recorded_ones_and_none_is_long() {
        let (a, b) = (r#"{"timestamp":"2026-11-22T14:46:39.000Z"}"#, r#"{"timestamp":"2026-11-22T14:46:39.400Z"}"#);
        let c = r#"{"timestamp":"2026-11-22T15:00:00.000Z"}"#;
        let recording = format!("{{}}\n{a}\n{{}}\nnot json\n{{}}\n{b}\n{c}\n{{}}");
        let pauses: Vec<u128> = paced(recording.as_bytes()).iter().map(|(_, pause)| pause.as_millis()).collect();
        assert_eq!(pauses, [0, 0, 100, 100, 100, 100, 2000, 0]);
        let stream = r#"{"id":"evt_203c5cfef001aa"}"#.to_owned() + "\n{}\n" + r#"{"id":"evt_203c5cfff000bb"}"#;
        let pauses: Vec<u128> = paced(stream.as_bytes()).iter().map(|(_, pause)| pause.as_millis()).collect();
        assert_eq!(pauses, [0, 8, 8]);
    }
}
