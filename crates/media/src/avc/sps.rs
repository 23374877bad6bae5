//! The sequence parameter set of H.264 up to the cropping rectangle (ISO/IEC 14496-10, 7.3.2.1.1).
//!
//! What stands behind it (VUI: aspect, colour, timing) is not read: nothing here needs it, and
//! devices are known to write it wrongly in sets that are otherwise sound.

use std::fmt;

use crate::bits::{BitReader, BitsEnded};

/// What a sequence parameter set says of the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sps {
    /// `profile_idc`.
    pub profile_idc: u8,
    /// The constraint flags, highest bit first.
    pub compatibility: u8,
    /// Ten times the level.
    pub level_idc: u8,
    /// 0 is monochrome, 1 is 4:2:0, 2 is 4:2:2, 3 is 4:4:4.
    pub chroma_format_idc: u8,
    /// Pixels, after cropping.
    pub width: u32,
    /// Pixels, after cropping; of a whole frame when fields are coded.
    pub height: u32,
}

/// The most macroblocks in a row or column: 65,536 pixels, four times what the highest level
/// allows.
const MACROBLOCKS_MAX: u32 = 4096;

/// The NAL unit type of a sequence parameter set (table 7-1).
const NAL_TYPE_SPS: u8 = 7;

/// The profiles whose sets have a chroma format and scaling lists (7.3.2.1.1).
const HIGH_PROFILES: [u8; 13] = [100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135];

impl Sps {
    /// Reads a set from its NAL unit, header included, start code excluded.
    ///
    /// # Errors
    ///
    /// It is no such set, ends early, or has a value out of the range of its field.
    pub fn parse(nal: &[u8]) -> Result<Self, SpsError> {
        let (&header, payload) = nal.split_first().ok_or(SpsError::Truncated)?;
        if header & 0x1f != NAL_TYPE_SPS {
            return Err(SpsError::OtherNalUnit(header & 0x1f));
        }
        let payload = without_emulation_prevention(payload);
        let bits = &mut BitReader::new(&payload);
        let profile_idc = bits.byte()?;
        let compatibility = bits.byte()?;
        let level_idc = bits.byte()?;
        at_most(bits.unsigned()?, 31)?; // seq_parameter_set_id
        let chroma = if HIGH_PROFILES.contains(&profile_idc) {
            Chroma::read(bits)?
        } else {
            Chroma::DEFAULT
        };
        at_most(bits.unsigned()?, 12)?; // log2_max_frame_num_minus4
        skip_picture_order(bits)?;
        bits.unsigned()?; // max_num_ref_frames
        bits.skip(1)?; // gaps_in_frame_num_value_allowed_flag
        let columns = at_most(bits.unsigned()?, MACROBLOCKS_MAX - 1)? + 1;
        let map_rows = at_most(bits.unsigned()?, MACROBLOCKS_MAX - 1)? + 1;
        let frames_only = bits.bit()?;
        if !frames_only {
            bits.skip(1)?; // mb_adaptive_frame_field_flag
        }
        // A map unit of interlaced pictures is a pair of macroblocks, one of each field.
        let fields = if frames_only { 1 } else { 2 };
        bits.skip(1)?; // direct_8x8_inference_flag
        let (unit_x, unit_y) = chroma.crop_units();
        let (mut width, mut height) = (columns * 16, map_rows * 16 * fields);
        if bits.bit()? {
            width = crop(width, bits.unsigned()?, bits.unsigned()?, unit_x)?;
            height = crop(height, bits.unsigned()?, bits.unsigned()?, unit_y * fields)?;
        }
        let chroma_format_idc = chroma.format_idc;
        Ok(Self { profile_idc, compatibility, level_idc, chroma_format_idc, width, height })
    }
}

/// The subsampling of chroma, in which cropping counts.
#[derive(Clone, Copy)]
struct Chroma {
    format_idc: u8,
}

impl Chroma {
    const DEFAULT: Self = Self { format_idc: 1 };

    /// The part that only high profiles have.
    fn read(bits: &mut BitReader<'_>) -> Result<Self, SpsError> {
        let format_idc = at_most(bits.unsigned()?, 3)? as u8;
        if format_idc == 3 {
            bits.skip(1)?; // separate_colour_plane_flag
        }
        at_most(bits.unsigned()?, 6)?; // bit_depth_luma_minus8
        at_most(bits.unsigned()?, 6)?; // bit_depth_chroma_minus8
        bits.skip(1)?; // qpprime_y_zero_transform_bypass_flag
        if bits.bit()? {
            for list in 0..if format_idc == 3 { 12 } else { 8 } {
                if bits.bit()? {
                    skip_scaling_list(bits, if list < 6 { 16 } else { 64 })?;
                }
            }
        }
        Ok(Self { format_idc })
    }

    /// In how many pixels cropping counts (equations 7-19 to 7-22, table 6-1).
    fn crop_units(self) -> (u32, u32) {
        match self.format_idc {
            1 => (2, 2),
            2 => (2, 1),
            // Monochrome, and 4:4:4 whether its planes are coded jointly or apart.
            _ => (1, 1),
        }
    }
}

/// Section 7.3.2.1.1.1. A list ends early by a scale of zero.
fn skip_scaling_list(bits: &mut BitReader<'_>, size: usize) -> Result<(), BitsEnded> {
    let (mut last, mut next) = (8, 8);
    for _ in 0..size {
        if next != 0 {
            next = (last + bits.signed()?).rem_euclid(256);
        }
        last = if next == 0 { last } else { next };
    }
    Ok(())
}

fn skip_picture_order(bits: &mut BitReader<'_>) -> Result<(), SpsError> {
    match at_most(bits.unsigned()?, 2)? {
        0 => {
            at_most(bits.unsigned()?, 12)?; // log2_max_pic_order_cnt_lsb_minus4
        }
        1 => {
            bits.skip(1)?; // delta_pic_order_always_zero_flag
            bits.signed()?; // offset_for_non_ref_pic
            bits.signed()?; // offset_for_top_to_bottom_field
            for _ in 0..at_most(bits.unsigned()?, 255)? {
                bits.signed()?; // offset_for_ref_frame
            }
        }
        _ => {}
    }
    Ok(())
}

fn crop(length: u32, before: u32, after: u32, unit: u32) -> Result<u32, SpsError> {
    let units = u64::from(before) + u64::from(after);
    let left = u64::from(length).checked_sub(units * u64::from(unit));
    match left {
        // What is left is at most `length`.
        Some(left) if left > 0 => Ok(left as u32),
        _ => Err(SpsError::NothingLeft),
    }
}

fn at_most(value: u32, max: u32) -> Result<u32, SpsError> {
    if value > max { Err(SpsError::OutOfRange) } else { Ok(value) }
}

/// Takes out the byte 3 that keeps 00 00 00 to 00 00 03 from occurring in a NAL unit (7.4.1.1).
fn without_emulation_prevention(payload: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(payload.len());
    let mut zeros = 0;
    for &byte in payload {
        if zeros >= 2 && byte == 3 {
            zeros = 0;
            continue;
        }
        zeros = if byte == 0 { zeros + 1 } else { 0 };
        plain.push(byte);
    }
    plain
}

/// Why bytes are no usable sequence parameter set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SpsError {
    /// There is no set.
    Missing,
    /// The set ends early.
    Truncated,
    /// The NAL unit is of this type instead.
    OtherNalUnit(u8),
    /// A value is out of the range of its field.
    OutOfRange,
    /// Cropping leaves no picture.
    NothingLeft,
}

impl From<BitsEnded> for SpsError {
    fn from(_: BitsEnded) -> Self {
        Self::Truncated
    }
}

impl fmt::Display for SpsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("no sequence parameter set"),
            Self::Truncated => f.write_str("sequence parameter set is cut short"),
            Self::OtherNalUnit(found) => {
                write!(f, "NAL unit of type {found} is no sequence parameter set")
            }
            Self::OutOfRange => f.write_str("value out of range in the sequence parameter set"),
            Self::NothingLeft => f.write_str("sequence parameter set crops the whole picture"),
        }
    }
}

impl std::error::Error for SpsError {}
