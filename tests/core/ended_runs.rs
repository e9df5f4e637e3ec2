//! What a rig refuses of runs that are over, and what lets an agent post again.

use std::rc::Rc;

use serde_json::{Value as Json, json};
use townwatch_protocol::calls::EndedRuns;
use townwatch_protocol::error::Code;
use townwatch_protocol::event::{ExitReason, Role};
use townwatch_town::rig::Rig;
use townwatch_town::store::Store;

use crate::desk::{Desk, note};
use crate::story;
use crate::story::{agent, position};

fn ends(agent_id: &str, run_ids: &[&str], reason: ExitReason) -> EndedRuns {
    EndedRuns { agent_id: agent(agent_id), run_ids: run_ids.iter().map(|name| story::run(name)).collect(), reason }
}

#[test]
fn what_is_posted_to_a_stopped_run_is_refused_until_another_run_begins() {
    let refusal = |desk: &Desk, body: &Json| {
        let error = desk.post_text(&body.to_string()).unwrap_err();
        assert_eq!((error.code, error.details.unwrap().reason), (Code::RunEnded, Some(ExitReason::Stopped)));
        error.message
    };
    // Each of these lets posts without a name in again; the run's own name stays refused.
    let begin_anew: [fn(&Desk); 3] = [
        |desk| desk.rig.register(&agent("a"), "a", Role::Polecat, desk.now).unwrap(),
        |desk| assert_eq!(desk.post(&note("a", Some("other"))).0, 1),
        |desk| desk.rig.allow_again(&agent("a")).unwrap(),
    ];
    for begin in begin_anew {
        let desk = Desk::capped(100);
        desk.post(&json!({"agent_id": "a", "event_type": "note", "run_id": "known", "event_id": "k1"}));
        desk.rig.adopt(position(1)).unwrap();
        desk.post(&note("a", Some("waiting")));
        desk.rig.stop(&ends("a", &["known"], ExitReason::Stopped), desk.now).unwrap();
        let reopened = Rig::open(Rc::clone(&desk.store) as Rc<dyn Store>, 100).unwrap().unwrap();
        let desk = Desk { rig: reopened, ..desk };
        let head = desk.ids("a");
        assert!(refusal(&desk, &note("a", None)).contains("register the agent again"));
        assert!(refusal(&desk, &note("a", Some("known"))).contains("stopped by the operator"));
        refusal(&desk, &note("a", Some("waiting")));
        let mixed = json!([{"event_type": "note", "run_id": "fresh"}, {"event_type": "note", "run_id": "known"}]);
        refusal(&desk, &json!({"agent_id": "a", "events": mixed}));
        assert_eq!(desk.ids("a"), head, "nothing of it is stored");
        // A retry of what was taken is harmless, also now.
        let again = json!({"agent_id": "a", "event_type": "note", "run_id": "known", "event_id": "k1"});
        assert_eq!(desk.post(&again).1, 1);
        assert_eq!(desk.post(&note("b", None)).0, 1, "another agent's run");
        begin(&desk);
        assert_eq!(desk.post(&note("a", None)).0, 1);
        refusal(&desk, &note("a", Some("known")));
    }
}

#[test]
fn an_agent_without_a_run_may_begin_one_though_it_was_stopped() {
    let desk = Desk::new();
    let stop = || desk.rig.stop(&ends("a", &[], ExitReason::Stopped), desk.now).unwrap();
    stop();
    assert_eq!(desk.post(&note("a", None)).0, 1);
    // What the town has not heard of yet would open a run.
    stop();
    assert_eq!(desk.post_text(&note("a", None).to_string()).unwrap_err().code, Code::RunEnded);
    desk.rig.allow_again(&agent("a")).unwrap();
    desk.post(&json!({"agent_id": "a", "event_type": "agent.exited", "data": {"reason": "completed"}}));
    stop();
    assert_eq!(desk.post(&note("a", None)).0, 1, "its run was over by itself");
}

#[test]
fn a_lost_run_refuses_its_own_posts_alone_and_only_so_many_are_known() {
    let desk = Desk::capped(1_000);
    desk.rig.note_ends(&ends("a", &["gone"], ExitReason::Lost), desk.now).unwrap();
    let error = desk.post_text(&note("a", Some("gone")).to_string()).unwrap_err();
    assert_eq!((error.code, error.details.unwrap().reason), (Code::RunEnded, Some(ExitReason::Lost)));
    assert!(error.message.contains("lost"), "{}", error.message);
    assert_eq!(desk.post(&note("a", None)).0, 1);
    for number in 1..=100 {
        let later = desk.now.plus_millis(number);
        desk.rig.note_ends(&ends("a", &[&format!("r{number}")], ExitReason::Lost), later).unwrap();
    }
    assert_eq!(desk.number("SELECT count(*) FROM ended_runs"), 100);
    assert_eq!(desk.post(&note("a", Some("gone"))).0, 1, "the oldest is forgotten; the town drops it");
    assert_eq!(desk.post_text(&note("a", Some("r1")).to_string()).unwrap_err().code, Code::RunEnded);
}
