//! What is being typed, as the town's relay asks for it.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use townwatch::protocol::{ControlEvents, Preview};

use crate::common::Server;

/// What a relay that loses nothing has seen of a run, and when.
#[derive(Default)]
struct Seen {
    /// Texts whose event has not come.
    typed: HashMap<String, String>,
    ended: HashSet<String>,
    /// How many parts of each text came before its event.
    parts: Vec<usize>,
    counts: HashMap<String, usize>,
    /// When an answer brought nothing but previews.
    previews_at: Vec<Instant>,
}

impl Seen {
    fn event(&mut self, data: &Value) {
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
                assert!(page.previews.is_empty(), "a preview with the end of its run");
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
        assert_eq!((seen.parts, seen.previews_at.len()), (vec![3], 3));
        let apart = seen.previews_at[2] - seen.previews_at[0];
        assert!((300..900).contains(&apart.as_millis()), "{apart:?}");
        let without = without.join().unwrap();
        assert_eq!((without.ended.len(), without.parts.len()), (1, 0));
    });
}

#[test]
fn fast_typing_is_merged() {
    let server = Server::start();
    let epoch = server.epoch();
    replay(&server, "basic", 0.1);
    let seen = watch(&server, &epoch, true);
    assert_eq!((seen.ended.len(), seen.typed.len()), (6, 0));
    assert!(seen.parts.len() >= 3, "{:?}", seen.parts);
    for pair in seen.previews_at.windows(2) {
        assert!(pair[1] - pair[0] >= Duration::from_millis(35), "{:?}", pair[1] - pair[0]);
    }
}

#[test]
fn a_cursor_of_another_epoch_and_a_page_below_the_head_get_no_previews() {
    let server = Server::start();
    let epoch = server.epoch();
    replay(&server, "abort-sigterm", 0.2); // a second from piece to piece
    let whole = format!("/events?epoch={epoch}&after=0&previews=1&wait_ms=0");
    crate::common::until("it types", || server.get(&whole).1.get("previews").is_some());
    let typed = || {
        crate::common::until("it types on", || {
            let below = server.get(&format!("/events?epoch={epoch}&after=0&previews=1&limit=1")).1;
            let other = server.get("/events?epoch=of-before&after=0&previews=1").1;
            assert!(below.get("previews").is_none() && other.get("previews").is_none());
            server.get(&whole).1.get("previews").is_some()
        });
    };
    typed();
    assert_eq!(server.get(&format!("/events?epoch={epoch}&previews=2")).0, 400);
}
