//! Who may ask: keys, tokens, cookies and tickets.

use townwatch_protocol::agent_right::{AgentRight, ShownToken};
use townwatch_protocol::error::{Code, Result};
use townwatch_protocol::id::{AgentId, RigId, SessionId, TokenId, TownId};
use townwatch_protocol::time::Timestamp;
use townwatch_protocol::wire::SessionRequest;
use townwatch_town::access::auth::{
    self, Caller, CredentialKind, Credentials, Principal, Proof, StreamCredential, check_credential, check_right,
    is_operator_key, mint_agent_token, proof, require, stream_credential,
};
use townwatch_town::access::cookie;
use townwatch_town::route::Route;
use townwatch_town::settings::Secrets;

fn secrets() -> Secrets {
    Secrets {
        api_key: "f4b1c09d2e7a8356".to_owned(),
        jwt_secret: "98ab12cd34ef5670".to_owned(),
        jwt_secret_previous: None,
        control: None,
    }
}

fn now() -> Timestamp {
    Timestamp::parse("2026-11-22T18:00:00.000Z").unwrap()
}

const ORIGIN: &str = "http://localhost:8787";

fn authenticate(
    authorization: Option<&str>,
    cookie: Option<&str>,
    now: Timestamp,
    secrets: &Secrets,
) -> Result<Option<Caller>> {
    auth::authenticate(Credentials { authorization, cookie, origin: ORIGIN }, now, secrets)
}

/// The cookie's value of a session that ends in a week.
fn session(now: Timestamp, secrets: &Secrets) -> String {
    auth::mint_session(SessionId::parse("s1").unwrap(), now.plus_millis(7 * 86_400_000), secrets).unwrap()
}

fn right(token: ShownToken) -> AgentRight {
    AgentRight {
        town_id: TownId::parse("t1").unwrap(),
        rig_id: RigId::parse("r1").unwrap(),
        agent_id: AgentId::parse("a1").unwrap(),
        token,
    }
}

fn token_id() -> TokenId {
    TokenId::parse("token-1").unwrap()
}

fn agent() -> Principal {
    Principal::Agent(right(ShownToken::Named(token_id())))
}

fn without_id(issued_at: Option<&str>) -> Principal {
    let issued_at = issued_at.map(|at| Timestamp::parse(at).unwrap());
    Principal::Agent(right(ShownToken::WithoutId { issued_at }))
}

fn agent_token(expires_at: Timestamp, secrets: &Secrets) -> String {
    let AgentRight { town_id, rig_id, agent_id, .. } = right(ShownToken::Named(token_id()));
    mint_agent_token(town_id, rig_id, agent_id, token_id(), expires_at, secrets).unwrap()
}

/// A token by hand, so that the tests do not believe the library.
fn token(header: &str, claims: &str, key: &[u8]) -> String {
    use hmac::{Hmac, Mac};
    let text = format!("{}.{}", base64url(header.as_bytes()), base64url(claims.as_bytes()));
    let mut tag = Hmac::<sha2::Sha256>::new_from_slice(key).unwrap();
    tag.update(text.as_bytes());
    format!("{text}.{}", base64url(&tag.finalize().into_bytes()))
}

fn base64url(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let bit = |index: usize| bytes.get(index / 8).map_or(0, |byte| (byte >> (7 - index % 8)) & 1);
    let digit = |at: usize| (0..6).fold(0, |value, offset| value << 1 | usize::from(bit(at * 6 + offset)));
    (0..(bytes.len() * 8).div_ceil(6)).map(|at| char::from(DIGITS[digit(at)])).collect()
}

const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

const CLAIMS: &str = r#"{"town_id":"t1","rig_id":"r1","agent_id":"a1","exp":4000000000}"#;

#[test]
fn a_bearer_is_the_key_or_an_agents_token() {
    let (secrets, now) = (secrets(), now());
    let good = agent_token(now.plus_millis(1_000), &secrets);
    let by_hand = |more: &str| {
        let token = token(HEADER, &CLAIMS.replace('}', &format!("{more}}}")), secrets.jwt_secret.as_bytes());
        format!("Bearer {token}")
    };
    for (header, principal) in [
        (format!("Bearer {}", secrets.api_key), Principal::Operator),
        (format!("bearer  {} ", secrets.api_key), Principal::Operator),
        (format!("Bearer {good}"), agent()),
        (by_hand(r#","jti":"token-1""#), agent()),
        (by_hand(""), without_id(None)),
        (by_hand(r#","iat":1795000000"#), without_id(Some("2026-11-18T11:06:40Z"))),
    ] {
        let caller = authenticate(Some(&header), None, now, &secrets).unwrap().unwrap();
        assert_eq!((caller.principal, caller.credential), (principal, CredentialKind::Bearer), "{header}");
    }
}

#[test]
fn a_wrong_bearer_is_refused_even_beside_a_good_cookie() {
    let (secrets, now) = (secrets(), now());
    let cookie = format!("townwatch_session_8787={}", session(now, &secrets));
    let key = secrets.jwt_secret.as_bytes();
    let tampered = agent_token(now.plus_millis(1_000), &secrets).replace('.', ".A");
    for (name, header) in [
        ("empty", String::new()),
        ("no scheme", secrets.api_key.clone()),
        ("other scheme", format!("Basic {}", secrets.api_key)),
        ("empty key", "Bearer ".to_owned()),
        ("part of the key", format!("Bearer {}", &secrets.api_key[..15])),
        ("more than the key", format!("Bearer {}0", secrets.api_key)),
        ("the JWT secret", format!("Bearer {}", secrets.jwt_secret)),
        ("no algorithm", format!("Bearer {}", token(r#"{"alg":"none"}"#, CLAIMS, key))),
        ("no signature", format!("Bearer {}.{}.", base64url(br#"{"alg":"none"}"#), base64url(CLAIMS.as_bytes()))),
        ("other algorithm", format!("Bearer {}", token(r#"{"alg":"HS512"}"#, CLAIMS, key))),
        ("other key", format!("Bearer {}", token(HEADER, CLAIMS, b"some other secret"))),
        ("no end", format!("Bearer {}", token(HEADER, r#"{"town_id":"t1","rig_id":"r1","agent_id":"a1"}"#, key))),
        ("no agent", format!("Bearer {}", token(HEADER, r#"{"town_id":"t1","rig_id":"r1","exp":4000000000}"#, key))),
        ("not yet", format!("Bearer {}", token(HEADER, &CLAIMS.replace('}', r#","nbf":3999999999}"#), key))),
        ("a bad token id", format!("Bearer {}", token(HEADER, &CLAIMS.replace('}', r#","jti":"a/1"}"#), key))),
        ("bad id", format!("Bearer {}", token(HEADER, &CLAIMS.replace("a1", "a/1"), key))),
        ("tampered", format!("Bearer {tampered}")),
        ("a session as bearer", format!("Bearer {}", session(now, &secrets))),
        ("huge", format!("Bearer {}", "a".repeat(1 << 20))),
    ] {
        let refusal = authenticate(Some(&header), Some(&cookie), now, &secrets).expect_err(name);
        assert_eq!(refusal.code, Code::Unauthorized, "{name}");
        assert!(!refusal.message.contains(&secrets.api_key), "{name}");
    }
}

#[test]
fn a_token_ends_at_its_second() {
    let (secrets, now) = (secrets(), now());
    let header = format!("Bearer {}", agent_token(now, &secrets));
    assert!(authenticate(Some(&header), None, now.plus_millis(-1), &secrets).is_ok());
    let refusal = authenticate(Some(&header), None, now.plus_millis(1), &secrets).unwrap_err();
    assert_eq!(refusal.code, Code::TokenExpired);
}

#[test]
fn a_cookie_is_the_operator_until_it_ends_or_a_secret_changes() {
    let (secrets, now) = (secrets(), now());
    let session = session(now, &secrets);
    let cookie = format!("a=b; townwatch_session_8787=nonsense; townwatch_session_8787={session}; c");
    let at = |at: Timestamp, secrets: &Secrets| authenticate(None, Some(&cookie), at, secrets).unwrap();
    let days = |count: i64| now.plus_millis(count * 86_400_000);
    let (principal, credential) = (Principal::Operator, CredentialKind::Cookie);
    let session_id = SessionId::parse("s1");
    assert_eq!(at(now, &secrets), Some(Caller { principal, credential, ends_at: Some(days(7)), session_id }));
    assert!(at(days(6), &secrets).is_some());
    assert_eq!(at(days(8), &secrets), None);
    assert_eq!(at(now, &Secrets { api_key: "0000000000000001".to_owned(), ..secrets.clone() }), None);
    assert_eq!(at(now, &Secrets { jwt_secret: "0000000000000001".to_owned(), ..secrets.clone() }), None);

    let as_agent = format!("townwatch_session_8787={}", agent_token(days(1), &secrets));
    assert_eq!(authenticate(None, Some(&as_agent), now, &secrets).unwrap(), None, "an agent's token is no session");
    assert_eq!(authenticate(None, None, now, &secrets).unwrap(), None);
    assert_eq!(require(None).unwrap_err().code, Code::Unauthorized);
}

#[test]
fn the_key_is_compared_whole() {
    let secrets = secrets();
    assert!(is_operator_key("f4b1c09d2e7a8356", &secrets));
    for wrong in ["", "f", "f4b1c09d2e7a835", "f4b1c09d2e7a83567", "F4B1C09D2E7A8356"] {
        assert!(!is_operator_key(wrong, &secrets), "{wrong}");
    }
}

#[test]
fn cookies_are_closed_to_scripts_and_other_sites() {
    let of = |name: &str| format!("{name}=x; Path=/; Max-Age=604800; HttpOnly; SameSite=Strict");
    for (origin, expected) in [
        ("https://watch.example", format!("{}; Secure", of("__Host-townwatch_session"))),
        ("https://watch.example:8443", format!("{}; Secure", of("__Host-townwatch_session_8443"))),
        ("http://watch.example", of("townwatch_session")),
        ("http://localhost:8787", of("townwatch_session_8787")),
        ("http://[::1]:8787", of("townwatch_session_8787")),
        ("http://[::1]", of("townwatch_session")),
    ] {
        assert_eq!(cookie::set("x", origin), expected);
    }
    assert_eq!(
        cookie::clear("http://localhost:8787"),
        "townwatch_session_8787=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict"
    );
}

#[test]
fn the_cookie_of_another_port_or_without_its_prefix_is_none() {
    let (secrets, now) = (secrets(), now());
    let session = session(now, &secrets);
    for (origin, name, is_known) in [
        (ORIGIN, "townwatch_session_8787", true),
        (ORIGIN, "townwatch_session_8788", false),
        (ORIGIN, "townwatch_session", false),
        (ORIGIN, "townwatch_session_87870", false),
        ("https://watch.example", "__Host-townwatch_session", true),
        ("https://watch.example", "townwatch_session", false),
    ] {
        let cookie = format!("{name}={session}");
        let caller =
            auth::authenticate(Credentials { authorization: None, cookie: Some(&cookie), origin }, now, &secrets);
        assert_eq!(caller.unwrap().is_some(), is_known, "{origin} {name}");
    }
}

#[test]
fn a_browser_shows_a_key_or_a_code() {
    let given = |key: Option<&str>, code: Option<&str>| {
        let (key, code) = (key.map(str::to_owned), code.map(str::to_owned));
        proof(SessionRequest { key, code }).map_err(|refusal| refusal.code)
    };
    assert_eq!(given(Some("k"), None), Ok(Proof::Key("k".to_owned())));
    assert_eq!(given(None, Some("c")), Ok(Proof::Code("c".to_owned())));
    assert_eq!(given(None, None), Err(Code::InvalidRequest));
    assert_eq!(given(Some("k"), Some("c")), Err(Code::InvalidRequest));
}

#[test]
fn a_session_makes_no_codes() {
    for (path, credential, good) in [
        ("/api/session/code", CredentialKind::Bearer, true),
        ("/api/session/code", CredentialKind::Cookie, false),
        ("/api/towns", CredentialKind::Cookie, true),
    ] {
        let route = Route::parse("POST", path).unwrap();
        let outcome = check_credential(credential, &route).map_err(|refusal| refusal.code);
        assert_eq!(outcome, if good { Ok(()) } else { Err(Code::Forbidden) }, "{path} {credential:?}");
    }
}

#[test]
fn a_stream_is_opened_by_a_ticket_or_the_operator() {
    let operator = |credential| Caller { principal: Principal::Operator, credential, ends_at: None, session_id: None };
    let agent = Caller { principal: agent(), credential: CredentialKind::Bearer, ends_at: None, session_id: None };
    let ticket = |text: &str| StreamCredential::Ticket(text.to_owned());
    let cookie = operator(CredentialKind::Cookie);
    let cases = [
        (None, None, Err(Code::Unauthorized)),
        (None, Some("abc"), Ok(ticket("abc"))),
        (None, Some(""), Ok(ticket(""))),
        (Some(&cookie), None, Ok(StreamCredential::Operator(CredentialKind::Cookie))),
        (Some(&cookie), Some("abc"), Ok(ticket("abc"))),
        (Some(&agent), None, Err(Code::Forbidden)),
        (Some(&agent), Some("abc"), Ok(ticket("abc"))),
    ];
    for (caller, given, expected) in cases {
        assert_eq!(stream_credential(caller, given).map_err(|refusal| refusal.code), expected, "{caller:?} {given:?}");
    }
}

#[test]
fn a_rig_asks_of_which_town_an_agent_is() {
    let Principal::Agent(right) = without_id(Some("2026-11-18T11:06:40Z")) else { unreachable!() };
    let header = right.header().unwrap();
    assert_eq!(AgentRight::read(&header).unwrap(), right);
    assert!(header.is_ascii(), "{header}");
    for (town, agent, good) in [("t1", "a1", true), ("t2", "a1", false), ("t1", "a2", false)] {
        let (town, agent) = (TownId::parse(town).unwrap(), AgentId::parse(agent).unwrap());
        let checked = right.check(&town, &agent).map_err(|error| error.code);
        assert_eq!(checked, if good { Ok(()) } else { Err(Code::Forbidden) });
    }
}

#[test]
fn what_the_previous_secret_signed_is_good_while_it_is_set() {
    let (before, now) = (secrets(), now());
    let after = Secrets {
        jwt_secret: "0011223344556677".to_owned(),
        jwt_secret_previous: Some(before.jwt_secret.clone()),
        ..before.clone()
    };
    let over = Secrets { jwt_secret_previous: None, ..after.clone() };
    let end = now.plus_millis(60_000);
    let asked = |secrets: &Secrets, signed_by: &Secrets, now| {
        let header = format!("Bearer {}", agent_token(end, signed_by));
        let cookie = format!("townwatch_session_8787={}", session(now, signed_by));
        let token = authenticate(Some(&header), None, now, secrets).map(|_| ()).map_err(|error| error.code);
        (token, authenticate(None, Some(&cookie), now, secrets).unwrap().is_some())
    };
    let refused = (Err(Code::Unauthorized), false);
    assert_eq!(asked(&after, &before, now), (Ok(()), true), "the previous one");
    assert_eq!(asked(&after, &after, now), (Ok(()), true), "today's");
    assert_eq!(asked(&before, &after, now), refused, "today's is what signs");
    assert_eq!(asked(&over, &before, now), refused, "the previous one was taken away");
    assert_eq!(asked(&after, &before, end.plus_millis(1)).0, Err(Code::TokenExpired), "a time is over under either");
    let other_key = Secrets { api_key: "0000000000000001".to_owned(), ..after.clone() };
    assert_eq!(asked(&other_key, &before, now), (Ok(()), false), "another key ends sessions all the same");
}

#[test]
fn an_agent_posts_and_reads_as_itself_only() {
    for (method, path, good) in [
        ("POST", "/api/rigs/r1/agent-events", true),
        ("POST", "/api/rigs/r1/agents/a1/heartbeat", true),
        ("POST", "/api/rigs/r1/agents/a2/heartbeat", false),
        ("POST", "/api/rigs/r2/agents/a1/heartbeat", false),
        ("GET", "/api/rigs/r1/agents/a1/events", true),
        ("POST", "/api/rigs/r2/agent-events", false),
        ("GET", "/api/rigs/r1/agents/a2/events", false),
        ("GET", "/api/rigs/r2/agents/a1/events", false),
        ("GET", "/api/rigs/r1/agents", false),
        ("POST", "/api/rigs/r1/agents/a1/token", false),
        ("GET", "/api/towns", false),
        ("GET", "/api/towns/t1", false),
        ("GET", "/api/towns/t1/agents/a1/events", false),
        ("POST", "/api/towns/t1/container/agents/a1/stream-ticket", false),
    ] {
        let route = Route::parse(method, path).unwrap();
        let outcome = check_right(&agent(), &route).map_err(|refusal| refusal.code);
        assert_eq!(outcome, if good { Ok(()) } else { Err(Code::Forbidden) }, "{method} {path}");
        assert_eq!(check_right(&Principal::Operator, &route), Ok(()));
    }
}
