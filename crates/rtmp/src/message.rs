//! One RTMP message: what the chunk layer carries and what a session takes and gives.
//!
//! Here stands the envelope only (RTMP 1.0, section 6.1). What the payload of a protocol control
//! or user control message means stands in `control`; commands stand with the sessions.

use bytes::Bytes;

/// The message type id (RTMP 1.0, sections 5.4, 6.2 and 7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MessageType(pub u8);

impl MessageType {
    /// Set Chunk Size (5.4.1).
    pub const SET_CHUNK_SIZE: Self = Self(1);
    /// Abort Message (5.4.2).
    pub const ABORT: Self = Self(2);
    /// Acknowledgement (5.4.3).
    pub const ACKNOWLEDGEMENT: Self = Self(3);
    /// User Control Message (6.2).
    pub const USER_CONTROL: Self = Self(4);
    /// Window Acknowledgement Size (5.4.4).
    pub const WINDOW_ACK_SIZE: Self = Self(5);
    /// Set Peer Bandwidth (5.4.5).
    pub const SET_PEER_BANDWIDTH: Self = Self(6);
    /// Audio (7.1.4).
    pub const AUDIO: Self = Self(8);
    /// Video (7.1.5).
    pub const VIDEO: Self = Self(9);
    /// Data, AMF3 behind one zero byte (7.1.2).
    pub const DATA_AMF3: Self = Self(15);
    /// Shared object, AMF3 (7.1.3).
    pub const SHARED_OBJECT_AMF3: Self = Self(16);
    /// Command, AMF3 behind one zero byte (7.1.1).
    pub const COMMAND_AMF3: Self = Self(17);
    /// Data, AMF0 (7.1.2).
    pub const DATA_AMF0: Self = Self(18);
    /// Shared object, AMF0 (7.1.3).
    pub const SHARED_OBJECT_AMF0: Self = Self(19);
    /// Command, AMF0 (7.1.1).
    pub const COMMAND_AMF0: Self = Self(20);
    /// Aggregate (7.1.6).
    pub const AGGREGATE: Self = Self(22);
}

/// One whole message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The chunk stream it came on, or shall go out on (2 to 65,599).
    pub chunk_stream_id: u32,
    /// Milliseconds, absolute, modulo 2^32.
    pub timestamp: u32,
    /// What the payload is.
    pub kind: MessageType,
    /// The message stream id; 0 carries the connection's own commands.
    pub stream_id: u32,
    /// The payload, without any chunk header.
    pub payload: Bytes,
}
