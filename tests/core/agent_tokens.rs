//! Agents' tokens in their rig: which are good, when they were used, and that one that was revoked never is again.

use std::rc::Rc;

use townwatch_protocol::agent_right::{AgentRight, ShownToken};
use townwatch_protocol::error::Code;
use townwatch_protocol::event::Role;
use townwatch_protocol::id::{AgentId, Epoch, RigId, TokenId, TownId};
use townwatch_protocol::limits::TOKENS_PER_AGENT_MAX;
use townwatch_protocol::time::Timestamp;
use townwatch_protocol::wire::AgentToken;
use townwatch_town::rig::Rig;
use townwatch_town::store::Store;

use crate::sqlite::Sqlite;

const HOUR_MS: i64 = 3_600_000;

struct Desk {
    store: Rc<Sqlite>,
    rig: Rig,
    now: Timestamp,
}

fn agent(name: &str) -> AgentId {
    AgentId::parse(name).unwrap()
}

/// Ids that sort as their numbers do.
fn id(number: u64) -> TokenId {
    TokenId::parse(&format!("token-{number:04}")).unwrap()
}

fn right(agent_id: &str, token: ShownToken) -> AgentRight {
    let (town_id, rig_id) = (TownId::parse("town").unwrap(), RigId::parse("rig").unwrap());
    AgentRight { town_id, rig_id, agent_id: agent(agent_id), token }
}

impl Desk {
    fn new() -> Self {
        let store = Rc::new(Sqlite::new());
        let (rig_id, town_id) = (RigId::parse("rig").unwrap(), TownId::parse("town").unwrap());
        Rig::create(store.as_ref(), &rig_id, &town_id, &Epoch::parse("rig-1").unwrap()).unwrap();
        let rig = Rig::open(Rc::clone(&store) as Rc<dyn Store>, 5).unwrap().unwrap();
        let now = Timestamp::parse("2026-11-22T12:00:00.500Z").unwrap();
        for name in ["a", "b"] {
            rig.register(&agent(name), name, Role::Polecat, now).unwrap();
        }
        Self { store, rig, now }
    }

    /// A token of `a` for an hour.
    fn add(&self, number: u64) {
        self.rig.add_token(&agent("a"), &id(number), self.now.plus_millis(HOUR_MS), self.now).unwrap();
    }

    fn admit(&self, token: ShownToken) -> Result<(), Code> {
        self.rig.admit(&right("a", token), &agent("a"), self.now).map_err(|error| error.code)
    }

    fn admit_named(&self, number: u64) -> Result<(), Code> {
        self.admit(ShownToken::Named(id(number)))
    }

    fn admit_issued_at(&self, issued_at: Option<&str>) -> Result<(), Code> {
        let issued_at = issued_at.map(|at| Timestamp::parse(at).unwrap());
        self.admit(ShownToken::WithoutId { issued_at })
    }

    fn listed(&self) -> Vec<AgentToken> {
        self.rig.tokens(&agent("a"), self.now).unwrap().tokens
    }

    fn good(&self) -> Vec<TokenId> {
        let good = self.listed().into_iter().filter(|token| token.revoked_at.is_none());
        good.map(|token| token.token_id).collect()
    }
}

#[test]
fn a_token_is_good_while_its_row_is_and_for_its_agent_alone() {
    let desk = Desk::new();
    assert_eq!(desk.admit_named(1), Err(Code::TokenRevoked), "signed or not, its rig has not made it");
    desk.add(1);
    assert_eq!(desk.admit_named(1), Ok(()));
    for (right, agent_id, code) in [
        (right("a", ShownToken::Named(id(1))), "b", Code::Forbidden),
        (right("b", ShownToken::Named(id(1))), "b", Code::TokenRevoked),
        (
            AgentRight { town_id: TownId::parse("t2").unwrap(), ..right("a", ShownToken::Named(id(1))) },
            "a",
            Code::Forbidden,
        ),
        (right("c", ShownToken::WithoutId { issued_at: None }), "c", Code::NotFound),
    ] {
        assert_eq!(desk.rig.admit(&right, &agent(agent_id), desk.now).unwrap_err().code, code, "{right:?}");
    }
    let unknown = desk.rig.add_token(&agent("c"), &id(2), desk.now, desk.now);
    assert_eq!(unknown.unwrap_err().code, Code::NotFound);
}

#[test]
fn use_is_noted_once_a_minute_and_a_use_within_it_writes_nothing() {
    let mut desk = Desk::new();
    desk.add(1);
    assert_eq!(desk.listed()[0].last_used_at, None);
    let first = desk.now;
    for (after_ms, noted_ms, rows) in [(0, 0, 1), (59_999, 0, 0), (60_000, 60_000, 1)] {
        desk.now = first.plus_millis(after_ms);
        for token in [ShownToken::Named(id(1)), ShownToken::WithoutId { issued_at: None }] {
            let before = desk.store.rows_changed();
            assert_eq!(desk.admit(token), Ok(()));
            assert_eq!(desk.store.rows_changed() - before, rows, "after {after_ms} ms");
        }
        let listed = desk.rig.tokens(&agent("a"), desk.now).unwrap();
        let noted = Some(first.plus_millis(noted_ms));
        assert_eq!((listed.tokens[0].last_used_at, listed.without_id.last_used_at), (noted, noted));
    }
}

#[test]
fn a_token_that_was_revoked_is_never_good_again_and_stays_in_the_list_until_its_time_is_over() {
    let mut desk = Desk::new();
    for number in 1..=3 {
        desk.add(number);
    }
    let revoked_at = desk.now;
    desk.rig.revoke_token(&agent("a"), &id(2), desk.now).unwrap();
    assert_eq!(
        (1..=3).map(|number| desk.admit_named(number)).collect::<Vec<_>>(),
        [Ok(()), Err(Code::TokenRevoked), Ok(())]
    );
    desk.now = desk.now.plus_millis(1_000);
    desk.rig.revoke_token(&agent("a"), &id(2), desk.now).unwrap();
    let listed: Vec<_> = desk.listed().iter().map(|token| (token.token_id.clone(), token.revoked_at)).collect();
    assert_eq!(listed, [(id(3), None), (id(2), Some(revoked_at)), (id(1), None)], "since when it was revoked");
    for (agent_id, number) in [("a", 4), ("b", 1)] {
        let unknown = desk.rig.revoke_token(&agent(agent_id), &id(number), desk.now);
        assert_eq!(unknown.unwrap_err().code, Code::NotFound);
    }
    desk.now = desk.now.plus_millis(HOUR_MS);
    assert!(desk.listed().is_empty(), "their time is over");
    assert_eq!(desk.rig.revoke_token(&agent("a"), &id(1), desk.now).unwrap_err().code, Code::NotFound);
    desk.add(4);
    let rows = desk.store.query("SELECT count(*) FROM agent_tokens", &[]).unwrap()[0].number(0).unwrap();
    assert_eq!(rows, 1, "the next one sweeps them");
}

#[test]
fn all_at_once_are_those_without_an_id_too_but_not_those_that_come_later() {
    let desk = Desk::new();
    desk.add(1);
    desk.rig.add_token(&agent("b"), &id(9), desk.now.plus_millis(HOUR_MS), desk.now).unwrap();
    for issued_at in [None, Some("2026-11-22T11:59:59Z")] {
        assert_eq!(desk.admit_issued_at(issued_at), Ok(()), "before: {issued_at:?}");
    }
    desk.rig.revoke_tokens(&agent("a"), desk.now).unwrap();
    assert_eq!(desk.admit_named(1), Err(Code::TokenRevoked));
    for (issued_at, expected) in [
        (None, Err(Code::TokenRevoked)),
        (Some("2026-11-22T11:59:59Z"), Err(Code::TokenRevoked)),
        (Some("2026-11-22T12:00:00Z"), Err(Code::TokenRevoked)), // the same second: it may have been before
        (Some("2026-11-22T12:00:01Z"), Ok(())),
    ] {
        assert_eq!(desk.admit_issued_at(issued_at), expected, "{issued_at:?}");
    }
    assert_eq!(desk.rig.tokens(&agent("a"), desk.now).unwrap().without_id.revoked_at, Some(desk.now));
    desk.add(2);
    assert_eq!(desk.admit_named(2), Ok(()));
    let beside = right("b", ShownToken::Named(id(9)));
    assert!(desk.rig.admit(&beside, &agent("b"), desk.now).is_ok(), "another agent's");
    assert_eq!(desk.rig.revoke_tokens(&agent("c"), desk.now).unwrap_err().code, Code::NotFound);
}

#[test]
fn at_the_bound_the_one_that_was_used_longest_ago_goes() {
    let mut desk = Desk::new();
    for number in 1..=TOKENS_PER_AGENT_MAX {
        desk.add(number);
        desk.now = desk.now.plus_millis(1);
    }
    assert_eq!(desk.admit_named(1), Ok(()), "so the second one is the one that was heard of longest ago");
    desk.add(TOKENS_PER_AGENT_MAX + 1);
    assert_eq!((desk.admit_named(1), desk.admit_named(2)), (Ok(()), Err(Code::TokenRevoked)));
    assert_eq!(desk.good().len() as u64, TOKENS_PER_AGENT_MAX);
    for number in TOKENS_PER_AGENT_MAX + 2..3 * TOKENS_PER_AGENT_MAX {
        desk.now = desk.now.plus_millis(1);
        desk.add(number);
    }
    assert_eq!(desk.listed().len() as u64, 2 * TOKENS_PER_AGENT_MAX, "those that were revoked are bounded, too");
    assert_eq!(desk.admit_named(2), Err(Code::TokenRevoked), "its row is gone, and it is as little good");
    desk.rig.forget(&agent("a")).unwrap();
    assert_eq!(desk.admit_named(3 * TOKENS_PER_AGENT_MAX - 1), Err(Code::NotFound), "it went with its agent");
    desk.rig.register(&agent("a"), "A", Role::Polecat, desk.now).unwrap();
    assert_eq!((desk.listed().len(), desk.admit_named(3 * TOKENS_PER_AGENT_MAX - 1)), (0, Err(Code::TokenRevoked)));
}
