//! Heartbeats for sockets that do not ping.

use serde_json::json;
use townwatch_protocol::time::Timestamp;
use townwatch_town::reading::cursor::BeginRequest;
use townwatch_town::reading::stream_query::Form;
use townwatch_town::reading::streams::Join;
use townwatch_town::town::TownConfig;
use townwatch_town::viewers::ViewerId;
use townwatch_town::viewers::keepalive::{Heartbeats, KeepaliveCheck, Traffic, check, settles_at};

use crate::pulled::{note, town_with};
use crate::story::{Story, frames, texts};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1_000_000_000 + seconds * 1_000)
}

fn socket(id: u64, pinged: Option<i64>, sent: Option<i64>) -> Traffic {
    Traffic { id: ViewerId(id), opened_at: None, pinged_at: pinged.map(at), sent_at: sent.map(at) }
}

fn checked(sockets: &[Traffic], now: i64) -> (Vec<u64>, Option<i64>) {
    let KeepaliveCheck { owed, next_at } = check(sockets.iter().copied(), at(now));
    let seconds = |next: Timestamp| i64::try_from(next.millis_since(at(now))).unwrap() / 1_000;
    (owed.iter().map(|id| id.0).collect(), next_at.map(seconds))
}

#[test]
fn who_pings_is_left_alone_and_who_does_not_hears_every_30_seconds() {
    for (what, sockets, now, expected) in [
        ("nobody", vec![], 0, (vec![], None)),
        ("one that was just greeted", vec![socket(1, None, Some(0))], 1, (vec![], Some(29))),
        ("silent for 30 s", vec![socket(1, None, Some(0))], 30, (vec![1], Some(30))),
        ("late", vec![socket(1, None, Some(0))], 300, (vec![1], Some(30))),
        ("it pings", vec![socket(1, Some(0), Some(0))], 89, (vec![], None)),
        ("it used to ping", vec![socket(1, Some(0), Some(0))], 90, (vec![1], Some(30))),
        ("not known after a sleep", vec![socket(1, None, None)], 0, (vec![1], Some(30))),
        (
            "soon owed, with another",
            vec![socket(1, None, Some(0)), socket(2, None, Some(10))],
            30,
            (vec![1, 2], Some(30)),
        ),
        ("not yet owed", vec![socket(1, None, Some(0)), socket(2, None, Some(11))], 30, (vec![1], Some(11))),
        ("the clock stepped back", vec![socket(1, None, Some(100))], 30, (vec![], Some(30))),
    ] {
        assert_eq!(checked(&sockets, now), expected, "{what}");
    }
}

#[test]
fn who_has_just_come_is_looked_at_again_once_it_may_have_pinged() {
    let new = Traffic { opened_at: Some(at(0)), ..socket(1, None, Some(0)) };
    assert_eq!(check([new].into_iter(), at(0)), KeepaliveCheck { owed: vec![], next_at: Some(settles_at(at(0))) });
    assert_eq!(checked(&[new, socket(2, None, Some(-30))], 0), (vec![2], Some(1)));
    assert_eq!(checked(&[Traffic { pinged_at: Some(at(0)), ..new }], 0), (vec![], None), "it pings already");
    assert_eq!(checked(&[new], 1), (vec![], Some(29)));
}

#[test]
fn it_is_one_text_for_all_that_are_at_the_head() {
    let mut story = Story::with(TownConfig::default());
    story.register("a");
    story.register("b");
    story.notes("a", 3);
    story.pass(1_000);
    story.tick();
    let (one, _) = story.join("", BeginRequest::default());
    let (other, _) = story.join("b", BeginRequest::default());
    let now = story.now;
    let effects = story.seen(Heartbeats { owed: &[one, other] });
    let expected = json!({"type": "heartbeat", "at": now.to_string(), "id": 3});
    assert_eq!((&frames(&effects, one)[0], &frames(&effects, other)[0]), (&expected, &expected));
    assert!(std::rc::Rc::ptr_eq(&texts(&effects, one)[0], &texts(&effects, other)[0]));
    story.post(&[note("a")]);
    // The next one is held back by the pace.
    story.post(&[note("a")]);
    assert!(story.seen(Heartbeats { owed: &[one] }).is_empty(), "what is new is on its way to it");
    story.town.leave(one);
    assert!(story.seen(Heartbeats { owed: &[one] }).is_empty());
}

#[test]
fn who_acknowledges_or_wants_events_only_is_owed_none() {
    let mut story = town_with(&["a"]);
    story.notes("a", 1);
    let plain = story.join("", BeginRequest::default()).0;
    let acks = story.join_with(&Join { acknowledges: true, ..Join::default() }).0;
    let flat = story.join_with(&Join { form: Form::Flat, ..Join::default() }).0;
    let later = story.join("", BeginRequest::default()).0;
    story.says(later, r#"{"type":"ack","id":1}"#);
    let owed = [plain, acks, flat, later, ViewerId(99)].map(|id| story.town.may_owe_heartbeats(id));
    assert_eq!(owed, [true, false, false, false, false]);
}
