//! The tag, which is the unit of an FLV file, and its header (FLV 10.1, E.4.1). How a file is
//! read and written stands in `reader` and `writer`.
//!
//! ```text
//! 00 | filter (1) | type (5) || length (24) | time (24) | time, bits 24 to 31 (8) | stream id (24) = 0
//! ```

use bytes::Bytes;

/// How many bytes stand before the payload of a tag.
pub const TAG_HEADER_LEN: usize = 11;

/// What a tag holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TagKind {
    /// Sound; the payload begins with an [`AudioHeader`](crate::AudioHeader).
    Audio,
    /// Pictures; the payload begins with a [`VideoHeader`](crate::VideoHeader).
    Video,
    /// A name and values in AMF0; see [`ScriptData`](crate::ScriptData).
    Script,
}

impl TagKind {
    /// The number of the tag type, which is that of the RTMP message type too.
    pub const fn number(self) -> u8 {
        match self {
            Self::Audio => 8,
            Self::Video => 9,
            Self::Script => 18,
        }
    }

    /// The kind with this number.
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            8 => Some(Self::Audio),
            9 => Some(Self::Video),
            18 => Some(Self::Script),
            _ => None,
        }
    }
}

/// One tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag {
    /// What the payload is.
    pub kind: TagKind,
    /// Milliseconds, modulo 2^32.
    pub timestamp: u32,
    /// What follows the tag header: the same bytes that an RTMP message would hold.
    pub payload: Bytes,
}

/// The header of a file: what it says it holds. Encoders that do not know yet say both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// There is sound.
    pub audio: bool,
    /// There are pictures.
    pub video: bool,
}

/// The header of a tag, for a caller that joins it with a payload of its own. The payload is
/// followed by its length plus [`TAG_HEADER_LEN`] in four bytes, the highest first.
///
/// `None` if the payload is longer than 2^24 - 1 bytes.
pub fn tag_header(
    kind: TagKind,
    timestamp: u32,
    payload_len: usize,
) -> Option<[u8; TAG_HEADER_LEN]> {
    let [zero, l2, l1, l0] = u32::try_from(payload_len).ok()?.to_be_bytes();
    let [t3, t2, t1, t0] = timestamp.to_be_bytes();
    (zero == 0).then_some([kind.number(), l2, l1, l0, t2, t1, t0, t3, 0, 0, 0])
}
