//! Video configurations as encoders write them, and broken ones.

use millstream_media::{AvcConfig, AvcError, Sps, SpsError};

/// Writes the syntax elements of a parameter set.
#[derive(Clone, Default)]
struct Bits(Vec<bool>);

impl Bits {
    fn u(mut self, count: u32, value: u32) -> Self {
        self.0.extend((0..count).rev().map(|bit| value >> bit & 1 == 1));
        self
    }

    /// Exp-Golomb codes, one after the other.
    fn ue(mut self, values: &[u32]) -> Self {
        for &value in values {
            let length = (u64::from(value) + 1).ilog2();
            self = self.u(length, 0).u(1, 1).u(length, value + 1 - (1 << length));
        }
        self
    }

    /// A NAL unit of this payload, with its stop bit and emulation prevention.
    fn nal(self) -> Vec<u8> {
        let mut nal = vec![0x67];
        let mut zeros = 0;
        let bits = self.u(1, 1);
        for chunk in bits.0.chunks(8) {
            let byte = (0..8).fold(0, |byte, bit| {
                byte << 1 | u8::from(chunk.get(bit).copied().unwrap_or(false))
            });
            if zeros == 2 && byte <= 3 {
                nal.push(3);
                zeros = 0;
            }
            zeros = if byte == 0 { zeros + 1 } else { 0 };
            nal.push(byte);
        }
        nal
    }
}

/// A Baseline set up to the size: profile, flags, level, id, frame number, order type 2.
fn baseline() -> Bits {
    Bits::default().u(8, 66).u(8, 0xc0).u(8, 31).ue(&[0, 0, 2, 1]).u(1, 0)
}

#[test]
fn full_hd_from_x264_is_cropped_to_1080() {
    // The set x264 writes for 1920x1080, High profile, level 4.0.
    let nal = [
        0x67, 0x64, 0x00, 0x28, 0xac, 0xd9, 0x40, 0x78, 0x02, 0x27, 0xe5, 0xc0, 0x44, 0x00, 0x00,
        0x03, 0x00, 0x04, 0x00, 0x00, 0x03, 0x00, 0xf0, 0x3c, 0x60, 0xc6, 0x58,
    ];
    let sps = Sps::parse(&nal).unwrap();
    assert_eq!((sps.width, sps.height), (1920, 1080));
    assert_eq!((sps.profile_idc, sps.level_idc, sps.chroma_format_idc), (100, 40, 1));
    // Bytes behind the cropping do not matter, those before it do.
    assert_eq!(Sps::parse(&nal[..16]), Ok(sps));
    for cut in 1..10 {
        assert_eq!(Sps::parse(&nal[..cut]), Err(SpsError::Truncated));
    }
}

#[test]
fn a_baseline_set_without_cropping() {
    let nal = baseline().ue(&[79, 44]).u(1, 1).u(1, 1).u(1, 0).nal();
    let sps = Sps::parse(&nal).unwrap();
    assert_eq!((sps.width, sps.height), (1280, 720));
    assert_eq!((sps.compatibility, sps.level_idc), (0xc0, 31));
}

#[test]
fn interlaced_pictures_count_in_pairs() {
    // 34 map units of two macroblocks, cropped by 2 units of 4 lines.
    let nal = baseline().ue(&[119, 33]).u(1, 0).u(1, 0).u(1, 1).u(1, 1).ue(&[0, 0, 0, 2]).nal();
    let sps = Sps::parse(&nal).unwrap();
    assert_eq!((sps.width, sps.height), (1920, 1080));
}

#[test]
fn cropping_counts_in_chroma_samples() {
    // Chroma format, width and height after cropping one unit on each of the four sides.
    for (format, width, height) in [(0, 62, 62), (1, 60, 60), (2, 60, 62), (3, 62, 62)] {
        let mut bits = Bits::default().u(8, 244).u(8, 0).u(8, 31).ue(&[0, format]);
        if format == 3 {
            bits = bits.u(1, 0);
        }
        bits = bits.ue(&[0, 0]).u(2, 0).ue(&[0, 2, 1]).u(1, 0).ue(&[3, 3]);
        let nal = bits.u(2, 0b11).u(1, 1).ue(&[1, 1, 1, 1]).nal();
        let sps = Sps::parse(&nal).unwrap();
        assert_eq!((sps.width, sps.height), (width, height), "chroma format {format}");
        assert_eq!(u32::from(sps.chroma_format_idc), format);
    }
}

#[test]
fn scaling_lists_and_order_type_1_are_passed_over() {
    let bits = Bits::default().u(8, 100).u(8, 0).u(8, 31).ue(&[0, 1, 0, 0]).u(1, 0).u(1, 1);
    // The first list ends at once by a scale of zero (delta -8), the second has 16 deltas of
    // zero, four are absent, and the seventh has 64.
    let bits = bits.u(1, 1).ue(&[16]).u(1, 1).ue(&[0; 16]).u(4, 0).u(1, 1).ue(&[0; 64]).u(1, 0);
    // Order type 1 with three offsets.
    let bits = bits.ue(&[0, 1]).u(1, 0).ue(&[4, 5, 3, 1, 2, 3]).ue(&[4]).u(1, 0);
    let nal = bits.ue(&[19, 14]).u(2, 0b11).u(1, 0).nal();
    let sps = Sps::parse(&nal).unwrap();
    assert_eq!((sps.width, sps.height), (320, 240));
}

#[test]
fn chroma_in_full_has_four_more_scaling_lists() {
    let bits = Bits::default().u(8, 244).u(8, 0).u(8, 31).ue(&[0, 3]).u(1, 0).ue(&[0, 0]).u(1, 0);
    // Only the last of the twelve lists is present.
    let bits = bits.u(1, 1).u(11, 0).u(1, 1).ue(&[0; 64]);
    let nal = bits.ue(&[0, 2, 1]).u(1, 0).ue(&[19, 14]).u(3, 0b110).nal();
    let sps = Sps::parse(&nal).unwrap();
    assert_eq!((sps.width, sps.height), (320, 240));
}

#[test]
fn bytes_that_prevent_emulation_are_taken_out() {
    // Offsets of 2^29 have as many zeros in front.
    let bits = Bits::default().u(8, 66).u(8, 0).u(8, 31).ue(&[0, 0, 1]).u(1, 0);
    let nal = bits.ue(&[1 << 29, 1 << 29, 0]).ue(&[1]).u(1, 0).ue(&[19, 14]).u(3, 0b110).nal();
    assert!(nal.windows(3).any(|bytes| bytes == [0, 0, 3]));
    let sps = Sps::parse(&nal).unwrap();
    assert_eq!((sps.width, sps.height), (320, 240));
}

#[test]
fn bombs_are_refused() {
    let too_wide = baseline().ue(&[4096, 44]).u(3, 0b110).nal();
    assert_eq!(Sps::parse(&too_wide), Err(SpsError::OutOfRange));
    let widest = baseline().ue(&[u32::MAX - 1, 44]).u(3, 0b110).nal();
    assert_eq!(Sps::parse(&widest), Err(SpsError::OutOfRange));
    let everything = baseline().ue(&[3, 3]).u(3, 0b111).ue(&[16, 16, 0, 0]).nal();
    assert_eq!(Sps::parse(&everything), Err(SpsError::NothingLeft));
    let overflowing = baseline().ue(&[3, 3]).u(3, 0b111).ue(&[u32::MAX - 1, u32::MAX - 1, 0, 0]);
    assert_eq!(Sps::parse(&overflowing.nal()), Err(SpsError::NothingLeft));
    let cycle = Bits::default().u(8, 66).u(16, 31).ue(&[0, 0, 1]).u(1, 0).ue(&[0, 0, 256]).nal();
    assert_eq!(Sps::parse(&cycle), Err(SpsError::OutOfRange));
    assert_eq!(Sps::parse(&[0x67, 66, 0, 31, 0, 0, 0, 0, 0, 0, 0]), Err(SpsError::Truncated));
    assert_eq!(Sps::parse(&[0x68, 66]), Err(SpsError::OtherNalUnit(8)));
    assert_eq!(Sps::parse(&[]), Err(SpsError::Truncated));
}

/// A record with one parameter set of each kind.
fn record() -> Vec<u8> {
    let sps = baseline().ue(&[79, 44]).u(3, 0b110).nal();
    let mut record = vec![1, 66, 0xc0, 31, 0xff, 0xe1, 0, sps.len() as u8];
    record.extend(&sps);
    record.extend([1, 0, 2, 0x68, 0xce]);
    record
}

#[test]
fn a_record_is_read_with_its_sets() {
    let config = AvcConfig::parse(&record()).unwrap();
    assert_eq!((config.profile_idc, config.compatibility, config.level_idc), (66, 0xc0, 31));
    assert_eq!((config.nal_length_size, config.sps.len()), (4, 1));
    assert_eq!(config.pps, [vec![0x68, 0xce]]);
    assert_eq!(config.size(), Some((1280, 720)));
    assert_eq!(config.codec_string(), "avc1.42c01f");
    // The appendix of high profiles is no fault.
    let mut longer = record();
    longer.extend([0xfd, 0xf8, 0xf8, 0]);
    assert_eq!(AvcConfig::parse(&longer), Ok(config));
}

#[test]
fn a_record_cut_anywhere_is_truncated() {
    let record = record();
    for cut in 0..record.len() {
        assert_eq!(AvcConfig::parse(&record[..cut]), Err(AvcError::Truncated));
    }
}

#[test]
fn a_record_without_sets_has_no_size() {
    let config = AvcConfig::parse(&[1, 66, 0xc0, 31, 0xfc, 0xe0, 0]).unwrap();
    assert_eq!(config.nal_length_size, 1);
    assert_eq!(config.picture(), Err(SpsError::Missing));
    assert_eq!(config.size(), None);
}

#[test]
fn other_records_are_refused() {
    let mut other = record();
    other[0] = 0;
    assert_eq!(AvcConfig::parse(&other), Err(AvcError::UnknownVersion(0)));
    let mut other = record();
    other[4] = 0xfe;
    assert_eq!(AvcConfig::parse(&other), Err(AvcError::InvalidLengthSize));
}

mod properties {
    use super::*;
    use millstream_media::AacConfig;
    use proptest::{collection::vec, prelude::*};

    proptest! {
        #[test]
        fn sizes_survive_the_parameter_set(
            columns in 1u32..300, rows in 1u32..300, crops in any::<[u8; 4]>(), interlaced: bool,
        ) {
            let crops = crops.map(|crop| u32::from(crop % 4));
            let mut bits = baseline().ue(&[columns - 1, rows - 1]).u(1, u32::from(!interlaced));
            if interlaced {
                bits = bits.u(1, 0);
            }
            let nal = bits.u(2, 0b11).ue(&crops).nal();
            let fields = 1 + u32::from(interlaced);
            let width = (columns * 16).checked_sub(2 * (crops[0] + crops[1]));
            let height = (rows * 16 * fields).checked_sub(2 * fields * (crops[2] + crops[3]));
            let sps = Sps::parse(&nal).unwrap();
            prop_assert_eq!((Some(sps.width), Some(sps.height)), (width, height));
        }

        #[test]
        fn random_bytes_never_panic(bytes in vec(any::<u8>(), 0..200)) {
            let mut nal = vec![0x67, 100, 0, 31];
            nal.extend(&bytes);
            for nal in [&nal, &bytes] {
                if let Ok(sps) = Sps::parse(nal) {
                    prop_assert!((1..=65_536).contains(&sps.width));
                    prop_assert!((1..=131_072).contains(&sps.height));
                }
            }
            if let Ok(config) = AvcConfig::parse(&bytes) {
                let held: usize = config.sps.iter().chain(&config.pps).map(|set| set.len() + 2).sum();
                prop_assert!(held + 7 <= bytes.len());
            }
            if let Ok(config) = AacConfig::parse(&bytes) {
                prop_assert!(config.sample_rate > 0 && config.output_sample_rate > 0);
            }
        }
    }
}
