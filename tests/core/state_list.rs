//! The states that a viewer is sent because it asks: all of them, each once, and no more at a time than it may leave unread.

use serde_json::{Value as Json, json};
use townwatch_protocol::limits::ALLOWANCE_BYTES_MAX;
use townwatch_town::reading::ending::Ending;
use townwatch_town::reading::streams::Join;
use townwatch_town::viewers::{Effect, ViewerId};

use crate::story::{Story, frames, texts, told};

const AGENTS: usize = 600;

/// 600 agents, each with to-dos that make its state some 9 KB: 5.6 MB in all.
fn large() -> Story {
    let mut story = Story::new();
    for number in 0..AGENTS {
        story.register(&name(number));
        work(&mut story, &name(number), "begin");
    }
    story.pass(10_000);
    story.tick();
    story
}

/// The agent is at another step, with a hundred to-dos.
fn work(story: &mut Story, agent: &str, step: &str) -> Vec<Effect> {
    let todos: Vec<Json> =
        (0..100).map(|_| json!({"content": format!("{step} {}", "to do ".repeat(9)), "status": "pending"})).collect();
    let progress =
        json!({"percentage": null, "current_phase": step, "tool_call_count": 0, "elapsed_seconds": 1, "todos": todos});
    let _outcome = story.post(&[(agent, "", "progress_update", progress)]);
    story.shown()
}

fn name(number: usize) -> String {
    format!("agent-{number:03}")
}

fn join(story: &mut Story, acknowledges: bool) -> (ViewerId, Vec<Effect>) {
    story.join_with(&Join { acknowledges, ..Join::default() })
}

fn say(story: &mut Story, viewer: ViewerId, message: &Json) -> Vec<Effect> {
    story.says(viewer, &message.to_string())
}

fn bytes(effects: &[Effect], viewer: ViewerId) -> u64 {
    texts(effects, viewer).iter().map(|text| text.len() as u64).sum()
}

fn states(effects: &[Effect], viewer: ViewerId) -> Vec<String> {
    let states = frames(effects, viewer).into_iter().filter(|frame| frame["type"] == "state");
    states.map(|frame| frame["agent"]["agent_id"].as_str().unwrap().to_owned()).collect()
}

fn is_closed(effects: &[Effect]) -> bool {
    effects.iter().any(|effect| matches!(effect, Effect::Close(_, Ending::TooManyMessages)))
}

/// Lets time pass until the viewer has caught up; all that it was sent.
fn follow(story: &mut Story, viewer: ViewerId) -> Vec<Effect> {
    let (mut all, mut passed_ms) = (Vec::new(), 0);
    while !told(&all, viewer).iter().any(|frame| frame.starts_with("caught_up")) {
        let due_at = story.due_soon().expect("who waits is looked at again");
        let wait_ms = i64::try_from(due_at.millis_since(story.now)).unwrap();
        story.pass(wait_ms);
        passed_ms += wait_ms;
        assert!(passed_ms < 120_000, "it never ends");
        all.extend(story.tick());
    }
    all
}

#[test]
fn more_states_than_a_viewer_may_leave_unread_come_one_after_the_other_and_before_its_history() {
    for acknowledges in [false, true] {
        let mut story = large();
        let (viewer, first) = join(&mut story, acknowledges);
        let sent = bytes(&first, viewer);
        assert!((ALLOWANCE_BYTES_MAX..ALLOWANCE_BYTES_MAX + 64_000).contains(&sent), "{sent}");
        assert!(told(&first, viewer).iter().all(|frame| frame == "hello" || frame.starts_with("state")));

        let (mut had, mut rest) = (states(&first, viewer), Vec::new());
        let began = story.now;
        while had.len() < AGENTS {
            assert!(!told(&rest, viewer).iter().any(|frame| frame.starts_with("history")), "history comes behind them");
            let due_at = story.due_soon().expect("who waits is looked at again");
            story.pass(i64::try_from(due_at.millis_since(story.now)).unwrap());
            rest = story.tick();
            had.extend(states(&rest, viewer));
        }
        assert_eq!(had, (0..AGENTS).map(name).collect::<Vec<_>>(), "each once, by its id");
        let told = told(&rest, viewer);
        let last_state = told.iter().rposition(|frame| frame.starts_with("state")).unwrap();
        assert!(told[last_state + 1].starts_with("history"), "{}", told[last_state + 1]);
        let passed_ms = story.now.millis_since(began);
        assert!((15_000..60_000).contains(&passed_ms), "{passed_ms}");
    }
}

#[test]
fn an_acknowledgement_says_that_the_states_were_read_too() {
    let mut story = large();
    let (viewer, first) = join(&mut story, true);
    let rest = say(&mut story, viewer, &json!({"type": "ack", "id": 0}));
    assert_eq!(states(&first, viewer).len() + states(&rest, viewer).len(), AGENTS);
    assert!(told(&rest, viewer).iter().any(|frame| frame.starts_with("history")));
}

#[test]
fn a_newer_subscription_takes_the_place_of_one_that_waits() {
    let mut story = large();
    let (viewer, _) = join(&mut story, false);
    let other = say(&mut story, viewer, &json!({"type": "subscribe", "agents": [name(599)], "after_id": 0}));
    assert_eq!(told(&other, viewer), ["subscription_confirmed"], "there is no room for a state yet");
    let rest = follow(&mut story, viewer);
    assert_eq!(told(&rest, viewer)[..2], [format!("state {}", name(599)), "history 600".to_owned()]);
}

/// Lets a viewer ask so many times, 20 a second; what it was sent in bytes, and whether it was let go.
fn asks(story: &mut Story, viewer: ViewerId, asks: &[Json], count: usize) -> (u64, bool) {
    let mut sent = 0;
    for number in 0..count {
        let effects = say(story, viewer, &asks[number % asks.len()]);
        sent += bytes(&effects, viewer);
        if is_closed(&effects) {
            return (sent, true);
        }
        story.pass(50);
        let effects = story.tick();
        sent += bytes(&effects, viewer);
    }
    (sent, false)
}

#[test]
fn who_asks_again_and_again_and_reads_nothing_is_sent_little() {
    let mut story = large();
    let (viewer, first) = join(&mut story, false);
    let agents: Vec<String> = (0..100).map(name).collect();
    let wishes = [
        json!({"type": "subscribe", "agents": "*", "after_id": 0}),
        json!({"type": "subscribe", "agents": agents, "after_id": 1}),
    ];
    let (sent, is_let_go) = asks(&mut story, viewer, &wishes, 1_000);
    let of_time = 50 * (64 << 10);
    assert!(bytes(&first, viewer) + sent < ALLOWANCE_BYTES_MAX + of_time + (1 << 20), "{sent}");
    assert!(!is_let_go, "a thousand times is not yet too much");
}

#[test]
fn whose_questions_alone_are_too_much_is_let_go() {
    let mut story = large();
    let (viewer, _) = join(&mut story, false);
    let agents: Vec<String> = (0..100).map(|number| format!("{number:064}")).collect();
    let (sent, is_let_go) = asks(&mut story, viewer, &[json!({"type": "subscribe", "agents": agents})], 5_000);
    assert!(is_let_go, "{sent}");
}

#[test]
fn what_changed_while_a_viewer_had_no_room_follows_once() {
    let mut story = large();
    let (viewer, _) = join(&mut story, false);
    work(&mut story, &name(0), "second");
    story.pass(1_000);
    work(&mut story, &name(0), "third");
    let rest = follow(&mut story, viewer);
    let caught_up = told(&rest, viewer).iter().position(|frame| frame.starts_with("caught_up")).unwrap();
    assert_eq!(told(&rest, viewer)[caught_up + 1..], [format!("state {}", name(0))]);
    let state = frames(&rest, viewer).pop().unwrap();
    assert_eq!(state["agent"]["progress"]["current_phase"], "third", "its newest");
}

#[test]
fn a_live_viewer_without_room_for_states_has_the_newest_of_each_as_soon_as_there_is_room() {
    for acknowledges in [false, true] {
        let mut story = large();
        let (viewer, _) = join(&mut story, acknowledges);
        if acknowledges {
            for id in [0, 0, 100, 200, 300, 400, 500, 600] {
                say(&mut story, viewer, &json!({"type": "ack", "id": id}));
            }
        } else {
            follow(&mut story, viewer);
        }
        // Its filters leave out the events, so that only states are sent.
        let quiet = json!({"type": "subscribe", "agents": "*", "filters": {"progress": false}});
        say(&mut story, viewer, &quiet);
        if !acknowledges {
            follow(&mut story, viewer);
        }
        story.pass(100_000);
        let mut first = Vec::new();
        for number in 0..AGENTS {
            first.extend(work(&mut story, &name(number), "next"));
        }
        let at_once = states(&first, viewer).len();
        assert!((400..AGENTS).contains(&at_once), "{acknowledges} {at_once}");
        work(&mut story, &name(AGENTS - 1), "newest");
        let mut later = Vec::new();
        while let Some(due_at) = story.due_soon() {
            story.pass(i64::try_from(due_at.millis_since(story.now)).unwrap());
            later.extend(story.tick());
        }
        let mut had = states(&first, viewer);
        had.extend(states(&later, viewer));
        had.sort();
        had.dedup();
        assert_eq!(had.len(), AGENTS, "{acknowledges}");
        let newest = frames(&later, viewer).pop().unwrap();
        assert_eq!(newest["agent"]["progress"]["current_phase"], "newest", "{acknowledges}");
    }
}

#[test]
fn whoever_waited_for_states_when_the_town_fell_asleep_has_them_all() {
    let mut story = large();
    let (viewer, first) = join(&mut story, false);
    let note = first.iter().rev().find_map(|effect| match effect {
        Effect::Remember(_, note) => Some(note.clone()),
        _ => None,
    });
    story.reopen();
    story.recall(&note.expect("a stream that waits is noted"));
    let rest = follow(&mut story, viewer);
    assert_eq!(states(&rest, viewer), (0..AGENTS).map(name).collect::<Vec<_>>());
}
