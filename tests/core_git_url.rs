//! No address of a repository that holds a password is taken, and none that was stored is shown with it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod pulled;
mod sqlite;
mod story;

use pulled::{note, town_with};
use serde_json::json;
use townwatch::core::git_url::{check, shown};
use townwatch::core::starting;
use townwatch::error::Code;
use townwatch::protocol::StartAgent;

#[test]
fn a_user_or_password_in_an_address_is_refused_and_never_shown() {
    for (url, without) in [
        ("https://me:hunter2@example.test/x.git", "https://example.test/x.git"),
        ("https://ghp_token@example.test/x.git", "https://example.test/x.git"),
        ("HTTPS://a:b@c@example.test", "HTTPS://example.test"),
        ("https://:hunter2@example.test:8443/x?a=@b", "https://example.test:8443/x?a=@b"),
        ("ssh://git:hunter2@example.test/x", "ssh://example.test/x"),
    ] {
        let refusal = check("git_url", url).unwrap_err();
        assert_eq!(refusal.code, Code::InvalidRequest, "{url}");
        assert!(refusal.message.starts_with("git_url: ") && !refusal.message.contains("hunter2"), "{refusal:?}");
        assert_eq!(shown(url), without);
        let order = json!({"rig_id": "r", "name": "x", "role": "polecat", "runtime": "process", "git_url": url});
        let order: StartAgent = serde_json::from_value(order).unwrap();
        assert_eq!(starting::check(&order).unwrap_err().details.unwrap().field.unwrap(), "git_url");
    }
    for url in [
        "https://example.test/x.git",
        "https://example.test/@scope/x",
        "https://example.test/x?at=me@home",
        "ssh://git@example.test/x",
        "git+ssh://git@example.test/x",
        "git@example.test:me/x.git",
        "/srv/repositories/x.git",
        "file:///srv/me@home/x",
        "",
    ] {
        assert_eq!((check("git_url", url), shown(url).as_str()), (Ok(()), url));
    }
}

#[test]
fn one_that_was_stored_before_is_shown_without() {
    let mut story = town_with(&["a"]);
    let url = "https://me:hunter2@example.test/x.git";
    let stored = story.texts("UPDATE rigs SET git_url = 'https://me:hunter2@example.test/x.git' RETURNING git_url");
    assert_eq!(stored, [url]);
    let rigs = serde_json::to_string(&story.town.rigs().unwrap()).unwrap();
    assert!(rigs.contains(r#""git_url":"https://example.test/x.git""#), "{rigs}");
    let outcome = story.post(&[note("a")]);
    story.publish(&outcome);
    let state = serde_json::to_string(&story.town.agents().unwrap()).unwrap();
    assert!(state.contains("https://example.test/x.git") && !state.contains("hunter2"), "{state}");
}
