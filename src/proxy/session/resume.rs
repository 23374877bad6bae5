//! What is kept of a stream for a target that comes back: metadata and sequence headers, nothing
//! else; and from which frame on it is sent again.

use crate::ingest;
use crate::limits::{HEADER_BYTES_MAX, HEADER_SLOTS_MAX, NO_KEY_AFTER};
use crate::stream::headers::{Carrier, HeaderSlot, Headers};
use crate::stream::segment::Kind;
use bytes::Bytes;
use millstream_rtmp::message::{Message, MessageType};
use millstream_rtmp::session::{Data, DataFrame};
use std::time::Instant;

/// AMF0 of the string that stands before metadata which a server shall keep.
const SET_DATA_FRAME: &[u8] = b"\x02\x00\x0d@setDataFrame";
/// AMF0 of the string that has a server forget such metadata.
const CLEAR_DATA_FRAME: &[u8] = b"\x02\x00\x0f@clearDataFrame";

/// The headers of one stream, and whether it is under way.
#[derive(Debug)]
pub(super) struct Resume {
    headers: Headers,
    has_video: bool,
    gate: Gate,
}

#[derive(Clone, Copy, Debug)]
enum Gate {
    Open,
    /// A target came back then, and has been sent nothing yet.
    Shut(Instant),
}

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// It is sent.
    Pass,
    /// The headers are sent, then it is.
    Begin,
    /// It is left out.
    Leave,
}

impl Resume {
    /// A stream that begins: all of it is sent.
    pub(super) fn new() -> Self {
        Self { headers: Headers::default(), has_video: false, gate: Gate::Open }
    }

    /// The target has come back and knows nothing of the stream.
    pub(super) fn shut(&mut self, now: Instant) {
        self.gate = Gate::Shut(now);
    }

    /// Sound or pictures.
    pub(super) fn media(&mut self, message: &Message, now: Instant) -> Step {
        // Flash sends empty messages as a sign of life.
        let Some(arrival) = ingest::rtmp::media(message) else { return self.step(None, now) };
        self.has_video |= arrival.kind.is_video();
        self.keep(arrival.header, &message.payload);
        self.step(Some(arrival.kind), now)
    }

    /// Data; `payload` is the message's as it came, see [`whole`].
    pub(super) fn data(&mut self, data: &Data, payload: &Bytes, now: Instant) -> Step {
        if data.frame != DataFrame::Clear {
            self.keep(ingest::rtmp::data(data).header, payload);
        }
        self.step(Some(Kind::Data), now)
    }

    /// What a target that comes back is sent first.
    pub(super) fn headers(&self) -> impl Iterator<Item = (MessageType, Bytes)> {
        self.headers.iter().map(|(slot, payload)| {
            let kind = match slot.carrier {
                Carrier::Data => MessageType::DATA_AMF0,
                Carrier::Video => MessageType::VIDEO,
                Carrier::Audio => MessageType::AUDIO,
            };
            (kind, payload.clone())
        })
    }

    fn keep(&mut self, slot: Option<HeaderSlot>, payload: &[u8]) {
        let Some(slot) = slot.filter(|slot| !self.headers.holds(*slot, payload)) else { return };
        // Beyond the bounds the oldest set stays: such a stream passes, and resumes without it.
        if let Some(headers) = self.headers.with(slot, payload, HEADER_SLOTS_MAX, HEADER_BYTES_MAX)
        {
            self.headers = headers;
        }
    }

    /// Behind a shut gate nothing passes before a key frame; before sound, where there are no
    /// pictures; before any frame, where no key frame comes for long (intra refresh).
    fn step(&mut self, kind: Option<Kind>, now: Instant) -> Step {
        let Gate::Shut(since) = self.gate else { return Step::Pass };
        let begins = match kind {
            Some(Kind::VideoKey) => true,
            Some(Kind::Audio) if !self.has_video => true,
            Some(Kind::Video | Kind::Audio) => now.duration_since(since) >= NO_KEY_AFTER,
            _ => false,
        };
        if !begins {
            return Step::Leave;
        }
        self.gate = Gate::Open;
        Step::Begin
    }
}

/// A data message as its sender wrote it: with the command to the server that the session took off.
pub(super) fn whole(data: &Data) -> Bytes {
    let command = match data.frame {
        DataFrame::Pass => return data.payload.clone(),
        DataFrame::Set => SET_DATA_FRAME,
        DataFrame::Clear => CLEAR_DATA_FRAME,
    };
    [command, &data.payload].concat().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: MessageType, payload: &'static [u8]) -> Message {
        let payload = Bytes::from_static(payload);
        Message { chunk_stream_id: 4, timestamp: 0, kind, stream_id: 1, payload }
    }

    fn video(payload: &'static [u8]) -> Message {
        message(MessageType::VIDEO, payload)
    }

    const KEY: &[u8] = b"\x17\x01\0\0\0k";
    const PICTURE: &[u8] = b"\x27\x01\0\0\0p";
    const SOUND: &[u8] = b"\xaf\x01s";

    #[test]
    fn it_goes_on_at_a_key_frame_behind_the_newest_headers() {
        let (mut resume, now) = (Resume::new(), Instant::now());
        for payload in [b"\x17\0\0\0\0old".as_slice(), b"\x17\0\0\0\0new", PICTURE, KEY] {
            assert_eq!(resume.media(&video(payload), now), Step::Pass);
        }
        resume.media(&message(MessageType::AUDIO, b"\xaf\0\x12\x10"), now);
        resume.shut(now);
        assert_eq!(resume.media(&video(PICTURE), now), Step::Leave);
        assert_eq!(resume.media(&message(MessageType::AUDIO, SOUND), now), Step::Leave);
        assert_eq!(resume.media(&video(KEY), now), Step::Begin);
        let headers: Vec<_> = resume.headers().collect();
        let expected = [
            (MessageType::VIDEO, Bytes::from_static(b"\x17\0\0\0\0new")),
            (MessageType::AUDIO, Bytes::from_static(b"\xaf\0\x12\x10")),
        ];
        assert_eq!(headers, expected);
        assert_eq!(resume.media(&video(PICTURE), now), Step::Pass);
    }

    #[test]
    fn sound_alone_waits_for_no_picture_and_intra_refresh_not_for_ever() {
        let (mut resume, now) = (Resume::new(), Instant::now());
        resume.shut(now);
        assert_eq!(resume.media(&message(MessageType::AUDIO, SOUND), now), Step::Begin);
        resume.media(&video(PICTURE), now);
        resume.shut(now);
        assert_eq!(resume.media(&video(PICTURE), now), Step::Leave);
        assert_eq!(resume.media(&video(PICTURE), now + NO_KEY_AFTER), Step::Begin);
    }

    #[test]
    fn data_goes_out_as_it_came() {
        let payload = Bytes::from_static(b"\x02\0\x0aonMetaData\x05");
        for (frame, command) in [
            (DataFrame::Pass, &b""[..]),
            (DataFrame::Set, SET_DATA_FRAME),
            (DataFrame::Clear, CLEAR_DATA_FRAME),
        ] {
            let name = "onMetaData".to_owned();
            let data = Data { stream_id: 1, timestamp: 0, name, frame, payload: payload.clone() };
            assert_eq!(whole(&data), [command, &payload].concat());
            assert_eq!(
                command.len().saturating_sub(3),
                command.get(2).map_or(0, |&len| len.into())
            );
        }
    }
}
