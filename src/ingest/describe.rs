//! What a stream's headers say about it, for people: codecs, size, rate.
//!
//! Called when a header changes, never for a frame. What does not parse is left unsaid.

use crate::stats::{AudioInfo, StreamStats, VideoInfo};
use crate::stream::segment::Kind;
use millstream_flv::{audio::AudioHeader, video::VideoHeader};

/// Notes what a header of a stream says.
pub fn describe(stats: &StreamStats, kind: Kind, payload: &[u8]) {
    match kind {
        Kind::VideoHeader => {
            if let Some(video) = video(payload) {
                stats.update(|info| info.video = Some(video));
            }
        }
        Kind::AudioHeader => {
            if let Some(audio) = audio(payload) {
                stats.update(|info| info.audio = Some(audio));
            }
        }
        _ => {}
    }
}
