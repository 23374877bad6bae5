//! The form of capture files, both ways. `docs/capture.md` tells the same to people.
//!
//! ```text
//! file    "millcap" | version (8) = 1 | connection (64) | began (64) | length (8) | peer's address
//!         | record ...
//! record  kind (8) | time (64) | length (32) | body
//!
//! kind    body
//! 0, 1    bytes that came in, that went out
//! 2, 3    how many bytes are missing here of those that came in, that went out (64)
//! 4       none: the file has its full length, and nothing follows of the connection
//! 5       why the connection ended, as text
//! ```
//! Numbers are big-endian. `began` is in microseconds since 1970, `time` in microseconds since then.
//! The directions are the server's: what came in was sent by the client.

use std::fmt;
use std::io::{self, Read};

/// The first bytes of a file, version included.
pub const MAGIC: [u8; 8] = *b"millcap\x01";

/// What the names of files end with.
pub const EXTENSION: &str = "millcap";

/// Bytes of a record before its body.
pub const RECORD_HEADER_LEN: usize = 13;

/// Most bytes of a record that are handed out in one piece.
const PIECE_MAX: usize = 64 * 1024;

/// Longest text of an end that is believed.
const REASON_LEN_MAX: u32 = 4096;

/// Whence bytes go, seen from the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the client.
    In = 0,
    /// To the client.
    Out = 1,
}

impl Direction {
    /// `in` or `out`.
    pub fn name(self) -> &'static str {
        match self {
            Self::In => "in",
            Self::Out => "out",
        }
    }
}

/// What stands at the beginning of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileHeader {
    /// The connection's number, as in the log.
    pub connection: u64,
    /// When the file began, in microseconds since 1970.
    pub began_us: u64,
    /// The client's address.
    pub peer: String,
}

/// One record, or a part of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// Bytes of the connection.
    Bytes {
        /// Whence.
        direction: Direction,
        /// When, in microseconds since the beginning.
        time_us: u64,
        /// A part of a record; long ones come in several.
        bytes: Vec<u8>,
    },
    /// Bytes are missing.
    Gap {
        /// Whence.
        direction: Direction,
        /// When it was noticed, in microseconds since the beginning.
        time_us: u64,
        /// How many.
        bytes: u64,
    },
    /// The file has its full length.
    Full,
    /// The connection ended.
    End {
        /// When, in microseconds since the beginning.
        time_us: u64,
        /// Why.
        reason: String,
    },
}

/// Why a file cannot be read on.
#[derive(Debug)]
pub enum FormatError {
    /// It ends within a record, as the file of a server that was killed does.
    Truncated {
        /// Where, in bytes from its beginning.
        at: u64,
    },
    /// What stands here is no record.
    NoRecord {
        /// Where, in bytes from its beginning.
        at: u64,
    },
    /// It cannot be read.
    Io(io::Error),
}

impl fmt::Display for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated { at } => write!(f, "the file ends within a record, at byte {at}"),
            Self::NoRecord { at } => write!(f, "the file is damaged: no record at byte {at}"),
            Self::Io(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for FormatError {}

impl FileHeader {
    /// The bytes of it.
    pub fn encode(&self) -> Vec<u8> {
        let peer = &self.peer.as_bytes()[..self.peer.len().min(255)];
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&self.connection.to_be_bytes());
        bytes.extend_from_slice(&self.began_us.to_be_bytes());
        // At most 255, by the line above.
        bytes.push(peer.len() as u8);
        bytes.extend_from_slice(peer);
        bytes
    }
}

/// What stands before the body of a record of bytes.
pub fn bytes_header(direction: Direction, time_us: u64, length: u32) -> [u8; RECORD_HEADER_LEN] {
    record_header(direction as u8, time_us, length)
}

/// A record of missing bytes.
pub fn gap(direction: Direction, time_us: u64, bytes: u64) -> Vec<u8> {
    let mut record = record_header(2 + direction as u8, time_us, 8).to_vec();
    record.extend_from_slice(&bytes.to_be_bytes());
    record
}

/// The record that a file ends with when it has its full length.
pub fn full(time_us: u64) -> Vec<u8> {
    record_header(4, time_us, 0).to_vec()
}

/// The record that a file ends with.
pub fn end(time_us: u64, reason: &str) -> Vec<u8> {
    let reason = &reason.as_bytes()[..reason.len().min(REASON_LEN_MAX as usize)];
    // At most REASON_LEN_MAX, by the line above.
    let mut record = record_header(5, time_us, reason.len() as u32).to_vec();
    record.extend_from_slice(reason);
    record
}

fn record_header(kind: u8, time_us: u64, length: u32) -> [u8; RECORD_HEADER_LEN] {
    let mut header = [0; RECORD_HEADER_LEN];
    header[0] = kind;
    header[1..9].copy_from_slice(&time_us.to_be_bytes());
    header[9..].copy_from_slice(&length.to_be_bytes());
    header
}

/// Reads a file. It holds a piece of one record and allocates by what is there, not by what a
/// length says.
pub struct CaptureReader<R> {
    input: R,
    offset: u64,
    header: FileHeader,
    /// The record of bytes that is being handed out, and what is left of it.
    current: Option<(Direction, u64, u32)>,
}

impl<R: Read> CaptureReader<R> {
    /// Reads the beginning of a file whose [`MAGIC`] has been taken from `input` already.
    ///
    /// # Errors
    /// If the file ends there.
    pub fn after_magic(input: R) -> Result<Self, FormatError> {
        let header = FileHeader { connection: 0, began_us: 0, peer: String::new() };
        let mut reader = Self { input, offset: MAGIC.len() as u64, header, current: None };
        reader.header.connection = u64::from_be_bytes(reader.take()?);
        reader.header.began_us = u64::from_be_bytes(reader.take()?);
        let [length] = reader.take()?;
        reader.header.peer = reader.text(length.into())?;
        Ok(reader)
    }

    /// What stands at its beginning.
    pub fn header(&self) -> &FileHeader {
        &self.header
    }

    /// The next record, or part of one; nothing at the end.
    ///
    /// # Errors
    /// [`FormatError`] says where the file is damaged.
    pub fn read(&mut self) -> Result<Option<Entry>, FormatError> {
        if let Some((direction, time_us, left)) = self.current.take() {
            return self.piece(direction, time_us, left).map(Some);
        }
        let at = self.offset;
        let mut kind = [0];
        match self.input.read_exact(&mut kind) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            result => result.map_err(FormatError::Io)?,
        }
        self.offset += 1;
        let time_us = u64::from_be_bytes(self.take()?);
        let length = u32::from_be_bytes(self.take()?);
        let direction = if kind[0] & 1 == 0 { Direction::In } else { Direction::Out };
        match (kind[0], length) {
            (0 | 1, _) => self.piece(direction, time_us, length).map(Some),
            (2 | 3, 8) => {
                let bytes = u64::from_be_bytes(self.take()?);
                Ok(Some(Entry::Gap { direction, time_us, bytes }))
            }
            (4, 0) => Ok(Some(Entry::Full)),
            (5, 0..=REASON_LEN_MAX) => {
                let reason = self.text(length)?;
                Ok(Some(Entry::End { time_us, reason }))
            }
            _ => Err(FormatError::NoRecord { at }),
        }
    }

    fn piece(
        &mut self,
        direction: Direction,
        time_us: u64,
        left: u32,
    ) -> Result<Entry, FormatError> {
        let length = left.min(PIECE_MAX as u32);
        let mut bytes = vec![0; length as usize];
        self.fill(&mut bytes)?;
        let left = left - length;
        self.current = (left > 0).then_some((direction, time_us, left));
        Ok(Entry::Bytes { direction, time_us, bytes })
    }

    /// At most 4 KiB of text, made printable.
    fn text(&mut self, length: u32) -> Result<String, FormatError> {
        let mut bytes = vec![0; length as usize];
        self.fill(&mut bytes)?;
        let text = String::from_utf8_lossy(&bytes);
        Ok(text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect())
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], FormatError> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), FormatError> {
        match self.input.read_exact(bytes) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Err(FormatError::Truncated { at: self.offset })
            }
            result => {
                result.map_err(FormatError::Io)?;
                self.offset += bytes.len() as u64;
                Ok(())
            }
        }
    }
}
