//! Who pulls: event streams and ranges as lines, out of the log whenever they want more; and what is being typed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod sqlite;
mod story;

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value as Json, json};
use story::{Story, agent, epoch, run, said};
use townwatch::core::cursor::Asked;
use townwatch::core::log::Selection;
use townwatch::core::log::Wanted;
use townwatch::core::pages::PageRequest;
use townwatch::core::range::Range;
use townwatch::core::reader::{Next, Reader};
use townwatch::core::streams::Join;
use townwatch::id::{AgentId, EventName};
use townwatch::limits::FRAME_BYTES_MAX;

/// A message of an event stream.
#[derive(Debug, Clone)]
struct Message {
    id: Option<String>,
    event: String,
    data: Json,
}

/// Reads messages as the standard has it: lines of fields, an empty one at the end.
fn messages(text: &str) -> Vec<Message> {
    assert!(text.is_empty() || text.ends_with("\n\n"), "whole messages only");
    let mut read = Vec::new();
    for block in text.split("\n\n").filter(|block| !block.is_empty()) {
        let (mut id, mut event, mut data) = (None, "message".to_owned(), None);
        for line in block.split(['\n', '\r']) {
            let (field, value) = line.split_once(": ").unwrap();
            match field {
                "id" => id = Some(value.to_owned()),
                "event" => value.clone_into(&mut event),
                "data" => assert!(data.replace(value.to_owned()).is_none(), "one line of data: {block}"),
                "retry" => assert!(value.parse::<u64>().unwrap() > 0),
                other => panic!("an unknown field {other}"),
            }
        }
        if let Some(data) = data {
            read.push(Message { id, event, data: serde_json::from_str(&data).unwrap() });
        }
    }
    read
}

/// In short: `hello`, `state a`, `note 3`, `gap a 1-4 x3`, `caught_up 3`.
fn short(messages: &[Message]) -> Vec<String> {
    let words = |Message { id, event, data }: &Message| match event.as_str() {
        "state" => format!("state {}", data["agent"]["agent_id"].as_str().unwrap()),
        "gap" => {
            let count = data["count"].as_u64().map_or_else(String::new, |count| format!(" x{count}"));
            format!("gap {} {}-{}{count}", data["agent_id"].as_str().unwrap(), data["from"], data["to"])
        }
        "caught_up" => format!("caught_up {}", data["id"]),
        "preview" => format!("preview {} {}", data["message_id"].as_str().unwrap(), data["offset"]),
        name => id.as_ref().map_or_else(|| name.to_owned(), |id| format!("{name} {id}")),
    };
    messages.iter().map(words).collect()
}

fn town_with(agents: &[&str]) -> Story {
    let story = Story::new();
    for name in agents {
        story.register(name);
    }
    story
}

fn note(agent_id: &str) -> (&str, &str, &str, Json) {
    (agent_id, "", "note", json!(0))
}

impl Story {
    fn shows(&mut self, events: &[(&str, &str, &str, Json)]) {
        let outcome = self.post(events);
        self.publish(&outcome);
    }

    fn open(&self, agent_id: &str, asked: Asked) -> Reader {
        let join = Join { agent_id: AgentId::parse(agent_id), asked, ..Join::default() };
        self.town.open_reader(&join, self.now).unwrap()
    }

    /// All that is there for a reader now.
    fn pulls(&self, reader: &mut Reader) -> Vec<Message> {
        let mut all = Vec::new();
        loop {
            let turn = self.town.read_on(reader, self.now).unwrap();
            all.extend(messages(&turn.text));
            if turn.next != Next::Pull {
                return all;
            }
        }
    }

    /// What is told of an agent's typing, `(offset, text)`.
    fn types(&mut self, agent_id: &str, run_id: &str, message_id: &str, offset: u64, text: &str) -> Vec<u64> {
        let preview = json!({
            "agent_id": agent_id, "run_id": run_id, "message_id": message_id, "offset": offset, "text": text,
        });
        let effects = self.town.preview(vec![serde_json::from_value(preview).unwrap()], self.now).unwrap();
        let sent = effects.iter().filter_map(|effect| match effect {
            townwatch::core::viewers::Effect::Send(id, text) if text.contains(r#""type":"preview""#) => Some(id.0),
            _ => None,
        });
        sent.collect()
    }

    fn range(&self, agent_id: &str, request: PageRequest) -> Range {
        let selection = AgentId::parse(agent_id).map_or_else(Selection::town, Selection::agent);
        self.town.open_range(selection, request).unwrap()
    }

    /// The lines of a range, in short, and how large the largest piece was.
    fn lines(&self, range: &mut Range) -> (Vec<String>, usize) {
        let (mut lines, mut largest) = (Vec::new(), 0);
        while let Some(piece) = self.town.read_range(range).unwrap() {
            assert!(piece.ends_with('\n'));
            largest = largest.max(piece.len());
            for line in piece.lines() {
                let line: Json = serde_json::from_str(line).unwrap();
                lines.push(match line["type"].as_str() {
                    Some("gap") => {
                        format!("gap {} {}-{}", line["agent_id"].as_str().unwrap(), line["from"], line["to"])
                    }
                    Some(other) => other.to_owned(),
                    None => line["id"].to_string(),
                });
            }
        }
        (lines, largest)
    }
}

fn ids(from: u64, to: u64) -> Vec<String> {
    (from..=to).map(|id| id.to_string()).collect()
}

// ---- event streams ----

#[test]
fn hello_states_history_caught_up_and_then_live_each_event_a_message() {
    let mut story = town_with(&["a", "b"]);
    story.shows(&[note("a"), ("b", "", "agent_output", said("x"))]);
    let mut reader = story.open("", Asked::default());
    let turn = story.town.read_on(&mut reader, story.now).unwrap();
    assert!(turn.text.starts_with("retry: 1000\n\n"), "{}", turn.text);
    let read = messages(&turn.text);
    assert_eq!(short(&read), ["hello", "state a", "state b", "note 1", "agent_output 2", "caught_up 2"]);
    assert_eq!((read[0].data["type"].as_str(), read[0].data["reset"].as_bool()), (Some("hello"), Some(false)));
    assert_eq!((read[3].data["id"].as_u64(), read[3].data["event"].as_str()), (Some(1), Some("note")));
    assert_eq!(turn.next, Next::Wait);
    assert!(story.pulls(&mut reader).is_empty(), "nothing has happened");
    story.shows(&[note("b"), note("a")]);
    assert_eq!(short(&story.pulls(&mut reader))[..2], ["note 3", "note 4"]);
}

#[test]
fn one_of_an_agent_has_that_agents_events_and_states_only() {
    let mut story = town_with(&["a", "b"]);
    story.shows(&[note("a"), note("b")]);
    let mut reader = story.open("b", Asked::default());
    assert_eq!(short(&story.pulls(&mut reader)), ["hello", "state b", "note 2", "caught_up 2"]);
    story.pass(1_000);
    story.shows(&[("a", "", "agent.status", json!({"status": "waiting"}))]);
    assert!(story.pulls(&mut reader).is_empty());
    story.shows(&[("b", "", "agent.status", json!({"status": "waiting"}))]);
    assert_eq!(short(&story.pulls(&mut reader)), ["agent.status 4", "state b"]);
}

#[test]
fn a_turn_is_small_however_much_there_is() {
    let mut story = town_with(&["a"]);
    story.shows(&vec![note("a"); 150]);
    let large = ("a", "", "note", json!("x".repeat(40 << 10)));
    story.shows(&[large.clone(), large.clone(), large]);
    let mut reader = story.open("a", Asked { tail: Some(153), ..Asked::default() });
    let mut sizes = Vec::new();
    loop {
        let turn = story.town.read_on(&mut reader, story.now).unwrap();
        let events = messages(&turn.text).iter().filter(|message| message.id.is_some()).count();
        assert!(turn.text.len() < FRAME_BYTES_MAX + 8_000, "{} bytes", turn.text.len());
        sizes.push(events);
        if turn.next == Next::Wait {
            break;
        }
    }
    assert_eq!(sizes, [64, 64, 23, 1, 1], "64 events or 64 KiB");
}

#[test]
fn a_slow_reader_loses_nothing_that_is_retained_and_is_told_what_is_not() {
    let mut story = Story::capped(100);
    for name in ["a", "b"] {
        story.register(name);
    }
    let mut reader = story.open("", Asked::default());
    story.pulls(&mut reader);
    story.shows(&[note("b"), note("a")]);
    story.shows(&vec![note("a"); 98]);
    assert_eq!(story.pulls(&mut reader).iter().filter(|message| message.id.is_some()).count(), 100);
    for _ in 0..2 {
        story.shows(&vec![note("a"); 90]);
    }
    story.shows(&[note("b")]);
    let read = short(&story.pulls(&mut reader));
    assert_eq!(read[..2], ["gap a 101-180", "note 181"]);
    let expected: Vec<String> = (181..=281).map(|id| format!("note {id}")).collect();
    assert_eq!(read[1..102], expected);
    story.shows(&[note("b")]);
    assert_eq!(short(&story.pulls(&mut reader))[0], "note 282", "told once");
}

#[test]
fn what_is_pruned_before_it_begins_is_told_and_before_a_tail_is_not() {
    let mut story = Story::capped(2);
    story.register("a");
    story.shows(&vec![note("a"); 5]);
    let begun = |asked: Asked| short(&story.pulls(&mut story.open("a", asked)))[2..].to_vec();
    assert_eq!(begun(Asked::default()), ["gap a 1-3 x3", "note 4", "note 5", "caught_up 5"]);
    assert_eq!(begun(Asked { after_id: Some(2), ..Asked::default() })[0], "gap a 3-3");
    assert_eq!(begun(Asked { tail: Some(5), ..Asked::default() })[0], "note 4");
    let other = Asked { epoch: Some(epoch("log-0")), after_id: Some(5), ..Asked::default() };
    let read = story.pulls(&mut story.open("a", other));
    assert_eq!((read[0].data["reset"].as_bool(), &*short(&read)[3]), (Some(true), "note 4"));
}

#[test]
fn a_gap_is_told_once_however_many_turns_the_history_before_it_takes() {
    let mut story = Story::capped(100);
    for name in ["a", "b"] {
        story.register(name);
    }
    story.notes("b", 200);
    story.notes("a", 200);
    let gaps = ["gap a 201-300 x100", "gap b 1-100 x100"];
    let of_events = |told: Vec<String>| told.into_iter().filter(|told| told.starts_with("gap")).collect::<Vec<_>>();
    assert_eq!(of_events(short(&story.pulls(&mut story.open("", Asked::default())))), gaps);
    let (lines, _) = story.lines(&mut story.range("", PageRequest::default()));
    assert_eq!(of_events(lines), ["gap a 201-300", "gap b 1-100"]);
}

#[test]
fn a_sign_of_life_comes_every_ten_seconds() {
    let mut story = town_with(&["a"]);
    let mut reader = story.open("a", Asked::default());
    story.pulls(&mut reader);
    assert_eq!(reader.due_at(), story.now.plus_millis(10_000));
    story.shows(&[note("a")]);
    story.pulls(&mut reader);
    story.pass(9_999);
    assert!(story.pulls(&mut reader).is_empty());
    story.pass(1);
    let read = story.pulls(&mut reader);
    assert_eq!(short(&read), ["heartbeat"]);
    assert_eq!(read[0].data, json!({"type": "heartbeat", "at": story.now, "id": 1}));
    assert_eq!(reader.due_at(), story.now.plus_millis(10_000));
}

#[test]
fn its_life_is_15_minutes_and_its_reader_goes_on_where_it_was() {
    let mut story = town_with(&["a"]);
    let mut reader = story.open("a", Asked::default());
    story.shows(&vec![note("a"); 100]);
    let turn = story.town.read_on(&mut reader, story.now).unwrap();
    assert_eq!(turn.next, Next::Pull);
    let last = messages(&turn.text).last().unwrap().id.clone().unwrap();
    for _ in 0..89 {
        story.pass(10_000);
        assert_ne!(story.town.read_on(&mut reader, story.now).unwrap().next, Next::End);
    }
    story.pass(9_999);
    assert_eq!(reader.due_at(), story.now.plus_millis(1));
    story.pass(1);
    assert_eq!(story.town.read_on(&mut reader, story.now).unwrap().next, Next::End);
    let back = Asked { after_id: Some(last.parse().unwrap()), ..Asked::default() };
    let read = story.pulls(&mut story.open("a", back));
    assert_eq!(short(&read)[2], format!("note {}", last.parse::<u64>().unwrap() + 1));
}

#[test]
fn it_ends_with_the_run_where_that_is_asked() {
    let mut story = town_with(&["a"]);
    let join = Join { agent_id: Some(agent("a")), until_exit: true, ..Join::default() };
    let mut reader = story.town.open_reader(&join, story.now).unwrap();
    assert_eq!(story.town.read_on(&mut reader, story.now).unwrap().next, Next::Wait, "it has had no run yet");
    story.shows(&vec![note("a"); 64]);
    story.shows(&[note("a"), ("a", "", "agent.exited", json!({"reason": "completed"}))]);
    assert_eq!(story.town.read_on(&mut reader, story.now).unwrap().next, Next::Pull, "not before all of it is read");
    let turn = story.town.read_on(&mut reader, story.now).unwrap();
    assert_eq!(turn.next, Next::End);
    assert!(short(&messages(&turn.text)).contains(&"agent.exited 66".to_owned()));
}

#[test]
fn a_state_is_told_as_it_is_at_most_every_half_second_and_only_at_the_head() {
    let mut story = town_with(&["a"]);
    let mut reader = story.open("a", Asked::default());
    let call = |number: u64| {
        let data =
            json!({"tool_use_id": number.to_string(), "tool": "Read", "category": "Read", "input": {}, "summary": "s"});
        ("a", "", "agent_tool_call", data)
    };
    story.shows(&[vec![call(1)], vec![note("a"); 70]].concat());
    let turn = story.town.read_on(&mut reader, story.now).unwrap();
    let first = short(&messages(&turn.text));
    assert_eq!((&*first[1], first.last().map(|told| &**told)), ("state a", Some("note 64")), "{first:?}");
    assert_eq!(short(&story.pulls(&mut reader)).last().unwrap(), "state a");
    story.pass(499);
    story.shows(&[call(2)]);
    assert_eq!(short(&story.pulls(&mut reader)), ["agent_tool_call 72"]);
    story.pass(1);
    story.town.tick(story.now).unwrap();
    let read = story.pulls(&mut reader);
    assert_eq!(short(&read), ["state a"]);
    assert_eq!(read[0].data["agent"], story.state("a"));
    assert!(story.pulls(&mut reader).is_empty(), "told once");
    // Who was away for several changes is told the last.
    for number in 3..6 {
        story.pass(500);
        story.shows(&[call(number)]);
    }
    let told: Vec<String> = short(&story.pulls(&mut reader)).into_iter().filter(|told| told == "state a").collect();
    assert_eq!(told.len(), 1);
}

#[test]
fn line_breaks_between_the_parts_of_a_value_do_not_break_a_message_or_a_line() {
    let mut story = town_with(&["a"]);
    story.shows(&[("a", "", "note", json!({"text": "a\rb\nc\u{2028}\u{0}", "n": [1, 2]}))]);
    // As posted: JSON with line breaks where they are allowed.
    story.store_frame(1, "\"n\":[1,2]", "\"n\":\r\n[1,\n\n2\r]");
    let read = story.pulls(&mut story.open("a", Asked::default()));
    let found = read.iter().find(|message| message.id.is_some()).unwrap();
    assert_eq!(found.data["data"], json!({"text": "a\rb\nc\u{2028}\u{0}", "n": [1, 2]}));
    let (lines, _) = story.lines(&mut story.range("a", PageRequest::default()));
    assert_eq!(lines, ["1"]);
}

impl Story {
    fn store_frame(&self, id: u64, what: &str, with: &str) {
        use townwatch::core::store::Store;
        let sql = "UPDATE agent_events SET frame = replace(frame, ?, ?) WHERE id = ?";
        self.store.query(sql, &[what.into(), with.into(), id.into()]).unwrap();
        assert!(self.texts("SELECT frame FROM agent_events WHERE id = 1")[0].contains(with));
    }
}

// ---- ranges ----

fn after(id: u64) -> Asked {
    Asked { after_id: Some(id), ..Asked::default() }
}

#[test]
fn a_range_is_all_from_where_it_begins_up_to_the_head_of_its_opening() {
    let mut story = town_with(&["a", "b"]);
    story.notes("a", 300);
    story.notes("b", 300);
    let mut whole = story.range("", PageRequest::default());
    story.notes("a", 50);
    let (lines, largest) = story.lines(&mut whole);
    assert_eq!(lines, ids(1, 600), "what came after it was opened is for another");
    assert!(largest <= FRAME_BYTES_MAX, "{largest}");
    let of = |name: &str, request: PageRequest| story.lines(&mut story.range(name, request)).0;
    assert_eq!(of("b", PageRequest::default()), ids(301, 600));
    assert_eq!(of("", PageRequest { asked: after(590), ..PageRequest::default() }), ids(591, 650));
    assert_eq!(of("", PageRequest { before_id: Some(5), ..PageRequest::default() }), ids(1, 4));
    assert_eq!(of("", PageRequest { before_id: Some(1), ..PageRequest::default() }), ids(1, 0));
    let tail = Asked { tail: Some(70), ..Asked::default() };
    assert_eq!(of("", PageRequest { asked: tail, ..PageRequest::default() }), ids(581, 650));
    let limited = PageRequest { asked: after(100), limit: Some(130), ..PageRequest::default() };
    assert_eq!(of("", limited), ids(101, 230));
    assert_eq!(of("", PageRequest { asked: after(650), ..PageRequest::default() }), ids(1, 0));
    let other = Asked { epoch: Some(epoch("log-0")), ..after(5) };
    assert_eq!(of("", PageRequest { asked: other, ..PageRequest::default() })[..2], ["hello", "1"]);
    assert!(
        story
            .town
            .open_range(
                Selection::town(),
                PageRequest { asked: after(1), before_id: Some(9), ..PageRequest::default() }
            )
            .is_err()
    );
}

#[test]
fn a_range_keeps_to_its_run_and_its_kinds() {
    let mut story = town_with(&["a"]);
    let end = ("a", "", "agent.exited", json!({"reason": "completed"}));
    story.post(&[note("a"), ("a", "", "remark", json!(1)), end, note("a"), ("a", "", "remark", json!(1))]);
    let runs: Vec<String> = story.log().into_iter().map(|(_, _, run, _)| run).collect();
    let of = |wanted: Wanted| story.lines(&mut story.range("a", PageRequest { wanted, ..PageRequest::default() })).0;
    assert_eq!(of(Wanted { run_id: Some(run(&runs[3])), ..Wanted::default() }), ["4", "5"]);
    let events = ["remark", "agent.exited"].map(|name| EventName::parse(name).unwrap()).to_vec();
    assert_eq!(of(Wanted { events, ..Wanted::default() }), ["2", "3", "5"]);
}

#[test]
fn what_is_pruned_before_or_during_the_reading_of_a_range_is_told_in_its_place() {
    let mut story = Story::capped(100);
    for name in ["a", "b"] {
        story.register(name);
    }
    story.notes("a", 110);
    story.notes("b", 80);
    let mut range = story.range("", PageRequest::default());
    let first = story.town.read_range(&mut range).unwrap().unwrap();
    assert_eq!(first.lines().count(), 65, "a gap and 64 events");
    // Ids 11 to 74 are read; the next 120 of b prune its first 100, of which 80 are in the range.
    story.notes("b", 120);
    let (lines, _) = story.lines(&mut range);
    assert_eq!(lines[0], "gap b 111-210");
    assert_eq!(lines[1..], ids(75, 110));
    let tail = Asked { tail: Some(500), ..Asked::default() };
    let (lines, _) = story.lines(&mut story.range("", PageRequest { asked: tail, ..PageRequest::default() }));
    assert_eq!(lines[0], "11", "who asks for a tail misses nothing");
}

#[test]
fn large_events_are_read_a_few_at_a_time() {
    let mut story = town_with(&["a"]);
    story.post(&vec![("a", "", "note", json!("é".repeat(20 << 10))); 30]);
    let (lines, largest) = story.lines(&mut story.range("a", PageRequest::default()));
    assert_eq!(lines, ids(1, 30));
    assert!(largest <= FRAME_BYTES_MAX, "{largest}");
}

// ---- previews ----

#[test]
fn typing_is_shown_to_those_at_the_head_who_want_it() {
    let mut story = town_with(&["a", "b"]);
    story.begin("a", "run-1");
    story.relay(&[("a", "run-1", "note", json!(0))]);
    let [of_a, of_b, town, silent] = ["a", "b", "", "a"].map(|name| story.join(name, Asked::default()).0);
    let filtered = json!({"type": "subscribe", "agents": ["a"], "filters": {"output": false}});
    story.town.hear(silent, &filtered.to_string(), story.now);
    let mut reader = story.open("a", Asked::default());
    let mut other = story.open("b", Asked::default());
    let mut slow = story.open("a", Asked::default());
    for reader in [&mut reader, &mut other] {
        story.pulls(reader);
    }
    assert_eq!(story.types("a", "run-1", "m1", 0, "Hel"), [of_a.0, town.0]);
    assert_eq!(story.types("a", "run-1", "m1", 3, "lo"), [of_a.0, town.0]);
    assert_ne!(of_b, town);
    let read = story.pulls(&mut reader);
    assert_eq!(short(&read), ["preview m1 0", "preview m1 3"]);
    let expected = json!({
        "type": "preview", "agent_id": "a", "run_id": "run-1", "message_id": "m1", "offset": 3, "text": "lo",
    });
    assert_eq!((&read[1].data, &read[1].id), (&expected, &None), "it is nothing that a reader could come back to");
    assert!(story.pulls(&mut reader).is_empty(), "shown once");
    assert!(story.pulls(&mut other).is_empty());
    let first = short(&story.pulls(&mut slow));
    assert!(
        first.iter().position(|told| told.starts_with("caught_up"))
            < first.iter().position(|told| told.starts_with("preview"))
    );
}

#[test]
fn nothing_is_typed_after_its_message_after_the_end_or_of_a_run_that_is_not_open() {
    let mut story = town_with(&["a"]);
    story.begin("a", "run-1");
    story.relay(&[("a", "run-1", "note", json!(0))]);
    let id = story.join("a", Asked::default()).0;
    let mut reader = story.open("a", Asked::default());
    story.pulls(&mut reader);
    assert_eq!(story.types("a", "run-1", "m1", 0, "Hel"), [id.0]);
    let outcome = story.relay(&[("a", "run-1", "agent_output", said("Hello"))]);
    story.publish(&outcome);
    assert_eq!(short(&story.pulls(&mut reader))[0], "agent_output 3");
    assert!(
        !short(&story.pulls(&mut reader)).iter().any(|told| told.starts_with("preview")),
        "it is behind its message"
    );
    assert_eq!(story.types("a", "run-0", "m2", 0, "x"), [0_u64; 0]);
    assert_eq!(story.types("b", "run-1", "m2", 0, "x"), [0_u64; 0]);
    assert_eq!(story.types("a", "run-1", "m2", 0, "y"), [id.0]);
    let outcome = story.relay(&[("a", "run-1", "agent.exited", json!({"reason": "completed"}))]);
    story.publish(&outcome);
    assert_eq!(story.types("a", "run-1", "m2", 1, "z"), [0_u64; 0]);
    assert!(!short(&story.pulls(&mut reader)).iter().any(|told| told.starts_with("preview")));
}

#[test]
fn who_is_behind_is_shown_no_typing() {
    let mut story = Story::with(townwatch::core::town::Config::default());
    story.register("a");
    story.begin("a", "run-1");
    let live = story.join("a", Asked::default()).0;
    let outcome = story.relay(&[("a", "run-1", "note", json!(0))]);
    story.publish(&outcome);
    assert_eq!(story.types("a", "run-1", "m1", 0, "x"), [live.0]);
    story.pass(1);
    let outcome = story.relay(&[("a", "run-1", "note", json!(0))]);
    story.publish(&outcome);
    assert_eq!(story.types("a", "run-1", "m1", 1, "x"), [0_u64; 0], "an event is held back by the pace");
    story.pass(20);
    story.town.tick(story.now).unwrap();
    assert_eq!(story.types("a", "run-1", "m1", 2, "x"), [live.0]);
    // An acknowledging viewer that owes its window, and a metered one whose history waits.
    let calls: Vec<_> = (0..500).map(|_| ("a", "run-1", "note", json!("x".repeat(4_000)))).collect();
    for _ in 0..3 {
        story.relay(&calls);
    }
    story.town.leave(live);
    let behind = [true, false]
        .map(|acknowledges| story.join_with(&Join { agent_id: Some(agent("a")), acknowledges, ..Join::default() }).0);
    assert_eq!(story.types("a", "run-1", "m2", 0, "x"), [0_u64; 0]);
    assert_eq!(story.town.viewer_count(), behind.len());
}

#[test]
fn typing_is_the_first_to_be_left_out() {
    let mut story = town_with(&["a"]);
    story.begin("a", "run-1");
    story.relay(&[("a", "run-1", "note", json!(0))]);
    let silent = story.join("a", Asked::default()).0;
    let acks = story.join_with(&Join { agent_id: Some(agent("a")), acknowledges: true, ..Join::default() }).0;
    let text = "x".repeat(10 << 10);
    let mut shown = [0, 0];
    for _ in 0..400 {
        let sent = story.types("a", "run-1", "m1", 0, &text);
        shown[0] += usize::from(sent.contains(&silent.0));
        shown[1] += usize::from(sent.contains(&acks.0));
    }
    assert!((240..=256).contains(&shown[0]), "half of a bucket of 5 MiB: {shown:?}");
    assert!((11..=13).contains(&shown[1]), "128 KiB between two acknowledgements: {shown:?}");
    story.town.hear(acks, r#"{"type":"ack","id":1}"#, story.now);
    story.pass(1_000);
    assert_eq!(
        story.types("a", "run-1", "m1", 0, &text).len(),
        2,
        "room again, by the clock and by the acknowledgement"
    );
    // The rest of the bucket is for events.
    let outcome = story.relay(&vec![("a", "run-1", "agent_output", said(&"x".repeat(40 << 10))); 40]);
    let effects = story.publish(&outcome);
    assert!(!story::told(&effects, silent).iter().any(|told| told.starts_with("gap")));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Readers that pull whenever they like, of a log that is pruned meanwhile: what they have and what they are told to
    /// miss is the log; ids rise; what a gap names beside it is nothing that is still there to be read.
    #[test]
    fn whoever_pulls_has_everything_that_it_is_not_told_to_miss(
        cap in 3_u64..200,
        steps in prop::collection::vec((0_usize..2, 1_usize..120, 0_usize..4, any::<bool>()), 1..40),
    ) {
        let mut story = Story::capped(cap);
        for name in ["a", "b"] {
            story.register(name);
        }
        let mut reader = story.open("", Asked::default());
        let mut range: Option<(Range, u64)> = None;
        let (mut read, mut lines, mut posted) = (Vec::new(), Vec::new(), Vec::new());
        let mut is_whole = false;
        for (of, count, pulls, begins) in steps {
            let of = ["a", "b"][of];
            story.shows(&vec![note(of); count]);
            posted.extend(vec![of; count]);
            if begins && range.is_none() {
                range = Some((story.range("", PageRequest::default()), posted.len() as u64));
            }
            for _ in 0..pulls {
                read.extend(messages(&story.town.read_on(&mut reader, story.now).unwrap().text));
                if let Some((range, _)) = &mut range {
                    match story.town.read_range(range).unwrap() {
                        Some(piece) => lines.extend(piece.lines().map(|line| serde_json::from_str::<Json>(line).unwrap())),
                        None => is_whole = true,
                    }
                }
            }
        }
        read.extend(story.pulls(&mut reader));
        let read: Vec<Json> = read.into_iter().filter(|read| read.id.is_some() || read.event == "gap").map(|read| read.data).collect();
        accounts(&read, &posted, posted.len() as u64);
        if let Some((mut range, end)) = range {
            while let Some(piece) = story.town.read_range(&mut range).unwrap() {
                prop_assert!(!is_whole, "a range that has ended stays so");
                lines.extend(piece.lines().map(|line| serde_json::from_str::<Json>(line).unwrap()));
            }
            accounts(&lines, &posted, end);
        }
    }
}

/// Events and gaps that together have to be the log up to `end`. `posted` says whose each event is.
fn accounts(read: &[Json], posted: &[&str], end: u64) {
    let (mut received, mut missing) = (BTreeSet::new(), BTreeSet::new());
    let mut last = 0;
    for one in read {
        if one["type"] == "gap" {
            let of = one["agent_id"].as_str().unwrap();
            let (from, to) = (one["from"].as_u64().unwrap(), one["to"].as_u64().unwrap());
            assert_eq!(one["reason"], "pruned");
            let its = (from..=to).filter(|id| posted[usize::try_from(*id).unwrap() - 1] == of);
            let its: Vec<u64> = its.collect();
            assert!(its.iter().all(|id| !received.contains(id)), "{one} names what was sent");
            missing.extend(its);
        } else {
            let id = one["id"].as_u64().unwrap();
            assert!(id > last && id <= end, "{id} after {last}, up to {end}");
            assert!(!missing.contains(&id), "{id} was told to be missing");
            last = id;
            received.insert(id);
        }
    }
    let missing = missing.into_iter().filter(|id| *id <= end);
    assert_eq!(received.into_iter().chain(missing).collect::<BTreeSet<u64>>(), (1..=end).collect());
}
