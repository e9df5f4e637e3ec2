//! Processes that end, fail, flood, hang and leave children behind.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::common::{Server, lives, texts, until};

#[test]
fn the_lines_of_a_process_are_its_output() {
    let server = Server::start();
    server.shell("a", "printf 'one\\n\\ntwo\\r\\nlast'; pwd >&2");
    let (events, exit) = server.ended("a");
    assert_eq!(texts(&events, "stdout"), ["one", "", "two", "last"]);
    assert!(texts(&events, "stderr")[0].ends_with("run-of-a"), "it works in a directory of its own");
    assert_eq!(exit, json!({"reason": "completed", "exit_code": 0}));
}

#[test]
fn a_crash_is_told_by_its_code_or_signal_and_its_last_words() {
    let server = Server::start();
    server.shell("code", "echo 'no such luck' >&2; exit 3");
    server.shell("signal", "kill -SEGV $$");
    let (_, exit) = server.ended("code");
    let message = "it ended with exit code 3: no such luck";
    assert_eq!(exit, json!({"reason": "failed", "exit_code": 3, "message": message}));
    assert_eq!(server.get("/agents/code/status").1["status"], "failed");
    let (_, exit) = server.ended("signal");
    assert_eq!(exit, json!({"reason": "failed", "signal": "SIGSEGV", "message": "it was ended by SIGSEGV"}));
}

#[test]
fn a_program_that_cannot_be_started_is_a_failed_run() {
    let server = Server::start();
    for (agent, program) in [("missing", "/no/such/program"), ("no-program", "/etc/passwd")] {
        assert_eq!(server.order(agent, agent, json!({"runtime": "process", "command": [program]})).0, 200);
        let (events, exit) = server.ended(agent);
        let names: Vec<_> = events.iter().map(|event| event["event"].as_str().unwrap()).collect();
        assert_eq!(names, ["user_message", "agent_session", "agent.exited"]);
        assert_eq!(exit["reason"], "failed");
        assert!(exit["message"].as_str().unwrap().contains(program));
    }
}

#[test]
fn an_agent_gets_what_it_is_meant_to_know_and_no_secret() {
    let server = Server::start_with(&[("AGENT_ENV_API_KEY", "for-the-agent"), ("OTHER_SECRET", "not-for-it")]);
    let order = json!({"runtime": "process", "command": ["env"], "env_vars": {"MINE": "yes", "LANG": "xx"}});
    server.order("a", "r", order);
    let lines = texts(&server.ended("a").0, "stdout");
    for line in ["API_KEY=‹redacted:API_KEY›", "MINE=yes", "LANG=xx"] {
        assert!(lines.iter().any(|given| given == line), "{lines:?}");
    }
    assert!(!lines.iter().any(|line| line.contains("TOKEN") || line.contains("not-for-it")), "{lines:?}");
}

#[test]
fn a_stop_ends_the_whole_group() {
    let server = Server::start();
    server.shell("a", "sleep 300 & echo $!; wait");
    let events = server.events_until("a", |event| event["event"] == "agent_output");
    let grandchild = texts(&events, "stdout").remove(0);
    assert!(lives(&grandchild));
    assert_eq!(server.post("/agents/a/stop", "").1, json!({"stopped": true}));
    server.post("/agents/a/stop", "");
    let (events, exit) = server.ended("a");
    assert_eq!((&exit["reason"], &exit["signal"]), (&json!("stopped"), &json!("SIGTERM")));
    let stopping = |event: &&Value| event["data"]["status"] == "stopping";
    assert_eq!(events.iter().filter(stopping).count(), 1);
    until("the grandchild is gone", || !lives(&grandchild));
}

#[test]
fn a_process_that_ignores_the_order_is_killed_with_all_that_it_started() {
    let server = Server::start();
    server.shell("a", "trap '' TERM; sh -c 'trap \"\" TERM; echo $$; sleep 300' & wait; sleep 300");
    let events = server.events_until("a", |event| event["event"] == "agent_output");
    let grandchild = texts(&events, "stdout").remove(0);
    let begun = Instant::now();
    server.post("/agents/a/stop", r#"{"signal":"SIGTERM"}"#);
    let (_, exit) = server.ended("a");
    assert_eq!((&exit["reason"], &exit["signal"]), (&json!("stopped"), &json!("SIGKILL")));
    assert!((4900..15_000).contains(&begun.elapsed().as_millis()), "{:?}", begun.elapsed());
    until("the grandchild is gone", || !lives(&grandchild));
}

#[test]
fn a_kill_is_at_once_also_after_a_gentle_order() {
    let server = Server::start();
    server.shell("a", "trap '' TERM; echo up; while true; do sleep 1; done");
    server.events_until("a", |event| event["event"] == "agent_output");
    server.post("/agents/a/stop", "");
    let begun = Instant::now();
    server.post("/agents/a/stop", r#"{"signal":"SIGKILL"}"#);
    assert_eq!(server.ended("a").1["signal"], "SIGKILL");
    assert!(begun.elapsed() < Duration::from_secs(4));
}

#[test]
fn a_run_that_takes_too_long_is_ended() {
    let server = Server::start();
    server.order("a", "r", json!({"runtime": "process", "command": ["sleep", "300"], "timeout_seconds": 1}));
    let (_, exit) = server.ended("a");
    assert_eq!((&exit["reason"], &exit["signal"]), (&json!("timeout"), &json!("SIGTERM")));
    assert_eq!(server.get("/agents/a/status").1["status"], "failed");
}

#[test]
fn a_grandchild_that_keeps_the_pipe_open_does_not_keep_the_run_open() {
    let server = Server::start();
    let begun = Instant::now();
    server.shell("a", "sleep 300 & echo $!; printf unfinished");
    let (events, exit) = server.ended("a");
    assert_eq!(exit["reason"], "completed");
    assert!((1900..15_000).contains(&begun.elapsed().as_millis()), "{:?}", begun.elapsed());
    let lines = texts(&events, "stdout");
    assert_eq!(lines[1], "unfinished");
    until("what it left behind is gone", || !lives(&lines[0]));
}

#[test]
fn a_flood_is_whole_and_in_order() {
    let server = Server::start();
    server.shell("a", "seq 100000");
    server.settled("a");
    let (epoch, mut after, mut next) = (server.epoch(), 0, 1);
    while next <= 100_000 {
        let (_, page) = server.get(&format!("/events?epoch={epoch}&after={after}&ack=1"));
        for event in page["events"].as_array().unwrap() {
            after += 1;
            assert_eq!(event["id"], after);
            if event["event"] == "agent_output" {
                assert_eq!(event["data"]["text"], next.to_string());
                next += 1;
            }
        }
    }
}

#[test]
fn a_long_line_is_cut_with_a_mark_and_one_too_long_is_noticed() {
    let server = Server::start();
    server.shell(
        "a",
        "head -c 3000000 /dev/zero | tr '\\0' x; echo; head -c 17000000 /dev/zero | tr '\\0' y; echo; echo ok",
    );
    let (events, _) = server.ended("a");
    let lines = texts(&events, "stdout");
    assert!(lines[0].len() < 1 << 20 && lines[0].ends_with(" bytes cut]"));
    assert_eq!(lines[1], "ok");
    let notice = events.iter().find(|event| event["event"] == "parser_notice").unwrap();
    assert_eq!((&notice["data"]["kind"], &notice["data"]["count"]), (&json!("oversized"), &json!(1)));
}

#[test]
fn a_server_that_is_asked_to_end_takes_its_agents_along() {
    let mut server = Server::start();
    server.shell("a", "echo $$; sleep 300 & echo $!; wait");
    let events = server.events_until("a", |event| event["id"] == 3);
    let processes = texts(&events, "stdout");
    let begun = Instant::now();
    std::process::Command::new("kill").arg(server.child.id().to_string()).status().unwrap();
    assert_eq!(server.child.wait().unwrap().code(), Some(0));
    assert!(begun.elapsed() < Duration::from_secs(6));
    until("its agents are gone", || !processes.iter().any(|process| lives(process)));
}

#[test]
fn a_repository_is_cloned_before_the_agent_starts() {
    let dir = std::env::temp_dir().join(format!("townwatch-repo-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let script = "git init -q -b trunk . && echo hello > a.txt && git add . && \
                  git -c user.name=n -c user.email=e@x commit -qm one && git branch existing";
    assert!(std::process::Command::new("sh").args(["-c", script]).current_dir(&dir).status().unwrap().success());
    let server = Server::start();
    let order = |url: &str, branch: &str| {
        let script = "cat a.txt; git branch --show-current";
        json!({"runtime": "process", "command": ["sh", "-c", script], "git_url": url, "branch": branch})
    };
    let url = dir.to_str().unwrap();
    server.order("new", "r1", order(url, "brand-new"));
    server.order("old", "r2", order(url, "existing"));
    server.order("none", "r3", order("/no/such/repository", "x"));
    assert_eq!(texts(&server.ended("new").0, "stdout"), ["hello", "brand-new"]);
    assert_eq!(texts(&server.ended("old").0, "stdout"), ["hello", "existing"]);
    let (events, exit) = server.ended("none");
    assert_eq!((events.len(), &exit["reason"]), (2, &json!("failed")), "what it was told, and its end");
    assert!(exit["message"].as_str().unwrap().starts_with("the repository could not be cloned: "), "{exit}");
    assert_eq!(server.order("bad", "r4", order("--upload-pack=x", "x")).1["error"]["details"]["field"], "git_url");
    std::fs::remove_dir_all(dir).unwrap();
}

#[test]
fn what_went_into_a_session_of_its_own_is_found_and_killed_too() {
    let server = Server::start();
    server.shell("killed", "setsid sh -c 'echo $$; exec sleep 300' & wait");
    server.shell("ended", "setsid sh -c 'echo $$; exec sleep 300 >/dev/null 2>&1' & sleep 0.5");
    let outputs = |agent| texts(&server.events_until(agent, |event| event["event"] == "agent_output"), "stdout");
    let (killed, ended) = (outputs("killed").remove(0), outputs("ended").remove(0));
    server.post("/agents/killed/stop", r#"{"signal":"SIGKILL"}"#);
    assert_eq!(server.ended("killed").1["signal"], "SIGKILL");
    assert_eq!(server.ended("ended").1["reason"], "completed");
    until("both are gone", || !lives(&killed) && !lives(&ended));
}
