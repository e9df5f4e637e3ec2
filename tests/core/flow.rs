//! How much a viewer is sent: by what it acknowledges, or by the clock. What it does not get yet waits in the log.

use serde_json::json;
use townwatch_protocol::id::{AgentId, EventId};
use townwatch_protocol::time::Timestamp;
use townwatch_town::reading::ending::Ending;
use townwatch_town::reading::streams::{Join, MessageContent, ViewerMessage};
use townwatch_town::viewers::flow::Flow;
use townwatch_town::viewers::{Effect, RecallResult, ViewerId};

use crate::story::{Story, frames, told};

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(1_000_000 + millis)
}

fn id(id: u64) -> EventId {
    EventId::new(id).unwrap()
}

fn joined(story: &mut Story, acknowledges: bool) -> (ViewerId, Vec<Effect>) {
    story.join_with(&Join { agent_id: AgentId::parse("a"), acknowledges, ..Join::default() })
}

fn ids(effects: &[Effect], viewer: ViewerId) -> Vec<u64> {
    let events = frames(effects, viewer).into_iter().filter(|frame| frame["type"] == "events");
    events
        .flat_map(|frame| frame["events"].as_array().unwrap().clone())
        .map(|event| event["id"].as_u64().unwrap())
        .collect()
}

fn acks(story: &mut Story, viewer: ViewerId, id: u64) -> Vec<Effect> {
    story.says(viewer, &json!({"type": "ack", "id": id}).to_string())
}

/// 3,000 notes of one agent, of which the window of 1,000 takes the 7 frames up to id 895; they are cut at every
/// 128th id.
fn long() -> Story {
    let mut story = Story::capped(5_000);
    story.register("a");
    story.notes("a", 3_000);
    story
}

#[test]
fn a_window_is_open_until_it_is_full_and_again_when_it_is_acknowledged() {
    let mut flow = Flow::new(true, 5_000);
    assert!(flow.has_room(1, 1, at(0), 10));
    flow.sent(id(7), 9, 100, at(0));
    assert!(flow.has_room(1, 1, at(0), 10));
    assert!(!flow.has_room(2, 1, at(0), 10), "one more would be 11 of 10");
    flow.sent(id(8), 1, 100, at(0));
    assert!(!flow.has_room(1, 1, at(0), 10), "10 of 10 are owed");
    flow.acknowledge(id(6), at(0));
    assert!(!flow.has_room(1, 1, at(0), 10), "the first frame has not arrived whole");
    flow.acknowledge(id(7), at(0));
    assert!(flow.has_room(1, 1, at(0), 10));
    flow.sent(id(9), 1, 2 << 20, at(0));
    assert!(!flow.has_room(1, 1, at(0), 10), "more than 1 MiB is owed");
    flow.acknowledge(id(9), at(0));
    flow.sent(id(10), 500, 3 << 20, at(0));
    flow.acknowledge(id(10), at(0));
    assert!(flow.has_room(1, 1, at(0), 1), "one frame may always be owed, however large");
}

#[test]
fn a_bucket_empties_at_once_and_fills_by_the_clock() {
    let mut flow = Flow::new(false, 5_000);
    flow.sent(id(1), 5_000, 10, at(0));
    assert!(!flow.has_room(1, 1, at(0), 1));
    assert!(flow.has_room(1, 1, at(1), 1), "an event a millisecond");
    flow.sent(id(2), 1_000, 6 << 20, at(1_000));
    assert!(!flow.has_room(1, 1, at(1_500), 1), "6 MiB are out, half a MiB is back");
    assert!(flow.has_room(1, 1, at(2_200), 1));
    assert!(
        flow.has_room(1, 1, at(-60_000), 1) == flow.has_room(1, 1, at(1_000), 1),
        "a clock that steps back refills nothing"
    );
    flow.acknowledge(id(2), at(0));
    flow.sent(id(3), 5_000, 10, at(3_000));
    assert!(!flow.has_room(1, 1, at(99_000), 5_000), "the first acknowledgement chose acknowledgement");
}

#[test]
fn who_acknowledges_is_paused_at_the_window_and_goes_on_from_the_log() {
    let mut story = long();
    let (viewer, effects) = joined(&mut story, true);
    let got = ids(&effects, viewer);
    assert_eq!((got.first(), got.len()), (Some(&1), 895));
    let last = frames(&effects, viewer).pop().unwrap();
    assert_eq!(last, json!({"type": "backpressure", "level": "paused", "lag_events": 2_105}));
    assert_eq!(ids(&acks(&mut story, viewer, 126), viewer), [0_u64; 0], "no frame has arrived whole");

    let effects = acks(&mut story, viewer, 895);
    assert_eq!(frames(&effects, viewer)[0], json!({"type": "backpressure", "level": "normal", "lag_events": 2_105}));
    assert_eq!(ids(&effects, viewer), (896..1_792).collect::<Vec<u64>>());
    acks(&mut story, viewer, 1_791);
    story.pass(1_000);
    let _outcome = story.post(&[("a", "", "agent.status", json!({"status": "waiting"}))]);
    let meanwhile = story.shown();
    assert_eq!(told(&meanwhile, viewer), [""; 0], "a paused viewer is sent no state");
    let effects = acks(&mut story, viewer, 2_687);
    assert_eq!(ids(&effects, viewer).last(), Some(&3_001));
    assert!(told(&effects, viewer).contains(&"caught_up 3001".to_owned()), "{:?}", told(&effects, viewer));
    assert!(told(&effects, viewer).last().unwrap().starts_with("state"), "what it missed of the state comes last");
}

#[test]
fn who_is_paused_costs_nothing_until_it_acknowledges() {
    let costs = |story: &mut Story| {
        let _outcome = story.post(&[("a", "r", "note", json!({}))]);
        let steps = story.store.steps();
        let effects = story.shown();
        assert!(effects.iter().all(|effect| !matches!(effect, Effect::Send(..))), "{effects:?}");
        story.store.steps() - steps
    };
    let alone = costs(&mut long());
    let mut story = long();
    let (viewer, _) = joined(&mut story, true);
    costs(&mut story);
    assert!(costs(&mut story) <= alone, "{alone} steps without it");
    // Also where what it would get next is pruned, and no frame of it is at hand.
    story.notes("a", 4_000);
    assert!(costs(&mut story) <= alone, "{alone} steps without it");
    let effects = acks(&mut story, viewer, 895);
    assert_eq!(told(&effects, viewer)[..2], ["backpressure", "gap a 896-2003"], "and then it goes on");
}

#[test]
fn who_acknowledges_more_than_it_was_sent_is_told_so() {
    let mut story = long();
    let (viewer, _) = joined(&mut story, true);
    assert_eq!(told(&acks(&mut story, viewer, 896), viewer), ["error invalid_request"]);
    assert_eq!(ids(&acks(&mut story, viewer, 126), viewer), [0_u64; 0], "its false word has opened nothing");
}

#[test]
fn who_is_paused_and_silent_for_30_seconds_is_let_go() {
    let mut story = long();
    let (viewer, _) = joined(&mut story, true);
    assert_eq!(story.town.due_at(story.now), Some(story.now.plus_millis(30_000)));
    story.pass(29_999);
    assert!(story.tick().is_empty());
    story.pass(1);
    let effects = story.tick();
    assert!(
        matches!(effects.as_slice(), [Effect::Close(closed, Ending::NothingAcknowledged)] if *closed == viewer),
        "{effects:?}"
    );
    assert_eq!(story.due_soon(), None);
}

#[test]
fn who_is_paused_and_acknowledges_something_new_has_its_time_again() {
    let mut story = long();
    let (viewer, _) = joined(&mut story, true);
    story.pass(20_000);
    let effects = acks(&mut story, viewer, 5);
    assert_eq!(ids(&effects, viewer), [0_u64; 0], "no frame has arrived whole");
    let [Effect::Remember(_, note)] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(story.town.due_at(story.now), Some(story.now.plus_millis(30_000)));
    story.pass(29_000);
    assert!(acks(&mut story, viewer, 5).is_empty(), "once more the same is no news");
    assert!(acks(&mut story, viewer, 4).is_empty(), "nor is what is older");
    story.pass(999);
    assert!(story.tick().is_empty());
    story.reopen();
    story.recall(note);
    let left = story.town.viewer_count();
    story.pass(1);
    let effects = story.tick();
    assert!(matches!(effects.as_slice(), [Effect::Close(_, Ending::NothingAcknowledged)]), "{left}: {effects:?}");
}

#[test]
fn who_is_paused_owes_what_it_owed_after_a_hibernation() {
    let mut story = long();
    let (viewer, effects) = joined(&mut story, true);
    let note_of = |effects: &[Effect]| {
        let mut notes = effects.iter().filter_map(|effect| match effect {
            Effect::Remember(_, note) => Some(note.clone()),
            _ => None,
        });
        notes.next_back().expect("a note")
    };
    let mut note = note_of(&effects);
    story.pass(20_000);
    story.reopen();
    story.recall(&note);
    assert!(story.tick().is_empty(), "it is sent nothing more");

    // It acknowledges all but the last frame, which is too little for some, and sleeps again.
    let effects = acks(&mut story, viewer, 767);
    assert_eq!(ids(&effects, viewer), (896..1_664).collect::<Vec<u64>>());
    note = note_of(&effects);
    story.reopen();
    story.recall(&note);
    story.pass(29_999);
    assert!(story.tick().is_empty());
    story.pass(1);
    let effects = story.tick();
    assert!(matches!(effects.as_slice(), [Effect::Close(_, Ending::NothingAcknowledged)]), "{effects:?}");
}

#[test]
fn who_says_too_much_is_let_go() {
    let mut story = Story::new();
    story.register("a");
    story.notes("a", 400);
    let (viewer, _) = joined(&mut story, true);
    let (other, _) = joined(&mut story, true);
    for id in 1..=400 {
        assert_eq!(told(&acks(&mut story, viewer, id), viewer), [""; 0], "each acknowledges something new");
    }
    let talks = |story: &mut Story, count: usize| {
        let mut effects = Vec::new();
        for _ in 0..count {
            effects.extend(story.says(viewer, r#"{"type":"subscribe","agents":[]}"#));
        }
        effects.iter().any(|effect| matches!(effect, Effect::Close(one, Ending::TooManyMessages) if *one == viewer))
    };
    assert!(!talks(&mut story, 200));
    story.pass(1_000);
    assert!(!talks(&mut story, 20), "20 are forgotten a second");
    assert!(talks(&mut story, 1));
    assert_eq!(story.town.viewer_count(), 1, "it is forgotten, {other:?} is not");
}

#[test]
fn what_is_no_text_is_a_bad_message() {
    let mut story = long();
    let (viewer, _) = joined(&mut story, true);
    assert_eq!(told(&story.says_binary(viewer, 14), viewer), ["error invalid_request"]);
    assert_eq!(story.town.viewer_count(), 1);
    let effects = story.says_binary(viewer, 16_385);
    assert!(matches!(effects.as_slice(), [Effect::Close(_, Ending::MessageTooLarge)]), "{effects:?}");
}

#[test]
fn who_acknowledges_nothing_waits_for_its_history_by_the_clock() {
    let mut story = Story::capped(9_000);
    story.register("a");
    story.notes("a", 8_000);
    let (viewer, effects) = joined(&mut story, false);
    assert_eq!(ids(&effects, viewer).len(), 4_991);
    story.pass(1_000);
    let effects = story.tick();
    assert_eq!(ids(&effects, viewer).first(), Some(&4_992));
    assert_eq!(ids(&effects, viewer).len(), 896);
    for _ in 0..3 {
        story.pass(1_000);
        story.tick();
    }
    assert_eq!(story.due_soon(), None, "it is live");
}

/// A viewer that owes all that it may, and then wants one agent's history again.
fn subscribed_while_paused() -> (Story, ViewerId, Vec<Effect>) {
    let mut story = long();
    let join = Join { acknowledges: true, ..Join::default() };
    let (viewer, _) = story.join_with(&join);
    let wish = json!({"type": "subscribe", "agents": ["a"], "after_id": 5});
    let effects = story.says(viewer, &wish.to_string());
    (story, viewer, effects)
}

#[test]
fn a_subscription_that_has_to_wait_outlives_a_hibernation() {
    let (mut story, viewer, effects) = subscribed_while_paused();
    assert_eq!(ids(&effects, viewer), [0_u64; 0], "there is no room yet");
    let mut notes = effects.iter().filter_map(|effect| match effect {
        Effect::Remember(_, note) => Some(note.clone()),
        _ => None,
    });
    let note = notes.next_back().expect("what it wants now is noted");
    story.register("b");
    story.reopen();
    assert_eq!(story.recall(&note), RecallResult::Known(viewer));
    story.notes("b", 1);
    let effects = acks(&mut story, viewer, 5);
    assert_eq!(ids(&effects, viewer).first(), Some(&6));
    assert!(!ids(&effects, viewer).contains(&3_001), "it does not watch b any more");
}

#[test]
fn what_was_owed_before_a_subscription_is_paid_with_the_next_acknowledgement() {
    for ack in [5, 895, 300] {
        let (mut story, viewer, _) = subscribed_while_paused();
        let got = ids(&acks(&mut story, viewer, ack), viewer);
        assert_eq!(got.first(), Some(&6), "it acknowledged {ack}, of before or of the beginning");
    }
    let (mut story, viewer, _) = subscribed_while_paused();
    assert_eq!(told(&acks(&mut story, viewer, 896), viewer), ["error invalid_request"], "that it never had");
}

#[test]
fn that_a_viewer_acknowledges_is_noted_with_its_first_word() {
    let mut story = Story::new();
    story.register("a");
    story.notes("a", 3);
    let (viewer, _) = joined(&mut story, false);
    let noted = |effects: &[Effect]| effects.iter().filter(|effect| matches!(effect, Effect::Remember(..))).count();
    let effects = acks(&mut story, viewer, 2);
    assert_eq!(noted(&effects), 1);
    assert_eq!(noted(&acks(&mut story, viewer, 3)), 0, "once is enough");
    let Some(Effect::Remember(_, note)) = effects.last() else { panic!("{effects:?}") };
    story.reopen();
    story.recall(note);
    let more: Vec<_> = vec![("a", "", "agent_output", json!({"text": "", "stream": "assistant"})); 7_000];
    for chunk in more.chunks(500) {
        let _outcome = story.post(chunk);
        let effects = story.shown();
        assert!(!told(&effects, viewer).iter().any(|frame| frame.starts_with("gap")), "it is never spared anything");
    }
}

#[test]
fn what_fails_of_ours_while_a_viewer_is_heard_is_not_the_viewers() {
    let mut story = long();
    let (viewer, _) = joined(&mut story, true);
    story.store.fail_after(0);
    let content = MessageContent::Text(r#"{"type":"ack","id":895}"#);
    story.town.handle(ViewerMessage { id: viewer, content }, story.now).unwrap();
    let effects = story.town.take_effects();
    let is_let_go = matches!(effects.as_slice(), [Effect::LetGo(_)]);
    assert!(is_let_go, "the edge has to let go who was moved past what it was not sent: {effects:?}");
}
