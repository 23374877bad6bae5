//! What a message is to whoever has to leave some out.

use millstream_flv::{AudioHeader, AudioPacketType, Tag, TagKind, VideoHeader};

/// AMF0 of a string "onMetaData": how the payload of metadata begins.
const ON_META_DATA: &[u8] = b"\x02\x00\x0aonMetaData";
/// AMF0 of a string "@setDataFrame", which stands before metadata that a server shall keep.
pub(crate) const SET_DATA_FRAME: &[u8] = b"\x02\x00\x0d@setDataFrame";

/// What a message is. Headers carry the number of their track: of each the newest is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    Metadata,
    VideoHeader(u8),
    AudioHeader(u8),
    /// A frame at which decoding can begin.
    Key(u8),
    /// Any other picture, and what else belongs between pictures.
    Picture,
    Sound,
    Data,
}

impl Class {
    pub(crate) fn of(tag: &Tag) -> Self {
        match tag.kind {
            TagKind::Script if is_metadata(&tag.payload) => Self::Metadata,
            TagKind::Script => Self::Data,
            TagKind::Audio => match AudioHeader::parse(&tag.payload) {
                Ok(header)
                    if matches!(
                        header.packet_type,
                        AudioPacketType::SequenceStart | AudioPacketType::MultichannelConfig
                    ) =>
                {
                    Self::AudioHeader(header.track_id)
                }
                _ => Self::Sound,
            },
            TagKind::Video => match VideoHeader::parse(&tag.payload) {
                Ok(header) if header.is_sequence_start() => Self::VideoHeader(header.track_id),
                Ok(header) if header.is_key_frame() => Self::Key(header.track_id),
                _ => Self::Picture,
            },
        }
    }

    pub(crate) fn is_video(self) -> bool {
        matches!(self, Self::Key(_) | Self::Picture)
    }

    pub(crate) fn is_header(self) -> bool {
        matches!(self, Self::Metadata | Self::VideoHeader(_) | Self::AudioHeader(_))
    }
}

/// Whether script data is `onMetaData`, with or without what makes a server keep it.
pub(crate) fn is_metadata(payload: &[u8]) -> bool {
    payload.strip_prefix(SET_DATA_FRAME).unwrap_or(payload).starts_with(ON_META_DATA)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    #[test]
    fn messages_are_told_apart() {
        use TagKind::{Audio, Script, Video};
        for (kind, payload, class) in [
            (Script, &b"\x02\0\x0aonMetaData\x05"[..], Class::Metadata),
            (Script, b"\x02\0\x0d@setDataFrame\x02\0\x0aonMetaData\x05", Class::Metadata),
            (Script, b"\x02\0\x0aonTextData\x05", Class::Data),
            (Video, b"\x17\0\0\0\0\x01", Class::VideoHeader(0)),
            (Video, b"\x17\x01\0\0\0x", Class::Key(0)),
            (Video, b"\x27\x01\0\0\0x", Class::Picture),
            (Video, b"\x90hvc1\x01", Class::VideoHeader(0)),
            (Video, b"\x96\0hvc1\x02x", Class::VideoHeader(2)),
            (Video, b"\x17\x02\0\0\0", Class::Picture),
            (Video, b"", Class::Picture),
            (Audio, b"\xaf\0\x12\x10", Class::AudioHeader(0)),
            (Audio, b"\xaf\x01x", Class::Sound),
            (Audio, b"", Class::Sound),
        ] {
            let tag = Tag { kind, timestamp: 0, payload: Bytes::from_static(payload) };
            assert_eq!(Class::of(&tag), class, "{payload:?}");
        }
    }
}
