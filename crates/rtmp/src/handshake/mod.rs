//! The handshake that opens an RTMP connection (RTMP 1.0, section 5.2), as server and as client.
//!
//! Here stand both machines and what they share. Deadlines belong to whoever has a clock; bytes
//! after the handshake belong to [`crate::chunk`].
//!
//! ```text
//! client  C0 (1)  C1 (1536)                                    C2 (1536)  messages ...
//! server                     S0 (1)  S1 (1536)  S2 (1536)                 messages ...
//! ```
//!
//! ```
//! use bytes::BytesMut;
//! use millstream_rtmp::handshake::{ClientHandshake, Progress, ServerHandshake, Style};
//!
//! let (mut to_server, mut to_client) = (BytesMut::new(), BytesMut::new());
//! let mut client = ClientHandshake::new([1; 32], Style::Digest);
//! let mut server = ServerHandshake::new([2; 32]);
//!
//! client.start(&mut to_server);
//! let progress = server.receive(&mut &to_server.split()[..], &mut to_client)?;
//! assert_eq!(progress, Progress::NeedMore);
//! let progress = client.receive(&mut &to_client.split()[..], &mut to_server)?;
//! assert_eq!(progress, Progress::Done);
//! let progress = server.receive(&mut &to_server.split()[..], &mut to_client)?;
//! assert_eq!(progress, Progress::Done);
//! # Ok::<(), millstream_rtmp::handshake::HandshakeError>(())
//! ```
//!
//! # What is accepted
//!
//! - **Versions.** 3 alone. 6, 8 and 9 are the encrypted RTMPE and its relatives, refused by name;
//!   all others are refused too. Section 5.2.2 would have a server answer 3 to an unknown version;
//!   what arrives in practice is TLS or HTTP at the wrong port, which no answer helps.
//! - **Simple and digest.** A first packet whose version field (bytes 4 to 7) is not zero may
//!   carry an HMAC-SHA256 digest under a key that Adobe's programs had built in, at a place that
//!   one of two schemes derives from the packet itself. The server answers in the scheme it found;
//!   some players refuse certain codecs otherwise. If no digest is right, it goes on with the
//!   simple handshake. The keys have been public for long: a digest proves nothing about the peer.
//! - **C2 and S2** are taken but not compared with anything. Their content is an echo, or a second
//!   digest; several encoders send others, and no property of the connection depends on it.
//! - **Pipelining.** Whatever comes in one piece with the handshake is left in the input.
//!
//! A server sends nothing before C1 is whole, so it cannot be used to amplify. The random fields
//! are expanded from 32 bytes given by the caller, and the time fields are zero, so a machine with
//! the same entropy and input always says the same.

mod client;
mod digest;
mod packet;
mod server;

use core::fmt;

pub use client::{ClientHandshake, Style};
pub use server::ServerHandshake;

/// Bytes each side sends in the handshake, and receives: one of version and two packets.
pub const HANDSHAKE_BYTES: u64 = 1 + 2 * packet::PACKET_BYTES as u64;

/// The RTMP version of this crate.
const VERSION: u8 = 3;

/// How far a handshake is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The input is used up and the peer has more to send.
    NeedMore,
    /// The handshake is over; what is left of the input belongs to the chunk reader.
    Done,
}

/// Why a handshake was refused. Final, and the peer's doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HandshakeError {
    /// RTMPE (version 6) or one of its relatives (8: XTEA, 9: Blowfish), which are not spoken here.
    Encrypted {
        /// 6, 8 or 9.
        version: u8,
    },
    /// Any other version but 3. 0x16 is the beginning of TLS, letters are mostly those of HTTP.
    UnsupportedVersion {
        /// The first byte of the connection.
        version: u8,
    },
}

impl fmt::Display for HandshakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Encrypted { version } => {
                write!(f, "encrypted RTMP (RTMPE, version {version}) is not supported")
            }
            Self::UnsupportedVersion { version: 0x16 } => {
                write!(f, "not RTMP but TLS (first byte 0x16)")
            }
            Self::UnsupportedVersion { version } => {
                write!(f, "unsupported RTMP version {version:#04x}")
            }
        }
    }
}

impl core::error::Error for HandshakeError {}

/// Judges C0 or S0.
fn check_version(version: u8) -> Result<(), HandshakeError> {
    match version {
        VERSION => Ok(()),
        6 | 8 | 9 => Err(HandshakeError::Encrypted { version }),
        _ => Err(HandshakeError::UnsupportedVersion { version }),
    }
}
