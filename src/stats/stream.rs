//! The counters of one stream. The publisher's half is written by the owning shard alone, the
//! viewers' half by every shard with viewers, and the text by the owner when it changes.

use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use super::atomics::{Counter, Gauge, SharedCounter, SharedGauge};
use crate::name::StreamName;
use crate::role::Role;

/// What is known and counted about one stream.
///
/// The halves are on cache lines of their own, so that the viewers' shards do not slow the
/// owner's appending.
#[derive(Debug)]
pub struct StreamStats {
    name: StreamName,
    /// Written by the owning shard alone.
    pub publisher: PublisherStats,
    /// Written by every shard with viewers.
    pub viewers: ViewerStats,
    /// Publishers that wait for it; written under the registry's lock.
    pub waiting: Gauge,
    info: Mutex<StreamInfo>,
}

/// The publisher's half; one writer, the shard that owns the stream. When a stream moves to
/// another shard, the old owner writes its last number before it hands over.
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct PublisherStats {
    /// Bytes of media received.
    pub bytes_in: Counter,
    /// Audio and video frames received.
    pub frames_in: Counter,
    /// Of these, video key frames.
    pub keyframes_in: Counter,
    /// Jumps of the source's timestamps that were repaired.
    pub timeline_repairs: Counter,
    /// Estimate of the incoming rate, in bits per second; see [`super::Rate`].
    pub bitrate: Gauge,
    /// The log's generation: how many publishers there have been.
    pub generation: Gauge,
    /// Bytes that the log holds now.
    pub log_bytes: Gauge,
}

/// The viewers' half; any shard writes.
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct ViewerStats {
    /// Viewers now.
    pub count: SharedGauge,
    /// Viewers that ever joined.
    pub joined: SharedCounter,
    /// Bytes sent to them.
    pub bytes_out: SharedCounter,
    /// Frames not delivered to those that skipped, summed over viewers.
    pub dropped_frames: SharedCounter,
    /// Bytes not delivered to those that skipped, summed over viewers.
    pub dropped_bytes: SharedCounter,
    /// Skips to a newer key frame.
    pub skips: SharedCounter,
    /// Viewers hung up because of their lag.
    pub hang_ups: SharedCounter,
}

/// Whether a stream has a publisher.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Viewers wait; nobody publishes.
    #[default]
    Idle,
    /// Media arrives.
    Live,
    /// The publisher is lost and viewers are kept for its return.
    Held,
}

impl State {
    /// The word for it.
    pub fn label(self) -> &'static str {
        match self {
            State::Idle => "idle",
            State::Live => "live",
            State::Held => "held",
        }
    }
}

/// What is known about a stream besides numbers.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct StreamInfo {
    /// Whether it has a publisher.
    pub state: State,
    /// As what its publisher publishes, while it has one.
    pub source: Option<Role>,
    /// Index of the shard that owns it.
    pub shard: Option<usize>,
    /// Where the publisher connects from.
    pub publisher: Option<SocketAddr>,
    /// The publisher's program, as it names itself. Untrusted text.
    pub encoder: Option<String>,
    /// When the present state began, in milliseconds of Unix time.
    pub since_unix_ms: u64,
    /// The video, once its configuration is known.
    pub video: Option<VideoInfo>,
    /// The audio, once its configuration is known.
    pub audio: Option<AudioInfo>,
}

/// The video of a stream.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct VideoInfo {
    /// The codec, as in RFC 6381 if known (`avc1.64001f`), else its FourCC.
    pub codec: String,
    /// Width in pixels; 0 if unknown.
    pub width: u32,
    /// Height in pixels; 0 if unknown.
    pub height: u32,
}

/// The audio of a stream.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct AudioInfo {
    /// The codec, as in RFC 6381 if known (`mp4a.40.2`), else its FourCC.
    pub codec: String,
    /// Samples per second; 0 if unknown.
    pub sample_rate_hz: u32,
    /// Channels; 0 if unknown.
    pub channels: u32,
}

impl StreamStats {
    /// Zeroes for a stream of this name.
    pub fn new(name: StreamName) -> Self {
        StreamStats {
            name,
            publisher: PublisherStats::default(),
            viewers: ViewerStats::default(),
            waiting: Gauge::default(),
            info: Mutex::default(),
        }
    }

    /// The stream's name.
    pub fn name(&self) -> &StreamName {
        &self.name
    }

    /// Changes what is known. Not for the media path: call it when the publisher, the state or
    /// the headers change.
    pub fn update(&self, change: impl FnOnce(&mut StreamInfo)) {
        change(&mut self.lock());
    }

    /// What is known now.
    pub fn info(&self) -> StreamInfo {
        self.lock().clone()
    }

    /// A panic while the text was changed leaves valid text, if perhaps half of the change.
    fn lock(&self) -> MutexGuard<'_, StreamInfo> {
        self.info.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
