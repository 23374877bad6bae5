//! Command messages: a name, a transaction id and arguments (RTMP 1.0, section 7.1.1).
//!
//! Encoding and decoding only; what a command does stands with the sessions. The AMF3 envelope
//! (message type 17) is one zero byte and then AMF0, in which single values may switch to AMF3.

use crate::limits::{COMMAND_ARGUMENTS_MAX, COMMAND_BYTES_MAX, COMMAND_VALUES_MAX};
use crate::message::{Message, MessageType};
use crate::values::{Values, ValuesError};
use bytes::{Bytes, BytesMut};
use millstream_amf0::{self as amf0, Decoder, EncodeError, Limits, Object, Value};
use millstream_amf3 as amf3;
use std::fmt;

/// The name, the transaction id and the arguments.
const VALUES_MAX: usize = COMMAND_ARGUMENTS_MAX + 2;

/// The chunk stream that commands go out on.
pub const COMMAND_CHUNK_STREAM: u32 = 3;

/// One command, as it was sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Command {
    /// The message stream it came on; 0 for commands of the connection.
    pub stream_id: u32,
    /// The procedure, case kept: `connect`, `createStream`, `_result` ...
    pub name: String,
    /// The transaction id as sent: it may be 0, negative or not a number.
    pub transaction: f64,
    /// What follows: the command object (mostly null), then the arguments proper.
    pub arguments: Vec<Value>,
}

/// Why a message is not a command.
#[derive(Clone, Debug, PartialEq)]
pub enum CommandError {
    /// The message is longer than [`COMMAND_BYTES_MAX`].
    TooLong {
        /// Its length in bytes.
        bytes: usize,
    },
    /// The first value is no string.
    NoName,
    /// A value is not AMF0.
    Amf0(amf0::DecodeError),
    /// A value behind a switch to AMF3 is not AMF3.
    Amf3(amf3::DecodeError),
}

impl Command {
    /// A command with a null command object before `arguments`.
    pub fn new(stream_id: u32, name: &str, transaction: f64, arguments: Vec<Value>) -> Self {
        let mut all = Vec::with_capacity(arguments.len() + 1);
        all.push(Value::Null);
        all.extend(arguments);
        Self { stream_id, name: name.to_owned(), transaction, arguments: all }
    }

    /// Reads a message of type 20 or 17.
    ///
    /// A transaction id that is missing or no number reads as 0. Values that are switched to AMF3
    /// come as [`Values`] tells. Arguments end at [`COMMAND_ARGUMENTS_MAX`], and before one with an
    /// AMF3 object in it that only its class can read or that contains itself.
    ///
    /// # Errors
    /// [`CommandError`] when the message is too long, has no name or is not AMF.
    pub fn decode(message: &Message) -> Result<Self, CommandError> {
        if message.payload.len() > COMMAND_BYTES_MAX {
            return Err(CommandError::TooLong { bytes: message.payload.len() });
        }
        let mut values = values(open_envelope(message).0)?.into_iter();
        let name = match values.next() {
            Some(Value::String(name) | Value::LongString(name)) => name,
            _ => return Err(CommandError::NoName),
        };
        let mut arguments: Vec<Value> = values.collect();
        let transaction = arguments.first().and_then(Value::as_number);
        if !arguments.is_empty() {
            arguments.remove(0);
        }
        let transaction = transaction.unwrap_or(0.0);
        Ok(Self { stream_id: message.stream_id, name, transaction, arguments })
    }

    /// The command as a message of type 20 on chunk stream 3, timestamp 0.
    ///
    /// # Errors
    /// [`EncodeError`] when a value cannot be written as AMF0.
    pub fn encode(&self) -> Result<Message, EncodeError> {
        let mut payload = BytesMut::with_capacity(128);
        millstream_amf0::encode(&self.name.as_str().into(), &mut payload)?;
        millstream_amf0::encode(&self.transaction.into(), &mut payload)?;
        millstream_amf0::encode_all(&self.arguments, &mut payload)?;
        Ok(Message {
            chunk_stream_id: COMMAND_CHUNK_STREAM,
            timestamp: 0,
            kind: MessageType::COMMAND_AMF0,
            stream_id: self.stream_id,
            payload: payload.freeze(),
        })
    }

    /// An argument, 0 being the command object; [`Value::Undefined`] where none was sent.
    pub fn argument(&self, index: usize) -> &Value {
        self.arguments.get(index).unwrap_or(&Value::Undefined)
    }

    /// The argument as an object; ECMA arrays and typed objects count.
    pub fn object(&self, index: usize) -> Option<&Object> {
        self.argument(index).as_object()
    }

    /// The transaction id to answer with, or nothing when the peer waits for no answer
    /// (0, negative, infinite or not a number).
    pub fn answer_to(&self) -> Option<f64> {
        (self.transaction.is_finite() && self.transaction > 0.0).then_some(self.transaction)
    }
}

/// The values of a command; more than [`VALUES_MAX`] are not read.
fn values(payload: &[u8]) -> Result<Vec<Value>, CommandError> {
    let limits = Limits { depth: 32, values: COMMAND_VALUES_MAX, bytes: COMMAND_BYTES_MAX };
    let mut reader = Values::new(payload, limits);
    let mut values = Vec::new();
    while values.len() < VALUES_MAX {
        match reader.next() {
            Ok(Some(value)) => values.push(value),
            Ok(None) => break,
            Err(error) if error.is_unsupported() => break,
            Err(ValuesError::Amf0(error)) => return Err(CommandError::Amf0(error)),
            Err(ValuesError::Amf3(error)) => return Err(CommandError::Amf3(error)),
        }
    }
    Ok(values)
}

/// The AMF0 in a command or data message, and how many bytes of envelope stand before it.
///
/// Types 15 and 17 put one byte before the values: 0 for AMF0. Some encoders leave it out, so it
/// is dropped only where it is a 0 that cannot be a number's marker: a number never comes first.
pub(crate) fn open_envelope(message: &Message) -> (&[u8], usize) {
    let enveloped = matches!(message.kind, MessageType::COMMAND_AMF3 | MessageType::DATA_AMF3);
    let skip = usize::from(enveloped && message.payload.first() == Some(&0));
    (&message.payload[skip..], skip)
}

/// The string that `payload` begins with, and where the next value begins.
pub(crate) fn leading_string(payload: &[u8]) -> Option<(String, usize)> {
    let mut decoder = Decoder::new(payload, Limits::default());
    match decoder.next() {
        Ok(Some(Value::String(name) | Value::LongString(name))) => Some((name, decoder.position())),
        _ => None,
    }
}

/// AMF0 values one after the other, as a payload.
pub(crate) fn payload_of(values: &[Value]) -> Result<Bytes, EncodeError> {
    let mut payload = BytesMut::with_capacity(64);
    millstream_amf0::encode_all(values, &mut payload)?;
    Ok(payload.freeze())
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { bytes } => {
                write!(f, "command of {bytes} bytes, at most {COMMAND_BYTES_MAX} are accepted")
            }
            Self::NoName => f.write_str("command without a name"),
            Self::Amf0(error) => write!(f, "command is not AMF0: {error}"),
            Self::Amf3(error) => write!(f, "command is not AMF3: {error}"),
        }
    }
}

impl std::error::Error for CommandError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Amf0(error) => Some(error),
            Self::Amf3(error) => Some(error),
            Self::TooLong { .. } | Self::NoName => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// "play", 4, and what follows.
    fn play(arguments: &[u8]) -> Result<Vec<Value>, CommandError> {
        let payload = [b"\x00\x02\0\x04play\0\x40\x10\0\0\0\0\0\0", arguments].concat();
        let kind = MessageType::COMMAND_AMF3;
        let (chunk_stream_id, timestamp, stream_id) = (COMMAND_CHUNK_STREAM, 0, 1);
        let payload = payload.into();
        let message = Message { chunk_stream_id, timestamp, kind, stream_id, payload };
        let command = Command::decode(&message)?;
        assert_eq!((command.name.as_str(), command.transaction), ("play", 4.0));
        Ok(command.arguments)
    }

    #[test]
    fn a_flash_command_with_amf3_arguments_is_read() {
        let arguments =
            play(b"\x11\x01\x11\x06\x09live\x11\x04\xff\xff\xff\xff\x11\x0a\x0b\x01\x00\x03\x01");
        let object = Object::new().with("live", true);
        assert_eq!(arguments.unwrap(), [Value::Null, "live".into(), (-1.0).into(), object.into()]);
    }

    #[test]
    fn arguments_end_before_objects_that_are_not_read() {
        for tail in [&b"\x11\x0a\x07\x03C\xff\xff"[..], b"\x11\x09\x03\x01\x09\x00\x05"] {
            assert_eq!(play(&[b"\x05", tail].concat()).unwrap(), [Value::Null], "{tail:x?}");
        }
    }

    #[test]
    fn amf3_that_is_cut_or_wrong_is_refused() {
        for tail in [&b"\x11"[..], b"\x11\x05\0", b"\x11\x06\x09l", b"\x11\x04\x80", b"\x11\x12"] {
            let error = play(&[b"\x05", tail].concat()).unwrap_err();
            assert!(matches!(error, CommandError::Amf3(_)), "{tail:x?}: {error}");
        }
    }
}
