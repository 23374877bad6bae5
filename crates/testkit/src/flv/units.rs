//! The headers inside a tag's body, legacy and enhanced, and what they say about each track.

use super::cursor::{Cursor, Parsed, be24};
use super::{TAG_AUDIO, TAG_VIDEO, Tag};
use crate::packets::{Codec, Kind};

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
    pub fn units(&self) -> Result<Vec<Unit<'_>>, &'static str> {
        let mut cursor = Cursor::new(&self.body);
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
        let mut track_cursor = Cursor::new(bytes);
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
