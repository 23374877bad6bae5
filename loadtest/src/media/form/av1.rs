//! The mark in AV1: a metadata OBU of a type left to private use.
//!
//! ```text
//! 2a: OBU_METADATA, with size | size | metadata_type 1f | the mark | 80: trailing bits
//! ```
//! AV1 bitstream specification: 5.3 (headers), 5.8.1 (metadata), 6.7.1: types 6 to 31 are
//! "unregistered user private"; 7.5 (order): behind the temporal delimiter, which messages of
//! Enhanced RTMP should not have but may, and behind sequence headers.

use crate::media::form::Opened;
use crate::media::mark::MARK_BYTES;
use bytes::BytesMut;

/// Bytes before the mark, if no OBU stands before its own.
pub(super) const HEAD_BYTES: usize = 3;

/// The highest private type.
const PRIVATE_TYPE: u8 = 31;
const OBU_SEQUENCE_HEADER: u8 = 1;
const OBU_TEMPORAL_DELIMITER: u8 = 2;
const OBU_METADATA: u8 = 5;
/// Metadata type, mark and trailing bits: one byte of leb128 holds it.
const SIZE: u8 = 1 + MARK_BYTES as u8 + 1;
const _: () = assert!(MARK_BYTES + 2 < 0x80);

pub(super) fn open(body: &[u8], head: &mut BytesMut) -> Option<Opened> {
    let mut taken = 0;
    while let Some(&header) = body.get(taken) {
        let first = matches!(header >> 3 & 15, OBU_SEQUENCE_HEADER | OBU_TEMPORAL_DELIMITER);
        // Without a size it is the last one (annex B aside, which RTMP does not use).
        if !first || header & 2 == 0 {
            break;
        }
        let extension = usize::from(header >> 2 & 1);
        let (size, size_bytes) = leb128(body.get(taken + 1 + extension..)?)?;
        let end = (taken + 1 + extension + size_bytes).checked_add(size)?;
        taken = if end <= body.len() { end } else { return None };
    }
    head.extend_from_slice(&body[..taken]);
    head.extend_from_slice(&[OBU_METADATA << 3 | 2, SIZE, PRIVATE_TYPE]);
    Some(Opened { taken, stop: &[0x80], lead: 0 })
}

/// An unsigned number (4.10.5), and its bytes: eight at most.
fn leb128(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut value = 0_u64;
    for (place, byte) in bytes.iter().take(8).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return Some((usize::try_from(value).ok()?, place + 1));
        }
    }
    None
}
