//! Reading forward in a slice, and the fault of not getting to its end.

use std::path::Path;

use crate::error::Error;

/// What a parsing step yields.
pub(super) type Parsed<T> = Result<T, Fault>;

/// Where and why parsing stopped.
#[derive(Debug)]
pub(super) struct Fault {
    /// Offset in the slice.
    pub(super) offset: usize,
    /// What made no sense.
    pub(super) reason: &'static str,
}

impl Fault {
    pub(super) fn in_file(self, path: &Path) -> Error {
        Error::Malformed { file: path.to_owned(), offset: self.offset, reason: self.reason }
    }
}

/// Reads forward; never past its slice. `at <= bytes.len()` after every call.
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub(super) fn take(&mut self, len: usize, reason: &'static str) -> Parsed<&'a [u8]> {
        let taken = self.bytes[self.at..].get(..len).ok_or(Fault { offset: self.at, reason })?;
        self.at += len;
        Ok(taken)
    }

    pub(super) fn byte(&mut self) -> Parsed<u8> {
        Ok(self.take(1, "a codec header is cut off")?[0])
    }

    pub(super) fn fourcc(&mut self) -> Parsed<[u8; 4]> {
        let taken = self.take(4, "a FourCC is cut off")?;
        Ok([taken[0], taken[1], taken[2], taken[3]])
    }

    pub(super) fn signed24(&mut self) -> Parsed<i32> {
        let taken = self.take(3, "a composition time is cut off")?;
        // Into the upper three bytes and back down, which extends the sign.
        Ok(i32::from_be_bytes([taken[0], taken[1], taken[2], 0]) >> 8)
    }

    pub(super) fn rest(&mut self) -> &'a [u8] {
        let rest = &self.bytes[self.at..];
        self.at = self.bytes.len();
        rest
    }

    pub(super) fn is_empty(&self) -> bool {
        self.at == self.bytes.len()
    }
}

/// An unsigned integer of three bytes.
pub(super) fn be24(bytes: &[u8]) -> usize {
    bytes[..3].iter().fold(0, |value, byte| value << 8 | usize::from(*byte))
}
