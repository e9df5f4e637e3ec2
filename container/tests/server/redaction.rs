//! What agents print of secrets, from their processes to the answers of the server.

use serde_json::json;

use crate::common::{Server, until};

/// No scanner is to take this file for one with a token in it.
fn token(begins: &str) -> String {
    format!("{begins}_{}", "q7Xc2LmZ9aTf4RkV0bNw8JyH3sPd6GuE1oQx")
}

#[test]
fn no_secret_of_a_process_is_in_an_answer() {
    let server =
        Server::start_with(&[("AGENT_ENV_HOST_TOKEN", "s3cret-of-the-host"), ("AGENT_ENV_PLAIN", "of-no-secret")]);
    let (github, base64) = (token("ghp"), "q7Xc2LmZ9aTf4RkV0bNw8JyH3sPd6GuE1oQx".repeat(2));
    let label = "PRIVATE KEY-----";
    let script = format!(
        "echo \"$HOST_TOKEN $PLAIN $PASSWORD_OF_DB\"; echo '{github} {github}'; echo '-----BEGIN {label}'; echo $LINE
        echo $LINE; echo '-----END {label}'; echo after; echo \"it failed: {github} $HOST_TOKEN\" >&2; exit 3"
    );
    let env_vars = json!({"PASSWORD_OF_DB": "with \"quotes\" and é", "LINE": base64});
    let order = json!({"runtime": "process", "command": ["sh", "-c", script], "env_vars": env_vars});
    assert_eq!(server.order("a", "r", order).0, 200);
    let (events, exit) = server.ended("a");
    let told: Vec<_> = events.iter().filter_map(|event| event["data"]["text"].as_str()).collect();
    let (command, lines) = told.split_first().unwrap();
    assert!(command.contains("'‹redacted:github_token› ‹redacted:github_token›'"), "{command}");
    let mark = |kind: &str| format!("‹redacted:{kind}›");
    let expected = [
        format!("{} of-no-secret {}", mark("HOST_TOKEN"), mark("PASSWORD_OF_DB")),
        format!("{0} {0}", mark("github_token")),
        format!("-----BEGIN {label}"),
        mark("private_key"),
        mark("private_key"),
        format!("-----END {label}"),
        "after".to_owned(),
        format!("it failed: {} {}", mark("github_token"), mark("HOST_TOKEN")),
    ];
    let mut sorted: Vec<_> = lines.iter().map(ToString::to_string).collect();
    sorted.sort_by_key(|line| expected.iter().position(|one| one == line)); // the two pipes have no order
    assert_eq!(sorted, expected);
    assert_eq!(
        exit["message"],
        format!("it ended with exit code 3: it failed: {} {}", mark("github_token"), mark("HOST_TOKEN"))
    );
    let mut told = std::collections::BTreeMap::new();
    for notice in events.iter().filter(|event| event["data"]["kind"] == "redacted").map(|event| &event["data"]) {
        *told.entry(notice["sample"].as_str().unwrap()).or_insert(0) += notice["count"].as_u64().unwrap();
    }
    // The message of the end tells two of them again, and its command has three.
    let counts = [("HOST_TOKEN", 3), ("PASSWORD_OF_DB", 1), ("github_token", 7), ("private_key", 2)];
    assert_eq!(told, std::collections::BTreeMap::from(counts));
    for path in ["/events?after=0", "/agents/a/events", "/agents/a/status"] {
        let answer = server.get(path).1.to_string();
        for secret in [github.as_str(), &base64, "s3cret", "quotes"] {
            assert!(!answer.contains(secret), "{path}: {answer}");
        }
    }
}

#[test]
fn what_is_declared_and_what_lies_in_the_home_goes_as_well() {
    let home = std::env::temp_dir().join(format!("townwatch-home-of-agents-{}", std::process::id()));
    std::fs::create_dir_all(&home).unwrap();
    std::fs::write(home.join(".netrc"), "machine a.example login me password netrc-value-1\n").unwrap();
    let server = Server::start_with(&[("HOME", home.to_str().unwrap()), ("AGENT_ENV_PLACE", "behind-the-mill")]);
    let script = "echo \"$PET $PLACE $OTHER\"; cat ~/.netrc; printf 'me:%s' \"$PLACE\" | base64";
    let order = |secret_env: &[&str]| {
        let env_vars = json!({"PET": "snowflake", "OTHER": "of-no-secret"});
        let command = ["sh", "-c", script];
        json!({"runtime": "process", "command": command, "env_vars": env_vars, "secret_env": secret_env})
    };
    let (status, refusal) = server.order("a", "r", order(&["PET", "PLACES"]));
    assert_eq!((status, &refusal["error"]["details"]["field"]), (400, &json!("secret_env[1]")), "{refusal}");
    assert_eq!(server.order("a", "r", order(&["PET", "PLACE"])).0, 200);
    let (events, _) = server.ended("a");
    let said: Vec<_> = events.iter().filter(|event| event["event"] == "agent_output").collect();
    let said: Vec<_> = said.iter().filter_map(|event| event["data"]["text"].as_str()).collect();
    let expected = [
        "‹redacted:PET› ‹redacted:PLACE› of-no-secret",
        "machine a.example login me password ‹redacted:.netrc›",
        "bWU6‹redacted:PLACE›",
    ];
    assert_eq!(said, expected);
    std::fs::remove_dir_all(home).unwrap();
}

#[test]
fn what_is_typed_shows_no_part_of_a_secret() {
    let dir = std::env::temp_dir().join(format!("townwatch-typed-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let secret = token("ghp");
    let pieces = ["It ", "is gh", &secret[2..9], &secret[9..30], &secret[30..], " as", " you see"];
    let event = |event: String| format!(r#"{{"type":"stream_event","event":{event}}}"#);
    let mut lines = vec![
        event(r#"{"type":"message_start","message":{"id":"m"}}"#.into()),
        event(r#"{"type":"content_block_start","content_block":{"type":"text","text":""}}"#.into()),
    ];
    lines.extend(pieces.map(|text| {
        event(format!(r#"{{"type":"content_block_delta","delta":{{"type":"text_delta","text":"{text}"}}}}"#))
    }));
    lines.push(format!(
        r#"{{"type":"assistant","message":{{"id":"m","content":[{{"type":"text","text":"{}"}}]}}}}"#,
        pieces.concat()
    ));
    let script: String = lines.iter().flat_map(|line| ["echo '", line, "'; sleep 0.15\n"]).collect();
    let program = dir.join("claude");
    std::fs::write(&program, format!("#!/bin/sh\n{script}")).unwrap();
    std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", dir.display(), std::env::var("PATH").unwrap());
    let server = Server::start_with(&[("PATH", &path)]);
    let epoch = server.epoch();
    server.order("a", "r", json!({"runtime": "claude_code", "prompt": "x"}));
    let mut typed = String::new();
    until("it is typed and said", || {
        let page = server.get(&format!("/events?epoch={epoch}&after=0&previews=1")).1;
        assert!(!page.to_string().contains(&secret[4..12]), "{page}");
        for preview in page["previews"].as_array().into_iter().flatten() {
            if preview["offset"] == 0 {
                typed.clear();
            }
            typed.push_str(preview["text"].as_str().unwrap());
        }
        page.to_string().contains("agent_output")
    });
    assert!(typed.starts_with("It is ‹redacted:github_token›"), "{typed}");
    std::fs::remove_dir_all(dir).unwrap();
}
