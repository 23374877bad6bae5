//! Audio configurations as encoders write them, and broken ones.

use millstream_media::{AacConfig, AacError};

/// Bits from text, so that a test reads like the syntax table.
fn bits(text: &str) -> Vec<u8> {
    let bits: Vec<u8> = text.bytes().filter(u8::is_ascii_digit).map(|digit| digit - b'0').collect();
    let byte = |chunk: &[u8]| {
        chunk.iter().enumerate().fold(0, |byte, (index, bit)| byte | bit << (7 - index))
    };
    bits.chunks(8).map(byte).collect()
}

#[test]
fn low_complexity_at_44100_in_stereo() {
    let config = AacConfig::parse(&[0x12, 0x10]).unwrap();
    let expected = AacConfig {
        object_type: 2,
        sample_rate: 44_100,
        channels: Some(2),
        sbr: None,
        ps: None,
        output_sample_rate: 44_100,
    };
    assert_eq!(config, expected);
    assert_eq!(config.codec_string(), "mp4a.40.2");
    assert_eq!(config.output_channels(), Some(2));
}

#[test]
fn ffmpeg_says_behind_that_there_is_no_sbr() {
    // ffmpeg appends 56 e5 00 to each configuration of its own encoder.
    let config = AacConfig::parse(&[0x11, 0x90, 0x56, 0xe5, 0x00]).unwrap();
    assert_eq!((config.sample_rate, config.channels), (48_000, Some(2)));
    assert_eq!(config.sbr, Some(false));
    assert_eq!(config.codec_string(), "mp4a.40.2");
}

#[test]
fn high_efficiency_said_up_front() {
    // Type 5 at 22,050 (index 7), stereo, extension 44,100 (index 4), core type 2.
    let config = AacConfig::parse(&bits("00101 0111 0010 0100 00010 0 0 0")).unwrap();
    assert_eq!((config.object_type, config.sample_rate), (2, 22_050));
    assert_eq!((config.sbr, config.ps, config.output_sample_rate), (Some(true), None, 44_100));
    assert_eq!(config.codec_string(), "mp4a.40.5");
}

#[test]
fn parametric_stereo_said_up_front() {
    let config = AacConfig::parse(&bits("11101 0111 0001 0100 00010 0 0 0")).unwrap();
    assert_eq!((config.channels, config.output_channels()), (Some(1), Some(2)));
    assert_eq!((config.sbr, config.ps), (Some(true), Some(true)));
    assert_eq!(config.codec_string(), "mp4a.40.29");
}

#[test]
fn both_said_behind() {
    let core = "00010 0111 0001 0 0 0";
    let sbr = "01010110111 00101 1 0100";
    let config = AacConfig::parse(&bits(&format!("{core} {sbr} 10101001000 1"))).unwrap();
    assert_eq!((config.sample_rate, config.output_sample_rate), (22_050, 44_100));
    assert_eq!((config.sbr, config.ps), (Some(true), Some(true)));
    assert_eq!(config.output_channels(), Some(2));
    let config = AacConfig::parse(&bits(&format!("{core} {sbr} 10101001000 0"))).unwrap();
    assert_eq!((config.sbr, config.ps), (Some(true), Some(false)));
    let config = AacConfig::parse(&bits(&format!("{core} {sbr}"))).unwrap();
    assert_eq!((config.sbr, config.ps), (Some(true), None));
}

#[test]
fn an_explicit_rate_and_an_escaped_object_type() {
    // Type 42 (USAC) at 12,345 Hz.
    let config =
        AacConfig::parse(&bits("11111 001010 1111 000000000011000000111001 0010")).unwrap();
    assert_eq!((config.object_type, config.sample_rate), (42, 12_345));
    assert_eq!(config.channels, Some(2));
}

/// One front single, one front pair, one back pair, one low frequency element, one of data and
/// nine of coupling: six channels. No mixdown.
const PROGRAM: &str = "0000 01 0100  0010 0000 0001 01 001 1001  0 0 0
    0 0000  1 0001  1 0010  0011  0100  00000 00000 00000 00000 00000 00000 00000 00000 00000";

/// The bits with zeros up to a whole byte.
fn padded(text: &str) -> String {
    let length = text.chars().filter(char::is_ascii_digit).count();
    format!("{text} {}", "0".repeat(length.next_multiple_of(8) - length))
}

#[test]
fn a_program_config_element_counts_its_channels() {
    let element = padded(&format!("00010 0100 0000 0 0 0 {PROGRAM}"));
    // A comment of one byte, and the signalling of SBR behind it.
    let text = format!("{element} 00000001 01100001 01010110111 00101 0");
    let config = AacConfig::parse(&bits(&text)).unwrap();
    assert_eq!((config.channels, config.sbr), (Some(6), Some(false)));
    let cut = bits(&format!("{element} 00000010 01100001"));
    assert_eq!(AacConfig::parse(&cut), Err(AacError::Truncated));
}

#[test]
fn the_extension_has_channels_of_its_own_with_bit_sliced_coding() {
    let text = padded(&format!("00101 0100 0000 0011 10110 0000 0 0 0 {PROGRAM}"));
    let config = AacConfig::parse(&bits(&format!("{text} 00000000"))).unwrap();
    assert_eq!((config.object_type, config.channels), (22, Some(6)));
}

#[test]
fn scalable_and_resilient_types_have_more_before_the_signalling() {
    let behind = "01010110111 00101 0";
    for (object_type, more) in [
        ("00110", "0 0 0 101"),                 // scalable: the layer
        ("10100", "0 0 1 101 111 0"),           // scalable, resilient: the layer and its flags
        ("10001", "0 0 1 111 0"),               // LC, resilient: its flags
        ("10110", "0 0 1 11111 11111111111 0"), // bit sliced: frames and their length
        ("00010", "1 1 10101010101010 1 0"),    // LC with a core coder and an extension
    ] {
        let config = AacConfig::parse(&bits(&format!("{object_type} 0100 0010 {more} {behind}")));
        assert_eq!(config.unwrap().sbr, Some(false), "object type {object_type}");
    }
}

#[test]
fn channel_configurations_of_table_1_19() {
    let channels = |configuration: u8| {
        let text = format!("00010 0100 {configuration:04b} 0 0 0");
        AacConfig::parse(&bits(&text)).unwrap().channels
    };
    let counts: Vec<_> =
        (1..16).map(|configuration| channels(configuration).unwrap_or(0)).collect();
    assert_eq!(counts, [1, 2, 3, 4, 5, 6, 8, 0, 0, 0, 7, 8, 24, 8, 0]);
}

#[test]
fn reserved_rates_are_refused() {
    for text in ["00010 1101 0010 000", "00010 1110 0010 000"] {
        assert_eq!(AacConfig::parse(&bits(text)), Err(AacError::InvalidSampleRate));
    }
    let zero = bits("00010 1111 000000000000000000000000 0010 000");
    assert_eq!(AacConfig::parse(&zero), Err(AacError::InvalidSampleRate));
}

#[test]
fn a_cut_configuration_is_truncated() {
    assert_eq!(AacConfig::parse(&[]), Err(AacError::Truncated));
    assert_eq!(AacConfig::parse(&[0x12]), Err(AacError::Truncated));
    // The core coder's delay is announced and missing.
    assert_eq!(AacConfig::parse(&bits("00010 0100 0010 0 1 0")), Err(AacError::Truncated));
}
