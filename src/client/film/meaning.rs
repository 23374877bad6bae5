//! What a tag is to those who watch.

use millstream_flv::{AudioHeader, AudioPacketType, Tag, TagKind, VideoHeader};

/// What a tag is to its viewers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::client) enum Meaning {
    Metadata,
    AudioHeader,
    VideoHeader,
    Audio,
    Video,
    Other,
}

impl Meaning {
    pub(super) fn is_header(self) -> bool {
        self.header_index().is_some()
    }

    /// Its place among the headers of which the newest is kept.
    pub(super) fn header_index(self) -> Option<usize> {
        match self {
            Self::Metadata => Some(0),
            Self::AudioHeader => Some(1),
            Self::VideoHeader => Some(2),
            _ => None,
        }
    }
}

pub(super) fn meaning_of(tag: &Tag) -> Meaning {
    match tag.kind {
        TagKind::Script if tag.payload.starts_with(b"\x02\x00\x0aonMetaData") => Meaning::Metadata,
        TagKind::Script => Meaning::Other,
        TagKind::Audio => match AudioHeader::parse(&tag.payload) {
            Ok(header) if header.packet_type == AudioPacketType::SequenceStart => {
                Meaning::AudioHeader
            }
            Ok(_) => Meaning::Audio,
            Err(_) => Meaning::Other,
        },
        TagKind::Video => match VideoHeader::parse(&tag.payload) {
            Ok(header) if header.is_sequence_start() => Meaning::VideoHeader,
            Ok(header) if header.is_coded() => Meaning::Video,
            _ => Meaning::Other,
        },
    }
}
