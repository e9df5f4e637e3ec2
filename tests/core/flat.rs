//! Flat streams: each message is one event, and nothing else is sent unasked.

use serde_json::{Value as Json, json};
use townwatch_protocol::id::AgentId;
use townwatch_protocol::limits::FRAME_BYTES_MAX;
use townwatch_town::reading::cursor::BeginRequest;
use townwatch_town::reading::stream_query::Form;
use townwatch_town::reading::streams::Join;
use townwatch_town::town::TownConfig;
use townwatch_town::viewers::frames::Pace;
use townwatch_town::viewers::{Effect, RecallResult, ViewerId};

use crate::pulled::{note, town_with};
use crate::story::{Story, agent, frames, operator, said, texts, told};

fn flat(agent_id: &str) -> Join {
    Join { agent_id: AgentId::parse(agent_id), form: Form::Flat, ..Join::default() }
}

/// The ids of the events sent, each a message of its own.
fn ids(effects: &[Effect], viewer: ViewerId) -> Vec<u64> {
    frames(effects, viewer).iter().map(|event| event["id"].as_u64().unwrap_or_else(|| panic!("{event}"))).collect()
}

fn waits(agent_id: &str) -> (&str, &str, &str, Json) {
    (agent_id, "", "agent.status", json!({"status": "waiting"}))
}

#[test]
fn each_message_is_one_event_of_history_and_live() {
    let mut story = town_with(&["a", "b"]);
    let _outcome = story.post(&[note("a"), ("b", "", "agent_output", said("x"))]);
    story.shown();
    let (id, joined) = story.join_with(&flat(""));
    assert_eq!(ids(&joined, id), [1, 2]);
    let event = &frames(&joined, id)[1];
    for name in ["event", "data", "agent_id", "id", "at"] {
        assert!(!event[name].is_null(), "{name}: {event}");
    }
    assert_eq!((&event["event"], &event["data"]["text"]), (&json!("agent_output"), &json!("x")));
    let _outcome = story.post(&[waits("a"), note("b"), note("a")]);
    let effects = story.shown();
    assert_eq!(ids(&effects, id), [3, 4, 5], "no states among them");
    story.pass(1_000);
    assert_eq!(ids(&story.tick(), id), [0; 0]);
    let (one, joined) = story.join_with(&Join { asked: BeginRequest::after(2), ..flat("b") });
    assert_eq!(ids(&joined, one), [4]);
}

#[test]
fn those_who_want_frames_and_those_who_want_events_do_not_share() {
    let mut story = town_with(&["a"]);
    let (id, _) = story.join_with(&flat("a"));
    let (other, _) = story.join("a", BeginRequest::default());
    let (same, _) = story.join_with(&flat("a"));
    let _outcome = story.post(&[note("a"), note("a")]);
    let effects = story.shown();
    assert_eq!(ids(&effects, id), [1, 2]);
    assert_eq!(told(&effects, other)[0], "live 1 2");
    let (first, second) = (texts(&effects, id), texts(&effects, same));
    assert!(first.iter().zip(&second).all(|(one, two)| std::rc::Rc::ptr_eq(one, two)), "made once for both");
}

#[test]
fn what_it_says_itself_is_answered_and_nothing_else_comes_of_it() {
    let mut story = town_with(&["a", "b"]);
    let _outcome = story.post(&[note("a"), note("b")]);
    story.shown();
    let (id, _) = story.join_with(&flat("a"));
    let said = |story: &mut Story, message: &str| told(&story.says(id, message), id);
    assert_eq!(said(&mut story, r#"{"type":"ping"}"#), ["pong"]);
    assert_eq!(said(&mut story, "{}"), ["error invalid_request"]);
    assert_eq!(said(&mut story, r#"{"type":"subscribe","agents":["b"]}"#), ["subscription_confirmed"]);
    let _outcome = story.post(&[note("a"), note("b")]);
    assert_eq!(ids(&story.shown(), id), [4]);
}

#[test]
fn it_is_known_for_flat_after_a_hibernation() {
    let mut story = town_with(&["a"]);
    let (id, joined) = story.join_with(&flat("a"));
    let note_of_it = joined.iter().rev().find_map(|effect| match effect {
        Effect::Remember(_, note) => Some(note.clone()),
        _ => None,
    });
    let note_of_it = note_of_it.unwrap();
    story.reopen();
    assert_eq!(story.recall(&note_of_it), RecallResult::Known(id));
    let _outcome = story.post(&[note("a"), waits("a")]);
    assert_eq!(ids(&story.shown(), id), [1, 2]);
}

#[test]
fn it_waits_where_others_are_spared_events_since_it_could_not_be_told() {
    let pace = Pace { frame_interval_ms: 0, window_events: 50, bucket_events: 100 };
    let mut story = Story::with(TownConfig { pace, ..TownConfig::default() });
    story.register("a");
    let (id, _) = story.join_with(&flat("a"));
    let (framed, _) = story.join("a", BeginRequest::default());
    let mut had = Vec::new();
    let mut spared = Vec::new();
    for _ in 0..6 {
        let _outcome = story.post(&vec![("a", "", "agent_output", said("x")); 40]);
        let effects = story.shown();
        had.extend(ids(&effects, id));
        spared.extend(told(&effects, framed));
    }
    assert!(had.len() < 240 && spared.iter().any(|told| told.starts_with("gap")), "{} {spared:?}", had.len());
    for _ in 0..300 {
        story.pass(100);
        had.extend(ids(&story.tick(), id));
    }
    assert_eq!(had, (1..=240).collect::<Vec<_>>(), "late, but all, once, in order");
}

#[test]
fn who_acknowledges_is_sent_so_much_and_not_told_to_wait() {
    let mut story = town_with(&["a"]);
    story.notes("a", 1_500);
    let (id, joined) = story.join_with(&Join { acknowledges: true, ..flat("a") });
    let mut had = ids(&joined, id);
    assert!(had.len() <= 1_000, "{}", had.len());
    while had.len() < 1_500 {
        let ack = json!({"type": "ack", "id": had.last()}).to_string();
        let more = ids(&story.says(id, &ack), id);
        assert!(!more.is_empty(), "stuck at {:?}", had.last());
        had.extend(more);
    }
    assert_eq!(had, (1..=1_500).collect::<Vec<_>>());
}

#[test]
fn large_events_are_sent_one_by_one_whatever_they_come_to() {
    let mut story = town_with(&["a"]);
    let large = ("a", "", "note", json!("x".repeat(40 << 10)));
    let _outcome = story.post(&[large.clone(), large.clone(), large]);
    story.shown();
    let (id, joined) = story.join_with(&flat("a"));
    assert_eq!(ids(&joined, id), [1, 2, 3]);
    assert!(texts(&joined, id).iter().all(|text| text.len() <= FRAME_BYTES_MAX));
}

#[test]
fn on_an_event_stream_there_are_events_only_and_signs_of_life_are_comments() {
    let mut story = town_with(&["a"]);
    story.shows(&[note("a"), waits("a")]);
    let mut reader = story.town.open_reader(&flat("a"), &operator(), story.now).unwrap();
    let text = story.town.read_on(&mut reader, story.now).unwrap().text;
    assert!(text.starts_with("retry: 1000\nid: 1\nevent: note\ndata: {\"id\":1,"), "{text}");
    assert_eq!(text.matches("data: ").count(), 2, "{text}");
    story.pass(10_000);
    let text = story.town.read_on(&mut reader, story.now).unwrap().text;
    assert_eq!(text, ": still here\n", "no block, which some readers would take for a message");
    story.shows(&[note("a")]);
    let text = story.town.read_on(&mut reader, story.now).unwrap().text;
    assert!(text.starts_with("id: 3\nevent: note\n"), "{text}");
    let gone = Join { until_exit: true, agent_id: Some(agent("a")), ..flat("") };
    story.shows(&[("a", "", "agent.exited", json!({"reason": "completed"}))]);
    let mut reader = story.town.open_reader(&gone, &operator(), story.now).unwrap();
    let text = story.town.read_on(&mut reader, story.now).unwrap().text;
    assert_eq!(text.matches("data: ").count(), 4, "the end is an event, too");
}
