//! What a publisher sends: generated or read from a file, frame by frame and by number.
//!
//! A source is immutable and shared by all publishers; which frame is the next one, and when it is
//! sent, is `swarm`'s business. Frames of each track are numbered from 0 in the order in which they
//! are decoded, and there is no last one.

use crate::media::Track;
use crate::media::clip::Clip;
use crate::media::shape::Shape;
use bytes::Bytes;
use millstream_rtmp::message::MessageType;

/// Where frames come from.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "a run has one, or a few")]
pub enum Source {
    /// A generated stream.
    Generated(Shape),
    /// A recording, over and over.
    File(Clip),
}

impl Source {
    /// What is sent before the first frame, in this order: `onMetaData`, and the sequence headers.
    pub fn opening(&self) -> &[(MessageType, Bytes)] {
        match self {
            Self::Generated(shape) => shape.opening(),
            Self::File(clip) => clip.opening(),
        }
    }

    /// Whether there is such a track.
    pub fn has(&self, track: Track) -> bool {
        match self {
            Self::Generated(_) => true,
            Self::File(clip) => clip.has(track),
        }
    }

    /// When a frame is decoded, and so is to be sent, from the start of the stream. Never for a
    /// track that the source does not have.
    pub fn due_ns(&self, track: Track, sequence: u32) -> u64 {
        match self {
            Self::Generated(shape) => shape.due_ns(track, sequence),
            Self::File(clip) => clip.due_ns(track, sequence),
        }
    }

    /// A frame as a message payload, marked as the frame of this number of a stream; empty for a
    /// track that the source does not have.
    pub fn frame(
        &self,
        track: Track,
        stream: u32,
        epoch: u32,
        sequence: u32,
        scheduled_ns: u64,
    ) -> Bytes {
        match self {
            Self::Generated(shape) => shape.frame(track, stream, epoch, sequence, scheduled_ns),
            Self::File(clip) => clip.frame(track, stream, epoch, sequence, scheduled_ns),
        }
    }

    /// Payload bytes of all frames of a track before this one.
    pub fn payload_before(&self, track: Track, sequence: u32) -> u64 {
        match self {
            Self::Generated(shape) => shape.payload_before(track, sequence),
            Self::File(clip) => clip.payload_before(track, sequence),
        }
    }

    /// Bytes of one second of both tracks, payload only.
    pub fn bytes_per_second(&self) -> u64 {
        match self {
            Self::Generated(shape) => shape.bytes_per_second(),
            Self::File(clip) => clip.bytes_per_second(),
        }
    }

    /// The stream in one line, for the report: codecs, size, rates, key frames.
    pub fn describe(&self) -> String {
        match self {
            Self::Generated(shape) => shape.describe(),
            Self::File(clip) => clip.describe().to_owned(),
        }
    }
}
