//! Tags into the bytes of a file (FLV 10.1, E.2 and E.3). Whether they make sense together is the
//! caller's.

use std::fmt;

use bytes::BufMut;

use crate::{Header, TAG_HEADER_LEN, TagKind, tag_header};

/// Writes a file: the header once, then tags.
#[derive(Clone, Debug, Default)]
pub struct Writer {
    bytes_written: u64,
}

impl Writer {
    /// A writer at the start of a file.
    pub const fn new() -> Self {
        Self { bytes_written: 0 }
    }

    /// Appends the header of the file, 13 bytes.
    pub fn header(&mut self, header: Header, out: &mut impl BufMut) {
        out.put_slice(b"FLV\x01");
        out.put_u8(u8::from(header.audio) << 2 | u8::from(header.video));
        // The length of this header, and that of the tag before the first.
        out.put_u32(9);
        out.put_u32(0);
        self.bytes_written += 13;
    }

    /// Appends one tag and returns at which byte of the file it begins.
    ///
    /// # Errors
    ///
    /// [`WriteError::PayloadTooLong`]; `out` is then as it was.
    pub fn tag(
        &mut self,
        kind: TagKind,
        timestamp: u32,
        payload: &[u8],
        out: &mut impl BufMut,
    ) -> Result<u64, WriteError> {
        let header =
            tag_header(kind, timestamp, payload.len()).ok_or(WriteError::PayloadTooLong)?;
        let length = payload.len() + TAG_HEADER_LEN;
        out.put_slice(&header);
        out.put_slice(payload);
        // The payload has at most 2^24 - 1 bytes, or it would have no header.
        out.put_u32(length as u32);
        let offset = self.bytes_written;
        self.bytes_written += length as u64 + 4;
        Ok(offset)
    }

    /// How many bytes have been written: where the next tag begins.
    pub fn bytes_written(&self) -> u64 {
        self.bytes_written
    }
}

/// Why a tag has no form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WriteError {
    /// The payload is over 2^24 - 1 bytes.
    PayloadTooLong,
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PayloadTooLong => f.write_str("FLV tag of 16 MiB or more"),
        }
    }
}

impl std::error::Error for WriteError {}
