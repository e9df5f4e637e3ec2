//! What messages and runs took, after every line of every recording, against a reading of the raw lines that shares no
//! code with the normaliser: so the sums are right wherever a run is killed.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)] // test helpers

mod reading;

use std::collections::BTreeMap;

use serde_json::Value;
use townwatch_agents::normalise::{ClaudeCode, Normalise, RunContext};
use townwatch_protocol::event::EventData;
use townwatch_protocol::runtime::Runtime;
use townwatch_protocol::time::Timestamp;

/// Tokens read, written, read from the cache and written to it.
type Tokens = [u64; 4];

/// What is said of usage so far: of each message, and of the whole run at the last turn's end.
#[derive(Debug, Default, PartialEq)]
struct Sums {
    messages: BTreeMap<String, Tokens>,
    run: Option<Tokens>,
}

fn tokens(usage: &Value, names: [&str; 4]) -> Tokens {
    names.map(|name| usage[name].as_u64().unwrap_or(0))
}

/// The raw lines, one after the other.
#[derive(Default)]
struct Oracle {
    sums: Sums,
    typed: BTreeMap<String, String>,
}

impl Oracle {
    fn message(&mut self, id: &str, usage: &Value) {
        let names = ["input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"];
        let now = tokens(usage, names);
        if now.iter().any(|tokens| *tokens > 0) {
            let known = self.sums.messages.entry(id.to_owned()).or_default();
            known.iter_mut().zip(now).for_each(|(known, now)| *known = now.max(*known));
        }
    }

    fn line(&mut self, line: &Value) {
        let author = line["parent_tool_use_id"].as_str().unwrap_or_default().to_owned();
        let event = &line["event"];
        match (line["type"].as_str().unwrap(), event["type"].as_str()) {
            ("assistant", _) if line["is_api_error_message"] != true => {
                self.message(line["message"]["id"].as_str().unwrap(), &line["message"]["usage"]);
            }
            ("stream_event", Some("message_start")) => {
                let id = event["message"]["id"].as_str().unwrap();
                self.typed.insert(author, id.to_owned());
                self.message(id, &event["message"]["usage"]);
            }
            ("stream_event", Some("message_delta")) => {
                let id = self.typed[&author].clone();
                self.message(&id, &event["usage"]);
            }
            ("result", _) => {
                let names = ["inputTokens", "outputTokens", "cacheReadInputTokens", "cacheCreationInputTokens"];
                let models = line["modelUsage"].as_object().into_iter().flat_map(|models| models.values());
                let sum = models.map(|model| tokens(model, names)).fold(Tokens::default(), |mut sum, model| {
                    sum.iter_mut().zip(model).for_each(|(sum, tokens)| *sum += tokens);
                    sum
                });
                self.sums.run = Some(sum);
            }
            _ => {}
        }
    }
}

fn take(told: &mut Sums, event: &EventData) {
    let EventData::Usage(usage) = event else { return };
    let now = [
        usage.input_tokens,
        usage.output_tokens,
        usage.cache_read_input_tokens.unwrap_or(0),
        usage.cache_creation_input_tokens.unwrap_or(0),
    ];
    if usage.cumulative {
        told.run = Some(now);
    } else {
        let before = told.messages.insert(usage.message_id.clone(), now);
        assert_ne!(before, Some(now), "{} was told before", usage.message_id);
    }
}

#[test]
fn sums_are_right_after_every_line_of_every_recording() {
    let mut messages = 0;
    for recording in reading::recordings(Runtime::ClaudeCode) {
        let (mut oracle, mut told) = (Oracle::default(), Sums::default());
        let mut normaliser = ClaudeCode::new(RunContext::default());
        let bytes = recording.bytes().unwrap();
        for (number, line) in std::str::from_utf8(&bytes).unwrap().split('\n').enumerate() {
            for event in normaliser.line(line, Timestamp::from_millis(0)).events {
                take(&mut told, &event);
            }
            if !line.is_empty() {
                oracle.line(&serde_json::from_str(line).unwrap());
            }
            // A turn that took nothing has no total to tell.
            let none = oracle.sums.run == Some(Tokens::default()) && told.run.is_none();
            assert!(oracle.sums == told || none, "{}, line {}: {:?} {told:?}", recording.name, number + 1, oracle.sums);
        }
        messages += told.messages.len();
    }
    assert!(messages > 100, "{messages}");
}
