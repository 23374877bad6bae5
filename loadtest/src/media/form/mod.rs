//! How a mark is put into a frame, by codec: where each has room for data that decoders pass over.
//!
//! | codec | the mark stands in | after |
//! | --- | --- | --- |
//! | H.264, H.265 | an SEI message "user data unregistered" (`nal`) | the delimiter, and SEI messages that must come first |
//! | AV1 | a metadata OBU of a private type (`av1`) | the temporal delimiter and sequence headers |
//! | AAC | a data stream element (`aac`) | nothing |
//! | Opus | padding (`opus`) | everything |
//!
//! VP8, VP9, MP3 and the others have no such room. What a mark says stands in `mark`.

mod aac;
mod av1;
mod nal;
mod opus;

use crate::media::mark::{MARK_BYTES, SEARCHED_BYTES};
use bytes::BytesMut;
use millstream_media::{AacConfig, AvcConfig, Codec};

pub(super) use aac::{DATA_ELEMENT, ELEMENT_HEADER_BYTES};

/// A codec, and what is to be known of a track of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// H.264.
    Avc(nal::LengthBytes),
    /// H.265.
    Hevc(nal::LengthBytes),
    Av1,
    Aac,
    Opus,
}

/// What stands around the mark in a frame that was opened for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Opened {
    /// Bytes of the body that stand before the mark; the others follow `stop`.
    pub taken: usize,
    /// What ends the unit with the mark in it.
    pub stop: &'static [u8],
    /// Bytes just before the mark that it must answer for.
    pub lead: usize,
}

/// Why the frames of a track cannot be marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The codec has no room for a mark.
    Codec,
    /// The configuration of the decoder cannot be read.
    Configuration,
    /// An AAC of this object type, whose frames are no raw data blocks.
    ObjectType(u8),
    /// Opus of several streams in one packet.
    ManyStreams,
}

/// A mark that is not last begins at most here in the frame of a publisher: half of what is
/// searched is left to a server that puts something in front.
const DEEPEST: usize = SEARCHED_BYTES / 2;

impl Form {
    /// The form of a track by the body of its sequence header.
    pub(super) fn of(codec: Codec, configuration: &[u8]) -> Result<Self, Refusal> {
        match codec {
            Codec::Avc => {
                let config = AvcConfig::parse(configuration).map_err(|_| Refusal::Configuration)?;
                nal::LengthBytes::new(config.nal_length_size).map(Self::Avc)
            }
            Codec::Hevc => nal::LengthBytes::of_hevc(configuration).map(Self::Hevc),
            Codec::Av1 => Some(Self::Av1),
            Codec::Aac => {
                let config = AacConfig::parse(configuration).map_err(|_| Refusal::Configuration)?;
                if !aac::has_raw_data_blocks(config.object_type) {
                    return Err(Refusal::ObjectType(config.object_type));
                }
                Some(Self::Aac)
            }
            Codec::Opus => {
                if opus::mapping_family(configuration).ok_or(Refusal::Configuration)? != 0 {
                    return Err(Refusal::ManyStreams);
                }
                Some(Self::Opus)
            }
            _ => return Err(Refusal::Codec),
        }
        .ok_or(Refusal::Configuration)
    }

    /// Appends to `head`, which holds the header of the message, what stands between that and the
    /// mark. None if the body cannot be read, or has something that must stand before a mark and
    /// is too long.
    pub(super) fn open(self, body: &[u8], head: &mut BytesMut) -> Option<Opened> {
        let opened = match self {
            Self::Avc(length_bytes) => nal::open(nal::Syntax::Avc, length_bytes, body, head),
            Self::Hevc(length_bytes) => nal::open(nal::Syntax::Hevc, length_bytes, body, head),
            Self::Av1 => av1::open(body, head),
            Self::Aac => aac::open(body, head),
            Self::Opus => return opus::open(body, head),
        }?;
        (head.len() <= DEEPEST).then_some(opened)
    }
}

/// Where a mark begins in a message of so many bytes, if nothing had to stand before it. For what
/// is no frame of a codec that has marks, any place will do.
pub(super) fn usual_at(codec: Option<Codec>, header_len: usize, payload_len: usize) -> usize {
    match codec {
        // Lengths of four bytes are what everybody writes.
        Some(Codec::Avc) => header_len + 4 + nal::AVC_SEI_BYTES,
        Some(Codec::Hevc) => header_len + 4 + nal::HEVC_SEI_BYTES,
        Some(Codec::Av1) => header_len + av1::HEAD_BYTES,
        Some(Codec::Aac) => header_len + ELEMENT_HEADER_BYTES,
        Some(Codec::Opus) => payload_len.saturating_sub(MARK_BYTES),
        _ => header_len,
    }
}

#[cfg(test)]
mod tests;
