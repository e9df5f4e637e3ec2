//! Limits, failures, and what the program tells of itself.

use serde_json::{Value, json};

use super::{by, done, events, init, named, of, picked, system, text, typed, typing, with};

#[test]
fn a_limit_that_is_reached_is_told_once_with_its_end() {
    let words = "You've hit your limit · resets 2pm";
    let limit = |status: &str| json!({"type": "rate_limit_event", "rate_limit_info": {"status": status, "resetsAt": 1_800_000_000, "rateLimitType": "five_hour", "utilization": 0.9}});
    let ended = json!({"type": "result", "subtype": "success", "is_error": true, "result": words});
    let lines = [
        init(),
        limit("allowed_warning"),
        limit("rejected"),
        with(text("m", words), "error", "rate_limit".into()),
        ended.clone(),
    ];
    let all = events(&lines);
    let errors = picked(&named(&all, "agent_error"), &["code", "until", "retryable"]);
    assert_eq!(errors, json!([["rate_limited", "2027-01-15T08:00:00.000Z", false]]));
    assert_eq!(
        picked(&named(&all, "agent_notice"), &["kind", "until"]),
        json!([["rate_limit", "2027-01-15T08:00:00.000Z"]])
    );
    assert!(named(&all, "agent_output").is_empty());
    let without_event = of(&[init(), with(text("m", words), "error", "rate_limit".into()), ended], "agent_error");
    assert_eq!(picked(&without_event, &["code", "message"]), json!([["rate_limited", words]]));
}

#[test]
fn a_limit_that_only_words_tell_of_says_when_it_ends_where_they_do() {
    let told = |words: &str, status: Value| {
        let ended = json!({"type": "result", "subtype": "success", "is_error": true, "result": words, "api_error_status": status});
        picked(&of(&[init(), ended], "agent_error"), &["code", "until"])
    };
    let until = "1970-01-01T00:01:00.020Z"; // a minute after the second line
    assert_eq!(
        told("API Error: Request rejected, try again in 1 minute", 429.into()),
        json!([["rate_limited", until]])
    );
    assert_eq!(told("5-hour limit reached ∙ resets 3pm", Value::Null), json!([["rate_limited", null]]));
    let api = |words: &str| json!({"type": "assistant", "isApiErrorMessage": true, "message": {"id": "m", "content": [{"type": "text", "text": words}]}});
    let early = of(&[init(), api("Claude AI usage limit reached|31000000")], "agent_error");
    assert_eq!(picked(&early, &["code", "until"]), json!([["rate_limited", null]])); // too early for a number of seconds
    let again =
        system("api_retry", json!({"attempt": 1, "retry_delay_ms": 500, "error_status": 429, "error": "rate_limit"}));
    assert_eq!(picked(&of(&[again], "agent_error"), &["code", "retryable"]), json!([["rate_limited", true]]));
}

#[test]
fn a_model_that_stops_before_its_time_says_so_once() {
    let stopped = |reason: &str| {
        let mut line = text("m", "I have");
        line["message"]["stop_reason"] = reason.into();
        line["message"]["stop_details"] =
            json!({"type": reason, "explanation": "It is about poisons.", "category": "bio"});
        line
    };
    let ended = |reason: &str| with(done(), "stop_reason", reason.into());
    let told = |lines: &[Value]| {
        let events = events(lines);
        let errors = picked(&named(&events, "agent_error"), &["code", "message"]);
        let notices = picked(&named(&events, "agent_notice"), &["kind", "level", "message", "parent_tool_use_id"]);
        assert!(named(&events, "parser_notice").is_empty());
        (errors, notices)
    };
    let refused = json!([["refusal", "The model refused to go on: It is about poisons."]]);
    // As a message, as its two lines, with its result, and with the result alone.
    assert_eq!(told(&[init(), stopped("refusal")]).0, refused);
    assert_eq!(told(&[init(), stopped("refusal"), stopped("refusal"), ended("refusal")]).0, refused);
    assert_eq!(
        told(&[init(), ended("refusal"), ended("end_turn")]).0,
        json!([["refusal", "The model refused to go on"]])
    );
    let turns = [init(), ended("refusal"), ended("refusal")];
    assert_eq!(told(&turns).0.as_array().unwrap().len(), 2, "each turn has its own");
    // While it is typed: only the API's event has it, and the program's own words come right behind it.
    let delta = |reason: &str| {
        typed(json!({"type": "message_delta", "delta": {"stop_reason": reason}, "usage": {"output_tokens": 3}}))
    };
    let partial = |reason: &str| {
        [typing("m", "I have"), vec![text("m", "I have"), delta(reason), typed(json!({"type": "message_stop"}))]]
            .concat()
    };
    assert_eq!(told(&partial("refusal")).0, json!([["refusal", "The model refused to go on"]]));
    let mut own_words = text("e", "API Error: it can't help with this.");
    own_words["error"] = "invalid_request".into();
    own_words["message"]["stop_reason"] = "refusal".into();
    let failed =
        with(with(ended("refusal"), "is_error", true.into()), "result", "API Error: it can't help with this.".into());
    let lines = [partial("refusal"), vec![own_words, failed]].concat();
    assert_eq!(told(&lines).0, json!([["refusal", "API Error: it can't help with this."]]));
    let only_failed = with(with(ended("refusal"), "is_error", true.into()), "result", "No.".into());
    assert_eq!(told(&[init(), only_failed]).0, json!([["refusal", "No."]]));
    // An answer that had no more room, and a conversation that has none.
    let cut = "The answer was cut short: it had as many tokens as an answer may have";
    let expected = json!([["other", "warning", cut, null]]);
    assert_eq!(
        told(&[init(), stopped("max_tokens"), text("n", "gone on with"), ended("max_tokens")]),
        (json!([]), expected.clone())
    );
    assert_eq!(
        told(&[partial("max_tokens"), vec![text("n", "more"), stopped("refusal"), done()]].concat()).0,
        json!([]),
        "one message stops once"
    );
    assert_eq!(told(&partial("max_tokens")), (json!([]), expected));
    let full = "The answer was cut short: the conversation is as long as the model can read";
    let expected = json!([["model_context_window_exceeded", full]]);
    assert_eq!(told(&[init(), stopped("model_context_window_exceeded"), done()]).0, expected);
    // A sub-agent's is its own.
    let of_sub_agent = told(&[init(), by(stopped("max_tokens"), "t"), ended("end_turn")]).1;
    assert_eq!(of_sub_agent, json!([["other", "warning", cut.replace("The answer", "A sub-agent's answer"), "t"]]));
    // Nothing is told of an end as it should be; a reason that nobody knows is shown.
    assert_eq!(
        told(&[init(), stopped("end_turn"), stopped("tool_use"), ended("stop_sequence")]),
        (json!([]), json!([]))
    );
    assert_eq!(named(&events(&[init(), stopped("tired")]), "parser_notice").len(), 1);
}

#[test]
fn what_a_person_needs_to_know_of_the_program_is_told() {
    let servers = json!([{"name": "a", "status": "connected"}, {"name": "b", "status": "failed"}, {"name": "c", "status": "needs-auth"}, {"name": "d", "status": "pending"}]);
    let begun = with(init(), "mcp_servers", servers);
    let lines = [
        begun.clone(),
        system("status", json!({"status": "compacting"})),
        system("status", json!({"status": "compacting"})),
        system(
            "compact_boundary",
            json!({"compact_metadata": {"trigger": "auto", "pre_tokens": 155_000, "post_tokens": 12_000}}),
        ),
        system("hook_response", json!({"hook_name": "PreToolUse:Bash", "exit_code": 2, "stderr": "not on a Friday"})),
        system("model_changed", json!({"from_model": "big", "to_model": "small", "reason": "overloaded"})),
        system("notification", json!({"key": "k", "text": "A new version is there"})),
        system("local_command_output", json!({"content": "<local-command-stdout>3 files</local-command-stdout>"})),
        done(),
        begun,
    ];
    let all = events(&lines);
    let notices = picked(&named(&all, "agent_notice"), &["kind", "level", "message", "tokens_before", "tokens_after"]);
    assert_eq!(
        notices,
        json!([
            ["tool_server", "warning", "The tool server b did not start", null, null],
            ["tool_server", "warning", "The tool server c wants somebody to sign in", null, null],
            ["compaction_started", "info", "The conversation is being summed up, to make room", null, null],
            [
                "compaction_ended",
                "info",
                "The conversation was summed up: of 155000 tokens, 12000 are left",
                155_000,
                12_000
            ],
            ["hook_blocked", "warning", "The hook PreToolUse:Bash did not let it happen: not on a Friday", null, null],
            ["model_changed", "info", "The model small took over from big: overloaded", null, null],
            ["other", "info", "A new version is there", null, null],
        ])
    );
    assert_eq!(named(&all, "agent_session").last().unwrap()["model"], "small");
    assert_eq!(named(&all, "agent_output")[0]["text"], "3 files");
}

#[test]
fn hooks_that_had_something_against_the_end_of_a_turn_say_so() {
    let summary = |fields: Value| {
        let events = events(&[init(), system("stop_hook_summary", fields)]);
        assert!(named(&events, "parser_notice").is_empty());
        picked(&named(&events, "agent_notice"), &["kind", "level", "message"])
    };
    let quiet = json!({"hook_count": 1, "hook_infos": [{"command": "check"}], "hook_errors": [], "prevented_continuation": false, "has_output": false, "level": "info"});
    assert_eq!(summary(quiet), json!([]));
    let loud = json!({
        "hook_label": "SubagentStop", "hook_errors": ["[check]: tests\nfail", "Failed with non-blocking status code: no such file", " "],
        "hook_additional_context": ["Mind the changelog"], "prevented_continuation": true, "stop_reason": "enough for today",
    });
    assert_eq!(
        summary(loud),
        json!([
            ["hook_blocked", "warning", "The hook SubagentStop did not let the turn end: [check]: tests fail"],
            ["other", "warning", "The hook SubagentStop failed: Failed with non-blocking status code: no such file"],
            ["other", "info", "The hook SubagentStop told the agent: Mind the changelog"],
            ["hook_blocked", "warning", "The hook SubagentStop did not let it go on: enough for today"],
        ])
    );
    // As a transcript on disk has it.
    let stored = json!({"hookErrors": ["no"], "preventedContinuation": false});
    assert_eq!(summary(stored), json!([["hook_blocked", "warning", "The hook Stop did not let the turn end: no"]]));
}

#[test]
fn lines_of_the_program_about_itself_are_told_where_they_matter() {
    let lines = [
        init(),
        system("informational", json!({"content": "A hook denied it", "level": "info", "prevent_continuation": true})),
        system("informational", json!({"content": "Nearly full", "level": "warning"})),
        system("memory_saved", json!({"written_paths": ["notes/a.md", "notes/b.md"]})),
        system(
            "instruction_size_warning",
            json!({"total_chars": 50_000, "total_limit_chars": 40_000, "file_count": 2}),
        ),
        system("plugin_install", json!({"status": "failed", "name": "lint", "error": "no network"})),
        system("plugin_install", json!({"status": "installed", "name": "lint"})),
        system(
            "code_change_published",
            json!({"url": "https://forge.example/a/b/pull/7", "action": "auto-merge-enabled"}),
        ),
        system("file_attachments_missing", json!({"missing": [{"file_uuid": "f", "reason": "too_large"}]})),
        system("session_writes_lost", json!({"error_code": "ENOSPC", "lost": ["transcript", "global_config"]})),
        system("peer_message_hold", json!({"state": "dropped", "from_name": "other"})),
        system("ui_toast", json!({"plugin": "lint", "text": "2 files are new"})),
        system("mirror_error", json!({"error": "disk"})),
        json!({"type": "conversation_reset", "trigger": "clear"}),
        system("agents_killed", json!({})),
        system("vcs_state_changed", json!({"kind": "commit"})),
        json!({"type": "command_lifecycle", "status": "queued"}),
    ];
    let events = events(&lines);
    assert!(named(&events, "parser_notice").is_empty());
    let expected = [
        "hook_blocked warning A hook denied it",
        "other warning Nearly full",
        "other info It noted for later what it learned: notes/a.md, notes/b.md",
        "other warning The files of instructions have 50000 characters; 40000 at most are recommended",
        "other warning The plugin lint could not be installed: no network",
        "other info A change was auto merge enabled: https://forge.example/a/b/pull/7",
        "other warning 1 files of a message did not reach the agent (too large)",
        "other warning The disk was full, so that not all could be kept: transcript, global config",
        "other warning A message of other was not given to the agent",
        "other info lint: 2 files are new",
        "other warning A part of its transcript could not be kept: disk",
        "other info The conversation was begun anew: the agent no longer knows what was said before",
    ];
    let text = |notice: &Value, field: &str| notice[field].as_str().unwrap().to_owned();
    let notices = named(&events, "agent_notice");
    let told: Vec<_> =
        notices.iter().map(|notice| ["kind", "level", "message"].map(|field| text(notice, field)).join(" ")).collect();
    assert_eq!(told, expected);
}

#[test]
fn a_request_that_failed_and_a_refusal_without_another_model_are_errors() {
    let failed = system(
        "api_error",
        json!({"error": {"message": "busy", "status": 429, "formatted": "429 busy"}, "retry_in_ms": 1500, "retry_attempt": 2, "max_retries": 10}),
    );
    let refused = system(
        "model_refusal_no_fallback",
        json!({"original_model": "m", "api_refusal_category": "cyber", "content": "It was flagged."}),
    );
    let errors = of(&[init(), failed, refused, with(done(), "stop_reason", "refusal".into())], "agent_error");
    assert_eq!(
        picked(&errors, &["code", "message", "retryable", "until"]),
        json!([
            ["rate_limited", "The model's API failed: 429 busy; attempt 2", true, "1970-01-01T00:00:01.520Z"],
            ["refusal", "The model refused to go on: It was flagged.", false, null],
        ])
    );
}

#[test]
fn a_turn_that_may_go_no_further_says_why_in_words() {
    let ended = json!({"type": "result", "subtype": "error_max_turns", "is_error": false});
    let told = of(&[init(), text("m", "x"), ended], "agent_error");
    let words = "The turn ended at the most steps that it may take";
    assert_eq!(picked(&told, &["code", "message"]), json!([["error_max_turns", words]]));
}
