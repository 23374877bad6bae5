//! What a player sees in a message, without knowing what was sent.
//!
//! Every frame that arrives comes through here, so the mark is first looked for where it
//! stands when nothing is before it, and only then searched for. Nothing is allocated. What is made
//! of what was seen is `account`'s business.

use crate::media::Track;
use crate::media::mark::{MARK_BYTES, Mark};
use millstream_flv::{AudioHeader, VideoHeader};
use millstream_media::Codec;
use millstream_rtmp::message::MessageType;

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// A frame.
    Frame {
        /// Of this track.
        track: Track,
        /// Whether it is a picture at which decoding can begin.
        key: bool,
        /// Where its mark begins in the payload, and the mark; none if it has none, or a damaged
        /// one.
        mark: Option<(usize, Mark)>,
    },
    /// A sequence header: the configuration of the decoder of this track.
    Header(Track),
    /// Anything else: metadata, commands, the end of a sequence, what cannot be read.
    Other,
}

/// Looks at the payload of a message.
pub fn look(kind: MessageType, payload: &[u8]) -> Seen {
    match kind {
        MessageType::VIDEO => VideoHeader::parse(payload).map_or(Seen::Other, |header| {
            let codec = header.codec.codec();
            let body = Body { codec, is_coded: header.is_coded(), len: header.header_len };
            body.seen(Track::Video, header.is_sequence_start(), header.is_key_frame(), payload)
        }),
        MessageType::AUDIO => AudioHeader::parse(payload).map_or(Seen::Other, |header| {
            let codec = Some(header.codec.codec());
            let body = Body { codec, is_coded: header.is_coded(), len: header.header_len };
            body.seen(Track::Audio, header.is_sequence_start(), false, payload)
        }),
        _ => Seen::Other,
    }
}

/// What a header says of the body behind it.
struct Body {
    codec: Option<Codec>,
    is_coded: bool,
    /// Bytes of the header.
    len: usize,
}

impl Body {
    fn seen(self, track: Track, is_header: bool, key: bool, payload: &[u8]) -> Seen {
        if is_header {
            return Seen::Header(track);
        }
        // A legacy frame of sound without a body is a way to say silence, or the end.
        if !self.is_coded || payload.len() <= self.len {
            return Seen::Other;
        }
        let usual = match self.codec {
            // NAL length 4, NAL header 1, SEI type 1, SEI size 1.
            Some(Codec::Avc) => self.len + 7,
            // NAL length 4, NAL header 2, SEI type 1, SEI size 1.
            Some(Codec::Hevc) => self.len + 8,
            // OBU header 1, OBU size 1, metadata type 1.
            Some(Codec::Av1) => self.len + 3,
            // Element 1, count 1.
            Some(Codec::Aac) => self.len + 2,
            // Padding stands last.
            Some(Codec::Opus) => payload.len().saturating_sub(MARK_BYTES),
            _ => self.len,
        };
        Seen::Frame { track, key, mark: Mark::find(payload, usual) }
    }
}
