//! Paths: what each route is, and what is refused.

use townwatch_protocol::error::{Code, Error};
use townwatch_protocol::id::{AgentId, EventId, ImageId, RigId, SessionId, TokenId, TownId};
use townwatch_town::route::{Responder, Route};

fn t() -> TownId {
    TownId::parse("t1").unwrap()
}

fn a() -> AgentId {
    AgentId::parse("a1").unwrap()
}

fn r() -> RigId {
    RigId::parse("r1").unwrap()
}

fn i() -> ImageId {
    ImageId::parse("0a").unwrap()
}

fn id(value: u64) -> EventId {
    EventId::new(value).unwrap()
}

pub fn field<T: std::fmt::Debug>(outcome: Result<T, Error>) -> String {
    let refusal = outcome.unwrap_err();
    assert_eq!(refusal.code, Code::InvalidRequest, "{refusal}");
    let field = refusal.details.and_then(|details| details.field).expect("a refusal of a field names it");
    assert!(refusal.message.starts_with(&format!("{field}: ")), "{}", refusal.message);
    field
}

#[test]
fn every_route_of_the_contract() {
    for (method, path, route) in [
        ("GET", "/health", Route::Health),
        ("POST", "/api/session", Route::SignIn),
        ("GET", "/api/session", Route::WhoAmI),
        ("DELETE", "/api/session", Route::SignOut),
        ("POST", "/api/session/code", Route::MakeCode),
        ("GET", "/api/sessions", Route::ListSessions),
        ("DELETE", "/api/sessions", Route::EndSessions),
        ("DELETE", "/api/sessions/s1", Route::EndSession(SessionId::parse("s1").unwrap())),
        ("GET", "/api/metrics", Route::AccountMetrics),
        ("POST", "/api/towns", Route::CreateTown),
        ("GET", "/api/towns", Route::ListTowns),
        ("GET", "/api/settings", Route::ReadSettings),
        ("GET", "/api/towns/t1/mayor/status", Route::MayorStatus(t())),
        ("POST", "/api/towns/t1/mayor/message", Route::MessageMayor(t())),
        ("POST", "/api/towns/t1/mayor/destroy", Route::DestroyMayor(t())),
        ("GET", "/api/towns/t1", Route::ReadTown(t())),
        ("PATCH", "/api/towns/t1", Route::ChangeTown(t())),
        ("PATCH", "/api/towns/t1/agents/a1", Route::ChangeAgent(t(), a())),
        ("DELETE", "/api/towns/t1", Route::DeleteTown(t())),
        ("POST", "/api/towns/t1/rigs", Route::CreateRig(t())),
        ("GET", "/api/towns/t1/rigs", Route::ListRigs(t())),
        ("POST", "/api/rigs/r1/agents", Route::CreateAgent(r())),
        ("GET", "/api/rigs/r1/agents", Route::ListRigAgents(r())),
        ("POST", "/api/rigs/r1/agents/a1/token", Route::MintToken(r(), a())),
        ("GET", "/api/rigs/r1/agents/a1/tokens", Route::ListTokens(r(), a())),
        ("DELETE", "/api/rigs/r1/agents/a1/tokens", Route::RevokeTokens(r(), a())),
        ("DELETE", "/api/rigs/r1/agents/a1/tokens/k1", Route::RevokeToken(r(), a(), TokenId::parse("k1").unwrap())),
        ("POST", "/api/rigs/r1/agents/a1/heartbeat", Route::HearAgent(r(), a())),
        ("POST", "/api/rigs/r1/agent-events", Route::PostEvents(r())),
        ("GET", "/api/rigs/r1/agents/a1/events", Route::ReadRigEvents(r(), a())),
        ("PUT", "/api/rigs/r1/agents/a1/images/0a", Route::PutImage(r(), a(), i())),
        ("GET", "/api/towns/t1/agents/a1/images/0a", Route::ReadImage(t(), a(), i())),
        ("GET", "/api/towns/t1/events", Route::ReadTownEvents(t())),
        ("GET", "/api/towns/t1/agents/a1/events", Route::ReadAgentEvents(t(), a())),
        ("GET", "/api/towns/t1/events/7", Route::ReadEvent(t(), id(7))),
        ("GET", "/api/towns/t1/agents", Route::ListAgents(t())),
        ("GET", "/api/towns/t1/agents/a1", Route::ReadAgent(t(), a())),
        ("GET", "/api/towns/t1/agents/a1/runs", Route::ListRuns(t(), a())),
        ("GET", "/api/towns/t1/metrics", Route::TownMetrics(t())),
        ("GET", "/api/rigs/r1/metrics", Route::RigMetrics(r())),
        ("GET", "/api/towns/t1/container/health", Route::ContainerHealth(t())),
        ("POST", "/api/towns/t1/container/agents/start", Route::StartAgent(t())),
        ("POST", "/api/towns/t1/container/agents/a1/stop", Route::StopAgent(t(), a())),
        ("POST", "/api/towns/t1/container/agents/a1/message", Route::MessageAgent(t(), a())),
        ("GET", "/api/towns/t1/container/agents/a1/status", Route::AgentStatus(t(), a())),
        ("POST", "/api/towns/t1/container/agents/a1/stream-ticket", Route::AgentTicket(t(), a())),
        ("POST", "/api/towns/t1/stream-ticket", Route::TownTicket(t())),
        ("GET", "/api/towns/t1/container/agents/a1/stream", Route::AgentStream(t(), a())),
        ("GET", "/api/towns/t1/stream", Route::TownStream(t())),
        ("GET", "/api/towns/%741/agents/a%31", Route::ReadAgent(t(), a())),
    ] {
        assert_eq!(Route::parse(method, path), Ok(route), "{method} {path}");
    }
}

#[test]
fn no_path_is_of_two_patterns() {
    let rows: Vec<(&str, &str)> = Route::table().collect();
    for (index, (method, pattern)) in rows.iter().enumerate() {
        for (other_method, other) in &rows[index + 1..] {
            if pattern == other {
                assert_ne!(method, other_method, "{pattern}");
                continue;
            }
            let (parts, others) = (pattern.split('/'), other.split('/'));
            let told_apart = parts.clone().count() != others.clone().count()
                || parts.zip(others).any(|(one, two)| one != two && !one.starts_with('{') && !two.starts_with('{'));
            assert!(told_apart, "{pattern} and {other}");
        }
    }
}

#[test]
fn an_unknown_path_is_404_and_a_wrong_method_405_with_what_is_allowed() {
    for path in [
        "/",
        "",
        "/api",
        "/api/",
        "/api/towns/",
        "/api/towns/t1/",
        "/api/towns//rigs",
        "/api/town",
        "/health/",
        "//health",
        "/API/towns",
        "/internal/agents/a1",
        "/api/towns/t1/container/agents/a1",
        "/api/towns/t%2F1/x",
        "/api/rigs",
        "/api/rigs/r1",
    ] {
        assert_eq!(Route::parse("GET", path).unwrap_err().code, Code::NotFound, "{path}");
        assert_eq!(Route::allowed(path), None, "{path}");
    }
    for (method, path, allowed) in [
        ("PUT", "/api/towns", "POST, GET"),
        ("post", "/api/towns", "POST, GET"),
        ("POST", "/api/towns/t1", "GET, PATCH, DELETE"),
        ("OPTIONS", "/api/session", "POST, GET, DELETE"),
        ("POST", "/api/towns/t1/stream", "GET"),
    ] {
        assert_eq!(Route::parse(method, path).unwrap_err().code, Code::MethodNotAllowed, "{method} {path}");
        assert_eq!(Route::allowed(path).as_deref(), Some(allowed), "{path}");
    }
}

#[test]
fn an_id_outside_its_alphabet_is_named() {
    let long = format!("/api/towns/{}", "x".repeat(65));
    for (path, name) in [
        (long.as_str(), "town_id"),
        ("/api/towns/t%2F1/events", "town_id"),
        ("/api/towns/%FF/events", "town_id"),
        ("/api/towns/t.1/stream", "town_id"),
        ("/api/towns/t1/agents/a%00", "agent_id"),
        ("/api/towns/t1/agents/..", "agent_id"),
        ("/api/towns/t1/container/agents/a+1/stream", "agent_id"),
        ("/api/rigs/r 1/agents/a1/events", "rig_id"),
        ("/api/towns/t1/events/0", "id"),
        ("/api/towns/t1/events/-1", "id"),
        ("/api/towns/t1/events/x", "id"),
        ("/api/towns/t1/events/9007199254740992", "id"),
    ] {
        assert_eq!(field(Route::parse("GET", path)), name, "{path}");
    }
}

#[test]
fn every_route_has_its_place() {
    assert_eq!(Route::CreateTown.responder(), Responder::Account);
    assert_eq!(Route::StartAgent(t()).responder(), Responder::Town(t()));
    assert_eq!(Route::PostEvents(r()).responder(), Responder::Rig(r()));
    assert_eq!(Route::MintToken(r(), a()).responder(), Responder::Rig(r()), "the token's row is the rig's");
    assert_eq!(Route::WhoAmI.responder(), Responder::Worker);
    assert!(Route::TownTicket(t()).passes_on() && Route::TownStream(t()).passes_on() && !Route::ListTowns.passes_on());
    assert!(Route::AgentStream(t(), a()).is_stream() && !Route::AgentTicket(t(), a()).is_stream());
}
