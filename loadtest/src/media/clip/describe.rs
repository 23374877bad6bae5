//! A recording in one line, for the report.

use crate::media::clip::lane::Lane;
use millstream_amf0::Object;
use millstream_media::{AacConfig, AvcConfig, Codec};
use std::fmt::Write as _;

/// Such as `H.264 1280x720 at 30.00 frames/s, key frame every 2.00 s, AAC 48000 Hz, 2.50 Mbit/s,
/// 60.0 s over and over`. What is not known is left out.
pub(super) fn describe(
    video: Option<&Lane>,
    audio: Option<&Lane>,
    metadata: Option<&Object>,
    period_ms: u64,
) -> String {
    let mut out = String::new();
    if let Some(lane) = video {
        write_video(lane, metadata, &mut out);
    }
    if let Some(lane) = audio {
        let _ = write!(out, "{}", lane.codec());
        // Opus is heard at 48 kHz whatever it says (RFC 7845, 5.1).
        let config = AacConfig::parse(lane.configuration());
        if let (Codec::Aac, Ok(config)) = (lane.codec(), config) {
            let _ = write!(out, " {} Hz", config.output_sample_rate);
        }
        out.push_str(", ");
    }
    let bytes: u64 = video.into_iter().chain(audio).map(Lane::bytes).sum();
    // Bits in a millisecond are kilobits in a second.
    let megabits = bytes as f64 * 8.0 / period_ms as f64 / 1000.0;
    let seconds = period_ms as f64 / 1000.0;
    let _ = write!(out, "{megabits:.2} Mbit/s, {seconds:.1} s over and over");
    out
}

/// Writing to a string does not fail, so that results are not looked at.
fn write_video(lane: &Lane, metadata: Option<&Object>, out: &mut String) {
    let _ = write!(out, "{}", lane.codec());
    let size = match (lane.codec(), AvcConfig::parse(lane.configuration())) {
        (Codec::Avc, Ok(config)) => config.size(),
        _ => None,
    };
    let told = || {
        let number = |name| metadata?.get_number(name).filter(|number| *number >= 1.0);
        Some((number("width")? as u32, number("height")? as u32))
    };
    if let Some((width, height)) = size.or_else(told) {
        let _ = write!(out, " {width}x{height}");
    }
    let seconds = lane.end_ms().unwrap_or(1) as f64 / 1000.0;
    let rate = lane.len() as f64 / seconds;
    let group = seconds / f64::from(lane.key_frames.max(1));
    let _ = write!(out, " at {rate:.2} frames/s, key frame every {group:.2} s, ");
}
