//! An agent's runs are bounded: the newest stay, and what is open.

use serde_json::json;
use townwatch_protocol::limits::RUNS_PER_AGENT_MAX;
use townwatch_town::agents::runs;
use townwatch_town::log::{Selection, Wanted};
use townwatch_town::reading::cursor::Asked;
use townwatch_town::reading::pages::PageRequest;
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
    let wanted = Wanted { run_id: Some(run(run_id)), ..Wanted::default() };
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
    let page = PageRequest {
        asked: Asked { after_id: Some(0), ..Asked::default() },
        limit: Some(1),
        ..PageRequest::default()
    };
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
    story.town.stop_heard(&run("r1")).unwrap();
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
