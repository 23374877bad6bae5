//! The mark in H.264 and H.265: an SEI message "user data unregistered" in a NAL unit of its own.
//!
//! ```text
//! length | NAL header: H.264 06, H.265 4e tt | type 05 | size | UUID and numbers: the mark | 80
//! ```
//! ISO/IEC 14496-10: 7.3.2.3 and D.1.6 (the message), 7.4.1.2.3 (where it may stand).
//! ISO/IEC 23008-2: 7.3.2.4 and D.2.7, 7.4.2.4.4. NAL units stand behind their lengths
//! (ISO/IEC 14496-15, 5.3.2).
//!
//! An access unit delimiter must come first, and so must SEI messages with a buffering period or,
//! in H.265, active parameter sets; the mark comes after these and before all others, so that what
//! is behind it, and has its bytes checked, is nearly all of the frame. x264 and x265 put other
//! messages before a buffering period; then it matters no more.

use crate::media::form::Opened;
use crate::media::mark::MARK_BYTES;
use bytes::{BufMut, BytesMut};

/// Bytes of an SEI unit before the message's content: NAL header, type, size.
pub(super) const AVC_SEI_BYTES: usize = 1 + 2;
/// The same of H.265, whose NAL header has two bytes.
pub(super) const HEVC_SEI_BYTES: usize = 2 + 2;

/// `user_data_unregistered`, in both standards.
const USER_DATA: u8 = 5;
/// `buffering_period`, in both standards.
const BUFFERING_PERIOD: u8 = 0;
/// `active_parameter_sets` of H.265.
const ACTIVE_PARAMETER_SETS: u8 = 129;

/// How many bytes the length before each NAL unit has: 1, 2 or 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LengthBytes(usize);

impl LengthBytes {
    pub(super) fn new(bytes: u8) -> Option<Self> {
        matches!(bytes, 1 | 2 | 4).then_some(Self(usize::from(bytes)))
    }

    /// From an HEVCDecoderConfigurationRecord (ISO/IEC 14496-15, 8.3.3.1): `lengthSizeMinusOne`
    /// stands in the lowest two bits of the 22nd byte, behind which the parameter sets follow.
    pub(super) fn of_hevc(record: &[u8]) -> Option<Self> {
        record.get(22)?;
        Self::new((record[21] & 3) + 1)
    }
}

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Syntax {
    Avc,
    Hevc,
}

/// What a NAL unit means for the place of the mark.
enum Unit {
    /// A delimiter, or an SEI message that must come before the mark.
    First,
    /// Parameter sets and the like, behind which such a message may still come.
    Other,
    /// Another SEI message, or part of a picture: what must come first has come.
    Late,
}

pub(super) fn open(
    syntax: Syntax,
    length_bytes: LengthBytes,
    body: &[u8],
    head: &mut BytesMut,
) -> Option<Opened> {
    let LengthBytes(length_bytes) = length_bytes;
    let (mut at, mut taken) = (0, 0);
    let mut temporal = 1;
    while at < body.len() {
        let length = body.get(at..at + length_bytes)?;
        let length = length.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
        at += length_bytes;
        let unit = body.get(at..at.checked_add(length)?)?;
        at += length;
        match syntax.read(unit) {
            Unit::First => taken = at,
            Unit::Other => {}
            Unit::Late => {
                // An SEI unit has at least the temporal id of its pictures (7.4.2.2); if this is
                // another SEI unit, it has that as well.
                temporal = unit.get(1).map_or(1, |byte| (byte & 7).max(1));
                break;
            }
        }
    }
    head.extend_from_slice(&body[..taken]);
    let header: &[u8] = match syntax {
        Syntax::Avc => &[0x06],
        Syntax::Hevc => &[39 << 1, temporal],
    };
    // Type and size before the mark, and the stop bit behind it.
    head.put_uint((header.len() + 2 + MARK_BYTES + 1) as u64, length_bytes);
    head.extend_from_slice(header);
    head.extend_from_slice(&[USER_DATA, MARK_BYTES as u8]);
    Some(Opened { taken, stop: &[0x80], lead: 0 })
}

impl Syntax {
    /// By the types of ISO/IEC 14496-10, table 7-1, and ISO/IEC 23008-2, table 7-1. Units that are
    /// too short for their header are passed over.
    fn read(self, unit: &[u8]) -> Unit {
        match (self, unit) {
            (Self::Avc, [header, rest @ ..]) => match header & 0x1f {
                6 if rest.first() == Some(&BUFFERING_PERIOD) => Unit::First,
                9 => Unit::First,
                1..=6 => Unit::Late,
                _ => Unit::Other,
            },
            (Self::Hevc, [header, _, rest @ ..]) => match header >> 1 & 0x3f {
                39 if matches!(rest, [BUFFERING_PERIOD | ACTIVE_PARAMETER_SETS, ..]) => Unit::First,
                35 => Unit::First,
                0..=31 | 39 => Unit::Late,
                _ => Unit::Other,
            },
            _ => Unit::Other,
        }
    }
}
