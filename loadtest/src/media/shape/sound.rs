//! Sound of any length that decoders can decode: AAC-LC whose bytes are nearly all data.
//!
//! ```text
//! header 2 | data stream element: mark | data stream elements: noise | silence
//! ```
//! ISO/IEC 14496-3, table 4.3 (raw_data_block) and 4.10 (data_stream_element); see `form`.

use super::noise::Noise;
use crate::media::form::{DATA_ELEMENT, ELEMENT_HEADER_BYTES};
use crate::media::mark::MARK_BYTES;

/// The sequence header: AudioSpecificConfig (1.6.2.1) of AAC-LC, 48 kHz, stereo.
pub(super) const SEQUENCE_HEADER: [u8; 4] = [0xaf, 0, 0x11, 0x90];
/// Bytes that a message takes at least.
pub(super) const LEAST: usize = 2 + ELEMENT_HEADER_BYTES + MARK_BYTES + 2 + SILENCE.len();

/// The end of a raw data block in bits: a channel pair element (table 4.5) without a single band,
/// which is silence, and ID_END.
const SILENCE: [u8; 6] = [0x21, 0x10, 0x04, 0x60, 0x8c, 0x1c];

/// Appends a frame's message with room for a mark, and returns where that is.
pub(super) fn write(length: usize, noise: Noise<'_>, out: &mut Vec<u8>) -> usize {
    out.extend_from_slice(&[0xaf, 1]);
    out.extend_from_slice(&[DATA_ELEMENT, MARK_BYTES as u8]);
    let mark_at = out.len();
    out.extend_from_slice(&[0; MARK_BYTES]);
    let mut left = length - out.len() - SILENCE.len();
    while left > 0 {
        // An element of 256 bytes is the longest with one byte of count; it must not leave a single
        // byte, which would be no element.
        let element = if left == 257 { 255 } else { left.min(256) };
        let data = element - ELEMENT_HEADER_BYTES;
        out.extend_from_slice(&[DATA_ELEMENT, data as u8]);
        out.extend_from_slice(noise.piece(left - element, data));
        left -= element;
    }
    out.extend_from_slice(&SILENCE);
    mark_at
}

#[cfg(test)]
mod tests {
    use super::super::noise::Well;
    use super::*;

    #[test]
    fn elements_fill_a_frame_exactly_at_any_length() {
        let well = Well::new();
        for length in LEAST..1500 {
            let mut frame = Vec::new();
            write(length, well.of(0, 0, length), &mut frame);
            assert_eq!(frame.len(), length);
            let mut at = 2;
            while frame[at] == DATA_ELEMENT {
                at += ELEMENT_HEADER_BYTES + usize::from(frame[at + 1]);
            }
            assert_eq!(frame[at..], SILENCE);
        }
    }
}
