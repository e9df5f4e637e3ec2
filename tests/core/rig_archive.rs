//! A rig leaves with its agents: it is archived and comes back, or is deleted for good, and its own object refuses what is new.

use std::rc::Rc;

use serde_json::json;
use townwatch_protocol::error::{Code, Result};
use townwatch_protocol::event::Role;
use townwatch_protocol::id::AgentId;
use townwatch_protocol::time::Timestamp;
use townwatch_protocol::wire::{PostEvents, PostReceipt};
use townwatch_town::agents::archive::{ArchiveCompletion, ArchivePlan, BringAgentBack};
use townwatch_town::reading::cursor::BeginRequest;
use townwatch_town::rig::Rig;
use townwatch_town::rig::rig_deletion::EraseRigAgent;
use townwatch_town::store::Store;

use crate::archive::{archived, conflict, done, listed, put_away, rig_id, view};
use crate::sqlite::Sqlite;
use crate::story::{Story, agent, epoch, run, told};

fn begin_rig(story: &mut Story, name: &str) -> Result<ArchivePlan> {
    story.town.begin_rig_archive(&rig_id(name))
}

#[test]
fn a_rig_is_put_away_with_its_agents_and_takes_none_until_it_is_back() {
    let mut story = Story::new();
    story.add_rig("other");
    done(&mut story, "a");
    story.begin("b", "r");
    story.register_in("other", "elsewhere", Role::Polecat).unwrap();
    conflict(&begin_rig(&mut story, "rig").unwrap_err(), "agent b has an open run");
    story.relay(&[("b", "r", "agent.exited", json!({"reason": "completed"}))]);
    let plan = begin_rig(&mut story, "rig").unwrap();
    assert_eq!(plan.agents, [agent("a"), agent("b")]);
    story.handle(ArchiveCompletion { plan: &plan }).unwrap();
    assert_eq!(
        (listed(&story), archived(&story)),
        (vec!["elsewhere".to_owned()], vec!["a".to_owned(), "b".to_owned()])
    );
    assert_eq!(view(&story)["rigs"][1]["archived_at"], json!(story.now));
    let order = Story::order("new");
    let refused = [
        story.register_in("rig", "new", Role::Polecat).unwrap_err(),
        story.start(order, "s").map(drop).unwrap_err(),
        story.handle(BringAgentBack { agent_id: &agent("a") }).map(drop).unwrap_err(),
    ];
    for error in refused {
        conflict(&error, "bring the rig back with DELETE /api/towns/town/rigs/rig/archive");
    }
    // What others start in the container goes to the next rig.
    let (told, run) = (agent("told"), run("own"));
    assert!(story.town.admit([(&told, Some(&run))].into_iter()).unwrap());
    assert_eq!(story.state("told")["rig_id"], "other");
    story.town.bring_rig_back(&rig_id("rig")).unwrap();
    assert!(view(&story)["rigs"][1].get("archived_at").is_none());
    story.handle(BringAgentBack { agent_id: &agent("a") }).unwrap();
    assert_eq!(archived(&story), ["b"]);
    assert_eq!(story.town.bring_rig_back(&rig_id("none")).unwrap_err().code, Code::NotFound);
}

#[test]
fn a_deleted_rig_takes_all_its_agents_along_and_leaves_others_alone() {
    let mut story = Story::new();
    story.add_rig("other");
    story.register_in("other", "elsewhere", Role::Polecat).unwrap();
    let before = story.dump();
    done(&mut story, "a");
    done(&mut story, "away");
    put_away(&mut story, "away");
    story.begin("b", "r");
    conflict(&story.town.begin_rig_deletion(&rig_id("rig")).unwrap_err(), "being started");
    story.relay(&[("b", "r", "note", json!(1))]);
    let plan = story.town.begin_rig_deletion(&rig_id("rig")).unwrap();
    assert_eq!(
        (plan.agents.clone(), plan.in_container.clone()),
        (vec![agent("a"), agent("away"), agent("b")], vec![agent("b")])
    );
    // Meanwhile nothing comes into it.
    let registered = story.register_in("rig", "new", Role::Polecat).unwrap_err();
    conflict(&registered, "being deleted");
    conflict(&begin_rig(&mut story, "rig").unwrap_err(), "being deleted");
    conflict(&story.town.begin_archive(&agent("a")).unwrap_err(), "being deleted");
    let batch = serde_json::from_value(json!({"rig_id": "rig", "rig_epoch": "e", "after": 0, "events": []})).unwrap();
    conflict(&story.handle(&batch).unwrap_err(), "being deleted");
    // It dies behind the first agent; asking again mends it.
    story.handle(EraseRigAgent { plan: &plan, agent_id: &agent("a") }).unwrap();
    story.reopen();
    let interrupted = story.handle(EraseRigAgent { plan: &plan, agent_id: &agent("b") }).unwrap_err();
    assert_eq!(interrupted.code, Code::TownUnavailable);
    assert_eq!(story.town.erase_rig(&plan).unwrap_err().code, Code::TownUnavailable);
    let (viewer, _) = story.join("", BeginRequest::default());
    let plan = story.town.begin_rig_deletion(&rig_id("rig")).unwrap();
    assert_eq!(plan.agents, [agent("away"), agent("b")]);
    let mut words = Vec::new();
    for agent_id in &plan.agents {
        words.extend(told(&story.seen(EraseRigAgent { plan: &plan, agent_id }), viewer));
    }
    assert_eq!(words, ["agent_deleted", "agent_deleted"]);
    story.town.erase_rig(&plan).unwrap();
    let changed = ["town", "erased_runs", "sources", "rigs", "silence"];
    let rest = |dump: Vec<_>| dump.into_iter().filter(|(table, _): &(String, _)| !changed.contains(&table.as_str()));
    assert!(rest(story.dump()).eq(rest(before)), "all is as it was before the rig had agents");
    assert_eq!(story.texts("SELECT rig_id FROM rigs"), ["other"]);
    assert_eq!(story.texts("SELECT source FROM sources ORDER BY source"), ["container"]);
    assert_eq!(story.handle(&batch).unwrap_err().code, Code::NotFound);
    assert_eq!(story.town.begin_rig_deletion(&rig_id("rig")).unwrap_err().code, Code::NotFound);
    let late = story.relay(&[("b", "r", "note", json!(2))]);
    assert_eq!((late.stored, late.dropped), (0, 1));
}

#[test]
fn a_town_full_of_rigs_says_that_one_can_be_deleted() {
    let story = Story::new();
    for number in 1..1_000 {
        story.add_rig(&format!("rig-{number}"));
    }
    let refused = story.town.check_room_for_rig().unwrap_err();
    assert_eq!(refused.code, Code::RateLimited);
    assert!(
        refused.message.contains("delete one that is done (DELETE /api/towns/town/rigs/:rig)"),
        "{}",
        refused.message
    );
}

fn rig() -> Rig {
    let store = Rc::new(Sqlite::new());
    Rig::create(
        store.as_ref(),
        &rig_id("rig"),
        &townwatch_protocol::id::TownId::parse("town").unwrap(),
        &epoch("rig-1"),
    )
    .unwrap();
    Rig::open(store as Rc<dyn Store>, 2_000).unwrap().unwrap()
}

fn post(rig: &Rig, name: &str, keys: &[&str]) -> Result<PostReceipt> {
    let events: Vec<_> = keys.iter().map(|key| json!({"event_type": "note", "event_id": key, "run_id": "r"})).collect();
    let posted: PostEvents = serde_json::from_value(json!({"agent_id": name, "events": events})).unwrap();
    rig.post(posted, Timestamp::from_millis(0))
}

fn register(rig: &Rig, name: &str) -> AgentId {
    rig.register(&agent(name), name, Role::Polecat, Timestamp::from_millis(0)).unwrap();
    agent(name)
}

#[test]
fn a_rig_takes_nothing_new_of_an_archived_agent_and_says_how_it_would() {
    let rig = rig();
    let (a, b) = (register(&rig, "a"), register(&rig, "b"));
    post(&rig, "a", &["one"]).unwrap();
    rig.archive(&[a.clone(), agent("never-here")]).unwrap();
    let refused = post(&rig, "a", &["one", "two"]).unwrap_err();
    conflict(&refused, "register it again with POST /api/rigs/rig/agents");
    conflict(&refused, "DELETE /api/towns/town/agents/a/archive");
    conflict(&rig.check_present(&a).unwrap_err(), "is archived");
    assert_eq!(post(&rig, "a", &["one"]).unwrap().duplicates, 1, "what was taken is taken");
    assert_eq!(rig.waiting().unwrap().events, 1, "and is handed over");
    rig.check_present(&b).unwrap();
    post(&rig, "b", &["one"]).unwrap();
    // A stop that is taken back says nothing of the archive.
    rig.allow_again(&a).unwrap();
    rig.check_present(&a).unwrap_err();
    rig.bring_back(&a).unwrap();
    post(&rig, "a", &["two"]).unwrap();
    rig.archive(&[a]).unwrap();
    register(&rig, "a");
    post(&rig, "a", &["three"]).unwrap();
    assert_eq!(rig.check_present(&agent("nobody")).unwrap_err().code, Code::NotFound);
}
