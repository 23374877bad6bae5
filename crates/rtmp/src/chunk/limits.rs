//! What one connection may make a chunk reader hold or do, each with its reason.
//!
//! Limits on commands, on the rate of messages (empty ones too: each is one, however small its
//! chunk) and on idle time are not chunk matters: they belong to the session and to whoever has a
//! clock.

use super::MESSAGE_BYTES_MAX;

/// Limits of a [`ChunkReader`](super::ChunkReader).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChunkLimits {
    /// Longest message accepted, in bytes; the 24-bit field caps it at 16,777,215 anyway.
    ///
    /// 10 MiB by default: a key frame of an 8K stream stays well below.
    pub message_bytes_max: u32,
    /// Memory for messages that have not arrived whole, in bytes, over all chunk streams.
    ///
    /// Allocated capacity is what counts, not the announced lengths. It has to be at least
    /// `message_bytes_max` for the longest message to pass. 16 MiB by default: one longest message
    /// of video with audio and data between its chunks.
    pub reassembly_bytes_max: usize,
    /// Chunk streams that may be in use.
    ///
    /// Each costs about 60 bytes for the life of the connection. 256 by default: encoders have
    /// been seen to use 45, and a limit of 32 elsewhere is known to refuse them.
    pub chunk_streams_max: u32,
    /// How far header work may run ahead of payload, in bytes.
    ///
    /// Each chunk that continues a message costs 32 bytes, each payload byte in any chunk pays one
    /// back, and the account never goes below zero. So chunk sizes of 32 and more never run up a
    /// debt, and a chunk size of 1 works until `tiny_chunk_debt_max / 31` chunks were read. 16 MiB by
    /// default: half a megabyte of payload in chunks of one byte, which is any dialogue of commands
    /// but no video, and costs a few milliseconds of a core.
    pub tiny_chunk_debt_max: u32,
}

/// What a chunk that continues a message costs in the account of tiny chunks, in bytes.
pub(super) const CONTINUATION_COST: u32 = 32;

impl Default for ChunkLimits {
    fn default() -> Self {
        Self {
            message_bytes_max: 10 << 20,
            reassembly_bytes_max: 16 << 20,
            chunk_streams_max: 256,
            tiny_chunk_debt_max: 16 << 20,
        }
    }
}

const _: () = assert!(10 << 20 <= MESSAGE_BYTES_MAX);
