//! The server's heart on virtual time: registry, publishers, logs, views, fan-out, skips, eviction,
//! takeover, backups, slates and holds, with a few shards in one thread, random encoders and random players. Whatever
//! a player receives is judged against what was published. No socket, no clock, no thread.
//!
//! A failing seed is printed with the command that repeats it. `SIM_SEEDS=50000` runs longer,
//! `SIM_SEED=17` runs one. `tests/sim.sh` shows that planted bugs are found.

#[path = "sim/encoder.rs"]
mod encoder;
#[path = "sim/handover.rs"]
mod handover;
#[path = "sim/judge.rs"]
mod judge;
#[path = "sim/line.rs"]
mod line;
#[path = "sim/player.rs"]
mod player;
#[path = "sim/promise.rs"]
mod promise;
#[path = "sim/random.rs"]
mod random;
#[path = "sim/shard.rs"]
mod shard;
#[path = "sim/truth.rs"]
mod truth;
#[path = "sim/world.rs"]
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Seeds that are run when nobody says how many.
const SEEDS: u64 = 2000;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn every_player_gets_what_is_due_to_it_under_any_seed() {
    let seeds = match number("SIM_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("SIM_SEEDS").unwrap_or(SEEDS),
    };
    for seed in seeds {
        let story = catch_unwind(AssertUnwindSafe(|| world::World::new(seed).run()));
        assert!(story.is_ok(), "to repeat: SIM_SEED={seed} cargo test --test sim");
    }
}
