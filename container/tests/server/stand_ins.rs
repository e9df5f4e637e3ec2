//! Stand-ins for Codex and Gemini CLI: what they are started with, and what their ends are taken for.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use serde_json::{Value, json};
use townwatch_agents::recordings::RECORDINGS;

use crate::common::{Server, texts};

/// A control server that finds programs of these names and scripts.
pub struct World {
    pub server: Server,
    dir: PathBuf,
}

impl World {
    fn new(name: &str, programs: &[(&str, &str)]) -> Self {
        Self::with(name, programs, &[])
    }

    /// With these variables of the control server.
    pub fn with(name: &str, programs: &[(&str, &str)], variables: &[(&str, &str)]) -> Self {
        let dir = std::env::temp_dir().join(format!("townwatch-stand-in-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        for (program, script) in programs {
            let path = dir.join(program);
            std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        let path = format!("{}:{}", dir.display(), std::env::var("PATH").unwrap());
        let variables = [&[("PATH", path.as_str())], variables].concat();
        Self { server: Server::start_with(&variables), dir }
    }

    pub fn start(&self, agent: &str, order: Value) {
        let (status, answer) = self.server.order(agent, &format!("run-of-{agent}"), order);
        assert_eq!(status, 200, "{answer}");
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

/// Says on standard error what it was started with.
const SAY_WORDS: &str = "for word; do printf 'word %s\\n' \"$word\" >&2; done; sed 's/^/read /' >&2";

#[test]
fn codex_is_run_as_an_unattended_agent_needs_it() {
    let script = format!(
        "[ \"$1\" = --version ] && {{ echo 'codex-cli 9.9.9'; exit; }}\n{SAY_WORDS}\n\
         echo '{{\"type\":\"thread.started\",\"thread_id\":\"t\"}}'\necho '{{\"type\":\"turn.started\"}}'\n\
         echo '{{\"type\":\"item.completed\",\"item\":{{\"id\":\"1\",\"type\":\"agent_message\",\"text\":\"hello\"}}}}'\n\
         echo '{{\"type\":\"turn.completed\"}}'"
    );
    let world = World::new("codex", &[("codex", &script)]);
    let order = json!({"runtime": "codex", "prompt": "-do\nit", "model": "m", "system_prompt": "be \"kind\"\n"});
    world.start("a", order);
    let (events, exit) = world.server.ended("a");
    assert_eq!(exit, json!({"reason": "completed", "exit_code": 0}));
    let expected = [
        "word exec",
        "word --json",
        "word --skip-git-repo-check",
        "word --sandbox=workspace-write",
        "word --model=m",
        r#"word --config=developer_instructions="be \"kind\"\n""#,
        "word -",
        "read -do",
        "read it",
    ];
    assert_eq!(texts(&events, "stderr"), expected);
    assert_eq!(texts(&events, "assistant"), ["hello"]);
    let session = events.iter().find(|event| event["event"] == "agent_session").unwrap();
    assert!(session["data"]["working_dir"].as_str().unwrap().ends_with("run-of-a"), "it does not say so itself");
    let codex = &world.server.get("/health").1["runtimes"][1];
    assert_eq!((&codex["name"], &codex["version"]), (&json!("codex"), &json!("codex-cli 9.9.9")));
    assert_eq!(codex["install"], "npm install -g @openai/codex");
}

#[test]
fn gemini_is_run_as_an_unattended_agent_needs_it() {
    let script = format!(
        "echo \"trust $GEMINI_CLI_TRUST_WORKSPACE\" >&2; {SAY_WORDS}\n\
         echo '{{\"type\":\"init\",\"session_id\":\"s\",\"model\":\"m\"}}'\n\
         echo '{{\"type\":\"message\",\"role\":\"assistant\",\"content\":\"hello\",\"delta\":true}}'\n\
         printf '{{\"type\":\"result\",\"status\":\"success\"}}'"
    );
    let world = World::new("gemini", &[("gemini", &script)]);
    let order = json!({"runtime": "gemini", "prompt": "do it", "model": "m", "system_prompt": "be kind"});
    world.start("a", order);
    let (events, exit) = world.server.ended("a");
    assert_eq!(exit, json!({"reason": "completed", "exit_code": 0}));
    let words =
        ["trust true", "word --output-format", "word stream-json", "word --approval-mode=auto_edit", "word --model=m"];
    let expected = [&words[..], &["read be kind", "read ", "read do it"]].concat();
    assert_eq!(texts(&events, "stderr"), expected);
    assert_eq!(texts(&events, "assistant"), ["hello"]);
}

#[test]
fn an_end_is_taken_for_what_it_is() {
    let failed = |message: &str| {
        format!(
            r#"echo '{{"type":"turn.started"}}'; echo '{{"type":"turn.failed","error":{{"message":"{message}"}}}}'; exit 1"#
        )
    };
    let unauthorized = failed("unexpected status 401 Unauthorized: Missing bearer, url: x");
    let no_method = "echo 'YOLO mode is enabled.' >&2; echo 'Please set an Auth method' >&2; exit 41";
    let init = r#"echo '{"type":"init","session_id":"s"}'"#;
    let cases: &[(&str, &str, &str, &str, Option<&str>)] = &[
        ("codex", &unauthorized, "failed", "401 Unauthorized", Some("codex login")),
        ("codex", &failed("no such model"), "failed", "no such model", None),
        ("codex", r#"echo '{"type":"turn.started"}'"#, "failed", "it ended before its turn was over", None),
        ("gemini", no_method, "failed", "exit code 41: Please set an Auth method", Some("AGENT_ENV_GEMINI_API_KEY")),
        ("gemini", init, "failed", "it ended before its turn was over", None),
        ("gemini", "echo oops >&2; exit 2", "failed", "it ended with exit code 2: oops", None),
    ];
    for (number, (runtime, script, reason, message, remedy)) in cases.iter().enumerate() {
        let world = World::new(&format!("end-{number}"), &[(runtime, &format!("cat >/dev/null; {script}"))]);
        world.start("a", json!({"runtime": runtime, "prompt": "x"}));
        let (events, exit) = world.server.ended("a");
        assert_eq!(exit["reason"], *reason, "{script}");
        assert!(exit["message"].as_str().unwrap().contains(message), "{exit}");
        let not_signed_in: Vec<_> = events.iter().filter(|event| event["data"]["code"] == "not_signed_in").collect();
        assert_eq!(not_signed_in.len(), usize::from(remedy.is_some()), "{script}");
        if let Some(remedy) = remedy {
            assert!(not_signed_in[0]["data"]["message"].as_str().unwrap().contains(remedy), "{not_signed_in:?}");
        }
    }
}

#[test]
fn gemini_that_ends_well_when_it_is_stopped_was_stopped() {
    let script = r#"trap 'exit 0' TERM; echo '{"type":"message","role":"assistant","content":"half","delta":true}'
        while true; do sleep 0.05; done"#;
    let world = World::new("stopped", &[("gemini", script)]);
    world.start("a", json!({"runtime": "gemini", "prompt": "x"}));
    world.server.events_until("a", |event| event["data"]["status"] == "running");
    std::thread::sleep(std::time::Duration::from_millis(300)); // the piece is no event yet
    world.server.post("/agents/a/stop", "");
    let (events, exit) = world.server.ended("a");
    assert_eq!(exit, json!({"reason": "stopped", "exit_code": 0, "message": "it was stopped"}));
    assert_eq!(texts(&events, "assistant"), ["half"], "what was typed is not lost");
}

#[test]
fn an_order_without_a_prompt_is_refused() {
    let world = World::new("refused", &[("claude", "exit"), ("codex", "exit"), ("gemini", "exit")]);
    for runtime in ["claude_code", "codex", "gemini"] {
        for prompt in [json!(null), json!(" \n"), json!("a\u{0}b"), json!("x".repeat((256 << 10) + 1))] {
            let (status, answer) = world.server.order("a", "r", json!({"runtime": runtime, "prompt": prompt}));
            assert_eq!((status, &answer["error"]["details"]["field"]), (400, &json!("prompt")), "{answer}");
        }
    }
}

#[test]
fn one_that_reads_a_single_prompt_takes_no_messages() {
    let world = World::new("silent", &[("codex", "sleep 300"), ("gemini", "sleep 300")]);
    for runtime in ["codex", "gemini"] {
        world.start(runtime, json!({"runtime": runtime, "prompt": "x"}));
        let (status, answer) = world.server.post(&format!("/agents/{runtime}/message"), r#"{"prompt":"and this"}"#);
        assert_eq!((status, &answer["error"]["code"]), (409, &json!("not_supported_by_runtime")), "{answer}");
        let message = answer["error"]["message"].as_str().unwrap();
        assert!(message.contains("takes no messages while it runs; start a new run"), "{message}");
        let (status, answer) = world
            .server
            .post(&format!("/agents/{runtime}/answer"), r#"{"request_id":"q","answer":"once","by":"operator"}"#);
        assert_eq!((status, &answer["error"]["code"]), (409, &json!("not_supported_by_runtime")), "{answer}");
    }
}

#[test]
fn what_a_run_came_to_stands_on_its_status() {
    let server = Server::start();
    let play = |run: &str, transcript: &str| {
        server.order("a", run, json!({"runtime": "replay", "transcript": transcript, "speed": 0}));
        server.settled("a");
        server.get("/agents/a/status").1
    };
    let status = play("one", "basic");
    let result = &status["result"];
    assert!(result["text"].as_str().unwrap().starts_with("All done. Fixed `add` in src/app.py."), "{status}");
    assert_eq!(result["session_id"], "a190dd8f-016d-4669-a707-7305a58b4bc9");
    let usage = &result["usage"];
    assert_eq!((&usage["input_tokens"], &usage["cache_read_input_tokens"]), (&json!(7357), &json!(3500)), "{status}");
    assert_eq!(usage["cost_usd"], 0.034_433_000_000_000_005, "as the program says it, each turn's total once");
    assert_eq!(play("two", "codex/errmid-response-failed")["result"]["usage"]["cost_usd"], Value::Null, "a new run");
    assert_eq!(server.order("b", "b", json!({"runtime": "process", "command": ["true"]})).0, 200);
    server.settled("b");
    assert_eq!(server.get("/agents/b/status").1.get("result"), None, "it said nothing and took nothing");
}

#[test]
fn a_recording_that_breaks_off_has_one_end() {
    let print = "head -c \"$BYTES\" \"$FILE\""; // and reads nothing of what it is told
    let world = World::new("cut", &[("claude", print), ("codex", print), ("gemini", print)]);
    let mut cuts = 0;
    for recording in RECORDINGS {
        let bytes = recording.bytes().unwrap();
        if bytes.len() > 30_000 || recording.runtime.is_served() {
            continue; // the others are cut as often, without a process, in `cut_off.rs`
        }
        let file = world.dir.join("recording");
        std::fs::write(&file, bytes).unwrap();
        for cut in (0..std::fs::metadata(&file).unwrap().len()).step_by(997) {
            let agent = format!("cut-{cuts}");
            let env_vars = json!({"BYTES": cut.to_string(), "FILE": file});
            world.start(&agent, json!({"runtime": recording.runtime, "prompt": "x", "env_vars": env_vars}));
            let (events, exit) = world.server.ended(&agent); // which sees that there is one end, and that it is the last
            let over = events.iter().rev().find_map(|event| event["data"]["status"].as_str()) == Some("waiting");
            assert_eq!(exit["reason"] == "completed", over && error_free(&exit), "{} {cut}: {exit}", recording.name);
            cuts += 1;
        }
    }
    assert!(cuts > 100, "{cuts}");
}

/// Whether an end with exit code 0 says nothing of a failure.
fn error_free(exit: &Value) -> bool {
    exit.get("message").is_none()
}

#[test]
fn a_recording_is_read_as_its_program_would_be() {
    let server = Server::start();
    for (transcript, reason, calls) in [
        ("codex/basic", "completed", 6),
        ("codex/err500-retries2", "failed", 0),
        ("codex/abort-sigterm", "failed", 0),
        ("gemini/parallel", "completed", 6),
        ("gemini/abort-sigterm", "failed", 4),
        ("claude_code/basic", "completed", 6),
        ("demo", "completed", 6),
        ("opencode/parallel", "completed", 6),
        ("opencode/err400", "failed", 0),
        ("kilo/basic", "completed", 6),
    ] {
        let agent = transcript.replace('/', "-");
        server.order(&agent, &agent, json!({"runtime": "replay", "transcript": transcript, "speed": 0}));
        let (events, exit) = server.ended(&agent);
        let called = events.iter().filter(|event| event["event"] == "agent_tool_call").count();
        assert_eq!((&exit["reason"], called), (&json!(reason), calls), "{transcript}: {exit}");
        assert!(!events.iter().any(|event| event["event"] == "parser_notice"), "{transcript}");
    }
}
