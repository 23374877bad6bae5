//! The mark in Opus: padding, which only packets of code 3 have, and only at their end.
//!
//! ```text
//! TOC: config 5 | stereo 1 | code 11 || VBR 1 | padding 1 | frames 6 || padding length ...
//!     | lengths of frames but the last, if VBR | frames | padding that was there | 00 | the mark
//! ```
//! RFC 6716, 3.2.5: a decoder must accept any value in the padding. Packets of the other codes are
//! rewritten as code 3, with the same frames (3.2.2 to 3.2.4). The zero before the mark tells
//! those who look for extensions in the padding that none follows
//! (draft-ietf-mlcodec-opus-extension: an id of 0 without a length pads to the end).
//!
//! As nothing is behind the mark, it answers for the packet before it.

use crate::media::form::Opened;
use crate::media::mark::MARK_BYTES;
use bytes::{BufMut, BytesMut};

const VBR: u8 = 0x80;
const PADDING: u8 = 0x40;

/// The channel mapping family of an `OpusHead` (RFC 7845, 5.1): 0 is one stream of one or two
/// channels; in others, packets are several packets in one.
pub(super) fn mapping_family(configuration: &[u8]) -> Option<u8> {
    configuration.strip_prefix(b"OpusHead")?.get(10).copied()
}

pub(super) fn open(packet: &[u8], head: &mut BytesMut) -> Option<Opened> {
    let start = head.len();
    let (&toc, rest) = packet.split_first()?;
    let (count, rest, old_padding) = match toc & 3 {
        0 => (1, rest, &[][..]),
        1 => (2, rest, &[][..]),
        // The length of the first frame stands where it stands in code 3 too.
        2 => (VBR | 2, rest, &[][..]),
        _ => split_code_3(rest)?,
    };
    head.put_u8(toc | 3);
    head.put_u8(count | PADDING);
    put_padding_length(old_padding.len() + 1 + MARK_BYTES, head);
    head.extend_from_slice(rest);
    head.extend_from_slice(old_padding);
    head.put_u8(0);
    Some(Opened { taken: packet.len(), stop: &[], lead: head.len() - start })
}

/// The byte with the count, what is between the padding's length and the padding, the padding.
fn split_code_3(packet: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&count, mut rest) = packet.split_first()?;
    if count & PADDING == 0 {
        return Some((count, rest, &[]));
    }
    let mut padding = 0;
    loop {
        let byte;
        (byte, rest) = rest.split_first()?;
        // 255 says 254 bytes and that another number follows.
        padding += usize::from(*byte).min(254);
        if *byte != 255 {
            break;
        }
    }
    let (rest, padding) = rest.split_at_checked(rest.len().checked_sub(padding)?)?;
    Some((count, rest, padding))
}

fn put_padding_length(mut length: usize, head: &mut BytesMut) {
    while length > 254 {
        head.put_u8(255);
        length -= 254;
    }
    head.put_u8(length as u8);
}
