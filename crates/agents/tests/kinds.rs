//! The tables of kinds against the recordings: what a program really printed is in them, each with what becomes of it.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)] // test helpers

mod reading;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use townwatch_agents::normalise::kinds::Handling;
use townwatch_agents::normalise::known_kinds;
use townwatch_protocol::runtime::Runtime;

/// The kinds of a recording by their place, read from its lines without the normaliser.
type Seen = BTreeSet<(&'static str, String)>;

/// The tables as a map from place and kind.
fn tables(runtime: Runtime) -> BTreeMap<(&'static str, String), Handling<()>> {
    let known = known_kinds(runtime).into_iter();
    known
        .flat_map(|table| {
            let place = table.place;
            table.kinds.into_iter().map(move |(kind, becomes)| ((place, kind.to_owned()), becomes))
        })
        .collect()
}

fn kind(value: &Value) -> String {
    value["type"].as_str().unwrap_or_default().to_owned()
}

fn blocks(content: &Value) -> impl Iterator<Item = &Value> {
    content.as_array().into_iter().flatten()
}

fn of_claude_code(line: &Value, seen: &mut Seen) {
    seen.insert(("line", kind(line)));
    match line["type"].as_str().unwrap() {
        "system" => {
            seen.insert(("system line", line["subtype"].as_str().unwrap().to_owned()));
        }
        "assistant" | "user" => {
            seen.extend(line["message"]["stop_reason"].as_str().map(|reason| ("stop reason", reason.to_owned())));
            for block in blocks(&line["message"]["content"]) {
                seen.insert(("block", kind(block)));
                seen.extend(blocks(&block["content"]).map(|inner| ("block of a result", kind(inner))));
            }
        }
        "stream_event" => {
            let event = &line["event"];
            seen.extend(event["delta"]["stop_reason"].as_str().map(|reason| ("stop reason", reason.to_owned())));
            seen.insert(("stream_event", kind(event)));
            let typed =
                [&event["content_block"], &event["delta"]].into_iter().filter(|typed| typed["type"].is_string());
            seen.extend(typed.map(|typed| ("typed block", kind(typed))));
        }
        _ => {}
    }
}

#[test]
fn no_kind_of_any_recording_of_claude_code_is_unlisted() {
    let (tables, mut all) = (tables(Runtime::ClaudeCode), Seen::new());
    for recording in reading::recordings(Runtime::ClaudeCode) {
        let bytes = recording.bytes().unwrap();
        let mut seen = Seen::new();
        for line in std::str::from_utf8(&bytes).unwrap().split('\n').filter(|line| !line.is_empty()) {
            of_claude_code(&serde_json::from_str(line).unwrap(), &mut seen);
        }
        for place in &seen {
            assert!(tables.contains_key(place), "{}: {place:?} is in no table", recording.name);
        }
        all.extend(seen);
    }
    assert!(all.len() > 30, "the recordings have many kinds: {all:?}");
}

#[test]
fn every_table_says_an_event_of_the_wire_or_a_reason() {
    for runtime in [Runtime::ClaudeCode, Runtime::Codex, Runtime::Gemini, Runtime::Opencode, Runtime::Kilo] {
        for (place, becomes) in tables(runtime) {
            match becomes {
                Handling::Event(..) | Handling::Preview(()) => {}
                Handling::Nothing(why) => assert!(why.split(' ').count() > 2, "{place:?}: {why:?} is no reason"),
            }
        }
    }
}
