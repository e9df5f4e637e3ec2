//! The tables of kinds of Codex, Gemini CLI, OpenCode and Kilo, against everything that was recorded of them.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)] // test helpers

use std::collections::BTreeSet;

use serde_json::Value;
use townwatch_agents::normalise::kinds::Handling;
use townwatch_agents::normalise::known_kinds;
use townwatch_agents::recordings::RECORDINGS;
use townwatch_protocol::runtime::Runtime;

/// The kinds of a recording by the place where they stand, read without the parser.
fn recorded(runtime: Runtime) -> BTreeSet<(&'static str, String)> {
    let mut kinds = BTreeSet::new();
    for recording in RECORDINGS.iter().filter(|recording| recording.runtime == runtime) {
        let bytes = recording.bytes().unwrap();
        for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let line: Value = serde_json::from_slice(line).unwrap();
            let mut add = |place, kind: &Value| {
                if let Some(kind) = kind.as_str() {
                    kinds.insert((place, kind.to_owned()));
                }
            };
            match runtime {
                Runtime::Codex => {
                    add("line", &line["type"]);
                    add("item", &line["item"]["type"]);
                }
                Runtime::Gemini => {
                    add("line", &line["type"]);
                    add("role of a message", &line["role"]);
                }
                _ => {
                    add("frame", &line["type"]);
                    add("part", &line["properties"]["part"]["type"]);
                }
            }
        }
    }
    kinds
}

#[test]
fn no_kind_of_any_recording_is_unlisted() {
    for (runtime, at_least) in
        [(Runtime::Codex, 11), (Runtime::Gemini, 7), (Runtime::Opencode, 25), (Runtime::Kilo, 20)]
    {
        let known = known_kinds(runtime);
        let recorded = recorded(runtime);
        assert!(recorded.len() >= at_least, "{}: {recorded:?}", runtime.as_str());
        for (place, kind) in recorded {
            let table = known.iter().find(|table| table.place == place).unwrap();
            assert!(table.kinds.iter().any(|(known, _)| *known == kind), "{}: {place} {kind}", runtime.as_str());
        }
    }
}

#[test]
fn each_kind_is_listed_once_and_says_what_becomes_of_it() {
    for runtime in [Runtime::Codex, Runtime::Gemini, Runtime::Opencode, Runtime::Kilo] {
        for table in known_kinds(runtime) {
            let mut names = BTreeSet::new();
            for (kind, becomes) in table.kinds {
                assert!(names.insert(kind), "{}: {} {kind} stands twice", runtime.as_str(), table.place);
                match becomes {
                    Handling::Event(..) | Handling::Preview(()) => {}
                    Handling::Nothing(why) => assert!(why.len() > 10, "{kind}: {why}"),
                }
            }
        }
    }
}
