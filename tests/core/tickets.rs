//! Tickets: single-use, short-lived, for one stream each, and never more than a thousand.

use townwatch_protocol::error::Code;
use townwatch_protocol::limits::TICKETS_MAX;
use townwatch_town::access::grantor::Grantor;

use crate::story::{Story, agent};

fn mint(story: &Story, ticket: &str, agent_id: &str) -> (String, String) {
    let agent_id = townwatch_protocol::id::AgentId::parse(agent_id);
    let grantor = Grantor { name: "key 1".to_owned(), ends_at: None };
    let view = story.town.mint_ticket(ticket, agent_id.as_ref(), &grantor, story.now).unwrap();
    assert_eq!(view.ticket, ticket);
    (view.url, view.expires_at.to_string())
}

fn opens(story: &Story, ticket: &str, agent_id: &str) -> bool {
    let agent_id = townwatch_protocol::id::AgentId::parse(agent_id);
    match story.town.consume_ticket(ticket, agent_id.as_ref(), &|_| true, story.now) {
        Ok(_) => true,
        Err(error) => {
            assert_eq!(error.code, Code::TicketInvalid);
            false
        }
    }
}

#[test]
fn a_ticket_names_its_stream_and_its_end() {
    let story = Story::new();
    let end = "2026-11-22T12:01:00.000Z".to_owned();
    assert_eq!(mint(&story, "t1", ""), ("/api/towns/town/stream?ticket=t1".to_owned(), end.clone()));
    let of_agent = "/api/towns/town/container/agents/not-yet-started/stream?ticket=t2".to_owned();
    assert_eq!(mint(&story, "t2", "not-yet-started"), (of_agent, end));
}

#[test]
fn a_ticket_opens_its_own_stream_once() {
    let story = Story::new();
    mint(&story, "t1", "a");
    for (ticket, agent_id) in [("t1", "b"), ("t1", ""), ("t2", "a"), ("", "a")] {
        assert!(!opens(&story, ticket, agent_id), "{ticket:?} for {agent_id:?}");
    }
    assert!(opens(&story, "t1", "a"), "the wrong paths have left it unused");
    assert!(!opens(&story, "t1", "a"), "once");
    mint(&story, "t3", "");
    assert!(!opens(&story, "t3", "a"));
    assert!(opens(&story, "t3", ""));
}

#[test]
fn a_ticket_is_good_until_its_end() {
    let mut story = Story::new();
    for ticket in ["t1", "t2"] {
        mint(&story, ticket, "a");
    }
    story.pass(59_999);
    assert!(opens(&story, "t1", "a"));
    story.pass(1);
    assert!(!opens(&story, "t2", "a"));
    assert_eq!(story.number("SELECT count(*) FROM tickets"), 1);
    mint(&story, "t4", "a");
    assert_eq!(story.texts("SELECT ticket FROM tickets"), ["t4"], "the next one sweeps");
}

#[test]
fn beyond_a_thousand_the_oldest_go() {
    let mut story = Story::new();
    for ticket in 0..TICKETS_MAX + 3 {
        mint(&story, &format!("t{ticket}"), "a");
        story.pass(1);
    }
    assert_eq!(story.number("SELECT count(*) FROM tickets"), TICKETS_MAX);
    let good = |ticket: u64| opens(&story, &format!("t{ticket}"), "a");
    assert_eq!([0, 1, 2, 3, 4, TICKETS_MAX + 2].map(good), [false, false, false, true, true, true]);
}

#[test]
fn a_ticket_outlives_the_town_in_memory() {
    let mut story = Story::new();
    mint(&story, "t1", "a");
    story.reopen();
    let rows = story.store.rows_changed();
    story.town.consume_ticket("t1", Some(&agent("a")), &|_| true, story.now).unwrap();
    assert_eq!(story.store.rows_changed() - rows, 1);
}
