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

use crate::difference::{Difference, Mismatch};
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
mod tests;
