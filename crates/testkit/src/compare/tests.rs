//! A source, a recording of it from the middle on, and every way to spoil the recording.

use super::*;
use crate::packets::{Codec, sha256};

fn packet(kind: Kind, index: i64, step_ms: i64) -> Packet {
    Packet {
        pts_ms: index * step_ms + if kind == Kind::Video { 80 } else { 0 },
        dts_ms: index * step_ms,
        key: kind == Kind::Audio || index % 10 == 0,
        len: 100,
        sha256: sha256(format!("{kind} {index}").as_bytes()),
    }
}

fn track(kind: Kind, codec: Codec, count: i64, step_ms: i64) -> Track {
    let packets = (0..count).map(|index| packet(kind, index, step_ms)).collect();
    Track { kind, id: 0, codec, headers: vec![sha256(b"config")], packets }
}

fn source() -> Recording {
    let video = track(Kind::Video, Codec::H264, 50, 40);
    Recording { tracks: vec![track(Kind::Audio, Codec::Aac, 87, 23), video] }
}

/// What a player gets that joins at video packet 20, with times that start at 5.
fn joined() -> Recording {
    let mut recording = source();
    recording.tracks[1].packets.drain(..20);
    recording.tracks[0].packets.drain(..35);
    for packet in recording.tracks.iter_mut().flat_map(|track| &mut track.packets) {
        packet.dts_ms -= 795;
        packet.pts_ms -= 795;
    }
    recording
}

fn difference(change: impl FnOnce(&mut Vec<Packet>, &mut Vec<Packet>)) -> (Kind, Difference) {
    let mut changed = joined();
    let [audio, video] = &mut changed.tracks[..] else { panic!("two tracks") };
    change(&mut video.packets, &mut audio.packets);
    let mismatch = compare(&source(), &changed).unwrap_err();
    assert!(mismatch.to_string().starts_with(&mismatch.kind.to_string()));
    (mismatch.kind, *mismatch.difference)
}

#[test]
fn a_join_matches() {
    let found = compare(&source(), &joined()).unwrap();
    assert_eq!(found.offset_ms, -795);
    assert_eq!(found.start_skew_ms(), 5);
    let lens: Vec<_> = found.starts.iter().map(|start| (start.index, start.len)).collect();
    assert_eq!(lens, [(20, 30), (35, 52)]);
    assert_eq!(compare(&source(), &source()).unwrap().offset_ms, 0);
}

#[test]
fn a_dropped_packet() {
    let (kind, difference) = difference(|video, _| _ = video.remove(7));
    assert_eq!(kind, Kind::Video);
    assert!(
        matches!(difference, Difference::Payload { index: 7, displaced: Some(1), .. }),
        "{difference:?}"
    );
}

#[test]
fn a_repeated_packet() {
    let (_, difference) = difference(|_, audio| audio.insert(4, audio[3].clone()));
    assert!(
        matches!(difference, Difference::Payload { index: 4, displaced: Some(-1), .. }),
        "{difference:?}"
    );
}

#[test]
fn swapped_packets() {
    let (kind, difference) = difference(|_, audio| audio.swap(9, 10));
    assert_eq!(kind, Kind::Audio);
    assert!(
        matches!(difference, Difference::Payload { index: 9, displaced: Some(1), .. }),
        "{difference:?}"
    );
}

#[test]
fn a_flipped_byte() {
    let (_, difference) = difference(|video, _| video[3].sha256[0] ^= 1);
    assert!(
        matches!(difference, Difference::Payload { index: 3, displaced: None, .. }),
        "{difference:?}"
    );
}

#[test]
fn times_that_are_off() {
    let (kind, all_audio) =
        difference(|_, audio| audio.iter_mut().for_each(|packet| packet.dts_ms += 1));
    assert_eq!(kind, Kind::Audio);
    assert!(matches!(all_audio, Difference::Time { index: 0, .. }), "{all_audio:?}");
    let (_, one_pts) = difference(|video, _| video[12].pts_ms -= 1);
    assert!(matches!(one_pts, Difference::Time { index: 12, .. }), "{one_pts:?}");
    let (_, one_dts) = difference(|video, _| video[12].dts_ms += 1);
    assert!(matches!(one_dts, Difference::Time { index: 12, .. }), "{one_dts:?}");
}

#[test]
fn a_missing_end_on_either_track() {
    let (kind, video_end) = difference(|video, _| _ = video.pop());
    assert_eq!((kind, video_end), (Kind::Video, Difference::TailMissing { count: 1 }));
    let (kind, audio_end) = difference(|_, audio| audio.truncate(40));
    assert_eq!((kind, audio_end), (Kind::Audio, Difference::TailMissing { count: 12 }));
}

#[test]
fn something_after_the_end() {
    let (_, difference) = difference(|video, _| video.push(packet(Kind::Video, 50, 40)));
    assert!(matches!(difference, Difference::BeyondEnd { index: 30, .. }), "{difference:?}");
}

#[test]
fn a_join_between_key_frames() {
    let (_, difference) = difference(|video, _| _ = video.remove(0));
    assert!(matches!(difference, Difference::FirstNotKey { .. }), "{difference:?}");
}

#[test]
fn a_first_packet_of_another_stream() {
    let (_, difference) = difference(|video, _| video[0].len += 1);
    assert!(matches!(difference, Difference::FirstUnknown { .. }), "{difference:?}");
}

#[test]
fn a_wrong_key_flag() {
    let (_, difference) = difference(|video, _| video[5].key = true);
    assert!(matches!(difference, Difference::KeyFlag { index: 5, .. }), "{difference:?}");
}

#[test]
fn tracks_and_headers() {
    let differing = |change: fn(&mut Recording)| {
        let mut changed = joined();
        change(&mut changed);
        *compare(&source(), &changed).unwrap_err().difference
    };
    assert_eq!(differing(|got| _ = got.tracks.pop()), Difference::TrackMissing);
    assert_eq!(differing(|got| got.tracks[0].packets.clear()), Difference::NoPackets);
    assert_eq!(differing(|got| got.tracks[0].codec = Codec::Opus), Difference::TrackUnknown);
    assert_eq!(
        differing(|got| got.tracks[1].headers.push([0; 32])),
        Difference::Headers { expected: 1, received: 2 }
    );
    assert_eq!(
        differing(|got| got.tracks[1].headers.clear()),
        Difference::Headers { expected: 1, received: 0 }
    );
}

#[test]
fn silence_is_aligned_by_time() {
    let mut silent = source();
    for packet in &mut silent.tracks[0].packets {
        packet.sha256 = sha256(b"silence");
    }
    let mut joined = silent.clone();
    joined.tracks[0].packets.drain(..60);
    let found = compare(&silent, &joined).unwrap();
    assert_eq!(found.starts[1].index, 60);
}
