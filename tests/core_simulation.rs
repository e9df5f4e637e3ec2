//! The whole of a town in one process: its core on a real SQLite, a container, a rig, and viewers, driven by a seeded
//! scheduler that drops, repeats, delays, reorders, restarts, evicts and cuts. After every step an oracle that shares no
//! code with the core holds what viewers have against what happened.
//!
//! `TOWNWATCH_SEEDS=100000 cargo test --release --test core_simulation` is a long night; `TOWNWATCH_SEED=17` is one seed.

#![allow(unreachable_pub)] // a test binary has no outside
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)] // a test says what it expects by failing

mod simulation {
    pub mod container;
    pub mod faults;
    pub mod oracle;
    pub mod sources;
    pub mod viewer;
    pub mod watchers;
    pub mod world;
}
mod sqlite;

use simulation::faults::Fault;
use simulation::world::World;

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{variable} is not a number")))
}

#[test]
fn viewers_see_all_that_happened_once_and_in_order_whatever_breaks() {
    let seeds = match number("TOWNWATCH_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("TOWNWATCH_SEEDS").unwrap_or(2_000),
    };
    let single = seeds.end - seeds.start == 1;
    let mut fired = std::collections::BTreeMap::new();
    for seed in seeds {
        let run = std::panic::catch_unwind(|| World::new(seed).run());
        let Ok(faults) = run else {
            panic!("seed {seed} failed; TOWNWATCH_SEED={seed} cargo test --test core_simulation shows it alone");
        };
        for (fault, count) in faults {
            *fired.entry(fault).or_insert(0_u64) += count;
        }
    }
    println!("faults fired: {fired:?}");
    for fault in Fault::ALL {
        assert!(single || fired.contains_key(fault), "no seed fired {fault:?}: the simulation has lost a fault");
    }
}
