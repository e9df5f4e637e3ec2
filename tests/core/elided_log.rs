//! What a viewer has and what it is told to miss are together the log.

use crate::elision::{KINDS, closed, event};
use crate::story::{Story, agent, texts};
use proptest::prelude::*;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use townwatch_protocol::limits::FRAME_BYTES_MAX;
use townwatch_protocol::wire::{Gap, GapReason, ServerFrame, TownEvent};
use townwatch_town::reading::cursor::BeginRequest;
use townwatch_town::town::TownConfig;
use townwatch_town::viewers::frames::Pace;
use townwatch_town::viewers::{Effect, ViewerId};

/// What a viewer makes of its frames.
#[derive(Default)]
struct Account {
    received: BTreeMap<u64, String>,
    /// Agent, first, last, count.
    gaps: Vec<(String, u64, u64, u64)>,
    last: u64,
}

impl Account {
    fn read(&mut self, effects: &[Effect], viewer: ViewerId) {
        for text in texts(effects, viewer) {
            assert!(text.len() <= FRAME_BYTES_MAX, "{} bytes", text.len());
            let frame: ServerFrame = ServerFrame::read(&text).unwrap().unwrap();
            match frame {
                ServerFrame::Events { events, .. } => {
                    for event in events {
                        let event: TownEvent = serde_json::from_str(event.get()).unwrap();
                        let id = event.id.get();
                        assert!(id > self.last, "{id} after {}", self.last);
                        self.last = id;
                        self.received.insert(id, event.event.as_str().to_owned());
                    }
                }
                ServerFrame::Gap(Gap { agent_id, from, to, count, reason }) => {
                    assert_eq!(reason, GapReason::Elided);
                    self.gaps.push((agent_id.to_string(), from.get(), to.get(), count.unwrap()));
                }
                _ => {}
            }
        }
    }

    /// What it has and what it was told to miss is the log, up to the last that it knows of.
    fn check(&self, log: &[(u64, String, String, String)], end: u64) {
        let mut told = BTreeSet::new();
        for (agent_id, from, to, count) in &self.gaps {
            let inside: Vec<_> =
                log.iter().filter(|(id, of, ..)| of == agent_id && (from..=to).contains(&id)).collect();
            assert_eq!(inside.len() as u64, *count, "{agent_id} {from}-{to}");
            assert_eq!((inside[0].0, inside[inside.len() - 1].0), (*from, *to), "no wider than what is missing");
            for (id, _, _, name) in inside {
                assert!(KINDS[..4].iter().any(|(kind, _)| kind == name), "{name} is never left out");
                assert!(!self.received.contains_key(id), "{id} was sent and is told to be missing");
                assert!(told.insert(*id), "{id} is in two gaps");
            }
        }
        let known: BTreeSet<u64> = self.received.keys().copied().chain(told).collect();
        assert_eq!(known, log.iter().map(|(id, ..)| *id).filter(|id| *id <= end).collect());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn what_a_metered_viewer_has_and_what_it_is_told_to_miss_is_exactly_the_log(
        bucket_events in 20_u64..150,
        window_events in 1_u64..20,
        frame_interval_ms in prop::sample::select(vec![0_i64, 20]),
        history in 0_usize..60,
        batches in prop::collection::vec(
            (0_i64..600, prop::collection::vec((0_usize..3, 0_usize..9, prop::sample::select(vec![1_usize, 1, 1, 9_000, 70_000])), 1..40)),
            1..30,
        ),
    ) {
        let pace = Pace { frame_interval_ms, window_events, bucket_events };
        let mut story = Story::with(TownConfig { pace, ..TownConfig::default() });
        let agents = ["a", "b", "c"];
        for name in agents {
            story.register(name);
        }
        story.post(&vec![event("a", "agent_output"); history]);
        let (id, joined) = story.join("", BeginRequest::default());
        let mut account = Account::default();
        account.read(&joined, id);
        let mut is_closed = false;
        for (gap_ms, batch) in batches {
            story.pass(gap_ms);
            let names = ["note", "agent_error"];
            let batch: Vec<_> = batch
                .into_iter()
                .map(|(of, kind, size)| {
                    let name = KINDS.get(kind).map_or_else(|| names[kind % 2], |(name, _)| name);
                    let (of, run, name, mut data) = event(agents[of], if kind > 6 { "agent_output" } else { name });
                    data["padding"] = json!("x".repeat(size));
                    (of, run, name, data)
                })
                .collect();
            let effects = story.shows(&batch);
            account.read(&effects, id);
            is_closed = !closed(&effects).is_empty();
            if is_closed {
                prop_assert_eq!(closed(&effects), [(id, 1013)]);
                break;
            }
        }
        let log = story.log();
        // Once the bucket is full again everything has come that was still to come.
        while !is_closed && story.due_soon().is_some() {
            story.pass(500);
            let effects = story.tick();
            account.read(&effects, id);
            is_closed = !closed(&effects).is_empty();
        }
        let end = if is_closed {
            account.gaps.iter().map(|(_, _, to, _)| *to).chain([account.last]).max().unwrap()
        } else {
            log.last().unwrap().0
        };
        account.check(&log, end);
        prop_assert!(agents.iter().all(|name| story.town.agent(&agent(name)).unwrap().is_some()));
    }
}
