//! What a track carries: its kind and its codec. How a container numbers codecs stands with the
//! container; the numbers of FLV that have no four-character code are kept here as they are.

use std::fmt;

use bytes::Bytes;

/// Whether a track is heard, seen, or neither.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TrackKind {
    /// Sound.
    Audio,
    /// Pictures.
    Video,
    /// Metadata, cue points, captions.
    Data,
}

/// A four-character code (ISO/IEC 14496-12; Enhanced RTMP v2, "Simple Data Types").
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct FourCc(pub [u8; 4]);

impl fmt::Display for FourCc {
    /// The characters; bytes that are not printable ASCII are escaped, for logs read them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.escape_ascii())
    }
}

impl fmt::Debug for FourCc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FourCc({self})")
    }
}

/// A codec. What is not known by name keeps its code or number and can still be relayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Codec {
    /// H.264.
    Avc,
    /// H.265.
    Hevc,
    /// H.266.
    Vvc,
    /// AV1.
    Av1,
    /// VP8.
    Vp8,
    /// VP9.
    Vp9,
    /// AAC, of any object type.
    Aac,
    /// MPEG-1 or MPEG-2 layer III.
    Mp3,
    /// Opus.
    Opus,
    /// FLAC.
    Flac,
    /// AC-3.
    Ac3,
    /// Enhanced AC-3.
    Eac3,
    /// A four-character code that is none of the above.
    FourCc(FourCc),
    /// A sound format of FLV that is none of the above, by its number there (FLV 10.1, E.4.2.1).
    FlvAudio(u8),
    /// A video codec of FLV that is none of the above, by its number there (FLV 10.1, E.4.3.1).
    FlvVideo(u8),
}

/// The codes of Enhanced RTMP v2 and what they name.
const NAMED: [([u8; 4], Codec); 12] = [
    (*b"avc1", Codec::Avc),
    (*b"hvc1", Codec::Hevc),
    (*b"vvc1", Codec::Vvc),
    (*b"av01", Codec::Av1),
    (*b"vp08", Codec::Vp8),
    (*b"vp09", Codec::Vp9),
    (*b"mp4a", Codec::Aac),
    (*b".mp3", Codec::Mp3),
    (*b"Opus", Codec::Opus),
    (*b"fLaC", Codec::Flac),
    (*b"ac-3", Codec::Ac3),
    (*b"ec-3", Codec::Eac3),
];

impl Codec {
    /// The codec of this code of Enhanced RTMP.
    pub fn from_four_cc(code: [u8; 4]) -> Self {
        NAMED
            .iter()
            .find(|(known, _)| *known == code)
            .map_or(Self::FourCc(FourCc(code)), |&(_, codec)| codec)
    }

    /// The code in Enhanced RTMP, if there is one.
    pub fn four_cc(self) -> Option<[u8; 4]> {
        match self {
            Self::FourCc(FourCc(code)) => Some(code),
            named => NAMED.iter().find(|(_, codec)| *codec == named).map(|&(code, _)| code),
        }
    }

    /// What a track of this codec is; unknown for a code that is not known.
    pub fn kind(self) -> Option<TrackKind> {
        match self {
            Self::Avc | Self::Hevc | Self::Vvc | Self::Av1 | Self::Vp8 | Self::Vp9 => {
                Some(TrackKind::Video)
            }
            Self::Aac | Self::Mp3 | Self::Opus | Self::Flac | Self::Ac3 | Self::Eac3 => {
                Some(TrackKind::Audio)
            }
            Self::FlvAudio(_) => Some(TrackKind::Audio),
            Self::FlvVideo(_) => Some(TrackKind::Video),
            Self::FourCc(_) => None,
        }
    }
}

impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Avc => "H.264",
            Self::Hevc => "H.265",
            Self::Vvc => "H.266",
            Self::Av1 => "AV1",
            Self::Vp8 => "VP8",
            Self::Vp9 => "VP9",
            Self::Aac => "AAC",
            Self::Mp3 => "MP3",
            Self::Opus => "Opus",
            Self::Flac => "FLAC",
            Self::Ac3 => "AC-3",
            Self::Eac3 => "E-AC-3",
            Self::FourCc(code) => return write!(f, "{code}"),
            Self::FlvAudio(number) => return write!(f, "FLV sound format {number}"),
            Self::FlvVideo(number) => return write!(f, "FLV video codec {number}"),
        })
    }
}

/// One track of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Track {
    /// What it is.
    pub kind: TrackKind,
    /// Its number among the tracks of its kind; 0 unless the source sends several.
    pub id: u8,
    /// How its frames are coded.
    pub codec: Codec,
    /// The decoder configuration in the form of the codec (for H.264 the record that
    /// [`AvcConfig`](crate::AvcConfig) reads); empty if none has come or the codec has none.
    pub config: Bytes,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_names_its_codec_and_back() {
        for (code, codec) in NAMED {
            assert_eq!(Codec::from_four_cc(code), codec);
            assert_eq!(codec.four_cc(), Some(code));
            assert!(codec.kind().is_some());
        }
    }

    #[test]
    fn an_unknown_code_is_a_codec_too() {
        let codec = Codec::from_four_cc(*b"zz\x1b\n");
        assert_eq!(codec.four_cc(), Some(*b"zz\x1b\n"));
        assert_eq!(codec.kind(), None);
        assert_eq!(codec.to_string(), "zz\\x1b\\n");
        assert_eq!(Codec::FlvVideo(2).kind(), Some(TrackKind::Video));
        assert_eq!(Codec::FlvAudio(11).four_cc(), None);
    }
}
