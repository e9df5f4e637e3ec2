//! Nobody but the Worker is heard: each call is signed for what it does, and is good once.

use serde_json::{Value, json};
use townwatch_host::now;
use townwatch_protocol::control_key::SigningKey;
use townwatch_protocol::id::TownId;
use townwatch_protocol::signed_call::{CALL_LIFE_MS_MAX, Call, Purpose};

use crate::common::{Server, key, nonce, signed, until};

/// A call as somebody would like it to be taken.
struct TestCall {
    key: SigningKey,
    town: &'static str,
    method: &'static str,
    target: &'static str,
    purpose: Purpose,
    body: &'static str,
    ago_ms: i64,
}

/// What starts an agent of the town.
const ORDER: &str = r#"{"agent_id":"a","run_id":"r","rig_id":"rig","name":"n","role":"polecat","runtime":"process","command":["true"]}"#;

impl TestCall {
    fn right() -> Self {
        let (town, method, target) = ("town", "POST", "/agents/start");
        Self { key: key(), town, method, target, purpose: Purpose::Start, body: ORDER, ago_ms: 0 }
    }

    fn header(&self) -> String {
        let town_id = TownId::parse(self.town).unwrap();
        let call = Call { town_id: &town_id, method: self.method, target: self.target };
        call.sign(&self.key, self.purpose, self.body.as_bytes(), now().plus_millis(-self.ago_ms), nonce())
    }
}

/// Asks for a start with this signature.
fn start(server: &Server, authorization: &str) -> (u16, Value) {
    server.post_with("/agents/start", &[("Authorization", authorization), ("Townwatch-Town", "town")], ORDER)
}

fn must_refuse((status, body): &(u16, Value), words: &str) {
    assert_eq!((*status, &body["error"]["code"]), (401, &json!("unauthorized")), "{body}");
    assert!(body["error"]["message"].as_str().unwrap().contains(words), "{words}: {body}");
}

#[test]
fn a_call_is_good_only_for_what_it_was_signed_for() {
    let (server, logged) = Server::start_logged(&[]);
    let does_not_fit = "the signature does not fit";
    for (call, words) in [
        (TestCall { key: SigningKey::of([8; 32]), ..TestCall::right() }, does_not_fit),
        (TestCall { town: "other", ..TestCall::right() }, does_not_fit),
        (TestCall { method: "GET", ..TestCall::right() }, does_not_fit),
        (TestCall { target: "/agents/start?x=1", ..TestCall::right() }, does_not_fit),
        (TestCall { target: "/agents/a/stop", purpose: Purpose::Stop, ..TestCall::right() }, does_not_fit),
        (TestCall { purpose: Purpose::Relay, ..TestCall::right() }, "for another purpose"),
        (TestCall { body: "{}", ..TestCall::right() }, "not the one that was signed"),
        (TestCall { ago_ms: CALL_LIFE_MS_MAX, ..TestCall::right() }, "too old"),
        (TestCall { ago_ms: -60_000, ..TestCall::right() }, "of the future"),
        (TestCall { ago_ms: CALL_LIFE_MS_MAX - 5_000, ..TestCall::right() }, "before this control server began"),
    ] {
        must_refuse(&start(&server, &call.header()), words);
    }
    assert_eq!(server.get("/agents/a/status").0, 404, "nothing was started");
    assert_eq!(start(&server, &TestCall::right().header()).0, 200);
    let whys =
        || logged("call_refused").iter().map(|line| line["why"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    until("ten lines", || whys().len() == 10);
    let expected = ["wrong_signature", "wrong_purpose", "altered_body", "expired", "early", "before_start"];
    assert_eq!(whys()[4..], expected);
    let first = &logged("call_refused")[0];
    assert_eq!(
        (&first["method"], &first["path"], &first["town_id"]),
        (&json!("POST"), &json!("/agents/start"), &json!("town"))
    );
    assert!(first["from"].as_str().unwrap().starts_with("127.0.0.1:"));
    #[cfg(target_os = "linux")]
    assert_eq!(first["user"], rustix::process::getuid().as_raw());
}

#[test]
fn a_call_is_good_once() {
    let server = Server::start();
    let header = TestCall::right().header();
    assert_eq!(start(&server, &header).0, 200);
    for _ in 0..2 {
        must_refuse(&start(&server, &header), "came before");
    }
}

#[test]
fn without_a_signature_nothing_is_answered() {
    let server = Server::start();
    for authorization in ["", "Bearer k3y-of-the-tests", "Basic eDp5"] {
        must_refuse(
            &start(&server, authorization),
            if authorization.is_empty() { "form" } else { "only the town's Worker" },
        );
    }
    for path in ["/health", "/events", "/agents/a/events", "/no/such/route"] {
        must_refuse(&server.with_headers(path, &[("Townwatch-Town", "town")]), "only the town's Worker");
    }
    must_refuse(&start(&server, "Townwatch nonsense"), "not in the form");
    assert_eq!(server.get("/no/such/route").0, 404, "who may ask is told what there is");
}

#[test]
fn another_town_is_not_read_with_this_one_s_signature() {
    let server = Server::start();
    let [(authorization, signature), _] = signed("GET", "/events", "");
    must_refuse(
        &server.with_headers("/events", &[(authorization, &signature), ("Townwatch-Town", "other")]),
        "does not fit",
    );
}

#[test]
fn who_calls_again_and_again_fills_no_log() {
    let (server, logged) = Server::start_logged(&[]);
    for _ in 0..80 {
        start(&server, "Townwatch nonsense");
    }
    assert_eq!(start(&server, &TestCall::right().header()).0, 200);
    until("the run's line", || !logged("run_started").is_empty());
    assert_eq!(logged("call_refused").len(), 50);
}
