use super::*;
use clap::Parser;

fn view(arguments: &str) -> View {
    let words = ["townwatch", "tail"].into_iter().chain(arguments.split_whitespace());
    match crate::arguments::Arguments::parse_from(words).command {
        crate::arguments::Command::Tail(arguments) => View::new(&arguments),
        _ => panic!("it was tail"),
    }
}

const HELLO: &str = r#"{"type":"hello","protocol":1,"town_id":"t","epoch":"e","head":9,"oldest_id":1,"reset":false,
    "settings":{"stream_enabled":true,"stream_rate_limit":10,"stream_batch_ms":100,"stream_window_events":500,
    "event_cap":10000,"ticket_ttl_seconds":60}}"#;

fn events(ids: &[u64]) -> String {
    let event =
        |id: &u64| format!(r#"{{"id":{id},"agent_id":"a","event":"note","data":1,"at":"2026-11-22T14:46:39.000Z"}}"#);
    let events: Vec<String> = ids.iter().map(event).collect();
    format!(r#"{{"type":"events","events":[{}],"backfill":true}}"#, events.join(","))
}

#[test]
fn a_connection_begins_where_the_last_one_ended() {
    let mut view = view("--agent a --tail 5");
    assert_eq!(view.query(), "&flow=ack&until=exit&tail=5");
    assert_eq!(view.take(HELLO).unwrap(), None);
    assert_eq!(view.query(), "&flow=ack&until=exit&tail=5");
    assert_eq!(view.take(&events(&[5, 7])).unwrap(), Some(7));
    assert_eq!(view.query(), "&flow=ack&until=exit&epoch=e&after_id=7");
    let again = events(&[6, 7, 8]);
    let Ok(Some(ServerFrame::<ShownAgent>::Events { events, .. })) = ServerFrame::read(&again) else {
        panic!("no events")
    };
    let (text, last) = view.news(&events).unwrap();
    assert_eq!((text.lines().count(), last), (1, Some(8)), "what was shown is not shown again");
    assert_eq!(view.take(r#"{"type":"caught_up","id":9}"#).unwrap(), None);
    assert_eq!(view.query(), "&flow=ack&until=exit&epoch=e&after_id=9");
    view.take(&HELLO.replace("\"e\"", "\"f\"").replace("\"reset\":false", "\"reset\":true")).unwrap();
    assert_eq!(view.query(), "&flow=ack&until=exit&after_id=0");
}

#[test]
fn the_end_is_known_from_the_event_and_from_the_state() {
    let mut seen = view("--agent a");
    let event = events(&[1])
        .replace("\"note\"", "\"agent.exited\"")
        .replace(":1,\"at\"", r#":{"reason":"failed","exit_code":3},"at""#);
    seen.take(&event).unwrap();
    assert_eq!(seen.exit_code(), 3);
    let state = r#"{"type":"state","agent":{"agent_id":"a","name":"A","run_number":1,"exit":{"reason":"lost"}}}"#;
    let mut late = view("--agent a --from 5");
    late.take(state).unwrap();
    assert_eq!(late.exit_code(), 1);
    late.take(&state.replace(r#"{"reason":"lost"}"#, "null")).unwrap();
    assert_eq!(late.exit_code(), 0);
}

#[test]
fn a_newer_server_is_understood() {
    let mut view = view("--agent a");
    for frame in [
        r#"{"type":"unheard_of","id":"x","events":7}"#,
        r#"{"type":"backpressure","level":"unheard_of","lag_events":1}"#,
        r#"{"type":"gap","agent_id":"a","from":1,"to":2,"count":2,"reason":"unheard_of"}"#,
        r#"{"type":"state","agent":{"agent_id":"a","name":"A","run_number":1,"exit":null,"runtime":"unheard_of"}}"#,
    ] {
        assert_eq!(view.take(frame).unwrap(), None, "{frame}");
    }
    assert_eq!(view.names[&AgentId::parse("a").unwrap()], "A");
    for frame in ["{}", "[]", "hello", r#"{"type":"caught_up"}"#, r#"{"type":"events","events":[1],"backfill":true}"#] {
        assert!(matches!(view.take(frame), Err(ConnectionEnd::Lost(_))), "{frame}");
    }
}

#[test]
fn json_is_one_line_and_otherwise_untouched() {
    assert_eq!(json_line("{\"a\" :\r\n1.10}"), "{\"a\" :  1.10}\n");
    assert_eq!(json_line(r#"{"a":"b\nc"}"#), "{\"a\":\"b\\nc\"}\n");
}
