//! A recording: the frames of an FLV file, published over and over.
//!
//! The file is read once (`read`), and all that can be prepared of each frame is (`lane`), so that
//! a publisher only copies. Every time the recording begins again, its times go on by its length;
//! that is the same for sound and pictures, so they stay together, and no time goes back.
//! Pictures before the first key frame are left out, and sound with them; composition times of
//! pictures stay in the frames as they are.

mod describe;
mod error;
mod lane;
mod read;

use crate::media::Track;
use bytes::Bytes;
use lane::Lane;
use millstream_rtmp::message::MessageType;
use std::fs::File;
use std::path::Path;

pub use error::ClipError;

/// The longest file, in bytes. All of it is held in memory.
pub const BYTES_MAX: u64 = 1 << 30;
/// The most frames of a track: nine hours of video at 30 frames a second. A frame has some hundred
/// bytes beside its own.
pub const FRAMES_MAX: usize = 1_000_000;

/// A recording.
#[derive(Debug)]
pub struct Clip {
    opening: Vec<(MessageType, Bytes)>,
    video: Option<Lane>,
    audio: Option<Lane>,
    /// How long it is, from the start of a round to that of the next.
    period_ms: u64,
    describe: String,
}

impl Clip {
    /// Reads a file. Bytes that are no tag, and one that is cut short at the end, are passed over.
    ///
    /// # Errors
    /// It cannot be read, is too long, or has frames that cannot be marked; [`ClipError`] says
    /// which, and what can be used instead.
    pub fn open(path: &Path) -> Result<Self, ClipError> {
        let mut clip = read::read(File::open(path)?)?;
        if let Some(name) = path.file_name() {
            clip.describe = format!("{}: {}", name.display(), clip.describe);
        }
        Ok(clip)
    }

    /// What is sent before the first frame: `onMetaData`, if the file has it, then sequence
    /// headers and what else the file has of that kind, such as colours and the order of channels.
    pub fn opening(&self) -> &[(MessageType, Bytes)] {
        &self.opening
    }

    /// Whether there is such a track.
    pub fn has(&self, track: Track) -> bool {
        self.lane(track).is_some()
    }

    /// How many frames of a track there are before it begins again; 0 if there is no such track.
    pub fn frames(&self, track: Track) -> u32 {
        // Not more than `FRAMES_MAX`.
        self.lane(track).map_or(0, |lane| lane.len() as u32)
    }

    /// How long the recording is, in nanoseconds.
    pub fn period_ns(&self) -> u64 {
        self.period_ms.saturating_mul(1_000_000)
    }

    /// When a frame is decoded, from the start of the stream, in nanoseconds; never for a track
    /// that there is not.
    pub fn due_ns(&self, track: Track, sequence: u32) -> u64 {
        self.lane(track).map_or(u64::MAX, |lane| {
            lane.due_ms(sequence, self.period_ms).saturating_mul(1_000_000)
        })
    }

    /// A frame of a stream as a message payload; empty for a track that there is not.
    pub fn frame(
        &self,
        track: Track,
        stream: u32,
        epoch: u32,
        sequence: u32,
        scheduled_ns: u64,
    ) -> Bytes {
        self.lane(track)
            .map_or_else(Bytes::new, |lane| lane.frame(stream, epoch, sequence, scheduled_ns))
    }

    /// Payload bytes of all frames of a track before this one.
    pub fn payload_before(&self, track: Track, sequence: u32) -> u64 {
        self.lane(track).map_or(0, |lane| lane.payload_before(sequence))
    }

    /// Bytes of one second, payload only.
    pub fn bytes_per_second(&self) -> u64 {
        let bytes: u64 = [&self.video, &self.audio].into_iter().flatten().map(Lane::bytes).sum();
        bytes * 1000 / self.period_ms
    }

    /// The recording in one line.
    pub fn describe(&self) -> &str {
        &self.describe
    }

    fn lane(&self, track: Track) -> Option<&Lane> {
        match track {
            Track::Video => self.video.as_ref(),
            Track::Audio => self.audio.as_ref(),
        }
    }
}

#[cfg(test)]
mod tests;
