//! The mark in AAC: a data stream element before all other elements of the raw data block.
//!
//! ```text
//! ID_DSE 100 | tag 1111 | aligned 0 || count (8) || the mark
//! ```
//! ISO/IEC 14496-3: table 4.3 (raw_data_block), table 4.10 (data_stream_element). The element has
//! whole bytes, so what is behind it is as it was; it does not ask for alignment, so the block may
//! still be moved to where it does not begin with a byte, as in LATM. Elements of this kind may
//! occur more than once with the same tag (4.5.2.1), so the encoder's own do not matter.

use crate::media::form::Opened;
use crate::media::mark::MARK_BYTES;
use bytes::BytesMut;

/// The first byte of a data stream element: ID_DSE, the highest tag, no alignment.
pub(in crate::media) const DATA_ELEMENT: u8 = 0b1001_1110;
/// The first byte and the count; counts of 255 and more take another byte, and are not written.
pub(in crate::media) const ELEMENT_HEADER_BYTES: usize = 2;
const _: () = assert!(MARK_BYTES < 255);

/// ID_PCE: a program config element, which nothing may precede (4.5.2.1).
const PROGRAM_CONFIG: u8 = 5;

/// Whether frames of this core are raw data blocks: Main, LC, SSR and LTP are; the error resilient
/// and later ones are not.
pub(super) fn has_raw_data_blocks(object_type: u8) -> bool {
    matches!(object_type, 1..=4)
}

pub(super) fn open(body: &[u8], head: &mut BytesMut) -> Option<Opened> {
    if body.first()? >> 5 == PROGRAM_CONFIG {
        return None;
    }
    head.extend_from_slice(&[DATA_ELEMENT, MARK_BYTES as u8]);
    Some(Opened { taken: 0, stop: &[], lead: 0 })
}
