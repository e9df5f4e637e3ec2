//! An agent that posts and falls silent: said by the town's alarm when its time has come, taken back by its next event.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod sqlite;
mod story;

use serde_json::{Value as Json, json};
use story::{Story, frames};
use townwatch::core::cursor::Asked;
use townwatch::id::RigId;
use townwatch::limits::SILENCE_POSTED_MS;
use townwatch::protocol::RigRequest;

fn activity(story: &Story) -> String {
    story.state("p")["activity"]["kind"].as_str().unwrap().to_owned()
}

fn posting() -> Story {
    let mut story = Story::new();
    story.register("p");
    story.notes("p", 1);
    story
}

#[test]
fn it_is_said_once_its_time_has_come_and_its_next_event_ends_it() {
    let mut story = posting();
    let last_event_at = story.state("p")["last_event_at"].clone();
    let (viewer, _) = story.join("p", Asked::default());
    story.pass(1_000);
    story.town.tick(story.now).unwrap();
    assert_eq!(story.town.due_at(story.now), Some(story.now.plus_millis(SILENCE_POSTED_MS - 1_000)));
    story.pass(SILENCE_POSTED_MS - 1_001);
    story.town.tick(story.now).unwrap();
    assert_eq!(activity(&story), "thinking");
    story.pass(1);
    let told = frames(&story.town.tick(story.now).unwrap(), viewer);
    assert_eq!((&told[0]["type"], &told[0]["agent"]["activity"]["kind"]), (&json!("state"), &json!("silent")));
    assert_eq!(told[0]["agent"]["activity"]["since"], last_event_at);
    assert_eq!(story.town.due_at(story.now), None, "no alarm for what has been said");
    // An eviction forgets nothing, and says nothing twice.
    story.reopen();
    story.pass(1_000);
    assert!(story.town.tick(story.now).unwrap().is_empty());
    assert_eq!((activity(&story), story.town.due_at(story.now)), ("silent".to_owned(), None));
    let (viewer, _) = story.join("p", Asked::default());
    let outcome = story.post(&[("p", "", "note", json!(2))]);
    let told = frames(&story.publish(&outcome), viewer);
    let state = told.iter().find(|frame| frame["type"] == "state").expect("a state frame");
    assert_eq!(state["agent"]["activity"]["kind"], "thinking");
    assert_eq!(story.town.due_at(story.now.plus_millis(1_000)), Some(story.now.plus_millis(SILENCE_POSTED_MS)));
}

#[test]
fn who_waits_for_a_person_is_not_silent() {
    let question = json!({"request_id": "q", "kind": "input", "detail": "Which?", "options": ["a", "b"]});
    for (event, data, kind) in
        [("agent.status", json!({"status": "waiting"}), "waiting"), ("agent_question", question, "question")]
    {
        let mut story = posting();
        story.post(&[("p", "", event, data)]);
        story.pass(SILENCE_POSTED_MS);
        story.town.tick(story.now).unwrap();
        assert_eq!(activity(&story), kind);
        // Its next event is work, and silence after that is silence.
        story.post(&[
            ("p", "", "agent.status", json!({"status": "running"})),
            ("p", "", "agent_question_answered", json!({"request_id": "q", "answer": "once", "by": "operator"})),
        ]);
        story.pass(SILENCE_POSTED_MS);
        story.town.tick(story.now).unwrap();
        assert_eq!(activity(&story), "silent");
    }
}

#[test]
fn one_deadline_moves_with_the_events_and_survives_an_eviction() {
    let mut story = posting();
    story.pass(SILENCE_POSTED_MS / 2);
    story.notes("p", 1);
    story.reopen();
    assert_eq!(story.town.due_at(story.now), Some(story.now.plus_millis(SILENCE_POSTED_MS)));
    story.pass(SILENCE_POSTED_MS / 2);
    story.town.tick(story.now).unwrap();
    assert_eq!(activity(&story), "thinking");
}

#[test]
fn an_ended_run_and_a_run_of_the_container_are_not_silent_by_it() {
    let mut story = posting();
    story.begin("c", "r1");
    story.post(&[("p", "", "agent.exited", json!({"reason": "completed"}))]);
    story.pass(1_000);
    story.town.tick(story.now).unwrap();
    assert_eq!(story.town.due_at(story.now), None);
    story.pass(10 * SILENCE_POSTED_MS);
    story.town.tick(story.now).unwrap();
    assert_eq!(
        (activity(&story), story.state("c")["activity"]["kind"].clone()),
        ("ended".to_owned(), json!("thinking"))
    );
}

#[test]
fn an_agent_whose_clock_is_behind_is_heard_all_the_same() {
    let mut story = Story::new();
    story.register("p");
    let now = story.now;
    story.pass(-2 * 3_600_000);
    let behind = story.now;
    story.now = now;
    story.post_at(&[("p", "", "note", json!(1))], behind);
    story.town.tick(story.now).unwrap();
    assert_eq!(activity(&story), "thinking");
}

#[test]
fn what_the_town_knows_of_a_posted_run_introduces_it() {
    let mut story = Story::new();
    let git_url = "https://example.test/x.git".to_owned();
    let request = RigRequest { name: "known".to_owned(), git_url: Some(git_url.clone()), default_branch: None };
    story.town.add_rig(RigId::parse("known").unwrap(), &request, story.now).unwrap();
    story
        .town
        .register_agent(&RigId::parse("known").unwrap(), &story::agent("k"), "k", townwatch::event::Role::Polecat)
        .unwrap();
    let outcome = story.post_to("known", &[("k", "", "note", json!(1)), ("k", "", "note", json!(2))]);
    assert_eq!(outcome.stored, 3);
    let events: Vec<String> =
        story.log().into_iter().map(|(id, _, run, event)| format!("{id} {run} {event}")).collect();
    assert_eq!(events, ["1 minted-1 agent_session", "2 minted-1 note", "3 minted-1 note"]);
    assert_eq!(story.state("k")["git_origin"], Json::from(git_url));
    let first = json!({"model": "m"});
    story.post_to(
        "known",
        &[("k", "", "agent.exited", json!({"reason": "completed"})), ("k", "", "agent_session", first)],
    );
    assert_eq!(
        story.number("SELECT count(*) FROM agent_events WHERE event = 'agent_session'"),
        2,
        "its own word is enough"
    );
}
