//! What a player sees in a message, without knowing what was sent.
//!
//! Every frame that arrives comes through here, so the mark is first looked for where `form`
//! puts it when nothing must stand before it, and only then searched for. Nothing is allocated. What is made
//! of what was seen is `account`'s business.

use crate::media::Track;
use crate::media::form::usual_at;
use crate::media::mark::Mark;
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
        let usual = usual_at(self.codec, self.len, payload.len());
        Seen::Frame { track, key, mark: Mark::find(payload, usual) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::mark::{MARK_BYTES, hash};
    use proptest::prelude::*;

    /// A mark with a byte behind it.
    fn marked(front: &[u8]) -> (Vec<u8>, Mark) {
        let (tail, hash) = (MARK_BYTES as u32 + 1, hash(&[&[0x80]]));
        let mark = Mark { stream: 1, epoch: 2, sequence: 3, lead: 0, tail, hash, scheduled_ns: 4 };
        ([front, &mark.to_bytes(), &[0x80]].concat(), mark)
    }

    #[test]
    fn a_mark_is_found_wherever_a_server_has_pushed_it() {
        for front in [
            &b"\x17\x01\0\0\0\0\0\0\x41\x06\x05\x3d"[..],
            b"\x17\x01\0\0\0\0\0\0\x02\x09\xf0\0\0\0\x41\x06\x05\x3d",
            b"\x91hvc1\0\0\0\0\0\0\x42\x4e\x01\x05\x3d",
            b"\x93av01\x2a\x3f\x1f",
        ] {
            let (frame, mark) = marked(front);
            let seen = look(MessageType::VIDEO, &frame);
            let mark = Some((front.len(), mark));
            assert_eq!(seen, Seen::Frame { track: Track::Video, key: true, mark });
        }
        let (frame, mark) = marked(b"\x91mp4a\x9e\x3d");
        let mark = Some((7, mark));
        let seen = look(MessageType::AUDIO, &frame);
        assert_eq!(seen, Seen::Frame { track: Track::Audio, key: false, mark });
    }

    #[test]
    fn what_is_no_frame_is_not_taken_for_one() {
        for (kind, payload, seen) in [
            (MessageType::VIDEO, &b"\x17\0\0\0\0\x01\x4d"[..], Seen::Header(Track::Video)),
            (MessageType::VIDEO, b"\x90av01\x81", Seen::Header(Track::Video)),
            (MessageType::VIDEO, b"\x17\x02\0\0\0", Seen::Other),
            (MessageType::VIDEO, b"\x94hvc1\x02\0\x09colorInfo", Seen::Other),
            (MessageType::VIDEO, b"\x57\0", Seen::Other),
            (MessageType::VIDEO, b"", Seen::Other),
            (MessageType::AUDIO, b"\xaf\0\x11\x90", Seen::Header(Track::Audio)),
            (MessageType::AUDIO, b"\x90OpusOpusHead", Seen::Header(Track::Audio)),
            (MessageType::AUDIO, b"\xaf\x01", Seen::Other),
            (MessageType::AUDIO, b"\x92Opus", Seen::Other),
            (MessageType::DATA_AMF0, b"\x02\0\x0aonMetaData", Seen::Other),
        ] {
            assert_eq!(look(kind, payload), seen, "{payload:?}");
        }
    }

    #[test]
    fn a_frame_of_any_codec_is_a_frame_without_a_mark() {
        let inter = Seen::Frame { track: Track::Video, key: false, mark: None };
        assert_eq!(look(MessageType::VIDEO, b"\x27\x01\0\0\0\0\0\0\x02\x41\x01"), inter);
        assert_eq!(look(MessageType::VIDEO, b"\xa1vp09\x82"), inter);
        let sound = Seen::Frame { track: Track::Audio, key: false, mark: None };
        assert_eq!(look(MessageType::AUDIO, b"\x2f\xff\xfb\x90"), sound);
    }

    proptest! {
        #[test]
        fn anything_can_be_looked_at(
            video: bool, payload in proptest::collection::vec(any::<u8>(), 0..100),
        ) {
            let kind = if video { MessageType::VIDEO } else { MessageType::AUDIO };
            let seen = look(kind, &payload);
            let has_mark = matches!(seen, Seen::Frame { mark: Some(_), .. });
            prop_assert!(!has_mark, "{:?}", seen);
        }
    }
}
