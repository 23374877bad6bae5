//! Histograms as text: HdrHistogram's V2 encoding, deflated, in base64, as logs and JSON hold them.
//!
//! ```text
//!   base64( cookie 0x1c849314 | length u32 | zlib( header 40 bytes | counts, as ZigZag LEB128 ) )
//!   header: cookie 0x1c849313 | payload length u32 | offset u32 | digits u32
//!           | lowest u64 | highest u64 | ratio f64                          (big-endian)
//! ```
//!
//! What is read may come from anybody. The decoder of the library believes the lengths that it is
//! told, so they are held against what is there before it sees them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::read::ZlibDecoder;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Deserializer, Serializer as _, V2DeflateSerializer};
use std::fmt;
use std::io::Read as _;

/// Cookie of the deflated encoding.
const DEFLATED: u32 = 0x1c84_9314;
/// Cookie of the plain one.
const PLAIN: u32 = 0x1c84_9313;
/// Length of a plain header.
const HEADER: usize = 40;
/// Longest plain encoding: the greatest histogram that there is (five digits, all 64 bits) has
/// seven million counts, those of three digits 57,000.
const PLAIN_MAX: u64 = 8 << 20;
/// Of nine bytes that are all ones, the library makes a number that has no opposite, and then
/// looks for it. No count is so high.
const NO_OPPOSITE: [u8; 9] = [0xff; 9];

/// A text is no histogram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PackedError {
    /// It is not base64.
    Base64,
    /// It is no V2 encoding.
    Cookie,
    /// It is cut off, or not deflated as it should be.
    Cut,
    /// It is longer than any histogram.
    Long,
    /// Its header or its counts are not possible.
    Content,
    /// Its values do not fit into a histogram of microseconds.
    Values,
}

impl fmt::Display for PackedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Base64 => "the histogram is not base64",
            Self::Cookie => "the histogram is not in HdrHistogram's V2 encoding",
            Self::Cut => "the histogram is cut off or damaged",
            Self::Long => "the histogram is too long",
            Self::Content => "the histogram is not possible",
            Self::Values => "the values of the histogram are out of range",
        })
    }
}

impl std::error::Error for PackedError {}

/// Writes a histogram.
pub fn pack(histogram: &Histogram<u64>) -> String {
    let mut bytes = Vec::new();
    V2DeflateSerializer::new()
        .serialize(histogram, &mut bytes)
        .expect("counts of a run fit into 63 bits, and a vector takes every byte");
    STANDARD.encode(bytes)
}

/// Reads a histogram, of three digits and growing, as [`empty`](crate::account::times::empty) makes
/// them, whatever the precision of the one that was written.
///
/// # Errors
/// If it is none.
pub fn unpack(text: &str) -> Result<Histogram<u64>, PackedError> {
    let bytes = STANDARD.decode(text).map_err(|_| PackedError::Base64)?;
    let plain = match u32_at(&bytes, 0)? {
        PLAIN => bytes,
        DEFLATED => inflate(bytes.get(8..).ok_or(PackedError::Cut)?)?,
        _ => return Err(PackedError::Cookie),
    };
    check(&plain)?;
    let read: Histogram<u64> =
        Deserializer::new().deserialize(&mut plain.as_slice()).map_err(|_| PackedError::Content)?;
    let mut histogram = crate::account::times::empty();
    histogram.add(&read).map_err(|_| PackedError::Values)?;
    Ok(histogram)
}

fn inflate(deflated: &[u8]) -> Result<Vec<u8>, PackedError> {
    let mut plain = Vec::new();
    ZlibDecoder::new(deflated)
        .take(PLAIN_MAX + 1)
        .read_to_end(&mut plain)
        .map_err(|_| PackedError::Cut)?;
    if plain.len() as u64 > PLAIN_MAX { Err(PackedError::Long) } else { Ok(plain) }
}

fn u32_at(bytes: &[u8], at: usize) -> Result<u32, PackedError> {
    let four = bytes.get(at..).and_then(|rest| rest.first_chunk()).ok_or(PackedError::Cut)?;
    Ok(u32::from_be_bytes(*four))
}

fn check(plain: &[u8]) -> Result<(), PackedError> {
    if u32_at(plain, 0)? != PLAIN {
        return Err(PackedError::Cookie);
    }
    let counts = plain.get(HEADER..).ok_or(PackedError::Cut)?;
    if u32_at(plain, 4)? as usize != counts.len() {
        return Err(PackedError::Cut);
    }
    // Lowest value, upper half: a histogram whose lowest value is beyond 32 bits is none of times.
    if u32_at(plain, 16)? != 0 || counts.windows(9).any(|nine| nine == NO_OPPOSITE) {
        return Err(PackedError::Content);
    }
    Ok(())
}

/// For fields of JSON that are histograms.
pub mod serialized {
    use super::{Histogram, pack, unpack};
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serializer};

    /// Writes one.
    ///
    /// # Errors
    /// If the writer has one.
    pub fn serialize<S: Serializer>(
        histogram: &Histogram<u64>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&pack(histogram))
    }

    /// Reads one.
    ///
    /// # Errors
    /// If there is none.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Histogram<u64>, D::Error> {
        let text = String::deserialize(deserializer)?;
        unpack(&text).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::times::empty;
    use hdrhistogram::serialization::V2Serializer;
    use proptest::prelude::*;

    fn plain(histogram: &Histogram<u64>) -> Vec<u8> {
        let mut bytes = Vec::new();
        V2Serializer::new().serialize(histogram, &mut bytes).unwrap();
        bytes
    }

    #[test]
    fn lengths_that_lie_are_found_out() {
        let mut histogram = empty();
        histogram.record_n(1234, 56).unwrap();
        let good = plain(&histogram);
        assert_eq!(unpack(&STANDARD.encode(&good)), Ok(histogram));
        let mut long = good.clone();
        long[4..8].copy_from_slice(&u32::MAX.to_be_bytes());
        assert_eq!(unpack(&STANDARD.encode(long)), Err(PackedError::Cut));
        let mut low = good.clone();
        low[16..24].copy_from_slice(&(u64::MAX / 4).to_be_bytes());
        assert_eq!(unpack(&STANDARD.encode(low)), Err(PackedError::Content));
        let mut digits = good.clone();
        digits[12..16].copy_from_slice(&200_u32.to_be_bytes());
        assert_eq!(unpack(&STANDARD.encode(digits)), Err(PackedError::Content));
        for cut in 0..good.len() {
            assert!(unpack(&STANDARD.encode(&good[..cut])).is_err(), "{cut}");
        }
    }

    #[test]
    fn a_number_without_an_opposite_is_refused() {
        let mut bytes = plain(&empty());
        bytes.truncate(HEADER);
        bytes.extend(NO_OPPOSITE);
        bytes[4..8].copy_from_slice(&9_u32.to_be_bytes());
        assert_eq!(unpack(&STANDARD.encode(bytes)), Err(PackedError::Content));
    }

    #[test]
    fn what_inflates_without_end_is_refused() {
        use std::io::Write as _;
        let mut deflated = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
        deflated.write_all(&vec![0; PLAIN_MAX as usize + 100]).unwrap();
        let deflated = deflated.finish().unwrap();
        assert!(deflated.len() < 20_000);
        let mut bytes = DEFLATED.to_be_bytes().to_vec();
        bytes.extend((deflated.len() as u32).to_be_bytes());
        bytes.extend(deflated);
        assert_eq!(unpack(&STANDARD.encode(bytes)), Err(PackedError::Long));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn histograms_come_back(values in prop::collection::vec(0_u64..1 << 40, 0..50)) {
            let mut histogram = empty();
            values.iter().for_each(|value| histogram.record(*value).unwrap());
            prop_assert_eq!(unpack(&pack(&histogram)), Ok(histogram));
        }

        #[test]
        fn noise_is_refused_or_read_but_harms_nobody(
            at in 0_usize..60, byte: u8, text in "[A-Za-z0-9+/]{0,80}",
        ) {
            let mut histogram = empty();
            histogram.record_n(1234, 56).unwrap();
            histogram.record_n(99_999, 1 << 50).unwrap();
            let mut bytes = plain(&histogram);
            let at = at % bytes.len();
            bytes[at] = byte;
            let _ = unpack(&STANDARD.encode(bytes));
            let _ = unpack(&text);
        }
    }
}
