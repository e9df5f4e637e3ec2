//! Pages of the log: where they begin and end, and that a walk over them misses nothing.

use serde_json::{Value as Json, json};
use townwatch_protocol::error::Code;
use townwatch_protocol::id::{EventId, EventName};
use townwatch_protocol::limits::{EVENT_FRAME_BYTES_MAX, PAGE_BYTES_MAX};
use townwatch_protocol::wire::EventsPage;
use townwatch_town::log::{PageFilter, Selection};
use townwatch_town::reading::cursor::BeginRequest;
use townwatch_town::reading::pages::PageRequest;

use crate::story::{Story, agent, epoch, run};

/// Of `a` the ids 1 to 6 (run r1, then r2 from 5), of `b` 7 to 10; every second event of each is a `tick`.
fn ten() -> Story {
    let mut story = Story::new();
    for name in ["a", "b"] {
        story.register(name);
    }
    let tick = |name, run, index: u64| (name, run, if index.is_multiple_of(2) { "tick" } else { "note" }, json!(index));
    story.post(&[1, 2, 3, 4].map(|index| tick("a", "r1", index)));
    story.post(&[5, 6].map(|index| tick("a", "r2", index)));
    story.post(&[7, 8, 9, 10].map(|index| tick("b", "", index)));
    story
}

fn ids(page: &EventsPage) -> Vec<u64> {
    page.events.iter().map(|event| event_of(event)["id"].as_u64().unwrap()).collect()
}

fn event_of(text: &str) -> Json {
    serde_json::from_str(text).unwrap()
}

fn after(id: u64) -> PageRequest {
    PageRequest { asked: BeginRequest::after(id), ..PageRequest::default() }
}

fn before(id: u64) -> PageRequest {
    PageRequest { asked: BeginRequest::before(id), ..PageRequest::default() }
}

fn tail(count: u64) -> PageRequest {
    PageRequest { asked: BeginRequest::tail(count), ..PageRequest::default() }
}

/// What names the life of the log and nothing else.
fn of_life(name: &str) -> PageRequest {
    PageRequest { asked: BeginRequest::default().of_epoch(Some(epoch(name))), ..PageRequest::default() }
}

fn limited(limit: u64, request: PageRequest) -> PageRequest {
    PageRequest { limit: Some(limit), ..request }
}

#[test]
fn each_way_to_ask_for_a_page() {
    let story = ten();
    let (town, a) = (Selection::town(), Selection::agent(agent("a")));
    let cases = [
        ("the latest", &town, limited(3, PageRequest::default()), vec![8, 9, 10], 10),
        ("all of the latest", &a, PageRequest::default(), vec![1, 2, 3, 4, 5, 6], 6),
        ("from the start", &town, limited(3, after(0)), vec![1, 2, 3], 3),
        ("after", &town, limited(3, after(3)), vec![4, 5, 6], 6),
        ("the last page", &town, limited(3, after(9)), vec![10], 10),
        ("at the head", &town, after(10), vec![], 10),
        ("of one agent", &a, limited(2, after(3)), vec![4, 5], 5),
        ("its end, where others went on", &a, after(3), vec![4, 5, 6], 10),
        ("before", &town, limited(3, before(8)), vec![5, 6, 7], 7),
        ("before, of one agent", &a, limited(3, before(10)), vec![4, 5, 6], 6),
        ("before the first", &town, before(1), vec![], 0),
        ("before nothing", &town, before(0), vec![], 0),
        ("before what is to come", &town, limited(2, before(99)), vec![9, 10], 10),
        ("a tail", &town, tail(2), vec![9, 10], 10),
        ("a tail of one agent", &a, tail(2), vec![5, 6], 6),
        ("an empty tail", &town, tail(0), vec![], 10),
        ("a tail beyond the limit", &town, limited(1, tail(5)), vec![10], 10),
        ("the latest of this life", &town, limited(2, of_life("log-1")), vec![9, 10], 10),
        ("no limit at all is one", &town, limited(0, after(0)), vec![1], 1),
    ];
    for (what, selection, request, expected, next_after_id) in cases {
        let page = story.town.page(selection, &request).unwrap();
        assert_eq!((ids(&page), page.next_after_id.get()), (expected, next_after_id), "{what}");
        assert_eq!((page.head.get(), page.oldest_id.get(), page.epoch.as_str(), page.reset), (10, 1, "log-1", false));
        assert_eq!(page.gaps, []);
    }
}

#[test]
fn a_cursor_that_means_nothing_begins_at_the_start() {
    let story = ten();
    let elsewhere = BeginRequest::after(4).of_epoch(Some(epoch("log-0")));
    let elsewhere = PageRequest { asked: elsewhere, ..PageRequest::default() };
    for request in [after(11), elsewhere, of_life("log-0")].map(|request| limited(2, request)) {
        let page = story.town.page(&Selection::town(), &request).unwrap();
        assert_eq!((ids(&page), page.next_after_id.get(), page.reset), (vec![1, 2], 2, true));
    }
}

#[test]
fn a_tail_has_as_many_as_it_names_up_to_the_largest_page() {
    let mut story = Story::new();
    story.register("a");
    story.notes("a", 1_100);
    let count = |request: PageRequest| story.town.page(&Selection::town(), &request).unwrap().events.len();
    assert_eq!((count(tail(900)), count(tail(1_050)), count(after(0))), (900, 1_000, 200));
}

#[test]
fn a_walk_gives_every_event_once_whatever_it_asks_for() {
    let mut story = ten();
    story.notes("b", 23);
    let tick = vec![EventName::parse("tick").unwrap()];
    let both = vec![EventName::parse("tick").unwrap(), EventName::parse("note").unwrap()];
    let wanted = [
        (PageFilter::default(), (1..=33).collect::<Vec<u64>>()),
        (PageFilter { run_id: Some(run("r1")), events: Vec::new() }, vec![1, 2, 3, 4]),
        (PageFilter { run_id: None, events: tick.clone() }, vec![2, 4, 6, 8, 10]),
        (PageFilter { run_id: None, events: both }, (1..=33).collect()),
        (PageFilter { run_id: Some(run("r1")), events: tick }, vec![2, 4]),
        (PageFilter { run_id: Some(run("none")), events: Vec::new() }, vec![]),
    ];
    for (wanted, expected) in wanted {
        for limit in [1, 2, 3, 7, 1_000] {
            let (mut forwards, mut cursor) = (Vec::new(), 0);
            while cursor < 33 {
                let request = PageRequest { wanted: wanted.clone(), ..limited(limit, after(cursor)) };
                let page = story.town.page(&Selection::town(), &request).unwrap();
                assert!(page.next_after_id.get() > cursor, "the walk goes on");
                (cursor, forwards) = (page.next_after_id.get(), [forwards, ids(&page)].concat());
            }
            assert_eq!(forwards, expected, "forwards, {limit} at a time");
            let mut backwards: Vec<u64> = Vec::new();
            loop {
                let edge = backwards.first().copied().unwrap_or(34);
                let request = PageRequest { wanted: wanted.clone(), ..limited(limit, before(edge)) };
                let page = ids(&story.town.page(&Selection::town(), &request).unwrap());
                if page.is_empty() {
                    break;
                }
                backwards = [page, backwards].concat();
            }
            assert_eq!(backwards, expected, "backwards, {limit} at a time");
        }
    }
}

#[test]
fn what_is_pruned_is_named_where_it_was_asked_for() {
    let mut story = Story::capped(3);
    for name in ["a", "b"] {
        story.register(name);
    }
    story.notes("a", 5);
    story.notes("b", 1);
    let page = story.town.page(&Selection::town(), &after(0)).unwrap();
    let gap = serde_json::to_value(&page.gaps).unwrap();
    assert_eq!(gap, json!([{"agent_id": "a", "from": 1, "to": 2, "count": 2, "reason": "pruned"}]));
    assert_eq!((ids(&page), page.oldest_id.get()), (vec![3, 4, 5, 6], 3));
    assert_eq!(story.town.page(&Selection::town(), &after(2)).unwrap().gaps, []);
    assert_eq!(story.town.page(&Selection::town(), &PageRequest::default()).unwrap().gaps, []);
    assert_eq!(story.town.page(&Selection::agent(agent("b")), &after(0)).unwrap().gaps, []);
}

#[test]
fn a_cut_event_is_whole_by_its_id() {
    let mut story = Story::new();
    story.register("a");
    let data = json!({"kept": [1, 2], "text": "é".repeat(100_000)});
    story.post(&[("a", "r1", "note", data.clone()), ("a", "r1", "note", json!("small"))]);
    let page = story.town.page(&Selection::town(), &after(0)).unwrap();
    let cut = event_of(&page.events[0]);
    assert!(page.events[0].len() <= EVENT_FRAME_BYTES_MAX);
    assert_eq!((&cut["data"]["kept"], &cut["cut"][0]["path"]), (&json!([1, 2]), &json!("/text")));
    let kept = cut["data"]["text"].as_str().unwrap().len() - "…".len();
    assert_eq!(cut["cut"][0]["bytes"], 200_000 - kept);
    let id = |id| EventId::new(id).unwrap();
    let whole = event_of(story.town.event(id(1)).unwrap().get());
    assert_eq!((&whole["data"], &whole["cut"], &whole["id"]), (&data, &Json::Null, &json!(1)));
    let keys = |event: &Json| event.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&whole), ["agent_id", "at", "data", "event", "id", "rig_id", "run_id"]);
    assert_eq!(story.town.event(id(2)).unwrap().get(), page.events[1]);
    assert_eq!(story.town.event(id(3)).unwrap_err().code, Code::NotFound);
}

#[test]
fn a_page_is_closed_before_it_gets_too_large() {
    let mut story = Story::new();
    story.register("a");
    let large = "x".repeat(60_000);
    for _ in 0..8 {
        story.post(&vec![("a", "", "note", json!(large)); 25]);
    }
    let (mut cursor, mut seen, mut pages) = (0, Vec::new(), 0);
    while cursor < 200 {
        let page = story.town.page(&Selection::town(), &limited(1_000, after(cursor))).unwrap();
        assert!(page.events.iter().map(String::len).sum::<usize>() <= PAGE_BYTES_MAX);
        (cursor, seen, pages) = (page.next_after_id.get(), [seen, ids(&page)].concat(), pages + 1);
    }
    assert_eq!((seen, pages), ((1..=200).collect::<Vec<u64>>(), 2));
    let latest = story.town.page(&Selection::town(), &limited(1_000, PageRequest::default())).unwrap();
    assert_eq!((ids(&latest).last(), latest.next_after_id.get()), (Some(&200), 200));
    assert!(ids(&latest).len() > 100);
}

#[test]
fn a_run_beside_another_is_read_between_its_ends() {
    let mut story = Story::new();
    for name in ["a", "b"] {
        story.register(name);
    }
    let note = |run| ("a", run, "note", json!(0));
    let end = |run| ("a", run, "agent.exited", json!({"reason": "completed"}));
    story.post(&[note("r1"), note("r2"), note("r1"), end("r1"), note("r2"), ("b", "r3", "note", json!(0)), end("r2")]);
    let of = |selection: &Selection, name, request: PageRequest| {
        let wanted = PageFilter { run_id: Some(run(name)), events: Vec::new() };
        ids(&story.town.page(selection, &PageRequest { wanted, ..request }).unwrap())
    };
    let (town, a, b) = (Selection::town(), Selection::agent(agent("a")), Selection::agent(agent("b")));
    for selection in [&town, &a] {
        assert_eq!(of(selection, "r1", after(0)), [1, 3, 4]);
        assert_eq!(of(selection, "r1", after(1)), [3, 4]);
        assert_eq!(of(selection, "r1", after(4)), [] as [u64; 0]);
        assert_eq!(of(selection, "r2", PageRequest::default()), [2, 5, 7]);
        assert_eq!(of(selection, "r2", before(7)), [2, 5]);
        assert_eq!(of(selection, "r2", before(2)), [] as [u64; 0]);
        assert_eq!(of(selection, "r1", tail(2)), [3, 4]);
    }
    assert_eq!(of(&town, "r3", after(0)), [6]);
    assert_eq!(of(&b, "r1", after(0)), [] as [u64; 0], "of another agent");
}

#[test]
fn a_page_is_a_statement_for_each_36_events_and_few_more() {
    let mut story = Story::new();
    story.register("a");
    story.post(&vec![("a", "", "note", json!(0)); 250]);
    for (request, statements) in [(after(3), 6 + 2), (before(240), 6 + 1), (PageRequest::default(), 6 + 1)] {
        let before = story.store.statements();
        let page = story.town.page(&Selection::town(), &PageRequest { limit: Some(200), ..request }).unwrap();
        assert_eq!((page.events.len(), story.store.statements() - before), (200, statements));
    }
}

#[test]
fn control_characters_come_back_as_they_were_posted() {
    let mut story = Story::new();
    story.register("a");
    let text = "one\u{1f}two\u{1e}three\u{0}\n\t\u{7f}";
    story.post(&[("a", "", "note", json!(text)), ("a", "", "note", json!({ text: text }))]);
    let page = story.town.page(&Selection::town(), &PageRequest::default()).unwrap();
    let data: Vec<Json> = page.events.iter().map(|event| event_of(event)["data"].clone()).collect();
    assert_eq!(data, [json!(text), json!({ text: text })]);
}
