//! No address of a repository that holds a password is taken, and none that was stored is shown with it.

use serde_json::json;
use townwatch_protocol::error::Code;
use townwatch_protocol::id::EventId;
use townwatch_protocol::wire::{AgentSelection, StartAgent};
use townwatch_town::agents::starting;
use townwatch_town::git_url::{check, event_shown, shown};
use townwatch_town::log::{self, LogSpan, PageFilter};

use crate::pulled::{note, town_with};

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
fn an_event_that_was_stored_with_one_is_shown_without_and_otherwise_as_it_came() {
    let frame = |url: &str| format!(r#"{{"id":1,"data":{{"git_origin"{url},"n":1.10,"hostname":"h"}}}}"#);
    let with = frame(r#" : "https:\/\/me:hunter2@example.test/\u0078.git""#);
    assert_eq!(event_shown("agent_session", with.clone()), frame(r#":"https://example.test/x.git""#));
    for untouched in
        [frame(":null"), frame(r#" : "git@example.test:x""#), frame(r#":"https:\/\/example.test\/x""#), frame("")]
    {
        assert_eq!(event_shown("agent_session", untouched.clone()), untouched);
    }
    assert_eq!(event_shown("note", with.clone()), with, "no other event tells an address");
}

#[test]
fn an_old_log_and_an_old_state_are_read_without() {
    let mut story = town_with(&["a"]);
    let session = json!({"git_origin": "https://me:hunter2@example.test/x.git"});
    let _outcome = story.post(&[("a", "run-1", "agent_session", session)]);
    story.shown();
    let stored = story.texts("SELECT frame FROM agent_events WHERE event = 'agent_session'");
    assert!(stored.iter().any(|frame| frame.contains("hunter2")), "the log keeps what came: {stored:?}");
    let old = story.texts(
        "UPDATE agents SET state = replace(state, 'https://example.test/x.git', 'https://me:hunter2@example.test/x.git') \
         RETURNING state",
    );
    assert!(old[0].contains("hunter2"), "{old:?}");
    let state = serde_json::to_string(&story.town.agents().unwrap()).unwrap();
    assert!(state.contains("https://example.test/x.git") && !state.contains("hunter2"), "{state}");
    let entries = log::read(
        story.store.as_ref(),
        &AgentSelection::All,
        LogSpan::After(EventId::START),
        &PageFilter::default(),
        100,
    )
    .unwrap();
    let shown: Vec<_> = entries.iter().filter(|entry| entry.event == "agent_session").collect();
    assert!(!shown.is_empty());
    for entry in shown {
        let whole = log::whole(story.store.as_ref(), entry.id).unwrap().unwrap();
        for text in [entry.frame.as_str(), whole.get()] {
            assert!(
                text.contains(r#""git_origin":"https://example.test/x.git""#) && !text.contains("hunter2"),
                "{text}"
            );
        }
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
    let _outcome = story.post(&[note("a")]);
    story.shown();
    let state = serde_json::to_string(&story.town.agents().unwrap()).unwrap();
    assert!(state.contains("https://example.test/x.git") && !state.contains("hunter2"), "{state}");
}
