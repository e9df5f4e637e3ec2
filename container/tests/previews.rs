//! Previews against receivers that follow the contract: one that gets every answer, and one that loses some.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)] // test helpers

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;
use tokio::time::Instant;
use townwatch_agents::normalise::Piece;
use townwatch_control::previews::{ANSWER_BYTES_MAX, MERGED, REPEATED_BYTES_PER_MS, TEXT_BYTES_MAX, TownPreviews};
use townwatch_protocol::event::{AgentOutput, AgentStatusChanged, OutputStream, Status};
use townwatch_protocol::id::{AgentId, RunId};
use townwatch_protocol::limits::{PREVIEWED_BYTES_MAX, PREVIEWS_MAX};
use townwatch_protocol::wire::Preview;

type Name = (String, String);

/// What a viewer does with previews; `None` is a hole.
#[derive(Default)]
struct Receiver(BTreeMap<Name, Option<Vec<u16>>>);

impl Receiver {
    fn take(&mut self, preview: &Preview) {
        let held = self.0.entry((preview.agent_id.to_string(), preview.message_id.clone())).or_default();
        if preview.offset == 0 {
            *held = Some(Vec::new());
        }
        if held.as_ref().is_some_and(|units| units.len() as u64 != preview.offset) {
            *held = None;
        }
        if let Some(units) = held {
            units.extend(preview.text.encode_utf16());
        }
    }

    /// The text's event is there: what was held of it is forgotten.
    fn end(&mut self, is_ended: impl Fn(&Name) -> bool) {
        self.0.retain(|name, _| !is_ended(name));
    }

    fn text(&self, name: &Name) -> Option<String> {
        self.0.get(name)?.as_ref().map(|units| String::from_utf16(units).unwrap())
    }
}

#[derive(Debug, Clone)]
enum Step {
    Begin { agent: usize, message: usize, text: String },
    Type { agent: usize, message: usize, text: String },
    End { agent: usize, message: usize },
    EndAll { agent: usize },
    Pass { millis: u64 },
    Take { lost: bool },
}

fn step() -> impl Strategy<Value = Step> {
    let text = || {
        prop_oneof![
            6 => "[a-zé🚀\u{1}]{0,40}",
            1 => ("[a🚀]{1,7}", 1_000..4_000_usize).prop_map(|(text, times)| text.repeat(times)),
        ]
    };
    prop_oneof![
        2 => (0..2_usize, 0..3_usize, text()).prop_map(|(agent, message, text)| Step::Begin { agent, message, text }),
        6 => (0..2_usize, 0..3_usize, text()).prop_map(|(agent, message, text)| Step::Type { agent, message, text }),
        1 => (0..2_usize, 0..3_usize).prop_map(|(agent, message)| Step::End { agent, message }),
        1 => (0..2_usize).prop_map(|agent| Step::EndAll { agent }),
        4 => (0..120_u64).prop_map(|millis| Step::Pass { millis }),
        4 => any::<bool>().prop_map(|lost| Step::Take { lost }),
    ]
}

struct World {
    previews: TownPreviews,
    now: Instant,
    given_at: Option<Instant>,
    /// What was typed of each text that has no event yet and is not too long.
    typed: BTreeMap<Name, String>,
    /// Texts that were too long, or began anew before their event: nothing more of them is shown.
    spoiled: BTreeSet<Name>,
    every: Receiver,
    lossy: Receiver,
}

impl World {
    fn new() -> Self {
        let (every, lossy) = (Receiver::default(), Receiver::default());
        Self {
            previews: TownPreviews::default(),
            now: Instant::now(),
            given_at: None,
            typed: BTreeMap::new(),
            spoiled: BTreeSet::new(),
            every,
            lossy,
        }
    }

    fn add(&mut self, agent: usize, message: usize, begins: bool, text: &str) {
        let (agent_id, message_id) = (agent_id(agent), message.to_string());
        let name = (agent_id.to_string(), message_id.clone());
        let is_known = self.typed.contains_key(&name) || self.spoiled.contains(&name);
        if begins && !is_known {
            self.typed.insert(name.clone(), String::new());
        }
        let is_anew = begins && is_known;
        let is_too_long = self.typed.get_mut(&name).is_some_and(|typed| {
            typed.push_str(text);
            typed.len() > PREVIEWED_BYTES_MAX
        });
        if is_anew || is_too_long {
            self.typed.remove(&name);
            self.spoiled.insert(name);
        }
        self.previews.add(&agent_id, &run_id(), Piece { message_id, begins, text: text.to_owned() });
    }

    fn end(&mut self, is_ended: impl Fn(&Name) -> bool) {
        self.typed.retain(|name, _| !is_ended(name));
        self.spoiled.retain(|name| !is_ended(name));
        self.every.end(&is_ended);
        self.lossy.end(&is_ended);
    }

    /// One answer; whether there was anything in it.
    fn take(&mut self, lost: bool) -> bool {
        let due = self.previews.due(self.now);
        let previews = self.previews.take(self.now);
        assert_eq!(previews.is_empty(), due.is_none_or(|due| due > self.now));
        if previews.is_empty() {
            return false;
        }
        assert!(self.given_at.is_none_or(|at| self.now >= at + MERGED), "two answers within 50 ms");
        self.given_at = Some(self.now);
        assert!(serde_json::to_string(&previews).unwrap().len() <= ANSWER_BYTES_MAX);
        for preview in &previews {
            let name = (preview.agent_id.to_string(), preview.message_id.clone());
            let typed = self.typed.get(&name).expect("a preview of a text that has ended");
            assert!(!preview.text.is_empty() && preview.text.len() <= TEXT_BYTES_MAX);
            self.every.take(preview);
            let held = self.every.text(&name).expect("a hole though no answer was lost");
            assert!(typed.starts_with(&held), "{held:?} is no beginning of {typed:?}");
            if !lost {
                self.lossy.take(preview);
                assert!(
                    self.lossy.text(&name).is_none_or(|held| typed.starts_with(&held)),
                    "lost text was put together"
                );
            }
        }
        true
    }

    fn drain(&mut self) {
        while self.previews.due(self.now).is_some() {
            self.now += MERGED;
            assert!(self.take(false));
        }
    }
}

fn agent_id(agent: usize) -> AgentId {
    AgentId::parse(["one", "two"][agent]).unwrap()
}

fn run_id() -> RunId {
    RunId::parse("run").unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn receivers_always_hold_a_beginning_and_in_the_end_the_whole(steps in prop::collection::vec(step(), 1..80)) {
        let mut world = World::new();
        for step in steps {
            match step {
                Step::Begin { agent, message, text } => world.add(agent, message, true, &text),
                Step::Type { agent, message, text } => world.add(agent, message, false, &text),
                Step::End { agent, message } => {
                    let (text, stream, message_id) = (String::new(), OutputStream::Assistant, Some(message.to_string()));
                    let event = AgentOutput { text, stream, message_id, parent_tool_use_id: None, partial: false, broken_off: false }.into();
                    world.previews.end(&agent_id(agent), &event);
                    world.end(|name| *name == (agent_id(agent).to_string(), message.to_string()));
                }
                Step::EndAll { agent } => {
                    let event = AgentStatusChanged { status: Status::Waiting }.into();
                    world.previews.end(&agent_id(agent), &event);
                    world.end(|(of, _)| *of == agent_id(agent).to_string());
                }
                Step::Pass { millis } => world.now += Duration::from_millis(millis),
                Step::Take { lost } => _ = world.take(lost),
            }
        }
        world.drain();
        for (name, typed) in world.typed.iter().filter(|(_, typed)| !typed.is_empty()) {
            assert_eq!(world.every.text(name).as_ref(), Some(typed));
        }
        // A hole is healed by what is typed later.
        world.now += Duration::from_millis((PREVIEWED_BYTES_MAX / REPEATED_BYTES_PER_MS) as u64);
        for agent in 0..2 {
            for message in 0..3 {
                world.add(agent, message, false, "🚀");
            }
        }
        world.drain();
        for (name, typed) in &world.typed {
            assert_eq!(world.lossy.text(name).as_ref(), Some(typed));
        }
    }
}

#[test]
fn repeating_the_whole_costs_little() {
    let mut world = World::new();
    world.add(0, 0, true, "");
    let mut given = 0;
    for _ in 0..600 {
        world.add(0, 0, false, &"x".repeat(100));
        world.now += MERGED;
        given += world.previews.take(world.now).iter().map(|preview| preview.text.len()).sum::<usize>();
    }
    let typed = 600 * 100;
    let repeated = 600 * 50 * REPEATED_BYTES_PER_MS;
    assert!(given > typed && given < typed + repeated, "{given}");
}

#[test]
fn many_long_texts_take_turns_and_an_answer_stays_bounded() {
    let (mut previews, mut now, run_id) = (TownPreviews::default(), Instant::now(), run_id());
    let agent_id = AgentId::parse(&"a".repeat(64)).unwrap();
    let name = |number: usize| format!("{number:0>128}");
    for number in 0..PREVIEWS_MAX + 10 {
        let text = "\u{1}".repeat(200 + number * 10);
        previews.add(&agent_id, &run_id, Piece { message_id: name(number), begins: true, text });
    }
    let mut seen = BTreeMap::<String, usize>::new();
    while previews.due(now).is_some() {
        now += MERGED;
        let answer = previews.take(now);
        let bytes = serde_json::to_string(&answer).unwrap().len();
        assert!((1..=ANSWER_BYTES_MAX).contains(&bytes), "{bytes}");
        for preview in answer {
            *seen.entry(preview.message_id).or_default() += preview.text.len();
        }
    }
    let expected = (10..PREVIEWS_MAX + 10).map(|number| (name(number), 200 + number * 10)).collect();
    assert_eq!(seen, expected, "each once, but the ten that were there too long");
}

#[test]
fn a_preview_of_nothing_but_escapes_fits_a_frame() {
    let (mut previews, now, run_id) = (TownPreviews::default(), Instant::now(), run_id());
    let agent_id = AgentId::parse(&"a".repeat(64)).unwrap();
    let text = "\u{1}".repeat(PREVIEWED_BYTES_MAX);
    previews.add(&agent_id, &run_id, Piece { message_id: "m".repeat(128), begins: true, text });
    let answer = previews.take(now);
    assert_eq!(answer.iter().map(|preview| preview.text.len()).sum::<usize>(), PREVIEWED_BYTES_MAX);
    for preview in &answer {
        let bytes = serde_json::to_string(preview).unwrap().len();
        assert!(bytes <= townwatch_protocol::limits::FRAME_BYTES_MAX - 1024, "{bytes}");
    }
}
