//! What the extended headers of sound and pictures have in common (Enhanced RTMP v2,
//! "ExAudioTagHeader" and "ExVideoTagHeader"): modifiers, multitrack, four-character codes.
//!
//! ```text
//! xxxx tttt | [ModEx: size - 1 (8, ff: + 16) | data | mmmm tttt] ... | [Multitrack: llll tttt]
//!   one track                 FourCC | body
//!   OneTrack                  FourCC | id | body
//!   ManyTracks                FourCC | (id | length24 | body) ...
//!   ManyTracksManyCodecs      (FourCC | id | length24 | body) ...
//! ```

use crate::{HeaderError, cursor::Cursor};

/// The most modifiers that one message may have. One is defined.
pub const MOD_EX_MAX: usize = 8;

/// The packet type of both kinds that says that a modifier follows.
const MOD_EX: u8 = 7;

/// The modifier that holds nanoseconds.
const TIMESTAMP_OFFSET_NANO: u8 = 0;

/// How a message with several tracks is laid out (`AvMultitrackType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Multitrack {
    /// One track, with a number.
    OneTrack,
    /// Several tracks of one codec.
    ManyTracks,
    /// Several tracks, each with its codec.
    ManyTracksManyCodecs,
}

impl Multitrack {
    fn from_wire(layout: u8) -> Result<Self, HeaderError> {
        match layout {
            0 => Ok(Self::OneTrack),
            1 => Ok(Self::ManyTracks),
            2 => Ok(Self::ManyTracksManyCodecs),
            reserved => Err(HeaderError::ReservedMultitrack(reserved)),
        }
    }
}

/// The part of a header in front of its tracks.
pub(crate) struct Prefix {
    /// What all tracks hold; neither `ModEx` nor multitrack.
    pub(crate) packet_type: u8,
    /// Nanoseconds to be added to the time of the message.
    pub(crate) timestamp_offset_ns: u32,
    pub(crate) multitrack: Option<Multitrack>,
    /// The codec, unless each track has its own.
    four_cc: Option<[u8; 4]>,
}

/// One track of a message.
#[derive(Clone, Copy)]
pub(crate) struct TrackPart<'a> {
    pub(crate) id: u8,
    pub(crate) four_cc: [u8; 4],
    /// The bytes of this track, within a cursor that knows their place in the message.
    pub(crate) data: &'a [u8],
    /// Where they begin in the message.
    pub(crate) offset: usize,
}

/// Passes over the modifiers and returns the packet type behind them, and the nanoseconds.
pub(crate) fn read_modifiers(
    cursor: &mut Cursor<'_>,
    mut packet_type: u8,
) -> Result<(u8, u32), HeaderError> {
    let mut timestamp_offset_ns = 0;
    for _ in 0..MOD_EX_MAX {
        if packet_type != MOD_EX {
            return Ok((packet_type, timestamp_offset_ns));
        }
        let size = match cursor.u8()? {
            u8::MAX => usize::from(cursor.u16()?) + 1,
            short => usize::from(short) + 1,
        };
        let data = cursor.take(size)?;
        let kinds = cursor.u8()?;
        packet_type = kinds & 0x0f;
        if let (TIMESTAMP_OFFSET_NANO, Some(&[a, b, c])) = (kinds >> 4, data.first_chunk()) {
            timestamp_offset_ns = u32::from_be_bytes([0, a, b, c]);
        }
    }
    if packet_type == MOD_EX {
        return Err(HeaderError::TooManyModifiers);
    }
    Ok((packet_type, timestamp_offset_ns))
}

impl Prefix {
    /// Reads up to the first track; `multitrack_type` is the packet type that says multitrack.
    pub(crate) fn read(
        cursor: &mut Cursor<'_>,
        (packet_type, timestamp_offset_ns): (u8, u32),
        multitrack_type: u8,
    ) -> Result<Self, HeaderError> {
        if packet_type != multitrack_type {
            let four_cc = Some(cursor.array()?);
            return Ok(Self { packet_type, timestamp_offset_ns, multitrack: None, four_cc });
        }
        let layout = cursor.u8()?;
        let packet_type = layout & 0x0f;
        if packet_type == multitrack_type || packet_type == MOD_EX {
            return Err(HeaderError::NestedMultitrack);
        }
        let multitrack = Multitrack::from_wire(layout >> 4)?;
        let four_cc = match multitrack {
            Multitrack::ManyTracksManyCodecs => None,
            _ => Some(cursor.array()?),
        };
        let multitrack = Some(multitrack);
        Ok(Self { packet_type, timestamp_offset_ns, multitrack, four_cc })
    }

    /// Reads the next track, of which there is at least one; `None` behind the last.
    pub(crate) fn next_track<'a>(
        &self,
        cursor: &mut Cursor<'a>,
        first: bool,
    ) -> Result<Option<TrackPart<'a>>, HeaderError> {
        if !first && cursor.rest().is_empty() {
            return Ok(None);
        }
        let four_cc = match self.four_cc {
            Some(four_cc) => four_cc,
            None => cursor.array()?,
        };
        let id = if self.multitrack.is_some() { cursor.u8()? } else { 0 };
        let length = match self.multitrack {
            None | Some(Multitrack::OneTrack) => cursor.rest().len(),
            Some(_) => cursor.u24()? as usize,
        };
        let offset = cursor.position();
        Ok(Some(TrackPart { id, four_cc, data: cursor.take(length)?, offset }))
    }
}
