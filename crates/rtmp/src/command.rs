//! Command messages: a name, a transaction id and arguments (RTMP 1.0, section 7.1.1).
//!
//! Encoding and decoding only; what a command does stands with the sessions. The AMF3 envelope
//! (message type 17) is one zero byte and then AMF0, in which single values may switch to AMF3.

mod amf3;

use crate::limits::COMMAND_BYTES_MAX;
use crate::message::{Message, MessageType};
use bytes::{Bytes, BytesMut};
use millstream_amf0::{DecodeError, Decoder, EncodeError, Limits, Object, Value};
use std::fmt;

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
    Amf0(DecodeError),
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
    /// A transaction id that is missing or no number reads as 0. Arguments end at the first
    /// complex AMF3 value, since its length is not known without decoding it.
    ///
    /// # Errors
    /// [`CommandError`] when the message is too long, has no name or is not AMF0.
    pub fn decode(message: &Message) -> Result<Self, CommandError> {
        if message.payload.len() > COMMAND_BYTES_MAX {
            return Err(CommandError::TooLong { bytes: message.payload.len() });
        }
        let values = amf3::values(open_envelope(message).0)?;
        let mut values = values.into_iter();
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
        }
    }
}

impl std::error::Error for CommandError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Amf0(error) => Some(error),
            _ => None,
        }
    }
}
