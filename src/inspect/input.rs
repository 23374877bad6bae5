//! What kind of file it is, and its bytes in pieces: a capture, or a bare dump of one direction with
//! or without its handshake.

use crate::capture::format::{
    CaptureReader, Direction, EXTENSION, Entry, FileHeader, FormatError, MAGIC,
};
use millstream_rtmp::handshake::HANDSHAKE_BYTES;
use millstream_rtmp::message::MessageType;
use std::io::{self, BufReader, Cursor, Read};

/// Bytes that are handed out in one piece of a bare dump.
const PIECE: usize = 64 * 1024;

/// Bytes at the beginning that tell what a dump is.
const LOOK: usize = 32;

pub(super) enum Input {
    Capture { reader: CaptureReader<Box<dyn Read>> },
    Dump { input: Box<dyn Read>, handshake: bool },
}

/// What stands next in the file.
pub(super) enum Item {
    Bytes { direction: Option<Direction>, time_us: Option<u64>, bytes: Vec<u8> },
    Gap { direction: Direction, bytes: u64 },
    Note(String),
}

impl Input {
    /// Looks at the beginning of a file.
    pub(super) fn open(file: impl Read + 'static) -> Result<Self, FormatError> {
        let mut file = BufReader::with_capacity(PIECE, file);
        let mut begin = Vec::new();
        (&mut file).take(LOOK as u64).read_to_end(&mut begin).map_err(FormatError::Io)?;
        if let Some(rest) = begin.strip_prefix(&MAGIC[..]) {
            let input: Box<dyn Read> = Box::new(Cursor::new(rest.to_vec()).chain(file));
            return CaptureReader::after_magic(input).map(|reader| Self::Capture { reader });
        }
        let handshake = begins_with_handshake(&begin);
        Ok(Self::Dump { input: Box::new(Cursor::new(begin).chain(file)), handshake })
    }

    pub(super) fn is_capture(&self) -> bool {
        matches!(self, Self::Capture { .. })
    }

    pub(super) fn has_handshake(&self) -> bool {
        match self {
            Self::Capture { .. } => true,
            Self::Dump { handshake, .. } => *handshake,
        }
    }

    pub(super) fn header(&self) -> Option<&FileHeader> {
        match self {
            Self::Capture { reader } => Some(reader.header()),
            Self::Dump { .. } => None,
        }
    }

    /// The next piece; nothing at the end.
    pub(super) fn next(&mut self) -> Result<Option<Item>, FormatError> {
        match self {
            Self::Capture { reader } => Ok(reader.read()?.map(|entry| match entry {
                Entry::Bytes { direction, time_us, bytes } => {
                    Item::Bytes { direction: Some(direction), time_us: Some(time_us), bytes }
                }
                Entry::Gap { direction, bytes, .. } => Item::Gap { direction, bytes },
                Entry::Full => Item::Note(format!(
                    "the {EXTENSION} file has its full length; the connection went on"
                )),
                Entry::End { time_us, reason } => Item::Note(format!(
                    "the connection ended after {:.6} s: {reason}",
                    time_us as f64 / 1e6
                )),
            })),
            Self::Dump { input, .. } => {
                let mut bytes = vec![0; PIECE];
                let count = loop {
                    match input.read(&mut bytes) {
                        Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                        result => break result.map_err(FormatError::Io)?,
                    }
                };
                bytes.truncate(count);
                let item = Item::Bytes { direction: None, time_us: None, bytes };
                Ok((count > 0).then_some(item))
            }
        }
    }
}

/// Whether a dump begins with C0 or S0. After the handshake a direction may begin with the same
/// byte, as the header of a command on chunk stream 3: then a message type and message stream 0
/// follow where the handshake has random bytes.
fn begins_with_handshake(begin: &[u8]) -> bool {
    let is_command =
        |kind: u8| [MessageType::COMMAND_AMF0.0, MessageType::COMMAND_AMF3.0].contains(&kind);
    match begin {
        // A type 0 header on chunk stream 3: time, length, type, message stream, first marker.
        [3, _, _, _, 0, _, _, kind, 0, 0, 0, 0, 0 | 2, ..] if is_command(*kind) => false,
        [3, ..] => true,
        _ => false,
    }
}

const _: () = assert!(LOOK as u64 <= HANDSHAKE_BYTES);
