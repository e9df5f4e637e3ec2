//! The relay: which answers count, what a new life of the container ends, what silence does, and that nothing is ever
//! half done.

use serde_json::{Value as Json, json};
use townwatch_protocol::error::{Code, Error, Result};
use townwatch_protocol::event::ExitReason;
use townwatch_protocol::id::Epoch;
use townwatch_protocol::time::Timestamp;
use townwatch_protocol::wire::{ControlEvents, ControlStarted};
use townwatch_town::agents::runs::Source;
use townwatch_town::agents::starting::{StartRefused, StartRun};
use townwatch_town::log;
use townwatch_town::relay::taking::{AnswerEffect, ContainerStopped, RelayAnswer, RelayFailure};
use townwatch_town::relay::turn::RelayDemand;
use townwatch_town::relay::{self, Position, Reach};
use townwatch_town::store::Store;
use townwatch_town::town::Town;
use townwatch_town::viewers::Effect;

use crate::story::{Story, agent, epoch, position, run, said};

/// Agent `a` in its first run, taken over from the container.
fn at_work() -> Story {
    let mut story = Story::new();
    story.begin("a", "r1");
    story.relay(&[("a", "r1", "agent.status", json!({"status": "running"}))]);
    story
}

fn stands(story: &Story) -> Position {
    relay::position(story.store.as_ref(), &Source::Container).unwrap()
}

fn answered(story: &mut Story, asked: &Position, answer: &ControlEvents) -> AnswerEffect {
    story.apply_at(asked, answer).unwrap().0
}

fn no_answer() -> Error {
    Error::new(Code::ContainerTimeout, "the control server did not answer within 10 s")
}

fn silent(story: &mut Story) -> Vec<(String, ExitReason)> {
    let (_, outcome) = story.reported(RelayFailure { error: &no_answer() }).unwrap();
    outcome.ended.into_iter().map(|(run, reason)| (run.to_string(), reason)).collect()
}

/// `run: reason` of all that have ended.
fn ends(story: &Story) -> Vec<String> {
    story.texts("SELECT run_id || ': ' || json_extract(exit, '$.reason') FROM runs WHERE exit IS NOT NULL ORDER BY 1")
}

#[test]
fn the_first_answer_only_tells_where_to_ask() {
    let mut story = Story::new();
    story.begin("a", "r1");
    let answer = story.answer(&[("a", "r1", "agent_output", said("hello"))]);
    assert_eq!(stands(&story), Position { epoch: None, cursor: position(0) });
    let (AnswerEffect::NewEpoch, outcome) = story.apply(&answer) else { panic!("the first answer names the epoch") };
    assert_eq!((outcome.stored, outcome.ended.len()), (0, 0));
    assert_eq!(stands(&story), Position { epoch: Some(epoch("container-1")), cursor: position(0) });
    let (AnswerEffect::Taken { .. }, outcome) = story.apply(&answer) else { panic!("the second brings its events") };
    assert_eq!((outcome.stored, outcome.begun.len()), (1, 0));
    assert_eq!(stands(&story).cursor, position(1));
    assert_eq!(story.texts("SELECT source_epoch FROM runs"), ["container-1"]);
}

#[test]
fn an_answer_to_another_position_changes_nothing() {
    let mut story = at_work();
    let before = stands(&story);
    let late = story.answer(&[("a", "r1", "agent_output", said("1"))]);
    story.apply(&late);
    let known = story.dump();
    let elsewhere = [
        before,
        Position { epoch: None, cursor: position(0) },
        Position { epoch: Some(epoch("container-1")), cursor: position(9) },
        Position { epoch: Some(epoch("container-2")), cursor: position(2) },
    ];
    for asked in elsewhere {
        assert!(matches!(answered(&mut story, &asked, &late), AnswerEffect::Stale), "{asked:?}");
        assert_eq!(story.dump(), known);
    }
    // What the present position has already is passed over.
    let (AnswerEffect::Taken { .. }, outcome) = story.apply(&late) else { panic!("the position is the present one") };
    assert_eq!((outcome.stored, stands(&story).cursor), (0, position(2)));
    assert_eq!(story.dump(), known);
}

#[test]
fn a_new_life_ends_the_runs_of_the_old_one_once() {
    let mut story = at_work();
    story.begin("b", "r2");
    story.relay(&[("b", "r2", "agent_output", said("x")), ("b", "r2", "agent.exited", json!({"reason": "completed"}))]);
    // Asked for in the moment in which the container restarts: which life it is in is not known yet.
    story.begin("c", "r3");
    let old = stands(&story);
    let old_answer = story.answer(&[("a", "r1", "agent_output", said("late"))]);
    (story.epoch, story.emitted) = (epoch("container-2"), 0);
    let answer = story.answer(&[("c", "r3", "agent.status", json!({"status": "running"}))]);
    let (AnswerEffect::NewEpoch, outcome) = story.apply(&answer) else { panic!("the epoch is new") };
    assert_eq!(outcome.ended, [(run("r1"), ExitReason::Lost)]);
    assert_eq!(ends(&story), ["r1: lost", "r2: completed"]);
    assert_eq!(stands(&story), Position { epoch: Some(epoch("container-2")), cursor: position(0) });
    let state = story.state("a");
    assert_eq!((&state["status"], &state["activity"]["kind"]), (&json!("failed"), &json!("lost")));

    // The old life is over, whoever asks how.
    let known = story.dump();
    for asked in [old, stands(&story)] {
        assert!(matches!(answered(&mut story, &asked, &old_answer), AnswerEffect::Stale));
    }
    assert_eq!(story.dump(), known);
    let (AnswerEffect::Taken { .. }, outcome) = story.apply(&answer) else { panic!("the new life goes on") };
    assert_eq!((outcome.stored, outcome.ended.len()), (1, 0));
    assert_eq!(ends(&story), ["r1: lost", "r2: completed"]);
    assert_eq!(story.texts("SELECT source_epoch FROM runs WHERE run_id = 'r3'"), ["container-2"]);
}

#[test]
fn a_run_in_a_life_that_the_relay_never_followed_is_asked_for() {
    let mut story = at_work();
    story.begin("b", "r2");
    let accept = |story: &mut Story, life: &str| {
        let started = ControlStarted { epoch: epoch(life), run_id: run("r2") };
        story.confirm(&started)
    };
    let asked_for = |story: &Story| -> Vec<String> {
        let runs = story.town.unconfirmed_runs(story.now, 5_000).unwrap();
        runs.iter().map(|run| run.run_id.to_string()).collect()
    };
    // The container restarts, takes the start, and restarts again before it is asked for events.
    accept(&mut story, "container-2");
    story.pass(5_000);
    (story.epoch, story.emitted) = (epoch("container-3"), 0);
    story.relay(&[]);
    assert_eq!(ends(&story), ["r1: lost"]);
    assert_eq!(asked_for(&story), ["r2"], "it is in none of the lives that the relay knows");
    accept(&mut story, "container-3");
    assert!(asked_for(&story).is_empty());
    assert_eq!(accept(&mut story, "container-1").ended, [(run("r2"), ExitReason::Lost)], "of a life that is over");
}

#[test]
fn what_one_life_lost_says_nothing_of_a_run_in_another() {
    let mut story = at_work();
    story.begin("b", "r2");
    let started = ControlStarted { epoch: epoch("container-2"), run_id: run("r2") };
    story.confirm(&started);
    story.begin("c", "r3");
    story.emitted = 7;
    let mut answer = story.answer(&[("a", "r1", "agent_output", said("8"))]);
    answer.oldest = position(8);
    story.apply(&answer);
    let told = story.texts("SELECT agent_id FROM agent_events WHERE event = 'source_gap' ORDER BY id");
    assert_eq!(told, ["a", "c"], "of c nobody knows where it is");
    let lives = story.texts("SELECT run_id || ': ' || coalesce(source_epoch, 'unknown') FROM runs ORDER BY 1");
    assert_eq!(lives, ["r1: container-1", "r2: container-2", "r3: unknown"]);
}

#[test]
fn what_the_source_lost_is_told_in_its_place() {
    let gaps = |story: &Story| -> Vec<Json> {
        let rows = story
            .texts("SELECT json_extract(frame, '$.data') FROM agent_events WHERE event = 'source_gap' ORDER BY id");
        rows.iter().map(|data| serde_json::from_str(data).unwrap()).collect()
    };
    let mut story = at_work();
    story.emitted = 7;
    let mut answer = story.answer(&[("a", "r1", "agent_output", said("8"))]);
    answer.oldest = position(8);
    story.apply(&answer);
    assert_eq!(gaps(&story), [json!({"agent_id": "a", "count": 6, "source": "container"})]);
    let names: Vec<_> = story.log().into_iter().map(|(_, _, _, event)| event).collect();
    assert_eq!(names, ["agent.status", "agent.status", "source_gap", "agent_output"]);

    // Of two agents no one knows whose they were.
    story.begin("b", "r2");
    answer = story.answer(&[]);
    (answer.oldest, answer.head) = (position(11), position(10));
    story.apply(&answer);
    assert_eq!(
        gaps(&story)[1..],
        [json!({"agent_id": "a", "source": "container"}), json!({"agent_id": "b", "source": "container"})]
    );
    assert_eq!(stands(&story).cursor, position(10), "and what is gone is not asked for again");
    let before = story.dump();
    story.apply(&answer);
    assert_eq!(story.dump(), before);
}

#[test]
fn what_is_not_of_this_town_is_passed_over() {
    let mut story = at_work();
    let outcome = story.relay(&[("stranger", "r9", "agent_output", said("x")), ("a", "r1", "agent_output", said("y"))]);
    assert_eq!((outcome.stored, outcome.dropped, stands(&story).cursor), (1, 1, position(3)));
    assert_eq!(story.number("SELECT count(*) FROM agents"), 1);
}

#[test]
fn silence_is_told_at_once_and_after_five_minutes_the_runs_are_lost() {
    let mut story = at_work();
    assert_eq!(silent(&mut story), []);
    let state = story.state("a");
    assert_eq!(
        state["activity"],
        json!({
            "kind": "silent", "detail": "the container does not answer", "since": "2026-11-22T12:00:00.000Z",
        })
    );
    story.pass(299_999);
    assert_eq!(silent(&mut story), []);
    story.relay(&[]);
    assert_eq!(story.state("a")["activity"]["kind"], "thinking");

    assert_eq!(silent(&mut story), [], "an answer begins the count anew");
    story.pass(299_999);
    story.begin("b", "r2");
    story.pass(1);
    assert_eq!(silent(&mut story), [("r1".to_owned(), ExitReason::Lost)]);
    assert_eq!(silent(&mut story), [], "once");
    story.pass(299_998);
    assert_eq!(silent(&mut story), []);
    story.pass(1);
    assert_eq!(silent(&mut story), [("r2".to_owned(), ExitReason::Lost)], "five minutes of its own");
    assert_eq!(story.state("b")["activity"]["kind"], "lost");
}

#[test]
fn a_container_that_stopped_takes_its_runs_with_it_but_not_the_one_that_starts() {
    let mut story = at_work();
    story.begin("b", "r2");
    let ((), outcome) = story.reported(ContainerStopped).unwrap();
    assert_eq!((outcome.ended.len(), ends(&story)), (1, vec!["r1: lost".to_owned()]));
    assert_eq!(story.state("a")["exit"]["message"], "the container stopped while the agent ran in it");
    assert_eq!(story.state("b")["status"], "starting");
}

#[test]
fn a_run_does_not_begin_in_yesterdays_silence() {
    let mut story = at_work();
    silent(&mut story);
    story.pass(300_000);
    silent(&mut story);
    assert_eq!(ends(&story), ["r1: lost"]);
    story.pass(86_400_000);
    story.begin("a", "r2");
    assert_eq!(story.state("a")["activity"]["kind"], "thinking");
    assert_eq!(silent(&mut story), [], "the container still starts");
    assert_eq!(story.state("a")["activity"]["since"], "2026-11-23T12:05:00.000Z");
}

#[test]
fn the_next_turn_is_due_while_a_run_is_open() {
    let mut story = Story::new();
    let next = |story: &Story, is_watched| {
        story.town.relay_due_at(RelayDemand { is_watched, is_unasked: false }, story.now).unwrap()
    };
    assert_eq!((next(&story, true), next(&story, false)), (None, None));
    story.begin("a", "r1");
    assert_eq!(next(&story, true), Some(story.now));
    assert_eq!(next(&story, false), Some(story.now.plus_millis(15_000)));
    story.relay(&[("a", "r1", "agent.exited", json!({"reason": "completed"}))]);
    assert_eq!(next(&story, true), None);
    story.register("b");
    story.notes("b", 1);
    assert_eq!(next(&story, true), None, "what agents post needs no relay");
}

/// Lets each statement of `step` fail in turn; each time the tables are as they were. Behind the transaction a fault is one of
/// showing what was stored: viewers are let go, and nothing is missing.
fn nothing_is_half_done(story: &mut Story, mut step: impl FnMut(&mut Town, Timestamp) -> Result<()>) -> u64 {
    let before = story.dump();
    for statement in 0.. {
        story.store.fail_after(statement);
        let is_done = step(&mut story.town, story.now).is_ok();
        let is_let_go = story.town.take_effects().iter().any(|effect| matches!(effect, Effect::LetGo(_)));
        if is_done {
            assert!(is_let_go || !story.store.has_failed(), "a fault at statement {statement} went unnoticed");
            if !is_let_go {
                story.store.query("the fault that is left", &[]).unwrap_err();
            }
            assert_ne!(story.dump(), before);
            return statement;
        }
        assert_eq!(story.dump(), before, "after a fault at statement {statement}");
        let newest = story.number("SELECT coalesce(max(id), 0) FROM agent_events");
        assert_eq!(
            log::head(story.store.as_ref()).unwrap().get(),
            newest,
            "the head after a fault at statement {statement}"
        );
    }
    unreachable!()
}

#[test]
fn nothing_is_half_done_when_a_statement_fails() {
    let mut story = Story::capped(4);
    story.begin("a", "r1");
    story.begin("b", "r2");
    let asked = Position { epoch: None, cursor: position(0) };
    let first = story.answer(&[("a", "r1", "agent_output", said(&"x".repeat(60_000)))]);
    nothing_is_half_done(&mut story, |town, now| apply(town, &asked, &first, now));
    let asked = stands(&story);
    nothing_is_half_done(&mut story, |town, now| apply(town, &asked, &first, now));

    // A gap, a cut event that is pruned, an end, what comes after it, a new run.
    let mut answer = story.answer(&[
        ("a", "r1", "agent_output", said("1")),
        ("a", "r1", "agent_output", said(&"x".repeat(60_000))),
        ("b", "r2", "agent.exited", json!({"reason": "completed"})),
        ("b", "r2", "agent_output", said("late")),
        ("b", "r3", "agent_output", said("next")),
        ("a", "r1", "agent_output", said("2")),
    ]);
    for event in &mut answer.events {
        event.id = position(event.id.get() + 5);
    }
    answer.oldest = position(7);
    let asked = stands(&story);
    let statements = nothing_is_half_done(&mut story, |town, now| apply(town, &asked, &answer, now));
    assert!(statements > 20, "{statements}");
    assert_eq!((stands(&story).cursor, ends(&story)), (position(12), vec!["r2: completed".to_owned()]));
    assert_eq!(story.number("SELECT dropped_count FROM runs WHERE run_id = 'r2'"), 1);

    // A new life, and silence until the end.
    let asked = stands(&story);
    answer.epoch = Epoch::parse("container-2").unwrap();
    nothing_is_half_done(&mut story, |town, now| apply(town, &asked, &answer, now));
    assert_eq!(ends(&story), ["r1: lost", "r2: completed", "r3: lost"]);
    story.begin("a", "r4");
    let no_answer = no_answer();
    nothing_is_half_done(&mut story, |town, now| town.handle(RelayFailure { error: &no_answer }, now).map(drop));
    story.pass(300_000);
    nothing_is_half_done(&mut story, |town, now| town.handle(RelayFailure { error: &no_answer }, now).map(drop));
    assert_eq!(ends(&story), ["r1: lost", "r2: completed", "r3: lost", "r4: lost"]);

    let fresh = |order| StartRun { order, fresh_agent: agent("minted"), run_id: run("r5") };
    nothing_is_half_done(&mut story, |town, now| town.handle(fresh(Story::order("a")), now).map(drop));
    nothing_is_half_done(&mut story, |town, now| town.handle(StartRefused { run_id: &run("r5"), why: "no" }, now));
    assert_eq!(story.state("a")["status"], "failed");
}

fn apply(town: &mut Town, position: &Position, answer: &ControlEvents, now: Timestamp) -> Result<()> {
    town.handle(RelayAnswer { position, reach: Reach::New, answer: answer.clone().into() }, now).map(drop)
}
