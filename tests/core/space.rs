//! What goes where the tables take more than they may, and what a store that is full says.

use std::rc::Rc;

use serde_json::{Value as Json, json};
use townwatch_protocol::body::parse_body;
use townwatch_protocol::error::{Code, Error};
use townwatch_protocol::event::Role;
use townwatch_protocol::id::{RigId, TownId};
use townwatch_protocol::image::{ImageType, name};
use townwatch_protocol::time::Timestamp;
use townwatch_protocol::wire::{PostReceipt, RigBatch, RigEvent};
use townwatch_town::agents::deletion::EraseAgent;
use townwatch_town::log::images::{self, Found};
use townwatch_town::reading::cursor::BeginRequest;
use townwatch_town::rig::Rig;
use townwatch_town::store::Store;
use townwatch_town::viewers::{Effect, ViewerId};

use crate::sqlite::Sqlite;
use crate::story;
use crate::story::{Story, agent, epoch, frames, position, told};

const MIB: u64 = 1 << 20;

fn words(bytes: usize) -> Json {
    json!("x".repeat(bytes))
}

/// A town of `a`, which takes much, and `b`, which takes little.
fn two(events_of_a: usize) -> Story {
    let mut story = Story::new();
    story.register("a");
    story.register("b");
    story.notes("b", 20);
    for _ in 0..events_of_a {
        story.post(&[("a", "", "note", words(10_000))]);
    }
    story
}

fn retained(story: &Story, agent_id: &str) -> u64 {
    story.number(&format!("SELECT count(*) FROM agent_events WHERE agent_id = '{agent_id}'"))
}

fn taken(store: &Sqlite) -> u64 {
    store.fill().taken_bytes
}

#[test]
fn the_largest_agent_loses_its_oldest_and_viewers_are_told() {
    let mut story = two(150);
    let (viewer, effects) = story.join("", BeginRequest::after(0));
    assert_eq!(told(&effects, viewer).last().unwrap(), "caught_up 170");
    story.store.set_max_bytes(MIB);
    assert!(taken(&story.store) > MIB);
    let outcome = story.post(&[("b", "", "note", json!(1))]);
    let gone = 150 - retained(&story, "a");
    assert!((50..100).contains(&gone), "{gone} of 10 kB went");
    assert_eq!(outcome.pruned_id.get(), 20 + gone);
    assert_eq!(retained(&story, "b"), 21);
    assert!(taken(&story.store) <= MIB, "{}", taken(&story.store));
    assert_eq!(story.number("SELECT event_count FROM agents WHERE agent_id = 'a'"), 150 - gone);
    // One that had all misses nothing; one that comes from before is told.
    let effects = story.shown();
    assert_eq!(told(&effects, viewer)[0], "live 171");
    let (late, effects) = story.join("", BeginRequest::after(0));
    assert!(told(&effects, late).contains(&format!("gap a 21-{} x{gone}", 20 + gone)), "{:?}", told(&effects, late));
    assert!(frames(&effects, late).iter().any(|frame| frame["type"] == "gap" && frame["reason"] == "pruned"));
}

/// A viewer that is behind when events go that it has not had yet.
#[test]
fn who_has_not_had_it_yet_is_told_of_the_gap_at_once() {
    let mut story = two(0);
    let (slow, effects) = story.join("", BeginRequest::after(0));
    assert_eq!(told(&effects, slow).last().unwrap(), "caught_up 20");
    story.says(slow, r#"{"type":"ack","id":20}"#);
    let mut had = 20;
    for _ in 0..150 {
        let _outcome = story.post(&[("a", "", "note", words(10_000))]);
        had = last_id(&story.shown(), slow).unwrap_or(had);
    }
    assert!(had < 140, "it acknowledges nothing, and is sent no more than its window");
    story.store.set_max_bytes(MIB / 4);
    let outcome = story.post(&[("b", "", "note", json!(1))]);
    assert!(outcome.pruned_id.get() > had);
    story.shown();
    let effects = story.says(slow, &json!({"type": "ack", "id": had}).to_string());
    let gap = format!("gap a {}-{}", had + 1, outcome.pruned_id);
    assert!(told(&effects, slow).contains(&gap), "{:?}", told(&effects, slow));
}

/// The newest event that a viewer is sent.
fn last_id(effects: &[Effect], viewer: ViewerId) -> Option<u64> {
    let frames = frames(effects, viewer);
    let events = frames.iter().filter_map(|frame| frame["events"].as_array()).flatten();
    events.filter_map(|event| event["id"].as_u64()).max()
}

#[test]
fn never_an_agents_newest_and_a_bounded_number_at_a_time() {
    let mut story = Story::new();
    for name in ["a", "b"] {
        story.register(name);
    }
    story.notes("a", 1_900);
    story.notes("b", 1_900);
    story.store.set_max_bytes(1);
    let statements = story.store.statements();
    story.post(&[("a", "", "note", json!(1))]);
    assert_eq!(retained(&story, "a") + retained(&story, "b"), 2 * 1_900 + 1 - 1_000);
    assert!(story.store.statements() - statements < 2_300);
    for _ in 0..10 {
        story.post(&[("a", "", "note", json!(1))]);
    }
    assert_eq!((retained(&story, "a"), retained(&story, "b")), (2, 1), "before the last one came, each had one");
    assert_eq!(story.state("b")["run_number"], 1);
}

#[test]
fn an_answer_without_events_looks_for_nothing() {
    let mut story = Story::new();
    story.begin("a", "r1");
    story.relay(&[("a", "r1", "note", json!(1)), ("a", "r1", "note", json!(2))]);
    story.store.set_max_bytes(1);
    story.relay(&[]);
    assert_eq!(retained(&story, "a"), 3);
    story.relay(&[("a", "r1", "note", json!(3))]);
    assert_eq!(retained(&story, "a"), 2);
}

const PNG: &[u8] = include_bytes!("../pictures/dot.png");

/// A PNG of so many bytes, each number another one.
fn png(number: u32, bytes: usize) -> Vec<u8> {
    let end = PNG.len() - 12;
    let mut text = number.to_be_bytes().to_vec();
    text.resize(bytes, b'x');
    let length = u32::try_from(text.len()).unwrap().to_be_bytes();
    [&PNG[..end], &length, b"tEXt", &text, &[0; 4], &PNG[end..]].concat()
}

fn give(story: &Story, agent_id: &str, bytes: &[u8]) {
    let rig_id = RigId::parse("rig").unwrap();
    images::post(story.store.as_ref(), &rig_id, &agent(agent_id), &name(bytes), ImageType::Png, bytes).unwrap();
}

fn is_kept(story: &Story, agent_id: &str, bytes: &[u8]) -> bool {
    matches!(images::find(story.store.as_ref(), &agent(agent_id), &name(bytes)).unwrap(), Found::Kept(..))
}

fn sum(story: &Story, agent_id: &str) -> (u64, u64) {
    let kept =
        format!("SELECT coalesce(sum(size_bytes), 0) FROM images WHERE standing = 'kept' AND agent_id = '{agent_id}'");
    (story.number(&format!("SELECT bytes FROM image_sums WHERE agent_id = '{agent_id}'")), story.number(&kept))
}

#[test]
fn pictures_go_where_they_take_most() {
    let mut story = two(3);
    let pictures: Vec<Vec<u8>> = (0..6).map(|number| png(number, 300_000)).collect();
    for picture in &pictures {
        give(&story, "a", picture);
    }
    give(&story, "b", &png(10, 300_000));
    assert_eq!(sum(&story, "a").0, sum(&story, "a").1);
    story.store.set_max_bytes(2 * MIB);
    assert!(taken(&story.store) > 2 * MIB);
    story.post(&[("b", "", "note", json!(1))]);
    assert!(taken(&story.store) <= 2 * MIB);
    assert!(!is_kept(&story, "a", &pictures[0]) && is_kept(&story, "a", &pictures[5]));
    assert!(is_kept(&story, "b", &png(10, 300_000)));
    assert_eq!((retained(&story, "a"), sum(&story, "a").0), (3, sum(&story, "a").1));
    let Found::Gone(why) = images::find(story.store.as_ref(), &agent("a"), &name(&pictures[0])).unwrap() else {
        panic!("it is not gone")
    };
    assert!(why.contains("store was full"), "{why}");
    // Pictures that come without any event.
    for number in 20..30 {
        give(&story, "b", &png(number, 300_000));
        assert!(taken(&story.store) <= 2 * MIB + 400_000, "{}", taken(&story.store));
    }
    assert_eq!(sum(&story, "b").0, sum(&story, "b").1);
}

// ---- a store that is full ----

#[test]
fn a_full_store_says_so_keeps_nothing_of_it_and_can_be_read_and_emptied() {
    let mut story = two(30);
    story.store.end_after_pages(10);
    let before = story.log();
    let full = loop {
        let events = vec![("b", "", "note", words(10_000))];
        let Err(problem) = post(&mut story, &events) else { continue };
        break problem;
    };
    assert_eq!((full.code, full.code.status()), (Code::StoreFull, 507));
    assert!(full.message.contains("delete agents"), "{full}");
    let log = story.log();
    assert!(log.len() < before.len() + 10);
    assert_eq!(post(&mut story, &[("b", "", "note", words(10_000))]).unwrap_err().code, Code::StoreFull);
    assert_eq!(story.log(), log);
    assert_eq!(story.state("a")["agent_id"], "a");
    let (viewer, effects) = story.join("", BeginRequest::after(0));
    assert!(told(&effects, viewer).iter().any(|frame| frame.starts_with("history 1 ")));
    let plan = story.town.begin_deletion(&agent("a")).unwrap();
    story.handle(EraseAgent { plan: &plan }).unwrap();
    post(&mut story, &[("b", "", "note", words(10_000))]).unwrap();
}

#[test]
fn a_store_that_knows_that_it_is_full_makes_room_for_what_comes() {
    let mut story = two(60);
    story.store.end_after_pages(20);
    story.store.learn_that_it_is_full(100_000);
    for _ in 0..50 {
        post(&mut story, &[("b", "", "note", words(10_000))]).unwrap();
    }
    let (a, b) = (retained(&story, "a"), retained(&story, "b"));
    assert!(a + b < 20 + 60 + 50 && a > 0 && b > 20, "{a} of a, {b} of b");
    let (viewer, effects) = story.join("", BeginRequest::after(0));
    assert!(told(&effects, viewer).iter().any(|frame| frame.starts_with("gap a 21-")));

    let (rig_store, rig) = rig();
    rig_store.end_after_pages(100);
    rig_store.learn_that_it_is_full(100_000);
    for number in 1..=100 {
        posted(&rig, "a", 10_000).unwrap();
        rig.adopt(position(number)).unwrap();
    }
}

/// One batch, whatever comes of it.
fn post(story: &mut Story, events: &[(&str, &str, &str, Json)]) -> Result<(), Error> {
    let after = story.number("SELECT coalesce(max(cursor), 0) FROM sources");
    let events = (after + 1..).zip(events).map(|(id, (agent_id, run_id, event, data))| RigEvent {
        id: position(id),
        agent_id: agent(agent_id),
        run_id: townwatch_protocol::id::RunId::parse(run_id),
        event: townwatch_protocol::id::EventName::parse(event).unwrap(),
        data: story::raw(data),
        at: story.now,
    });
    let rig_id = RigId::parse("rig").unwrap();
    let batch = RigBatch { rig_id, rig_epoch: epoch("rig-1"), after: position(after), events: events.collect() };
    story.mints("minted");
    story.handle(&batch).map(drop)
}

#[test]
fn what_else_goes_wrong_is_no_full_store() {
    for (said, is_full) in [
        ("database or disk is full: SQLITE_FULL", true),
        ("Error: database or disk is full", true),
        ("no such table: events: SQLITE_ERROR", false),
        ("The Durable Object's code has been updated", false),
    ] {
        assert_eq!(Error::of_full_store(said).is_some(), is_full, "{said}");
    }
}

// ---- the rig ----

fn rig() -> (Rc<Sqlite>, Rig) {
    let (rig_id, town_id) = (RigId::parse("rig").unwrap(), TownId::parse("town").unwrap());
    let store = Rc::new(Sqlite::new());
    Rig::create(store.as_ref(), &rig_id, &town_id, &epoch("rig-log")).unwrap();
    let rig = Rig::open(Rc::clone(&store) as Rc<dyn Store>, 2_000).unwrap().unwrap();
    for name in ["a", "b"] {
        rig.register(&agent(name), name, Role::Polecat, Timestamp::from_millis(0)).unwrap();
    }
    (store, rig)
}

fn posted(rig: &Rig, agent_id: &str, bytes: usize) -> Result<PostReceipt, Error> {
    let body = json!({"agent_id": agent_id, "event_type": "note", "data": words(bytes)}).to_string();
    rig.post(parse_body(body.as_bytes()).unwrap(), Timestamp::from_millis(1))
}

#[test]
fn a_rig_lets_go_what_the_town_has_of_the_largest() {
    let (store, rig) = rig();
    for _ in 0..150 {
        posted(&rig, "a", 10_000).unwrap();
    }
    posted(&rig, "b", 10).unwrap();
    store.set_max_bytes(MIB);
    let kept = |agent_id: &str| rig.events(&agent(agent_id), position(0), 1_000).unwrap().len();
    posted(&rig, "b", 10).unwrap();
    assert_eq!((kept("a"), kept("b")), (150, 2), "the town has nothing of it yet");
    rig.adopt(position(100)).unwrap();
    posted(&rig, "b", 10).unwrap();
    assert!((50..100).contains(&kept("a")), "{}", kept("a"));
    assert!(taken(&store) <= MIB);
    let rows = store.query("SELECT event_count, event_bytes FROM agents WHERE agent_id = 'a'", &[]).unwrap();
    let sums = "SELECT count(*), sum(octet_length(data)) FROM agent_events WHERE agent_id = 'a'";
    assert_eq!(rows, store.query(sums, &[]).unwrap());
    assert_eq!(rig.next_batch().unwrap().unwrap().events[0].id, position(101));
    store.set_max_bytes(1);
    rig.adopt(position(200)).unwrap();
    posted(&rig, "b", 10).unwrap();
    assert_eq!(posted(&rig, "b", 10).unwrap().last_id, position(155));
    assert_eq!((kept("a"), kept("b")), (1, 2), "of each the newest, and the post that came last");
}

#[test]
fn a_full_rig_says_so() {
    let (store, rig) = rig();
    store.end_after_pages(10);
    let full = (0..100).find_map(|_| posted(&rig, "a", 10_000).err()).unwrap();
    assert_eq!(full.code, Code::StoreFull);
    assert_eq!(posted(&rig, "a", 10).unwrap().appended, 1, "what is small may still fit");
}
