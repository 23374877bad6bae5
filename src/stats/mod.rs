//! Counters: what the shards tell the control thread about themselves.
//!
//! One rule: **shards write, control reads, nobody waits.** Every number is a relaxed atomic of
//! its own, so a snapshot is exact number by number but not across numbers: a scrape may see a
//! frame's bytes and not yet the frame. Text about a stream changes only when its publisher or
//! its headers change and sits behind a mutex that no media path takes.
//!
//! - [`ShardStats`]: one per shard, written by that shard alone.
//! - [`StreamStats`]: one per stream; the publisher's half is written by the owning shard, the
//!   viewers' half by every shard that has viewers.
//! - [`Directory`]: where control finds them all.
//! - [`snapshot`]: plain data for JSON and metrics.
//!
//! What to do about a number (pacing, skipping, alarms) is decided elsewhere.

mod atomics;
mod directory;
mod pull;
mod rate;
mod refusal;
mod shard;
pub mod snapshot;
mod stream;

pub use atomics::{Counter, Gauge, SharedCounter, SharedGauge};
pub use directory::Directory;
pub use pull::{PullInfo, PullSnapshot, PullState, PullStats};
pub use rate::Rate;
pub use refusal::{REFUSALS, Refusal};
pub use shard::ShardStats;
pub use stream::{
    AudioInfo, PublisherStats, State, StreamInfo, StreamStats, VideoInfo, ViewerStats,
};
