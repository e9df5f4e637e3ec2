//! The right that a stream was opened by: it does not grow by what the viewer says, and the stream ends with it.

use serde_json::{Value as Json, json};
use townwatch_protocol::error::Code;
use townwatch_protocol::id::AgentId;
use townwatch_protocol::time::Timestamp;
use townwatch_town::access::grantor::Grantor;
use townwatch_town::access::permit::Permit;
use townwatch_town::reading::cursor::BeginRequest;
use townwatch_town::reading::ending::Ending;
use townwatch_town::reading::pages::PageRequest;
use townwatch_town::reading::reader::Next;
use townwatch_town::reading::stream_query::Form;
use townwatch_town::reading::streams::{Join, OpenStream, SessionsEnd};
use townwatch_town::viewers::{Effect, RecallResult, ViewerId};

use crate::pulled::{messages, note, short, town_with};
use crate::story::{Story, agent, frames, told};

fn session(ends_at: Option<Timestamp>) -> Grantor {
    Grantor { name: "session 1".to_owned(), ends_at }
}

/// Opens a stream by a ticket: for an agent, or for the town where that is empty.
fn open(story: &mut Story, agent_id: &str, form: Form, ends_at: Option<Timestamp>) -> (ViewerId, Vec<Effect>) {
    let agent_id = AgentId::parse(agent_id);
    let permit = Permit::of_ticket(agent_id.as_ref(), session(ends_at));
    let id = story.town.fresh_viewer();
    let join = Join { agent_id, form, ..Join::default() };
    let effects = story.seen(OpenStream { id, join: &join, permit });
    (id, effects)
}

fn hears(story: &mut Story, id: ViewerId, message: &Json) -> Vec<Effect> {
    story.says(id, &message.to_string())
}

fn shows(story: &mut Story, events: &[(&str, &str, &str, Json)]) -> Vec<Effect> {
    let _outcome = story.post(events);
    story.shown()
}

fn closed(effects: &[Effect]) -> Vec<(ViewerId, Ending)> {
    let closes = effects.iter().filter_map(|effect| match effect {
        Effect::Close(id, ending) => Some((*id, *ending)),
        _ => None,
    });
    closes.collect()
}

fn newest_note(effects: &[Effect]) -> String {
    let note = effects.iter().rev().find_map(|effect| match effect {
        Effect::Remember(_, note) => Some(note.clone()),
        _ => None,
    });
    note.unwrap()
}

/// What a ticket for `a` must not open.
fn beyond() -> [Json; 5] {
    let subscribe = |agents: Json, after_id: Json| json!({"type": "subscribe", "agents": agents, "after_id": after_id});
    [
        subscribe(json!("*"), json!(0)),
        subscribe(json!("*"), Json::Null),
        subscribe(json!(["b"]), json!(0)),
        subscribe(json!(["a", "b"]), json!(0)),
        subscribe(json!(["nobody"]), Json::Null),
    ]
}

#[test]
fn a_ticket_for_one_agent_shows_no_other_whatever_is_said() {
    for form in [Form::Frames, Form::Flat] {
        let mut story = town_with(&["a", "b"]);
        story.notes("b", 3);
        let (id, joined) = open(&mut story, "a", form, None);
        let kept = newest_note(&joined);
        for (round, is_woken) in [false, true].into_iter().enumerate() {
            if is_woken {
                story.reopen();
                assert_eq!(story.recall(&kept), RecallResult::Known(id));
            }
            for message in beyond() {
                let effects = hears(&mut story, id, &message);
                assert_eq!(told(&effects, id), ["error forbidden"], "{message} {form:?} {is_woken}");
                assert_eq!(frames(&effects, id)[0]["frame"], "subscribe");
                assert_eq!(effects.len(), 1, "no note, nobody else");
            }
            let head = 3 + 2 * round as u64;
            let effects = shows(&mut story, &[note("a"), note("b")]);
            let first = frames(&effects, id)[0].clone();
            let shown = if form == Form::Flat { first } else { first["events"][0].clone() };
            assert_eq!((&shown["agent_id"], &shown["id"]), (&json!("a"), &json!(head + 1)));
            assert!(!format!("{:?}", frames(&effects, id)).contains("\"b\""), "{effects:?}");
            for agents in [json!([]), json!(["a"]), json!(["a", "a"])] {
                let own = hears(&mut story, id, &json!({"type": "subscribe", "agents": agents}));
                assert_eq!(frames(&own, id)[0]["type"], "subscription_confirmed", "{agents}");
            }
        }
    }
}

#[test]
fn a_ticket_for_the_town_and_the_operator_may_watch_any_agent() {
    let mut story = town_with(&["a", "b"]);
    let (ticketed, _) = open(&mut story, "", Form::Frames, None);
    let (operators, _) = story.join("a", BeginRequest::default());
    for id in [ticketed, operators] {
        for message in beyond() {
            assert_eq!(told(&hears(&mut story, id, &message), id)[0], "subscription_confirmed", "{message}");
        }
    }
}

#[test]
fn a_stream_ends_with_its_right_and_is_due_then() {
    let mut story = town_with(&["a"]);
    let end = story.now.plus_millis(5_000);
    let (short_lived, _) = open(&mut story, "a", Form::Frames, Some(end));
    let (later, _) = open(&mut story, "", Form::Flat, Some(end.plus_millis(1)));
    let (stays, _) = open(&mut story, "a", Form::Frames, None);
    assert_eq!(story.due_soon(), Some(end));
    story.pass(4_999);
    assert_eq!(closed(&story.tick()), []);
    story.pass(1);
    assert_eq!(closed(&story.tick()), [(short_lived, Ending::RightEnded)]);
    assert_eq!((Ending::RightEnded.code(), story.due_soon()), (4401, Some(end.plus_millis(1))));
    story.pass(1);
    let effects = shows(&mut story, &[note("a")]);
    assert_eq!(closed(&effects), [(later, Ending::RightEnded)], "also by an event, which it is not sent");
    assert_eq!((told(&effects, later).len(), told(&effects, stays)[0].as_str()), (0, "live 1"));
    assert_eq!((story.due_soon(), story.town.viewer_count()), (None, 1));
}

#[test]
fn who_speaks_or_is_typed_to_after_the_end_is_answered_by_it() {
    let mut story = town_with(&["a"]);
    let end = story.now.plus_millis(1_000);
    let (id, _) = open(&mut story, "a", Form::Frames, Some(end));
    let (other, _) = open(&mut story, "a", Form::Frames, Some(end));
    let (third, _) = open(&mut story, "a", Form::Frames, Some(end.plus_millis(1)));
    story.town.leave(other);
    story.pass(1_000);
    let effects = hears(&mut story, id, &json!({"type": "subscribe", "agents": ["a"], "after_id": 0}));
    assert_eq!((effects.len(), closed(&effects)), (1, vec![(id, Ending::RightEnded)]));
    assert_eq!(hears(&mut story, id, &json!({"type": "ping"})).len(), 0, "nobody is there");
    story.pass(1);
    assert_eq!(closed(&story.says_binary(third, 3)), [(third, Ending::RightEnded)]);
    assert_eq!(story.town.viewer_count(), 0);
}

#[test]
fn one_that_slept_through_the_end_of_its_right_is_not_taken_in_again() {
    let mut story = town_with(&["a"]);
    let end = story.now.plus_millis(1_000);
    let (_, joined) = open(&mut story, "a", Form::Frames, Some(end));
    let kept = newest_note(&joined);
    story.reopen();
    let mut asked = None;
    let recalled = story.town.recall(&kept, &|_| false).unwrap();
    assert_eq!((recalled, story.town.viewer_count()), (RecallResult::RightEnded, 0));
    let asks = |grantor: &Grantor| grantor.name == "session 1" && grantor.ends_at.is_some();
    if let RecallResult::Known(id) = story.town.recall(&kept, &asks).unwrap() {
        asked = Some(id);
    }
    assert!(asked.is_some(), "whose right it is stands in the note");
    assert_eq!(story.due_soon(), Some(end), "with its end");
    let without = kept.replacen("\"permit\"", "\"permitted\"", 1);
    assert_eq!(story.recall(&without), RecallResult::Unknown, "no stream is without a right");
}

#[test]
fn a_ticket_opens_nothing_once_the_right_it_was_made_by_is_over() {
    let story = town_with(&["a"]);
    let ended = |grantor: &Grantor| grantor.ends_at.is_none_or(|end| story.now < end);
    for (ticket, ends_at, opens) in [("t1", Some(story.now), false), ("t2", None, true)] {
        let minted_at = story.now.plus_millis(-1);
        story.town.mint_ticket(ticket, Some(&agent("a")), &session(ends_at), minted_at).unwrap();
        let consumed = story.town.consume_ticket(ticket, Some(&agent("a")), &ended, story.now);
        match consumed {
            Ok(permit) => assert!(opens && permit == Permit::of_ticket(Some(&agent("a")), session(ends_at))),
            Err(error) => assert!(!opens && error.code == Code::TicketInvalid),
        }
    }
}

#[test]
fn who_pulls_reads_no_longer_than_the_right_lasts() {
    let mut story = town_with(&["a"]);
    story.notes("a", 200);
    let permit = Permit::of_operator(session(Some(story.now.plus_millis(20_000))));
    let join = Join::default();
    let mut reader = story.town.open_reader(&join, &permit, story.now).unwrap();
    let flat = Join { form: Form::Flat, ..Join::default() };
    let mut flat = story.town.open_reader(&flat, &permit, story.now).unwrap();
    let requested = PageRequest::default();
    let selection = townwatch_town::log::Selection::town();
    let mut range = story.town.open_range(selection, requested, permit.grantor.clone()).unwrap();
    assert!(story.town.read_range(&mut range, story.now).unwrap().is_some());
    story.pulls(&mut reader);
    story.pass(15_000);
    story.pulls(&mut reader);
    assert_eq!(reader.due_at(), story.now.plus_millis(5_000));
    story.pass(5_000);
    let turn = story.town.read_on(&mut reader, story.now).unwrap();
    let read = messages(&turn.text);
    assert_eq!((turn.next, short(&read)), (Next::End, vec!["error".to_owned()]));
    assert_eq!(read[0].data["code"], "unauthorized");
    let turn = story.town.read_on(&mut flat, story.now).unwrap();
    assert_eq!((turn.text.as_str(), turn.next), ("", Next::End), "history that was not read yet is not told either");
    assert_eq!(story.town.read_range(&mut range, story.now).unwrap_err().code, Code::Unauthorized);
}

#[test]
fn a_session_that_is_ended_takes_all_that_it_opened_along() {
    let mut story = town_with(&["a"]);
    let named = |name: &str| Grantor { name: name.to_owned(), ends_at: None };
    let join = Join::default();
    let opened = ["ended", "other", "ended"].map(|name| {
        let id = story.town.fresh_viewer();
        story.seen(OpenStream { id, join: &join, permit: Permit::of_operator(named(name)) });
        id
    });
    let [mut ended, mut other] = ["ended", "other"].map(|name| {
        let permit = Permit::of_operator(named(name));
        story.town.open_reader(&join, &permit, story.now).unwrap()
    });
    let town = townwatch_town::log::Selection::town;
    let mut range = story.town.open_range(town(), PageRequest::default(), named("ended")).unwrap();
    for (ticket, name) in [("t1", "ended"), ("t2", "other")] {
        story.town.mint_ticket(ticket, None, &named(name), story.now).unwrap();
    }
    story.pulls(&mut ended);
    story.pulls(&mut other);
    let effects = story.seen(SessionsEnd { names: &["ended".to_owned()] });
    assert_eq!(closed(&effects), [opened[0], opened[2]].map(|id| (id, Ending::RightEnded)));
    assert!(matches!(effects[2..], [Effect::Announce]), "those without a socket find out, too: {effects:?}");
    assert_eq!(story.town.viewer_count(), 1);
    let turn = story.town.read_on(&mut ended, story.now).unwrap();
    assert_eq!((turn.next, messages(&turn.text)[0].data["code"].clone()), (Next::End, json!("unauthorized")));
    assert_eq!(story.town.read_on(&mut other, story.now).unwrap().next, Next::Wait);
    assert_eq!(story.town.read_range(&mut range, story.now).unwrap_err().code, Code::Unauthorized);
    let consume = |ticket| story.town.consume_ticket(ticket, None, &|_| true, story.now).map(|_| ());
    assert_eq!(consume("t1").unwrap_err().code, Code::TicketInvalid);
    assert_eq!(consume("t2"), Ok(()));
    // A request that was let in a moment before opens nothing either.
    assert_eq!(story.town.check_lasts(&named("ended"), story.now).unwrap_err().code, Code::Unauthorized);
    assert_eq!(story.town.mint_ticket("t3", None, &named("ended"), story.now).unwrap_err().code, Code::Unauthorized);
    assert_eq!(story.town.check_lasts(&named("other"), story.now), Ok(()));
}

#[test]
fn every_ending_fits_into_a_close_frame() {
    for ending in Ending::ALL {
        assert!((1..=123).contains(&ending.reason().len()), "{ending:?}");
        assert!(matches!(ending.code(), 1000 | 1001 | 1008 | 1009 | 1011 | 1013 | 4401), "{ending:?}");
    }
}
