//! Paths, queries and bodies: what is taken, and refusals that name the field.

use townwatch_protocol::body::{is_deeper_than, parse_body, parse_optional_body};
use townwatch_protocol::envelope;
use townwatch_protocol::error::{Code, Error};
use townwatch_protocol::id::{AgentId, Epoch, EventId, ImageId, POSITION_MAX, RigId, SessionId, TokenId, TownId};
use townwatch_protocol::limits::JSON_DEPTH_MAX;
use townwatch_protocol::query::{Address, Query};
use townwatch_protocol::wire::{PostEvents, StartAgent, StopAgent, TownRequest};
use townwatch_town::reading::cursor::BeginRequest;
use townwatch_town::reading::stream_query::{EventNames, Form, StreamKind, StreamQuery};
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

fn field<T: std::fmt::Debug>(outcome: Result<T, Error>) -> String {
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

#[test]
fn queries() {
    let query = Query::parse(
        "event=a&limit=20&event=b%20c&after_id=9007199254740993&flag=1&big=99999999999999999999&unknown=%FF&empty=",
    );
    assert_eq!(query.all("event").collect::<Vec<_>>(), ["a", "b c"]);
    assert_eq!(query.number("limit", 1, 1_000), Ok(Some(20)));
    assert_eq!(query.number("absent", 1, 1_000), Ok(None));
    assert_eq!(query.position("after_id"), Ok(EventId::new(POSITION_MAX)), "beyond every head");
    assert_eq!(query.position("big"), Ok(EventId::new(POSITION_MAX)));
    assert_eq!(field(query.text("event")), "event");
    assert_eq!(field(query.position("empty")), "empty");
    for text in ["0", "1001", "-1", "1.0", "%2B5", "5x", "", "0x10", "1e3"] {
        assert_eq!(field(Query::parse(&format!("limit={text}")).number("limit", 1, 1_000)), "limit", "{text}");
    }
    for text in ["-1", "abc", "", "1.5", "%201"] {
        assert_eq!(field(Query::parse(&format!("after_id={text}")).position("after_id")), "after_id", "{text}");
    }
    assert_eq!(field(Query::parse("town=a/b").id("town", TownId::parse, TownId::EXPECTED)), "town");
}

#[test]
fn where_a_stream_begins() {
    let read = |query: &str, header: Option<&str>| StreamQuery::parse(&Query::parse(query), header);
    let e = |text: &str| Epoch::parse(text);
    let begins = |begin| StreamQuery { begin, ..StreamQuery::default() };
    let after = |id| begins(BeginRequest::after(id));
    let back = |id| StreamQuery { comes_back: true, ..after(id) };
    let back_in = |id, epoch| StreamQuery { begin: BeginRequest::after(id).of_epoch(e(epoch)), ..back(id) };
    let from = |id| begins(BeginRequest::from_event(id));
    for (query, header, expected) in [
        ("", None, StreamQuery::default()),
        ("after_id=5&epoch=e1", None, begins(BeginRequest::after(5).of_epoch(e("e1")))),
        ("after_id=99999999999999999999", None, after(POSITION_MAX)),
        ("from=-3", None, from(-1)),
        ("from=8&after_id=5", None, from(8)),
        ("from=8&after_id=5", Some("9"), back(9)),
        ("from=8&epoch=e1", Some("9"), back_in(9, "e1")),
        ("tail=20", None, begins(BeginRequest::tail(20))),
        ("tail=20&epoch=e0", Some("e1.9"), back_in(9, "e1")),
        ("tail=20", Some("9~ab~c"), StreamQuery { token: Some("ab~c".to_owned()), ..back(9) }),
        ("", Some("e1.9~ab"), StreamQuery { token: Some("ab".to_owned()), ..back_in(9, "e1") }),
        ("named=true", None, StreamQuery::default()),
        ("format=flat", None, StreamQuery { form: Form::Flat, ..StreamQuery::default() }),
        ("format=frames", None, StreamQuery::default()),
        ("named=false", None, StreamQuery { names: EventNames::LeftOut, ..StreamQuery::default() }),
        ("after_id=5", Some(""), after(5)),
    ] {
        assert_eq!(read(query, header), Ok(expected), "{query} {header:?}");
    }
    for (query, header, name) in [
        ("after_id=x", None, "after_id"),
        ("after_id=-1", None, "after_id"),
        ("from=x", None, "from"),
        ("from=-", None, "from"),
        ("from=--1", None, "from"),
        ("tail=-1", None, "tail"),
        ("tail=2001", None, "tail"),
        ("tail=5&after_id=1", None, "tail"),
        ("tail=5&from=1", None, "tail"),
        ("flow=push", None, "flow"),
        ("until=never", None, "until"),
        ("named=no", None, "named"),
        ("format=round", None, "format"),
        ("ticket=a&ticket=b", None, "ticket"),
        ("epoch=a.b", None, "epoch"),
        ("", Some("e1."), "Last-Event-ID"),
        ("", Some("x"), "Last-Event-ID"),
        ("", Some("~5"), "Last-Event-ID"),
        ("", Some("e1~5"), "Last-Event-ID"),
        ("", Some("e 1.5"), "Last-Event-ID"),
    ] {
        assert_eq!(field(read(query, header)), name, "{query} {header:?}");
    }
    let said = read("", Some("e1~secret")).unwrap_err().message;
    assert!(!said.contains("secret"), "{said}");
    let whole = StreamQuery::parse(&Query::parse("ticket=abc&flow=ack&until=exit"), None).unwrap();
    assert!(whole.flow_ack && whole.until_exit);
    assert_eq!(whole.ticket.as_deref(), Some("abc"));
}

#[test]
fn how_a_stream_is_served() {
    assert_eq!(StreamKind::of(Some("WebSocket"), None), Ok(StreamKind::WebSocket));
    assert_eq!(StreamKind::of(None, Some("text/html, text/event-stream;q=0.9")), Ok(StreamKind::EventSource));
    assert_eq!(StreamKind::of(Some("h2c"), Some("*/*")).unwrap_err().code, Code::UpgradeRequired);
    assert_eq!(StreamKind::of(None, None).unwrap_err().code, Code::UpgradeRequired);
}

#[test]
fn a_body_that_is_wrong_is_refused_by_its_field() {
    for (body, name) in [
        ("", "body"),
        ("  \n", "body"),
        ("{", "body"),
        ("[]", "body"),
        ("null", "body"),
        ("{} {}", "agent_id"),
        (r#"{"agent_id":"a1"} x"#, "body"),
        (r#"{"agent_id":"a1","agent_id":"a2"}"#, "agent_id"),
        ("{}", "agent_id"),
        (r#"{"agent_id":5}"#, "agent_id"),
        (r#"{"agent_id":"a/1"}"#, "agent_id"),
        (r#"{"agent_id":"a1","events":{}}"#, "events"),
        (r#"{"agent_id":"a1","events":[{"event_type":"x"},{"event_type":"a b"}]}"#, "events[1].event_type"),
        (r#"{"agent_id":"a1","events":[{"event_type":"x"},{"data":1}]}"#, "events[1].event_type"),
        (r#"{"agent_id":"a1","events":[{"event_type":"x","event_type":"y"}]}"#, "events[0].event_type"),
        (r#"{"agent_id":"a1","event_type":"x","at":"yesterday"}"#, "at"),
        (r#"{"agent_id":"a1","event_type":"x","data":{"a":}}"#, "body"),
    ] {
        assert_eq!(field(parse_body::<PostEvents>(body.as_bytes())), name, "{body}");
    }
    assert_eq!(field(parse_body::<TownRequest>(b"{\"name\":\"\xff\"}")), "body");
    assert_eq!(field(parse_body::<TownRequest>(br#"{"name":"\ud800"}"#)), "body");
    let start = r#"{"rig_id":"r1","name":"n","role":"mayor","runtime":"cobol"}"#;
    assert_eq!(field(parse_body::<StartAgent>(start.as_bytes())), "runtime");
    let refusal = parse_body::<TownRequest>(&vec![b' '; (4 << 20) + 1]).unwrap_err();
    assert_eq!(refusal.code, Code::TooLarge);
}

#[test]
fn a_body_that_may_be_left_out() {
    assert!(parse_optional_body::<StopAgent>(b"").unwrap().signal.is_none());
    assert!(parse_optional_body::<StopAgent>(b" ").unwrap().signal.is_none());
    assert!(parse_optional_body::<StopAgent>(br#"{"signal":"SIGKILL"}"#).unwrap().signal.is_some());
    assert_eq!(field(parse_optional_body::<StopAgent>(br#"{"signal":"SIGHUP"}"#)), "signal");
}

#[test]
fn data_is_kept_byte_for_byte() {
    for data in [
        "123456789012345678901234567890",
        "-0.0",
        "1e400",
        "1E+2",
        r#""\ud800""#,
        r#""\u0000""#,
        r#""é\u00e9\/""#,
        "[1, 2 ,3]",
        r#"{"a":1,"a":2,"b" : {}}"#,
        r#""""#,
        "true",
        "[]",
        "0.1000000000000000055511151231257827",
    ] {
        let body = format!(r#"{{"agent_id":"a1","events":[{{"event_type":"x","data": {data} }}],"data":{data}}}"#);
        let read: PostEvents = parse_body(body.as_bytes()).unwrap();
        assert_eq!(read.events.unwrap()[0].0.data.as_ref().unwrap().get(), data);
        assert_eq!(read.data.unwrap().get(), data);
    }
}

#[test]
fn depth() {
    let nested = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
    assert!(!is_deeper_than(nested(128).as_bytes(), 128));
    assert!(is_deeper_than(nested(129).as_bytes(), 128));
    assert!(!is_deeper_than(br#""[[[[\"[[[[" "#, 2), "brackets within a string do not count");
    let body = |depth: usize| format!(r#"{{"agent_id":"a1","event_type":"x","data":{}}}"#, nested(depth));
    assert!(parse_body::<PostEvents>(body(JSON_DEPTH_MAX).as_bytes()).is_ok());
    let batch = format!(r#"{{"agent_id":"a1","events":[{{"event_type":"x","data":{}}}]}}"#, nested(JSON_DEPTH_MAX));
    assert!(parse_body::<PostEvents>(batch.as_bytes()).is_ok(), "the batch around the data does not count");
    assert_eq!(field(parse_body::<PostEvents>(body(1_000_000).as_bytes())), "body");
}

#[test]
fn addresses() {
    for (url, origin, path, query) in [
        ("https://a.example/api/towns?x=1&y=/?z", "https://a.example", "/api/towns", "x=1&y=/?z"),
        ("http://localhost:8787/", "http://localhost:8787", "/", ""),
        ("http://localhost:8787", "http://localhost:8787", "", ""),
        ("http://a/b#c?d", "http://a", "/b", ""),
        ("/b?c", "", "/b", "c"),
    ] {
        assert_eq!(Address::split(url), Address { origin, path, query }, "{url}");
    }
}

#[test]
fn a_page_is_told_from_a_file() {
    for (path, expected) in [
        ("/", true),
        ("/towns/one", true),
        ("/towns/one/agents/two_a-b", true),
        ("/towns/one/", true),
        ("/assets/index-a1b2.js", false),
        ("/assets/no_dot", false),
        ("/assets", false),
        ("/favicon.ico", false),
        ("/towns/one/style.css", false),
        ("/towns/a.b/agents", true),
    ] {
        assert_eq!(Address::split(&format!("http://localhost{path}?x=1.js")).is_page(), expected, "{path}");
    }
}

#[test]
fn an_envelope_gives_its_data_or_its_failure() {
    assert_eq!(envelope::read::<Vec<u8>>(r#"{"success":true,"data":[1]}"#).unwrap(), [1]);
    let failure = |text: &str| envelope::read::<u8>(text).unwrap_err();
    let conflict = failure(
        r#"{"success":false,"error":{"code":"conflict","message":"there is one","details":{"field":"agent_id"}}}"#,
    );
    assert_eq!((conflict.code, conflict.message.as_str()), (Code::Conflict, "there is one"));
    assert_eq!(conflict.details.unwrap().field.as_deref(), Some("agent_id"));
    for text in [
        "",
        "oops",
        "{}",
        r#"{"success":true}"#,
        r#"{"success":true,"data":"x"}"#,
        r#"{"success":false}"#,
        r#"{"success":false,"error":{"code":"new_code","message":"x"}}"#,
    ] {
        assert_eq!(failure(text).code, Code::Internal, "{text}");
    }
    assert_eq!(envelope::success("[1]"), r#"{"success":true,"data":[1]}"#);
}
