//! What a viewer gets that neither keeps up nor says so: all that matters, and word of all that it was spared.

use serde_json::{Value as Json, json};
use townwatch_protocol::limits::BUCKET_BYTES_MAX;
use townwatch_town::reading::cursor::BeginRequest;
use townwatch_town::reading::streams::Join;
use townwatch_town::town::TownConfig;
use townwatch_town::viewers::frames::Pace;
use townwatch_town::viewers::{Effect, ViewerId};

use crate::story::{Story, frames, said, texts, told};

/// Kinds of events from what is spared first to what never is, and how many of each a batch of [`mixed`] has.
pub const KINDS: [(&str, usize); 5] = [
    ("agent_output", 8),
    ("progress_update", 8),
    ("file_changed", 4),
    ("agent_tool_result", 3),
    ("agent_tool_call", 3),
];

/// A town whose buckets hold so many events, sent in frames of 50 at most.
fn bucket_of(bucket_events: u64) -> Story {
    let pace = Pace { frame_interval_ms: 0, window_events: 50, bucket_events };
    let mut story = Story::with(TownConfig { pace, event_cap: 20_000, ..TownConfig::default() });
    for name in ["a", "b"] {
        story.register(name);
    }
    story
}

impl Story {
    /// Takes so many events out of the bucket of everyone who watches `b`.
    fn spends(&mut self, events: usize) {
        let effects = self.shows(&vec![("b", "", "note", json!(0)); events]);
        assert!(!effects.iter().any(|effect| matches!(effect, Effect::Close(..))));
    }
}

pub fn event<'a>(agent_id: &'a str, name: &'a str) -> (&'a str, &'a str, &'a str, Json) {
    let data = match name {
        "agent_output" => said("x"),
        "agent_tool_call" => {
            json!({"tool_use_id": "t", "tool": "Read", "category": "Read", "input": {}, "summary": "s"})
        }
        "agent_tool_result" => json!({"tool_use_id": "t", "success": true, "content": ""}),
        "file_changed" => json!({"path": "p", "action": "created"}),
        _ => json!({}),
    };
    (agent_id, "", name, data)
}

fn mixed() -> Vec<(&'static str, &'static str, &'static str, Json)> {
    KINDS.iter().flat_map(|(name, count)| vec![event("a", name); *count]).collect()
}

pub fn closed(effects: &[Effect]) -> Vec<(ViewerId, u16)> {
    let closed = effects.iter().filter_map(|effect| match effect {
        Effect::Close(id, ending) => Some((*id, ending.code())),
        _ => None,
    });
    closed.collect()
}

/// Without what is said of states.
fn events(effects: &[Effect], viewer: ViewerId) -> Vec<String> {
    told(effects, viewer).into_iter().filter(|told| !told.starts_with("state")).collect()
}

/// How many events of each of [`KINDS`] a viewer was sent.
fn kinds(effects: &[Effect], viewer: ViewerId) -> Vec<usize> {
    let sent: Vec<Json> = frames(effects, viewer)
        .iter()
        .flat_map(|frame| frame["events"].as_array().cloned().unwrap_or_default())
        .collect();
    KINDS.iter().map(|(name, _)| sent.iter().filter(|event| event["event"] == *name).count()).collect()
}

#[test]
fn what_is_left_out_is_told_in_place_by_agent_and_with_its_count() {
    let mut story = bucket_of(100);
    let id = story.join("", BeginRequest::default()).0;
    story.spends(100);
    let effects = story.shows(&[
        event("a", "agent_output"),
        event("a", "agent_output"),
        event("a", "agent_tool_call"),
        event("b", "agent_output"),
        event("a", "progress_update"),
        event("b", "note"),
        event("b", "note"),
    ]);
    let expected = ["gap a 101-102 x2", "live 103", "gap a 105-105 x1", "gap b 104-104 x1", "live 106 107"];
    assert_eq!(events(&effects, id), expected);
    let gap = frames(&effects, id).remove(0);
    let expected = json!({"type": "gap", "agent_id": "a", "from": 101, "to": 102, "count": 2, "reason": "elided"});
    assert_eq!(gap, expected);
    story.pass(1_000);
    let effects = story.shows(&[event("a", "agent_output")]);
    assert_eq!(events(&effects, id), ["live 108"], "there is room again, and what was told is not told again");
}

#[test]
fn the_less_important_goes_first_and_only_as_much_as_has_to() {
    let whole: Vec<usize> = KINDS.iter().map(|(_, count)| *count).collect();
    for (room, kept_from) in
        [(26, 0), (25, 1), (18, 1), (17, 2), (10, 2), (9, 3), (6, 3), (5, 4), (3, 4), (2, 4), (0, 4)]
    {
        let mut story = bucket_of(100);
        let id = story.join("", BeginRequest::default()).0;
        story.spends(100 - room);
        let effects = story.shows(&mixed());
        let expected: Vec<usize> =
            whole.iter().enumerate().map(|(index, count)| if index < kept_from { 0 } else { *count }).collect();
        assert_eq!(kinds(&effects, id), expected, "room for {room}");
        let counts: Vec<u64> = frames(&effects, id).iter().filter_map(|frame| frame["count"].as_u64()).collect();
        let missing = whole.iter().take(kept_from).sum::<usize>() as u64;
        assert_eq!(counts.iter().sum::<u64>(), missing, "room for {room}");
    }
}

#[test]
fn what_a_person_must_not_miss_is_never_left_out() {
    let dear = [
        "agent.status",
        "agent_session",
        "agent_tool_call",
        "agent_question",
        "agent_question_answered",
        "agent_usage",
        "agent_error",
        "run_started",
        "run_iteration",
        "run_completed",
        "run_failed",
        "work_order_created",
        "work_order_updated",
        "parser_notice",
        "source_gap",
        "never_heard_of",
    ];
    let mut story = bucket_of(100);
    let id = story.join("", BeginRequest::default()).0;
    story.spends(100);
    let mut all: Vec<_> = dear.iter().map(|name| event("a", name)).collect();
    all.push(("a", "", "agent.exited", json!({"reason": "completed"})));
    let effects = story.shows(&all);
    let ids: Vec<String> = (101..=117).map(|id| id.to_string()).collect();
    assert_eq!(events(&effects, id), [format!("live {}", ids.join(" "))]);
}

#[test]
fn the_reserve_is_a_fifth_and_beyond_it_the_stream_is_closed() {
    let mut story = bucket_of(100);
    let id = story.join("", BeginRequest::default()).0;
    story.spends(100);
    let effects = story.shows(&vec![event("a", "agent_tool_call"); 20]);
    assert_eq!((kinds(&effects, id)[4], closed(&effects)), (20, vec![]));
    let effects = story.shows(&[event("a", "agent_output")]);
    assert_eq!((events(&effects, id), closed(&effects)), (vec!["gap a 121-121 x1".to_owned()], vec![]));
    let effects = story.shows(&[event("a", "agent_tool_call")]);
    assert_eq!((events(&effects, id), closed(&effects)), (vec![], vec![(id, 1013)]));
    assert_eq!(story.town.viewer_count(), 0);
    assert_eq!(events(&story.shows(&[event("a", "note")]), id), [""; 0]);
}

#[test]
fn the_bucket_counts_bytes_as_well_and_refills_by_the_clock() {
    let mut story = Story::new();
    story.register("a");
    let large = ("a", "", "agent_output", said(&"x".repeat(40 << 10)));
    for _ in 0..3 {
        story.post(&vec![large.clone(); 60]);
    }
    let bytes = |effects: &[Effect], id| texts(effects, id).iter().map(|text| text.len() as u64).sum::<u64>();
    let (id, joined) = story.join("a", BeginRequest::default());
    let at_once = bytes(&joined, id);
    assert!(at_once <= BUCKET_BYTES_MAX + 2_000 && at_once > BUCKET_BYTES_MAX - (50 << 10), "{at_once}");
    assert_eq!(story.town.due_at(story.now), Some(story.now.plus_millis(100)));
    story.pass(1_000);
    let next = bytes(&story.tick(), id);
    assert!(next <= 1 << 20 && next > (1 << 20) - (50 << 10), "{next} bytes of history in a second");
    story.pass(10_000);
    let effects = story.tick();
    assert_eq!(events(&effects, id).last().unwrap(), "caught_up 180");
    story.pass(10_000);
    // Live: 5 MiB are sent, then it is spared what comes.
    let all: Vec<Effect> = (0..3).flat_map(|_| story.shows(&vec![large.clone(); 60])).collect();
    let at_once = bytes(&all, id);
    assert!(at_once <= BUCKET_BYTES_MAX + 2_000 && at_once > BUCKET_BYTES_MAX - (50 << 10), "{at_once}");
    let told = events(&all, id);
    let live = told.len() as u64 - 1;
    assert_eq!(told.last().unwrap(), &format!("gap a {}-360 x{}", 181 + live, 180 - live));
}

#[test]
fn history_waits_for_room_and_is_never_elided_also_when_live_events_come_meanwhile() {
    let mut story = bucket_of(100);
    story.post(&vec![event("a", "agent_output"); 250]);
    let (id, joined) = story.join("a", BeginRequest::default());
    let mut got: Vec<Json> = frames(&joined, id);
    for _ in 0..300 {
        story.pass(100);
        got.extend(frames(&story.shows(&[event("a", "agent_output")]), id));
        got.extend(frames(&story.tick(), id));
    }
    let ids: Vec<u64> = got
        .iter()
        .flat_map(|frame| frame["events"].as_array().cloned().unwrap_or_default())
        .map(|event| event["id"].as_u64().unwrap())
        .collect();
    assert_eq!(ids, (1..=550).collect::<Vec<u64>>());
    assert_eq!(got.iter().filter(|frame| frame["type"] == "caught_up").count(), 1);
    assert!(!got.iter().any(|frame| frame["type"] == "gap"));
}

#[test]
fn who_acknowledges_beside_it_gets_everything() {
    let mut story = bucket_of(100);
    let silent = story.join("", BeginRequest::default()).0;
    let (acks, _) = story.join_with(&Join { acknowledges: true, ..Join::default() });
    let mut got = Vec::new();
    let mut elided = 0;
    for round in 1..=20 {
        let effects = story.shows(&vec![event("a", "agent_output"); 50]);
        elided += frames(&effects, silent).iter().filter_map(|frame| frame["count"].as_u64()).sum::<u64>();
        got.extend(frames(&effects, acks));
        let ack = json!({"type": "ack", "id": round * 50}).to_string();
        got.extend(frames(&story.says(acks, &ack), acks));
    }
    let events = got.iter().flat_map(|frame| frame["events"].as_array().cloned().unwrap_or_default());
    let ids: Vec<u64> = events.map(|event| event["id"].as_u64().unwrap()).collect();
    assert_eq!(ids, (1..=1_000).collect::<Vec<u64>>());
    assert!(!got.iter().any(|frame| frame["type"] == "gap"));
    assert_eq!(elided, 900);
}

#[test]
fn what_a_filter_hides_is_not_missing() {
    let mut story = bucket_of(100);
    let id = story.join("", BeginRequest::default()).0;
    story.spends(100);
    let heard = json!({"type": "subscribe", "agents": ["a"], "filters": {"output": false}});
    story.says(id, &heard.to_string());
    let effects = story.shows(&[event("a", "agent_output"), event("a", "progress_update"), event("b", "agent_output")]);
    assert_eq!(events(&effects, id), ["gap a 102-102 x1"]);
}
