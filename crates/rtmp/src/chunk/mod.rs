//! Chunks: how messages are cut up and interleaved on the wire (RTMP 1.0, section 5.3).
//!
//! Here stand the reader, the stateful writer and the stateless writer, with their limits and
//! errors. What a protocol control message *means* stands in [`crate::control`]: the caller acts
//! on it, between two calls, with [`ChunkReader::set_chunk_size`] and [`ChunkReader::abort`].
//!
//! ```text
//! +--------------+----------------+--------------------+----------------------+
//! | basic header | message header | extended timestamp | payload              |
//! | 1, 2, 3      | 11, 7, 3, 0    | 0, 4               | up to the chunk size |
//! +--------------+----------------+--------------------+----------------------+
//! ```
//!
//! ```
//! use bytes::BytesMut;
//! use millstream_rtmp::chunk::{CHUNK_SIZE_DEFAULT, ChunkLimits, ChunkReader, ChunkWriter};
//! use millstream_rtmp::control::Control;
//!
//! // One side writes two messages; the chunk size changes between them.
//! let mut wire = BytesMut::new();
//! let mut writer = ChunkWriter::new(CHUNK_SIZE_DEFAULT);
//! let announcement = Control::SetChunkSize(4096).encode();
//! writer.write(&announcement, &mut wire);
//! writer.set_chunk_size(4096);
//! writer.write(&Control::WindowAckSize(2_500_000).encode(), &mut wire);
//!
//! // The other side reads them, and acts on what it reads before it reads on.
//! let mut reader = ChunkReader::new(ChunkLimits::default());
//! let mut input = &wire[..];
//! while let Some(message) = reader.read(&mut input)? {
//!     if let Some(Control::SetChunkSize(size)) = Control::decode(&message)? {
//!         reader.set_chunk_size(size)?;
//!     }
//! }
//! assert_eq!(reader.chunk_size(), 4096);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Where the specification leaves a choice
//!
//! - **Type 3 beginning a message right after type 0.** The delta is the timestamp of the type 0
//!   chunk, as section 5.3.1.2.4 says. FFmpeg (reading and writing), librtmp and SRS (reading)
//!   agree; nginx-rtmp takes zero, and writes type 3 for a message at the time of the last one,
//!   as librtmp does. The two readings cannot be told apart; the writer here never produces the
//!   case unless they agree.
//! - **Extended timestamp on type 3.** The 2009 text leaves it out, the 2012 text repeats it, and
//!   programs of both kinds are in use. The reader compares the next four bytes with the value
//!   they would repeat, chunk by chunk; the writers repeat it.
//! - **Type 1 or 2 in mid-message** continues the message if it announces the same length and
//!   type, because the specification only says that type 3 *should* be used. Its timestamp does
//!   not move the message, whose time was set by its first chunk, but is the delta that a later
//!   type 3 repeats.
//! - **Type 0 in mid-message**, or a length, type or message stream that changes there, is
//!   refused: the sender has lost count, and so would everyone after it.
//! - **Type 1 first on a chunk stream** is tolerated on chunk stream 2 alone, where librtmp opens
//!   with it when its first control message is an answer to a ping. The missing message stream id
//!   is 0 there by definition. Everywhere else types 1, 2 and 3 need a predecessor.
//! - **Over-long chunk stream ids** (64 to 319 in three bytes) name the same chunk stream as the
//!   shorter form.

mod error;
mod header;
mod limits;
mod opener;
mod reader;
mod standalone;
mod streams;
mod writer;

pub use error::{ChunkError, ChunkErrorKind, Fault};
pub use limits::ChunkLimits;
pub use reader::{ChunkReader, Expected};
pub use standalone::{standalone_len, standalone_payload, write_standalone, write_standalone_head};
pub use writer::ChunkWriter;

/// The chunk size both sides start with, in bytes (5.4.1).
pub const CHUNK_SIZE_DEFAULT: u32 = 128;

/// The largest chunk size that may be announced: bit 31 has to be zero (5.4.1).
pub const CHUNK_SIZE_MAX: u32 = 0x7fff_ffff;

/// The longest message the 24-bit length field can announce, in bytes (5.3.1.2.1).
pub const MESSAGE_BYTES_MAX: u32 = 0x00ff_ffff;

/// The smallest chunk stream id: 0 and 1 mark the longer forms of the basic header (5.3.1.1).
pub const CHUNK_STREAM_ID_MIN: u32 = 2;

/// The largest chunk stream id: 64 + 65,535, in the three-byte form (5.3.1.1).
pub const CHUNK_STREAM_ID_MAX: u32 = 65_599;
