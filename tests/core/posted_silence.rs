//! An agent that posts and falls silent: said by the town's alarm when its time has come, taken back by its next event.

use serde_json::{Value as Json, json};
use townwatch_protocol::calls::EndedRuns;
use townwatch_protocol::event::ExitReason;
use townwatch_protocol::id::RigId;
use townwatch_protocol::limits::SILENCE_POSTED_MS;
use townwatch_protocol::wire::RigRequest;
use townwatch_town::agents::posted_end::StopPosted;
use townwatch_town::agents::posted_silence::Heartbeat;
use townwatch_town::input::RigNotice;
use townwatch_town::log::ingest::Outcome;
use townwatch_town::reading::cursor::BeginRequest;
use townwatch_town::town::{Tick, TownConfig};
use townwatch_town::viewers::Effect;

use crate::story;
use crate::story::{Story, frames};

/// After so long a run is lost, unless the installation has set something else.
const LOST_MS: i64 = 24 * 3_600_000;

fn hear(story: &mut Story) -> Vec<Effect> {
    story.seen(Heartbeat { rig_id: &RigId::parse("rig").unwrap(), agent_id: &story::agent("p") })
}

/// The town's alarm: what rigs are to be told of runs that are lost, and what the log got.
fn alarmed(story: &mut Story) -> (Vec<(RigId, EndedRuns)>, Outcome) {
    let ((), outcome) = story.reported(Tick).unwrap();
    let ends = story.shown().into_iter().filter_map(|effect| match effect {
        Effect::TellRig(rig_id, RigNotice::Ended(ends)) => Some((rig_id, ends)),
        _ => None,
    });
    (ends.collect(), outcome)
}

fn alarm(story: &mut Story) -> Vec<(RigId, EndedRuns)> {
    alarmed(story).0
}

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
    let (viewer, _) = story.join("p", BeginRequest::default());
    story.pass(1_000);
    story.tick();
    assert_eq!(story.town.due_at(story.now), Some(story.now.plus_millis(SILENCE_POSTED_MS - 1_000)));
    story.pass(SILENCE_POSTED_MS - 1_001);
    story.tick();
    assert_eq!(activity(&story), "thinking");
    story.pass(1);
    let told = frames(&story.tick(), viewer);
    assert_eq!((&told[0]["type"], &told[0]["agent"]["activity"]["kind"]), (&json!("state"), &json!("silent")));
    assert_eq!(told[0]["agent"]["activity"]["since"], last_event_at);
    let lost_at = story.now.plus_millis(LOST_MS - SILENCE_POSTED_MS);
    assert_eq!(story.town.due_at(story.now.plus_millis(1_000)), Some(lost_at), "no alarm for what has been said");
    // An eviction forgets nothing, and says nothing twice.
    story.reopen();
    story.pass(1_000);
    assert!(story.tick().is_empty());
    assert_eq!((activity(&story), story.town.due_at(story.now)), ("silent".to_owned(), Some(lost_at)));
    let (viewer, _) = story.join("p", BeginRequest::default());
    let _outcome = story.post(&[("p", "", "note", json!(2))]);
    let told = frames(&story.shown(), viewer);
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
        story.tick();
        assert_eq!(activity(&story), kind);
        // Its next event is work, and silence after that is silence.
        story.post(&[
            ("p", "", "agent.status", json!({"status": "running"})),
            ("p", "", "agent_question_answered", json!({"request_id": "q", "answer": "once", "by": "operator"})),
        ]);
        story.pass(SILENCE_POSTED_MS);
        story.tick();
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
    story.tick();
    assert_eq!(activity(&story), "thinking");
}

#[test]
fn an_ended_run_and_a_run_of_the_container_are_not_silent_by_it() {
    let mut story = posting();
    story.begin("c", "r1");
    story.post(&[("p", "", "agent.exited", json!({"reason": "completed"}))]);
    story.pass(1_000);
    story.tick();
    assert_eq!(story.town.due_at(story.now), None);
    story.pass(10 * SILENCE_POSTED_MS);
    story.tick();
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
    story.tick();
    assert_eq!(activity(&story), "thinking");
}

#[test]
fn what_the_town_knows_of_a_posted_run_introduces_it() {
    let mut story = Story::new();
    let git_url = "https://example.test/x.git".to_owned();
    let request = RigRequest { name: "known".to_owned(), git_url: Some(git_url.clone()), default_branch: None };
    story.town.add_rig(RigId::parse("known").unwrap(), &request, story.now).unwrap();
    story.register_in("known", "k", townwatch_protocol::event::Role::Polecat).unwrap();
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

#[test]
fn a_run_of_which_nothing_is_heard_for_a_day_is_lost_at_its_time_and_once() {
    let mut story = posting();
    story.post(&[("p", "named", "note", json!(1))]);
    story.register("q");
    story.pass(1_000);
    story.notes("q", 1);
    story.pass(-1_000);
    story.pass(SILENCE_POSTED_MS);
    assert!(alarm(&mut story).is_empty());
    story.pass(LOST_MS - SILENCE_POSTED_MS - 1);
    assert!(alarm(&mut story).is_empty(), "not before its time");
    // An eviction forgets nothing.
    story.reopen();
    assert_eq!(story.town.due_at(story.now), Some(story.now.plus_millis(1)));
    story.pass(1);
    let (ends, outcome) = alarmed(&mut story);
    let [(rig_id, ends)] = ends.as_slice() else { panic!("{ends:?}") };
    let runs: Vec<&str> = ends.run_ids.iter().map(townwatch_protocol::id::RunId::as_str).collect();
    assert_eq!(
        (rig_id.as_str(), ends.agent_id.as_str(), runs),
        ("rig", "p", vec!["minted-1", "named"]),
        "all of its runs"
    );
    assert_eq!((ends.reason, outcome.stored, outcome.ended.len()), (ExitReason::Lost, 2, 2));
    let exit = &story.state("p")["exit"];
    assert_eq!(
        (&exit["reason"], &exit["message"]),
        (&json!("lost"), &json!("nothing was heard of the agent for 24 h"))
    );
    assert_eq!(activity(&story), "lost");
    assert_eq!(story.state("q")["exit"], Json::Null, "a second later");
    assert!(alarm(&mut story).is_empty());
    story.pass(1_000);
    assert_eq!(alarm(&mut story).len(), 1);
    story.pass(1_000);
    assert_eq!(story.town.due_at(story.now), None, "no alarm where nothing is open");
    // What comes late under the name of a run is dropped and counted; without a name it begins another.
    let outcome = story.post(&[("p", "named", "note", json!(2)), ("p", "", "note", json!(3))]);
    assert_eq!((outcome.stored, outcome.dropped), (1, 1));
    assert_eq!(story.state("p")["run_id"], "minted-3");
}

#[test]
fn a_heartbeat_keeps_a_run_and_takes_silence_back_but_is_no_event() {
    let mut story = posting();
    let (viewer, _) = story.join("p", BeginRequest::default());
    let events = story.number("SELECT count(*) FROM agent_events");
    for _ in 0..4 {
        story.pass(LOST_MS / 2);
        assert!(alarm(&mut story).is_empty());
        assert_eq!(activity(&story), "silent");
        story.pass(1_000);
        let told = frames(&hear(&mut story), viewer);
        assert_eq!((&told[0]["type"], &told[0]["agent"]["activity"]["kind"]), (&json!("state"), &json!("thinking")));
        assert_eq!(activity(&story), "thinking");
    }
    // One that is not silent has nobody told.
    story.pass(1_000);
    assert!(hear(&mut story).is_empty());
    story.reopen();
    assert_eq!(story.town.due_at(story.now), Some(story.now.plus_millis(SILENCE_POSTED_MS)));
    assert_eq!(story.number("SELECT count(*) FROM agent_events"), events);
    story.post(&[("p", "", "agent.exited", json!({"reason": "completed"}))]);
    let before = story.dump();
    story.pass(1_000);
    assert!(hear(&mut story).is_empty(), "nothing is open");
    assert_eq!((story.dump() == before, story.town.due_at(story.now)), (true, None));
    let rig_id = RigId::parse("other").unwrap();
    let other = story.handle(Heartbeat { rig_id: &rig_id, agent_id: &story::agent("p") });
    assert_eq!(other.unwrap_err().code, townwatch_protocol::error::Code::NotFound);
}

#[test]
fn the_setting_says_when_a_run_is_lost_also_before_it_is_called_silent() {
    let mut story = Story::with(TownConfig { posted_lost_ms: 5_000, ..TownConfig::default() });
    story.register("p");
    story.notes("p", 1);
    assert_eq!(story.town.due_at(story.now.plus_millis(600)), Some(story.now.plus_millis(5_000)));
    story.pass(5_000);
    assert_eq!(alarm(&mut story).len(), 1);
    assert_eq!(story.state("p")["exit"]["message"], "nothing was heard of the agent for 5 s");
}

#[test]
fn an_older_run_that_is_open_beside_the_newest_one_is_lost_too() {
    let mut story = Story::new();
    story.register("p");
    story.post(&[("p", "first", "note", json!(1)), ("p", "second", "agent.exited", json!({"reason": "completed"}))]);
    story.pass(1_000);
    assert_eq!(story.town.due_at(story.now), Some(story.now.plus_millis(SILENCE_POSTED_MS - 1_000)));
    story.pass(LOST_MS);
    assert_eq!(alarm(&mut story).len(), 1);
    assert_eq!(story.number("SELECT count(*) FROM runs WHERE exit IS NULL"), 0);
    assert_eq!(activity(&story), "ended", "the newest one's end is what the state shows");
}

#[test]
fn the_operator_stops_what_an_agent_posts_and_where_it_has_to_be_stopped_follows_from_its_runs() {
    let mut story = posting();
    let plan = |story: &Story, name: &str| {
        let plan = story.town.stop_plan(&story::agent(name)).unwrap();
        (plan.posted.map(|(_, run_ids)| run_ids.len()), plan.in_container)
    };
    assert_eq!(plan(&story, "p"), (Some(1), false));
    story.register("fresh");
    assert_eq!(plan(&story, "fresh"), (Some(0), false), "it can only be about to post");
    story.begin("c", "r1");
    assert_eq!(plan(&story, "c"), (None, true));
    let end = story.handle(StopPosted { agent_id: &story::agent("p") }).unwrap().unwrap();
    assert_eq!((end.ends.reason, end.ends.run_ids.len()), (ExitReason::Stopped, 1));
    let exit = &story.state("p")["exit"];
    assert_eq!((&exit["reason"], &exit["message"]), (&json!("stopped"), &json!("it was stopped by the operator")));
    assert!(story.handle(StopPosted { agent_id: &story::agent("p") }).unwrap().is_none(), "once");
    story.pass(1_000);
    story.tick();
    assert_eq!((plan(&story, "p"), story.town.due_at(story.now)), ((Some(0), false), None));
    // A start under its id works, and is then the container's to stop.
    story.begin("p", "r2");
    assert_eq!(plan(&story, "p"), (None, true));
    story.post(&[("p", "beside", "note", json!(1))]);
    assert_eq!(plan(&story, "p"), (Some(1), true), "both");
    assert!(story.town.stop_plan(&story::agent("nobody")).is_err());
}

#[test]
fn the_end_of_another_run_says_nothing_of_an_agent_that_is_silent() {
    let mut story = Story::new();
    story.begin("p", "r1");
    story.post(&[("p", "posted", "note", json!(1))]);
    story.pass(SILENCE_POSTED_MS);
    story.tick();
    assert_eq!(activity(&story), "silent");
    story.refuse("r1", "its start never arrived there");
    assert_eq!(activity(&story), "silent", "nothing was heard of the run that it is in");
    story.post(&[("p", "posted", "note", json!(2))]);
    assert_eq!(activity(&story), "thinking");
}
