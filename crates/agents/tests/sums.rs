//! What a recording's tokens come to after each of its lines, against sums that share no code with the parser.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)] // test helpers

use std::collections::BTreeMap;

use serde_json::Value;
use townwatch_agents::normalise::normaliser_of;
use townwatch_agents::recordings::RECORDINGS;
use townwatch_protocol::event::EventData;
use townwatch_protocol::runtime::Runtime;
use townwatch_protocol::time::Timestamp;

/// Input without the cache, output, read from the cache, written to it.
type Figures = [u64; 4];

/// What is counted, by message; a program that tells totals has one, which is replaced.
#[derive(Default)]
struct Sum(BTreeMap<String, (Figures, Option<String>)>);

impl Sum {
    fn total(&self) -> Figures {
        self.0.values().fold([0; 4], |sum, (figures, _)| std::array::from_fn(|index| sum[index] + figures[index]))
    }

    fn of_sub_agents(&self) -> usize {
        self.0.values().filter(|(_, author)| author.is_some()).count()
    }
}

/// The sum as viewers have it: of a message the last figures count, and a total replaces all.
fn seen(sum: &mut Sum, event: &EventData) {
    let EventData::Usage(usage) = event else { return };
    let cached = (usage.cache_read_input_tokens.unwrap_or(0), usage.cache_creation_input_tokens.unwrap_or(0));
    let figures = [usage.input_tokens, usage.output_tokens, cached.0, cached.1];
    let name = if usage.cumulative { String::new() } else { usage.message_id.clone() };
    sum.0.insert(name, (figures, usage.parent_tool_use_id.clone()));
}

/// The same from the raw line.
fn told(sum: &mut Sum, runtime: Runtime, main: &mut Option<String>, line: &Value) {
    let number = |value: &Value| value.as_u64().unwrap_or(0);
    let (name, figures, author) = match runtime {
        Runtime::Codex if line["type"] == "turn.completed" => {
            let usage = &line["usage"];
            let (read, created) = (number(&usage["cached_input_tokens"]), number(&usage["cache_write_input_tokens"]));
            let input = number(&usage["input_tokens"]) - read - created;
            (String::new(), [input, number(&usage["output_tokens"]), read, created], None)
        }
        Runtime::Gemini if line["type"] == "result" => {
            let stats = &line["stats"];
            let read = number(&stats["cached"]);
            (String::new(), [number(&stats["input_tokens"]) - read, number(&stats["output_tokens"]), read, 0], None)
        }
        Runtime::Opencode | Runtime::Kilo => {
            let info = &line["properties"]["info"];
            if line["type"] == "session.created" && main.is_none() {
                *main = info["id"].as_str().map(str::to_owned);
            }
            if line["type"] != "message.updated" || info["role"] != "assistant" {
                return;
            }
            let tokens = &info["tokens"];
            let output = number(&tokens["output"]) + number(&tokens["reasoning"]);
            let cache = (number(&tokens["cache"]["read"]), number(&tokens["cache"]["write"]));
            let author = info["sessionID"].as_str().filter(|id| Some(*id) != main.as_deref()).map(str::to_owned);
            (info["id"].as_str().unwrap().to_owned(), [number(&tokens["input"]), output, cache.0, cache.1], author)
        }
        _ => return,
    };
    if figures != [0; 4] || name.is_empty() {
        sum.0.insert(name, (figures, author));
    }
}

#[test]
fn sums_are_right_after_each_line_of_each_recording() {
    let mut compared = 0;
    for recording in RECORDINGS.iter().filter(|recording| recording.runtime != Runtime::ClaudeCode) {
        let mut normaliser = normaliser_of(recording.runtime, recording.context());
        let (mut by_events, mut by_lines, mut main) = (Sum::default(), Sum::default(), None);
        let bytes = recording.bytes().unwrap();
        for (number, line) in std::str::from_utf8(&bytes).unwrap().split('\n').enumerate() {
            let Ok(raw) = serde_json::from_str::<Value>(line) else { continue };
            told(&mut by_lines, recording.runtime, &mut main, &raw);
            let at = Timestamp::from_millis(i64::try_from(number).unwrap());
            normaliser.line(line, at).events.iter().for_each(|event| seen(&mut by_events, event));
            let both = (by_events.total(), by_events.of_sub_agents());
            assert_eq!(both, (by_lines.total(), by_lines.of_sub_agents()), "{}, line {number}", recording.name);
            compared += 1;
        }
        assert!(
            recording.exit_code != 0
                || recording.name.contains("abort")
                || recording.name.contains("err")
                || by_lines.total() != [0; 4],
            "{}",
            recording.name
        );
    }
    assert!(compared > 5_000, "{compared}");
}
