//! An agent's runs are bounded: the newest stay, and what is open, of which there are only so many.

use serde_json::json;
use townwatch_protocol::event::ExitReason;
use townwatch_protocol::id::RigId;
use townwatch_protocol::limits::{OPEN_RUNS_MAX, RUNS_PER_AGENT_MAX};
use townwatch_town::agents::runs;
use townwatch_town::agents::stop_orders::{StopOrder, StopPlace};
use townwatch_town::log::{PageFilter, Selection};
use townwatch_town::reading::cursor::BeginRequest;
use townwatch_town::reading::pages::PageRequest;
use townwatch_town::relay::control_response::StopAnswer;
use townwatch_town::store::Store;

use crate::story::{Story, agent, run};

/// [`RUNS_PER_AGENT_MAX`] as a length.
const MOST: usize = 1_000;

/// Runs of `a` from this number on, each of so many notes and its end.
fn run_through(story: &mut Story, numbers: std::ops::RangeInclusive<usize>, notes: usize) {
    let names: Vec<String> = numbers.map(|number| format!("r{number}")).collect();
    for some in names.chunks(100) {
        let events = some.iter().flat_map(|run_id| {
            let notes = std::iter::repeat_n(("a", run_id.as_str(), "note", json!(0)), notes);
            notes.chain([("a", run_id.as_str(), "agent.exited", json!({"reason": "completed"}))])
        });
        story.post(&events.collect::<Vec<_>>());
    }
}

fn runs(story: &Story) -> Vec<String> {
    story.texts("SELECT run_id FROM runs WHERE agent_id = 'a' ORDER BY run_number")
}

fn listed(story: &Story) -> Vec<String> {
    let state = story.town.agent(&agent("a")).unwrap().unwrap();
    runs::list(story.store.as_ref(), &state).unwrap().iter().map(|run| run.run_id.to_string()).collect()
}

fn of_run(story: &Story, run_id: &str) -> usize {
    let wanted = PageFilter { run_id: Some(run(run_id)), ..PageFilter::default() };
    let request = PageRequest { wanted, ..PageRequest::default() };
    story.town.page(&Selection::agent(agent("a")), &request).unwrap().events.len()
}

#[test]
fn the_newest_thousand_stay_and_the_oldest_go_with_their_events() {
    assert_eq!(RUNS_PER_AGENT_MAX, 1_000);
    let mut story = Story::capped(5_000);
    story.register("a");
    run_through(&mut story, 1..=MOST, 1);
    assert_eq!((runs(&story).len(), runs(&story)[0].as_str()), (MOST, "r1"));
    let outcome = story.post(&[("a", "new", "note", json!(1))]);
    assert_eq!((runs(&story).len(), runs(&story)[0].as_str()), (MOST, "r2"));
    assert_eq!(listed(&story).len(), MOST);
    assert_eq!((listed(&story)[0].as_str(), listed(&story)[MOST - 1].as_str()), ("new", "r2"));
    assert_eq!((outcome.pruned_id.get(), of_run(&story, "r1"), of_run(&story, "r2")), (2, 0, 2));
    // Who comes from before is told what is missing.
    let page = PageRequest { asked: BeginRequest::after(0), limit: Some(1), ..PageRequest::default() };
    let page = story.town.page(&Selection::town(), &page).unwrap();
    let gaps: Vec<_> = page.gaps.iter().map(|gap| (gap.from.get(), gap.to.get())).collect();
    assert_eq!(gaps, [(1, 2)]);
}

#[test]
fn an_open_run_stays_whatever_its_age_and_goes_once_it_was_over_for_long_enough() {
    let mut story = Story::new();
    story.register("a");
    story.post(&[("a", "old", "note", json!(0))]);
    run_through(&mut story, 1..=MOST + 1, 0);
    assert_eq!((runs(&story).len(), runs(&story)[0].as_str()), (MOST + 1, "old"));
    assert_eq!((listed(&story).len(), listed(&story)[MOST].as_str()), (MOST + 1, "old"));
    // It ends now, and newer runs than this end keep it until they are enough.
    story.post(&[("a", "old", "agent.exited", json!({"reason": "completed"}))]);
    run_through(&mut story, MOST + 2..=MOST + 3, 0);
    assert_eq!(runs(&story)[0], "old");
    assert_eq!(of_run(&story, "old"), 1, "its first event went with a run that was older");
    run_through(&mut story, MOST + 4..=2 * MOST + 2, 0);
    assert!(!runs(&story).contains(&"old".to_owned()));
    assert_eq!(runs(&story).len(), MOST);
}

/// Of an agent whose number of runs had no bound, and of one run with many events.
#[test]
fn a_run_that_begins_lets_a_bounded_number_go() {
    let mut story = Story::new();
    story.register("a");
    run_through(&mut story, 1..=1, 150);
    run_through(&mut story, 2..=MOST, 0);
    let events = |story: &Story| story.number("SELECT event_count FROM agents WHERE agent_id = 'a'");
    let before = events(&story);
    run_through(&mut story, MOST + 1..=MOST + 1, 0);
    assert_eq!((events(&story), runs(&story)[0].as_str()), (before + 1 - 64, "r1"));
    run_through(&mut story, MOST + 2..=MOST + 4, 0);
    assert_eq!(runs(&story).len(), MOST, "it has caught up");

    let sql = "UPDATE runs SET run_number = run_number + 100";
    story.store.query(sql, &[]).unwrap();
    for number in 1..=100_u64 {
        let sql = "INSERT INTO runs (run_id, agent_id, run_number, source, started_at_ms, first_id, last_id, exit) \
                   VALUES (?, 'a', ?, 'rig:rig', 0, 1, 1, '{}')";
        story.store.query(sql, &[format!("kept-{number}").into(), number.into()]).unwrap();
    }
    let statements = story.store.statements();
    run_through(&mut story, MOST + 5..=MOST + 5, 0);
    assert_eq!(runs(&story).len(), MOST + 100 - 3, "one begins, four go");
    assert!(story.store.statements() - statements < 40);
    run_through(&mut story, MOST + 6..=MOST + 50, 0);
    assert_eq!(runs(&story).len(), MOST);
}

#[test]
fn a_run_whose_stop_nobody_has_heard_of_is_kept_until_then() {
    let mut story = Story::new();
    story.register("a");
    run_through(&mut story, 1..=MOST, 0);
    story.store.query("UPDATE runs SET stop_message = 'over' WHERE run_id = 'r1'", &[]).unwrap();
    run_through(&mut story, MOST + 1..=MOST + 2, 0);
    assert_eq!(&runs(&story)[..2], ["r1", "r3"]);
    assert!(story.stop_answered("r1", &StopAnswer::Heard).0);
    run_through(&mut story, MOST + 3..=MOST + 3, 0);
    assert_eq!(runs(&story)[0], "r4");
}

/// The state is made of what is retained, and that names runs by their number.
#[test]
fn what_is_retained_still_leads_to_the_present_state() {
    let mut story = Story::capped(40);
    story.register("a");
    run_through(&mut story, 1..=MOST + 20, 3);
    assert_eq!(story.state("a")["run_number"], MOST + 20);
    let retained = story.texts("SELECT DISTINCT run_id FROM agent_events");
    let known = runs(&story);
    assert!(retained.iter().all(|run_id| known.contains(run_id)), "{retained:?}");
}

/// The first events of runs with these numbers.
fn begun(numbers: std::ops::RangeInclusive<usize>) -> Vec<String> {
    numbers.map(|number| format!("r{number}")).collect()
}

fn notes<'a>(agent_id: &'a str, runs: &'a [String]) -> Vec<(&'a str, &'a str, &'a str, serde_json::Value)> {
    runs.iter().map(|run_id| (agent_id, run_id.as_str(), "note", json!(0))).collect()
}

fn open(story: &Story, agent_id: &str) -> Vec<String> {
    let sql = format!("SELECT run_id FROM runs WHERE agent_id = '{agent_id}' AND exit IS NULL ORDER BY run_number");
    story.texts(&sql)
}

/// The end of a run, as its row says it.
fn end(story: &Story, run_id: &str) -> (String, String) {
    let exit = story.texts(&format!("SELECT exit FROM runs WHERE run_id = '{run_id}'")).remove(0);
    let exit: serde_json::Value = serde_json::from_str(&exit).unwrap();
    (exit["reason"].as_str().unwrap().to_owned(), exit["message"].as_str().unwrap().to_owned())
}

#[test]
fn the_open_run_that_was_not_heard_of_for_longest_ends_where_one_too_many_begins_and_its_rig_is_to_know() {
    assert_eq!(OPEN_RUNS_MAX, 16);
    let mut story = Story::new();
    for name in ["a", "b"] {
        story.register(name);
    }
    story.post(&notes("b", &["other".to_owned()]));
    assert!(!story.post(&notes("a", &begun(1..=16))).orders_stops);
    // The oldest of them is at work; so is the newest, and what names no run is its.
    story.post(&[("a", "r1", "note", json!(1)), ("a", "", "note", json!(2))]);
    let outcome = story.post(&notes("a", &begun(17..=17)));
    assert_eq!((outcome.orders_stops, outcome.dropped), (true, 0));
    assert_eq!((outcome.begun, outcome.ended), (vec![run("r17")], vec![(run("r2"), ExitReason::Lost)]));
    assert_eq!((open(&story, "a").len(), open(&story, "a")[..2].join(" ")), (16, "r1 r3".to_owned()));
    let (reason, message) = end(&story, "r2");
    assert_eq!(reason, "lost");
    let (why, remedy) =
        ("its agent began another run with 16 open", "end each run with agent.exited, and tell the events");
    assert!(message.starts_with(why) && message.contains(remedy), "{message}");
    let log: Vec<_> = story.log().into_iter().rev().take(2).map(|(_, _, run_id, event)| (run_id, event)).collect();
    let pair = |run_id: &str, event: &str| (run_id.to_owned(), event.to_owned());
    assert_eq!(log, [pair("r17", "note"), pair("r2", "agent.exited")], "the end comes before the beginning");
    assert_eq!(open(&story, "b"), ["other"], "another agent's stay");
    // Whoever opens the town now, after a crash say, finds the order.
    story.reopen();
    let place = StopPlace::Rig(RigId::parse("rig").unwrap(), ExitReason::Lost);
    assert_eq!(story.town.stop_orders().unwrap(), [StopOrder { run_id: run("r2"), agent_id: agent("a"), place }]);
    assert!(story.stop_answered("r2", &StopAnswer::Heard).0);
    assert!(story.town.stop_orders().unwrap().is_empty());
}

#[test]
fn the_bound_holds_within_one_batch_too_and_all_of_it_is_in_the_log() {
    let mut story = Story::capped(2_000);
    story.register("a");
    let outcome = story.post(&notes("a", &begun(1..=500)));
    assert_eq!((outcome.stored, outcome.dropped, outcome.ended.len()), (500 + 484, 0, 484));
    assert_eq!(open(&story, "a"), begun(485..=500));
    assert_eq!(story.town.stop_orders().unwrap().len(), 64, "the others follow");
    let state = story.state("a");
    assert_eq!((&state["run_id"], &state["exit"]), (&json!("r500"), &serde_json::Value::Null));
}

/// What a container of another make tells of has nobody who could be told.
#[test]
fn runs_that_a_container_tells_of_are_bounded_as_well_and_what_it_still_tells_of_an_ended_one_is_dropped() {
    let mut story = Story::new();
    story.register("a");
    story.post(&notes("a", &begun(1..=16)));
    let theirs: Vec<String> = (1..=20).map(|number| format!("c{number}")).collect();
    let outcome = story.relay(&notes("a", &theirs));
    assert_eq!((outcome.stored, outcome.orders_stops), (24, false));
    assert_eq!(open(&story, "a"), [begun(1..=16), theirs[4..].to_vec()].concat());
    assert_eq!(end(&story, "c1").0, "lost");
    assert!(story.town.stop_orders().unwrap().is_empty());
    assert_eq!(story.relay(&notes("a", &theirs[..1])).dropped, 1);
    story.relay(&[("a", "c5", "note", json!(1)), ("a", "c21", "note", json!(2))]);
    assert_eq!(open(&story, "a")[16..], [&["c5".to_owned()], &theirs[6..], &["c21".to_owned()]].concat());
}

/// An agent of a build that had no bound.
#[test]
fn an_agent_with_more_open_runs_comes_down_to_the_bound() {
    let mut story = Story::new();
    story.register("a");
    for number in 1..=100_u64 {
        let sql = "INSERT INTO runs (run_id, agent_id, run_number, source, started_at_ms, first_id) \
                   VALUES (?, 'a', ?, 'rig:rig', 0, 1)";
        story.store.query(sql, &[format!("kept-{number}").into(), number.into()]).unwrap();
    }
    story.post(&notes("a", &begun(1..=1)));
    assert_eq!((open(&story, "a").len(), open(&story, "a")[0].as_str()), (100 - 64 + 1, "kept-65"));
    story.post(&notes("a", &begun(2..=2)));
    assert_eq!(open(&story, "a").len(), 16);
}
