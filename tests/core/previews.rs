//! What is being typed: to whom it is shown, and when it is not any more.

use serde_json::json;
use townwatch_town::reading::cursor::BeginRequest;
use townwatch_town::reading::streams::Join;

use crate::pulled::{short, town_with};
use crate::story;
use crate::story::{Story, agent, said};

#[test]
fn typing_is_shown_to_those_at_the_head_who_want_it() {
    let mut story = town_with(&["a", "b"]);
    story.begin("a", "run-1");
    story.relay(&[("a", "run-1", "note", json!(0))]);
    let [of_a, of_b, town, silent] = ["a", "b", "", "a"].map(|name| story.join(name, BeginRequest::default()).0);
    let filtered = json!({"type": "subscribe", "agents": ["a"], "filters": {"output": false}});
    story.says(silent, &filtered.to_string());
    let mut reader = story.open("a", BeginRequest::default());
    let mut other = story.open("b", BeginRequest::default());
    let mut slow = story.open("a", BeginRequest::default());
    for reader in [&mut reader, &mut other] {
        story.pulls(reader);
    }
    assert_eq!(story.types("a", "run-1", "m1", 0, "Hel"), [of_a.0, town.0]);
    assert_eq!(story.types("a", "run-1", "m1", 3, "lo"), [of_a.0, town.0]);
    assert_ne!(of_b, town);
    let read = story.pulls(&mut reader);
    assert_eq!(short(&read), ["preview m1 0", "preview m1 3"]);
    let expected = json!({
        "type": "preview", "agent_id": "a", "run_id": "run-1", "message_id": "m1", "offset": 3, "text": "lo",
    });
    assert_eq!((&read[1].data, &read[1].id), (&expected, &None), "it is nothing that a reader could come back to");
    assert!(story.pulls(&mut reader).is_empty(), "shown once");
    assert!(story.pulls(&mut other).is_empty());
    let first = short(&story.pulls(&mut slow));
    assert!(
        first.iter().position(|told| told.starts_with("caught_up"))
            < first.iter().position(|told| told.starts_with("preview"))
    );
}

#[test]
fn nothing_is_typed_after_its_message_after_the_end_or_of_a_run_that_is_not_open() {
    let mut story = town_with(&["a"]);
    story.begin("a", "run-1");
    story.relay(&[("a", "run-1", "note", json!(0))]);
    let id = story.join("a", BeginRequest::default()).0;
    let mut reader = story.open("a", BeginRequest::default());
    story.pulls(&mut reader);
    assert_eq!(story.types("a", "run-1", "m1", 0, "Hel"), [id.0]);
    let _outcome = story.relay(&[("a", "run-1", "agent_output", said("Hello"))]);
    story.shown();
    assert_eq!(short(&story.pulls(&mut reader))[0], "agent_output 3");
    assert!(
        !short(&story.pulls(&mut reader)).iter().any(|told| told.starts_with("preview")),
        "it is behind its message"
    );
    assert_eq!(story.types("a", "run-0", "m2", 0, "x"), [0_u64; 0]);
    assert_eq!(story.types("b", "run-1", "m2", 0, "x"), [0_u64; 0]);
    assert_eq!(story.types("a", "run-1", "m2", 0, "y"), [id.0]);
    let _outcome = story.relay(&[("a", "run-1", "agent.exited", json!({"reason": "completed"}))]);
    story.shown();
    assert_eq!(story.types("a", "run-1", "m2", 1, "z"), [0_u64; 0]);
    assert!(!short(&story.pulls(&mut reader)).iter().any(|told| told.starts_with("preview")));
}

#[test]
fn who_is_behind_is_shown_no_typing() {
    let mut story = Story::with(townwatch_town::town::TownConfig::default());
    story.register("a");
    story.begin("a", "run-1");
    let live = story.join("a", BeginRequest::default()).0;
    let _outcome = story.relay(&[("a", "run-1", "note", json!(0))]);
    story.shown();
    assert_eq!(story.types("a", "run-1", "m1", 0, "x"), [live.0]);
    story.pass(1);
    let _outcome = story.relay(&[("a", "run-1", "note", json!(0))]);
    story.shown();
    assert_eq!(story.types("a", "run-1", "m1", 1, "x"), [0_u64; 0], "an event is held back by the pace");
    story.pass(20);
    story.tick();
    assert_eq!(story.types("a", "run-1", "m1", 2, "x"), [live.0]);
    // An acknowledging viewer that owes its window, and a metered one whose history waits.
    let calls: Vec<_> = (0..500).map(|_| ("a", "run-1", "note", json!("x".repeat(4_000)))).collect();
    for _ in 0..3 {
        story.relay(&calls);
    }
    story.town.leave(live);
    let behind = [true, false]
        .map(|acknowledges| story.join_with(&Join { agent_id: Some(agent("a")), acknowledges, ..Join::default() }).0);
    assert_eq!(story.types("a", "run-1", "m2", 0, "x"), [0_u64; 0]);
    assert_eq!(story.town.viewer_count(), behind.len());
}

#[test]
fn typing_is_the_first_to_be_left_out() {
    let mut story = town_with(&["a"]);
    story.begin("a", "run-1");
    story.relay(&[("a", "run-1", "note", json!(0))]);
    let silent = story.join("a", BeginRequest::default()).0;
    let acks = story.join_with(&Join { agent_id: Some(agent("a")), acknowledges: true, ..Join::default() }).0;
    let text = "x".repeat(10 << 10);
    let mut shown = [0, 0];
    for _ in 0..400 {
        let sent = story.types("a", "run-1", "m1", 0, &text);
        shown[0] += usize::from(sent.contains(&silent.0));
        shown[1] += usize::from(sent.contains(&acks.0));
    }
    assert!((240..=256).contains(&shown[0]), "half of a bucket of 5 MiB: {shown:?}");
    assert!((11..=13).contains(&shown[1]), "128 KiB between two acknowledgements: {shown:?}");
    story.says(acks, r#"{"type":"ack","id":1}"#);
    story.pass(1_000);
    assert_eq!(
        story.types("a", "run-1", "m1", 0, &text).len(),
        2,
        "room again, by the clock and by the acknowledgement"
    );
    // The rest of the bucket is for events.
    let _outcome = story.relay(&vec![("a", "run-1", "agent_output", said(&"x".repeat(40 << 10))); 40]);
    let effects = story.shown();
    assert!(!story::told(&effects, silent).iter().any(|told| told.starts_with("gap")));
}
