//! The decoder configuration of AAC (ISO/IEC 14496-3, 1.6.2.1, and 4.4.1 for what the general
//! audio coder adds). Frames, ADTS and LATM do not belong here.
//!
//! ```text
//! object type (5, or 31 + 6) | rate index (4, 15: + 24) | channels (4)
//!   [5 or 29: rate index of the extension | object type]   SBR or PS said up front
//!   frame length (1) | core coder (1 + 14) | extension (1) | [channels 0: program config element]
//!   [0x2b7 (11) | 5 (5) | SBR (1) | rate index | 0x548 (11) | PS (1)]   said behind, compatibly
//! ```

use std::fmt;

use crate::bits::{BitReader, BitsEnded};

/// An AudioSpecificConfig: what an RTMP or FLV sequence header of AAC carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AacConfig {
    /// The audio object type of the core: 1 is Main, 2 is LC, 3 is SSR, 4 is LTP.
    pub object_type: u8,
    /// The sampling rate of the core, in Hz.
    pub sample_rate: u32,
    /// How many channels the core has; `None` for a channel configuration that is reserved.
    pub channels: Option<u8>,
    /// Whether spectral band replication is signalled: `None` if the configuration leaves it
    /// open, in which case a decoder finds out from the frames.
    pub sbr: Option<bool>,
    /// Whether parametric stereo is signalled, likewise.
    pub ps: Option<bool>,
    /// The sampling rate of what is heard, in Hz: that of the extension if SBR is signalled.
    pub output_sample_rate: u32,
}

/// The object types that spell the two extensions (table 1.17).
const SBR: u8 = 5;
const PS: u8 = 29;

/// Table 1.18, in Hz.
const SAMPLE_RATES: [u32; 13] =
    [96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350];

impl AacConfig {
    /// Reads a configuration. Bytes behind it are left alone.
    ///
    /// # Errors
    ///
    /// It ends early, or a sampling rate is reserved or zero.
    pub fn parse(config: &[u8]) -> Result<Self, AacError> {
        let bits = &mut BitReader::new(config);
        let mut object_type = read_object_type(bits)?;
        let sample_rate = read_sample_rate(bits)?;
        let mut output_sample_rate = sample_rate;
        let configuration = bits.bits(4)? as u8;
        let (mut sbr, mut ps) = (None, None);
        if object_type == SBR || object_type == PS {
            sbr = Some(true);
            ps = (object_type == PS).then_some(true);
            output_sample_rate = read_sample_rate(bits)?;
            object_type = read_object_type(bits)?;
            if object_type == 22 {
                bits.skip(4)?; // extensionChannelConfiguration
            }
        }
        let mut channels = channels_of(configuration);
        if is_general_audio(object_type) {
            let counted = read_general_audio(bits, object_type, configuration)?;
            channels = counted.or(channels);
            // Behind the configurations of other coders it is not known where this would begin.
            if sbr.is_none() {
                (sbr, ps, output_sample_rate) = read_extension(bits, sample_rate)?;
            }
        }
        Ok(Self { object_type, sample_rate, channels, sbr, ps, output_sample_rate })
    }

    /// How many channels are heard: parametric stereo makes two of one.
    pub fn output_channels(&self) -> Option<u8> {
        match (self.ps, self.channels) {
            (Some(true), Some(1)) => Some(2),
            (_, channels) => channels,
        }
    }

    /// The codec as playlists and pages name it (RFC 6381): `mp4a.40.2`, or `.5` and `.29` if an
    /// extension is signalled.
    pub fn codec_string(&self) -> String {
        let object_type = match (self.ps, self.sbr) {
            (Some(true), _) => PS,
            (_, Some(true)) => SBR,
            _ => self.object_type,
        };
        format!("mp4a.40.{object_type}")
    }
}

fn read_object_type(bits: &mut BitReader<'_>) -> Result<u8, BitsEnded> {
    Ok(match bits.bits(5)? {
        31 => 32 + bits.bits(6)? as u8,
        object_type => object_type as u8,
    })
}

fn read_sample_rate(bits: &mut BitReader<'_>) -> Result<u32, AacError> {
    let rate = match bits.bits(4)? as usize {
        15 => bits.bits(24)?,
        index => *SAMPLE_RATES.get(index).ok_or(AacError::InvalidSampleRate)?,
    };
    if rate == 0 { Err(AacError::InvalidSampleRate) } else { Ok(rate) }
}

/// Table 1.19; 0 says that a program config element counts them.
fn channels_of(configuration: u8) -> Option<u8> {
    match configuration {
        1..=6 => Some(configuration),
        7 | 12 | 14 => Some(8),
        11 => Some(7),
        13 => Some(24),
        _ => None,
    }
}

/// The object types whose configuration is a GASpecificConfig (1.6.2.1).
fn is_general_audio(object_type: u8) -> bool {
    matches!(object_type, 1..=4 | 6 | 7 | 17 | 19..=23)
}

/// GASpecificConfig (4.4.1, table 4.1). Returns the channels if it counts them itself.
fn read_general_audio(
    bits: &mut BitReader<'_>,
    object_type: u8,
    configuration: u8,
) -> Result<Option<u8>, BitsEnded> {
    bits.skip(1)?; // frameLengthFlag
    if bits.bit()? {
        bits.skip(14)?; // coreCoderDelay
    }
    let extended = bits.bit()?;
    let channels = if configuration == 0 { Some(read_program(bits)?) } else { None };
    if matches!(object_type, 6 | 20) {
        bits.skip(3)?; // layerNr
    }
    if extended {
        match object_type {
            22 => bits.skip(5 + 11)?,           // numOfSubFrame, layer_length
            17 | 19 | 20 | 23 => bits.skip(3)?, // the resilience flags
            _ => {}
        }
        bits.skip(1)?; // extensionFlag3
    }
    Ok(channels)
}

/// program_config_element (4.4.1.1, table 4.2): how many channels its elements have together.
fn read_program(bits: &mut BitReader<'_>) -> Result<u8, BitsEnded> {
    bits.skip(4 + 2 + 4)?; // element_instance_tag, object_type, sampling_frequency_index
    let full_channel_elements = [bits.bits(4)?, bits.bits(4)?, bits.bits(4)?];
    let low_frequency = bits.bits(2)?;
    let associated_data = bits.bits(3)?;
    let coupling = bits.bits(4)?;
    for mixdown_bits in [4, 4, 3] {
        if bits.bit()? {
            bits.skip(mixdown_bits)?; // mono, stereo, matrix
        }
    }
    let mut channels = low_frequency;
    for elements in full_channel_elements {
        for _ in 0..elements {
            // A channel pair element has two channels, a single one has one.
            channels += 1 + u32::from(bits.bit()?);
            bits.skip(4)?;
        }
    }
    // A coupling element has one bit more than the others, and no channel of its own.
    bits.skip((4 * low_frequency + 4 * associated_data + 5 * coupling) as usize)?;
    bits.align();
    let comment_length = bits.byte()?;
    bits.skip(8 * usize::from(comment_length))?;
    // At most 3 x 15 pairs and 3 low frequency elements.
    Ok(channels as u8)
}

/// The backward compatible signalling behind the configuration (1.6.6.1): SBR, PS, and the rate
/// of what is heard.
fn read_extension(
    bits: &mut BitReader<'_>,
    sample_rate: u32,
) -> Result<(Option<bool>, Option<bool>, u32), AacError> {
    let none = (None, None, sample_rate);
    // Shorter rests are padding.
    if bits.left() < 16 || bits.bits(11)? != 0x2b7 || read_object_type(bits)? != SBR {
        return Ok(none);
    }
    if !bits.bit()? {
        return Ok((Some(false), None, sample_rate));
    }
    let output_sample_rate = read_sample_rate(bits)?;
    let mut ps = None;
    if bits.left() >= 12 && bits.bits(11)? == 0x548 {
        ps = Some(bits.bit()?);
    }
    Ok((Some(true), ps, output_sample_rate))
}

/// Why bytes are no AudioSpecificConfig.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AacError {
    /// The configuration ends early.
    Truncated,
    /// The sampling rate is reserved or zero.
    InvalidSampleRate,
}

impl From<BitsEnded> for AacError {
    fn from(_: BitsEnded) -> Self {
        Self::Truncated
    }
}

impl fmt::Display for AacError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Truncated => "AAC configuration is cut short",
            Self::InvalidSampleRate => "AAC configuration with an invalid sampling rate",
        })
    }
}

impl std::error::Error for AacError {}
