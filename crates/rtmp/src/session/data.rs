//! Data messages: metadata, cue points, texts (RTMP 1.0, section 7.1.2).
//!
//! Only the leading name is read. The values behind it stay as bytes, which are relayed as they
//! are, unless some are switched to AMF3: those are written anew, for who reads AMF0 alone.
//! `@setDataFrame` and `@clearDataFrame`, which address the server, are taken off.

use crate::command::{leading_string, open_envelope};
use crate::message::Message;
use crate::values::without_amf3;
use bytes::Bytes;

/// What a data message asks the server to do with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataFrame {
    /// Relay it once, as any other message.
    Pass,
    /// `@setDataFrame`: relay it, and give it to each later viewer too.
    Set,
    /// `@clearDataFrame`: forget what was set under this name.
    Clear,
}

/// A data message with its envelope taken off.
#[derive(Clone, Debug, PartialEq)]
pub struct Data {
    /// The message stream it belongs to.
    pub stream_id: u32,
    /// Milliseconds modulo 2^32.
    pub timestamp: u32,
    /// The handler's name: `onMetaData`, `onTextData`, `onCuePoint` ... Empty when the payload
    /// does not begin with a string.
    pub name: String,
    /// Whether the publisher wants it kept.
    pub frame: DataFrame,
    /// AMF0: the name, then the values. It shares the message's bytes.
    ///
    /// Values that came in AMF3 are in AMF0 here, as [`Values`](crate::values::Values) tells, and
    /// the bytes are then new ones. What cannot be read, or would be too long, is as it was sent.
    pub payload: Bytes,
}

/// Takes the envelope and the data frame command off. What is written anew has at most `bytes_max`.
pub(crate) fn open_data(message: &Message, bytes_max: u32) -> Data {
    let (values, skip) = open_envelope(message);
    let plain = without_amf3(values, bytes_max as usize);
    let mut payload = plain.unwrap_or_else(|| message.payload.slice(skip..));
    let mut frame = DataFrame::Pass;
    let mut leading = leading_string(&payload);
    if let Some((name, end)) = &leading {
        frame = match name.as_str() {
            "@setDataFrame" => DataFrame::Set,
            "@clearDataFrame" => DataFrame::Clear,
            _ => DataFrame::Pass,
        };
        if frame != DataFrame::Pass {
            payload = payload.slice(*end..);
            leading = leading_string(&payload);
        }
    }
    let name = leading.map(|(name, _)| name).unwrap_or_default();
    let (stream_id, timestamp) = (message.stream_id, message.timestamp);
    Data { stream_id, timestamp, name, frame, payload }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open_data(message: &Message) -> Data {
        super::open_data(message, 1000)
    }

    use crate::command::payload_of;
    use crate::message::MessageType;
    use millstream_amf0::Value;

    fn message(kind: MessageType, payload: Bytes) -> Message {
        Message { chunk_stream_id: 4, timestamp: 7, kind, stream_id: 1, payload }
    }

    #[test]
    fn set_data_frame_is_taken_off_and_the_rest_is_untouched() {
        let inner = payload_of(&["onMetaData".into(), 1.0.into()]).unwrap();
        let outer = payload_of(&["@setDataFrame".into(), "onMetaData".into(), 1.0.into()]).unwrap();
        let data = open_data(&message(MessageType::DATA_AMF0, outer));
        assert_eq!((data.name.as_str(), data.frame), ("onMetaData", DataFrame::Set));
        assert_eq!(data.payload, inner);
        let data = open_data(&message(MessageType::DATA_AMF0, inner.clone()));
        assert_eq!((data.name.as_str(), data.frame), ("onMetaData", DataFrame::Pass));
        assert_eq!(data.payload, inner);
    }

    #[test]
    fn the_amf3_envelope_is_taken_off() {
        let inner = payload_of(&["onTextData".into(), Value::Null]).unwrap();
        let mut enveloped = vec![0];
        enveloped.extend_from_slice(&inner);
        let data = open_data(&message(MessageType::DATA_AMF3, enveloped.into()));
        assert_eq!((data.name.as_str(), data.payload), ("onTextData", inner));
    }

    #[test]
    fn values_in_amf3_are_written_anew() {
        let expected = payload_of(&["onMetaData".into(), vec_of_two()]).unwrap();
        // The name, the values, or both are switched; of either type of message.
        let name = [2, 0, 10].iter().chain(b"onMetaData").copied().collect::<Vec<u8>>();
        let name3 = [0x11, 6, 21].iter().chain(b"onMetaData").copied().collect::<Vec<u8>>();
        let values3 = b"\x11\x09\x05\x01\x04\x01\x04\x02";
        for payload in [[&name[..], values3].concat(), [&name3[..], values3].concat()] {
            for (kind, envelope) in
                [(MessageType::DATA_AMF0, &b""[..]), (MessageType::DATA_AMF3, b"\0")]
            {
                let data = open_data(&message(kind, [envelope, &payload].concat().into()));
                assert_eq!((data.name.as_str(), &data.payload), ("onMetaData", &expected));
            }
        }
        let set = [b"\0\x11\x06\x1b@setDataFrame", &name3[..], values3].concat();
        let data = open_data(&message(MessageType::DATA_AMF3, set.into()));
        assert_eq!((data.name.as_str(), data.frame), ("onMetaData", DataFrame::Set));
        assert_eq!(data.payload, expected);
        // What cannot be read stays as it is.
        let cut = Bytes::from([&name[..], &values3[..7]].concat());
        let data = open_data(&message(MessageType::DATA_AMF0, cut.clone()));
        assert_eq!((data.name.as_str(), data.payload), ("onMetaData", cut));
    }

    fn vec_of_two() -> Value {
        Value::StrictArray(vec![1.0.into(), 2.0.into()])
    }

    #[test]
    fn a_payload_without_a_name_is_handed_up_without_one() {
        for payload in [&b""[..], b"\x00", b"\x05", b"\x02\xff\xff", b"garbage"] {
            let data = open_data(&message(MessageType::DATA_AMF0, Bytes::copy_from_slice(payload)));
            assert_eq!((data.name.as_str(), &data.payload[..]), ("", payload));
        }
    }
}
