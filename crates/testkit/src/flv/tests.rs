//! Files written and read back, headers of every kind, and bodies cut anywhere.

use super::*;
use crate::packets::{Codec, Kind};
use crate::scratch::Scratch;

fn tag(kind: u8, time_ms: i32, body: &[u8]) -> Tag {
    Tag { kind, time_ms, body: body.to_vec() }
}

#[test]
fn a_file_survives_the_round_trip_and_no_cut_is_taken_for_whole() {
    let original = File::from_tags(vec![
        tag(TAG_VIDEO, 0, b"\x17\x00\x00\x00\x00config"),
        tag(TAG_AUDIO, 0x0123_4567, b"\xaf\x01frame"),
        tag(TAG_VIDEO, -40, b"\x27\x01\xff\xff\xd8frame"),
    ]);
    let scratch = Scratch::new("flv").unwrap();
    let path = scratch.file("a.flv");
    original.write(&path).unwrap();
    assert_eq!(File::read(&path).unwrap(), original);

    let bytes = fs::read(&path).unwrap();
    for cut in 0..bytes.len() {
        if let Ok(shorter) = File::parse(&bytes[..cut]) {
            assert!(shorter.tags.len() < original.tags.len(), "cut at {cut}");
        }
    }
}

#[test]
fn legacy_headers() {
    let recording = File::from_tags(vec![
        tag(18, 0, b"\x02\x00\x0aonMetaData"),
        tag(TAG_VIDEO, 0, b"\x17\x00\x00\x00\x00config"),
        tag(TAG_AUDIO, 0, b"\xaf\x00asc"),
        tag(TAG_VIDEO, 40, b"\x17\x01\x00\x00\x50key"),
        tag(TAG_VIDEO, 80, b"\x27\x01\xff\xff\xd8inter"),
        tag(TAG_AUDIO, 60, b"\xaf\x01aac"),
        tag(TAG_VIDEO, 90, b"\x17\x02\x00\x00\x00"),
    ])
    .recording()
    .unwrap();
    let [video, audio] = &recording.tracks[..] else { panic!("{recording:?}") };
    assert_eq!((video.kind, video.codec), (Kind::Video, Codec::H264));
    assert_eq!(video.headers, [sha256(b"config")]);
    let times: Vec<_> =
        video.packets.iter().map(|packet| (packet.dts_ms, packet.pts_ms, packet.key)).collect();
    assert_eq!(times, [(40, 120, true), (80, 40, false)]);
    assert_eq!((audio.kind, audio.codec), (Kind::Audio, Codec::Aac));
    assert_eq!(audio.packets[0].sha256, sha256(b"aac"));
}

#[test]
fn enhanced_headers() {
    let tags = [
        tag(TAG_VIDEO, 0, b"\x90hvc1config"),
        tag(TAG_VIDEO, 0, b"\x91hvc1\x00\x00\x28key"),
        tag(TAG_VIDEO, 0, b"\xa3hvc1inter"),
        tag(TAG_VIDEO, 0, b"\x91av01key"),
        // A modifier of three bytes (nanoseconds) before coded frames.
        tag(TAG_VIDEO, 0, b"\x97\x02\x00\x00\x07\x01vp09key"),
        tag(TAG_AUDIO, 0, b"\x91Opusframe"),
        // Two tracks of one codec.
        tag(TAG_AUDIO, 0, b"\x95\x11mp4a\x00\x00\x00\x01A\x01\x00\x00\x01B"),
    ];
    let seen: Vec<_> = tags
        .iter()
        .flat_map(|tag| tag.units().unwrap())
        .map(|unit| (unit.codec, unit.track, unit.content, unit.payload))
        .collect();
    let frame = |key, composition_ms| Content::Frame { key, composition_ms };
    assert_eq!(
        seen,
        [
            (Codec::Hevc, 0, Content::Header, &b"config"[..]),
            (Codec::Hevc, 0, frame(true, 40), b"key"),
            (Codec::Hevc, 0, frame(false, 0), b"inter"),
            (Codec::Av1, 0, frame(true, 0), b"key"),
            (Codec::Vp9, 0, frame(true, 0), b"key"),
            (Codec::Opus, 0, frame(true, 0), b"frame"),
            (Codec::Aac, 0, frame(true, 0), b"A"),
            (Codec::Aac, 1, frame(true, 0), b"B"),
        ]
    );
}

#[test]
fn a_body_cut_anywhere_is_no_panic() {
    let bodies: [&[u8]; 3] = [
        b"\x97\x02\x00\x00\x07\x01hvc1\x00\x00\x01key",
        b"\x95\x11mp4a\x00\x00\x00\x01A",
        b"\x17\x01\x00\x00\x50",
    ];
    for body in bodies {
        for cut in 0..body.len() {
            for kind in [TAG_AUDIO, TAG_VIDEO] {
                // Either outcome is right; what must not happen is a panic.
                let _ = tag(kind, 0, &body[..cut]).units();
            }
        }
    }
}
