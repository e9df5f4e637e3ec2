//! Who pulls: event streams, out of the log whenever their readers want more.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value as Json, json};
use townwatch_protocol::id::AgentId;
use townwatch_protocol::limits::FRAME_BYTES_MAX;
use townwatch_town::reading::cursor::BeginRequest;
use townwatch_town::reading::pages::PageRequest;
use townwatch_town::reading::range::RangeReader;
use townwatch_town::reading::reader::Next;
use townwatch_town::reading::stream_query::EventNames;
use townwatch_town::reading::streams::Join;

use crate::pulled::{messages, note, short, town_with};
use crate::story::{Story, agent, epoch, operator, said};

#[test]
fn hello_states_history_caught_up_and_then_live_each_event_a_message() {
    let mut story = town_with(&["a", "b"]);
    story.shows(&[note("a"), ("b", "", "agent_output", said("x"))]);
    let mut reader = story.open("", BeginRequest::default());
    let turn = story.town.read_on(&mut reader, story.now).unwrap();
    assert!(turn.text.starts_with("retry: 1000\nevent: hello\ndata: {"), "in the first message: {}", turn.text);
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
    let mut reader = story.open("b", BeginRequest::default());
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
    let mut reader = story.open("a", BeginRequest::tail(153));
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
    let mut reader = story.open("", BeginRequest::default());
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
    let begun = |asked: BeginRequest| short(&story.pulls(&mut story.open("a", asked)))[2..].to_vec();
    assert_eq!(begun(BeginRequest::default()), ["gap a 1-3 x3", "note 4", "note 5", "caught_up 5"]);
    assert_eq!(begun(BeginRequest::after(2))[0], "gap a 3-3");
    assert_eq!(begun(BeginRequest::tail(5))[0], "note 4");
    let other = BeginRequest::after(5).of_epoch(Some(epoch("log-0")));
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
    assert_eq!(of_events(short(&story.pulls(&mut story.open("", BeginRequest::default())))), gaps);
    let (lines, _) = story.lines(&mut story.range("", PageRequest::default()));
    assert_eq!(of_events(lines), ["gap a 201-300", "gap b 1-100"]);
}

#[test]
fn a_sign_of_life_comes_every_ten_seconds() {
    let mut story = town_with(&["a"]);
    let mut reader = story.open("a", BeginRequest::default());
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
    let mut reader = story.open("a", BeginRequest::default());
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
    let back = BeginRequest::after(last.parse().unwrap());
    let read = story.pulls(&mut story.open("a", back));
    assert_eq!(short(&read)[2], format!("note {}", last.parse::<u64>().unwrap() + 1));
}

#[test]
fn it_ends_with_the_run_where_that_is_asked() {
    let mut story = town_with(&["a"]);
    let join = Join { agent_id: Some(agent("a")), until_exit: true, ..Join::default() };
    let mut reader = story.town.open_reader(&join, &operator(), story.now).unwrap();
    assert_eq!(story.town.read_on(&mut reader, story.now).unwrap().next, Next::Wait, "it has had no run yet");
    story.shows(&vec![note("a"); 64]);
    story.shows(&[note("a"), ("a", "", "agent.exited", json!({"reason": "completed"}))]);
    assert_eq!(story.town.read_on(&mut reader, story.now).unwrap().next, Next::Pull, "not before all of it is read");
    let turn = story.town.read_on(&mut reader, story.now).unwrap();
    assert_eq!(turn.next, Next::End);
    assert!(short(&messages(&turn.text)).contains(&"agent.exited 66".to_owned()));
}

#[test]
fn who_comes_back_past_the_end_has_nothing_to_come_for() {
    let mut story = town_with(&["a", "b"]);
    let join = |name: &str, after_id: u64| Join {
        agent_id: AgentId::parse(name),
        asked: BeginRequest::after(after_id),
        until_exit: true,
        ..Join::default()
    };
    let exited = ("a", "", "agent.exited", json!({"reason": "completed"}));
    assert!(!story.town.is_past_exit(&join("a", 0)).unwrap(), "it has had no run yet");
    story.shows(&[note("a"), note("b"), exited.clone(), note("b")]);
    for (what, join, expected) in [
        ("before the exit", join("a", 1), false),
        ("at the exit", join("a", 3), true),
        ("behind it", join("a", 4), true),
        ("beyond the head", join("a", 5), false),
        ("no agent's end, but the town's", join("", 4), false),
        ("an agent that runs", join("b", 4), false),
        ("not until the exit", Join { until_exit: false, ..join("a", 3) }, false),
        ("of another life", Join { asked: join("a", 3).asked.of_epoch(Some(epoch("log-0"))), ..join("a", 3) }, false),
    ] {
        assert_eq!(story.town.is_past_exit(&join).unwrap(), expected, "{what}");
    }
    story.shows(&[note("a")]);
    assert!(!story.town.is_past_exit(&join("a", 3)).unwrap(), "its next run");
    story.shows(&[exited]);
    assert!(!story.town.is_past_exit(&join("a", 3)).unwrap(), "which has an end of its own");
}

#[test]
fn events_without_names_are_messages_and_other_frames_are_not() {
    let mut story = town_with(&["a"]);
    story.shows(&[note("a")]);
    let join = Join { agent_id: Some(agent("a")), names: EventNames::LeftOut, ..Join::default() };
    let mut reader = story.town.open_reader(&join, &operator(), story.now).unwrap();
    assert_eq!(short(&story.pulls(&mut reader)), ["hello", "state a", "message 1", "caught_up 1"]);
    let typed = ("a", "", "my.own_type", json!({"of": "mine"}));
    story.shows(&[typed]);
    let read = story.pulls(&mut reader);
    assert_eq!(short(&read)[0], "message 2");
    assert_eq!(read[0].data["event"].as_str(), Some("my.own_type"), "its name is in it");
}

/// Numbers what it gets by `number`, and asks for the next number when it comes back.
fn counted_from(story: &mut Story, turns: u64, number: impl Fn(u64) -> u64) -> Vec<u64> {
    let mut had = Vec::new();
    for turn in 0..turns {
        let next = had.last().map_or(0, |id| number(*id) + 1);
        let asked = BeginRequest::from_event(next.try_into().unwrap());
        let read = story.pulls(&mut story.open("", asked));
        had.extend(read.iter().filter_map(|message| message.id.as_ref()).map(|id| id.parse::<u64>().unwrap()));
        let quiet = turn % 3 == 0;
        story.shows(&vec![note("a"); if quiet { 0 } else { 5 }]);
    }
    had
}

#[test]
fn who_asks_for_the_next_number_misses_nothing_and_gets_nothing_twice() {
    let mut story = town_with(&["a"]);
    let had = counted_from(&mut story, 12, |id| id);
    assert_eq!(had, (1..=had.len() as u64).collect::<Vec<_>>());
    assert_eq!(had.len(), 40 - 5, "all but what came after the last visit");
}

#[test]
fn a_state_is_told_as_it_is_at_most_every_half_second_and_only_at_the_head() {
    let mut story = town_with(&["a"]);
    let mut reader = story.open("a", BeginRequest::default());
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
    story.tick();
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
    let read = story.pulls(&mut story.open("a", BeginRequest::default()));
    let found = read.iter().find(|message| message.id.is_some()).unwrap();
    assert_eq!(found.data["data"], json!({"text": "a\rb\nc\u{2028}\u{0}", "n": [1, 2]}));
    let (lines, _) = story.lines(&mut story.range("a", PageRequest::default()));
    assert_eq!(lines, ["1"]);
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
        let mut reader = story.open("", BeginRequest::default());
        let mut range: Option<(RangeReader, u64)> = None;
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
                    match story.town.read_range(range, story.now).unwrap() {
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
            while let Some(piece) = story.town.read_range(&mut range, story.now).unwrap() {
                prop_assert!(!is_whole, "a range that has ended stays so");
                lines.extend(piece.lines().map(|line| serde_json::from_str::<Json>(line).unwrap()));
            }
            let complete = lines.pop().expect("a line that says that all is there");
            prop_assert_eq!(&complete["type"], "complete");
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
