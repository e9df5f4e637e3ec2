//! The right to resume: an event stream that a ticket opened goes on by ticket and token, and by nothing less.

use serde_json::json;
use townwatch_protocol::error::Code;
use townwatch_protocol::id::{AgentId, SessionId};
use townwatch_protocol::limits::{READER_LIFE_MS, RESUME_MS, RESUME_RIGHTS_MAX};
use townwatch_town::access::auth::{Caller, CredentialKind, Principal};
use townwatch_town::access::grantor::Grantor;
use townwatch_town::access::permit::Permit;
use townwatch_town::reading::cursor::BeginRequest;
use townwatch_town::reading::reader::{Next, Reader};
use townwatch_town::reading::resumption::{ResumptionProof, Right};
use townwatch_town::reading::stream_query::{EventNames, Form};
use townwatch_town::reading::streams::Join;
use townwatch_town::settings::Secrets;
use townwatch_town::store::Store;

use crate::pulled::{Message, messages, note, short, town_with};
use crate::story::{Story, agent, epoch};

fn operator() -> Grantor {
    Grantor { name: "key 1".to_owned(), ends_at: None }
}

/// A right, and the name of the connection that it replaces; `token` shown for `agent_id`, empty for the town.
type Admitted = Result<(Right, Option<u64>), Code>;

fn admit(story: &mut Story, ticket: &str, token: Option<&str>, agent_id: &str) -> Admitted {
    admit_while(story, ticket, token, agent_id, &|_| true)
}

fn admit_while(
    story: &mut Story,
    ticket: &str,
    token: Option<&str>,
    agent_id: &str,
    lasts: &dyn Fn(&Grantor) -> bool,
) -> Admitted {
    let agent_id = AgentId::parse(agent_id);
    let shown = ResumptionProof { ticket, token, agent_id: agent_id.as_ref() };
    let fresh = || format!("token-of-{ticket}");
    story.town.admit_reader(&shown, &fresh, lasts, story.now).map_err(|refusal| {
        assert!(token.is_none_or(|token| token.is_empty() || !refusal.message.contains(token)), "{}", refusal.message);
        refusal.code
    })
}

fn mint(story: &Story, ticket: &str, agent_id: &str) {
    story.town.mint_ticket(ticket, AgentId::parse(agent_id).as_ref(), &operator(), story.now).unwrap();
}

fn reader(story: &Story, right: Right, join: Join) -> Reader {
    let mut join = join;
    let permit = Permit::of_ticket(join.agent_id.as_ref(), right.grantor.clone());
    join.resume(right);
    story.town.open_reader(&join, &permit, story.now).unwrap()
}

fn of_agent(name: &str, after_id: Option<u64>) -> Join {
    Join {
        agent_id: AgentId::parse(name),
        asked: after_id.map_or_else(BeginRequest::default, BeginRequest::after),
        ..Join::default()
    }
}

/// What a browser has as its last event's id: the number, and the token.
fn last_id(read: &[Message]) -> (u64, String) {
    let last = read.iter().rev().find_map(|message| message.id.clone()).unwrap();
    let (id, token) = last.split_once('~').unwrap();
    (id.parse().unwrap(), token.to_owned())
}

/// A town with agents `a` and `b`, and the right of a stream of `a`'s that the ticket `t` has opened.
fn opened() -> (Story, Right) {
    let mut story = town_with(&["a", "b"]);
    mint(&story, "t", "a");
    let (right, replaced) = admit(&mut story, "t", None, "a").unwrap();
    assert!(replaced.is_none());
    (story, right)
}

#[test]
fn a_stream_goes_on_behind_its_last_event_by_ticket_and_token() {
    let (mut story, right) = opened();
    story.shows(&[note("a"), note("b"), note("a")]);
    let mut first = reader(&story, right, of_agent("a", None));
    let read = story.pulls(&mut first);
    assert_eq!(
        short(&read),
        ["hello 0~token-of-t", "state a", "note 1~token-of-t", "note 3~token-of-t", "caught_up 3"]
    );
    let (id, token) = last_id(&read);
    story.shows(&[note("a"), note("b")]);
    story.pass(60_000);
    let (right, _) = admit(&mut story, "t", Some(&token), "a").unwrap();
    let mut second = reader(&story, right, of_agent("a", Some(id)));
    assert_eq!(short(&story.pulls(&mut second))[2..], ["note 4~token-of-t", "caught_up 5"]);
}

#[test]
fn it_can_come_back_again_and_again_though_nothing_happens() {
    let (mut story, right) = opened();
    let mut read = story.pulls(&mut reader(&story, right, of_agent("a", None)));
    for _ in 0..5 {
        let (id, token) = last_id(&read);
        assert_eq!(id, 0);
        let (right, _) = admit(&mut story, "t", Some(&token), "a").unwrap();
        read = story.pulls(&mut reader(&story, right, of_agent("a", Some(id))));
        assert_eq!(short(&read)[0], "hello 0~token-of-t", "in the first block");
    }
}

#[test]
fn who_does_not_show_both_of_this_very_stream_is_refused() {
    let (mut story, _right) = opened();
    mint(&story, "other", "a");
    admit(&mut story, "other", None, "a").unwrap();
    let good = Some("token-of-t");
    for (what, ticket, token, agent_id) in [
        ("the address alone", "t", None, "a"),
        ("an empty token", "t", Some(""), "a"),
        ("a wrong token", "t", Some("token-of-u"), "a"),
        ("a part of it", "t", Some("token-of-"), "a"),
        ("more than it", "t", Some("token-of-tt"), "a"),
        ("another stream's token", "t", Some("token-of-other"), "a"),
        ("another ticket", "other", good, "a"),
        ("no ticket", "", good, "a"),
        ("another agent's path", "t", good, "b"),
        ("the town's path", "t", good, ""),
    ] {
        assert_eq!(admit(&mut story, ticket, token, agent_id).unwrap_err(), Code::TicketInvalid, "{what}");
    }
    admit(&mut story, "t", good, "a").unwrap();
    let agent_id = agent("a");
    assert!(
        story.town.consume_ticket("t", Some(&agent_id), &|_| true, story.now).is_err(),
        "a socket has no such right"
    );
}

#[test]
fn neither_ticket_nor_token_is_stored() {
    let (story, _right) = opened();
    let rows = story.texts("SELECT ticket_hash || token_hash || principal FROM resume_rights");
    assert!(rows.len() == 1 && !rows[0].contains("token-of-t") && rows[0].len() > 128, "{rows:?}");
}

#[test]
fn it_outlives_the_town_in_memory() {
    let (mut story, _right) = opened();
    story.reopen();
    assert!(admit(&mut story, "t", None, "a").is_err());
    admit(&mut story, "t", Some("token-of-t"), "a").unwrap();
}

#[test]
fn it_lasts_15_minutes_without_a_connection_and_each_one_begins_them_anew() {
    let (mut story, _right) = opened();
    let token = Some("token-of-t");
    for _ in 0..10 {
        story.pass(READER_LIFE_MS + RESUME_MS - 1);
        admit(&mut story, "t", token, "a").unwrap();
    }
    story.pass(READER_LIFE_MS + RESUME_MS);
    assert_eq!(admit(&mut story, "t", token, "a").unwrap_err(), Code::TicketInvalid);
}

#[test]
fn it_ends_with_the_right_of_the_one_who_had_the_ticket_made() {
    let (mut story, _right) = opened();
    let token = Some("token-of-t");
    let is_over = admit_while(&mut story, "t", token, "a", &|grantor| *grantor != operator());
    assert_eq!(is_over.unwrap_err(), Code::TicketInvalid);
    admit(&mut story, "t", token, "a").unwrap();
    // A stream that is open ends with it, too.
    let session = Grantor { name: "session 1".to_owned(), ends_at: Some(story.now.plus_millis(5_000)) };
    story.town.mint_ticket("s", None, &session, story.now).unwrap();
    let (right, _) = admit(&mut story, "s", None, "").unwrap();
    let mut reader = reader(&story, right, Join::default());
    story.pulls(&mut reader);
    assert_eq!(reader.due_at(), story.now.plus_millis(5_000));
    story.pass(5_000);
    assert_eq!(story.town.read_on(&mut reader, story.now).unwrap().next, Next::End);
}

#[test]
fn a_grantors_right_lasts_as_long_as_its_secret_and_its_time() {
    let secrets = |api_key: &str, jwt_secret: &str| Secrets {
        api_key: api_key.to_owned(),
        jwt_secret: jwt_secret.to_owned(),
        jwt_secret_previous: None,
        control: None,
    };
    let now = Story::new().now;
    let (ours, minute) = (secrets("f4b1c09d2e7a8356", "98ab12cd34ef5670"), now.plus_millis(60_000));
    let by =
        |credential, ends_at, session_id| Caller { principal: Principal::Operator, credential, ends_at, session_id };
    let session_id = SessionId::parse("s1");
    let key = Grantor::of(&by(CredentialKind::Bearer, None, None), &ours, now);
    let session = Grantor::of(&by(CredentialKind::Cookie, Some(minute), session_id.clone()), &ours, now);
    assert!(!key.name.contains(&ours.api_key) && key.name != session.name);
    let another = Grantor::of(&by(CredentialKind::Cookie, Some(minute), SessionId::parse("s2")), &ours, now);
    let names = |secrets| Grantor::names_of(&session_id.clone().unwrap(), secrets).collect::<Vec<_>>();
    assert!(another.name != session.name && names(&ours) == [session.name.as_str()]);
    let days =
        Grantor::of(&by(CredentialKind::Cookie, Some(now.plus_millis(7 * 86_400_000)), session_id.clone()), &ours, now);
    assert_eq!(days.ends_at, Some(now.plus_millis(12 * 3_600_000)), "as if the session were not used again");
    let (new_key, new_secret) =
        (secrets("0123456789abcdef", &ours.jwt_secret), secrets(&ours.api_key, "0123456789abcdef"));
    let rotated = Secrets { jwt_secret_previous: Some(ours.jwt_secret.clone()), ..new_secret.clone() };
    let both = names(&rotated);
    assert!(both.len() == 2 && both[0] == names(&new_secret)[0] && both[1] == session.name, "{both:?}");
    for (what, grantor, secrets, at, expected) in [
        ("a key", &key, &ours, now.plus_millis(1 << 40), true),
        ("a key that was changed", &key, &new_key, now, false),
        ("a key beside another secret", &key, &new_secret, now, true),
        ("a session", &session, &ours, now, true),
        ("a session that is over", &session, &ours, minute, false),
        ("a session whose key was changed", &session, &new_key, now, false),
        ("a session whose secret was changed", &session, &new_secret, now, false),
        ("a session whose secret was changed, but is still set beside it", &session, &rotated, now, true),
    ] {
        assert_eq!(grantor.lasts(secrets, at), expected, "{what}");
    }
}

#[test]
fn a_newer_connection_ends_the_older_one() {
    let (mut story, right) = opened();
    let mut older = reader(&story, right, of_agent("a", None));
    let read = story.pulls(&mut older);
    older.waits_as(7);
    let (id, token) = last_id(&read);
    let (right, replaced) = admit(&mut story, "t", Some(&token), "a").unwrap();
    assert_eq!(replaced, Some(7), "the edge wakes it");
    let mut newer = reader(&story, right, of_agent("a", Some(id)));
    story.shows(&[note("a")]);
    let turn = story.town.read_on(&mut older, story.now).unwrap();
    assert_eq!((turn.text.as_str(), turn.next), ("", Next::End));
    assert!(short(&story.pulls(&mut newer)).contains(&"note 1~token-of-t".to_owned()));
    drop((older, newer));
    let (_, replaced) = admit(&mut story, "t", Some(&token), "a").unwrap();
    assert_eq!(replaced, None, "one that is gone is not woken");
}

#[test]
fn another_life_of_the_log_is_told_and_begins_at_its_start() {
    let (mut story, _right) = opened();
    story.shows(&vec![note("a"); 3]);
    story.store.query("UPDATE town SET epoch = 'log-2'", &[]).unwrap();
    story.reopen();
    let (right, _) = admit(&mut story, "t", Some("token-of-t"), "a").unwrap();
    let read = story.pulls(&mut reader(&story, right, of_agent("a", Some(2))));
    assert_eq!((read[0].data["reset"].as_bool(), read[2].data["id"].as_u64()), (Some(true), Some(1)));
}

#[test]
fn the_life_that_it_is_of_counts_more_than_the_one_in_the_address() {
    let (mut story, _right) = opened();
    story.shows(&vec![note("a"); 3]);
    let (right, _) = admit(&mut story, "t", Some("token-of-t"), "a").unwrap();
    let mut join = of_agent("a", Some(2));
    join.asked.epoch = Some(epoch("log-0"));
    let read = story.pulls(&mut reader(&story, right, join));
    assert_eq!((read[0].data["reset"].as_bool(), short(&read)[2].as_str()), (Some(false), "note 3~token-of-t"));
}

#[test]
fn a_stream_of_events_only_says_where_it_begins_before_there_is_one() {
    let (mut story, right) = opened();
    let flat = |after_id| Join { form: Form::Flat, until_exit: true, ..of_agent("a", after_id) };
    let mut silent = reader(&story, right, flat(None));
    let text = story.town.read_on(&mut silent, story.now).unwrap().text;
    assert_eq!(text, "retry: 1000\nid: 0~token-of-t\n\n");
    story.shows(&[note("a"), ("a", "", "agent.exited", json!({"reason": "completed"}))]);
    let text = story.town.read_on(&mut silent, story.now).unwrap().text;
    assert!(text.starts_with("id: 1~token-of-t\nevent: note\n"), "{text}");
    let (right, _) = admit(&mut story, "t", Some("token-of-t"), "a").unwrap();
    let text = story.town.read_on(&mut reader(&story, right, flat(Some(1))), story.now).unwrap().text;
    assert!(text.starts_with("retry: 1000\nid: 2~token-of-t\nevent: agent.exited\n"), "{text}");
    assert_eq!(text.matches("id: ").count(), 1);
    let (right, _) = admit(&mut story, "t", Some("token-of-t"), "a").unwrap();
    let turn = story.town.read_on(&mut reader(&story, right, flat(Some(2))), story.now).unwrap();
    assert_eq!((turn.text.as_str(), turn.next), ("retry: 1000\nid: 2~token-of-t\n\n", Next::End));
}

#[test]
fn events_without_names_have_it_beside_their_ids_and_streams_without_a_ticket_do_not() {
    let (mut story, right) = opened();
    story.shows(&[note("a")]);
    let unnamed = Join { names: EventNames::LeftOut, ..of_agent("a", None) };
    let read = story.pulls(&mut reader(&story, right, unnamed));
    assert_eq!(short(&read), ["hello 0~token-of-t", "state a", "message 1~token-of-t", "caught_up 1"]);
    let text = story.town.read_on(&mut story.open("a", BeginRequest::default()), story.now).unwrap().text;
    assert!(!text.contains('~') && messages(&text)[0].id.is_none(), "{text}");
}

#[test]
fn there_are_never_more_of_them_than_viewers_and_those_of_long_ago_go() {
    let (mut story, _right) = opened();
    let number = |number: u64| format!("UPDATE resume_rights SET number = {number}");
    story.store.query(&number(1), &[]).unwrap();
    // As if so many others had been opened since.
    let sql =
        "INSERT INTO resume_rights SELECT ?, 'x', 'x', NULL, 'log-1', 'key 1', NULL, expires_at_ms FROM resume_rights";
    story.store.query(sql, &[RESUME_RIGHTS_MAX.into()]).unwrap();
    admit(&mut story, "t", Some("token-of-t"), "a").unwrap();
    assert_eq!(
        story.number("SELECT min(number) FROM resume_rights"),
        1,
        "who comes back in a hurry stays where it was"
    );
    mint(&story, "u", "a");
    admit(&mut story, "u", None, "a").unwrap();
    assert!(admit(&mut story, "t", Some("token-of-t"), "a").is_err(), "it was the oldest");
    story.pass(60_000);
    admit(&mut story, "u", Some("token-of-u"), "a").unwrap();
    let newest = story.number("SELECT max(number) FROM resume_rights");
    assert_eq!(newest, RESUME_RIGHTS_MAX + 2, "one that comes back later is the newest again");
}

#[test]
fn those_that_are_over_go_when_others_come() {
    let mut story = town_with(&["a"]);
    let open = |story: &mut Story, ticket: u64| {
        mint(story, &ticket.to_string(), "a");
        admit(story, &ticket.to_string(), None, "a").unwrap();
    };
    for ticket in 0..10 {
        open(&mut story, ticket);
    }
    story.pass(READER_LIFE_MS + RESUME_MS);
    open(&mut story, 10);
    assert_eq!(story.number("SELECT count(*) FROM resume_rights"), 3, "eight at a time");
    open(&mut story, 11);
    assert_eq!(story.number("SELECT count(*) FROM resume_rights"), 2);
}
