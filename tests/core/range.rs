//! A range of the log as lines: what it has, where it ends, and what it tells to be missing.

use serde_json::json;
use townwatch_protocol::id::EventName;
use townwatch_protocol::limits::FRAME_BYTES_MAX;
use townwatch_town::log::PageFilter;
use townwatch_town::reading::cursor::BeginRequest;
use townwatch_town::reading::pages::PageRequest;

use crate::pulled::{ids, note, town_with};
use crate::story::{Story, epoch, run};

fn after(id: u64) -> BeginRequest {
    BeginRequest::after(id)
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
    assert_eq!(of("", PageRequest { asked: BeginRequest::before(5), ..PageRequest::default() }), ids(1, 4));
    assert_eq!(of("", PageRequest { asked: BeginRequest::before(1), ..PageRequest::default() }), ids(1, 0));
    let tail = BeginRequest::tail(70);
    assert_eq!(of("", PageRequest { asked: tail, ..PageRequest::default() }), ids(581, 650));
    let limited = PageRequest { asked: after(100), limit: Some(130), ..PageRequest::default() };
    assert_eq!(of("", limited), ids(101, 230));
    assert_eq!(of("", PageRequest { asked: after(650), ..PageRequest::default() }), ids(1, 0));
    let other = after(5).of_epoch(Some(epoch("log-0")));
    assert_eq!(of("", PageRequest { asked: other, ..PageRequest::default() })[..2], ["hello", "1"]);
}

#[test]
fn the_last_line_says_that_the_range_is_whole_and_where_to_go_on() {
    let mut story = town_with(&["a"]);
    story.notes("a", 300);
    let last = |request: PageRequest| {
        let mut range = story.range("", request);
        let mut pieces: Vec<String> =
            std::iter::from_fn(|| story.town.read_range(&mut range, story.now).unwrap()).collect();
        assert_eq!(story.town.read_range(&mut range, story.now).unwrap(), None);
        let last = pieces.pop().unwrap();
        assert_eq!(last.lines().count(), 1, "a line of its own, which only a whole range is followed by");
        assert!(!pieces.concat().contains("complete"));
        last
    };
    let line =
        |next_after_id: u64| format!("{{\"type\":\"complete\",\"next_after_id\":{next_after_id},\"head\":300}}\n");
    assert_eq!(last(PageRequest::default()), line(300));
    assert_eq!(last(PageRequest { asked: after(300), ..PageRequest::default() }), line(300));
    assert_eq!(last(PageRequest { asked: after(10), limit: Some(130), ..PageRequest::default() }), line(140));
    assert_eq!(last(PageRequest { asked: BeginRequest::before(5), ..PageRequest::default() }), line(4));
    assert_eq!(last(PageRequest { asked: BeginRequest::before(1), ..PageRequest::default() }), line(0));
}

#[test]
fn a_range_keeps_to_its_run_and_its_kinds() {
    let mut story = town_with(&["a"]);
    let end = ("a", "", "agent.exited", json!({"reason": "completed"}));
    story.post(&[note("a"), ("a", "", "remark", json!(1)), end, note("a"), ("a", "", "remark", json!(1))]);
    let runs: Vec<String> = story.log().into_iter().map(|(_, _, run, _)| run).collect();
    let of =
        |wanted: PageFilter| story.lines(&mut story.range("a", PageRequest { wanted, ..PageRequest::default() })).0;
    assert_eq!(of(PageFilter { run_id: Some(run(&runs[3])), ..PageFilter::default() }), ["4", "5"]);
    let events = ["remark", "agent.exited"].map(|name| EventName::parse(name).unwrap()).to_vec();
    assert_eq!(of(PageFilter { events, ..PageFilter::default() }), ["2", "3", "5"]);
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
    let first = story.town.read_range(&mut range, story.now).unwrap().unwrap();
    assert_eq!(first.lines().count(), 65, "a gap and 64 events");
    // Ids 11 to 74 are read; the next 120 of b prune its first 100, of which 80 are in the range.
    story.notes("b", 120);
    let (lines, _) = story.lines(&mut range);
    assert_eq!(lines[0], "gap b 111-210");
    assert_eq!(lines[1..], ids(75, 110));
    let tail = BeginRequest::tail(500);
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
