//! The pace of live frames: shared, apart, and nothing lost by it.

use proptest::prelude::*;
use serde_json::{Value as Json, json};
use townwatch_protocol::time::Timestamp;
use townwatch_town::reading::cursor::BeginRequest;
use townwatch_town::reading::ending::Ending;
use townwatch_town::reading::streams::Join;
use townwatch_town::settings::Settings;
use townwatch_town::town::TownConfig;
use townwatch_town::viewers::silence::is_silent;
use townwatch_town::viewers::{Effect, RecallResult, ViewerId};

use crate::story::{Story, agent, frames, said, texts, told};

const PACE_MS: i64 = 20;

/// Agents `a` and `b`, and the pace that a town has where nothing is set.
fn paced() -> Story {
    paced_capped(TownConfig::default().event_cap)
}

fn paced_capped(event_cap: u64) -> Story {
    assert_eq!(TownConfig::default().pace.frame_interval_ms, PACE_MS);
    let mut story = Story::with(TownConfig { event_cap, ..TownConfig::default() });
    for name in ["a", "b"] {
        story.register(name);
    }
    story
}

impl Story {
    fn ticks(&mut self, after_ms: i64) -> Vec<Effect> {
        self.pass(after_ms);
        self.tick()
    }
}

fn note(agent_id: &str) -> (&str, &str, &str, Json) {
    (agent_id, "", "note", json!(0))
}

/// Without what is said of states.
fn events(effects: &[Effect], viewer: ViewerId) -> Vec<String> {
    told(effects, viewer).into_iter().filter(|told| !told.starts_with("state")).collect()
}

fn none() -> Vec<String> {
    Vec::new()
}

#[test]
fn a_live_frame_reads_nothing_of_what_was_just_stored() {
    let cost = |watches: bool| {
        let mut story = paced();
        if watches {
            story.join("a", BeginRequest::default());
            story.pass(PACE_MS);
        }
        story.shows(&[note("a")]);
        story.pass(1_000);
        let before = story.store.statements();
        let shown = story.shows(&[note("a"), note("a")]);
        assert_eq!(shown.iter().any(|effect| matches!(effect, Effect::Send(..))), watches);
        story.store.statements() - before
    };
    assert_eq!(cost(true), cost(false));
}

#[test]
fn an_event_leaves_at_once_if_the_last_frame_is_20_ms_old_and_else_with_the_next() {
    let mut story = paced();
    let id = story.join("a", BeginRequest::default()).0;
    assert_eq!(events(&story.shows(&[note("a")]), id), ["live 1"], "the first leaves at once");
    assert_eq!(story.due_soon(), None, "nothing is held back");
    story.pass(5);
    assert_eq!(events(&story.shows(&[note("a")]), id), none());
    assert_eq!(story.due_soon(), Some(story.now.plus_millis(15)));
    story.pass(5);
    assert_eq!(events(&story.shows(&[note("a"), note("a")]), id), none());
    assert_eq!(story.due_soon(), Some(story.now.plus_millis(10)), "no later for what came after");
    assert_eq!(events(&story.ticks(9), id), none());
    assert_eq!(events(&story.ticks(1), id), ["live 2 3 4"], "in one frame");
    assert_eq!(story.due_soon(), None);
    story.pass(20);
    assert_eq!(events(&story.shows(&[note("a")]), id), ["live 5"], "20 ms are enough");
}

#[test]
fn viewers_of_one_selection_share_pace_and_frame_and_others_have_their_own() {
    let mut story = paced();
    let [first, second, town] = ["a", "a", ""].map(|name| story.join(name, BeginRequest::default()).0);
    story.shows(&[note("a")]);
    story.pass(10);
    let late = story.join("a", BeginRequest::default()).0;
    // The town's viewers have had a frame as well; the one that comes now has had none but belongs to an audience.
    let effects = story.shows(&[note("a"), note("b")]);
    for id in [first, second, town, late] {
        assert_eq!(events(&effects, id), none());
    }
    let other = story.join("b", BeginRequest::default()).0;
    assert_eq!(events(&story.shows(&[note("b")]), other), ["live 4"], "its audience has had no live frame yet");
    let effects = story.ticks(10);
    let sent = [first, second, late].map(|id| texts(&effects, id));
    assert_eq!(events(&effects, first), ["live 2"]);
    assert_eq!(events(&effects, town), ["live 2 3 4"]);
    assert!(sent.iter().all(|texts| std::rc::Rc::ptr_eq(&texts[0], &sent[0][0])), "one text for all of them");
}

#[test]
fn what_is_not_for_an_audience_does_not_slow_it() {
    let mut story = paced();
    let id = story.join("a", BeginRequest::default()).0;
    let silent = json!({"type": "subscribe", "agents": ["a"], "filters": {"output": false}});
    let filtered = story.join("a", BeginRequest::default()).0;
    story.hears(filtered, &silent);
    story.shows(&[note("b"), ("a", "", "agent_output", said("x"))]);
    story.pass(1);
    let effects = story.shows(&[note("a")]);
    assert_eq!(events(&effects, filtered), ["live 3"], "it was sent nothing a millisecond ago");
    assert_eq!(events(&effects, id), none());
}

#[test]
fn history_knows_no_pace() {
    let mut story = paced();
    story.join("a", BeginRequest::default());
    story.shows(&[note("a")]);
    story.pass(1);
    story.shows(&[note("a")]);
    let (late, joined) = story.join("a", BeginRequest::default());
    assert_eq!(events(&joined, late), ["hello", "history 1 2", "caught_up 2"]);
    assert_eq!(events(&story.ticks(19), late), none(), "what it has had already does not come again");
    story.pass(PACE_MS);
    assert_eq!(events(&story.shows(&[note("a")]), late), ["live 3"]);
}

#[test]
fn what_does_not_fit_into_one_frame_leaves_at_once_in_several() {
    let mut story = paced();
    let id = story.join("a", BeginRequest::default()).0;
    let effects = story.shows(&vec![note("a"); 500]);
    let sizes: Vec<usize> =
        frames(&effects, id).iter().filter_map(|frame| Some(frame["events"].as_array()?.len())).collect();
    assert_eq!(sizes, [250, 250]);
    story.pass(1);
    assert_eq!(events(&story.shows(&[note("a")]), id), none());
}

#[test]
fn a_clock_that_steps_back_holds_nothing_back() {
    let mut story = paced();
    let id = story.join("a", BeginRequest::default()).0;
    story.shows(&[note("a")]);
    story.pass(-60_000);
    assert_eq!(events(&story.shows(&[note("a")]), id), ["live 2"]);
}

#[test]
fn what_was_pruned_while_the_pace_held_a_viewer_back_is_told() {
    let mut story = paced_capped(2);
    let id = story.join("", BeginRequest::default()).0;
    story.shows(&[note("a")]);
    story.pass(1);
    story.shows(&[note("a"), note("b")]);
    story.pass(1);
    story.shows(&[note("a"), note("a"), note("a")]);
    // Nothing of this is about pruning any more: the gap is remembered until its time comes.
    assert_eq!(events(&story.shows(&[note("b")]), id), none());
    assert_eq!(events(&story.ticks(18), id), ["gap a 2-4", "live 3 5 6 7"]);
    story.pass(PACE_MS);
    assert_eq!(events(&story.shows(&[note("b")]), id), ["live 8"], "and told once");
}

#[test]
fn a_subscription_during_the_rest_loses_nothing_of_who_is_still_watched() {
    let mut story = paced_capped(3);
    let id = story.join("a", BeginRequest::default()).0;
    story.shows(&[note("a")]);
    story.pass(1);
    story.shows(&[note("a")]);
    let heard = story.hears(id, &json!({"type": "subscribe", "agents": ["a", "b"]}));
    assert_eq!(events(&heard, id), ["subscription_confirmed", "history 2", "caught_up 2"]);
    assert_eq!(frames(&heard, id)[0]["after_id"], 1);
    // Held back and pruned: that is told, and what was pruned before is not.
    story.shows(&[note("a")]);
    story.pass(1);
    story.shows(&vec![note("a"); 5]);
    let heard = story.hears(id, &json!({"type": "subscribe", "agents": "*"}));
    assert_eq!(events(&heard, id), ["subscription_confirmed", "gap a 4-5", "history 6 7 8", "caught_up 8"]);
    // With a cursor of its own it gets what it asks for.
    story.shows(&[note("b")]);
    let heard = story.hears(id, &json!({"type": "subscribe", "agents": ["b"], "after_id": 8}));
    assert_eq!(events(&heard, id), ["subscription_confirmed", "history 9", "caught_up 9"]);
    assert_eq!(events(&story.ticks(20), id), none());
}

#[test]
fn a_stream_that_ends_with_its_run_is_sent_the_end_that_was_held_back() {
    let mut story = paced();
    let join = Join { agent_id: Some(agent("a")), until_exit: true, ..Join::default() };
    let id = story.join_with(&join).0;
    story.shows(&[note("a")]);
    story.pass(1);
    let effects = story.shows(&[("a", "", "agent.exited", json!({"reason": "completed"}))]);
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Close(..))));
    let effects = story.ticks(19);
    assert_eq!(events(&effects, id), ["live 2"]);
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Close(closed, Ending::RunOver) if *closed == id)));
}

#[test]
fn a_viewer_known_again_by_its_note_gets_the_next_event_once_and_at_once() {
    let mut story = paced();
    let (id, joined) = story.join("a", BeginRequest::default());
    let note_of = |effects: &[Effect]| {
        effects.iter().rev().find_map(|effect| match effect {
            Effect::Remember(_, note) => Some(note.clone()),
            _ => None,
        })
    };
    let kept = note_of(&joined).unwrap();
    let effects = story.shows(&[note("a")]);
    assert_eq!(note_of(&effects), None, "a live viewer's note is not written for each frame");
    story.pass(1);
    story.reopen();
    assert_eq!(story.recall(&kept), RecallResult::Known(id));
    assert_eq!(events(&story.shows(&[note("a")]), id), ["live 2"]);
}

#[test]
fn the_rate_and_the_batch_time_make_the_distance_between_frames() {
    let distance = |rate: &str, batch: &str| {
        let lookup = |name: &str| match name {
            "STREAM_RATE_LIMIT" => Some(rate.to_owned()),
            "STREAM_BATCH_MS" => Some(batch.to_owned()),
            _ => None,
        };
        i64::try_from(Settings::read(&lookup).unwrap().frame_interval_ms()).unwrap()
    };
    assert_eq!(distance("", ""), TownConfig::default().pace.frame_interval_ms);
    for (rate, batch, expected) in [("5", "500", 200), ("5", "100", 100), ("1", "10000", 1_000), ("50", "0", 0)] {
        assert_eq!(distance(rate, batch), expected, "{rate} a second, {batch} ms");
    }
    for rate in [3, 7, 30, 300, 600, 999] {
        assert!(distance(&rate.to_string(), "10000") * rate >= 1_000, "never more than {rate} a second");
    }
}

#[test]
fn who_used_to_ping_and_has_been_silent_for_ten_minutes_is_gone() {
    let at = Timestamp::from_millis;
    let (minutes, now) = (60_000, at(100 * 60_000));
    let ago = |millis: i64| Some(now.plus_millis(-millis));
    assert!(!is_silent(ago(10 * minutes - 1), None, now));
    assert!(is_silent(ago(10 * minutes), None, now));
    assert!(is_silent(ago(11 * minutes), ago(10 * minutes), now));
    assert!(!is_silent(ago(11 * minutes), ago(9 * minutes), now), "it has said something else");
    assert!(!is_silent(ago(9 * minutes), ago(11 * minutes), now));
    assert!(!is_silent(None, ago(99 * minutes), now), "it never has pinged, and so is not expected to");
    assert!(!is_silent(None, None, now));
    assert!(!is_silent(ago(-minutes), None, now), "a clock that stepped back");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Events at any distance, with the timer as the edge has it: all arrive, in order, at most 20 ms late, in at most 50
    /// frames in any second.
    #[test]
    fn everything_arrives_in_order_and_in_time_and_never_more_than_50_frames_a_second(
        steps in prop::collection::vec((0_i64..40, 1_usize..4, any::<bool>()), 1..200),
    ) {
        let mut story = paced();
        let viewers = ["a", ""].map(|name| story.join(name, BeginRequest::default()).0);
        let mut got: Vec<Vec<u64>> = vec![Vec::new(); 2];
        let mut left: Vec<Vec<i64>> = vec![Vec::new(); 2];
        let mut stored_at = vec![0];
        let mut read = |effects: &[Effect], now: Timestamp, stored_at: &[i64]| {
            for (index, id) in viewers.iter().enumerate() {
                for frame in frames(effects, *id).iter().filter(|frame| frame["type"] == "events") {
                    left[index].push(now.millis());
                    for event in frame["events"].as_array().unwrap() {
                        let event_id = event["id"].as_u64().unwrap();
                        let waited_ms = now.millis() - stored_at[usize::try_from(event_id).unwrap()];
                        assert!(waited_ms <= PACE_MS, "{waited_ms} ms");
                        got[index].push(event_id);
                    }
                }
            }
        };
        let end = (1_000, 1, true);
        for (gap_ms, count, is_a) in steps.into_iter().chain([end]) {
            let next = story.now.plus_millis(gap_ms);
            while let Some(due_at) = story.town.due_at(story.now).filter(|due_at| *due_at <= next) {
                story.now = due_at;
                read(&story.tick(), due_at, &stored_at);
            }
            story.now = next;
            stored_at.extend(vec![next.millis(); count]);
            let effects = story.shows(&vec![note(if is_a { "a" } else { "b" }); count]);
            read(&effects, next, &stored_at);
        }
        let of_a: Vec<u64> = story.log().iter().filter(|(_, of, ..)| of == "a").map(|(id, ..)| *id).collect();
        let all: Vec<u64> = (1..stored_at.len() as u64).collect();
        assert_eq!(got, [of_a, all]);
        for left in left {
            assert!(left.windows(51).all(|times| times[50] - times[0] >= 1_000), "{left:?}");
        }
    }
}
