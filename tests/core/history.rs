//! A crowd that comes back at once, each from where it was, shares the frames of history.

use std::rc::Rc;

use townwatch_town::reading::cursor::BeginRequest;
use townwatch_town::viewers::{Effect, ViewerId};

use crate::story;
use crate::story::{Story, told};

fn crowd(event_cap: u64, events: usize) -> Story {
    let mut story = Story::capped(event_cap);
    story.register("a");
    story.notes("a", events);
    story
}

fn after(id: u64) -> BeginRequest {
    BeginRequest::after(id)
}

/// The `events` frames that a viewer is sent when it joins behind `after_id`.
fn history(story: &mut Story, after_id: u64) -> (ViewerId, Vec<Effect>, Vec<Rc<str>>) {
    let (id, effects) = story.join("a", after(after_id));
    let frames =
        story::texts(&effects, id).into_iter().filter(|text| text.starts_with(r#"{"type":"events""#)).collect();
    (id, effects, frames)
}

#[test]
fn viewers_from_different_places_share_all_but_their_first_and_last_frame() {
    let mut story = crowd(2_000, 1_000);
    let (_, _, whole) = history(&mut story, 0);
    let (_, _, late) = history(&mut story, 300);
    assert_eq!((whole.len(), late.len()), (8, 6));
    let same = |one: usize, other: usize| Rc::ptr_eq(&whole[one], &late[other]);
    assert!(!same(2, 0), "each begins where it was");
    assert!((3..7).all(|frame| same(frame, frame - 2)), "from the next cut on they are the very same texts");
}

#[test]
fn whoever_comes_when_all_have_left_gets_the_frames_that_were_kept() {
    let mut story = crowd(2_000, 1_000);
    let (first, _, frames) = history(&mut story, 0);
    story.town.leave(first);
    let (_, _, again) = history(&mut story, 0);
    assert!((0..7).all(|frame| Rc::ptr_eq(&frames[frame], &again[frame])));
}

#[test]
fn history_of_large_events_is_read_once() {
    let mut story = crowd(2_000, 0);
    let large = serde_json::json!("x".repeat(40_000));
    for _ in 0..20 {
        let _outcome = story.post(&vec![("a", "", "note", large.clone()); 10]);
        story.shown();
    }
    let before = story.store.statements();
    let (id, effects) = story.join("", after(5));
    let frames = told(&effects, id).iter().filter(|told| told.starts_with("history ")).count() as u64;
    let cost = story.store.statements() - before;
    // A look for each frame, and some for the join.
    assert!(cost < 2 * frames + 20, "{cost} statements for {frames} frames");
}

#[test]
fn what_is_pruned_meanwhile_is_in_no_frame_that_was_kept() {
    let mut story = crowd(1_000, 1_000);
    history(&mut story, 0);
    let _outcome = story.post(&[("a", "", "note", serde_json::json!("one more"))]);
    story.shown();
    let (id, effects, _) = history(&mut story, 0);
    let told = told(&effects, id);
    assert_eq!(told[2], "gap a 1-1 x1");
    assert!(told[3].starts_with("history 2 3 "), "{}", told[3]);
}

#[test]
fn another_selection_gets_frames_of_its_own() {
    let mut story = crowd(2_000, 600);
    story.register("b");
    story.notes("b", 10);
    let (_, _, of_agent) = history(&mut story, 0);
    let (town, joined) = story.join("", BeginRequest::default());
    let of_town = story::texts(&joined, town);
    assert!(of_town.iter().all(|text| of_agent.iter().all(|other| !Rc::ptr_eq(text, other))));
    assert!(told(&joined, town).iter().any(|frame| frame.contains(" 610")), "with the other agent's events");
}
