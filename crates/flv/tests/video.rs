//! Video headers from hand-made bytes.

use millstream_flv::{
    FrameType, HeaderError, MOD_EX_MAX, Multitrack, VideoCodec, VideoHeader, VideoPacketType,
    video::{VideoTrack, tracks},
};
use millstream_media::Codec;

/// Parses a header, and checks that no cut of it says anything else than that it is cut.
fn parse(message: &[u8]) -> VideoHeader {
    let header = VideoHeader::parse(message).expect("the header is sound");
    for cut in 0..header.header_len {
        assert_eq!(
            VideoHeader::parse(&message[..cut]),
            Err(HeaderError::Truncated),
            "cut at {cut}"
        );
    }
    header
}

fn all_tracks(message: &[u8]) -> Result<Vec<VideoTrack<'_>>, HeaderError> {
    tracks(message)?.collect()
}

#[test]
fn h264_frames() {
    let header = parse(&[0x17, 1, 0, 0, 80, 9, 9]);
    assert!(header.is_key_frame() && header.is_coded() && !header.is_sequence_start());
    assert_eq!(
        (header.codec, header.composition_time, header.header_len),
        (VideoCodec::Avc, 80, 5)
    );
    let header = parse(&[0x27, 1, 0xff, 0xff, 0xd8, 9]);
    assert_eq!((header.frame_type, header.composition_time), (FrameType::Inter, -40));
    assert!(!header.is_key_frame() && !header.is_disposable());
    assert!(parse(&[0x37, 1, 0, 0, 0]).is_disposable());
    assert!(!VideoHeader::parse(&[0x37, 0, 0, 0, 0]).unwrap().is_disposable());
    assert!(parse(&[0x47, 1, 0, 0, 0]).is_key_frame());
}

#[test]
fn h264_sequence_start_and_end() {
    let header = VideoHeader::parse(&[0x17, 0, 0, 0, 0, 1, 0x64]).unwrap();
    assert!(header.is_sequence_start() && !header.is_key_frame() && !header.is_coded());
    assert_eq!(header.header_len, 5);
    for end in [&[0x17, 2, 0, 0, 0][..], &[0x17, 2]] {
        let header = VideoHeader::parse(end).unwrap();
        assert!(header.is_sequence_end());
        assert_eq!(header.header_len, end.len());
    }
    assert_eq!(parse(&[0x17, 9]).packet_type, VideoPacketType::Other(9));
}

#[test]
fn h265_by_its_old_number() {
    let header = parse(&[0x1c, 1, 0, 0, 40]);
    assert_eq!((header.codec, header.composition_time), (VideoCodec::HevcLegacy, 40));
    assert_eq!(header.codec.codec(), Some(Codec::Hevc));
    assert!(VideoHeader::parse(&[0x1c, 0, 0, 0, 0]).unwrap().is_sequence_start());
}

#[test]
fn older_codecs_are_values() {
    let header = parse(&[0x22, 0, 0]);
    assert_eq!((header.codec, header.header_len), (VideoCodec::Other(2), 1));
    assert_eq!(header.packet_type, VideoPacketType::CodedFrames);
    assert_eq!(header.codec.codec(), Some(Codec::FlvVideo(2)));
    assert_eq!(parse(&[0x74]).frame_type, FrameType::Reserved(7));
}

#[test]
fn commands() {
    for (message, codec) in [(&[0x57, 1][..], VideoCodec::Avc), (&[0xd1, 1], VideoCodec::Absent)] {
        let header = parse(message);
        assert!(header.is_command_frame() && !header.is_coded());
        assert_eq!(header.packet_type, VideoPacketType::Command(1));
        assert_eq!((header.codec, header.header_len), (codec, 2));
    }
    assert_eq!(VideoCodec::Absent.codec(), None);
}

#[test]
fn extended_frames() {
    let header = parse(b"\x90hvc1\x01");
    assert!(header.is_sequence_start() && !header.is_key_frame());
    assert_eq!((header.codec, header.header_len), (VideoCodec::FourCc(*b"hvc1"), 5));
    let header = parse(b"\xa1hvc1\xff\xff\xff....");
    assert_eq!((header.composition_time, header.header_len), (-1, 8));
    let header = parse(b"\x93hvc1....");
    assert!(header.is_key_frame());
    assert_eq!((header.packet_type, header.header_len), (VideoPacketType::CodedFramesX, 5));
    for codec in [b"avc1", b"hvc1", b"vvc1"] {
        let message = [&b"\xa1"[..], codec, b"\0\0\x05...."].concat();
        assert_eq!(parse(&message).composition_time, 5);
    }
    // AV1 and VP9 have no composition time.
    assert_eq!(parse(b"\x91av01....").header_len, 5);
    assert!(parse(b"\x92av01").is_sequence_end());
    assert!(parse(b"\x95av01").is_sequence_start());
    let header = parse(b"\x91zzzz");
    assert_eq!(header.codec.codec().and_then(Codec::four_cc), Some(*b"zzzz"));
    assert_eq!(parse(b"\x9fzzzz").packet_type, VideoPacketType::Other(15));
}

#[test]
fn metadata_ignores_the_frame_type() {
    for first in [0x94, 0xd4] {
        let header = parse(&[first, b'h', b'v', b'c', b'1', 2, 0, 0]);
        assert!(header.is_metadata() && !header.is_key_frame() && !header.is_command_frame());
        assert_eq!(header.header_len, 5);
    }
}

#[test]
fn modifiers_are_passed_over_and_nanoseconds_kept() {
    let header = parse(b"\x97\x02\x01\x02\x03\x01hvc1\0\0\x05....");
    assert_eq!(header.timestamp_offset_ns, 0x01_0203);
    assert_eq!((header.composition_time, header.header_len), (5, 13));
    // An unknown modifier, then too short nanoseconds.
    let header = parse(b"\x97\x00\xaa\x37\x00\x01\x03av01");
    assert_eq!((header.timestamp_offset_ns, header.header_len), (0, 11));
    assert_eq!(header.packet_type, VideoPacketType::CodedFramesX);
    // A size of 16 bits.
    let mut message = b"\x97\xff\x01\x2b".to_vec();
    message.extend([0; 300]);
    message.extend(b"\x13av01");
    assert_eq!(VideoHeader::parse(&message).unwrap().header_len, 4 + 300 + 5);
    // A modified command.
    let header = parse(b"\xd7\x00\x00\x11\x01");
    assert_eq!(header.packet_type, VideoPacketType::Command(1));
}

#[test]
fn a_chain_of_modifiers_ends() {
    let chain = |count: usize| {
        let mut message = vec![0x97];
        message.extend(b"\x00\x00\x07".repeat(count - 1));
        message.extend(b"\x00\x00\x01av01");
        VideoHeader::parse(&message)
    };
    assert!(chain(MOD_EX_MAX).is_ok());
    assert_eq!(chain(MOD_EX_MAX + 1), Err(HeaderError::TooManyModifiers));
    assert_eq!(chain(100_000), Err(HeaderError::TooManyModifiers));
}

#[test]
fn one_track_has_a_number_and_no_length() {
    let header = parse(b"\x96\x01hvc1\x07\0\0\x28body");
    assert_eq!((header.track_id, header.multitrack), (7, Some(Multitrack::OneTrack)));
    assert_eq!((header.composition_time, header.header_len), (40, 10));
    let tracks = all_tracks(b"\x96\x01hvc1\x07\0\0\x28body").unwrap();
    assert_eq!(tracks.len(), 1);
    assert_eq!((tracks[0].id, tracks[0].body), (7, &b"body"[..]));
}

#[test]
fn many_tracks_of_one_codec() {
    let message = b"\x96\x11avc1\x00\0\0\x05\0\0\x01AB\x01\0\0\x04\0\0\x02C\x02\0\0\x03\0\0\x03";
    let header = parse(message);
    assert_eq!((header.track_id, header.composition_time, header.header_len), (0, 1, 13));
    assert!(header.is_key_frame());
    let tracks = all_tracks(message).unwrap();
    let ids: Vec<_> = tracks.iter().map(|track| (track.id, track.composition_time)).collect();
    assert_eq!(ids, [(0, 1), (1, 2), (2, 3)]);
    let bodies: Vec<_> = tracks.iter().map(|track| track.body).collect();
    assert_eq!(bodies, [&b"AB"[..], b"C", b""]);
}

#[test]
fn many_tracks_of_many_codecs() {
    let message = b"\x96\x20av01\x00\0\0\x01Aavc1\x05\0\0\x02BC";
    let tracks = all_tracks(message).unwrap();
    let codecs: Vec<_> = tracks.iter().map(|track| (track.id, track.codec, track.body)).collect();
    let expected =
        [(0, VideoCodec::FourCc(*b"av01"), &b"A"[..]), (5, VideoCodec::FourCc(*b"avc1"), b"BC")];
    assert_eq!(codecs, expected);
    assert!(parse(message).is_sequence_start());
}

#[test]
fn as_many_tracks_as_there_is_room_for() {
    let mut message = b"\x96\x13av01".to_vec();
    for id in 0..=255 {
        message.extend([id, 0, 0, 0]);
    }
    assert_eq!(all_tracks(&message).unwrap().len(), 256);
}

#[test]
fn a_track_longer_than_the_message_is_cut() {
    let message = b"\x96\x13av01\x00\0\0\x01A\x01\xff\xff\xffB";
    assert_eq!(VideoHeader::parse(message).map(|header| header.header_len), Ok(10));
    let read: Vec<_> = tracks(message).unwrap().collect();
    assert_eq!(read.len(), 2);
    assert_eq!(read[1], Err(HeaderError::Truncated));
}

#[test]
fn contradictions_are_refused() {
    assert_eq!(VideoHeader::parse(b"\x96\x06av01\0"), Err(HeaderError::NestedMultitrack));
    assert_eq!(VideoHeader::parse(b"\x96\x07av01\0"), Err(HeaderError::NestedMultitrack));
    assert_eq!(VideoHeader::parse(b"\x96\x31av01\0"), Err(HeaderError::ReservedMultitrack(3)));
    assert_eq!(VideoHeader::parse(&[]), Err(HeaderError::Truncated));
    assert!(tracks(&[]).is_err());
}

#[test]
fn a_legacy_message_is_one_track() {
    let tracks = all_tracks(b"\x17\x01\0\0\x50body").unwrap();
    let expected =
        VideoTrack { id: 0, codec: VideoCodec::Avc, composition_time: 80, body: b"body" };
    assert_eq!(tracks, [expected]);
}
