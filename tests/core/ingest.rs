//! How events get into the log: their ids, their runs, what is dropped and what is pruned.

use serde_json::{Value as Json, json};
use townwatch_protocol::event::ExitReason;
use townwatch_protocol::id::EventId;
use townwatch_protocol::limits::EVENT_BYTES_PER_AGENT_MAX;
use townwatch_town::agents;
use townwatch_town::agents::runs;
use townwatch_town::town::TownConfig;

use crate::story::{Story, agent, run, said};

fn with_agents(event_cap: u64, names: &[&str]) -> Story {
    let mut story = Story::capped(event_cap);
    for name in names {
        story.register(name);
    }
    story
}

/// `id agent run event` of the whole log.
fn lines(story: &Story) -> Vec<String> {
    story.log().into_iter().map(|(id, agent, run, event)| format!("{id} {agent} {run} {event}")).collect()
}

fn exited() -> Json {
    json!({"reason": "completed"})
}

#[test]
fn ids_rise_over_all_sources_and_are_never_given_twice() {
    let mut story = with_agents(2, &["p"]);
    story.begin("a", "r1");
    story.post(&[("p", "", "note", json!(1)), ("p", "", "note", json!(2))]);
    story.relay(&[("a", "r1", "agent_output", said("x"))]);
    story.post(&[("p", "", "note", json!(3))]);
    let expected = ["1 a r1 agent.status", "3 p minted-1 note", "4 a r1 agent_output", "5 p minted-1 note"];
    assert_eq!(lines(&story), expected);
    story.notes("p", 10);
    assert_eq!(lines(&story)[2..], ["14 p minted-1 note", "15 p minted-1 note"]);
    story.reopen();
    story.relay(&[("a", "r1", "agent_output", said("y"))]);
    assert_eq!(lines(&story)[3], "16 a r1 agent_output");
}

#[test]
fn the_cap_leaves_each_agent_its_newest_events() {
    let mut story = with_agents(5, &["a", "b"]);
    story.notes("b", 3);
    story.notes("a", 12);
    let kept: Vec<u64> = story.log().into_iter().map(|(id, ..)| id).collect();
    assert_eq!(kept, [1, 2, 3, 11, 12, 13, 14, 15]);
    let mut a = agents::load(story.store.as_ref(), &agent("a")).unwrap().unwrap();
    assert_eq!((a.event_count, a.pruned_count), (5, 7));
    assert_eq!((a.first_id.get(), a.pruned_id.get(), a.pruned_at_head.get()), (4, 10, 15));
    assert_eq!(a.event_bytes, story.number("SELECT sum(length(frame)) FROM agent_events WHERE agent_id = 'a'"));
    assert_eq!(
        (a.base.read().unwrap().state.last_event_id.unwrap().get(), a.now.state.last_event_id.unwrap().get()),
        (10, 15)
    );
    let mut b = agents::load(story.store.as_ref(), &agent("b")).unwrap().unwrap();
    assert_eq!((b.event_count, b.pruned_count, b.base.read().unwrap().state.last_event_id), (3, 0, None));
    // One more moves the edge by exactly one.
    story.notes("a", 1);
    let a = agents::load(story.store.as_ref(), &agent("a")).unwrap().unwrap();
    assert_eq!((a.event_count, a.pruned_count, a.pruned_id.get()), (5, 8, 11));
}

#[test]
fn the_states_base_goes_along_with_what_is_pruned() {
    let mut story = with_agents(2, &["a"]);
    let usage = |id: u64| json!({"message_id": id.to_string(), "input_tokens": id, "output_tokens": 0});
    for id in 1..=6 {
        story.post(&[("a", "", "agent_usage", usage(id))]);
    }
    let mut a = agents::load(story.store.as_ref(), &agent("a")).unwrap().unwrap();
    assert_eq!((a.base.read().unwrap().state.usage.input_tokens, a.now.state.usage.input_tokens), (1 + 2 + 3 + 4, 21));
    assert_eq!(a.base.read().unwrap().state.run_id, Some(run("minted-1")));
}

#[test]
fn an_agents_bytes_are_bounded_whole_events_counted() {
    let mut story = with_agents(2_000, &["a", "b"]);
    story.notes("b", 1);
    let large = "x".repeat(1_000_000);
    for _ in 0..80 {
        story.post(&[("a", "", "note", json!(large))]);
    }
    let a = agents::load(story.store.as_ref(), &agent("a")).unwrap().unwrap();
    let stored = "SELECT (SELECT sum(length(frame)) FROM agent_events WHERE agent_id = 'a') \
                  + (SELECT sum(length(event)) FROM whole_events)";
    // The mark of a cut text is one character and three bytes.
    assert_eq!(a.event_bytes, story.number(stored) + 2 * a.event_count);
    assert!(a.event_bytes <= EVENT_BYTES_PER_AGENT_MAX, "{} bytes", a.event_bytes);
    assert!(a.event_bytes > EVENT_BYTES_PER_AGENT_MAX - 1_100_000, "no more is pruned than has to: {}", a.event_bytes);
    assert_eq!(story.number("SELECT count(*) FROM whole_events"), a.event_count);
    assert_eq!(story.number("SELECT count(*) FROM agent_events WHERE agent_id = 'b'"), 1);
}

#[test]
fn an_event_larger_than_any_may_arrive_is_kept_as_viewers_get_it() {
    let mut story = with_agents(100, &[]);
    story.begin("a", "r1");
    story.relay(&[
        ("a", "r1", "agent_output", said(&"x".repeat(3 << 20))),
        ("a", "r1", "agent_output", said("the next")),
    ]);
    assert_eq!(story.number("SELECT count(*) FROM whole_events"), 0);
    let kept = story.town.event(EventId::new(2).unwrap()).unwrap();
    let kept: serde_json::Value = serde_json::from_str(kept.get()).unwrap();
    assert_eq!(kept["cut"][0]["path"], "/text");
    assert_eq!(story.number("SELECT count(*) FROM agent_events"), 3);
}

#[test]
fn after_its_end_a_run_takes_nothing() {
    let mut story = with_agents(100, &[]);
    story.begin("a", "r1");
    let outcome = story.relay(&[
        ("a", "r1", "agent_output", said("x")),
        ("a", "r1", "agent.exited", exited()),
        ("a", "r1", "agent_output", said("late")),
        ("a", "r1", "agent.exited", json!({"reason": "failed"})),
    ]);
    assert_eq!((outcome.stored, outcome.dropped), (2, 2));
    assert_eq!(outcome.ended, [(run("r1"), ExitReason::Completed)]);
    let outcome = story.relay(&[("a", "r1", "agent_output", said("later still"))]);
    assert_eq!((outcome.stored, outcome.dropped, outcome.ended.len()), (0, 1, 0));
    assert_eq!(lines(&story), ["1 a r1 agent.status", "2 a r1 agent_output", "3 a r1 agent.exited"]);
    assert_eq!(story.number("SELECT dropped_count FROM runs"), 3);
    assert_eq!((&story.state("a")["status"], &story.state("a")["last_event_id"]), (&json!("exited"), &json!(3)));
}

#[test]
fn an_end_that_cannot_be_read_ends_the_run_in_the_table_and_in_the_state() {
    let mut story = with_agents(100, &[]);
    story.begin("a", "r1");
    let outcome = story.relay(&[("a", "r1", "agent.exited", json!(null)), ("a", "r1", "note", json!(1))]);
    assert_eq!((outcome.ended, outcome.dropped), (vec![(run("r1"), ExitReason::Failed)], 1));
    assert_eq!(story.texts("SELECT json_extract(exit, '$.reason') FROM runs"), ["failed"]);
    let state = story.state("a");
    assert_eq!((&state["status"], &state["exit"]["reason"]), (&json!("failed"), &json!("failed")));
}

#[test]
fn an_unnamed_event_joins_the_open_run_and_the_first_after_an_end_opens_one() {
    let mut story = with_agents(100, &["a", "b"]);
    let outcome = story.post(&[
        ("a", "", "note", json!(1)),
        ("b", "", "note", json!(2)),
        ("a", "", "note", json!(3)),
        ("a", "", "agent.exited", exited()),
        ("a", "", "note", json!(4)),
        ("a", "", "note", json!(5)),
    ]);
    assert_eq!(outcome.begun, [run("minted-1"), run("minted-2"), run("minted-3")]);
    let expected = [
        "1 a minted-1 note",
        "2 b minted-2 note",
        "3 a minted-1 note",
        "4 a minted-1 agent.exited",
        "5 a minted-3 note",
        "6 a minted-3 note",
    ];
    assert_eq!(lines(&story), expected);
    assert!(story.post(&[("a", "", "note", json!(6))]).begun.is_empty());
    let list = runs::list(story.store.as_ref(), &story.town.agent(&agent("a")).unwrap().unwrap()).unwrap();
    let shown: Vec<_> = list
        .iter()
        .map(|run| (run.run_id.as_str(), run.run_number, run.first_event_id.get(), run.last_event_id.get()))
        .collect();
    assert_eq!(shown, [("minted-3", 2, 5, 7), ("minted-1", 1, 1, 4)]);
    assert_eq!(list[1].exit.as_ref().map(|exit| exit.reason), Some(ExitReason::Completed));
}

#[test]
fn an_unnamed_event_joins_the_newest_open_run_however_it_is_batched() {
    for together in [true, false] {
        let mut story = with_agents(100, &["a"]);
        story.post(&[("a", "r1", "note", json!(1)), ("a", "r2", "note", json!(2))]);
        let rest = [("a", "r1", "note", json!(3)), ("a", "", "note", json!(4))];
        if together {
            story.post(&rest);
        } else {
            story.post(&rest[..1]);
            story.post(&rest[1..]);
        }
        assert_eq!(lines(&story)[3], "4 a r2 note", "together: {together}");
    }
}

#[test]
fn the_name_of_another_agents_run_says_nothing() {
    let mut story = with_agents(100, &["b"]);
    story.begin("a", "r1");
    story.post(&[("b", "r1", "note", json!(1)), ("b", "r1", "agent.exited", exited())]);
    let expected = ["1 a r1 agent.status", "2 b minted-1 note", "3 b minted-1 agent.exited"];
    assert_eq!(lines(&story), expected);
    assert_eq!(story.texts("SELECT run_id FROM runs WHERE exit IS NULL"), ["r1"]);
    // The container's word of an agent that has no run open: a run of the name opens, whoever asked for it.
    let outcome = story.relay(&[("b", "r7", "note", json!(2))]);
    assert_eq!(outcome.begun, [run("r7")]);
}

#[test]
fn a_run_adds_up_to_what_its_agent_did_in_it() {
    let mut story = with_agents(100, &["a"]);
    let usage = json!({"message_id": "m", "input_tokens": 7, "output_tokens": 2, "cost_usd": 0.25});
    story.post(&[("a", "", "agent_usage", usage), ("a", "", "agent.exited", exited()), ("a", "", "note", json!(1))]);
    let list = runs::list(story.store.as_ref(), &story.town.agent(&agent("a")).unwrap().unwrap()).unwrap();
    let costs: Vec<_> = list.iter().map(|run| (run.usage.input_tokens, run.usage.cost_usd)).collect();
    assert_eq!(costs, [(0, None), (7, Some(0.25))]);
}

#[test]
fn a_run_of_before_1970_is_a_run() {
    let mut story = with_agents(100, &["a"]);
    let now = story.now;
    story.now = townwatch_protocol::time::Timestamp::parse("1960-01-01T00:00:00Z").unwrap();
    story.post(&[("a", "", "note", json!(1)), ("a", "", "agent.exited", exited())]);
    story.now = now;
    story.post(&[("a", "minted-1", "note", json!(2))]);
    let list = runs::list(story.store.as_ref(), &story.town.agent(&agent("a")).unwrap().unwrap()).unwrap();
    let ended = list[0].ended_at.map(|at| at.to_string());
    assert_eq!(
        (list[0].started_at.to_string(), ended),
        ("1960-01-01T00:00:00.000Z".into(), Some("1960-01-01T00:00:00.000Z".into()))
    );
}

#[test]
fn an_event_at_the_cap_takes_over_the_oldest_ones_row_whatever_the_log_holds() {
    let cost = |event_cap: u64| {
        let mut story = with_agents(event_cap, &["a", "b"]);
        story.notes("b", 400);
        story.notes("a", usize::try_from(event_cap).unwrap());
        story.notes("a", 1);
        let (statements, steps, rows) = (story.store.statements(), story.store.steps(), story.store.rows_changed());
        story.notes("a", 10);
        let cost =
            (story.store.statements() - statements, story.store.steps() - steps, story.store.rows_changed() - rows);
        assert_eq!(story.number("SELECT count(*) FROM agent_events WHERE agent_id = 'a'"), event_cap);
        cost
    };
    let (statements, steps, rows) = cost(50);
    assert_eq!(rows, 10 + 2, "each event's row, the cursor and the agent");
    let (more_statements, more_steps, _) = cost(2_000);
    assert_eq!(more_statements, statements);
    assert!(more_steps <= steps + steps / 10, "{steps} steps where 50 are kept, {more_steps} where 2,000 are");
}

#[test]
fn a_lowered_cap_is_kept_to_at_the_next_event() {
    let mut story = with_agents(10, &["a"]);
    story.notes("a", 12);
    let config = TownConfig { event_cap: 4, ..story.town.config() };
    story.reopen_with(config);
    story.notes("a", 1);
    let kept: Vec<u64> = story.log().into_iter().map(|(id, ..)| id).collect();
    assert_eq!(kept, [10, 11, 12, 13]);
    let a = agents::load(story.store.as_ref(), &agent("a")).unwrap().unwrap();
    assert_eq!((a.event_count, a.pruned_count, a.pruned_id.get(), a.pruned_at_head.get()), (4, 9, 9, 13));
}
