//! What a control server's answer means: which refusals reach the caller, and what became of a stop.

use townwatch_protocol::error::Code;
use townwatch_town::relay::control_response::{ControlResponse, StopAnswer};

fn answer(status: u16, body: &str) -> ControlResponse {
    ControlResponse { status, retry_after: None, bytes: body.as_bytes().to_vec() }
}

fn told(code: &str) -> String {
    format!(r#"{{"success":false,"error":{{"code":"{code}","message":"its words","details":{{"field":"prompt"}}}}}}"#)
}

#[test]
fn a_refusal_that_is_the_callers_to_act_upon_keeps_its_code_and_words() {
    for (status, code) in [
        (400, Code::InvalidRequest),
        (404, Code::NotFound),
        (409, Code::Conflict),
        (409, Code::AlreadyRunning),
        (409, Code::NotSupportedByRuntime),
        (413, Code::TooLarge),
        (429, Code::RateLimited),
        (507, Code::StoreFull),
    ] {
        let refusal = answer(status, &told(code.name())).refusal();
        assert_eq!((refusal.code, refusal.message.as_str(), refusal.retry_after_s), (code, "its words", None));
        assert_eq!(refusal.details.unwrap().field.as_deref(), Some("prompt"));
    }
}

#[test]
fn when_to_come_again_is_handed_on() {
    for (header, seconds) in [("7", Some(7)), (" 7 ", Some(7)), ("Wed, 21 Oct 2026 07:28:00 GMT", None), ("-1", None)] {
        let answer = ControlResponse { retry_after: Some(header.to_owned()), ..answer(429, &told("rate_limited")) };
        assert_eq!(answer.refusal().retry_after_s, seconds, "{header}");
    }
}

#[test]
fn all_else_is_a_fault_of_the_control_server_with_its_words() {
    for (status, body, words) in [
        (401, told("unauthorized"), "the control server answered 401: its words"),
        (405, told("method_not_allowed"), "the control server answered 405: its words"),
        (415, told("unsupported_media_type"), "the control server answered 415: its words"),
        (500, told("internal"), "the control server answered 500: its words"),
        (503, told("container_unavailable"), "the control server answered 503: its words"),
        (429, told("not_found"), "the control server answered 429: its words"), // a code of another status
        (429, told("never_heard_of"), "the control server answered 429"),
        (429, "<html>".to_owned(), "the control server answered 429"),
        (302, String::new(), "the control server answered 302"),
    ] {
        let refusal = answer(status, &body).refusal();
        assert_eq!((refusal.code, refusal.message.as_str()), (Code::ContainerError, words), "{status} {body}");
    }
}

#[test]
fn a_stop_is_heard_only_by_who_says_so() {
    let kind = |status, body: &str, is_foreign| match answer(status, body).of_stop(is_foreign) {
        StopAnswer::Heard => "heard",
        StopAnswer::NoRun => "no run",
        StopAnswer::NoRoute(_) => "no route",
        StopAnswer::Unheard(_) => "unheard",
    };
    for (status, body, expected) in [
        (200, r#"{"stopped":true}"#.to_owned(), "heard"),
        (204, String::new(), "heard"),
        (404, told("not_found"), "no run"),
        (404, "<html>".to_owned(), "no route"),
        (405, String::new(), "no route"),
        (405, told("method_not_allowed"), "no route"),
        (302, String::new(), "unheard"),
        (400, told("invalid_request"), "unheard"),
        (401, told("unauthorized"), "unheard"),
        (409, told("conflict"), "unheard"),
        (429, told("rate_limited"), "unheard"),
        (500, told("internal"), "unheard"),
        (502, "<html>".to_owned(), "unheard"),
        (503, told("container_unavailable"), "unheard"),
    ] {
        assert_eq!(kind(status, &body, true), expected, "{status} {body}");
        // Our own has the route: something that stands before it has answered.
        let of_ours = if expected == "no route" { "unheard" } else { expected };
        assert_eq!(kind(status, &body, false), of_ours, "{status} {body}");
    }
}
