//! Where a reader's history begins: every rule of the contract's "Resuming" about that.

use townwatch_protocol::error::{Code, Error};
use townwatch_protocol::id::EventId;
use townwatch_protocol::query::Query;
use townwatch_protocol::wire::{AgentSelection, Filters, Gap, GapReason};
use townwatch_town::log::{Selection, tail_position};
use townwatch_town::reading::cursor::{Begin, BeginRequest, pruned_gaps, resolve};
use townwatch_town::store::Store;

use crate::story::{Story, agent, epoch};

fn id(id: u64) -> EventId {
    EventId::new(id).unwrap()
}

/// Ten events: of `a` the ids 1, 2, 3, 7, 8, of `b` the others.
fn ten() -> Story {
    let mut story = Story::new();
    for name in ["a", "b", "idle"] {
        story.register(name);
    }
    for (name, count) in [("a", 3), ("b", 3), ("a", 2), ("b", 2)] {
        story.notes(name, count);
    }
    story
}

fn of(names: &[&str]) -> Selection {
    let agents = AgentSelection::Only(names.iter().map(|name| agent(name)).collect());
    Selection { agents, filters: Filters::default() }
}

fn begins(story: &Story, selection: &Selection, asked: &BeginRequest) -> Result<Begin, Error> {
    resolve(story.store.as_ref(), selection, &epoch("log-1"), asked)
}

fn gaps(
    story: &Story,
    selection: &Selection,
    cursor: u64,
    known_at: Option<u64>,
) -> Vec<(String, u64, u64, Option<u64>)> {
    let gaps = pruned_gaps(story.store.as_ref(), selection, id(cursor), known_at.map(id)).unwrap();
    let short = |Gap { agent_id, from, to, count, reason }: Gap| {
        assert_eq!(reason, GapReason::Pruned);
        (agent_id.to_string(), from.get(), to.get(), count)
    };
    gaps.into_iter().map(short).collect()
}

#[test]
fn each_way_to_say_where_to_begin() {
    let story = ten();
    let nothing = BeginRequest::default;
    let (mine, other) = (Some(epoch("log-1")), Some(epoch("log-0")));
    let max = (1 << 53) - 1;
    let cases = [
        ("nothing", nothing(), 0, false),
        ("after_id", BeginRequest::after(4), 4, false),
        ("after_id 0", BeginRequest::after(0), 0, false),
        ("the head", BeginRequest::after(10), 10, false),
        ("beyond the head", BeginRequest::after(11), 0, true),
        ("far beyond", BeginRequest::after(max), 0, true),
        ("beyond any id", BeginRequest::after(u64::MAX), 0, true),
        ("my epoch", BeginRequest::after(4).of_epoch(mine.clone()), 4, false),
        ("another epoch", BeginRequest::after(4).of_epoch(other.clone()), 0, true),
        ("another epoch alone", BeginRequest::default().of_epoch(other.clone()), 0, true),
        ("from", BeginRequest::from_event(4), 3, false),
        ("from, who has nothing", BeginRequest::from_event(0), 0, false),
        ("from, the first", BeginRequest::from_event(1), 0, false),
        ("from, who has all", BeginRequest::from_event(11), 10, false),
        ("from, negative", BeginRequest::from_event(-7), 0, false),
        ("from, far below", BeginRequest::from_event(i64::MIN), 0, false),
        ("from, beyond the head", BeginRequest::from_event(99), 10, false),
        ("from, far beyond", BeginRequest::from_event(i64::MAX), 10, false),
        ("from in another epoch", BeginRequest::from_event(4).of_epoch(other), 0, true),
    ];
    for (what, asked, cursor, reset) in cases {
        let begin = begins(&story, &Selection::town(), &asked).unwrap();
        assert_eq!(begin, Begin { cursor: id(cursor), reset, tail: false }, "{what}");
    }
}

#[test]
fn a_tail_counts_the_newest_events_of_the_selection() {
    let story = ten();
    let cases = [
        (Selection::town(), 0, 10),
        (Selection::town(), 1, 9),
        (Selection::town(), 3, 7),
        (Selection::town(), 10, 0),
        (Selection::town(), 2_000, 0),
        (of(&["a"]), 0, 10),
        (of(&["a"]), 1, 7),
        (of(&["a"]), 3, 2),
        (of(&["a"]), 6, 0),
        (of(&["a", "b"]), 4, 6),
        (of(&["idle"]), 5, 0),
        (of(&["nobody"]), 5, 0),
    ];
    for (selection, tail, cursor) in cases {
        let begin = begins(&story, &selection, &BeginRequest::tail(tail)).unwrap();
        assert_eq!(begin, Begin { cursor: id(cursor), reset: false, tail: true }, "{tail} of {:?}", selection.agents);
    }
    let empty = Story::new();
    assert_eq!(tail_position(empty.store.as_ref(), &AgentSelection::All, 5).unwrap(), id(0));
}

#[test]
fn one_place_is_named_and_a_tail_has_a_bound() {
    type Read = fn(&Query) -> Result<BeginRequest, Error>;
    let (stream, page): (Read, Read) = (BeginRequest::of_stream, BeginRequest::of_page);
    let refused = [
        (stream, "tail=1&after_id=1", "tail"),
        (stream, "tail=1&from=-1", "tail"),
        (stream, "tail=2001", "tail"),
        (page, "tail=1&after_id=1", "tail"),
        (page, "tail=2001", "tail"),
        (page, "before_id=3&after_id=1", "before_id"),
        (page, "before_id=3&tail=1", "before_id"),
    ];
    for (read, query, field) in refused {
        let error = read(&Query::parse(query)).unwrap_err();
        assert_eq!(
            (error.code, error.details.unwrap().field.as_deref()),
            (Code::InvalidRequest, Some(field)),
            "{query}"
        );
    }
    assert_eq!(
        stream(&Query::parse("from=4&after_id=99")).unwrap(),
        BeginRequest::from_event(4),
        "from beats after_id"
    );
    assert_eq!(page(&Query::parse("before_id=3")).unwrap(), BeginRequest::before(3));
}

#[test]
fn what_is_pruned_is_a_gap_for_who_asks_for_it() {
    let mut story = Story::capped(2);
    for name in ["a", "b"] {
        story.register(name);
    }
    // Of `a` go 1 2 3 4, of `b` 7; left are a 5 6, b 8 9.
    story.notes("a", 6);
    story.notes("b", 3);
    let town = Selection::town();
    let (a, b) = ("a".to_owned(), "b".to_owned());
    assert_eq!(gaps(&story, &town, 0, None), [(a.clone(), 1, 4, Some(4)), (b.clone(), 7, 7, Some(1))]);
    assert_eq!(gaps(&story, &of(&["b"]), 0, None), [(b.clone(), 7, 7, Some(1))]);
    assert_eq!(gaps(&story, &town, 3, None), [(a.clone(), 4, 4, None), (b.clone(), 7, 7, Some(1))]);
    assert_eq!(gaps(&story, &town, 4, None), [(b.clone(), 7, 7, Some(1))]);
    assert_eq!(gaps(&story, &town, 7, None), []);
    assert_eq!(gaps(&story, &of(&["nobody"]), 0, None), []);
    // Who was told at the head 6, when `a` had lost its own and `b` nothing yet.
    assert_eq!(gaps(&story, &town, 0, Some(6)), [(b, 7, 7, Some(1))]);
    assert_eq!(gaps(&story, &town, 0, Some(9)), []);
    story.notes("a", 1);
    assert_eq!(gaps(&story, &town, 0, Some(9)), [(a, 1, 5, Some(5))]);
}

#[test]
fn a_begin_costs_the_same_in_a_log_of_any_length() {
    let mut story = ten();
    let statements = |story: &Story, tail| {
        let before = story.store.statements();
        begins(story, &of(&["a"]), &BeginRequest::tail(tail)).unwrap();
        story.store.statements() - before
    };
    let few = statements(&story, 2);
    story.notes("a", 1_500);
    assert_eq!(statements(&story, 1_000), few);
    // Its position alone is read, not the events: they may have 48 KiB each.
    let plan =
        "EXPLAIN QUERY PLAN SELECT id FROM agent_events WHERE agent_id = 'a' ORDER BY id DESC LIMIT 1 OFFSET 999";
    let plan = story.store.query(plan, &[]).unwrap();
    assert!(plan[0].text(3).unwrap().contains("COVERING INDEX agent_events_by_agent"), "{plan:?}");
}
