//! The bit-exact comparison of what a player received with what the publisher sent.
//!
//! A player that joins a live stream has received it bit-exactly when, for every track of the
//! source, its packets are one contiguous run of the source's packets that ends with the
//! source's last; when video starts with a key frame; when all payloads, key flags and
//! sequence headers are equal; and when one single offset maps every decoding and presentation
//! time of every track, audio and video alike, onto the source's.
//!
//! What is not compared: metadata, repetitions of a sequence header, and the order of audio
//! relative to video, which a player that records through a muxer chooses by itself.

use std::fmt;

use crate::packets::{Kind, Packet, Recording, Track};

/// How a bit-exact recording relates to its source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// The recording's times minus the source's, in milliseconds.
    pub offset_ms: i64,
    /// For each track of the source, where the recording starts.
    pub starts: Vec<Start>,
}

/// Where in a source track a recording starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start {
    /// The medium.
    pub kind: Kind,
    /// Index of the recording's first packet among the source's.
    pub index: usize,
    /// That packet's decoding time in the source, in milliseconds.
    pub dts_ms: i64,
    /// How many packets the recording has.
    pub len: usize,
}

impl Match {
    /// How far apart the tracks start, in milliseconds: large if a joining player is given old
    /// audio, or lacks some.
    #[must_use]
    pub fn start_skew_ms(&self) -> i64 {
        let times = || self.starts.iter().map(|start| start.dts_ms);
        times().max().unwrap_or(0) - times().min().unwrap_or(0)
    }
}

/// The first difference between a recording and its source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// The track's medium.
    pub kind: Kind,
    /// The track's number within its medium.
    pub track: u8,
    /// What differs; boxed, because it holds packets and is rare.
    pub difference: Box<Difference>,
}

/// What differs between a recording's track and the source's. Indices count packets from 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// The source has the track, the recording does not.
    TrackMissing,
    /// The recording has the track (or the track in that codec), the source does not.
    TrackUnknown,
    /// The recording has the track, but no packet of it.
    NoPackets,
    /// The sequence headers are not those of the source.
    Headers {
        /// How many different ones the source has.
        expected: usize,
        /// How many different ones were received.
        received: usize,
    },
    /// The first packet received is not in the source at all.
    FirstUnknown {
        /// That packet.
        received: Packet,
    },
    /// The first video packet received is not a key frame.
    FirstNotKey {
        /// That packet.
        received: Packet,
    },
    /// A payload is not the source's next one.
    Payload {
        /// Index in the recording.
        index: usize,
        /// What the source has at this place.
        expected: Packet,
        /// What was received instead.
        received: Packet,
        /// By how many places in the source the payload is too early (negative) or too late
        /// (positive: so many packets are missing), if it is one of the source's at all.
        displaced: Option<isize>,
    },
    /// A payload is right, its key flag is not.
    KeyFlag {
        /// Index in the recording.
        index: usize,
        /// What was received.
        received: Packet,
    },
    /// A payload is right, its time is not.
    Time {
        /// Index in the recording.
        index: usize,
        /// What the source's times are, moved by the common offset.
        expected: Packet,
        /// What was received.
        received: Packet,
    },
    /// The recording ends before the source does.
    TailMissing {
        /// How many packets are missing.
        count: usize,
    },
    /// The recording goes on after the source's last packet.
    BeyondEnd {
        /// Index in the recording.
        index: usize,
        /// The first packet too many.
        received: Packet,
    },
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} track {}: ", self.kind, self.track)?;
        match &*self.difference {
            Difference::TrackMissing => f.write_str("not received at all"),
            Difference::TrackUnknown => f.write_str("received, but not in the source"),
            Difference::NoPackets => f.write_str("announced, but no packet received"),
            Difference::Headers { expected, received } => write!(
                f,
                "sequence headers differ ({received} distinct received, {expected} in the source)"
            ),
            Difference::FirstUnknown { received } => {
                write!(f, "the first packet ({received}) is not in the source")
            }
            Difference::FirstNotKey { received } => {
                write!(f, "the first packet ({received}) is not a key frame")
            }
            Difference::Payload { index, expected, received, displaced } => {
                write!(f, "packet {index} should be ({expected}), was ({received})")?;
                match displaced {
                    None => f.write_str(": a payload that is not in the source"),
                    Some(places @ 1..) => write!(f, ": {places} source packets left out"),
                    Some(places) => write!(f, ": {} source packets back", -places),
                }
            }
            Difference::KeyFlag { index, received } => {
                write!(f, "packet {index} ({received}) has the wrong key flag")
            }
            Difference::Time { index, expected, received } => {
                write!(f, "packet {index} should be at ({expected}), was at ({received})")
            }
            Difference::TailMissing { count } => {
                write!(f, "the last {count} packets of the source are missing")
            }
            Difference::BeyondEnd { index, received } => {
                write!(f, "packet {index} ({received}) comes after the end of the source")
            }
        }
    }
}

impl std::error::Error for Mismatch {}

/// Compares a recording with its source; see the module's page for what that demands.
pub fn compare(source: &Recording, received: &Recording) -> Result<Match, Mismatch> {
    let same = |a: &Track, b: &Track| (a.kind, a.id, a.codec) == (b.kind, b.id, b.codec);
    if let Some(unknown) =
        received.tracks.iter().find(|track| !source.tracks.iter().any(|known| same(known, track)))
    {
        return Err(mismatch(unknown, Difference::TrackUnknown));
    }
    // Video first: its payloads hardly ever repeat, so it settles the offset beyond doubt.
    let mut sources: Vec<&Track> = source.tracks.iter().collect();
    sources.sort_by_key(|track| track.kind != Kind::Video);

    let mut offset_ms = None;
    let mut starts = Vec::new();
    for track in sources {
        let found = received.tracks.iter().find(|candidate| same(candidate, track));
        let found = found.ok_or_else(|| mismatch(track, Difference::TrackMissing))?;
        let start = compare_track(track, found, &mut offset_ms).map_err(|difference| Mismatch {
            kind: track.kind,
            track: track.id,
            difference,
        })?;
        starts.push(start);
    }
    Ok(Match { offset_ms: offset_ms.unwrap_or(0), starts })
}

fn mismatch(track: &Track, difference: Difference) -> Mismatch {
    Mismatch { kind: track.kind, track: track.id, difference: Box::new(difference) }
}

fn compare_track(
    source: &Track,
    received: &Track,
    offset_ms: &mut Option<i64>,
) -> Result<Start, Box<Difference>> {
    let first = received.packets.first().ok_or(Box::new(Difference::NoPackets))?;
    if source.headers != received.headers {
        let (expected, received) = (source.headers.len(), received.headers.len());
        return Err(Box::new(Difference::Headers { expected, received }));
    }
    let start = align(&source.packets, &received.packets, *offset_ms)
        .ok_or_else(|| Box::new(Difference::FirstUnknown { received: first.clone() }))?;
    if source.kind == Kind::Video && !first.key {
        return Err(Box::new(Difference::FirstNotKey { received: first.clone() }));
    }
    let run = &source.packets[start..];
    let offset = *offset_ms.get_or_insert(first.dts_ms - run[0].dts_ms);
    for (index, packet) in received.packets.iter().enumerate() {
        let Some(expected) = run.get(index) else {
            return Err(Box::new(Difference::BeyondEnd { index, received: packet.clone() }));
        };
        compare_packet(&source.packets, start + index, index, packet, offset, expected)?;
    }
    if let count @ 1.. = run.len() - received.packets.len() {
        return Err(Box::new(Difference::TailMissing { count }));
    }
    let len = received.packets.len();
    Ok(Start { kind: source.kind, index: start, dts_ms: run[0].dts_ms, len })
}

fn compare_packet(
    source: &[Packet],
    source_index: usize,
    index: usize,
    received: &Packet,
    offset_ms: i64,
    expected: &Packet,
) -> Result<(), Box<Difference>> {
    if !received.same_payload(expected) {
        // The nearest place at which the source has this payload.
        let displaced = source
            .iter()
            .enumerate()
            .filter(|(_, packet)| packet.same_payload(received))
            .map(|(found, _)| found.cast_signed() - source_index.cast_signed())
            .min_by_key(|places| places.abs());
        let (expected, received) = (expected.clone(), received.clone());
        return Err(Box::new(Difference::Payload { index, expected, received, displaced }));
    }
    if received.key != expected.key {
        return Err(Box::new(Difference::KeyFlag { index, received: received.clone() }));
    }
    let mut moved = expected.clone();
    moved.dts_ms += offset_ms;
    moved.pts_ms += offset_ms;
    if (received.dts_ms, received.pts_ms) != (moved.dts_ms, moved.pts_ms) {
        let received = received.clone();
        return Err(Box::new(Difference::Time { index, expected: moved, received }));
    }
    Ok(())
}

/// Where in the source the recording starts: the place with the longest run of equal payloads,
/// and among equals (silence repeats itself) the one that fits the offset already known.
fn align(source: &[Packet], received: &[Packet], offset_ms: Option<i64>) -> Option<usize> {
    let first = received.first()?;
    let starts = source.iter().enumerate().filter(|(_, packet)| packet.same_payload(first));
    starts
        .max_by_key(|(start, packet)| {
            let pairs = source[*start..].iter().zip(received);
            let run = pairs.take_while(|(expected, got)| expected.same_payload(got)).count();
            (run, offset_ms.is_none_or(|offset| packet.dts_ms + offset == first.dts_ms))
        })
        .map(|(start, _)| start)
}

#[cfg(test)]
mod tests {
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
}
