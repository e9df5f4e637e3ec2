//! What objects ask of each other: every call with its path, and a body and an answer as the versions before have them. While
//! one is deployed, objects of both call each other.

use serde_json::{Value, json};
use townwatch_protocol::calls::{
    AccountCall, AdmitCaller, AllowAgain, ArchiveAgents, BringAgentsBack, CountWrongKey, CreateRig, CreateTown,
    EndSessions, EraseRig, EraseTown, ForgetAgent, HearAgent, ListRigAgents, ObjectCall, RefuseRuns, RegisterAgent,
    RigCall, SignIn, SignOut, StopRuns, TownCall, UseSession, is_call,
};
use townwatch_protocol::envelope;
use townwatch_protocol::error::{Code, Result};
use townwatch_protocol::wire::{RigBatch, TownChange};

use crate::story::{Story, agent};

/// A call: its path, its body as it is sent, and the data of its answer.
struct Example<C> {
    path: &'static str,
    body: &'static str,
    answer: String,
    check: fn(C, &str, &str),
}

/// Holds that the reader takes the body for this call, that it is written as it was, and that its answer is, too.
macro_rules! example {
    ($name:ident::$variant:ident($request:ty), $path:literal, $body:literal, $answer:expr) => {
        Example {
            path: $path,
            body: $body,
            answer: $answer.to_string(),
            check: |call, body, answer| {
                let $name::$variant(call) = call else { panic!("{} is read as {call:?}", $path) };
                check::<$request>(&call, $path, body, answer);
            },
        }
    };
}

fn check<C: ObjectCall>(call: &C, path: &str, body: &str, answer: &str) {
    assert_eq!(C::PATH, path);
    assert!(is_call(path), "{path} would be taken for a route");
    let read = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    assert_eq!(read(&serde_json::to_string(call).unwrap()), read(body), "{path}: another body");
    let heard: C::Answer = envelope::read(&envelope::success(answer)).unwrap();
    assert_eq!(read(call.answer(&heard).unwrap().text()), read(answer), "{path}: another answer");
}

fn check_all<C>(examples: &[Example<C>], paths: &[&str], read: fn(&str, &[u8]) -> Result<C>) {
    let shown: Vec<&str> = examples.iter().map(|example| example.path).collect();
    assert_eq!(shown, paths, "a call without an example");
    for Example { path, body, answer, check } in examples {
        check(read(path, body.as_bytes()).unwrap(), body, answer);
        // A newer version may say more.
        let more = body.replacen('{', if *body == "{}" { r#"{"more":1"# } else { r#"{"more":1,"# }, 1);
        check(read(path, more.as_bytes()).unwrap(), body, answer);
        assert_eq!(read(path, b"[]").err().unwrap().code, Code::InvalidRequest, "{path} takes a list");
    }
    assert_eq!(read("/internal/none", b"{}").err().unwrap().code, Code::NotFound);
}

#[test]
fn calls_of_a_town_are_as_they_were() {
    let mut story = Story::new();
    story.register("a");
    let state = serde_json::to_value(story.town.agent(&agent("a")).unwrap().unwrap()).unwrap();
    let states = json!([state]);
    let examples = [
        example!(TownCall::Create(CreateTown), "/internal/create", r#"{"name":"T","town_id":"t1"}"#, "{}"),
        example!(
            TownCall::Change(TownChange),
            "/internal/change",
            r#"{"name":"U","max_cost_usd":1.5,"max_tokens":null}"#,
            "{}"
        ),
        example!(TownCall::Erase(EraseTown), "/internal/erase", "{}", "{}"),
        example!(
            TownCall::EndSessions(EndSessions),
            "/internal/sessions-ended",
            r#"{"session_ids":["s1","s2"]}"#,
            "{}"
        ),
        example!(
            TownCall::Register(RegisterAgent),
            "/internal/agents",
            r#"{"agent_id":null,"name":"A","rig_id":"r1","role":"mayor"}"#,
            state
        ),
        example!(TownCall::RigAgents(ListRigAgents), "/internal/rig-agents", r#"{"rig_id":"r1"}"#, states),
        example!(
            TownCall::Heartbeat(HearAgent),
            "/internal/heartbeat",
            r#"{"agent_id":"a","rig_id":"r1"}"#,
            r#"{"heard":true}"#
        ),
        example!(
            TownCall::RigEvents(RigBatch),
            "/internal/rig-events",
            r#"{"rig_id":"r1","rig_epoch":"e1","after":4,"events":[{"id":5,"agent_id":"a","run_id":"x","event":"note","data":[1.0,"\u0041"],"at":"2026-11-22T14:46:39.000Z"}]}"#,
            r#"{"cursor":5}"#
        ),
    ];
    check_all(&examples, TownCall::PATHS, TownCall::read);
}

#[test]
fn calls_of_a_rig_are_as_they_were() {
    let examples = [
        example!(
            RigCall::Create(CreateRig),
            "/internal/create",
            r#"{"epoch":"e1","rig_id":"r1","town_id":"t1"}"#,
            "{}"
        ),
        example!(RigCall::Erase(EraseRig), "/internal/erase", "{}", "{}"),
        example!(
            RigCall::Stop(StopRuns),
            "/internal/stop",
            r#"{"agent_id":"a","run_ids":["x"],"reason":"stopped"}"#,
            "{}"
        ),
        example!(
            RigCall::Ended(RefuseRuns),
            "/internal/ended",
            r#"{"agent_id":"a","run_ids":["x"],"reason":"lost"}"#,
            "{}"
        ),
        example!(RigCall::Forget(ForgetAgent), "/internal/forget", r#"{"agent_id":"a"}"#, "{}"),
        example!(RigCall::Archive(ArchiveAgents), "/internal/archive", r#"{"agent_ids":["a","b"]}"#, "{}"),
        example!(RigCall::BringBack(BringAgentsBack), "/internal/bring-back", r#"{"agent_ids":["a"]}"#, "{}"),
        example!(RigCall::AllowAgain(AllowAgain), "/internal/allow-again", r#"{"agent_id":"a"}"#, "{}"),
        example!(
            RigCall::Admit(AdmitCaller),
            "/internal/admit",
            r#"{"agent_id":"a","right":{"town_id":"t1","rig_id":"r1","agent_id":"a","token":{"named":"k1"}}}"#,
            r#"{"town_id":"t1"}"#
        ),
    ];
    check_all(&examples, RigCall::PATHS, RigCall::read);
    let by_operator = RigCall::read("/internal/admit", br#"{"agent_id":"a","right":null}"#).unwrap();
    assert!(matches!(by_operator, RigCall::Admit(AdmitCaller { right: None, .. })));
}

#[test]
fn calls_of_the_account_are_as_they_were() {
    let examples = [
        example!(
            AccountCall::SignIn(SignIn),
            "/internal/sign-in",
            r#"{"browser":"Firefox on Linux","code":null}"#,
            r#"{"session_id":"s1","ends_at":"2026-11-22T14:46:39.000Z"}"#
        ),
        example!(AccountCall::Seen(UseSession), "/internal/seen", r#"{"session_id":"s1"}"#, r#"{"lasts":true}"#),
        example!(AccountCall::SignOut(SignOut), "/internal/sign-out", r#"{"session_id":"s1"}"#, "{}"),
        example!(
            AccountCall::WrongKey(CountWrongKey),
            "/internal/wrong-key",
            r#"{"address":"192.0.2.1"}"#,
            r#"{"refused_until":null}"#
        ),
    ];
    check_all(&examples, AccountCall::PATHS, AccountCall::read);
}

/// What was posted goes through a batch byte for byte.
#[test]
fn data_that_no_value_can_hold_passes() {
    let data = r#"{"a" : 1e400, "b":123456789012345678901234567890,"c":"\ud800"}"#;
    let body = format!(
        r#"{{"rig_id":"r1","rig_epoch":"e1","after":0,"events":[{{"id":1,"agent_id":"a","event":"note","data":{data},"at":"2026-11-22T14:46:39.000Z"}}]}}"#
    );
    let TownCall::RigEvents(batch) = TownCall::read("/internal/rig-events", body.as_bytes()).unwrap() else {
        panic!("another call");
    };
    assert_eq!(batch.events[0].data.get(), data);
    assert_eq!(serde_json::to_string(&batch).unwrap(), body);
}
