//! FLV files as lists of tags: reading them, changing them, writing them back, and taking the
//! packets out of them.
//!
//! Sources: Adobe's "Video File Format Specification" v10.1, annex E, for the file and the
//! legacy tag headers; "Enhanced RTMP" v2 for FourCC codecs, modifiers and multitrack.
//! Timestamps are milliseconds. Everything that is neither a packet nor a sequence header
//! (metadata, commands, end of sequence) is passed over: players may add or drop it.

use std::fs;
use std::path::Path;

use crate::error::{Error, Result};
use crate::packets::{Codec, Kind, Packet, Recording, sha256};

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
    fn parse(bytes: &[u8]) -> std::result::Result<Self, Fault> {
        let mut cursor = Cursor { bytes, at: 0 };
        let mut header = [0; FILE_HEADER_LEN];
        header.copy_from_slice(cursor.take(FILE_HEADER_LEN, "the file header is cut off")?);
        if !header.starts_with(b"FLV\x01") {
            return Err(Fault { offset: 0, reason: "not an FLV file" });
        }
        let mut tags = Vec::new();
        while cursor.at < bytes.len() {
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

/// What a tag says about one track.
#[derive(Debug, PartialEq, Eq)]
pub struct Unit<'a> {
    /// Audio or video.
    pub kind: Kind,
    /// Track number, 0 where the tag has none.
    pub track: u8,
    /// The codec.
    pub codec: Codec,
    /// Header or frame.
    pub content: Content,
    /// The payload after all FLV headers: what a decoder is given.
    pub payload: &'a [u8],
}

/// Whether a unit configures a decoder or is decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// A sequence header (decoder configuration).
    Header,
    /// A coded frame.
    Frame {
        /// Whether decoding can start here. Audio always can.
        key: bool,
        /// Presentation time minus decoding time.
        composition_ms: i32,
    },
}

impl Tag {
    /// The units in this tag: none for metadata and commands, several for multitrack.
    pub fn units(&self) -> std::result::Result<Vec<Unit<'_>>, &'static str> {
        let mut cursor = Cursor { bytes: &self.body, at: 0 };
        if self.body.is_empty() {
            return Ok(Vec::new());
        }
        match self.kind {
            TAG_VIDEO => video_units(&mut cursor),
            TAG_AUDIO => audio_units(&mut cursor),
            _ => Ok(Vec::new()),
        }
        .map_err(|fault| fault.reason)
    }
}

type Parsed<T> = std::result::Result<T, Fault>;

fn video_units<'a>(cursor: &mut Cursor<'a>) -> Parsed<Vec<Unit<'a>>> {
    let first = cursor.byte()?;
    let key = (first >> 4) & 7 == 1;
    let command = (first >> 4) & 7 == 5;
    if first & 0x80 != 0 {
        return if command {
            Ok(Vec::new())
        } else {
            enhanced(cursor, Kind::Video, key, first & 15)
        };
    }
    let codec = Codec::from_legacy_video(first & 15);
    if command {
        return Ok(Vec::new());
    }
    let content = if codec == Codec::H264 {
        let packet_type = cursor.byte()?;
        let composition_ms = cursor.signed24()?;
        match packet_type {
            0 => Content::Header,
            1 => Content::Frame { key, composition_ms },
            _ => return Ok(Vec::new()),
        }
    } else {
        Content::Frame { key, composition_ms: 0 }
    };
    Ok(vec![Unit { kind: Kind::Video, track: 0, codec, content, payload: cursor.rest() }])
}

fn audio_units<'a>(cursor: &mut Cursor<'a>) -> Parsed<Vec<Unit<'a>>> {
    let first = cursor.byte()?;
    if first >> 4 == 9 {
        return enhanced(cursor, Kind::Audio, true, first & 15);
    }
    let codec = Codec::from_legacy_audio(first >> 4);
    let header = codec == Codec::Aac && cursor.byte()? == 0;
    let content =
        if header { Content::Header } else { Content::Frame { key: true, composition_ms: 0 } };
    Ok(vec![Unit { kind: Kind::Audio, track: 0, codec, content, payload: cursor.rest() }])
}

/// The part that Enhanced RTMP's audio and video headers share. Packet types 0 (sequence
/// start), 1 (coded frames) and 3 (coded frames without composition time, video only) carry
/// what is compared; 6 (video) or 5 (audio) is multitrack, 7 a modifier before the real type.
fn enhanced<'a>(
    cursor: &mut Cursor<'a>,
    kind: Kind,
    key: bool,
    mut packet_type: u8,
) -> Parsed<Vec<Unit<'a>>> {
    while packet_type == 7 {
        let mut len = usize::from(cursor.byte()?) + 1;
        if len == 256 {
            len = usize::from(cursor.byte()?) << 8;
            len += usize::from(cursor.byte()?) + 1;
        }
        cursor.take(len, "a modifier is cut off")?;
        packet_type = cursor.byte()? & 15;
    }
    let multitrack = if kind == Kind::Video { 6 } else { 5 };
    if packet_type != multitrack {
        let codec = Codec::from_fourcc(cursor.fourcc()?);
        return Ok(enhanced_unit(cursor, kind, key, packet_type, codec, 0)?.into_iter().collect());
    }
    let layout = cursor.byte()?;
    packet_type = layout & 15;
    // Layout 0: one track. 1: many tracks of one codec. 2: many tracks, each naming its codec.
    let shared_codec = if layout >> 4 < 2 { Some(cursor.fourcc()?) } else { None };
    let mut units = Vec::new();
    while !cursor.is_empty() {
        let fourcc = match shared_codec {
            Some(fourcc) => fourcc,
            None => cursor.fourcc()?,
        };
        let track = cursor.byte()?;
        let bytes = if layout >> 4 == 0 {
            cursor.rest()
        } else {
            let len = be24(cursor.take(3, "a track's length is cut off")?);
            cursor.take(len, "a track is cut off")?
        };
        let mut track_cursor = Cursor { bytes, at: 0 };
        let codec = Codec::from_fourcc(fourcc);
        units.extend(enhanced_unit(&mut track_cursor, kind, key, packet_type, codec, track)?);
    }
    Ok(units)
}

fn enhanced_unit<'a>(
    cursor: &mut Cursor<'a>,
    kind: Kind,
    key: bool,
    packet_type: u8,
    codec: Codec,
    track: u8,
) -> Parsed<Option<Unit<'a>>> {
    let content = match (kind, packet_type) {
        (_, 0) => Content::Header,
        (Kind::Video, 1) if matches!(codec, Codec::H264 | Codec::Hevc) => {
            Content::Frame { key, composition_ms: cursor.signed24()? }
        }
        (_, 1) | (Kind::Video, 3) => Content::Frame { key, composition_ms: 0 },
        _ => return Ok(None),
    };
    Ok(Some(Unit { kind, track, codec, content, payload: cursor.rest() }))
}

/// Where and why parsing stopped.
#[derive(Debug)]
struct Fault {
    offset: usize,
    reason: &'static str,
}

impl Fault {
    fn in_file(self, path: &Path) -> Error {
        Error::Malformed { file: path.to_owned(), offset: self.offset, reason: self.reason }
    }
}

/// Reads forward; never past its slice. `at <= bytes.len()` after every call.
struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn take(&mut self, len: usize, reason: &'static str) -> Parsed<&'a [u8]> {
        let taken = self.bytes[self.at..].get(..len).ok_or(Fault { offset: self.at, reason })?;
        self.at += len;
        Ok(taken)
    }

    fn byte(&mut self) -> Parsed<u8> {
        Ok(self.take(1, "a codec header is cut off")?[0])
    }

    fn fourcc(&mut self) -> Parsed<[u8; 4]> {
        let taken = self.take(4, "a FourCC is cut off")?;
        Ok([taken[0], taken[1], taken[2], taken[3]])
    }

    fn signed24(&mut self) -> Parsed<i32> {
        let taken = self.take(3, "a composition time is cut off")?;
        // Into the upper three bytes and back down, which extends the sign.
        Ok(i32::from_be_bytes([taken[0], taken[1], taken[2], 0]) >> 8)
    }

    fn rest(&mut self) -> &'a [u8] {
        let rest = &self.bytes[self.at..];
        self.at = self.bytes.len();
        rest
    }

    fn is_empty(&self) -> bool {
        self.at == self.bytes.len()
    }
}

fn be24(bytes: &[u8]) -> usize {
    bytes[..3].iter().fold(0, |value, byte| value << 8 | usize::from(*byte))
}

fn u32_len(len: usize) -> u32 {
    u32::try_from(len).expect("test clips are far smaller than 4 GiB")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    fn tag(kind: u8, time_ms: i32, body: &[u8]) -> Tag {
        Tag { kind, time_ms, body: body.to_vec() }
    }

    fn file(tags: Vec<Tag>) -> File {
        File { header: *b"FLV\x01\x05\0\0\0\x09\0\0\0\0", tags }
    }

    #[test]
    fn a_file_survives_the_round_trip_and_no_cut_is_taken_for_whole() {
        let original = file(vec![
            tag(TAG_VIDEO, 0, b"\x17\x00\x00\x00\x00config"),
            tag(TAG_AUDIO, 0x0123_4567, b"\xaf\x01frame"),
            tag(TAG_VIDEO, -40, b"\x27\x01\xff\xff\xd8frame"),
        ]);
        let scratch = Scratch::new("flv").unwrap();
        let path = scratch.file("a.flv");
        original.write(&path).unwrap();
        assert_eq!(File::read(&path).unwrap(), original);

        let bytes = fs::read(&path).unwrap();
        for cut in 0..bytes.len() {
            if let Ok(shorter) = File::parse(&bytes[..cut]) {
                assert!(shorter.tags.len() < original.tags.len(), "cut at {cut}");
            }
        }
    }

    #[test]
    fn legacy_headers() {
        let recording = file(vec![
            tag(18, 0, b"\x02\x00\x0aonMetaData"),
            tag(TAG_VIDEO, 0, b"\x17\x00\x00\x00\x00config"),
            tag(TAG_AUDIO, 0, b"\xaf\x00asc"),
            tag(TAG_VIDEO, 40, b"\x17\x01\x00\x00\x50key"),
            tag(TAG_VIDEO, 80, b"\x27\x01\xff\xff\xd8inter"),
            tag(TAG_AUDIO, 60, b"\xaf\x01aac"),
            tag(TAG_VIDEO, 90, b"\x17\x02\x00\x00\x00"),
        ])
        .recording()
        .unwrap();
        let [video, audio] = &recording.tracks[..] else { panic!("{recording:?}") };
        assert_eq!((video.kind, video.codec), (Kind::Video, Codec::H264));
        assert_eq!(video.headers, [sha256(b"config")]);
        let times: Vec<_> =
            video.packets.iter().map(|packet| (packet.dts_ms, packet.pts_ms, packet.key)).collect();
        assert_eq!(times, [(40, 120, true), (80, 40, false)]);
        assert_eq!((audio.kind, audio.codec), (Kind::Audio, Codec::Aac));
        assert_eq!(audio.packets[0].sha256, sha256(b"aac"));
    }

    #[test]
    fn enhanced_headers() {
        let tags = [
            tag(TAG_VIDEO, 0, b"\x90hvc1config"),
            tag(TAG_VIDEO, 0, b"\x91hvc1\x00\x00\x28key"),
            tag(TAG_VIDEO, 0, b"\xa3hvc1inter"),
            tag(TAG_VIDEO, 0, b"\x91av01key"),
            // A modifier of three bytes (nanoseconds) before coded frames.
            tag(TAG_VIDEO, 0, b"\x97\x02\x00\x00\x07\x01vp09key"),
            tag(TAG_AUDIO, 0, b"\x91Opusframe"),
            // Two tracks of one codec.
            tag(TAG_AUDIO, 0, b"\x95\x11mp4a\x00\x00\x00\x01A\x01\x00\x00\x01B"),
        ];
        let seen: Vec<_> = tags
            .iter()
            .flat_map(|tag| tag.units().unwrap())
            .map(|unit| (unit.codec, unit.track, unit.content, unit.payload))
            .collect();
        let frame = |key, composition_ms| Content::Frame { key, composition_ms };
        assert_eq!(
            seen,
            [
                (Codec::Hevc, 0, Content::Header, &b"config"[..]),
                (Codec::Hevc, 0, frame(true, 40), b"key"),
                (Codec::Hevc, 0, frame(false, 0), b"inter"),
                (Codec::Av1, 0, frame(true, 0), b"key"),
                (Codec::Vp9, 0, frame(true, 0), b"key"),
                (Codec::Opus, 0, frame(true, 0), b"frame"),
                (Codec::Aac, 0, frame(true, 0), b"A"),
                (Codec::Aac, 1, frame(true, 0), b"B"),
            ]
        );
    }

    #[test]
    fn a_body_cut_anywhere_is_no_panic() {
        let bodies: [&[u8]; 3] = [
            b"\x97\x02\x00\x00\x07\x01hvc1\x00\x00\x01key",
            b"\x95\x11mp4a\x00\x00\x00\x01A",
            b"\x17\x01\x00\x00\x50",
        ];
        for body in bodies {
            for cut in 0..body.len() {
                for kind in [TAG_AUDIO, TAG_VIDEO] {
                    // Either outcome is right; what must not happen is a panic.
                    let _ = tag(kind, 0, &body[..cut]).units();
                }
            }
        }
    }
}
