//! FLV files as lists of tags: reading them, changing them, writing them back, and taking the
//! packets out of them.
//!
//! Sources: Adobe's "Video File Format Specification" v10.1, annex E, for the file and the
//! legacy tag headers; "Enhanced RTMP" v2 for FourCC codecs, modifiers and multitrack.
//! Timestamps are milliseconds. Everything that is neither a packet nor a sequence header
//! (metadata, commands, end of sequence) is passed over: players may add or drop it.

mod cursor;
mod units;

use std::fs;
use std::path::Path;

use crate::error::{Error, Result};
use crate::packets::{Packet, Recording, sha256};
use cursor::{Cursor, Fault, Parsed, be24};

pub use units::{Content, Unit};

const TAG_AUDIO: u8 = 8;
const TAG_VIDEO: u8 = 9;

/// "FLV", version, flags, header length, and the first (empty) previous tag size.
const FILE_HEADER_LEN: usize = 13;
const TAG_HEADER_LEN: usize = 11;

/// One tag as it stands in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag {
    /// Tag type: 8 audio, 9 video, 18 script data.
    pub kind: u8,
    /// Decoding time in milliseconds.
    pub time_ms: i32,
    /// Everything after the tag header.
    pub body: Vec<u8>,
}

/// A whole FLV file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// The file's own header, kept as it was read.
    header: [u8; FILE_HEADER_LEN],
    /// The tags in file order.
    pub tags: Vec<Tag>,
}

impl File {
    /// A file of audio and video made of these tags.
    #[must_use]
    pub fn from_tags(tags: Vec<Tag>) -> Self {
        Self { header: *b"FLV\x01\x05\0\0\0\x09\0\0\0\0", tags }
    }

    /// Reads a file from disk.
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = fs::read(path).map_err(Error::io(format!("read {}", path.display())))?;
        Self::parse(&bytes).map_err(|fault| fault.in_file(path))
    }

    /// Writes the file to disk.
    pub fn write(&self, path: &Path) -> Result<()> {
        let mut bytes = self.header.to_vec();
        for tag in &self.tags {
            let start = bytes.len();
            let [time_upper, time @ ..] = tag.time_ms.to_be_bytes();
            bytes.push(tag.kind);
            bytes.extend_from_slice(&u32_len(tag.body.len()).to_be_bytes()[1..]);
            bytes.extend_from_slice(&time);
            bytes.extend_from_slice(&[time_upper, 0, 0, 0]);
            bytes.extend_from_slice(&tag.body);
            bytes.extend_from_slice(&u32_len(bytes.len() - start).to_be_bytes());
        }
        fs::write(path, bytes).map_err(Error::io(format!("write {}", path.display())))
    }

    /// Parses a file; a tag cut off at the end is a fault, because a player that was sent all
    /// of a stream has written all of it.
    fn parse(bytes: &[u8]) -> Parsed<Self> {
        let mut cursor = Cursor::new(bytes);
        let mut header = [0; FILE_HEADER_LEN];
        header.copy_from_slice(cursor.take(FILE_HEADER_LEN, "the file header is cut off")?);
        if !header.starts_with(b"FLV\x01") {
            return Err(Fault { offset: 0, reason: "not an FLV file" });
        }
        let mut tags = Vec::new();
        while !cursor.is_empty() {
            let head = cursor.take(TAG_HEADER_LEN, "a tag header is cut off")?;
            let body_len = be24(&head[1..4]);
            let time_ms = i32::from_be_bytes([head[7], head[4], head[5], head[6]]);
            let kind = head[0];
            let body = cursor.take(body_len, "a tag is cut off")?.to_vec();
            tags.push(Tag { kind, time_ms, body });
            cursor.take(4, "a previous tag size is cut off")?;
        }
        Ok(Self { header, tags })
    }

    /// The packets of every track, in file order.
    pub fn recording(&self) -> std::result::Result<Recording, &'static str> {
        let mut recording = Recording::default();
        for tag in &self.tags {
            for unit in tag.units()? {
                let track = recording.track_mut(unit.kind, unit.track, unit.codec);
                match unit.content {
                    Content::Header => track.push_header(sha256(unit.payload)),
                    Content::Frame { key, composition_ms } => {
                        let dts_ms = i64::from(tag.time_ms);
                        track.packets.push(Packet {
                            pts_ms: dts_ms + i64::from(composition_ms),
                            dts_ms,
                            key,
                            len: unit.payload.len(),
                            sha256: sha256(unit.payload),
                        });
                    }
                }
            }
        }
        Ok(recording)
    }
}

/// Reads the packets of a recorded file.
pub fn read_recording(path: &Path) -> Result<Recording> {
    File::read(path)?.recording().map_err(|reason| Error::Malformed {
        file: path.to_owned(),
        offset: 0,
        reason,
    })
}

fn u32_len(len: usize) -> u32 {
    u32::try_from(len).expect("test clips are far smaller than 4 GiB")
}

#[cfg(test)]
mod tests;
