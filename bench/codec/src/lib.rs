//! What a library of this protocol has to do in the micro benches: two seconds of a real stream's
//! shape as messages, a trait for chunks and one for AMF0, and how this project's libraries do it.
//! The package `versus` has the other published ones for Rust do the same; nothing of them stands
//! here, and nothing is measured.
//!
//! Uniform frames would flatter everything, so the sizes are those of the load generator
//! (`loadtest::media::shape`).

#![forbid(unsafe_code)]

pub mod amf0;
pub mod chunk;

use bytes::Bytes;
use loadtest::media::Track;
use loadtest::media::shape::Shape;
use millstream_rtmp::message::{Message, MessageType};

/// Bits per second of the stream.
pub const BITRATE: u64 = 2_630_000;

/// One group of pictures, 60 video messages and 94 audio messages, in the order of their times.
pub fn group() -> Vec<Message> {
    let shape = Shape::new(BITRATE, 30);
    let video = (0..60).map(|at| (Track::Video, at));
    let audio = (0..94).map(|at| (Track::Audio, at));
    let mut frames: Vec<(Track, u32)> = video.chain(audio).collect();
    frames.sort_by_key(|(track, at)| shape.due_ns(*track, *at));
    let message = |(track, at): (Track, u32)| {
        let (kind, chunk_stream_id) = match track {
            Track::Video => (MessageType::VIDEO, 6),
            Track::Audio => (MessageType::AUDIO, 4),
        };
        let payload: Bytes = shape.frame(track, 0, 0, at, 0);
        let timestamp = (shape.due_ns(track, at) / 1_000_000) as u32;
        Message { chunk_stream_id, timestamp, kind, stream_id: 1, payload }
    };
    frames.into_iter().map(message).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_two_seconds_of_the_stream() {
        let group = group();
        let bytes: usize = group.iter().map(|message| message.payload.len()).sum();
        assert_eq!(group.len(), 154);
        assert!((bytes as u64 * 4).abs_diff(BITRATE) < BITRATE / 50, "{bytes}");
        assert!(group.windows(2).all(|pair| pair[0].timestamp <= pair[1].timestamp));
    }
}
