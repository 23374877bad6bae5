//! Why a connection ended.

use crate::chunk::{ChunkError, ChunkErrorKind};
use crate::handshake::HandshakeError;
use crate::session::{Fault, SessionError};
use std::fmt;

/// The end of a connection, and where in the peer's bytes it came.
#[derive(Clone, Debug, PartialEq)]
pub struct ConnectionError {
    /// Bytes received when it came, handshake included: the place in a capture of one direction.
    pub at: u64,
    /// What happened.
    pub kind: ConnectionErrorKind,
}

/// The layer that ended a connection, and why.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ConnectionErrorKind {
    /// No RTMP handshake.
    Handshake(HandshakeError),
    /// Chunks that cannot be read, or cost too much.
    Chunk(ChunkError),
    /// Messages that cannot be read, or may not come.
    Session(SessionError),
    /// Used after an earlier error: the caller's mistake.
    Ended,
}

impl ConnectionError {
    /// A stable short name, for logs and counters.
    pub fn name(&self) -> &'static str {
        match &self.kind {
            ConnectionErrorKind::Handshake(error) => match error {
                HandshakeError::Encrypted { .. } => "handshake-encrypted",
                HandshakeError::UnsupportedVersion { .. } => "handshake-version",
            },
            ConnectionErrorKind::Chunk(error) => match error.kind {
                ChunkErrorKind::NoPrecedingHeader { .. } => "chunk-without-header",
                ChunkErrorKind::MessageInterrupted { .. } => "message-interrupted",
                ChunkErrorKind::MessageChanged { .. } => "message-changed",
                ChunkErrorKind::InvalidChunkSize { .. } => "chunk-size-invalid",
                ChunkErrorKind::MessageTooLong { .. } => "message-too-long",
                ChunkErrorKind::ReassemblyFull { .. } => "reassembly-full",
                ChunkErrorKind::TooManyChunkStreams { .. } => "too-many-chunk-streams",
                ChunkErrorKind::TinyChunks { .. } => "tiny-chunks",
            },
            ConnectionErrorKind::Session(error) => error.name(),
            ConnectionErrorKind::Ended => "used-after-end",
        }
    }

    /// Whose fault it is.
    pub fn fault(&self) -> Fault {
        match &self.kind {
            ConnectionErrorKind::Handshake(_) => Fault::Malformed,
            ConnectionErrorKind::Chunk(error) => match error.kind.fault() {
                crate::chunk::Fault::Malformed => Fault::Malformed,
                _ => Fault::Peer,
            },
            ConnectionErrorKind::Session(error) => error.fault(),
            ConnectionErrorKind::Ended => Fault::Caller,
        }
    }
}

impl fmt::Display for ConnectionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "after {} bytes: ", self.at)?;
        match &self.kind {
            ConnectionErrorKind::Handshake(error) => error.fmt(f),
            ConnectionErrorKind::Chunk(error) => error.fmt(f),
            ConnectionErrorKind::Session(error) => error.fmt(f),
            ConnectionErrorKind::Ended => f.write_str("the connection has ended before"),
        }
    }
}

impl std::error::Error for ConnectionError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.kind {
            ConnectionErrorKind::Handshake(error) => Some(error),
            ConnectionErrorKind::Chunk(error) => Some(error),
            ConnectionErrorKind::Session(error) => Some(error),
            ConnectionErrorKind::Ended => None,
        }
    }
}

impl From<HandshakeError> for ConnectionErrorKind {
    fn from(error: HandshakeError) -> Self {
        Self::Handshake(error)
    }
}

impl From<ChunkError> for ConnectionErrorKind {
    fn from(error: ChunkError) -> Self {
        Self::Chunk(error)
    }
}

impl From<SessionError> for ConnectionErrorKind {
    fn from(error: SessionError) -> Self {
        Self::Session(error)
    }
}
