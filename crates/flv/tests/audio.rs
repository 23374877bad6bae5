//! Audio headers from hand-made bytes.

use millstream_flv::{
    AudioCodec, AudioHeader, AudioPacketType, HeaderError, Multitrack,
    audio::{AudioTrack, tracks},
};
use millstream_media::Codec;

/// Parses a header, and checks that no cut of it says anything else than that it is cut.
fn parse(message: &[u8]) -> AudioHeader {
    let header = AudioHeader::parse(message).expect("the header is sound");
    for cut in 0..header.header_len {
        assert_eq!(
            AudioHeader::parse(&message[..cut]),
            Err(HeaderError::Truncated),
            "cut at {cut}"
        );
    }
    header
}

#[test]
fn aac() {
    let header = parse(&[0xaf, 0, 0x12, 0x10]);
    assert!(header.is_sequence_start() && !header.is_coded());
    assert_eq!((header.codec, header.header_len), (AudioCodec::Aac, 2));
    assert_eq!((header.sample_rate, header.sample_bits), (Some(44_100), Some(16)));
    assert_eq!(header.channels, Some(2));
    assert!(parse(&[0xaf, 1]).is_coded());
    assert_eq!(parse(&[0xaf, 7]).packet_type, AudioPacketType::Other(7));
}

#[test]
fn legacy_rates_sizes_and_channels() {
    let told = |byte: u8| {
        let header = parse(&[byte]);
        (header.sample_rate.unwrap(), header.sample_bits.unwrap(), header.channels.unwrap())
    };
    assert_eq!(told(0x20), (5_512, 8, 1));
    assert_eq!(told(0x27), (11_025, 16, 2));
    assert_eq!(told(0x2a), (22_050, 16, 1));
    assert_eq!(told(0x3f), (44_100, 16, 2));
    // These formats say their rate by their number.
    assert_eq!(told(0x4f), (16_000, 16, 1));
    assert_eq!(told(0x5f), (8_000, 16, 1));
    assert_eq!(told(0xef), (8_000, 16, 2));
}

#[test]
fn legacy_codecs_are_values() {
    assert_eq!(parse(&[0x2f]).codec, AudioCodec::Mp3);
    assert_eq!(parse(&[0xef]).codec.codec(), Codec::Mp3);
    let speex = parse(&[0xb6, 1, 2]);
    assert_eq!((speex.codec, speex.header_len), (AudioCodec::Other(11), 1));
    assert_eq!(speex.codec.codec(), Codec::FlvAudio(11));
    assert!(speex.is_coded());
}

#[test]
fn extended() {
    let header = parse(b"\x90OpusOpusHead");
    assert!(header.is_sequence_start());
    assert_eq!((header.codec, header.header_len), (AudioCodec::FourCc(*b"Opus"), 5));
    assert_eq!((header.sample_rate, header.sample_bits, header.channels), (None, None, None));
    assert!(parse(b"\x91ac-3....").is_coded());
    assert!(parse(b"\x92fLaC").is_sequence_end());
    assert_eq!(parse(b"\x94mp4a").packet_type, AudioPacketType::MultichannelConfig);
    assert_eq!(parse(b"\x96mp4a").packet_type, AudioPacketType::Other(6));
    assert_eq!(parse(b"\x91mp4a").codec.codec(), Codec::Aac);
}

#[test]
fn modified_and_numbered() {
    let message = b"\x97\x02\x0f\x42\x3f\x05\x01Opus\x03body";
    let header = parse(message);
    assert_eq!(header.timestamp_offset_ns, 999_999);
    assert_eq!((header.multitrack, header.track_id), (Some(Multitrack::OneTrack), 3));
    assert_eq!(&message[header.header_len..], b"body");
}

#[test]
fn many_tracks() {
    let message = b"\x95\x21Opus\x00\0\0\x02ABmp4a\x01\0\0\x01C";
    let header = parse(message);
    assert_eq!(header.multitrack, Some(Multitrack::ManyTracksManyCodecs));
    assert_eq!((header.codec, header.header_len), (AudioCodec::FourCc(*b"Opus"), 10));
    let tracks: Vec<_> = tracks(message).unwrap().map(Result::unwrap).collect();
    let expected = [
        AudioTrack { id: 0, codec: AudioCodec::FourCc(*b"Opus"), body: b"AB" },
        AudioTrack { id: 1, codec: AudioCodec::FourCc(*b"mp4a"), body: b"C" },
    ];
    assert_eq!(tracks, expected);
}

#[test]
fn contradictions_are_refused() {
    assert_eq!(AudioHeader::parse(&[]), Err(HeaderError::Truncated));
    assert_eq!(AudioHeader::parse(b"\x95\x05Opus\0"), Err(HeaderError::NestedMultitrack));
    assert_eq!(AudioHeader::parse(b"\x95\xf1Opus\0"), Err(HeaderError::ReservedMultitrack(15)));
    let endless = [&b"\x97"[..], &b"\x00\x00\x07".repeat(1000)].concat();
    assert_eq!(AudioHeader::parse(&endless), Err(HeaderError::TooManyModifiers));
}

#[test]
fn a_legacy_message_is_one_track() {
    let tracks: Vec<_> = tracks(b"\xaf\x01body").unwrap().collect();
    assert_eq!(tracks, [Ok(AudioTrack { id: 0, codec: AudioCodec::Aac, body: b"body" })]);
}
