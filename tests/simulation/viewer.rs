//! A viewer as a browser would be: reads frames, remembers its cursor, comes back with it.

use std::collections::BTreeMap;

use townwatch::core::cursor::Asked;
use townwatch::core::streams::Join;
use townwatch::core::viewers::ViewerId;
use townwatch::id::{AgentId, Epoch};

/// What it was told to be missing.
pub struct SimGap {
    pub agent_id: String,
    pub from: u64,
    pub to: u64,
    pub count: Option<u64>,
    /// Left out under pressure, not pruned.
    pub elided: bool,
}

#[allow(clippy::struct_excessive_bools)] // independent facts
pub struct SimViewer {
    pub agent_id: Option<AgentId>,
    /// The stream, while one is open.
    pub stream: Option<ViewerId>,
    /// What the town keeps with the socket.
    pub note: Option<String>,
    pub epoch: Option<Epoch>,
    /// The newest id of which it knows that it has all before.
    pub cursor: u64,
    /// Where it began to watch; tail viewers begin late.
    pub begin: u64,
    /// What it has, over all of its connections.
    pub received: BTreeMap<u64, String>,
    pub gaps: Vec<SimGap>,
    greeted: bool,
    caught_up: bool,
    last_of_stream: u64,
    pub states: u64,
    /// Whether it acknowledges what it gets, sooner or later.
    pub acknowledges: bool,
    acknowledged: u64,
    paused: bool,
}

impl SimViewer {
    pub fn new(agent_id: Option<AgentId>, acknowledges: bool) -> Self {
        Self {
            agent_id,
            stream: None,
            note: None,
            epoch: None,
            cursor: 0,
            begin: 0,
            received: BTreeMap::new(),
            gaps: Vec::new(),
            greeted: false,
            caught_up: false,
            last_of_stream: 0,
            states: 0,
            acknowledges,
            acknowledged: 0,
            paused: false,
        }
    }

    pub fn join(&mut self, stream: ViewerId) -> Join {
        self.stream = Some(stream);
        self.note = None;
        self.greeted = false;
        self.caught_up = false;
        self.last_of_stream = 0;
        self.acknowledged = 0;
        self.paused = false;
        let asked = match &self.epoch {
            Some(epoch) => Asked { epoch: Some(epoch.clone()), after_id: Some(self.cursor), ..Asked::default() },
            None => Asked::default(),
        };
        Join { agent_id: self.agent_id.clone(), asked, until_exit: false, acknowledges: self.acknowledges }
    }

    /// What it has and has not acknowledged yet.
    pub fn acknowledgement(&mut self) -> Option<u64> {
        let new = self.acknowledges && self.last_of_stream > self.acknowledged;
        self.acknowledged = self.last_of_stream;
        new.then_some(self.last_of_stream)
    }

    /// Whether it is told to have all up to the head.
    pub fn is_live(&self) -> bool {
        self.stream.is_some() && self.caught_up
    }

    pub fn cut(&mut self) {
        self.stream = None;
        self.note = None;
    }

    pub fn wants(&self, agent_id: &str) -> bool {
        self.agent_id.as_ref().is_none_or(|wanted| wanted.as_str() == agent_id)
    }

    pub fn read(&mut self, text: &str) {
        assert!(text.len() <= 64 << 10, "a frame of {} bytes", text.len());
        let frame: serde_json::Value = serde_json::from_str(text).unwrap();
        let kind = frame["type"].as_str().unwrap();
        assert!(!self.paused || kind == "backpressure", "a paused viewer is sent nothing: {kind}");
        assert_eq!(kind == "hello", !self.greeted, "hello comes first and once: {text}");
        match kind {
            "hello" => {
                self.greeted = true;
                assert_eq!(frame["reset"], false, "the log of the simulation never loses its epoch");
                self.epoch = Epoch::parse(frame["epoch"].as_str().unwrap());
            }
            "state" => {
                assert!(self.wants(frame["agent"]["agent_id"].as_str().unwrap()));
                self.states += 1;
            }
            "gap" => {
                let (from, to) = (frame["from"].as_u64().unwrap(), frame["to"].as_u64().unwrap());
                assert!(from <= to, "an empty gap: {text}");
                let elided = frame["reason"] == "elided";
                assert!(
                    !elided || (self.caught_up && !self.acknowledges),
                    "only who is live and silent is elided: {text}"
                );
                let agent_id = frame["agent_id"].as_str().unwrap().to_owned();
                // What comes back after a cut comes from the last event, and so may bring what was left out before.
                let sent = self.received.range(from..=to).filter(|(id, _)| **id <= self.last_of_stream);
                let mine = format!(r#""agent_id":"{agent_id}""#);
                assert!(
                    !elided || !sent.into_iter().any(|(_, event)| event.contains(&mine)),
                    "sent and elided: {text}"
                );
                self.gaps.push(SimGap { agent_id, from, to, count: frame["count"].as_u64(), elided });
            }
            "backpressure" => {
                assert!(self.acknowledges, "who acknowledges nothing is not paused");
                self.paused = frame["level"] == "paused";
                if self.paused {
                    self.caught_up = false;
                }
            }
            "caught_up" => {
                assert!(!self.caught_up, "caught up twice");
                self.caught_up = true;
                self.cursor = self.cursor.max(frame["id"].as_u64().unwrap());
            }
            "events" => {
                if frame["backfill"] == true {
                    // One that is metered falls behind without a word, and is told when it has caught up again.
                    assert!(!self.caught_up || !self.acknowledges, "history comes before caught_up");
                    self.caught_up = false;
                } else {
                    assert!(self.caught_up, "live events come after caught_up");
                }
                self.read_events(text, &frame);
            }
            other => panic!("an unexpected frame: {other}"),
        }
    }

    fn read_events(&mut self, text: &str, frame: &serde_json::Value) {
        let texts: Texts<'_> = serde_json::from_str(text).unwrap();
        for (event, raw) in frame["events"].as_array().unwrap().iter().zip(texts.events) {
            let id = event["id"].as_u64().unwrap();
            assert!(id > self.last_of_stream, "{id} after {}", self.last_of_stream);
            self.last_of_stream = id;
            self.cursor = self.cursor.max(id);
            assert!(self.wants(event["agent_id"].as_str().unwrap()), "not for this viewer: {raw}");
            let before = self.received.insert(id, raw.get().to_owned());
            assert_eq!(before, None, "{id} came twice");
        }
    }
}

#[derive(serde::Deserialize)]
struct Texts<'a> {
    #[serde(borrow)]
    events: Vec<&'a serde_json::value::RawValue>,
}
