//! What is being typed, as the town's relay asks for it.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use townwatch_protocol::wire::{ControlEvents, Preview};

use crate::common::Server;

/// What a relay that loses nothing has seen of a run, and when.
#[derive(Default)]
struct Seen {
    /// Texts whose event has not come.
    typed: HashMap<String, String>,
    ended: HashSet<String>,
    waiting: bool,
    /// How many parts of each text came before its event.
    parts: Vec<usize>,
    counts: HashMap<String, usize>,
    /// When an answer brought nothing but previews.
    previews_at: Vec<Instant>,
}

impl Seen {
    fn event(&mut self, data: &Value) {
        if let Some(status) = data["status"].as_str() {
            self.waiting = status == "waiting";
        }
        let Some(message_id) = data["message_id"].as_str().filter(|_| data["stream"] == "assistant") else { return };
        if let Some(typed) = self.typed.remove(message_id) {
            assert!(data["text"].as_str().unwrap().starts_with(&typed), "{typed:?} was typed, and {data} said");
            self.parts.push(self.counts.remove(message_id).unwrap_or_default());
        }
        self.ended.insert(message_id.to_owned());
    }

    fn preview(&mut self, preview: &Preview) {
        let Preview { agent_id, run_id, message_id, offset, text } = preview;
        assert_eq!((agent_id.as_str(), run_id.as_str()), ("a", "run"));
        assert!(!self.ended.contains(message_id), "a preview after the message's event");
        assert!(!self.waiting, "a preview after `waiting`");
        let typed = self.typed.entry(message_id.clone()).or_default();
        let held = typed.encode_utf16().count() as u64;
        assert!(*offset == 0 || *offset == held, "{offset}, and {held} are there");
        if *offset == 0 {
            typed.clear();
        }
        typed.push_str(text);
        *self.counts.entry(message_id.clone()).or_default() += 1;
    }
}

/// Asks until the run has ended.
fn watch(server: &Server, epoch: &str, previews: bool) -> Seen {
    let (mut seen, mut after) = (Seen::default(), 0);
    loop {
        let begun = Instant::now();
        let asks = if previews { "&previews=1" } else { "" };
        let (_, page) = server.get(&format!("/events?epoch={epoch}&after={after}&wait_ms=5000{asks}"));
        assert!(previews || page.get("previews").is_none());
        let page: ControlEvents = serde_json::from_value(page).unwrap();
        let waited = begun.elapsed() >= Duration::from_secs(5);
        assert!(waited || !page.events.is_empty() || !page.previews.is_empty(), "woken for nothing");
        if page.events.is_empty() && !page.previews.is_empty() {
            seen.previews_at.push(Instant::now());
        }
        for event in &page.events {
            after = event.id.get();
            seen.event(&serde_json::from_str(event.data.get()).unwrap());
            if event.event.as_str() == "agent.exited" {
                let more = format!("/events?epoch={epoch}&after={after}&wait_ms=150{asks}");
                assert!(page.previews.is_empty() && server.get(&more).1.get("previews").is_none(), "after the end");
                return seen;
            }
        }
        page.previews.iter().for_each(|preview| seen.preview(preview));
    }
}

fn replay(server: &Server, transcript: &str, speed: f64) {
    let order = json!({"runtime": "replay", "transcript": transcript, "speed": speed});
    assert_eq!(server.order("a", "run", order).0, 200);
}

#[test]
fn a_message_is_seen_while_it_is_typed() {
    let server = Server::start();
    let epoch = server.epoch();
    replay(&server, "abort-sigterm", 1.0); // it types a text in three pieces over 0.6 s
    std::thread::scope(|scope| {
        let without = scope.spawn(|| watch(&server, &epoch, false));
        let seen = watch(&server, &epoch, true);
        assert!(seen.parts[0] >= 2, "{:?}", seen.parts);
        let apart = *seen.previews_at.last().unwrap() - seen.previews_at[0];
        assert!(apart.as_millis() >= 150, "{apart:?}");
        let without = without.join().unwrap();
        assert_eq!((without.ended.len(), without.parts.len()), (1, 0));
    });
}

#[test]
fn a_recordings_messages_are_typed_one_after_the_other() {
    let server = Server::start();
    let epoch = server.epoch();
    replay(&server, "basic", 0.1);
    let seen = watch(&server, &epoch, true);
    assert_eq!((seen.ended.len(), seen.typed.len()), (6, 0));
    assert!(seen.parts.len() >= 3, "{:?}", seen.parts);
}

#[test]
fn only_who_asks_at_the_head_of_this_epoch_gets_and_takes_previews() {
    let server = Server::start();
    let epoch = server.epoch();
    replay(&server, "abort-sigterm", 0.2); // a second from piece to piece
    let whole = || server.get(&format!("/events?epoch={epoch}&after=0&previews=1")).1;
    crate::common::until("it types", || whole().get("previews").is_some());
    std::thread::sleep(Duration::from_millis(1300)); // the next piece is there
    let others =
        [format!("epoch={epoch}"), format!("epoch={epoch}&previews=1&limit=1"), "epoch=of-before&previews=1".into()];
    for other in others {
        assert!(server.get(&format!("/events?after=0&{other}")).1.get("previews").is_none(), "{other}");
    }
    assert!(whole().get("previews").is_some(), "the others took nothing");
    assert_eq!(server.get("/events?previews=2").0, 400);
}

/// A stand-in for Claude Code: prints what the script says, with `begin` and `typed TEXT` for the partials of message
/// `m`. Its prompt is `$prompt`.
fn stand_in(name: &str, script: &str) -> (Server, PathBuf) {
    let dir = std::env::temp_dir().join(format!("townwatch-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let event = |event: &str| format!(r#"echo '{{"type":"stream_event","event":{event}}}'"#);
    let begin = [
        event(r#"{"type":"message_start","message":{"id":"m"}}"#),
        event(r#"{"type":"content_block_start","content_block":{"type":"text","text":""}}"#),
    ]
    .join("; ");
    let typed = event(r#"{"type":"content_block_delta","delta":{"type":"text_delta","text":"'"$1"'"}}"#);
    let script = format!("#!/bin/sh\nprompt=\"$2\"\nbegin() {{ {begin}; }}\ntyped() {{ {typed}; }}\n{script}");
    let program = dir.join("claude");
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", dir.display(), std::env::var("PATH").unwrap());
    (Server::start_with(&[("PATH", &path)]), dir)
}

fn prompted(server: &Server, prompt: &str) -> Seen {
    let epoch = server.epoch();
    assert_eq!(server.order("a", "run", json!({"runtime": "claude_code", "prompt": prompt})).0, 200);
    watch(server, &epoch, true)
}

#[test]
fn fast_typing_is_merged() {
    let (server, dir) = stand_in(
        "fast",
        r#"begin; for i in $(seq 80); do typed "$i "; sleep 0.005; done
        echo '{"type":"assistant","message":{"id":"m","content":[{"type":"text","text":"'"$(seq -s ' ' 80) "'"}]}}'"#,
    );
    let seen = prompted(&server, "type");
    let (first, last) = (seen.previews_at[0], *seen.previews_at.last().unwrap());
    let most = (last - first).as_millis() / 50 + 3;
    assert!((3..=most).contains(&(seen.previews_at.len() as u128)), "{} and {most}", seen.previews_at.len());
    assert_eq!(seen.ended.len(), 1);
    let _ = std::fs::remove_dir_all(dir);
}

#[test]
fn what_nobody_finished_is_told_for_good_at_the_end() {
    // The second piece is due 50 ms after the first; before that the turn, or the process, is over.
    let script = r#"begin; typed "🚀 first"; sleep 0.01; typed " second"
        [ "$prompt" = exit ] && exit 0
        echo '{"type":"result","subtype":"success"}'; sleep 0.3; typed " third""#;
    for prompt in ["wait", "exit"] {
        let (server, dir) = stand_in(prompt, script);
        let seen = prompted(&server, prompt);
        assert!(seen.typed.is_empty() && seen.ended.contains("m"), "{:?} {:?}", seen.typed, seen.ended);
        let _ = std::fs::remove_dir_all(dir);
    }
}
