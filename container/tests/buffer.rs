//! The buffer against a model that keeps everything, through any order of events, acknowledgements and expiries.
#![allow(missing_docs, clippy::unwrap_used)] // test helpers

use proptest::prelude::*;
use townwatch_control::buffer::{Bounds, Buffer, BufferedText, KEPT_PER_AGENT};
use townwatch_protocol::id::AgentId;

#[derive(Debug, Clone)]
enum Step {
    Push { agent: usize, count: usize, bytes: usize },
    Acknowledge { back: u64 },
    Expire { agent: usize, back: u64 },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..3_usize, 1..400_usize, 1..300_usize).prop_map(|(agent, count, bytes)| Step::Push { agent, count, bytes }),
        2 => (0..800_u64).prop_map(|back| Step::Acknowledge { back }),
        1 => (0..3_usize, 0..800_u64).prop_map(|(agent, back)| Step::Expire { agent, back }),
    ]
}

fn ids(texts: &[BufferedText]) -> Vec<u64> {
    let id = |text: &BufferedText| match text {
        BufferedText::Memory(text) => text.trim_end_matches('x').parse().unwrap(),
        BufferedText::Disk(place) => place.read().unwrap().trim_end_matches('x').parse().unwrap(),
    };
    texts.iter().map(id).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn nothing_that_is_wanted_goes_and_nothing_else_stays(steps in prop::collection::vec(step(), 1..40)) {
        let bounds = Bounds { memory_bytes: 5_000, disk_bytes: 1 << 30, events: 1 << 20 };
        let mut buffer = Buffer::new(bounds, std::env::temp_dir());
        let agents = ["one", "two", "three"].map(|name| AgentId::parse(name).unwrap());
        let mut all: [Vec<u64>; 3] = Default::default();
        let mut expired = [0; 3];
        let mut acknowledged = 0;
        for step in steps {
            match step {
                Step::Push { agent, count, bytes } => {
                    for _ in 0..count {
                        all[agent].push(buffer.push(&agents[agent], |id| format!("{id:x<bytes$}")));
                    }
                }
                Step::Acknowledge { back } => {
                    let id = buffer.head().saturating_sub(back);
                    acknowledged = id.max(acknowledged);
                    buffer.acknowledge(id);
                }
                Step::Expire { agent, back } => {
                    let through = buffer.head().saturating_sub(back);
                    expired[agent] = through.max(expired[agent]);
                    buffer.expire(&agents[agent], through);
                }
            }
            let mut wanted = Vec::new();
            for agent in 0..3 {
                let of_agent = &all[agent];
                let recent = of_agent.len().saturating_sub(KEPT_PER_AGENT);
                let stays = |(index, id): (usize, &u64)| {
                    (*id > acknowledged || (index >= recent && *id > expired[agent])).then_some(*id)
                };
                let stay: Vec<u64> = of_agent.iter().enumerate().filter_map(stays).collect();
                prop_assert_eq!(&ids(&buffer.after(Some(&agents[agent]), 0, usize::MAX, usize::MAX)), &stay);
                wanted.extend(stay);
            }
            wanted.sort_unstable();
            prop_assert_eq!(buffer.oldest(), wanted.first().copied().unwrap_or(buffer.head() + 1));
            prop_assert_eq!(ids(&buffer.after(None, 0, usize::MAX, usize::MAX)), wanted);
        }
    }
}
