//! Protocol control messages (RTMP 1.0, section 5.4) and user control messages (6.2 and 7.1.7):
//! what their payloads mean, both ways.
//!
//! Acting on them is not done here: chunk sizes and aborts go to the chunk reader, the rest to the
//! session. The payloads are short and of fixed length, so decoding allocates nothing.

use core::fmt;

use bytes::{BufMut, Bytes, BytesMut};

use crate::message::{Message, MessageType};

/// The chunk stream of all control messages.
pub const CONTROL_CHUNK_STREAM: u32 = 2;

/// A protocol control or user control message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Control {
    /// The size of the sender's chunks from here on, in bytes (5.4.1). As it stands on the wire:
    /// the chunk reader is what refuses 0 and sizes with bit 31 set.
    SetChunkSize(u32),
    /// The sender will not finish its message on a chunk stream (5.4.2).
    Abort {
        /// The chunk stream.
        chunk_stream_id: u32,
    },
    /// Bytes received so far, modulo 2^32 (5.4.3).
    Acknowledgement(u32),
    /// Bytes the sender sends between acknowledgements it expects (5.4.4).
    WindowAckSize(u32),
    /// The receiver shall limit what it sends unacknowledged (5.4.5).
    SetPeerBandwidth {
        /// Window, in bytes.
        size: u32,
        /// How it relates to the window in force.
        limit: BandwidthLimit,
    },
    /// A user control message (6.2).
    User(UserControl),
}

/// The limit type of Set Peer Bandwidth (5.4.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BandwidthLimit {
    /// 0: to this window.
    Hard,
    /// 1: to this window or the one in force, whichever is smaller.
    Soft,
    /// 2: like hard if the last one was hard, otherwise nothing.
    Dynamic,
    /// No type of the specification.
    Other(u8),
}

/// A user control message: an event and its data (7.1.7). Stream ids are message stream ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserControl {
    /// 0: the stream can be used.
    StreamBegin(u32),
    /// 1: its playback has ended.
    StreamEof(u32),
    /// 2: it has no data for now.
    StreamDry(u32),
    /// 3: how much the player buffers.
    SetBufferLength {
        /// The stream.
        stream_id: u32,
        /// Length in milliseconds.
        ms: u32,
    },
    /// 4: the stream is a recording.
    StreamIsRecorded(u32),
    /// 6: to be answered with the same value, a server's clock in milliseconds.
    PingRequest(u32),
    /// 7: the answer.
    PingResponse(u32),
    /// 31: the server has sent all it has for the buffer. Not in the specification; sent by Flash
    /// Media Server and known to librtmp.
    BufferEmpty(u32),
    /// 32: the server sends again. As above.
    BufferReady(u32),
    /// Any other event, kept as it came.
    Other {
        /// The event type.
        event: u16,
        /// What follows it: a slice of the message's payload.
        data: Bytes,
    },
}

impl Control {
    /// Reads a control message; `None` if the message is of another type.
    ///
    /// Bytes after the fixed length are ignored, as FFmpeg, librtmp and nginx-rtmp ignore them. Set
    /// Peer Bandwidth without its limit type is read as dynamic: the last two know such senders.
    /// The chunk stream and message stream the message came on are not looked at.
    ///
    /// # Errors
    ///
    /// If the payload is shorter than the message type or event needs.
    pub fn decode(message: &Message) -> Result<Option<Self>, ControlError> {
        let payload = &message.payload;
        let number = |needed| match payload.first_chunk() {
            Some(bytes) => Ok(u32::from_be_bytes(*bytes)),
            None => {
                Err(ControlError::TooShort { kind: message.kind, needed, length: payload.len() })
            }
        };
        Ok(Some(match message.kind {
            MessageType::SET_CHUNK_SIZE => Self::SetChunkSize(number(4)?),
            MessageType::ABORT => Self::Abort { chunk_stream_id: number(4)? },
            MessageType::ACKNOWLEDGEMENT => Self::Acknowledgement(number(4)?),
            MessageType::WINDOW_ACK_SIZE => Self::WindowAckSize(number(4)?),
            MessageType::SET_PEER_BANDWIDTH => {
                let size = number(4)?;
                let limit = BandwidthLimit::from_wire(payload.get(4).copied().unwrap_or(2));
                Self::SetPeerBandwidth { size, limit }
            }
            MessageType::USER_CONTROL => Self::User(UserControl::decode(payload)?),
            _ => return Ok(None),
        }))
    }

    /// The message to send: chunk stream 2, message stream 0, time 0.
    pub fn encode(&self) -> Message {
        let (kind, payload) = match *self {
            Self::SetChunkSize(size) => (MessageType::SET_CHUNK_SIZE, number(size)),
            Self::Abort { chunk_stream_id } => (MessageType::ABORT, number(chunk_stream_id)),
            Self::Acknowledgement(bytes) => (MessageType::ACKNOWLEDGEMENT, number(bytes)),
            Self::WindowAckSize(size) => (MessageType::WINDOW_ACK_SIZE, number(size)),
            Self::SetPeerBandwidth { size, limit } => {
                let [a, b, c, d] = size.to_be_bytes();
                let payload = Bytes::copy_from_slice(&[a, b, c, d, limit.to_wire()]);
                (MessageType::SET_PEER_BANDWIDTH, payload)
            }
            Self::User(ref event) => (MessageType::USER_CONTROL, event.encode()),
        };
        Message { chunk_stream_id: CONTROL_CHUNK_STREAM, timestamp: 0, kind, stream_id: 0, payload }
    }
}

impl From<UserControl> for Control {
    fn from(event: UserControl) -> Self {
        Self::User(event)
    }
}

impl BandwidthLimit {
    fn from_wire(value: u8) -> Self {
        match value {
            0 => Self::Hard,
            1 => Self::Soft,
            2 => Self::Dynamic,
            other => Self::Other(other),
        }
    }

    fn to_wire(self) -> u8 {
        match self {
            Self::Hard => 0,
            Self::Soft => 1,
            Self::Dynamic => 2,
            Self::Other(other) => other,
        }
    }
}

impl UserControl {
    fn decode(payload: &Bytes) -> Result<Self, ControlError> {
        let Some(event) = payload.first_chunk() else {
            return Err(ControlError::TooShort {
                kind: MessageType::USER_CONTROL,
                needed: 2,
                length: payload.len(),
            });
        };
        let event = u16::from_be_bytes(*event);
        let data = &payload[2..];
        let first = |needed| match data.first_chunk() {
            Some(bytes) => Ok(u32::from_be_bytes(*bytes)),
            None => Err(ControlError::EventTooShort { event, needed, length: data.len() }),
        };
        Ok(match event {
            0 => Self::StreamBegin(first(4)?),
            1 => Self::StreamEof(first(4)?),
            2 => Self::StreamDry(first(4)?),
            3 => {
                let Some(ms) = data.get(4..).and_then(<[u8]>::first_chunk) else {
                    let length = data.len();
                    return Err(ControlError::EventTooShort { event, needed: 8, length });
                };
                Self::SetBufferLength { stream_id: first(8)?, ms: u32::from_be_bytes(*ms) }
            }
            4 => Self::StreamIsRecorded(first(4)?),
            6 => Self::PingRequest(first(4)?),
            7 => Self::PingResponse(first(4)?),
            31 => Self::BufferEmpty(first(4)?),
            32 => Self::BufferReady(first(4)?),
            _ => Self::Other { event, data: payload.slice(2..) },
        })
    }

    fn encode(&self) -> Bytes {
        let (event, value) = match *self {
            Self::StreamBegin(id) => (0, id),
            Self::StreamEof(id) => (1, id),
            Self::StreamDry(id) => (2, id),
            Self::SetBufferLength { stream_id, ms } => {
                return payload(3, &(u64::from(stream_id) << 32 | u64::from(ms)).to_be_bytes());
            }
            Self::StreamIsRecorded(id) => (4, id),
            Self::PingRequest(time) => (6, time),
            Self::PingResponse(time) => (7, time),
            Self::BufferEmpty(id) => (31, id),
            Self::BufferReady(id) => (32, id),
            Self::Other { event, ref data } => return payload(event, data),
        };
        payload(event, &value.to_be_bytes())
    }
}

fn number(value: u32) -> Bytes {
    Bytes::copy_from_slice(&value.to_be_bytes())
}

fn payload(event: u16, data: &[u8]) -> Bytes {
    let mut payload = BytesMut::with_capacity(2 + data.len());
    payload.put_u16(event);
    payload.put_slice(data);
    payload.freeze()
}

/// A control message that is too short to mean anything. Always the peer's doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ControlError {
    /// Shorter than its message type needs.
    TooShort {
        /// The message type.
        kind: MessageType,
        /// Bytes it needs.
        needed: usize,
        /// Bytes it has.
        length: usize,
    },
    /// A user control message with less data than its event needs.
    EventTooShort {
        /// The event type.
        event: u16,
        /// Bytes the event needs after its type.
        needed: usize,
        /// Bytes it has there.
        length: usize,
    },
}

impl fmt::Display for ControlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooShort { kind, needed, length } => {
                write!(f, "control message of type {} has {length} of {needed} bytes", kind.0)
            }
            Self::EventTooShort { event, needed, length } => {
                write!(f, "user control event {event} has {length} of {needed} bytes of data")
            }
        }
    }
}

impl core::error::Error for ControlError {}
