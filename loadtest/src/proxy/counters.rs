//! What a proxy has done, and what its connections have in common. No sockets here.

use super::fault::{FaultKind, KINDS};
use crate::media::Track;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// How often each kind of fault was applied, over all connections.
#[derive(Debug, Default)]
pub(super) struct Counters([AtomicU64; KINDS.len()]);

impl Counters {
    /// One more.
    pub fn count(&self, kind: FaultKind) {
        self.0[kind.place()].fetch_add(1, Ordering::Relaxed);
    }

    /// The kinds that were applied at all, each with how often.
    pub fn read(&self) -> BTreeMap<&'static str, u64> {
        let counts = self.0.iter().map(|count| count.load(Ordering::Relaxed));
        KINDS.into_iter().zip(counts).filter(|(_, count)| *count > 0).collect()
    }
}

/// The newest frames of two streams for each track, from which `cross` draws.
///
/// Two are enough: one of them is another stream's than the frame it is to come before.
#[derive(Debug, Default)]
pub(super) struct Newest(Mutex<[[Option<Frame>; 2]; 2]>);

#[derive(Debug)]
struct Frame {
    stream: u32,
    payload: Bytes,
}

impl Newest {
    /// Enters a frame of a stream.
    pub fn enter(&self, track: Track, stream: u32, payload: &Bytes) {
        // Nothing that can panic happens under this lock.
        let mut newest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let [first, second] = &mut newest[track_place(track)];
        if first.as_ref().is_none_or(|frame| frame.stream != stream) {
            std::mem::swap(first, second);
        }
        *first = Some(Frame { stream, payload: payload.clone() });
    }

    /// A frame of any stream but this one.
    pub fn other(&self, track: Track, stream: u32) -> Option<Bytes> {
        let newest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut frames = newest[track_place(track)].iter().flatten();
        frames.find(|frame| frame.stream != stream).map(|frame| frame.payload.clone())
    }
}

/// Where a track stands in arrays of two.
pub(super) fn track_place(track: Track) -> usize {
    match track {
        Track::Video => 0,
        Track::Audio => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_applied_is_listed() {
        let counters = Counters::default();
        counters.count(FaultKind::Drop);
        counters.count(FaultKind::Drop);
        counters.count(FaultKind::Stall);
        assert_eq!(counters.read(), BTreeMap::from([("drop", 2), ("stall", 1)]));
    }

    #[test]
    fn the_other_stream_is_never_the_own() {
        let newest = Newest::default();
        let frame = |byte| Bytes::from(vec![byte]);
        newest.enter(Track::Video, 1, &frame(1));
        assert_eq!(newest.other(Track::Video, 1), None);
        for (stream, byte) in [(2, 2), (2, 3), (1, 4), (2, 5)] {
            newest.enter(Track::Video, stream, &frame(byte));
        }
        assert_eq!(newest.other(Track::Video, 1), Some(frame(5)));
        assert_eq!(newest.other(Track::Video, 2), Some(frame(4)));
        assert!(newest.other(Track::Video, 7).is_some());
        assert_eq!(newest.other(Track::Audio, 7), None);
    }
}
