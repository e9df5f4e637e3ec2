//! How many runs an agent may begin in a minute by what it posts: what counts as begun, what is refused, and what it costs.

use std::rc::Rc;

use serde_json::{Value as Json, json};
use townwatch_protocol::calls::EndedRuns;
use townwatch_protocol::error::{Code, Error};
use townwatch_protocol::event::{ExitReason, Role};
use townwatch_protocol::limits::RUNS_PER_MINUTE_MAX;
use townwatch_town::rig::Rig;
use townwatch_town::store::Store;

use crate::desk::{Desk, note};
use crate::story::{agent, dump, run};

/// [`RUNS_PER_MINUTE_MAX`] as a length.
const MOST: usize = 60;

fn first_events(names: std::ops::Range<usize>) -> Json {
    let events: Vec<Json> = names.map(|number| json!({"event_type": "note", "run_id": format!("r{number}")})).collect();
    json!({"agent_id": "a", "events": events})
}

fn refusal(desk: &Desk, body: &Json) -> Error {
    let before = dump(&desk.store);
    let error = desk.post_text(&body.to_string()).unwrap_err();
    assert_eq!(dump(&desk.store), before, "nothing of it is stored");
    error
}

fn later(desk: Desk, millis: i64) -> Desk {
    Desk { now: desk.now.plus_millis(millis), ..desk }
}

#[test]
fn one_run_too_many_within_a_minute_is_refused_whole_with_what_to_do_and_when() {
    assert_eq!(RUNS_PER_MINUTE_MAX, 60);
    let desk = Desk::capped(1_000);
    desk.post(&first_events(0..40));
    let desk = later(desk, 22_400);
    desk.post(&first_events(40..MOST));
    let error = refusal(&desk, &note("a", Some("another")));
    assert_eq!((error.code, error.retry_after_s), (Code::RateLimited, Some(38)));
    let words = "agent a has begun 60 runs within a minute, and may begin 60; post the events of one run under one run_id, and \
                 what begins another in 38 s";
    assert_eq!(error.message, words);
    // Also where only the last event of a post begins it.
    let events = json!([{"event_type": "note", "run_id": "r1"}, {"event_type": "note", "run_id": "another"}]);
    assert_eq!(refusal(&desk, &json!({"agent_id": "a", "events": events})).code, Code::RateLimited);
    // What goes on in runs that are known is taken, as is another agent's.
    desk.post(&first_events(0..MOST));
    assert_eq!(desk.post(&note("a", None)).0, 1, "and what names no run, since some are open");
    assert_eq!(desk.post(&note("b", Some("another"))).0, 1);
    // An eviction forgets nothing.
    let reopened = Rig::open(Rc::clone(&desk.store) as Rc<dyn Store>, 1_000).unwrap().unwrap();
    let desk = later(Desk { rig: reopened, ..desk }, 37_599);
    assert_eq!(refusal(&desk, &note("a", Some("another"))).retry_after_s, Some(1));
    let desk = later(desk, 1);
    assert_eq!(desk.post(&note("a", Some("another"))).0, 1);
    assert_eq!(desk.post(&first_events(100..100 + MOST - 1)).0, 59);
    assert_eq!(refusal(&desk, &note("a", Some("yet-another"))).retry_after_s, Some(60));
}

#[test]
fn a_post_that_begins_more_than_a_minute_has_room_for_can_never_be_taken_and_says_so() {
    let desk = Desk::capped(1_000);
    let error = refusal(&desk, &first_events(0..MOST + 1));
    assert_eq!((error.code, error.retry_after_s), (Code::TooLarge, None));
    assert!(error.message.starts_with("events: they begin 61 runs, and an agent may begin 60"), "{}", error.message);
    assert_eq!(desk.post(&first_events(0..MOST)).0, 60);
}

/// A loop that names a run for each event, one a second, for an hour; and jobs of a CI, 16 at once of 20 s each.
#[test]
fn a_loop_that_names_a_run_for_each_event_meets_it_and_jobs_do_not() {
    let mut desk = Desk::capped(1_000);
    let (mut taken, mut refused) = (0, 0);
    for number in 0..600 {
        desk = later(desk, 250);
        match desk.post_text(&note("a", Some(&format!("loop-{number}"))).to_string()) {
            Ok(_) => taken += 1,
            Err(error) => {
                assert_eq!(error.code, Code::RateLimited);
                refused += 1;
            }
        }
    }
    assert_eq!((taken, refused), (180, 420), "three minutes begin in 150 s");
    let mut desk = Desk::capped(1_000);
    for number in 0..3 * 60 {
        if number % 16 == 0 {
            desk = later(desk, 20_000);
        }
        desk.post(&note("a", Some(&format!("job-{number}"))));
    }
}

#[test]
fn what_names_no_run_begins_one_after_each_end_alone() {
    let exit = json!({"event_type": "agent.exited", "data": {"reason": "completed"}});
    let unnamed = json!({"event_type": "note"});
    let desk = Desk::capped(1_000);
    for _ in 0..MOST / 2 {
        desk.post(&json!({"agent_id": "a", "events": [unnamed, unnamed, exit]}));
        desk.post(&json!({"agent_id": "a", "events": [unnamed]}));
        desk.post(&json!({"agent_id": "a", "events": [unnamed, exit]}));
    }
    assert_eq!(refusal(&desk, &note("a", None)).code, Code::RateLimited);
    // Within one post as well.
    let events: Vec<Json> = (0..=MOST).flat_map(|_| [unnamed.clone(), exit.clone()]).collect();
    assert_eq!(refusal(&Desk::capped(1_000), &json!({"agent_id": "a", "events": events})).code, Code::TooLarge);
    // And where the town has ended the run: by a budget, for example, which ends each that begins.
    let desk = Desk::capped(1_000);
    for number in 0..MOST {
        desk.post(&note("a", None));
        desk.post(&note("a", None));
        let run_ids = vec![run(&format!("minted-{number}"))];
        desk.rig
            .note_ends(&EndedRuns { agent_id: agent("a"), run_ids, reason: ExitReason::BudgetExceeded }, desk.now)
            .unwrap();
    }
    assert_eq!(refusal(&desk, &note("a", None)).code, Code::RateLimited);
}

#[test]
fn nothing_is_written_where_no_run_begins() {
    let desk = Desk::capped(1_000);
    desk.post(&first_events(0..2));
    let cost = |events: Json| {
        let before = desk.store.rows_changed();
        desk.post(&json!({"agent_id": "a", "events": events}));
        desk.store.rows_changed() - before
    };
    let note = |run_id: &str| json!({"event_type": "note", "run_id": run_id});
    assert_eq!(cost(json!([{"event_type": "note"}])), 2, "the event, and the agent's counts");
    assert_eq!(cost(json!([note("r0")])), 2);
    assert_eq!(cost(json!([note("r1"), note("r0"), {"event_type": "note"}])), 4);
    assert_eq!(cost(json!([note("r2")])), 2 + 2, "the run, and that one has begun");
}

#[test]
fn only_so_many_runs_are_known_and_none_of_an_agent_that_is_gone() {
    let mut desk = Desk::capped(1_000);
    for number in 0..300 {
        desk = later(desk, 2_000);
        desk.post(&note("a", Some(&format!("r{number}"))));
    }
    desk.post(&note("b", Some("r0")));
    assert_eq!(desk.number("SELECT count(*) FROM posted_runs WHERE agent_id = 'a'"), 100);
    let begun = |desk: &Desk| desk.number("SELECT runs_begun FROM agents WHERE agent_id = 'a'");
    let before = begun(&desk);
    desk.post(&note("a", Some("r299")));
    assert_eq!(begun(&desk), before);
    desk.post(&note("a", Some("r0")));
    assert_eq!(begun(&desk), before + 1, "one that is forgotten counts once more");
    desk.rig.forget(&agent("a")).unwrap();
    assert_eq!(desk.number("SELECT count(*) FROM posted_runs"), 1);
    desk.rig.register(&agent("a"), "a", Role::Polecat, desk.now).unwrap();
    assert_eq!(desk.post(&first_events(0..MOST)).0, 60);
}

#[test]
fn a_clock_that_goes_back_refuses_nobody_for_long() {
    let desk = Desk::capped(1_000);
    desk.post(&first_events(0..MOST));
    let desk = later(desk, -3_600_000);
    assert_eq!(desk.post(&note("a", Some("another"))).0, 1);
}
