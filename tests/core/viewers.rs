//! Streams: what a viewer is sent, in which order, and what it never is.

use std::rc::Rc;

use serde_json::{Value as Json, json};
use townwatch_protocol::limits::FRAME_BYTES_MAX;
use townwatch_town::reading::cursor::BeginRequest;
use townwatch_town::reading::streams::Join;
use townwatch_town::town::TownConfig;
use townwatch_town::viewers::{Effect, RecallResult, ViewerId};

use crate::story::{Story, agent, epoch, frames, said, texts, told};

fn after(id: u64) -> BeginRequest {
    BeginRequest::after(id)
}

/// Agents `a`, `b`, `c`; three notes of `a` (1 2 3), two of `b` (4 5).
pub fn five() -> Story {
    let mut story = Story::new();
    for name in ["a", "b", "c"] {
        story.register(name);
    }
    story.notes("a", 3);
    story.notes("b", 2);
    // What they have come to by now is not to be told later.
    story.pass(1_000);
    story.tick();
    story
}

pub fn note(agent_id: &str) -> (&str, &str, &str, Json) {
    (agent_id, "", "note", json!(0))
}

pub fn closed(effects: &[Effect]) -> Vec<(ViewerId, u16)> {
    let closed = effects.iter().filter_map(|effect| match effect {
        Effect::Close(id, ending) => Some((*id, ending.code())),
        _ => None,
    });
    closed.collect()
}

fn notes_of(effects: &[Effect]) -> Vec<&str> {
    let notes = effects.iter().filter_map(|effect| match effect {
        Effect::Remember(_, note) => Some(note.as_str()),
        _ => None,
    });
    notes.collect()
}

#[test]
fn hello_states_history_caught_up_and_then_live() {
    let mut story = five();
    let (town, joined) = story.join("", BeginRequest::default());
    let expected = ["hello", "state a", "state b", "state c", "history 1 2 3 4 5", "caught_up 5"];
    assert_eq!(told(&joined, town), expected);
    let hello = json!({
        "type": "hello", "protocol": 1, "town_id": "town", "epoch": "log-1", "head": 5, "oldest_id": 1, "reset": false,
        "settings": TownConfig::default().settings,
    });
    assert_eq!(frames(&joined, town)[0], hello);
    let (late, joined) = story.join("b", after(4));
    assert_eq!(told(&joined, late), ["hello", "state b", "history 5", "caught_up 5"]);
    let (nobody, joined) = story.join("nobody", BeginRequest::default());
    assert_eq!(told(&joined, nobody), ["hello", "caught_up 5"]);

    let waits = json!({"status": "waiting"});
    let effects = story.shows(&[("a", "", "agent.status", waits.clone()), ("b", "", "agent.status", waits)]);
    assert_eq!(told(&effects, town), ["live 6 7", "state a", "state b"]);
    assert_eq!(told(&effects, late), ["live 7", "state b"]);
    assert_eq!(told(&effects, nobody), Vec::<String>::new());
    let effects = story.shows(&[note("c")]);
    assert_eq!(told(&effects, late), Vec::<String>::new());
    assert_eq!(told(&effects, town), ["live 8", "state c"], "its first run");
    story.town.leave(town);
    assert_eq!(told(&story.shows(&[note("a")]), town), Vec::<String>::new());
}

#[test]
fn a_cursor_of_another_life_begins_anew_and_says_so() {
    let mut story = five();
    for asked in [after(6), after(3).of_epoch(Some(epoch("log-0")))] {
        let (id, joined) = story.join("a", asked);
        assert_eq!(frames(&joined, id)[0]["reset"], true);
        assert_eq!(told(&joined, id)[2..], ["history 1 2 3", "caught_up 5"]);
    }
    let (id, joined) = story.join("a", BeginRequest::tail(1));
    assert_eq!(told(&joined, id)[2..], ["history 3", "caught_up 5"]);
}

#[test]
fn what_is_pruned_is_a_gap_before_the_agents_first_event() {
    let mut story = Story::capped(2);
    for name in ["a", "b"] {
        story.register(name);
    }
    story.notes("a", 4);
    story.notes("b", 1);
    let (id, joined) = story.join("", BeginRequest::default());
    assert_eq!(told(&joined, id)[3..], ["gap a 1-2 x2", "history 3 4 5", "caught_up 5"]);
    let (tail, joined) = story.join("", BeginRequest::tail(9));
    assert_eq!(told(&joined, tail)[3..], ["history 3 4 5", "caught_up 5"], "who asks for a tail misses nothing");
    // A batch beyond the cap prunes what no one has had yet; what was pruned of what all have had is nobody's gap.
    let effects = story.shows(&[note("a"), note("b"), note("a"), note("a"), note("a")]);
    assert_eq!(told(&effects, id)[..2], ["gap a 6-8", "live 7 9 10"]);
    assert_eq!(told(&effects, tail)[..2], ["gap a 6-8", "live 7 9 10"]);
    assert_eq!(told(&story.shows(&[note("b")]), id)[0], "live 11");
}

#[test]
fn viewers_who_want_the_same_share_one_text() {
    let mut story = five();
    let ids: Vec<ViewerId> = ["a", "a", "", "b"].map(|name| story.join(name, BeginRequest::default()).0).to_vec();
    let filtered = json!({"type": "subscribe", "agents": ["a"], "filters": {"output": false}});
    let other = story.join("a", BeginRequest::default()).0;
    story.hears(other, &filtered);
    let waits = json!({"status": "waiting"});
    let effects = story.shows(&[("a", "", "agent_output", said("x")), ("a", "", "agent.status", waits)]);
    let sent: Vec<Vec<Rc<str>>> = ids.iter().map(|id| texts(&effects, *id)).collect();
    assert!(Rc::ptr_eq(&sent[0][0], &sent[1][0]), "events");
    assert!(
        Rc::ptr_eq(&sent[0][1], &sent[1][1]) && Rc::ptr_eq(&sent[0][1], &sent[2][1]),
        "states, for whoever sees them"
    );
    assert_eq!(sent[0][0], sent[2][0]);
    assert_eq!(sent[3].len(), 0);
    assert_eq!(told(&effects, other)[0], "live 7");
}

#[test]
fn no_frame_has_more_than_64_kib_and_nothing_is_left_out() {
    let mut story = Story::new();
    story.register("a");
    let sizes = [10, 200_000, 200_000, 47_000, 20_000, 100, 60_000, 1];
    let events: Vec<_> = sizes.iter().map(|size| ("a", "", "note", json!("é".repeat(size / 2)))).collect();
    let live = story.join("a", BeginRequest::default()).0;
    let effects = story.shows(&events);
    for chunk in [250, 250, 250] {
        story.notes("a", chunk);
    }
    let (joined, history) = story.join("a", BeginRequest::default());
    for (id, effects, count) in [(live, effects, 8), (joined, history, 758)] {
        let mut ids = Vec::new();
        for text in texts(&effects, id) {
            assert!(text.len() <= FRAME_BYTES_MAX, "{} bytes", text.len());
            let frame: Json = serde_json::from_str(&text).unwrap();
            ids.extend(frame["events"].as_array().into_iter().flatten().map(|event| event["id"].as_u64().unwrap()));
        }
        assert_eq!(ids, (1..=count).collect::<Vec<u64>>());
    }
}

#[test]
fn after_a_hibernation_a_stream_goes_on_with_the_next_event_once() {
    let mut story = five();
    let (first, joined) = story.join("a", BeginRequest::default());
    let note_of_first = notes_of(&joined)[0].to_owned();
    let second = story.join("", BeginRequest::default()).0;
    let heard = story.hears(second, &json!({"type": "subscribe", "agents": ["b"], "filters": {"output": false}}));
    let note_of_second = notes_of(&heard).last().unwrap().to_string();
    story.shows(&[note("a")]);
    story.reopen();
    assert_eq!(story.recall(&note_of_first), RecallResult::Known(first));
    assert_eq!(story.recall(&note_of_second), RecallResult::Known(second));
    assert_eq!(story.recall("scribble"), RecallResult::Unknown);
    assert!(story.town.fresh_viewer() > second, "names are not given twice");
    let effects = story.shows(&[note("a"), note("b"), ("b", "", "agent_output", said("x"))]);
    assert_eq!(told(&effects, first)[0], "live 7");
    assert_eq!(told(&effects, second)[0], "live 8", "with its selection");
    assert!(notes_of(&effects).is_empty(), "a live stream's note is written once, not at each event");
}

#[test]
fn until_exit_ends_a_stream_with_its_run() {
    let until_exit = |name: &str| Join {
        agent_id: Some(agent(name)),
        asked: BeginRequest::default(),
        until_exit: true,
        ..Join::default()
    };
    let mut story = five();
    let (waits, joined) = story.join_with(&until_exit("c"));
    assert_eq!(closed(&joined), [], "it has had no run yet");
    let (id, joined) = story.join_with(&until_exit("a"));
    assert_eq!(closed(&joined), []);
    let stays = story.join("a", BeginRequest::default()).0;
    assert_eq!(closed(&story.shows(&[("b", "", "agent.exited", json!({"reason": "completed"}))])), []);
    let effects = story.shows(&[("a", "", "agent.exited", json!({"reason": "completed"}))]);
    assert_eq!(told(&effects, id), ["live 7", "state a"], "the end itself is still sent, and what it came to");
    assert_eq!(closed(&effects), [(id, 1000)]);
    assert_eq!(told(&story.shows(&[note("a")]), stays)[0], "live 8", "the others wait for the next run");
    story.shows(&[("a", "", "agent.exited", json!({"reason": "failed"}))]);
    let (over, joined) = story.join_with(&until_exit("a"));
    assert_eq!(told(&joined, over)[2..], ["history 1 2 3 7 8 9", "caught_up 9", "state a"]);
    assert_eq!(closed(&joined), [(over, 1000)]);
    assert_eq!(closed(&story.shows(&[("c", "", "agent.exited", json!({"reason": "failed"}))])), [(waits, 1000)]);
}

#[test]
fn a_state_is_sent_when_it_changed_and_at_most_every_half_second() {
    let mut story = five();
    let id = story.join("a", BeginRequest::default()).0;
    let told_states = |effects: &[Effect]| told(effects, id).iter().filter(|told| *told == "state a").count();
    let call = |number: u64| json!({"tool_use_id": number.to_string(), "tool": "Read", "category": "Read", "input": {}, "summary": "s"});
    assert_eq!(told_states(&story.shows(&[("a", "", "agent_tool_call", call(1))])), 1);
    story.pass(499);
    assert_eq!(told_states(&story.shows(&[("a", "", "agent_tool_call", call(2))])), 0);
    assert_eq!(story.due_soon(), Some(story.now.plus_millis(1)));
    story.pass(1);
    let effects = story.tick();
    assert_eq!(frames(&effects, id)[0]["agent"]["tool_call_count"], 2);
    assert_eq!(story.due_soon(), None);
    story.pass(1_000);
    assert_eq!(told_states(&story.shows(&[note("a")])), 0, "a note changes nothing worth a frame");
}

#[test]
fn an_event_costs_nothing_for_those_who_watch_others_and_nothing_for_the_logs_length() {
    let mut story = Story::new();
    for number in 0..300 {
        let name = format!("agent-{number}");
        story.register(&name);
        story.join(&name, BeginRequest::default());
    }
    let costs = |story: &mut Story| {
        let (statements, steps) = (story.store.statements(), story.store.steps());
        let mut effects = story.shows(&[note("agent-7")]);
        effects.retain(|effect| !matches!(effect, Effect::Announce));
        assert_eq!(texts(&effects, effects_of(&effects)).len(), effects.len(), "of one viewer alone");
        (story.store.statements() - statements, story.store.steps() - steps)
    };
    story.shown();
    costs(&mut story);
    let mut quiet = Story::new();
    quiet.register("agent-7");
    quiet.shows(&[note("agent-7")]);
    let statements = quiet.store.statements();
    quiet.shows(&[note("agent-7")]);
    let unwatched = quiet.store.statements() - statements;
    let (statements, short) = costs(&mut story);
    assert!(statements < unwatched + 10, "{statements} statements, {unwatched} where nobody watches");
    story.notes("agent-8", 1_900);
    story.pass(1_000);
    story.tick();
    story.shown();
    let (_, long) = costs(&mut story);
    assert!(long < 2 * short, "{long} steps in a long log, {short} in a short one");
}

fn effects_of(effects: &[Effect]) -> ViewerId {
    match effects.first() {
        Some(Effect::Send(id, _)) => *id,
        other => panic!("{other:?}"),
    }
}
