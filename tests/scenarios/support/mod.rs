//! What the stories share: the server under test, synthetic streams, clients, and the loop that
//! drives many of them on one thread. No story stands here.

pub mod checker;
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
