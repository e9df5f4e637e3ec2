//! Streams of OpenCode and Kilo through the decoder and the normaliser: recorded ones, and everything else that may
//! come along.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)] // test helpers

mod damage;
mod frames;
#[path = "../reading/mod.rs"]
mod reading;
mod recordings;
mod sub_agents;

use std::fmt::Write;

use townwatch_agents::cut;
use townwatch_agents::normalise::{Normalise, Opencode, RunContext};
use townwatch_protocol::event::EventData;
use townwatch_protocol::time::Timestamp;

fn told(events: &[EventData]) -> String {
    let mut told = String::new();
    for event in events {
        writeln!(told, "{} {}", event.name(), cut::bounded(event).get()).unwrap();
    }
    told
}

/// A frame of the session `s`, which is the run's.
fn frame(kind: &str, properties: &str) -> String {
    format!(r#"{{"id":"e","type":"{kind}","properties":{{"sessionID":"s",{properties}}}}}"#)
}

fn part(part: &str) -> String {
    frame("message.part.updated", &format!(r#""part":{{"sessionID":"s","messageID":"m",{part}}}"#))
}

fn told_of(frames: &[String]) -> String {
    let mut normaliser = Opencode::new("opencode", RunContext::default(), Some("s".into()));
    let mut events = Vec::new();
    for (index, frame) in frames.iter().enumerate() {
        events.extend(normaliser.line(frame, Timestamp::from_millis(10 * i64::try_from(index).unwrap())).events);
    }
    events.extend(normaliser.end(false, Timestamp::from_millis(0)));
    told(&events)
}

/// A frame of the session `c`, which the call `call` handed its work to.
fn sub_frame(kind: &str, properties: &str) -> String {
    frame(kind, properties).replace(r#""sessionID":"s""#, r#""sessionID":"c""#)
}

fn handed_over() -> [String; 2] {
    [
        r#"{"type":"session.created","properties":{"info":{"id":"c","parentID":"s"}}}"#.to_owned(),
        part(
            r#""id":"task","type":"tool","tool":"task","callID":"call","state":{"status":"running","input":{"description":"d"},"metadata":{"sessionId":"c"},"time":{"start":1}}"#,
        ),
    ]
}

fn message(id: &str, tokens: &str) -> String {
    frame("message.updated", &format!(r#""info":{{"id":"{id}","role":"assistant","sessionID":"s","tokens":{tokens}}}"#))
}

fn lines_of(told: &str, name: &str) -> Vec<String> {
    told.lines().filter(|line| line.starts_with(name)).map(str::to_owned).collect()
}
