//! Warnings, limits and when they end.

use super::told_of;

#[test]
fn warnings_are_notices_and_limits_are_errors_of_their_own() {
    insta::assert_snapshot!(told_of(&[
        r#"{"type":"item.completed","item":{"id":"1","type":"error","message":"MCP client for `files` failed to start"}}"#,
        r#"{"type":"item.completed","item":{"id":"2","type":"error","message":"model rerouted: large -> small"}}"#,
        r#"{"type":"item.started","item":{"id":"3","type":"context_compaction"}}"#,
        r#"{"type":"item.completed","item":{"id":"3","type":"context_compaction"}}"#,
        r#"{"type":"item.plan.delta","item_id":"4","delta":"1."}"#,
        r#"{"type":"item.completed","item":{"id":"4","type":"plan","text":"1. Look"}}"#,
        r#"{"type":"request_user_input","id":"5","call_id":"c","questions":[{"id":"q","header":"h","question":"Which one?"}]}"#,
        r#"{"type":"error","message":"You've hit your usage limit. Try again at 3:05 PM."}"#,
        r#"{"type":"turn.failed","error":{"message":"You've hit your usage limit. Try again at 3:05 PM."}}"#,
    ]), @r#"
    agent_notice {"kind":"tool_server","level":"warning","message":"MCP client for `files` failed to start"}
    agent_notice {"kind":"model_changed","level":"warning","message":"model rerouted: large -> small"}
    agent_notice {"kind":"compaction_started","level":"info","message":"The conversation is being summed up, to make room"}
    agent_notice {"kind":"compaction_ended","level":"info","message":"The conversation was summed up"}
    agent_output {"text":"1. Look","stream":"assistant","message_id":"4"}
    agent_notice {"kind":"other","level":"warning","message":"It asks what nobody can answer while it runs unattended: Which one?"}
    agent_error {"code":"rate_limited","message":"You've hit your usage limit. Try again at 3:05 PM.","retryable":false}
    agent.status {"status":"waiting"}
    "#);
}

#[test]
fn a_limit_is_an_error_of_its_own_that_says_when_it_ends_where_it_tells_how_long_it_lasts() {
    insta::assert_snapshot!(told_of(&[
        r#"{"type":"item.completed","item":{"id":"1","type":"error","message":"You are near a rate limit, it resets in 20 minutes"}}"#,
        r#"{"type":"error","message":"Reconnecting... 1/5 (Rate limit reached for m: Used 9, Limit 8. Please try again in 1.2s.)"}"#,
        r#"{"type":"error","message":"Reconnecting... 2/5 (stream closed before it was completed)"}"#,
        r#"{"type":"error","message":"You’ve hit your usage limit. Upgrade to more, or try again in 3 hours 12 minutes."}"#,
        r#"{"type":"turn.failed","error":{"message":"You’ve hit your usage limit. Upgrade to more, or try again in 3 hours 12 minutes."}}"#,
        r#"{"type":"turn.started"}"#,
        r#"{"type":"turn.failed","error":{"message":"exceeded retry limit, last status: 429 Too Many Requests, retry-after: 45"}}"#,
    ]), @r#"
    agent_notice {"kind":"rate_limit","level":"warning","message":"You are near a rate limit, it resets in 20 minutes","until":"1970-01-01T00:20:00.010Z"}
    agent_error {"code":"rate_limited","message":"Reconnecting... 1/5 (Rate limit reached for m: Used 9, Limit 8. Please try again in 1.2s.)","retryable":true,"until":"1970-01-01T00:00:01.220Z"}
    agent_error {"code":"api_retry","message":"Reconnecting... 2/5 (stream closed before it was completed)","retryable":true}
    agent_error {"code":"rate_limited","message":"You’ve hit your usage limit. Upgrade to more, or try again in 3 hours 12 minutes.","retryable":false,"until":"1970-01-01T03:12:00.040Z"}
    agent.status {"status":"waiting"}
    agent.status {"status":"running"}
    agent_error {"code":"rate_limited","message":"exceeded retry limit, last status: 429 Too Many Requests, retry-after: 45","retryable":false,"until":"1970-01-01T00:00:45.070Z"}
    agent.status {"status":"waiting"}
    "#);
}
