//! What the stories share: the server under test, synthetic streams, clients, and the loop that
//! drives many of them on one thread. No story stands here.

pub mod checker;
pub mod edges;
pub mod link;
pub mod player;
pub mod publisher;
pub mod server;
pub mod source;
pub mod world;

pub use player::Pace;
pub use server::Server;
pub use source::{Codec, Shape, Source};
pub use world::World;

use std::time::Duration;

/// Whole seconds; a limit, never a measurement.
pub const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// Milliseconds; a limit, never a measurement.
pub const fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// A small generator (xorshift); which numbers it gives does not matter, only that a seed repeats
/// them.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}
