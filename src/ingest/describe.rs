//! What a stream's headers say about it, for people: codecs, size, rate.
//!
//! Called when a header changes, never for a frame. What does not parse is left unsaid.

use crate::stats::{AudioInfo, StreamStats, VideoInfo};
use crate::stream::segment::Kind;
use millstream_flv::{audio, video};
use millstream_media::{AacConfig, AvcConfig, Codec};

/// Notes what a header of a stream says.
pub fn describe(stats: &StreamStats, kind: Kind, payload: &[u8]) {
    match kind {
        Kind::VideoHeader => {
            if let Some(video) = video_info(payload) {
                stats.update(|info| info.video = Some(video));
            }
        }
        Kind::AudioHeader => {
            if let Some(audio) = audio_info(payload) {
                stats.update(|info| info.audio = Some(audio));
            }
        }
        _ => {}
    }
}

fn video_info(payload: &[u8]) -> Option<VideoInfo> {
    let track = video::tracks(payload).ok()?.next()?.ok()?;
    let codec = track.codec.codec()?;
    let avc = (codec == Codec::Avc).then(|| AvcConfig::parse(track.body).ok()).flatten();
    let Some(avc) = avc else {
        return Some(VideoInfo { codec: name(codec), ..VideoInfo::default() });
    };
    let (width, height) = avc.size().unwrap_or_default();
    Some(VideoInfo { codec: avc.codec_string(), width, height })
}

fn audio_info(payload: &[u8]) -> Option<AudioInfo> {
    let track = audio::tracks(payload).ok()?.next()?.ok()?;
    let codec = track.codec.codec();
    let aac = (codec == Codec::Aac).then(|| AacConfig::parse(track.body).ok()).flatten();
    let Some(aac) = aac else {
        return Some(AudioInfo { codec: name(codec), ..AudioInfo::default() });
    };
    Some(AudioInfo {
        codec: aac.codec_string(),
        sample_rate_hz: aac.output_sample_rate,
        channels: u32::from(aac.output_channels().unwrap_or(0)),
    })
}

fn name(codec: Codec) -> String {
    match codec.four_cc() {
        Some(code) => String::from_utf8_lossy(&code).into_owned(),
        None => format!("{codec:?}"),
    }
}
