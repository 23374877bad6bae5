//! A message as chunks that need no memory: the same bytes are right for every receiver at the
//! same chunk size, whatever it was sent before. For the writer that saves header bytes on one
//! connection, see `writer`.

use bytes::BufMut;
use std::borrow::Cow;

use super::header::{EXTENDED, basic_len, put_basic, put_be24};
use super::{CHUNK_SIZE_MAX, CHUNK_STREAM_ID_MAX, CHUNK_STREAM_ID_MIN, MESSAGE_BYTES_MAX};
use crate::message::MessageType;

/// Appends a message with a full header (type 0) and absolute time, cut at `chunk_size`, each
/// continuation with a type 3 header that repeats the extended timestamp if there is one.
///
/// Returns the number of bytes appended, which [`standalone_len`] tells beforehand.
///
/// # Panics
///
/// If the chunk stream id, the chunk size or the length of the payload is not one that the format
/// can say (2 to 65,599; 1 to 2^31 - 1; at most [`MESSAGE_BYTES_MAX`]).
pub fn write_standalone(
    kind: MessageType,
    chunk_stream_id: u32,
    timestamp: u32,
    stream_id: u32,
    payload: &[u8],
    chunk_size: u32,
    out: &mut impl BufMut,
) -> usize {
    check(chunk_stream_id, payload.len(), chunk_size);
    let extended = put_head(kind, chunk_stream_id, timestamp, stream_id, payload.len(), out);
    put_payload(chunk_stream_id, extended, payload, chunk_size, out);
    standalone_len(chunk_stream_id, timestamp, payload.len(), chunk_size)
}

/// Appends what [`write_standalone`] appends before the payload. For a payload that is not longer
/// than the chunk size and is put behind it by the caller, from wherever it lies.
///
/// # Panics
///
/// As [`write_standalone`].
pub fn write_standalone_head(
    kind: MessageType,
    chunk_stream_id: u32,
    timestamp: u32,
    stream_id: u32,
    payload_len: usize,
    out: &mut impl BufMut,
) {
    check(chunk_stream_id, payload_len, CHUNK_SIZE_MAX);
    put_head(kind, chunk_stream_id, timestamp, stream_id, payload_len, out);
}

/// Appends a header of type 0. Returns the timestamp if it is extended.
fn put_head(
    kind: MessageType,
    chunk_stream_id: u32,
    timestamp: u32,
    stream_id: u32,
    payload_len: usize,
    out: &mut impl BufMut,
) -> Option<u32> {
    put_basic(0, chunk_stream_id, out);
    put_be24(timestamp.min(EXTENDED), out);
    put_be24(payload_len as u32, out);
    out.put_u8(kind.0);
    out.put_u32_le(stream_id);
    let extended = (timestamp >= EXTENDED).then_some(timestamp);
    if let Some(timestamp) = extended {
        out.put_u32(timestamp);
    }
    extended
}

/// The payload of a message that [`write_standalone`] wrote, whole, on a chunk stream below 64: from its
/// own output, not from a network. It is not copied if it is one chunk.
///
/// # Panics
///
/// If it is shorter than its header says.
pub fn standalone_payload(message: &[u8], chunk_size: u32) -> Cow<'_, [u8]> {
    let extended = message[1..4] == [0xff; 3];
    let length =
        usize::from(message[4]) << 16 | usize::from(message[5]) << 8 | usize::from(message[6]);
    let head = if extended { 16 } else { 12 };
    let (mut rest, chunk_size) = (&message[head..], chunk_size as usize);
    if length <= chunk_size {
        return Cow::Borrowed(&rest[..length]);
    }
    // A continuation's basic header, and the extended timestamp again.
    let between = if extended { 5 } else { 1 };
    let mut payload = Vec::with_capacity(length);
    loop {
        let part = chunk_size.min(length - payload.len());
        payload.extend_from_slice(&rest[..part]);
        if payload.len() == length {
            return Cow::Owned(payload);
        }
        rest = &rest[part + between..];
    }
}

/// The number of bytes that [`write_standalone`] appends.
///
/// # Panics
///
/// As [`write_standalone`].
pub fn standalone_len(
    chunk_stream_id: u32,
    timestamp: u32,
    payload_len: usize,
    chunk_size: u32,
) -> usize {
    check(chunk_stream_id, payload_len, chunk_size);
    let extended = if timestamp >= EXTENDED { 4 } else { 0 };
    let repeated = basic_len(chunk_stream_id) + extended;
    let continuations = payload_len.saturating_sub(1) / chunk_size as usize;
    11 + repeated + payload_len + continuations * repeated
}

/// Appends payload behind a first header, with type 3 headers where chunks end.
pub(super) fn put_payload(
    chunk_stream_id: u32,
    extended: Option<u32>,
    payload: &[u8],
    chunk_size: u32,
    out: &mut impl BufMut,
) {
    let mut chunks = payload.chunks(chunk_size as usize);
    if let Some(first) = chunks.next() {
        out.put_slice(first);
    }
    for chunk in chunks {
        put_basic(3, chunk_stream_id, out);
        if let Some(time) = extended {
            out.put_u32(time);
        }
        out.put_slice(chunk);
    }
}

/// Holds callers to what the header fields can say.
pub(super) fn check(chunk_stream_id: u32, payload_len: usize, chunk_size: u32) {
    assert!(
        (CHUNK_STREAM_ID_MIN..=CHUNK_STREAM_ID_MAX).contains(&chunk_stream_id),
        "chunk stream ids reach from 2 to 65,599"
    );
    assert!(payload_len <= MESSAGE_BYTES_MAX as usize, "messages have at most 16,777,215 bytes");
    assert!((1..=CHUNK_SIZE_MAX).contains(&chunk_size), "chunk sizes reach from 1 to 2^31 - 1");
}
