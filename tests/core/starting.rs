//! Starting a run: what is refused before anything is stored, and how a start is settled.

use serde_json::{Value as Json, json};
use townwatch_protocol::error::{Code, Error};
use townwatch_protocol::event::{ExitReason, Role};
use townwatch_protocol::id::RigId;
use townwatch_protocol::wire::{AgentState, ControlStart, ControlStarted, StartAgent};
use townwatch_town::agents::starting::check;
use townwatch_town::store::Store;

use crate::story::{Story, agent, epoch, run};

fn order(more: &Json) -> StartAgent {
    let mut order = json!({
        "agent_id": "a", "rig_id": "rig", "name": "Ada", "role": "polecat", "runtime": "process", "command": ["ls"],
    });
    order.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    serde_json::from_value(order).unwrap()
}

fn begin(story: &mut Story, more: &Json, run_id: &str) -> Result<(ControlStart, AgentState), Error> {
    story.start(order(more), run_id)
}

fn unconfirmed(story: &Story) -> Vec<String> {
    let runs = story.town.unconfirmed_runs(story.now, 5_000).unwrap();
    runs.iter().map(|run| run.run_id.to_string()).collect()
}

fn accepted(story: &mut Story, life: &str, run_id: &str) -> Vec<ExitReason> {
    let started = ControlStarted { epoch: epoch(life), run_id: run(run_id) };
    let outcome = story.confirm(&started);
    outcome.ended.into_iter().map(|(_, reason)| reason).collect()
}

#[test]
fn an_agent_gets_what_was_typed_and_the_town_keeps_it_without_its_secrets() {
    let token = format!("ghp_{}", "q7Xc2LmZ9aTf4RkV0bNw8JyH3sPd6GuE1oQx");
    let asked = format!("Log in with {token}, hunter-2-hunter or snowflake");
    let expected = "Log in with ‹redacted:github_token›, ‹redacted:DB_PASSWORD› or ‹redacted:PET›";
    let env_vars = json!({"DB_PASSWORD": "hunter-2-hunter", "PET": "snowflake", "SHOWN": "Log in with"});
    let mut story = Story::new();
    let more = json!({"prompt": asked, "env_vars": env_vars, "secret_env": ["PET"]});
    let (start, state) = begin(&mut story, &more, "r1").unwrap();
    assert_eq!(start.order.prompt.as_deref(), Some(asked.as_str()));
    assert_eq!(start.order.secret_env.as_deref(), Some(&["PET".to_owned()][..]), "the control server hides it, too");
    assert_eq!(state.title.as_deref(), Some(expected));
    assert_eq!(story.town.agent(&agent("a")).unwrap().unwrap().title.as_deref(), Some(expected));
    for table in ["agents", "agent_events", "runs"] {
        let rows = story.store.query(&format!("SELECT * FROM {table}"), &[]).unwrap();
        let stored = format!("{rows:?}");
        assert!(!["hunter-2", "snowflake", &token].iter().any(|secret| stored.contains(secret)), "{table}: {stored}");
    }
}

#[test]
fn an_order_is_checked_before_anything_is_stored() {
    let long = "x".repeat((256 << 10) + 1);
    let cases = [
        (json!({}), None),
        (json!({"name": " "}), Some("name")),
        (json!({"name": "x".repeat(201)}), Some("name")),
        (json!({"name": "a\nb"}), Some("name")),
        (json!({"name": "é".repeat(200)}), None),
        (json!({"command": []}), Some("command")),
        (json!({"command": null}), Some("command")),
        (json!({"runtime": "replay"}), Some("transcript")),
        (json!({"runtime": "replay", "transcript": "demo", "speed": 0}), None),
        (json!({"runtime": "replay", "transcript": "demo", "speed": -0.1}), Some("speed")),
        (json!({"runtime": "replay", "transcript": "demo", "speed": 1000.5}), Some("speed")),
        (json!({"runtime": "claude_code"}), Some("prompt")),
        (json!({"runtime": "codex", "prompt": " \n"}), Some("prompt")),
        (json!({"runtime": "gemini", "prompt": "fix it"}), None),
        (json!({"secret_env": vec!["A"; 100]}), None),
        (json!({"secret_env": vec!["A"; 101]}), Some("secret_env")),
        (json!({"timeout_seconds": 0}), Some("timeout_seconds")),
        (json!({"timeout_seconds": 604_800}), None),
        (json!({"timeout_seconds": 604_801}), Some("timeout_seconds")),
    ];
    let mut story = Story::new();
    let before = story.dump();
    for (more, field) in cases {
        let refused = check(&order(&more)).err().map(|error| {
            assert_eq!(error.code, Code::InvalidRequest);
            error.details.unwrap().field.unwrap()
        });
        assert_eq!(refused.as_deref(), field, "{more}");
        if field.is_some() {
            assert!(begin(&mut story, &more, "r1").is_err());
        }
    }
    for field in ["prompt", "system_prompt"] {
        let error = begin(&mut story, &json!({field: long}), "r1").unwrap_err();
        assert_eq!(error.code, Code::TooLarge);
        assert!(error.message.starts_with(field), "{}", error.message);
    }
    assert_eq!(story.dump(), before);
}

#[test]
fn a_begun_run_is_stored_as_starting() {
    let mut story = Story::new();
    let (start, state) =
        begin(&mut story, &json!({"prompt": "\nFix it\nnow", "env_vars": {"KEY": "secret"}}), "r1").unwrap();
    assert_eq!((start.run_id.as_str(), start.agent_id.as_str(), start.order.agent_id), ("r1", "a", None));
    assert_eq!((state.status.as_str(), state.run_number, state.title.as_deref()), ("starting", 1, Some("Fix it…")));
    assert_eq!(
        (state.name.as_str(), state.runtime.map(townwatch_protocol::runtime::Runtime::as_str)),
        ("Ada", Some("process"))
    );
    assert!(!format!("{:?}", story.dump()).contains("secret"), "an agent's environment is never stored");
    let (start, state) = begin(&mut story, &json!({"agent_id": null}), "r2").unwrap();
    assert_eq!((start.agent_id.as_str(), state.agent_id.as_str()), ("minted", "minted"));
}

#[test]
fn one_run_at_a_time_and_one_rig_for_good() {
    let mut story = Story::new();
    story.add_rig("other");
    begin(&mut story, &json!({}), "r1").unwrap();
    let before = story.dump();
    let error = begin(&mut story, &json!({}), "r2").unwrap_err();
    assert_eq!(error.code, Code::AlreadyRunning);
    assert!(error.message.contains("agent a has an open run, r1"), "{}", error.message);
    assert_eq!(begin(&mut story, &json!({"rig_id": "other"}), "r2").unwrap_err().code, Code::Conflict);
    assert_eq!(begin(&mut story, &json!({"rig_id": "none"}), "r2").unwrap_err().code, Code::NotFound);
    let _other = RigId::parse("other").unwrap();
    let error = story.register_in("other", "a", Role::Mayor).unwrap_err();
    assert_eq!(error.code, Code::Conflict);
    assert_eq!(story.dump(), before);

    story.relay(&[("a", "r1", "agent.exited", json!({"reason": "completed"}))]);
    let (_, state) = begin(&mut story, &json!({"name": "Grace", "role": "witness"}), "r2").unwrap();
    assert_eq!((state.run_number, state.name.as_str(), state.role), (2, "Grace", Role::Witness));
    // What an agent posts is a run as well.
    story.register("posts");
    story.notes("posts", 1);
    assert_eq!(begin(&mut story, &json!({"agent_id": "posts"}), "r3").unwrap_err().code, Code::AlreadyRunning);
}

#[test]
fn a_town_has_a_thousand_agents() {
    let mut story = Story::new();
    for number in 0..1_000 {
        story.register(&format!("agent-{number}"));
    }
    assert_eq!(begin(&mut story, &json!({}), "r1").unwrap_err().code, Code::RateLimited);
    begin(&mut story, &json!({"agent_id": "agent-7"}), "r1").unwrap();
}

#[test]
fn a_refused_start_ends_failed_once() {
    let mut story = Story::new();
    begin(&mut story, &json!({}), "r1").unwrap();
    let refuse = |story: &mut Story, run_id: &str| {
        let outcome = story.refuse(run_id, "claude is not installed");
        outcome.ended.into_iter().map(|(_, reason)| reason).collect::<Vec<_>>()
    };
    assert_eq!(refuse(&mut story, "r1"), [ExitReason::Failed]);
    let state = story.state("a");
    assert_eq!(state["exit"], json!({"reason": "failed", "message": "claude is not installed"}));
    let before = story.dump();
    assert_eq!(refuse(&mut story, "r1"), []);
    assert_eq!(refuse(&mut story, "none"), []);
    assert_eq!(story.dump(), before);
    begin(&mut story, &json!({}), "r2").unwrap();
}

#[test]
fn a_start_is_confirmed_by_its_answer_or_by_its_events() {
    let mut story = Story::new();
    story.relay(&[]);
    for (name, run_id) in [("a", "r1"), ("b", "r2"), ("c", "r3")] {
        begin(&mut story, &json!({"agent_id": name}), run_id).unwrap();
    }
    assert!(unconfirmed(&story).is_empty(), "it has five seconds");
    story.pass(5_000);
    assert_eq!(unconfirmed(&story), ["r1", "r2", "r3"]);
    assert_eq!(accepted(&mut story, "container-1", "r1"), []);
    story.relay(&[("b", "r2", "agent.status", json!({"status": "running"}))]);
    assert_eq!(unconfirmed(&story), ["r3"]);
    story.refuse("r3", "unknown");
    assert!(unconfirmed(&story).is_empty());
}

#[test]
fn an_answer_of_a_life_that_is_over_is_the_runs_end() {
    let mut story = Story::new();
    story.relay(&[]);
    begin(&mut story, &json!({}), "r1").unwrap();
    (story.epoch, story.emitted) = (epoch("container-2"), 0);
    story.relay(&[]);
    assert_eq!(story.state("a")["status"], "starting", "which life it is in was not known");
    assert_eq!(accepted(&mut story, "container-1", "r1"), [ExitReason::Lost]);
    assert_eq!(accepted(&mut story, "container-2", "r1"), [], "an end is an end");
    assert_eq!(accepted(&mut story, "container-2", "none"), []);
    assert_eq!(story.state("a")["activity"]["kind"], "lost");
}
