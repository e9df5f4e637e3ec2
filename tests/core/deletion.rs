//! The deletion of an agent: nothing of it is left, nothing that is still under way brings it back, and others lose nothing.

use std::rc::Rc;

use serde_json::{Value as Json, json};
use townwatch_protocol::error::Code;
use townwatch_protocol::event::Role;
use townwatch_protocol::id::{AgentId, RigId};
use townwatch_protocol::limits::EVENT_FRAME_BYTES_MAX;
use townwatch_protocol::wire::{PostEvents, Preview};
use townwatch_town::access::grantor::Grantor;
use townwatch_town::agents::deletion::{DeletionPlan, EraseAgent};
use townwatch_town::log::Selection;
use townwatch_town::log::images;
use townwatch_town::reading::cursor::BeginRequest;
use townwatch_town::reading::ending::Ending;
use townwatch_town::reading::pages::PageRequest;
use townwatch_town::reading::reader::{Next, Reader};
use townwatch_town::reading::stream_query::Form;
use townwatch_town::reading::streams::Join;
use townwatch_town::rig::Rig;
use townwatch_town::store::Store;
use townwatch_town::viewers::{Effect, ViewerId};

use crate::pulled::{messages, short};
use crate::sqlite::Sqlite;
use crate::story;
use crate::story::{Story, agent, epoch, operator, position, run, said, told};

fn begin(story: &mut Story, name: &str) -> DeletionPlan {
    story.town.begin_deletion(&agent(name)).unwrap()
}

fn delete(story: &mut Story, name: &str) -> Vec<Effect> {
    let plan = begin(story, name);
    let mut effects = story.seen(EraseAgent { plan: &plan });
    assert!(matches!(effects.pop(), Some(Effect::Announce)), "who watches without a socket is told, too");
    effects
}

fn posting(names: &[&str]) -> Story {
    let mut story = Story::new();
    for name in names {
        story.register(name);
        story.notes(name, 3);
    }
    story
}

fn reader(story: &Story, join: &Join) -> Reader {
    story.town.open_reader(join, &operator(), story.now).unwrap()
}

/// Every text of every table, to look for what must not be there.
fn everything(story: &Story) -> String {
    format!("{:?}", story.dump())
}

fn closings(effects: &[Effect]) -> Vec<(ViewerId, Ending)> {
    let closed = effects.iter().filter_map(|effect| match effect {
        Effect::Close(id, ending) => Some((*id, *ending)),
        _ => None,
    });
    closed.collect()
}

fn ids(story: &Story, selection: &Selection, after_id: u64) -> Vec<u64> {
    let asked = BeginRequest::after(after_id);
    let page = story.town.page(selection, &PageRequest { asked, ..PageRequest::default() }).unwrap();
    assert!(page.gaps.is_empty() && !page.reset);
    let texts = page.events.iter();
    texts.map(|text| serde_json::from_str::<Json>(text).unwrap()["id"].as_u64().unwrap()).collect()
}

#[test]
fn every_row_of_the_agent_goes_and_every_other_stays() {
    let mut story = posting(&["other"]);
    let before = story.dump();
    let (other_log, other_state) = (story.log(), story.state("other"));
    story.begin("gone", "gone-run");
    let long = "x".repeat(EVENT_FRAME_BYTES_MAX + 1);
    let picture = json!({"tool_use_id": "t", "success": true, "content": "", "content_length": 0, "duration_ms": 1,
        "attachments": [{"kind": "image", "image_id": "0".repeat(32)}]});
    story.relay(&[
        ("gone", "gone-run", "agent_output", said(&long)),
        ("gone", "gone-run", "agent_tool_result", picture),
    ]);
    let grantor = Grantor { name: "key 1".to_owned(), ends_at: None };
    story.town.mint_ticket("used", Some(&agent("gone")), &grantor, story.now).unwrap();
    story.town.mint_ticket("unused", Some(&agent("gone")), &grantor, story.now).unwrap();
    let shown = townwatch_town::reading::resumption::ResumptionProof {
        ticket: "used",
        token: None,
        agent_id: Some(&agent("gone")),
    };
    story.town.admit_reader(&shown, &|| "token".to_owned(), &|_| true, story.now).unwrap();
    for table in ["whole_events", "images", "tickets", "resume_rights"] {
        assert_eq!(story.number(&format!("SELECT count(*) FROM {table}")), 1, "{table}");
    }
    let head = story.number("SELECT max(id) FROM agent_events");
    delete(&mut story, "gone");
    let changed = ["town", "erased_runs", "sources"];
    let rest = |dump: Vec<_>| dump.into_iter().filter(|(table, _): &(String, _)| !changed.contains(&table.as_str()));
    assert!(rest(story.dump()).eq(rest(before)), "all is as it was before there was such an agent");
    assert_eq!((story.log(), story.state("other")), (other_log, other_state));
    assert_eq!(story.number("SELECT erased_head FROM town"), head);
    assert_eq!(story.town.begin_deletion(&agent("gone")).unwrap_err().code, Code::NotFound);
    assert!(images::next_wanted(story.store.as_ref(), story.now.plus_millis(1_000_000)).unwrap().is_none());
}

#[test]
fn ids_go_on_where_they_were_and_a_cursor_from_before_is_good() {
    let mut story = posting(&["a", "b"]);
    delete(&mut story, "b");
    assert_eq!(ids(&story, &Selection::town(), 0), [1, 2, 3]);
    assert!(ids(&story, &Selection::town(), 6).is_empty(), "6 was the head, and is no cursor of another life");
    story.reopen();
    story.notes("a", 1);
    assert_eq!(ids(&story, &Selection::town(), 6), [7]);
    story.register("b");
    assert_eq!(story.state("b")["run_number"], 0);
    story.notes("b", 1);
    assert_eq!(ids(&story, &Selection::agent(agent("b")), 0), [8], "a new agent with a log of its own");
    // Also where nothing is left.
    delete(&mut story, "a");
    delete(&mut story, "b");
    assert!(story.log().is_empty());
    story.register("a");
    story.notes("a", 1);
    assert_eq!(ids(&story, &Selection::town(), 8), [9]);
}

#[test]
fn viewers_are_told_and_those_of_the_agent_alone_are_sent_away() {
    let mut story = posting(&["a", "b"]);
    let (town, _) = story.join("", BeginRequest::default());
    let (other, _) = story.join("a", BeginRequest::default());
    let (own, _) = story.join("b", BeginRequest::default());
    let flat = |agent_id| Join { agent_id, form: Form::Flat, ..Join::default() };
    let (events_only, _) = story.join_with(&flat(None));
    let (events_of_b, _) = story.join_with(&flat(Some(agent("b"))));
    // A town's stream that watches this agent only is still the town's.
    let (chooser, _) = story.join("", BeginRequest::default());
    story.says(chooser, r#"{"type":"subscribe","agents":["b"]}"#);
    let effects = delete(&mut story, "b");
    for viewer in [town, chooser] {
        assert_eq!(told(&effects, viewer), ["agent_deleted"]);
        assert_eq!(story::frames(&effects, viewer)[0], json!({"type": "agent_deleted", "agent_id": "b"}));
    }
    for viewer in [other, own, events_only, events_of_b] {
        assert!(told(&effects, viewer).is_empty());
    }
    let mut closed = closings(&effects);
    closed.sort_by_key(|(id, _)| *id);
    assert_eq!(closed, [(own, Ending::AgentDeleted), (events_of_b, Ending::AgentDeleted)]);
    assert_eq!((Ending::AgentDeleted.code(), Ending::AgentDeleted.reason()), (4401, "the agent was deleted"));
    // Who comes now is told of no such agent, also out of frames that were kept for the next viewer.
    let (late, effects) = story.join("", BeginRequest::default());
    assert_eq!(told(&effects, late), ["hello", "state a", "history 1 2 3", "caught_up 6"]);
}

#[test]
fn a_stream_that_slept_is_still_known_as_the_agents_own() {
    let mut story = posting(&["a"]);
    let (own, effects) = story.join("a", BeginRequest::default());
    let note = effects.iter().rev().find_map(|effect| match effect {
        Effect::Remember(id, note) if *id == own => Some(note.clone()),
        _ => None,
    });
    story.reopen();
    story.recall(&note.unwrap());
    assert_eq!(closings(&delete(&mut story, "a")), [(own, Ending::AgentDeleted)]);
}

#[test]
fn readers_who_pull_are_told_before_anything_of_a_new_agent_with_the_same_id() {
    let mut story = posting(&["a", "b"]);
    let mut town = reader(&story, &Join::default());
    let mut own = reader(&story, &Join { agent_id: Some(agent("b")), ..Join::default() });
    let mut flat = reader(&story, &Join { agent_id: Some(agent("b")), form: Form::Flat, ..Join::default() });
    for reader in [&mut town, &mut own, &mut flat] {
        while story.town.read_on(reader, story.now).unwrap().next != Next::Wait {}
    }
    delete(&mut story, "b");
    story.register("b");
    story.notes("b", 1);
    let mut text = String::new();
    loop {
        let turn = story.town.read_on(&mut town, story.now).unwrap();
        text.push_str(&turn.text);
        if turn.next == Next::Wait {
            break;
        }
    }
    assert_eq!(short(&messages(&text)), ["agent_deleted", "note 7", "state b"]);
    let turn = story.town.read_on(&mut own, story.now).unwrap();
    let said = messages(&turn.text);
    assert_eq!((turn.next, short(&said)), (Next::End, vec!["error".to_owned()]));
    assert_eq!(
        (&said[0].data["code"], &said[0].data["message"]),
        (&json!("not_found"), &json!("the agent was deleted"))
    );
    let turn = story.town.read_on(&mut flat, story.now).unwrap();
    assert_eq!((turn.next, turn.text), (Next::End, String::new()));
}

#[test]
fn a_reader_that_is_too_far_behind_to_be_told_has_to_come_again() {
    let mut story = Story::new();
    let mut reader = reader(&story, &Join::default());
    while story.town.read_on(&mut reader, story.now).unwrap().next != Next::Wait {}
    for number in 0..1_001 {
        let name = format!("a{number}");
        story.register(&name);
        delete(&mut story, &name);
    }
    assert_eq!(story.town.read_on(&mut reader, story.now).unwrap().next, Next::End);
}

#[test]
fn what_the_container_still_tells_of_it_is_dropped_also_for_a_new_agent_with_the_same_id() {
    let mut story = Story::new();
    story.begin("a", "old");
    story.relay(&[("a", "old", "agent_output", said("secret one"))]);
    assert!(begin(&mut story, "a").in_container);
    let plan = begin(&mut story, "a");
    story.handle(EraseAgent { plan: &plan }).unwrap();
    let outcome = story.relay(&[("a", "old", "agent_output", said("secret two"))]);
    assert_eq!((outcome.stored, outcome.dropped), (0, 1));
    story.begin("a", "new");
    let late = ("a", "old", "agent.exited", json!({"reason": "stopped"}));
    let outcome =
        story.relay(&[("a", "old", "agent_output", said("secret three")), late, ("a", "new", "note", json!(1))]);
    assert_eq!((outcome.stored, outcome.dropped), (1, 2));
    assert_eq!(story.state("a")["run_number"], 1);
    let typed = Preview {
        agent_id: agent("a"),
        run_id: run("old"),
        message_id: "m".to_owned(),
        offset: 0,
        text: "secret".to_owned(),
    };
    let (_, _) = story.join("", BeginRequest::default());
    assert!(story.preview(vec![typed]).is_empty());
    assert!(!everything(&story).contains("secret"));
    // Another life of the container has none of it, and nothing has to be remembered for it.
    story.epoch = epoch("container-2");
    story.emitted = 0;
    story.relay(&[]);
    assert_eq!(story.number("SELECT count(*) FROM erased_runs"), 0);
}

#[test]
fn a_container_in_which_others_start_agents_does_not_bring_it_back() {
    let mut story = Story::new();
    story.begin("a", "old");
    story.relay(&[("a", "old", "agent_output", said("one"))]);
    delete(&mut story, "a");
    let (a, old, other) = (agent("a"), run("old"), run("other"));
    story.town.admit([(&a, Some(&old)), (&a, None)].into_iter()).unwrap();
    assert!(story.town.agent(&a).unwrap().is_none());
    story.town.admit([(&a, Some(&other))].into_iter()).unwrap();
    assert!(story.town.agent(&a).unwrap().is_some(), "another run is another agent");
}

#[test]
fn nothing_begins_while_it_goes_and_what_is_being_started_does_not_go() {
    let mut story = posting(&["a"]);
    let plan = begin(&mut story, "a");
    let _rig = RigId::parse("rig").unwrap();
    let registered = story.register_in("rig", "a", Role::Polecat).unwrap_err();
    let order = Story::order("a");
    let begun = story.start(order, "r").unwrap_err();
    for error in [registered, begun] {
        assert_eq!(error.code, Code::Conflict);
        assert!(error.message.contains("being deleted"), "{}", error.message);
    }
    story.town.abandon_deletion(&plan);
    story.post(&[("a", "", "agent.exited", json!({"reason": "completed"}))]);
    story.begin("a", "r");
    let starting = story.town.begin_deletion(&agent("a")).unwrap_err();
    assert_eq!(starting.code, Code::Conflict);
    assert!(starting.message.contains("being started"), "{}", starting.message);
    story.relay(&[("a", "r", "note", json!(1))]);
    assert!(begin(&mut story, "a").in_container);
}

#[test]
fn of_two_deletions_the_later_one_counts_and_an_eviction_between_the_steps_costs_nothing() {
    let mut story = posting(&["a"]);
    let (first, second) = (begin(&mut story, "a"), begin(&mut story, "a"));
    assert_eq!(story.handle(EraseAgent { plan: &first }).unwrap_err().code, Code::TownUnavailable);
    assert!(story.register_in("rig", "a", Role::Polecat).is_err());
    story.handle(EraseAgent { plan: &second }).unwrap();
    story.register("a");
    let third = begin(&mut story, "a");
    story.reopen();
    story.register("a"); // it holds nobody up
    assert_eq!(story.handle(EraseAgent { plan: &third }).unwrap_err().code, Code::TownUnavailable);
    delete(&mut story, "a");
}

// ---- its rig ----

fn rig() -> (Rc<Sqlite>, Rig) {
    let store = Rc::new(Sqlite::new());
    let (rig_id, town_id) = (RigId::parse("rig").unwrap(), townwatch_protocol::id::TownId::parse("town").unwrap());
    Rig::create(store.as_ref(), &rig_id, &town_id, &epoch("rig-1")).unwrap();
    let rig = Rig::open(Rc::clone(&store) as Rc<dyn Store>, 2_000).unwrap().unwrap();
    (store, rig)
}

fn post(
    rig: &Rig,
    name: &str,
    count: usize,
) -> townwatch_protocol::error::Result<townwatch_protocol::wire::PostReceipt> {
    let events = vec![json!({"event_type": "note", "data": "12345678"}); count];
    let posted: PostEvents = serde_json::from_value(json!({"agent_id": name, "events": events})).unwrap();
    rig.post(posted, townwatch_protocol::time::Timestamp::from_millis(0))
}

fn register(rig: &Rig, name: &str) -> AgentId {
    rig.register(&agent(name), name, Role::Polecat, townwatch_protocol::time::Timestamp::from_millis(0)).unwrap();
    agent(name)
}

#[test]
fn a_rig_forgets_the_agent_and_its_own_ids_go_on() {
    let (store, rig) = rig();
    let (a, b) = (register(&rig, "a"), register(&rig, "b"));
    post(&rig, "a", 2).unwrap();
    post(&rig, "b", 3).unwrap();
    rig.unregister(&b).unwrap();
    let refused = post(&rig, "b", 1).unwrap_err();
    assert_eq!(refused.code, Code::NotFound, "{}", refused.message);
    assert_eq!(rig.next_batch().unwrap().unwrap().events.len(), 5, "what was taken is handed over first");
    rig.adopt(position(5)).unwrap();
    rig.forget(&b).unwrap();
    assert_eq!((rig.waiting().unwrap().events, rig.waiting().unwrap().bytes), (0, 0));
    let left =
        store.query("SELECT DISTINCT agent_id FROM agent_events UNION SELECT agent_id FROM agents", &[]).unwrap();
    assert_eq!(left.iter().map(|row| row.text(0).unwrap()).collect::<Vec<_>>(), ["a"]);
    // The town is asked for what comes next, not for what was.
    register(&rig, "b");
    post(&rig, "b", 1).unwrap();
    let batch = rig.next_batch().unwrap().unwrap();
    assert_eq!((batch.after, batch.events[0].id), (position(5), position(6)));
    assert_eq!(rig.events(&a, position(0), 100).unwrap().len(), 2);
    assert_eq!(rig.events(&b, position(0), 100).unwrap().len(), 1);
}
