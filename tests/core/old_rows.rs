//! Towns that an earlier version has written: their rows are read, and go on.

use std::rc::Rc;

use serde_json::{Value as Json, json};
use townwatch_protocol::wire::ActivityKind;
use townwatch_town::store::Store;
use townwatch_town::town::{Town, TownConfig};

use crate::sqlite::Sqlite;
use crate::story::{Story, agent, no_run};

/// An agent's state as it was stored before questions were a list, messages had figures and hashes were written short.
const OLD_STATE: &str = r#"{"state":{"agent_id":"a","rig_id":"rig","name":"Ada","role":"polecat","runtime":"claude_code",
"status":"running","run_id":"run-1","run_number":1,"title":"Fix the bug","session_id":"s","model":"m","working_dir":"/w",
"branch":null,"initial_commit":null,"git_origin":null,"hostname":null,"os":null,"in_container":null,"message_count":1,
"tool_call_count":1,"outstanding_llm_calls":0,"outstanding_tool_calls":[{"tool_use_id":"t1","tool":"Bash","path":null,
"since":"2026-11-22T11:59:00.000Z"}],"question":{"request_id":"q1","kind":"permission","detail":"May it?",
"options":["once","reject"]},"usage":{"input_tokens":10,"output_tokens":5,"cache_read_input_tokens":0,
"cache_creation_input_tokens":0,"cost_usd":null},"files_changed":1,"lines_added":3,"lines_removed":0,
"todos":[{"content":"x","status":"pending"}],"progress":null,"activity":{"kind":"question","detail":"May it?",
"since":"2026-11-22T11:59:30.000Z"},"first_event_id":1,"last_event_id":7,"last_event_at":"2026-11-22T11:59:30.000Z",
"started_at":"2026-11-22T11:58:00.000Z","ended_at":null,"exit":null},
"memory":{"messages":["m1"],"priced":["m1"],"files":[3826002220]}}"#;

/// A town of the first version of its tables, with one agent in the middle of a run, at this.
fn old_town(activity: &str) -> Story {
    let mut story = Story::new();
    let tables = Rc::new(Sqlite::new());
    tables.script(include_str!("../../migrations/town/0001_town.sql")).unwrap();
    tables
        .script(
            "CREATE TABLE schema_version (version INTEGER NOT NULL) STRICT; INSERT INTO schema_version VALUES (1);
             INSERT INTO town VALUES (1, 'town', 'Town', 'log-1', 0);
             INSERT INTO rigs VALUES ('rig', 'rig', NULL, NULL, 0);
             INSERT INTO runs (run_id, agent_id, run_number, source, started_at_ms, first_id)
             VALUES ('run-1', 'a', 1, 'rig:rig', 0, 1);",
        )
        .unwrap();
    let state = OLD_STATE.lines().collect::<String>();
    let state = state.replace(r#""activity":{"kind":"question""#, &format!(r#""activity":{{"kind":"{activity}""#));
    let sql = "INSERT INTO agents (agent_id, rig_id, state, base) VALUES ('a', 'rig', ?1, ?1)";
    tables.query(sql, &[state.as_str().into()]).unwrap();
    story.town = Town::open(Rc::clone(&tables) as Rc<dyn Store>, TownConfig::default(), no_run()).unwrap().unwrap();
    story.store = tables;
    story
}

#[test]
fn an_agents_row_of_an_earlier_version_is_read_and_goes_on() {
    let mut story = old_town("question");
    let state = story.state("a");
    assert_eq!(
        (&state["title"], &state["questions"], &state["worked_ms"]),
        (&json!("Fix the bug"), &json!([]), &json!(0))
    );
    assert_eq!(state.get("question"), None);
    let usage = |id: &str, tokens: u64| json!({"message_id": id, "input_tokens": tokens, "output_tokens": 0});
    story.post(&[
        ("a", "run-1", "agent_usage", usage("m1", 10)),
        ("a", "run-1", "agent_usage", usage("m2", 7)),
        ("a", "run-1", "agent_output", json!({"text": "x", "stream": "assistant", "message_id": "m1"})),
        ("a", "run-1", "file_changed", json!({"path": "a", "action": "modified"})),
        (
            "a",
            "run-1",
            "agent_tool_result",
            json!({"tool_use_id": "t1", "success": true, "content": "", "content_length": 0, "duration_ms": 1}),
        ),
    ]);
    let state = story.state("a");
    assert_eq!(state["usage"]["input_tokens"], 17, "m1 was counted before");
    assert_eq!((&state["message_count"], &state["files_changed"]), (&json!(1), &json!(1)));
    assert_eq!((&state["outstanding_tool_calls"], &state["activity"]["kind"]), (&json!([]), &json!("thinking")));
    story.reopen();
    assert_eq!(story.state("a"), state);
}

#[test]
fn an_old_agent_that_posts_is_given_the_time_of_its_last_event() {
    let mut story = old_town("tool");
    let silent = |story: &Story| story.town.agent(&agent("a")).unwrap().unwrap().activity.map(|activity| activity.kind);
    // Its last event is half a minute old.
    story.pass(9 * 60_000);
    story.tick();
    assert_eq!(silent(&story), Some(ActivityKind::Tool));
    story.pass(31_000);
    story.tick();
    assert_eq!(silent(&story), Some(ActivityKind::Silent));
    assert_eq!(story.state("a")["activity"]["since"], Json::from("2026-11-22T11:59:30.000Z"));
}
