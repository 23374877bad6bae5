//! Packet lists as ffprobe reports them: a second opinion, from a demuxer that is not ours.

use std::path::Path;

use serde_json::Value;

use crate::error::{Error, Result};
use crate::packets::{Codec, Hash, Kind, Packet, Recording};

/// Arguments that make ffprobe print what [`read_report`] reads; the input follows them.
pub const ARGS: [&str; 8] = [
    "-v",
    "error",
    "-show_packets",
    "-show_streams",
    "-show_format",
    "-show_data_hash",
    "sha256",
    "-of",
];

/// The output format, last of the arguments.
pub const FORMAT: &str = "json";

/// Reads what ffprobe wrote to its standard output.
pub fn read_report(path: &Path) -> Result<Recording> {
    let text =
        std::fs::read_to_string(path).map_err(Error::io(format!("read {}", path.display())))?;
    let malformed = |reason| Error::Malformed { file: path.to_owned(), offset: 0, reason };
    // Anything that libraries print before the report is passed over.
    let from = text.find('{').ok_or_else(|| malformed("ffprobe wrote no report"))?;
    let report: Value =
        serde_json::from_str(&text[from..]).map_err(|_| malformed("the report is not JSON"))?;
    recording(&report).ok_or_else(|| malformed("the report lacks a field"))
}

fn recording(report: &Value) -> Option<Recording> {
    let format = report.get("format")?.get("format_name")?.as_str()?;
    let matroska = format.starts_with("matroska");
    let mut recording = Recording::default();
    // (stream index of ffprobe, kind, track number within the kind, codec)
    let mut streams: Vec<(i64, Kind, u8, Codec)> = Vec::new();
    for stream in report.get("streams")?.as_array()? {
        let Some(kind) = kind(stream) else { continue };
        let id = streams.iter().filter(|known| known.1 == kind).count();
        let id = u8::try_from(id).ok()?;
        let codec = Codec::from_ffmpeg_name(stream.get("codec_name")?.as_str()?);
        streams.push((stream.get("index")?.as_i64()?, kind, id, codec));
        let track = recording.track_mut(kind, id, codec);
        if let Some(header) = stream.get("extradata_hash") {
            track.push_header(hash(header.as_str()?)?);
        }
    }
    for packet in report.get("packets")?.as_array()? {
        let index = packet.get("stream_index")?.as_i64()?;
        let Some(&(_, kind, id, codec)) = streams.iter().find(|stream| stream.0 == index) else {
            continue;
        };
        // The time base of FLV and Matroska is a millisecond.
        let pts_ms = packet.get("pts")?.as_i64()?;
        // Matroska has no decoding times, and what ffprobe makes up for them is no evidence.
        let dts_ms = if matroska { pts_ms } else { packet.get("dts")?.as_i64()? };
        recording.track_mut(kind, id, codec).packets.push(Packet {
            pts_ms,
            dts_ms,
            key: packet.get("flags")?.as_str()?.starts_with('K'),
            len: packet.get("size")?.as_str()?.parse().ok()?,
            sha256: hash(packet.get("data_hash")?.as_str()?)?,
        });
    }
    Some(recording)
}

fn kind(stream: &Value) -> Option<Kind> {
    match stream.get("codec_type")?.as_str()? {
        "video" => Some(Kind::Video),
        "audio" => Some(Kind::Audio),
        _ => None,
    }
}

/// Parses `SHA256:<64 hexadecimal digits>`.
fn hash(text: &str) -> Option<Hash> {
    let digits = text.strip_prefix("SHA256:")?;
    if digits.len() != 64 || !digits.is_ascii() {
        return None;
    }
    let mut hash = [0; 32];
    for (byte, index) in hash.iter_mut().zip((0..).step_by(2)) {
        *byte = u8::from_str_radix(&digits[index..index + 2], 16).ok()?;
    }
    Some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packets::sha256;
    use serde_json::json;

    #[test]
    fn a_report_becomes_a_recording() {
        let payload = format!("SHA256:{}", "00ff".repeat(16));
        let report = json!({
            "format": {"format_name": "flv"},
            "streams": [
                {"index": 0, "codec_type": "audio", "codec_name": "aac", "extradata_hash": payload},
                {"index": 1, "codec_type": "data"},
            ],
            "packets": [
                {"stream_index": 0, "pts": 23, "dts": 20, "flags": "K__", "size": "7",
                 "data_hash": payload},
                {"stream_index": 1, "flags": "___"},
            ],
        });
        let recording = recording(&report).unwrap();
        let track = recording.track(Kind::Audio, 0).unwrap();
        assert_eq!(recording.tracks.len(), 1);
        assert_eq!(track.codec, Codec::Aac);
        let packet = &track.packets[0];
        assert_eq!((packet.pts_ms, packet.dts_ms, packet.key, packet.len), (23, 20, true, 7));
        assert_eq!(packet.sha256[..2], [0, 255]);
    }

    #[test]
    fn hashes_that_are_none() {
        assert!(hash("MD5:00").is_none());
        assert!(hash("SHA256:00").is_none());
        assert!(hash(&format!("SHA256:{}", "0g".repeat(32))).is_none());
        assert_ne!(hash(&format!("SHA256:{}", "00".repeat(32))), Some(sha256(b"")));
    }
}
