//! The counters at one moment, as plain data: the shape of `/api/v1/*` and the source of the
//! metrics and the page. Field names are public interface: they may be added to, not changed.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use super::{Directory, PullSnapshot, REFUSALS, ShardStats, StreamInfo, StreamStats};
use crate::name::StreamName;

/// One shard.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ShardSnapshot {
    /// Its index.
    pub shard: usize,
    /// Its core.
    pub core: usize,
    /// Connections accepted so far.
    pub accepted: u64,
    /// Connections open.
    pub connections: u64,
    /// Of these, publishing.
    pub publishers: u64,
    /// Of these, playing.
    pub players: u64,
    /// Of these, waiting for a stream.
    pub waiting: u64,
    /// Players whose sockets are full.
    pub parked: u64,
    /// Streams owned.
    pub streams: u64,
    /// Reads that brought something.
    pub reads: u64,
    /// Bytes received.
    pub bytes_in: u64,
    /// Bytes sent.
    pub bytes_out: u64,
    /// Send calls.
    pub sends: u64,
    /// Send calls cut short.
    pub short_sends: u64,
    /// Frames received.
    pub frames_in: u64,
    /// Frames skipped, summed over viewers.
    pub dropped_frames: u64,
    /// Bytes skipped, summed over viewers.
    pub dropped_bytes: u64,
    /// Skips.
    pub skips: u64,
    /// Viewers hung up.
    pub hang_ups: u64,
    /// Fan-out passes.
    pub passes: u64,
    /// Wakes sent.
    pub wakes: u64,
    /// Messages that found the inbox full.
    pub inbox_full: u64,
    /// Panics contained.
    pub panics: u64,
    /// Busy share of the last second, in thousandths.
    pub busy_permille: u64,
    /// Pacing window in milliseconds.
    pub pacing_window_ms: u64,
    /// Delay of timers in microseconds.
    pub loop_lag_us: u64,
    /// Refusals by reason; reasons never seen are left out.
    pub refused: BTreeMap<&'static str, u64>,
}

impl ShardSnapshot {
    fn take(index: usize, stats: &ShardStats) -> Self {
        let refused = REFUSALS.iter().map(|&reason| (reason.label(), stats.refused(reason)));
        ShardSnapshot {
            shard: index,
            core: stats.core,
            accepted: stats.accepted.get(),
            connections: stats.connections.get(),
            publishers: stats.publishers.get(),
            players: stats.players.get(),
            waiting: stats.waiting.get(),
            parked: stats.parked.get(),
            streams: stats.streams.get(),
            reads: stats.reads.get(),
            bytes_in: stats.bytes_in.get(),
            bytes_out: stats.bytes_out.get(),
            sends: stats.sends.get(),
            short_sends: stats.short_sends.get(),
            frames_in: stats.frames_in.get(),
            dropped_frames: stats.dropped_frames.get(),
            dropped_bytes: stats.dropped_bytes.get(),
            skips: stats.skips.get(),
            hang_ups: stats.hang_ups.get(),
            passes: stats.passes.get(),
            wakes: stats.wakes.get(),
            inbox_full: stats.inbox_full.get(),
            panics: stats.panics.get(),
            busy_permille: stats.busy_permille.get(),
            pacing_window_ms: stats.pacing_window_ms.get(),
            loop_lag_us: stats.loop_lag_us.get(),
            refused: refused.filter(|&(_, count)| count > 0).collect(),
        }
    }
}

/// One stream.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StreamSnapshot {
    /// `app/name`.
    pub name: StreamName,
    /// State, publisher, codecs.
    #[serde(flatten)]
    pub info: StreamInfo,
    /// How many publishers there have been.
    pub generation: u64,
    /// Publishers that wait for it: backups, and primaries while somebody stands in for them.
    pub waiting_publishers: u64,
    /// Viewers.
    pub viewers: u64,
    /// Viewers that ever joined.
    pub viewers_joined: u64,
    /// Incoming bits per second.
    pub bitrate: u64,
    /// Bytes of media received.
    pub bytes_in: u64,
    /// Bytes sent to viewers.
    pub bytes_out: u64,
    /// Frames received.
    pub frames_in: u64,
    /// Video key frames received.
    pub keyframes_in: u64,
    /// Timestamp jumps repaired.
    pub timeline_repairs: u64,
    /// Bytes in the log.
    pub log_bytes: u64,
    /// Frames skipped, summed over viewers.
    pub dropped_frames: u64,
    /// Bytes skipped, summed over viewers.
    pub dropped_bytes: u64,
    /// Skips.
    pub skips: u64,
    /// Viewers hung up.
    pub hang_ups: u64,
}

impl StreamSnapshot {
    fn take(stats: &Arc<StreamStats>) -> Self {
        let (publisher, viewers) = (&stats.publisher, &stats.viewers);
        StreamSnapshot {
            name: stats.name().clone(),
            info: stats.info(),
            generation: publisher.generation.get(),
            waiting_publishers: stats.waiting.get(),
            viewers: viewers.count.get(),
            viewers_joined: viewers.joined.get(),
            bitrate: publisher.bitrate.get(),
            bytes_in: publisher.bytes_in.get(),
            bytes_out: viewers.bytes_out.get(),
            frames_in: publisher.frames_in.get(),
            keyframes_in: publisher.keyframes_in.get(),
            timeline_repairs: publisher.timeline_repairs.get(),
            log_bytes: publisher.log_bytes.get(),
            dropped_frames: viewers.dropped_frames.get(),
            dropped_bytes: viewers.dropped_bytes.get(),
            skips: viewers.skips.get(),
            hang_ups: viewers.hang_ups.get(),
        }
    }
}

impl Directory {
    /// All shards, by index.
    pub fn shard_snapshots(&self) -> Vec<ShardSnapshot> {
        let shards = self.shards().iter().enumerate();
        shards.map(|(index, stats)| ShardSnapshot::take(index, stats)).collect()
    }

    /// All streams, by name.
    pub fn stream_snapshots(&self) -> Vec<StreamSnapshot> {
        self.streams().iter().map(StreamSnapshot::take).collect()
    }

    /// All pulls, by stream.
    pub fn pull_snapshots(&self) -> Vec<PullSnapshot> {
        self.pulls().iter().map(|pull| pull.snapshot()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::{Refusal, State};

    #[test]
    fn what_was_counted_is_in_the_snapshot() {
        let directory = Directory::new(&[4]);
        directory.shards()[0].bytes_out.add(7);
        directory.shards()[0].refuse(Refusal::Key);
        let stream = directory.register(&StreamName::parse("live/cam1").unwrap());
        stream.viewers.count.increment();
        stream.publisher.frames_in.add(25);
        stream.update(|info| info.state = State::Live);

        let shards = serde_json::to_value(directory.shard_snapshots()).unwrap();
        assert_eq!((&shards[0]["core"], &shards[0]["bytes_out"]), (&4.into(), &7.into()));
        assert_eq!(shards[0]["refused"], serde_json::json!({ "key": 1 }));
        let streams = serde_json::to_value(directory.stream_snapshots()).unwrap();
        assert_eq!(streams[0]["name"], "live/cam1");
        assert_eq!(streams[0]["state"], "live");
        assert_eq!((&streams[0]["viewers"], &streams[0]["frames_in"]), (&1.into(), &25.into()));
    }
}
