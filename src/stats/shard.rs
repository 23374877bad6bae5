//! The counters of one shard. Written by that shard alone; see [`super`] for the rule.

use super::atomics::{Counter, Gauge};
use super::refusal::{self, Refusal};

/// What one shard counts. Its alignment keeps it off its neighbours' cache lines (two lines of
/// 64 bytes, as the prefetcher of common processors fetches lines in pairs).
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct ShardStats {
    /// The core that it is pinned to.
    pub core: usize,
    /// Connections accepted.
    pub accepted: Counter,
    /// Connections open now.
    pub connections: Gauge,
    /// Of these, publishing.
    pub publishers: Gauge,
    /// Of these, playing.
    pub players: Gauge,
    /// Of these, waiting to play a stream that nobody publishes.
    pub waiting: Gauge,
    /// Streams that it owns.
    pub streams: Gauge,
    /// Reads that brought something.
    pub reads: Counter,
    /// Bytes received.
    pub bytes_in: Counter,
    /// Bytes sent.
    pub bytes_out: Counter,
    /// Send calls: what costs.
    pub sends: Counter,
    /// Send calls that took less than they were given.
    pub short_sends: Counter,
    /// Frames that publishers sent.
    pub frames_in: Counter,
    /// Frames not delivered to viewers that skipped, summed over viewers.
    pub dropped_frames: Counter,
    /// Bytes not delivered to viewers that skipped, summed over viewers.
    pub dropped_bytes: Counter,
    /// Skips to a newer key frame.
    pub skips: Counter,
    /// Viewers hung up because of their lag.
    pub hang_ups: Counter,
    /// Players parked until their sockets are writable.
    pub parked: Gauge,
    /// Fan-out passes.
    pub passes: Counter,
    /// Wakes sent to other shards.
    pub wakes: Counter,
    /// Inbox messages that found the inbox full.
    pub inbox_full: Counter,
    /// Tasks that panicked and were contained.
    pub panics: Counter,
    /// Share of the last second spent busy, in thousandths.
    pub busy_permille: Gauge,
    /// The pacing window now, in milliseconds. Zero means that each frame goes at once.
    pub pacing_window_ms: Gauge,
    /// Latest delay of a timer behind its time, in microseconds.
    pub loop_lag_us: Gauge,
    refused: [Counter; refusal::COUNT],
}

impl ShardStats {
    /// Zeroes for the shard on this core.
    pub fn new(core: usize) -> Self {
        ShardStats { core, ..Default::default() }
    }

    /// Counts one refusal. Only the owning shard may call this.
    pub fn refuse(&self, reason: Refusal) {
        self.refused[reason as usize].add(1);
    }

    /// How often this reason was counted.
    pub fn refused(&self, reason: Refusal) -> u64 {
        self.refused[reason as usize].get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::REFUSALS;

    #[test]
    fn every_reason_has_its_own_counter_and_label() {
        let shard = ShardStats::new(3);
        for (index, &reason) in REFUSALS.iter().enumerate() {
            assert_eq!(reason as usize, index);
            shard.refuse(reason);
            assert_eq!(shard.refused(reason), 1);
        }
        let labels: std::collections::HashSet<_> = REFUSALS.iter().map(|r| r.label()).collect();
        assert_eq!(labels.len(), REFUSALS.len());
    }
}
