//! Why a chunk stream could not be read on, and where.
//!
//! Every error here is final for the connection: after it nobody can know where the next chunk
//! begins. Which status the peer is told, if any, is the session's to say.

use core::fmt;

/// A refusal by the chunk reader, with enough detail to find it in a packet capture.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ChunkError {
    /// What was wrong.
    pub kind: ChunkErrorKind,
    /// Offset of the first byte of the chunk in question, counted from the first byte given to the
    /// reader. The handshake comes before it: add
    /// [`HANDSHAKE_BYTES`](crate::handshake::HANDSHAKE_BYTES) for the offset in the connection.
    pub offset: u64,
    /// The chunk stream of that chunk.
    pub chunk_stream_id: u32,
    bytes: [u8; Self::BYTES_MAX],
    bytes_len: u8,
}

impl ChunkError {
    /// Header bytes kept in an error: the longest header but its extended timestamp.
    const BYTES_MAX: usize = 14;

    pub(super) fn new(kind: ChunkErrorKind, offset: u64, chunk_stream_id: u32, at: &[u8]) -> Self {
        let len = at.len().min(Self::BYTES_MAX);
        let mut bytes = [0; Self::BYTES_MAX];
        bytes[..len].copy_from_slice(&at[..len]);
        Self { kind, offset, chunk_stream_id, bytes, bytes_len: len as u8 }
    }

    /// The first bytes at `offset`, as far as they had arrived (14 at most). None where the header
    /// was not at fault: a chunk size that was set, payload that finds no room.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.bytes_len)]
    }
}

impl fmt::Debug for ChunkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChunkError")
            .field("kind", &self.kind)
            .field("offset", &self.offset)
            .field("chunk_stream_id", &self.chunk_stream_id)
            .field("bytes", &format_args!("{:02x?}", self.bytes()))
            .finish()
    }
}

impl fmt::Display for ChunkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, offset, chunk_stream_id, .. } = self;
        write!(f, "{kind} (chunk stream {chunk_stream_id}, byte {offset}")?;
        if !self.bytes().is_empty() {
            write!(f, ":")?;
        }
        for byte in self.bytes() {
            write!(f, " {byte:02x}")?;
        }
        write!(f, ")")
    }
}

impl core::error::Error for ChunkError {}

/// What was wrong with a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChunkErrorKind {
    /// A chunk of type 1, 2 or 3 came first on its chunk stream.
    NoPrecedingHeader {
        /// 1, 2 or 3.
        chunk_type: u8,
    },
    /// A chunk of type 0 came while a message on its chunk stream was unfinished.
    MessageInterrupted {
        /// Payload bytes of the unfinished message that had arrived.
        received: u32,
        /// Its announced length.
        length: u32,
    },
    /// A chunk of type 1 in mid-message announced another length or message type.
    MessageChanged {
        /// The length announced first.
        length: u32,
        /// The length announced now.
        announced: u32,
    },
    /// Set Chunk Size of 0, or with bit 31 set (5.4.1).
    InvalidChunkSize {
        /// The size as it was announced.
        size: u32,
    },
    /// A message is longer than [`ChunkLimits::message_bytes_max`](super::ChunkLimits).
    MessageTooLong {
        /// The announced length.
        length: u32,
        /// The limit.
        max: u32,
    },
    /// Unfinished messages would need more than
    /// [`ChunkLimits::reassembly_bytes_max`](super::ChunkLimits).
    ReassemblyFull {
        /// The limit.
        max: usize,
    },
    /// More chunk streams than [`ChunkLimits::chunk_streams_max`](super::ChunkLimits).
    TooManyChunkStreams {
        /// The limit.
        max: u32,
    },
    /// The work of tiny chunks ran past [`ChunkLimits::tiny_chunk_debt_max`](super::ChunkLimits).
    TinyChunks {
        /// The chunk size in force.
        chunk_size: u32,
        /// The limit.
        max: u32,
    },
}

/// Whose doing an error is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The bytes break the protocol.
    Malformed,
    /// The bytes are legal but ask for more than our limits give.
    Limit,
}

impl ChunkErrorKind {
    /// Whose doing it is.
    pub fn fault(&self) -> Fault {
        match self {
            Self::NoPrecedingHeader { .. }
            | Self::MessageInterrupted { .. }
            | Self::MessageChanged { .. }
            | Self::InvalidChunkSize { .. } => Fault::Malformed,
            Self::MessageTooLong { .. }
            | Self::ReassemblyFull { .. }
            | Self::TooManyChunkStreams { .. }
            | Self::TinyChunks { .. } => Fault::Limit,
        }
    }
}

impl fmt::Display for ChunkErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPrecedingHeader { chunk_type } => {
                write!(f, "chunk of type {chunk_type} without a preceding header")
            }
            Self::MessageInterrupted { received, length } => {
                write!(f, "new message after {received} of {length} bytes of another")
            }
            Self::MessageChanged { length, announced } => {
                write!(f, "message of {length} bytes changed in its middle, to {announced} bytes")
            }
            Self::InvalidChunkSize { size } => write!(f, "invalid chunk size {size:#x}"),
            Self::MessageTooLong { length, max } => {
                write!(f, "message of {length} bytes, {max} allowed")
            }
            Self::ReassemblyFull { max } => {
                write!(f, "unfinished messages need more than {max} bytes")
            }
            Self::TooManyChunkStreams { max } => write!(f, "more than {max} chunk streams"),
            Self::TinyChunks { chunk_size, .. } => {
                write!(f, "too many tiny chunks (chunk size {chunk_size})")
            }
        }
    }
}
