//! The archive: who is put away leaves the lists and nothing else, comes back by a start, a registration or the operator's
//! word, and loses nothing on the way.

use serde_json::{Value as Json, json};
use townwatch_protocol::error::{Code, Error};
use townwatch_protocol::event::Role;
use townwatch_protocol::id::RigId;
use townwatch_protocol::limits::{AGENTS_PER_TOWN_MAX, ARCHIVED_AGENTS_PER_TOWN_MAX};
use townwatch_protocol::wire::{ContainerStatus, ContainerView};
use townwatch_town::agents::archive::{ArchiveCompletion, BringAgentBack};
use townwatch_town::agents::deletion::EraseAgent;
use townwatch_town::agents::starting::StartRun;
use townwatch_town::reading::cursor::BeginRequest;
use townwatch_town::store::Store;
use townwatch_town::viewers::Effect;

use crate::story;
use crate::story::{Story, agent, run, said, told};

pub fn rig_id(name: &str) -> RigId {
    RigId::parse(name).unwrap()
}

/// An agent that has posted some notes, and whose run is over.
pub fn done(story: &mut Story, name: &str) {
    story.register(name);
    story.notes(name, 3);
    story.post(&[(name, "", "agent.exited", json!({"reason": "completed"}))]);
}

pub fn put_away(story: &mut Story, name: &str) -> Vec<Effect> {
    let plan = story.town.begin_archive(&agent(name)).unwrap().unwrap();
    story.seen(ArchiveCompletion { plan: &plan })
}

pub fn listed(story: &Story) -> Vec<String> {
    story.town.agents().unwrap().iter().map(|state| state.agent_id.to_string()).collect()
}

pub fn archived(story: &Story) -> Vec<String> {
    story.town.archived_agents(None, 100).unwrap().iter().map(|state| state.agent_id.to_string()).collect()
}

pub fn view(story: &Story) -> Json {
    let container =
        ContainerView { status: ContainerStatus::Asleep, runtimes: Vec::new(), agents_apart: None, sandbox: None };
    serde_json::to_value(story.town.view(container).unwrap()).unwrap()
}

pub fn conflict(error: &Error, words: &str) {
    assert_eq!(error.code, Code::Conflict, "{}", error.message);
    assert!(error.message.contains(words), "{}", error.message);
}

/// Rows of agents without a history, beside those that there are.
fn fill(story: &Story, count: u64, prefix: &str) {
    story
        .store
        .query(
            "WITH RECURSIVE numbers (number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < ?1) \
             INSERT INTO agents (agent_id, rig_id, state, base, archived_at_ms) \
             SELECT ?2 || number, rig_id, state, base, archived_at_ms FROM agents, numbers WHERE agent_id = 'pattern'",
            &[count.into(), prefix.into()],
        )
        .unwrap();
}

#[test]
fn it_leaves_the_lists_and_keeps_all_that_it_has() {
    let mut story = Story::new();
    done(&mut story, "kept");
    done(&mut story, "away");
    let (log, state) = (story.log(), story.state("away"));
    let (viewer, _) = story.join("", BeginRequest::default());
    story.pass(1_000);
    story.tick();
    story.pass(1_000);
    let effects = put_away(&mut story, "away");
    assert_eq!(told(&effects, viewer), ["state away"]);
    assert_eq!(story::frames(&effects, viewer)[0]["agent"]["archived_at"], json!(story.now));
    assert_eq!((listed(&story), archived(&story)), (vec!["kept".to_owned()], vec!["away".to_owned()]));
    let town = view(&story);
    assert_eq!((town["agents"].as_array().unwrap().len(), &town["archived_agents"]), (1, &json!(1)));
    assert_eq!(story.log(), log);
    story.reopen();
    let mut after = story.state("away");
    assert_eq!(after.as_object_mut().unwrap().remove("archived_at").unwrap(), json!(story.now));
    assert_eq!(after, state);
    // Who comes now has its events, and its state only where it asks for it.
    let (all, effects) = story.join("", BeginRequest::default());
    assert_eq!(told(&effects, all)[..2], ["hello", "state kept"]);
    let (own, effects) = story.join("away", BeginRequest::default());
    assert_eq!(told(&effects, own)[..2], ["hello", "state away"]);
    // Once more changes nothing.
    story.pass(1_000);
    assert!(story.town.begin_archive(&agent("away")).unwrap().is_none());
    assert_eq!(story.town.begin_archive(&agent("nobody")).unwrap_err().code, Code::NotFound);
}

#[test]
fn one_with_an_open_run_is_not_put_away_also_where_its_rig_hands_that_over_meanwhile() {
    let mut story = Story::new();
    story.begin("a", "r");
    conflict(&story.town.begin_archive(&agent("a")).unwrap_err(), "stop it first");
    story.relay(&[("a", "r", "agent.exited", json!({"reason": "completed"}))]);
    let plan = story.town.begin_archive(&agent("a")).unwrap().unwrap();
    story.notes("a", 1);
    conflict(&story.handle(ArchiveCompletion { plan: &plan }).unwrap_err(), "stop it first");
    assert!(story.town.abandon_archive(&plan));
    assert_eq!(listed(&story), ["a"]);
    story.begin("b", "s"); // nobody is held up
}

#[test]
fn nothing_begins_while_it_goes_and_what_was_interrupted_does_not_end() {
    let mut story = Story::new();
    done(&mut story, "a");
    let plan = story.town.begin_archive(&agent("a")).unwrap().unwrap();
    let registered = story.register_in("rig", "a", Role::Polecat).unwrap_err();
    conflict(&registered, "being archived");
    let order = Story::order("a");
    conflict(&story.start(order, "r").unwrap_err(), "being archived");
    // A deletion goes before it, and another archive takes it over.
    let again = story.town.begin_archive(&agent("a")).unwrap().unwrap();
    assert_eq!(story.handle(ArchiveCompletion { plan: &plan }).unwrap_err().code, Code::TownUnavailable);
    assert!(!story.town.abandon_archive(&plan), "it is the other one's");
    let deletion = story.town.begin_deletion(&agent("a")).unwrap();
    assert_eq!(story.handle(ArchiveCompletion { plan: &again }).unwrap_err().code, Code::TownUnavailable);
    conflict(&story.town.begin_archive(&agent("a")).unwrap_err(), "being deleted");
    story.town.abandon_deletion(&deletion);
    // An eviction between the steps.
    let plan = story.town.begin_archive(&agent("a")).unwrap().unwrap();
    story.reopen();
    assert_eq!(story.handle(ArchiveCompletion { plan: &plan }).unwrap_err().code, Code::TownUnavailable);
    put_away(&mut story, "a");
    assert_eq!(archived(&story), ["a"]);
}

#[test]
fn a_registration_a_start_and_the_operator_bring_it_back_and_viewers_are_told() {
    let mut story = Story::new();
    done(&mut story, "a");
    let (viewer, _) = story.join("", BeginRequest::default());
    for way in 0..3 {
        put_away(&mut story, "a");
        story.pass(1_000);
        let effects = match way {
            0 => {
                story.register_in("rig", "a", Role::Polecat).unwrap();
                story.shown()
            }
            1 => {
                assert_eq!(story.handle(BringAgentBack { agent_id: &agent("a") }).unwrap(), rig_id("rig"));
                story.shown()
            }
            _ => {
                let order = Story::order("a");
                let start = StartRun { order, fresh_agent: agent("minted"), run_id: run("r") };
                let ((_, state), outcome) = story.reported(start).unwrap();
                assert_eq!(state.archived_at, None);
                assert_eq!(outcome.returned, [(rig_id("rig"), agent("a"))], "its rig is to be told");
                story.shown()
            }
        };
        let mut states = story::frames(&effects, viewer).into_iter().filter(|frame| frame["type"] == "state");
        let last = states.next_back().unwrap();
        assert_eq!((&last["agent"]["agent_id"], last["agent"].get("archived_at")), (&json!("a"), None));
        assert_eq!((listed(&story), archived(&story).len()), (vec!["a".to_owned()], 0));
        story.pass(1_000);
    }
    assert_eq!(story.state("a")["run_number"], 2);
    story.handle(BringAgentBack { agent_id: &agent("a") }).unwrap(); // it is there already, and its rig is told once more
}

#[test]
fn room_is_made_by_the_archive_and_needed_to_come_back() {
    let mut story = Story::new();
    story.register("pattern");
    fill(&story, AGENTS_PER_TOWN_MAX - 2, "full-");
    done(&mut story, "a");
    let rig = rig_id("rig");
    let refused = story.register_in("rig", "one-more", Role::Polecat).unwrap_err();
    assert_eq!(refused.code, Code::RateLimited);
    assert!(refused.message.contains("archive one") && refused.message.contains("delete one"), "{}", refused.message);
    put_away(&mut story, "a");
    story.register("one-more");
    let order = Story::order("a");
    let ways = [
        story.register_in("rig", "a", Role::Polecat).unwrap_err(),
        story.start(order, "r").map(drop).unwrap_err(),
        story.handle(BringAgentBack { agent_id: &agent("a") }).map(drop).unwrap_err(),
    ];
    assert!(ways.iter().all(|error| error.code == Code::RateLimited), "{ways:?}");
    assert_eq!(archived(&story), ["a"]);
    // A container that starts it by itself is passed over, as with any agent beyond the room.
    let outcome = story.relay(&[("a", "own", "agent_output", said("hello"))]);
    assert_eq!((outcome.stored, outcome.dropped), (0, 1));
    put_away(&mut story, "one-more");
    let outcome = story.relay(&[("a", "own", "agent_output", said("hello"))]);
    assert_eq!((outcome.stored, outcome.returned), (1, vec![(rig, agent("a"))]));
    assert_eq!(archived(&story), ["one-more"]);
}

#[test]
fn the_archive_has_a_bound_whose_refusal_names_the_way_out() {
    let mut story = Story::new();
    done(&mut story, "a");
    done(&mut story, "b");
    done(&mut story, "pattern");
    put_away(&mut story, "pattern");
    fill(&story, ARCHIVED_AGENTS_PER_TOWN_MAX - 2, "put-away-");
    put_away(&mut story, "a");
    let plan = story.town.begin_archive(&agent("b")).unwrap().unwrap();
    let refused = story.handle(ArchiveCompletion { plan: &plan }).unwrap_err();
    assert_eq!(refused.code, Code::RateLimited);
    assert!(refused.message.contains("delete"), "{}", refused.message);
    story.town.abandon_archive(&plan);
    let deletion = story.town.begin_deletion(&agent("put-away-7")).unwrap();
    story.handle(EraseAgent { plan: &deletion }).unwrap();
    put_away(&mut story, "b");
    let page = story.town.archived_agents(Some(&agent("put-away-9998")), 10).unwrap();
    assert!(page.is_empty(), "{page:?}");
    let page = story.town.archived_agents(Some(&agent("a")), 2).unwrap();
    assert_eq!(page.iter().map(|state| state.agent_id.as_str()).collect::<Vec<_>>(), ["b", "pattern"]);
}

#[test]
fn what_of_it_is_pruned_is_still_told_and_an_event_keeps_it_archived() {
    let mut story = Story::capped(2);
    done(&mut story, "a");
    done(&mut story, "b");
    let gaps = |story: &mut Story| {
        let (viewer, effects) = story.join("", BeginRequest::default());
        told(&effects, viewer).into_iter().filter(|frame| frame.starts_with("gap")).collect::<Vec<_>>()
    };
    let before = gaps(&mut story);
    assert_eq!(before.len(), 2, "{before:?}");
    put_away(&mut story, "a");
    assert_eq!(gaps(&mut story), before);
    // A row that is written anew because of a pruned event keeps what says that it is archived.
    let budget = serde_json::from_value(json!({"max_tokens": 5})).unwrap();
    story.set_budget("a", &budget).unwrap();
    assert_eq!(archived(&story), ["a"]);
}

#[test]
fn lists_go_by_the_table_and_counts_and_gaps_by_indices_alone() {
    let story = Story::new();
    let plan_of = |sql: &str| {
        let rows = story.store.query(&format!("EXPLAIN QUERY PLAN {sql}"), &[]).unwrap();
        rows.iter().map(|row| row.text(3).unwrap().to_owned()).collect::<Vec<_>>().join("\n")
    };
    let plan =
        plan_of("SELECT state FROM agents WHERE +archived_at_ms IS NULL AND agent_id > 'a' ORDER BY agent_id LIMIT 9");
    assert!(plan.contains("USING PRIMARY KEY (agent_id>?)") && !plan.contains("TEMP B-TREE"), "{plan}");
    for (index, condition) in [("agents_present", "IS NULL"), ("agents_archived", "IS NOT NULL")] {
        let plan = plan_of(&format!("SELECT count(*) FROM agents INDEXED BY {index} WHERE archived_at_ms {condition}"));
        assert!(plan.contains(&format!("COVERING INDEX {index}")), "{plan}");
    }
    let gaps = "SELECT agent_id, first_id, pruned_id, pruned_count FROM agents INDEXED BY agents_archived_pruned \
         WHERE archived_at_ms IS NOT NULL AND pruned_id > 5 AND pruned_at_head > 5";
    let plan = plan_of(gaps);
    assert!(plan.contains("COVERING INDEX agents_archived_pruned (pruned_id>?)"), "{plan}");
}
