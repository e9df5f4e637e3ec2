//! Queries, bodies and addresses: what is taken, and refusals that name the field.

use townwatch_protocol::body::{is_deeper_than, parse_body, parse_optional_body};
use townwatch_protocol::envelope;
use townwatch_protocol::error::Code;
use townwatch_protocol::id::{Epoch, EventId, POSITION_MAX, TownId};
use townwatch_protocol::limits::JSON_DEPTH_MAX;
use townwatch_protocol::query::{Address, Query};
use townwatch_protocol::wire::{PostEvents, StartAgent, StopAgent, TownRequest};
use townwatch_town::reading::cursor::BeginRequest;
use townwatch_town::reading::stream_query::{EventNames, Form, StreamKind, StreamQuery};

use crate::route::field;

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
