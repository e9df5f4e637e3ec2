//! Frames of the run's own session that the recordings do not have.

use townwatch_agents::normalise::{Normalise, Opencode, RunContext};
use townwatch_protocol::event::EventData;
use townwatch_protocol::time::Timestamp;

use super::{frame, handed_over, lines_of, part, told_of};

#[test]
fn retries_and_failures_are_told_once_and_say_what_to_do() {
    insta::assert_snapshot!(told_of(&[
        frame("session.status", r#""status":{"type":"busy"}"#),
        frame("session.status", r#""status":{"type":"retry","attempt":2,"message":"Overloaded","next":4010}"#),
        frame(
            "session.error",
            r#""error":{"name":"APIError","data":{"message":"no key\n  at x.js:1","statusCode":401,"isRetryable":false}}"#
        ),
        frame("session.idle", r#""x":0"#),
        frame("session.error", r#""error":{"name":"UnknownError","data":{"message":"APIError: no key\n at y"}}"#),
        frame("session.idle", r#""x":0"#),
        frame("session.status", r#""status":{"type":"busy"}"#),
        frame("session.error", r#""error":{"name":"UnknownError"}"#),
        frame("session.error", r#""error":7"#),
    ]));
}

#[test]
fn to_dos_are_progress_and_what_was_given_up_is_none() {
    insta::assert_snapshot!(told_of(&[
        frame(
            "todo.updated",
            r#""todos":[{"content":"a","status":"completed","priority":"high"},{"content":"b","status":"in_progress","priority":"low"},{"content":"c","status":"cancelled","priority":"low"}]"#
        ),
        frame(
            "todo.updated",
            r#""todos":[{"content":"a","status":"completed"},{"content":"b","status":"in_progress"}]"#
        ),
    ]));
}

#[test]
fn questions_of_all_kinds_are_asked_and_answered() {
    insta::assert_snapshot!(told_of(&[
        frame(
            "permission.asked",
            r#""id":"p1","permission":"webfetch","patterns":["*"],"metadata":{"url":"http://a"},"always":[]"#
        ),
        frame(
            "permission.asked",
            r#""id":"p2","permission":"external_directory","patterns":["/etc/*"],"metadata":{},"tool":{"messageID":"m","callID":"c2"}"#
        ),
        frame("permission.asked", r#""id":"p2","permission":"external_directory","patterns":["/etc/*"],"metadata":{}"#),
        frame(
            "question.asked",
            r#""id":"q1","questions":[{"question":"Which?","header":"h","options":[{"label":"A","description":""},{"label":"B","description":""}]}]"#
        ),
        frame("permission.replied", r#""requestID":"p1","reply":"always""#),
        frame("permission.replied", r#""requestID":"p1","reply":"always""#),
        part(
            r#""id":"t","type":"tool","tool":"read","callID":"c2","state":{"status":"error","input":{},"error":"aborted","time":{"start":1,"end":3}}"#
        ),
        frame("question.rejected", r#""requestID":"q1""#),
    ]));
}

#[test]
fn a_call_that_is_seen_late_or_numbered_anew_is_told_once() {
    let state = r#""state":{"status":"completed","input":{"command":"a"},"output":"","metadata":{"exit":1},"time":{"start":5,"end":9}}"#;
    let call = |id: &str| part(&format!(r#""id":"{id}","type":"tool","tool":"bash","callID":"call_1",{state}"#));
    insta::assert_snapshot!(told_of(&[call("t1"), call("t1"), call("t2")]));
}

#[test]
fn what_cannot_be_read_is_said_and_what_follows_is_read() {
    insta::assert_snapshot!(told_of(&[
        "plain".into(),
        "[1]".into(),
        "{}".into(),
        frame("from.the.future", r#""x":1"#),
        part(r#""id":"h","type":"hologram""#),
        part(r#""id":"t","type":"tool","tool":"bash","state":{"status":"paused"}"#),
        frame("message.part.updated", r#""part":7"#),
        frame("session.status", r#""status":{"type":"asleep"}"#),
        part(r#""id":"p","type":"text","text":"cut \ud83d here","time":{"start":1,"end":2}"#),
        part(
            r#""id":"u","type":"tool","tool":"no_such_tool","callID":"c","state":{"status":"running","input":{ "n":1e400 },"time":{"start":1}}"#
        ),
    ]));
}

#[test]
fn compactions_models_and_words_of_the_server_are_notices() {
    let user = frame("message.updated", r#""info":{"id":"u","role":"user","sessionID":"s"}"#);
    let of_user = |part: &str| frame("message.part.updated", &format!(r#""part":{{"messageID":"u",{part}}}"#));
    let model = |id: &str, model: &str, more: &str| {
        frame(
            "message.updated",
            &format!(r#""info":{{"id":"{id}","role":"assistant","providerID":"p","modelID":"{model}"{more}}}"#),
        )
    };
    insta::assert_snapshot!(told_of(&[
        user,
        of_user(r#""id":"k","type":"compaction","auto":true"#),
        of_user(r#""id":"k","type":"compaction","auto":true"#),
        model("m1", "large", ""),
        model("m2", "tiny", r#","summary":true,"mode":"compaction""#),
        frame("session.compacted", r#""x":0"#),
        model("m3", "small", ""),
        r#"{"type":"tui.toast.show","properties":{"title":"MCP Authentication Required","message":"Server \"files\" needs it","variant":"warning"}}"#.into(),
        r#"{"type":"mcp.browser.open.failed","properties":{"mcpName":"files","url":"https://e.org/in"}}"#.into(),
        r#"{"type":"worktree.failed","properties":{"message":"no space left"}}"#.into(),
        frame("message.removed", r#""messageID":"u""#),
        frame("message.removed", r#""messageID":"m3""#),
        frame("session.next.shell.started", r#""command":"x""#),
    ]), @r#"
    agent_notice {"kind":"compaction_started","level":"info","message":"The conversation is being summed up, to make room"}
    agent_session {"session_id":"s","model":"p/large"}
    agent_notice {"kind":"compaction_ended","level":"info","message":"The conversation was summed up, and goes on from there"}
    agent_notice {"kind":"model_changed","level":"info","message":"It goes on with the model p/small instead of p/large"}
    agent_session {"session_id":"s","model":"p/small"}
    agent_notice {"kind":"tool_server","level":"warning","message":"MCP Authentication Required: Server \"files\" needs it"}
    agent_notice {"kind":"tool_server","level":"warning","message":"The tool server files wants somebody to sign in: https://e.org/in"}
    agent_notice {"kind":"other","level":"warning","message":"no space left"}
    agent_notice {"kind":"other","level":"info","message":"A message was taken back, with what followed it: the agent no longer knows of it"}
    parser_notice {"kind":"unknown","count":1,"sample":"{\"id\":\"e\",\"type\":\"session.next.shell.started\",\"properties\":{\"sessionID\":\"s\",\"command\":\"x\"}}"}
    "#);
}

#[test]
fn what_was_said_to_the_agent_is_in_the_log_once() {
    let user = |id: &str| frame("message.updated", &format!(r#""info":{{"id":"{id}","role":"user","sessionID":"s"}}"#));
    let said = |id: &str, of: &str, rest: &str| {
        frame("message.part.updated", &format!(r#""part":{{"id":"{id}","messageID":"{of}","sessionID":"s",{rest}}}"#))
    };
    let [created, task] = handed_over();
    let frames = [
        user("u1"),
        said("p1", "u1", r#""type":"text","text":"Do it""#),
        said("p1", "u1", r#""type":"text","text":"Do it""#),
        said("p2", "u1", r#""type":"text","text":"Called the read tool","synthetic":true"#),
        said("p3", "u1", r#""type":"file","mime":"text/plain","filename":"notes.txt","url":"data:text/plain,x""#),
        created,
        task,
        user("u2").replace(r#""sessionID":"s""#, r#""sessionID":"c""#),
        said("p4", "u2", r#""type":"text","text":"Look around""#).replace(r#""sessionID":"s""#, r#""sessionID":"c""#),
        user("u3"),
        said("p5", "u3", r#""type":"text","text":"Go on""#),
        said("p6", "u3", r#""type":"text","text":"not for it","ignored":true"#),
    ];
    let words = |session_id: Option<&str>| {
        let mut normaliser = Opencode::new("opencode", RunContext::default(), session_id.map(str::to_owned));
        let start = [r#"{"type":"session.created","properties":{"info":{"id":"s"}}}"#.to_owned()];
        let mut line = |frame| normaliser.line(frame, Timestamp::from_millis(0)).events;
        let events: Vec<_> = start.iter().chain(&frames).flat_map(|frame: &String| line(frame)).collect();
        let said = events.iter().filter_map(|event| match event {
            EventData::UserMessage(said) => Some(format!(
                "{} {} {}{}",
                said.by,
                said.source.as_str(),
                said.text,
                said.parent_tool_use_id.as_ref().map_or(String::new(), |call| format!(" ({call})"))
            )),
            _ => None,
        });
        said.collect::<Vec<_>>()
    };
    let of_program = "opencode prompt Look around (call)";
    let recorded = [
        "operator prompt Do it",
        "opencode prompt Called the read tool",
        "operator prompt Attached: notes.txt",
        of_program,
        "operator message Go on",
    ];
    assert_eq!(words(None), recorded);
    // Whoever speaks to it has told its prompt.
    assert_eq!(words(Some("s")), ["opencode message Called the read tool", of_program, "operator message Go on"]);
}

#[test]
fn what_was_being_written_when_it_ended_is_kept_and_marked() {
    let begun = |id: &str, kind: &str| part(&format!(r#""id":"{id}","type":"{kind}","text":"","time":{{"start":1}}"#));
    let added = |id: &str, text: &str| {
        frame("message.part.delta", &format!(r#""messageID":"m","partID":"{id}","field":"text","delta":"{text}""#))
    };
    let frames = [
        begun("r", "reasoning"),
        added("r", "I sho"),
        begun("t", "text"),
        added("t", "Half a "),
        added("t", "sen"),
        begun("gone", "text"),
        added("gone", "taken out"),
        frame("message.part.removed", r#""messageID":"m","partID":"gone""#),
    ];
    let expected = [
        r#"agent_output {"text":"taken out","stream":"assistant","message_id":"m","broken_off":true}"#,
        r#"agent_output {"text":"I sho","stream":"thinking","message_id":"m","broken_off":true}"#,
        r#"agent_output {"text":"Half a sen","stream":"assistant","message_id":"m","broken_off":true}"#,
    ];
    assert_eq!(lines_of(&told_of(&frames), "agent_output"), expected);
    // The next turn does not go on with it; and what comes of it late is told already.
    let next = [
        frame("session.idle", r#""x":0"#),
        frame("session.status", r#""status":{"type":"busy"}"#),
        part(r#""id":"t","type":"text","text":"Half a sen","time":{"start":1,"end":2}"#),
    ];
    let frames: Vec<_> = frames.into_iter().chain(next).collect();
    assert_eq!(lines_of(&told_of(&frames), "agent_output"), expected);
}

#[test]
fn files_exit_codes_and_late_results_are_told() {
    let bash = |status: &str, rest: &str| {
        part(&format!(
            r#""id":"b","type":"tool","tool":"bash","callID":"c","state":{{"status":"{status}","input":{{"command":"make"}},"time":{{"start":1,"end":3}},{rest}}}"#
        ))
    };
    let picture = r#"{"type":"file","mime":"image/png","filename":"a.png","url":"data:image/png;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"}"#;
    let read = part(&format!(
        r#""id":"r","type":"tool","tool":"read","callID":"d","state":{{"status":"completed","input":{{}},"output":"Image read","time":{{"start":1,"end":3}},"attachments":[{picture},{{"mime":"application/pdf","url":"file:///w/a.pdf"}}]}}"#
    ));
    let frames = [
        bash("error", r#""error":"Tool execution aborted""#),
        frame("session.idle", r#""x":0"#),
        bash("completed", r#""output":"done","metadata":{"exit":0}"#),
        bash("completed", r#""output":"[pruned]","metadata":{"exit":0}"#),
        read.clone(),
        part(
            r#""id":"f","type":"file","mime":"image/gif","filename":"made.gif","url":"data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7""#,
        ),
    ];
    let id = r#""image_id":"ef1955ae757c8b966c83248350331bd3""#;
    assert_eq!(
        lines_of(&told_of(&frames), "agent_tool_result"),
        [
            r#"agent_tool_result {"tool_use_id":"c","success":false,"content":"Tool execution aborted","content_length":22,"duration_ms":2}"#.to_owned(),
            r#"agent_tool_result {"tool_use_id":"c","success":true,"content":"done","content_length":4,"duration_ms":2,"exit_code":0}"#.to_owned(),
            format!(r#"agent_tool_result {{"tool_use_id":"d","success":true,"content":"Image read","content_length":10,"duration_ms":2,"attachments":[{{"kind":"image","media_type":"image/gif","name":"a.png","size_bytes":42,{id}}},{{"kind":"document","media_type":"application/pdf","uri":"file:///w/a.pdf"}}]}}"#),
            format!(r#"agent_tool_result {{"tool_use_id":"f","success":true,"content":"","content_length":0,"duration_ms":0,"attachments":[{{"kind":"image","media_type":"image/gif","name":"made.gif","size_bytes":42,{id}}}]}}"#),
        ]
    );
    let mut normaliser = Opencode::new("opencode", RunContext::default(), Some("s".into()));
    assert_eq!(normaliser.line(&read, Timestamp::from_millis(0)).pictures.len(), 1);
}

#[test]
fn a_retry_says_until_when() {
    let status = r#""status":{"type":"retry","attempt":1,"message":"Too many requests","next":61000,"action":{"reason":"r","provider":"p","title":"t","message":"Add credits","label":"l"}}"#;
    assert_eq!(
        told_of(&[frame("session.status", status)]).trim_end(),
        r#"agent_error {"code":"rate_limited","message":"The model's API failed: Too many requests; attempt 1 follows in 61.0 s. Add credits","retryable":true,"until":"1970-01-01T00:01:01.000Z"}"#
    );
}

#[test]
fn a_limit_says_until_when_as_far_as_the_api_told_it() {
    let error = |data: &str| {
        let properties = format!(r#""error":{{"name":"APIError","data":{data}}}"#);
        let told = told_of(&[frame("session.error", &properties)]);
        lines_of(&told, "agent_error").concat()
    };
    let words = r#"{"message":"Rate limit reached, please try again in 1.5s","isRetryable":false}"#;
    let body = r#"{"message":"Slow down","statusCode":429,"responseBody":"{\"details\":[{\"retryDelay\":\"34s\"}]}"}"#;
    let header = r#"{"message":"Slow down","statusCode":429,"responseHeaders":{"date":"x","retry-after":"7"}}"#;
    let unknown = r#"{"message":"Quota exceeded, try again at 5:30 PM"}"#;
    let until = |told: &str| told.split_once(r#""until":"1970-01-01T00:00:"#).map(|(_, rest)| rest[..6].to_owned());
    for (data, expected) in [(words, Some("01.500")), (body, Some("34.000")), (header, Some("07.000")), (unknown, None)]
    {
        let told = error(data);
        assert!(told.starts_with(r#"agent_error {"code":"rate_limited","#), "{told}");
        assert_eq!(until(&told).as_deref(), expected, "{told}");
    }
}
