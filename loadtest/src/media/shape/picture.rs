//! Pictures of any length that decoders can decode: H.264 whose bytes are nearly all samples.
//!
//! ```text
//! header 5 | SEI: mark | SEI: noise, which makes up the length | slice: plain macroblocks, then
//!                                                                samples: noise
//! ```
//! A macroblock of samples (`I_PCM`, ISO/IEC 14496-10, 7.3.5) holds 384 bytes as they are; so many
//! of them stand at the end of a picture as it has room for. Those before are a byte each in a key
//! frame (`I_16x16`, predicted, nothing left over) and skipped in others. As samples come last, they
//! are no neighbours by which the others would be coded (9.2.1). Noise has no zero bytes, and nothing
//! else has two in a row: emulation prevention (7.4.1) is never needed.

use super::noise::Noise;
use crate::media::mark::MARK_BYTES;
use bytes::BufMut;

/// Bytes of a macroblock of samples: 16x16 of luma, and 8x8 of each chroma.
const SAMPLES_BYTES: usize = 384;
/// The type and alignment before the samples, if the macroblock before was one of samples too: in
/// slices of key frames, and in others, where the number of those skipped stands before.
const SAMPLES_TYPE: [[u8; 2]; 2] = [[0x0d, 0x00], [0x87, 0xc0]];
/// FLV header; SEI unit with the mark, with its length.
const FRONT_BYTES: usize = 5 + 4 + 3 + MARK_BYTES + 1;
/// The shortest SEI unit of noise, with its length: header, type, size, a UUID's worth, stop bit.
const NOISE_UNIT_BYTES_MIN: usize = 4 + 3 + 16 + 1;
/// Length and header of the slice; its own header, and the type of the first samples, at most.
const SLICE_BYTES_MAX: usize = 4 + 1 + 12;

/// What pictures are painted on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Canvas {
    /// Macroblocks in a row.
    columns: u32,
    /// Rows of macroblocks.
    rows: u32,
}

impl Canvas {
    /// The greatest that streams of so many bits per second are usually encoded at. All are 16:9
    /// and need no cropping.
    pub(super) fn fit(bits_per_second: u64) -> Self {
        match bits_per_second {
            0..200_000 => Self { columns: 16, rows: 9 },
            200_000..1_000_000 => Self { columns: 32, rows: 18 },
            _ => Self { columns: 80, rows: 45 },
        }
    }

    /// Width and height in pixels.
    pub(super) fn size(self) -> (u32, u32) {
        (self.columns * 16, self.rows * 16)
    }

    fn macroblocks(self) -> usize {
        (self.columns * self.rows) as usize
    }

    /// Bytes that a picture's message takes at least.
    pub(super) fn least(self, is_key: bool) -> usize {
        let plain = if is_key { self.macroblocks() } else { 0 };
        FRONT_BYTES + NOISE_UNIT_BYTES_MIN + SLICE_BYTES_MAX + plain
    }

    /// The sequence header: AVCDecoderConfigurationRecord (ISO/IEC 14496-15, 5.3.3.1).
    pub(super) fn sequence_header(self) -> Vec<u8> {
        let (sps, pps) = (self.sequence_parameters(), picture_parameters());
        let mut out = vec![0x17, 0, 0, 0, 0, 1, sps[1], sps[2], sps[3], 0xff, 0xe1];
        out.put_u16(sps.len() as u16);
        out.extend_from_slice(&sps);
        out.push(1);
        out.put_u16(pps.len() as u16);
        out.extend_from_slice(&pps);
        out
    }

    /// 7.3.2.1.1: constrained baseline, level 4.2.
    fn sequence_parameters(self) -> Vec<u8> {
        let mut bits = Bits::default();
        bits.put(0x6742_c02a, 32);
        bits.unsigned(0); // seq_parameter_set_id
        bits.unsigned(0); // log2_max_frame_num_minus4
        bits.unsigned(2); // pic_order_cnt_type: shown as they are decoded
        bits.unsigned(1); // max_num_ref_frames
        bits.put(0, 1); // gaps_in_frame_num_value_allowed_flag
        bits.unsigned(self.columns - 1);
        bits.unsigned(self.rows - 1);
        bits.put(0b11, 2); // frame_mbs_only_flag, direct_8x8_inference_flag
        bits.put(0b00, 2); // no cropping, no VUI
        bits.finish()
    }

    /// Appends the message of a picture of this number in its group, the first of which is a key
    /// frame, with room for a mark; returns where that is.
    pub(super) fn write(
        self,
        number: u32,
        length: usize,
        noise: Noise<'_>,
        out: &mut Vec<u8>,
    ) -> usize {
        let is_key = number == 0;
        let samples = length.saturating_sub(self.least(is_key)) / (SAMPLES_BYTES + 2);
        let samples = samples.min(self.macroblocks());
        let front = self.slice_front(number, samples);
        let between = samples.saturating_sub(1) * 2;
        let slice = 1 + front.len() + between + samples * SAMPLES_BYTES + usize::from(samples > 0);

        out.extend_from_slice(&[if is_key { 0x17 } else { 0x27 }, 1, 0, 0, 0]);
        // SEI is NAL unit type 6; its payload type 5 is user data unregistered (D.1.6).
        out.put_u32((3 + MARK_BYTES + 1) as u32);
        out.extend_from_slice(&[0x06, 0x05, MARK_BYTES as u8]);
        let mark_at = out.len();
        out.extend_from_slice(&[0; MARK_BYTES]);
        out.push(0x80);
        put_noise_unit(length - FRONT_BYTES - 4 - slice, noise, out);
        out.put_u32(slice as u32);
        // A slice of an IDR picture, or of one that others refer to.
        out.push(if is_key { 0x65 } else { 0x61 });
        out.extend_from_slice(&front);
        for at in 0..samples {
            if at > 0 {
                out.extend_from_slice(&SAMPLES_TYPE[usize::from(!is_key)]);
            }
            out.extend_from_slice(noise.piece(at * SAMPLES_BYTES, SAMPLES_BYTES));
        }
        if samples > 0 {
            out.push(0x80);
        }
        mark_at
    }

    /// A slice (7.3.3, 7.3.4) from its header to the type of the first macroblock of samples and
    /// what aligns these; or to its end, if there are none.
    fn slice_front(self, number: u32, samples: usize) -> Vec<u8> {
        let plain = self.macroblocks() - samples;
        let mut bits = Bits::default();
        bits.unsigned(0); // first_mb_in_slice
        bits.unsigned(if number == 0 { 7 } else { 5 }); // slice_type: I, P
        bits.unsigned(0); // pic_parameter_set_id
        bits.put(number % 16, 4); // frame_num
        if number == 0 {
            bits.unsigned(0); // idr_pic_id
            bits.put(0, 2); // no_output_of_prior_pics_flag, long_term_reference_flag
        } else {
            // num_ref_idx_active_override_flag, ref_pic_list_modification_flag_l0,
            // adaptive_ref_pic_marking_mode_flag
            bits.put(0, 3);
        }
        bits.unsigned(0); // slice_qp_delta
        if number == 0 {
            for _ in 0..plain {
                // mb_type 3 (I_16x16, predicted by the mean), intra_chroma_pred_mode 0,
                // mb_qp_delta 0, no coefficients.
                bits.put(0b0010_0111, 8);
            }
        } else {
            bits.unsigned(plain as u32); // mb_skip_run
        }
        if samples == 0 {
            return bits.finish();
        }
        bits.unsigned(if number == 0 { 25 } else { 5 + 25 }); // mb_type: I_PCM
        bits.aligned()
    }
}

/// 7.3.2.2: coded without arithmetic, one slice group, no deblocking to be controlled.
fn picture_parameters() -> Vec<u8> {
    let mut bits = Bits::default();
    bits.put(0x68, 8);
    bits.unsigned(0); // pic_parameter_set_id
    bits.unsigned(0); // seq_parameter_set_id
    bits.put(0, 2); // entropy_coding_mode_flag, bottom_field_pic_order_in_frame_present_flag
    bits.unsigned(0); // num_slice_groups_minus1
    bits.unsigned(0); // num_ref_idx_l0_default_active_minus1
    bits.unsigned(0); // num_ref_idx_l1_default_active_minus1
    bits.put(0, 3); // weighted_pred_flag, weighted_bipred_idc
    bits.unsigned(0); // pic_init_qp_minus26
    bits.unsigned(0); // pic_init_qs_minus26
    bits.unsigned(0); // chroma_qp_index_offset
    bits.put(0, 3); // deblocking control, constrained intra prediction, redundant pictures
    bits.finish()
}

/// Appends an SEI unit of exactly so many bytes, its length included.
fn put_noise_unit(bytes: usize, noise: Noise<'_>, out: &mut Vec<u8>) {
    out.put_u32((bytes - 4) as u32);
    out.push(0x06);
    // What the messages take beside length, header and stop bit, type and a byte of size.
    let mut left = bytes - 6 - 2;
    // Every 255 bytes of content take a byte of size more, so one length in 256 cannot be had: an
    // empty message of filler (D.1.4) makes up for it.
    if left % 256 == 255 {
        out.extend_from_slice(&[0x03, 0x00]);
        left -= 2;
    }
    let content = left - left / 256;
    out.push(0x05);
    out.resize(out.len() + content / 255, 0xff);
    out.push((content % 255) as u8);
    out.extend_from_slice(noise.piece(0, content));
    out.push(0x80);
}

/// Bits into bytes, the highest first.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    /// Bits that make no byte yet, in the lowest `count` bits.
    held: u64,
    count: u32,
}

impl Bits {
    fn put(&mut self, value: u32, count: u32) {
        self.held = self.held << count | u64::from(value);
        self.count += count;
        while self.count >= 8 {
            self.count -= 8;
            self.bytes.push((self.held >> self.count) as u8);
        }
    }

    /// `ue(v)` (9.1).
    fn unsigned(&mut self, value: u32) {
        let length = (value + 1).ilog2();
        self.put(0, length);
        self.put(value + 1, length + 1);
    }

    fn aligned(mut self) -> Vec<u8> {
        self.put(0, self.count.wrapping_neg() % 8);
        self.bytes
    }

    /// With the stop bit (7.3.2.11).
    fn finish(mut self) -> Vec<u8> {
        self.put(1, 1);
        self.aligned()
    }
}

#[cfg(test)]
mod tests {
    use super::super::noise::Well;
    use super::*;
    use millstream_media::AvcConfig;

    #[test]
    fn units_fill_a_message_exactly_at_any_length() {
        let well = Well::new();
        for bits in [100_000, 500_000, 5_000_000] {
            let canvas = Canvas::fit(bits);
            for number in [0, 1, 17] {
                let least = canvas.least(number == 0);
                for length in (least..least + 1200).chain([least + 500_000, 2_000_000]) {
                    let mut message = Vec::new();
                    let mark_at = canvas.write(number, length, well.of(0, 0, length), &mut message);
                    assert_eq!((message.len(), mark_at), (length, 12));
                    message[mark_at..mark_at + MARK_BYTES].fill(0x80);
                    assert_eq!(kinds(&message[5..]), [6, 6, if number == 0 { 5 } else { 1 }]);
                }
            }
        }
    }

    /// The types of the units, none of which may need emulation prevention.
    fn kinds(mut units: &[u8]) -> Vec<u8> {
        let mut kinds = Vec::new();
        while let Some((length, rest)) = units.split_first_chunk::<4>() {
            let (unit, rest) = rest.split_at(u32::from_be_bytes(*length) as usize);
            assert!(unit.windows(2).all(|pair| pair != [0, 0]), "{:?}", &unit[..20]);
            kinds.push(unit[0] & 0x1f);
            units = rest;
        }
        kinds
    }

    #[test]
    fn the_configuration_says_the_size() {
        for (bits, size) in [(1, (256, 144)), (999_999, (512, 288)), (1_000_000, (1280, 720))] {
            let canvas = Canvas::fit(bits);
            let config = AvcConfig::parse(&canvas.sequence_header()[5..]).unwrap();
            assert_eq!((config.size(), canvas.size()), (Some(size), size));
            assert_eq!(config.nal_length_size, 4);
        }
    }
}
