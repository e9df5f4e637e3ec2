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
fn five() -> Story {
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

fn note(agent_id: &str) -> (&str, &str, &str, Json) {
    (agent_id, "", "note", json!(0))
}

fn closed(effects: &[Effect]) -> Vec<(ViewerId, u16)> {
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
fn filters_hide_what_they_name_and_nothing_else() {
    let call = json!({"tool_use_id": "t", "tool": "Read", "category": "Read", "input": {}, "summary": "s"});
    let kinds = [
        ("tool_calls", "agent_tool_call", call),
        ("tool_results", "agent_tool_result", json!({"tool_use_id": "t"})),
        ("output", "agent_output", said("x")),
        ("files", "file_changed", json!({"path": "p", "action": "created"})),
        ("progress", "progress_update", json!({})),
    ];
    let always = [
        "agent.status",
        "agent_question",
        "agent_question_answered",
        "agent_error",
        "agent_usage",
        "source_gap",
        "note",
    ];
    let mut events: Vec<_> = kinds.iter().map(|(_, name, data)| ("a", "", *name, data.clone())).collect();
    events.extend(always.map(|name| ("a", "", name, json!({}))));
    events.push(("a", "", "agent.exited", json!({"reason": "completed"})));
    let all: Vec<u64> = (1..=13).collect();
    let hidden = |name: &str, shown: bool| {
        let mut story = Story::new();
        story.register("a");
        let id = story.join("a", BeginRequest::default()).0;
        let heard = story.hears(id, &json!({"type": "subscribe", "agents": "*", "filters": {name: shown}}));
        assert_eq!(frames(&heard, id)[0]["filters"][name], shown);
        let heard = story.hears(id, &json!({"type": "subscribe", "agents": "*", "filters": [shown]}));
        assert_eq!(told(&heard, id), ["error invalid_request"], "a list says nothing of which");
        let effects = story.shows(&events);
        let live = frames(&effects, id).into_iter().filter(|frame| frame["type"] == "events");
        let ids: Vec<u64> = live
            .flat_map(|frame| frame["events"].as_array().unwrap().clone())
            .map(|e| e["id"].as_u64().unwrap())
            .collect();
        all.iter().copied().filter(|id| !ids.contains(id)).collect::<Vec<u64>>()
    };
    for (index, (filter, ..)) in kinds.iter().enumerate() {
        assert_eq!(hidden(filter, false), [index as u64 + 1], "{filter}");
        assert!(hidden(filter, true).is_empty(), "{filter}");
    }
}

#[test]
fn subscribe_replaces_the_whole_selection() {
    let mut story = five();
    let id = story.join("a", BeginRequest::default()).0;
    let heard = story.hears(id, &json!({"type": "subscribe", "agents": ["c", "b", "c"]}));
    assert_eq!(told(&heard, id), ["subscription_confirmed", "state b", "state c", "caught_up 5"]);
    let confirmed = &frames(&heard, id)[0];
    assert_eq!((&confirmed["agents"], &confirmed["after_id"]), (&json!(["b", "c"]), &json!(5)));
    assert_eq!(told(&story.shows(&[note("a"), note("b")]), id), ["live 7"]);
    let heard = story.hears(id, &json!({"type": "subscribe", "agents": "*", "after_id": 3}));
    assert_eq!(told(&heard, id)[4..], ["history 4 5 6 7", "caught_up 7"]);
    let heard = story.hears(id, &json!({"type": "subscribe", "agents": ["b"], "after_id": 99}));
    assert_eq!(frames(&heard, id)[0]["after_id"], 0, "beyond the head: from the start");
    assert_eq!(told(&heard, id)[2..], ["history 4 5 7", "caught_up 7"]);
}

#[test]
fn a_bad_message_is_answered_and_the_stream_lives() {
    let mut story = five();
    let id = story.join("a", BeginRequest::default()).0;
    let many: Vec<String> = (0..101).map(|number| format!("agent-{number}")).collect();
    let bad = [
        String::new(),
        "[".to_owned(),
        r#"{"type":"dance"}"#.to_owned(),
        r#"{"type":"subscribe"}"#.to_owned(),
        r#"{"type":"subscribe","agents":"a"}"#.to_owned(),
        r#"{"type":"subscribe","agents":["a b"]}"#.to_owned(),
        r#"{"type":"subscribe","agents":"*","after_id":-1}"#.to_owned(),
        r#"{"type":"ack"}"#.to_owned(),
        json!({"type": "subscribe", "agents": many}).to_string(),
        r#"{"type":"subscribe","agents":"*","filters":{"colour":true}}"#.to_owned(),
        r#"{"type":"subscribe","agents":"*","filters":{"output":false,"output":true}}"#.to_owned(),
        format!("{}1{}", "[".repeat(5_000), "]".repeat(5_000)),
    ];
    for message in bad {
        assert_eq!(told(&story.says(id, &message), id), ["error invalid_request"], "{message:.60}");
    }
    assert_eq!(told(&story.hears(id, &json!({"type": "ping"})), id), ["pong"]);
    assert_eq!(told(&story.shows(&[note("a")]), id)[0], "live 6");
    let effects = story.says(id, &"x".repeat((16 << 10) + 1));
    assert_eq!(closed(&effects), [(id, 1009)]);
    assert_eq!(told(&story.shows(&[note("a")]), id), Vec::<String>::new());
}

#[test]
fn an_error_says_when_which_message_and_what_is_wrong_with_it() {
    let mut story = five();
    let id = story.join("a", BeginRequest::default()).0;
    let now = story.now.to_string();
    for (message, frame, words) in [
        ("nonsense", None, "message: is not JSON"),
        ("{}", None, "type: is missing"),
        (r#"{"type":"dance"}"#, None, "type: unknown variant `dance`"),
        (r#"{"type":"ack","id":"x"}"#, Some("ack"), "ack: "),
        (r#"{"type":"ack"}"#, Some("ack"), "ack: id: is missing"),
        (r#"{"type":"ack","id":99}"#, Some("ack"), "ack: id: is above all"),
        (r#"{"type":"subscribe"}"#, Some("subscribe"), "subscribe: agents: expected"),
        (r#"{"type":"subscribe","agents":"a"}"#, Some("subscribe"), "subscribe: agents: expected"),
        (
            r#"{"type":"subscribe","agents":"*","filters":{"output":"no"}}"#,
            Some("subscribe"),
            "subscribe: filters.output: ",
        ),
        (r#"{"type":"subscribe","agents":"*","filters":[true]}"#, Some("subscribe"), "subscribe: "),
        (
            r#"{"type":"subscribe","agents":"*","filters":{"colour":true,"output":false,"si\"ze":1}}"#,
            Some("subscribe"),
            r#"subscribe: filters: "colour", "si\"ze": no such filter; there are tool_calls, tool_results, output, files, progress"#,
        ),
    ] {
        let effects = story.says(id, message);
        let told = &frames(&effects, id)[0];
        assert_eq!(
            (&told["type"], &told["at"], told["frame"].as_str()),
            (&json!("error"), &json!(now), frame),
            "{told}"
        );
        assert!(told["message"].as_str().unwrap().starts_with(words), "{message}: {told}");
        assert!(!told["message"].as_str().unwrap().contains("body"), "{told}");
    }
    let many: Json =
        (0..500).map(|number| (format!("filter-{number}"), json!(true))).collect::<serde_json::Map<_, _>>().into();
    let effects = story.hears(id, &json!({"type": "subscribe", "agents": "*", "filters": many}));
    assert!(frames(&effects, id)[0]["message"].as_str().unwrap().len() < 600, "a refusal has a bound");
    assert_eq!(
        told(&story.hears(id, &json!({"type": "subscribe", "agents": "*", "filters": {}})), id)[0],
        "subscription_confirmed"
    );
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
