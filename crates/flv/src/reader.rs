//! The bytes of a file into tags (FLV 10.1, E.2 and E.3), whatever has happened to the file.
//!
//! ```text
//! 'F' 'L' 'V' version flags | length of this header (32) | 0 (32) | tag | tag length (32) | ...
//! ```
//!
//! The length behind each tag is what makes a damaged file readable. A tag is believed when that
//! length agrees. Some writers put a wrong one, so while the file has been sound so far, a tag is
//! believed too when another one follows. Else the reader moves on by a byte and looks for a tag
//! whose length agrees; what it passes over it counts.

use std::fmt;

use bytes::{Buf, Bytes, BytesMut};

use crate::{Header, TAG_HEADER_LEN, Tag, TagKind};

/// Reads a file piece by piece.
#[derive(Debug)]
pub struct Reader {
    /// What has arrived and is not read yet: less than one tag after a `None`.
    buffer: BytesMut,
    payload_bytes_max: usize,
    state: State,
    finished: bool,
    skipped_bytes: u64,
}

/// What comes out of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// Its header, first of all.
    Header(Header),
    /// A tag. Its payload shares memory with what arrived together with it.
    Tag(Tag),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing has been read.
    Start,
    /// This many bytes of the header follow that mean nothing, then the length of no tag.
    Header { left: usize },
    /// A tag should begin here.
    InStep,
    /// The file is damaged before here.
    Searching,
}

/// What stands at the front of the buffer.
enum Front {
    /// A tag with a payload of this many bytes.
    Tag(TagKind, usize),
    NoTag,
    NeedMore,
}

/// The length of a file header that is believed; all writers write 9.
const HEADER_LEN_MAX: u32 = 1024;

impl Reader {
    /// A reader for tags of any length, 2^24 - 1 bytes.
    pub fn new() -> Self {
        Self::with_payload_bytes_max(0xff_ffff)
    }

    /// A reader that takes longer payloads for damage. It holds at most this much and what a
    /// caller hands to it at once.
    pub fn with_payload_bytes_max(payload_bytes_max: usize) -> Self {
        let buffer = BytesMut::new();
        let state = State::Start;
        Self { buffer, payload_bytes_max, state, finished: false, skipped_bytes: 0 }
    }

    /// Takes all of `input` and returns what comes next; `None` when more input is needed. Call
    /// it again, with nothing in `input`, until it returns `None`.
    ///
    /// # Errors
    ///
    /// [`ReadError::NotFlv`] if the first bytes are not those of a file; then nothing else comes.
    pub fn read(&mut self, input: &mut &[u8]) -> Result<Option<Item>, ReadError> {
        self.buffer.extend_from_slice(std::mem::take(input));
        loop {
            match self.state {
                State::Start => match self.read_header()? {
                    Some(header) => return Ok(Some(Item::Header(header))),
                    None => return Ok(None),
                },
                State::Header { left } => {
                    let passed = left.min(self.buffer.len());
                    self.buffer.advance(passed);
                    self.state = State::Header { left: left - passed };
                    if passed < left {
                        return Ok(None);
                    }
                    // The length of no tag is 0. A file that lacks it has its first tag here.
                    match self.buffer.first_chunk::<4>() {
                        Some([0, 0, 0, 0]) => self.buffer.advance(4),
                        None if !self.finished => return Ok(None),
                        _ => {}
                    }
                    self.state = State::InStep;
                }
                State::InStep | State::Searching => match self.front() {
                    Front::Tag(kind, length) => {
                        return Ok(Some(Item::Tag(self.take(kind, length))));
                    }
                    Front::NeedMore => return Ok(None),
                    Front::NoTag => self.skip(),
                },
            }
        }
    }

    /// The input has ended: a last tag is believed without what should follow it, and one that
    /// is cut is passed over. [`Reader::read`] then gives what is left.
    pub fn finish(&mut self) {
        self.finished = true;
    }

    /// How many bytes have been passed over because they were no tag.
    pub fn skipped_bytes(&self) -> u64 {
        self.skipped_bytes
    }

    /// How many bytes have arrived and belong to nothing yet.
    pub fn buffered_bytes(&self) -> usize {
        self.buffer.len()
    }

    fn read_header(&mut self) -> Result<Option<Header>, ReadError> {
        let signature = self.buffer.len().min(3);
        if self.buffer[..signature] != b"FLV"[..signature] {
            return Err(ReadError::NotFlv);
        }
        let Some(&[_, _, _, _, flags, l3, l2, l1, l0]) = self.buffer.first_chunk() else {
            return Ok(None);
        };
        let length = u32::from_be_bytes([l3, l2, l1, l0]);
        let length = if length > HEADER_LEN_MAX { 9 } else { length.max(9) };
        self.buffer.advance(9);
        self.state = State::Header { left: length as usize - 9 };
        Ok(Some(Header { audio: flags & 4 != 0, video: flags & 1 != 0 }))
    }

    /// Decides what stands at the front of the buffer.
    fn front(&self) -> Front {
        let Some((kind, length)) = self.plausible(&self.buffer) else {
            return Front::NoTag;
        };
        let end = TAG_HEADER_LEN + length;
        let Some(behind) = self.buffer.get(end..) else {
            return self.need_more();
        };
        match behind.first_chunk::<4>() {
            Some(trailer) if u32::from_be_bytes(*trailer) as usize == end => {
                Front::Tag(kind, length)
            }
            // The file ends behind the payload, and was sound up to here.
            _ if self.finished && behind.len() <= 4 && self.state == State::InStep => {
                Front::Tag(kind, length)
            }
            None => self.need_more(),
            Some(_) if self.state == State::Searching => Front::NoTag,
            Some(_) if self.plausible(&behind[4..]).is_none() => Front::NoTag,
            Some(_) if self.finished || behind.len() >= 4 + TAG_HEADER_LEN => {
                Front::Tag(kind, length)
            }
            Some(_) => Front::NeedMore,
        }
    }

    fn need_more(&self) -> Front {
        if self.finished && !self.buffer.is_empty() { Front::NoTag } else { Front::NeedMore }
    }

    /// Whether these bytes can be a tag header, as far as they go, and of what. Encrypted tags
    /// and other types are none.
    fn plausible(&self, bytes: &[u8]) -> Option<(TagKind, usize)> {
        let Some(&first) = bytes.first() else {
            return Some((TagKind::Script, 0));
        };
        let kind = TagKind::from_number(first)?;
        let Some(&[_, l2, l1, l0, _, _, _, _, s2, s1, s0]) = bytes.first_chunk() else {
            return Some((kind, 0));
        };
        let length = u32::from_be_bytes([0, l2, l1, l0]) as usize;
        ([s2, s1, s0] == [0; 3] && length <= self.payload_bytes_max).then_some((kind, length))
    }

    /// Takes a tag that has been found at the front.
    fn take(&mut self, kind: TagKind, length: usize) -> Tag {
        let mut tag = self.buffer.split_to(TAG_HEADER_LEN + length).freeze();
        let trailer = self.buffer.len().min(4);
        self.buffer.advance(trailer);
        self.state = State::InStep;
        let timestamp = u32::from_be_bytes([tag[7], tag[4], tag[5], tag[6]]);
        let payload: Bytes = tag.split_off(TAG_HEADER_LEN);
        Tag { kind, timestamp, payload }
    }

    /// Passes over a byte that begins no tag, and those behind it that obviously do not.
    fn skip(&mut self) {
        let obvious = self.buffer.iter().skip(1);
        let passed = 1 + obvious.take_while(|byte| TagKind::from_number(**byte).is_none()).count();
        self.buffer.advance(passed);
        self.skipped_bytes += passed as u64;
        self.state = State::Searching;
    }
}

impl Default for Reader {
    fn default() -> Self {
        Self::new()
    }
}

/// Why bytes are no file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReadError {
    /// The first three bytes are not "FLV".
    NotFlv,
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFlv => f.write_str("not an FLV file"),
        }
    }
}

impl std::error::Error for ReadError {}
