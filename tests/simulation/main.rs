//! The whole of a town in one process: its core on a real SQLite, a container, a rig, and viewers, driven by a seeded
//! scheduler that drops, repeats, delays, reorders, restarts, evicts and cuts. After every step an oracle that shares no
//! code with the core holds what viewers have against what happened.
//!
//! `TOWNWATCH_SEEDS=100000 cargo test --release --test simulation` is a long night; `TOWNWATCH_SEED=17` is one seed.

#![allow(unreachable_pub)] // a test binary has no outside
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)] // a test says what it expects by failing

mod budgets;
mod carriers;
mod container;
mod deletion;
mod edge;
mod faults;
mod frames;
mod open_work;
mod oracle;
mod pager;
mod posted_runs;
mod relaying;
mod runs;
#[allow(dead_code)] // the other tests use more of it
#[path = "../core/sqlite.rs"]
mod sqlite;
mod viewer;
mod watchers;
mod world;

use crate::faults::Fault;
use crate::world::World;

/// Seeds that have failed, run before all others: a line each, with why.
const KEPT_SEEDS: &str = include_str!("kept_seeds.txt");

/// So many stories that each kind of fault is in one of them.
const ENOUGH_SEEDS: usize = 1_000;

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{variable} is not a number")))
}

fn kept_seeds() -> impl Iterator<Item = u64> {
    let seeds = KEPT_SEEDS.lines().filter_map(|line| line.split('#').next()).map(str::trim);
    seeds
        .filter(|seed| !seed.is_empty())
        .map(|seed| seed.parse().expect("kept_seeds.txt: a seed a line, then # and why"))
}

#[test]
fn viewers_see_all_that_happened_once_and_in_order_whatever_breaks() {
    let seeds: Vec<u64> = match number("TOWNWATCH_SEED") {
        Some(seed) => vec![seed],
        None => kept_seeds().chain(0..number("TOWNWATCH_SEEDS").unwrap_or(2_000)).collect(),
    };
    let all_have_to_fire = seeds.len() >= ENOUGH_SEEDS;
    let mut fired = std::collections::BTreeMap::new();
    for (stories, seed) in seeds.into_iter().enumerate() {
        let run = std::panic::catch_unwind(|| World::new(seed).run());
        let Ok(faults) = run else {
            panic!(
                "seed {seed} failed, after {stories} others; it alone:\n  \
                 TOWNWATCH_SEED={seed} cargo test --test simulation\n\
                 once it is understood, keep it: a line `{seed} # why` in tests/kept_seeds.txt"
            );
        };
        for (fault, count) in faults {
            *fired.entry(fault).or_insert(0_u64) += count;
        }
    }
    println!("faults fired: {fired:?}");
    for fault in Fault::ALL {
        let is_there = fired.contains_key(fault);
        assert!(is_there || !all_have_to_fire, "no seed fired {fault:?}: the simulation has lost a fault");
    }
}
