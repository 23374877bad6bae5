//! One coded frame as recorders, packagers and taps see it. What is in the payload the codec
//! says; the framing of any container is gone.

use bytes::Bytes;

use crate::{Timestamp, TrackKind};

/// One access unit of a track.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// What kind of track it belongs to.
    pub kind: TrackKind,
    /// The number of that track among those of its kind.
    pub track_id: u8,
    /// When it is to be decoded, on the timeline of the stream.
    pub decode_time: Timestamp,
    /// How much later it is to be shown, in milliseconds (ISO/IEC 14496-12, 8.6.1.3). Negative
    /// values are legal, and occur.
    pub composition_offset_ms: i32,
    /// Whether decoding can begin here. True for every frame of most sound codecs.
    pub key: bool,
    /// The coded frame.
    pub payload: Bytes,
}

impl Frame {
    /// When it is to be shown or heard.
    pub fn presentation_time(&self) -> Timestamp {
        self.decode_time.offset_by(i64::from(self.composition_offset_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presentation_is_never_before_the_start() {
        let mut frame = Frame {
            kind: TrackKind::Video,
            track_id: 0,
            decode_time: Timestamp::from_ms(40),
            composition_offset_ms: 80,
            key: true,
            payload: Bytes::new(),
        };
        assert_eq!(frame.presentation_time(), Timestamp::from_ms(120));
        frame.composition_offset_ms = -80;
        assert_eq!(frame.presentation_time(), Timestamp::ZERO);
    }
}
