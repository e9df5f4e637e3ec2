//! Files of working directories: real processes change them, and the run tells what became of them.

use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use crate::common::{Server, texts};

/// The changes that a run told: action, path, and what it was before.
fn changes(events: &[Value]) -> Vec<String> {
    let changes = events.iter().filter(|event| event["event"] == "file_changed").map(|event| &event["data"]);
    let told = changes.map(|data| match data["from"].as_str() {
        Some(from) => format!("{} {from} to {}", data["action"].as_str().unwrap(), data["path"].as_str().unwrap()),
        None => format!("{} {}", data["action"].as_str().unwrap(), data["path"].as_str().unwrap()),
    });
    told.collect()
}

/// The changes that a script makes, each told before the run's one end.
fn changed_by(script: &str) -> Vec<Value> {
    let server = Server::start();
    server.shell("a", script);
    server.ended("a").0
}

#[test]
fn what_becomes_of_files_is_told() {
    let events = changed_by(
        "printf 'a\nb\n' > one; mkdir -p deep/er; echo x > deep/er/two; sleep 0.6
         echo more >> one; mv deep/er/two deep/three; sleep 0.6; rm one; mv deep shallow",
    );
    let mut changes = changes(&events);
    changes[..2].sort();
    changes[2..4].sort();
    changes[4..].sort();
    assert_eq!(
        changes,
        [
            "created deep/er/two",
            "created one",
            "modified one",
            "renamed deep/er/two to deep/three",
            "deleted one",
            "renamed deep/three to shallow/three",
        ]
    );
    let created = events.iter().find(|event| event["data"]["path"] == "one").unwrap();
    assert_eq!(created["data"], json!({"path": "one", "action": "created", "size_bytes": 4, "lines_added": 2}));
}

#[test]
fn a_link_in_the_place_of_a_file_or_directory_is_not_followed() {
    let events = changed_by(
        "mkdir dir ../outside; printf 'secret\n%s\n' 1 2 3 > ../outside/two; echo a > one; echo b > dir/two; sleep 0.6
         ln -sfn ../outside/two one; rm -r dir; ln -s ../outside dir; ln -s ../outside/two new; sleep 0.6",
    );
    let mut told = changes(&events);
    told.sort();
    assert_eq!(told, ["created dir/two", "created one", "deleted dir/two", "deleted one"]);
}

#[test]
fn a_burst_is_one_change_and_what_comes_and_goes_is_none() {
    let events = changed_by(
        "echo 0 > kept; sleep 0.6; for i in $(seq 50); do echo $i >> kept; done; echo x > gone; rm gone
         echo new > kept.tmp; mv kept.tmp kept",
    );
    assert_eq!(changes(&events), ["created kept", "modified kept"]);
}

#[test]
fn what_no_person_wrote_is_left_out() {
    let events = changed_by(
        "git init -q .; printf '*.log\nbuild/\n!keep.log\n' > .gitignore; mkdir node_modules target build sub; sleep 0.4
         for dir in node_modules target build sub .git; do echo x > $dir/file; done
         echo x > a.log; echo x > keep.log; echo '*.txt' > sub/.gitignore; sleep 0.4; echo x > sub/a.txt; echo x > b.txt",
    );
    let mut changes = changes(&events);
    changes.sort();
    let expected =
        ["created .gitignore", "created b.txt", "created keep.log", "created sub/.gitignore", "created sub/file"];
    assert_eq!(changes, expected);
}

#[test]
fn more_than_can_be_told_is_counted() {
    let events = changed_by("mkdir many; for i in $(seq 500); do echo $i > many/$i; done; sleep 0.5");
    let told = changes(&events).len();
    let word = texts(&events, "stderr").pop().unwrap();
    let counted: usize = word.strip_prefix("townwatch: ").unwrap().split(' ').next().unwrap().parse().unwrap();
    assert!((50..=150).contains(&told), "{told}");
    assert_eq!(told + counted, 500, "{word}");
}

#[test]
fn a_change_is_told_once_and_with_its_call() {
    let dir = std::env::temp_dir().join(format!("townwatch-files-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let stand_in = |name: &str, script: &str| {
        std::fs::write(dir.join(name), format!("#!/bin/sh\n{script}")).unwrap();
        std::fs::set_permissions(dir.join(name), std::fs::Permissions::from_mode(0o755)).unwrap();
    };
    let call =
        |id: &str, tool: &str| format!(r#"echo '{{"type":"tool_use","id":"{id}","name":"{tool}","input":{{}}}}'"#);
    let result = |id: &str| format!(r#"echo '{{"type":"tool_result","tool_use_id":"{id}","content":"ok"}}'"#);
    let claude = [
        call("t1", "Write"),
        "echo x > by-write".into(),
        result("t1"),
        "sleep 0.6".into(),
        call("t2", "Bash"),
        "echo x > by-bash; sleep 0.6".into(),
        result("t2"),
        "sleep 0.3".into(),
        call("t3", "Bash"),
        call("t4", "Edit"),
        "echo x > by-either".into(),
        result("t3"),
        result("t4"),
        "sleep 0.6".into(),
        call("t5", "Read"),
        "echo x > by-nobody".into(),
        result("t5"),
    ];
    stand_in("claude", &claude.join("\n"));
    let item = |state: &str, id: &str, rest: &str| {
        format!(r#"echo '{{"type":"item.{state}","item":{{"id":"{id}",{rest}}}}}'"#)
    };
    let change = r#""type":"file_change","changes":[{"path":"patched","kind":"add"}],"status":"completed""#;
    let command = r#""type":"command_execution","command":"x","status":"completed","exit_code":0"#;
    let codex = [
        r#"echo '{"type":"thread.started","thread_id":"t"}'"#.into(),
        item("started", "i1", change),
        "echo x > patched".into(),
        item("completed", "i1", change),
        "sleep 0.6".into(),
        item("started", "i2", command),
        "echo x > by-command".into(),
        item("completed", "i2", command),
        r#"echo '{"type":"turn.completed"}'"#.into(),
    ];
    stand_in("codex", &codex.join("\n"));
    let path = format!("{}:{}", dir.display(), std::env::var("PATH").unwrap());
    let server = Server::start_with(&[("PATH", &path)]);
    let told = |agent: &str, runtime: &str| {
        server.order(agent, agent, json!({"runtime": runtime, "prompt": "x"}));
        let events = server.ended(agent).0;
        let changes = events.iter().filter(|event| event["event"] == "file_changed").map(|event| &event["data"]);
        let told = changes
            .map(|data| (data["path"].as_str().unwrap().to_owned(), data["tool_use_id"].as_str().map(str::to_owned)));
        told.collect::<Vec<_>>()
    };
    let by = |path: &str, call: Option<&str>| (path.to_owned(), call.map(str::to_owned));
    let expected =
        [by("by-write", Some("t1")), by("by-bash", Some("t2")), by("by-either", None), by("by-nobody", None)];
    assert_eq!(told("c", "claude_code"), expected);
    assert_eq!(told("x", "codex"), [by("patched", Some("i1")), by("by-command", Some("i2"))]);
    std::fs::remove_dir_all(dir).unwrap();
}

#[test]
fn rules_beyond_their_bound_are_not_applied_and_that_is_said_once() {
    let events = changed_by(
        "(echo first; seq -f 'line-%g' 2 1000; echo beyond) > .gitignore; sleep 0.6
         echo x > first; echo x > line-1000; echo x > beyond; mkdir sub; cp .gitignore sub; sleep 0.6",
    );
    let mut told = changes(&events);
    told.sort();
    assert_eq!(told, ["created .gitignore", "created beyond", "created sub/.gitignore"]);
    let said = texts(&events, "stderr");
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].starts_with("townwatch: the .gitignore files have more rules than are applied"), "{said:?}");
}
