//! What a player received, as lists of packets per track. How such a list comes about is the
//! business of [`crate::flv`] and [`crate::probe`]; what may differ, of [`crate::compare()`].

use std::fmt;

use sha2::{Digest, Sha256};

/// A SHA-256 digest.
pub type Hash = [u8; 32];

/// Digest of a payload.
#[must_use]
pub fn sha256(bytes: &[u8]) -> Hash {
    Sha256::digest(bytes).into()
}

/// The medium of a track.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Moving pictures.
    Video,
    /// Sound.
    Audio,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Video => "video",
            Self::Audio => "audio",
        })
    }
}

/// The codecs that the scenarios know by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Codec {
    /// H.264, in legacy or FourCC framing.
    H264,
    /// H.265.
    Hevc,
    /// AV1.
    Av1,
    /// VP9.
    Vp9,
    /// AAC, in legacy or FourCC framing.
    Aac,
    /// Opus.
    Opus,
    /// Anything else, by legacy number (below 16) or FourCC.
    Other(u32),
}

impl Codec {
    pub(crate) fn from_legacy_video(id: u8) -> Self {
        if id == 7 { Self::H264 } else { Self::Other(u32::from(id)) }
    }

    pub(crate) fn from_legacy_audio(id: u8) -> Self {
        if id == 10 { Self::Aac } else { Self::Other(u32::from(id)) }
    }

    pub(crate) fn from_fourcc(fourcc: [u8; 4]) -> Self {
        match &fourcc {
            b"avc1" => Self::H264,
            b"hvc1" => Self::Hevc,
            b"av01" => Self::Av1,
            b"vp09" => Self::Vp9,
            b"mp4a" => Self::Aac,
            b"Opus" => Self::Opus,
            _ => Self::Other(u32::from_be_bytes(fourcc)),
        }
    }

    pub(crate) fn from_ffmpeg_name(name: &str) -> Self {
        match name {
            "h264" => Self::H264,
            "hevc" => Self::Hevc,
            "av1" => Self::Av1,
            "vp9" => Self::Vp9,
            "aac" => Self::Aac,
            "opus" => Self::Opus,
            _ => Self::Other(0),
        }
    }
}

/// One coded frame, its payload reduced to length and digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Presentation time in milliseconds.
    pub pts_ms: i64,
    /// Decoding time in milliseconds.
    pub dts_ms: i64,
    /// Whether decoding can start here. Audio always can.
    pub key: bool,
    /// Payload length in bytes.
    pub len: usize,
    /// Digest of the payload.
    pub sha256: Hash,
}

impl Packet {
    /// Whether two packets carry the same payload, whatever their times.
    #[must_use]
    pub fn same_payload(&self, other: &Self) -> bool {
        self.len == other.len && self.sha256 == other.sha256
    }
}

impl fmt::Display for Packet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, ..] = self.sha256;
        write!(f, "dts {} pts {}", self.dts_ms, self.pts_ms)?;
        write!(f, " {}", if self.key { "key" } else { "inter" })?;
        write!(f, ", {} bytes, sha256 {a:02x}{b:02x}{c:02x}{d:02x}..", self.len)
    }
}

/// All packets of one track.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Track {
    /// The medium.
    pub kind: Kind,
    /// Number of the track within its medium.
    pub id: u8,
    /// The codec.
    pub codec: Codec,
    /// Digests of the sequence headers (extradata) in order, immediate repetitions left out.
    pub headers: Vec<Hash>,
    /// The packets in order of arrival, which is decoding order.
    pub packets: Vec<Packet>,
}

impl Track {
    pub(crate) fn push_header(&mut self, header: Hash) {
        // Servers repeat the header to late joiners and at times within the stream; only a
        // change of it means anything.
        if self.headers.last() != Some(&header) {
            self.headers.push(header);
        }
    }
}

/// Everything that a player received, or a source holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recording {
    /// The tracks in order of their first appearance.
    pub tracks: Vec<Track>,
}

impl Recording {
    /// The track of that medium and number.
    #[must_use]
    pub fn track(&self, kind: Kind, id: u8) -> Option<&Track> {
        self.tracks.iter().find(|track| track.kind == kind && track.id == id)
    }

    /// The track of that medium, number and codec; appended if there is none. A stream that
    /// changes codec thereby shows as an additional track.
    pub(crate) fn track_mut(&mut self, kind: Kind, id: u8, codec: Codec) -> &mut Track {
        let same = |track: &Track| (track.kind, track.id, track.codec) == (kind, id, codec);
        let index = self.tracks.iter().position(same).unwrap_or_else(|| {
            self.tracks.push(Track { kind, id, codec, headers: vec![], packets: vec![] });
            self.tracks.len() - 1
        });
        &mut self.tracks[index]
    }
}
