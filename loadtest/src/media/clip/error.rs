//! Why a file cannot be published.

use crate::media::Track;
use crate::media::clip::{BYTES_MAX, FRAMES_MAX};
use millstream_flv::{HeaderError, ReadError};
use millstream_media::Codec;
use std::{fmt, io};

/// Why a file cannot be published.
#[derive(Debug)]
#[non_exhaustive]
pub enum ClipError {
    /// It cannot be read.
    Io(io::Error),
    /// It is no FLV file.
    NotFlv(ReadError),
    /// It has more bytes than [`BYTES_MAX`].
    TooLong,
    /// It has more frames than [`FRAMES_MAX`].
    TooManyFrames,
    /// The header of a message cannot be read.
    Header(Track, HeaderError),
    /// Messages hold several tracks, or numbered ones.
    Multitrack(Track),
    /// The codec has no room for a mark.
    Codec(Codec),
    /// An AAC of this object type has none.
    ObjectType(u8),
    /// Opus of several streams in a packet has none.
    ManyStreams,
    /// The configuration of a decoder cannot be read.
    Configuration(Codec),
    /// Frames come before the configuration of their decoder.
    NoConfiguration(Track),
    /// The configuration of a decoder, or the codec, changes within the file.
    Changes(Track),
    /// The frame of this number in its track cannot be read, or its front is too long.
    Frame(Track, u32),
    /// There are pictures, but none at which decoding can begin.
    NoKeyFrame,
    /// There is no frame.
    Empty,
}

impl fmt::Display for ClipError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "cannot be read: {error}"),
            Self::NotFlv(error) => write!(f, "no FLV file: {error}"),
            Self::TooLong => write!(f, "more than {} MiB", BYTES_MAX >> 20),
            Self::TooManyFrames => write!(f, "more than {FRAMES_MAX} frames"),
            Self::Header(track, error) => write!(f, "{}: {error}", name(*track)),
            Self::Multitrack(track) => {
                write!(f, "{}: several tracks; keep one of each kind", name(*track))
            }
            Self::Codec(codec) => write!(
                f,
                "frames of {codec} have no room for a mark; use H.264, H.265 or AV1, with AAC or Opus"
            ),
            Self::ObjectType(object_type) => write!(
                f,
                "frames of AAC with object type {object_type} have no room for a mark; use AAC-LC or Opus"
            ),
            Self::ManyStreams => f.write_str(
                "Opus of more than two channels has no room for a mark; use stereo, or AAC",
            ),
            Self::Configuration(codec) => {
                write!(f, "the decoder configuration of {codec} cannot be read")
            }
            Self::NoConfiguration(track) => {
                write!(f, "{}: frames without a decoder configuration", name(*track))
            }
            Self::Changes(track) => {
                write!(f, "{}: the decoder configuration changes; cut the file there", name(*track))
            }
            Self::Frame(track, number) => {
                write!(f, "{}: frame {number} cannot be read, or has no room", name(*track))
            }
            Self::NoKeyFrame => f.write_str("no key frame"),
            Self::Empty => f.write_str("no frames"),
        }
    }
}

fn name(track: Track) -> &'static str {
    match track {
        Track::Video => "video",
        Track::Audio => "audio",
    }
}

impl std::error::Error for ClipError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            Self::NotFlv(error) => Some(error),
            Self::Header(_, error) => Some(error),
            _ => None,
        }
    }
}

impl From<io::Error> for ClipError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<ReadError> for ClipError {
    fn from(error: ReadError) -> Self {
        Self::NotFlv(error)
    }
}
