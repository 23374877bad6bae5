//! The decoder configuration of H.264 (ISO/IEC 14496-15, 5.3.3.1). The parameter set within it
//! stands in `sps`.
//!
//! ```text
//! 01 | profile | compatibility | level | 111111 nn | 111 sssss | (len16 SPS) x s | p | (len16 PPS) x p
//! ```
//!
//! High profiles append the chroma format and bit depths; encoders leave them out as often as
//! not, and the parameter set says the same, so they are not read.

mod sps;

use std::fmt;

pub use sps::{Sps, SpsError};

/// An AVCDecoderConfigurationRecord: what an RTMP or FLV sequence header of H.264 carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AvcConfig {
    /// `profile_idc`: 66 is Baseline, 77 Main, 100 High.
    pub profile_idc: u8,
    /// The constraint flags, highest bit first.
    pub compatibility: u8,
    /// Ten times the level: 31 is level 3.1.
    pub level_idc: u8,
    /// How many bytes the length before each NAL unit of a frame has: 1, 2 or 4.
    pub nal_length_size: u8,
    /// The sequence parameter sets, each with its NAL header; at most 31.
    pub sps: Vec<Vec<u8>>,
    /// The picture parameter sets, each with its NAL header; at most 255.
    pub pps: Vec<Vec<u8>>,
}

impl AvcConfig {
    /// Reads a record. What follows the picture parameter sets is left alone.
    ///
    /// # Errors
    ///
    /// The record is of another version, is cut short, or has a length size of three. What is
    /// within the parameter sets is not looked at.
    pub fn parse(record: &[u8]) -> Result<Self, AvcError> {
        let mut rest = record;
        let [version, profile_idc, compatibility, level_idc, lengths, counts] =
            *rest.split_off(..6).and_then(|head| head.first_chunk()).ok_or(AvcError::Truncated)?;
        if version != 1 {
            return Err(AvcError::UnknownVersion(version));
        }
        let nal_length_size = (lengths & 3) + 1;
        if nal_length_size == 3 {
            return Err(AvcError::InvalidLengthSize);
        }
        let sps = parameter_sets(&mut rest, counts & 0x1f)?;
        let pps_count = *rest.split_off_first().ok_or(AvcError::Truncated)?;
        let pps = parameter_sets(&mut rest, pps_count)?;
        Ok(Self { profile_idc, compatibility, level_idc, nal_length_size, sps, pps })
    }

    /// Reads the first sequence parameter set.
    ///
    /// # Errors
    ///
    /// As [`Sps::parse`], and [`SpsError::Missing`] if the record has none.
    pub fn picture(&self) -> Result<Sps, SpsError> {
        Sps::parse(self.sps.first().ok_or(SpsError::Missing)?)
    }

    /// Width and height in pixels, after cropping; `None` if no parameter set says them.
    pub fn size(&self) -> Option<(u32, u32)> {
        self.picture().ok().map(|sps| (sps.width, sps.height))
    }

    /// The codec as playlists and pages name it (RFC 6381): `avc1.64001f`.
    pub fn codec_string(&self) -> String {
        format!("avc1.{:02x}{:02x}{:02x}", self.profile_idc, self.compatibility, self.level_idc)
    }
}

fn parameter_sets(rest: &mut &[u8], count: u8) -> Result<Vec<Vec<u8>>, AvcError> {
    let mut sets = Vec::new();
    for _ in 0..count {
        let length = rest.split_off(..2).and_then(|two| two.first_chunk());
        let length = u16::from_be_bytes(*length.ok_or(AvcError::Truncated)?);
        let set = rest.split_off(..usize::from(length)).ok_or(AvcError::Truncated)?;
        sets.push(set.to_vec());
    }
    Ok(sets)
}

/// Why bytes are no AVCDecoderConfigurationRecord.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AvcError {
    /// The record ends early.
    Truncated,
    /// The first byte is not 1. NAL units sent in place of a record begin with 0.
    UnknownVersion(u8),
    /// NAL lengths of three bytes, which the format forbids.
    InvalidLengthSize,
}

impl fmt::Display for AvcError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated => f.write_str("H.264 configuration is cut short"),
            Self::UnknownVersion(version) => {
                write!(f, "H.264 configuration of unknown version {version}")
            }
            Self::InvalidLengthSize => f.write_str("H.264 configuration with 3-byte NAL lengths"),
        }
    }
}

impl std::error::Error for AvcError {}
