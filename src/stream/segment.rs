//! One slab of a log: wire bytes and an index entry per message, append-only, read without a lock.
//!
//! ```text
//!   bytes    [message 0][message 1][message 2]......            end = entries.last().end
//!   entries  [0][1][2]....
//!   next     -> the segment that follows, once this one is closed
//! ```
//! What is constant within a segment stands in its fields: the generation, the headers, how it
//! begins. So whatever a reader must be told (new headers, another publisher, the end) happens
//! where it steps from one segment to the next, and nowhere else.

use super::headers::SharedHeaders;
use super::slab::{Appender, Slab, slab};
use super::spare::Element;
use crate::weak::{Spot, ordering};

#[cfg(millstream_loom)]
use loom::sync::{
    Arc,
    atomic::{AtomicPtr, Ordering},
};
use std::ptr;
#[cfg(not(millstream_loom))]
use std::sync::{
    Arc,
    atomic::{AtomicPtr, Ordering},
};

/// What a message is to a reader of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// A video frame that needs others.
    Video,
    /// A video frame that decoding can begin with.
    VideoKey,
    /// A video configuration (sequence start).
    VideoHeader,
    /// An audio frame.
    Audio,
    /// An audio configuration (sequence start).
    AudioHeader,
    /// A data message: metadata, cue points, text. Never dropped.
    Data,
}

impl Kind {
    /// Whether it is video, header or not.
    pub fn is_video(self) -> bool {
        matches!(self, Self::Video | Self::VideoKey | Self::VideoHeader)
    }

    /// Whether it is audio, header or not.
    pub fn is_audio(self) -> bool {
        matches!(self, Self::Audio | Self::AudioHeader)
    }

    /// Whether it is a frame: what may be dropped and is counted as dropped.
    pub fn is_frame(self) -> bool {
        matches!(self, Self::Video | Self::VideoKey | Self::Audio)
    }
}

/// The index entry of one message. It begins where the one before it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Milliseconds on the stream's 64-bit timeline.
    pub timestamp: u64,
    /// Offset just past the message, in the segment's bytes.
    pub end: u32,
    /// How many key frames the log had seen, this one included.
    pub gop: u32,
    /// Number of the message in its stream, the same in all logs of the stream; it wraps.
    pub order: u32,
    /// What it is.
    pub kind: Kind,
}

impl Element for Entry {}

/// How a segment begins, seen from the one before it. One that does not continue is an empty mark:
/// the first message behind it opens a segment of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// The same publisher goes on.
    Continues,
    /// Another publisher, or the same one again: readers need headers and a key frame.
    Generation,
    /// The stream was unpublished.
    Ended,
}

/// What is fixed when a segment is made.
#[derive(Clone, Debug)]
pub struct Preface {
    /// Consecutive number in its log.
    pub number: u64,
    /// Which publisher wrote it, counted from 1; 0 is the empty beginning of a log.
    pub generation: u32,
    /// How it begins.
    pub opening: Opening,
    /// Number of its first message in the log.
    pub first_message: u64,
    /// Bytes before it in the log.
    pub base: u64,
    /// The headers that its frames need. Those that open the segment in band are among them.
    pub headers: SharedHeaders,
}

impl Preface {
    /// Which headers its frames need: the generation, and the epoch within it.
    pub fn epoch(&self) -> (u32, u32) {
        (self.generation, self.headers.epoch)
    }
}

/// A segment as its readers see it.
pub struct Segment {
    /// What was fixed when it was made.
    pub preface: Preface,
    bytes: Slab<u8>,
    entries: Slab<Entry>,
    /// An `Arc<Segment>` turned into a pointer; null until the writer closed this one.
    next: AtomicPtr<Segment>,
}

/// A segment's writing end.
pub struct SegmentWriter {
    segment: Arc<Segment>,
    bytes: Appender<u8>,
    entries: Appender<Entry>,
}

impl Segment {
    /// The index entries published so far.
    pub fn entries(&self) -> &[Entry] {
        self.entries.committed()
    }

    /// The bytes published so far. Call it after [`entries`](Self::entries): then it reaches at
    /// least to the end of the last of those.
    pub fn bytes(&self) -> &[u8] {
        self.bytes.committed()
    }

    /// The memory it was made with, in bytes.
    pub fn capacity(&self) -> usize {
        self.bytes.capacity() + self.entries.capacity() * size_of::<Entry>()
    }

    /// The segment that follows; then this one is complete.
    pub fn next(&self) -> Option<Arc<Segment>> {
        let next = self.next.load(Ordering::Acquire);
        if next.is_null() {
            return None;
        }
        // SAFETY: a non-null `next` came from `Arc::into_raw` in `link`, which gave this segment one
        // strong count that only `drop` gives back. Acquire orders us after the pointee's writes.
        // Counting up before `from_raw` makes the returned Arc a new owner (`tests/loom/model.rs`).
        unsafe {
            Arc::increment_strong_count(next);
            Some(Arc::from_raw(next))
        }
    }

    /// Takes the link out, so that a chain can be let go without recursion.
    fn unlink(&mut self) -> Option<Arc<Segment>> {
        let next = self.next.swap(ptr::null_mut(), Ordering::Acquire);
        // SAFETY: as in `next`; the strong count that `link` gave passes to the returned Arc, and
        // the null left behind keeps it from being taken twice.
        (!next.is_null()).then(|| unsafe { Arc::from_raw(next) })
    }
}

impl Drop for Segment {
    fn drop(&mut self) {
        // A reader that slept through many segments may own a long chain alone: letting the head
        // drop its `next` by itself would recurse once per segment and could exhaust the stack.
        let mut link = self.unlink();
        while let Some(segment) = link {
            link = match Arc::try_unwrap(segment) {
                Ok(mut alone) => alone.unlink(),
                Err(_shared) => None,
            };
        }
    }
}

impl SegmentWriter {
    /// Makes a segment for at least `bytes` bytes in at most `entries` messages.
    pub fn new(preface: Preface, bytes: usize, entries: usize) -> Self {
        let (byte_appender, byte_slab) = slab(bytes);
        let (entry_appender, entry_slab) = slab(entries);
        let segment = Arc::new(Segment {
            preface,
            bytes: byte_slab,
            entries: entry_slab,
            next: AtomicPtr::new(ptr::null_mut()),
        });
        Self { segment, bytes: byte_appender, entries: entry_appender }
    }

    /// The segment as readers see it.
    pub fn segment(&self) -> &Arc<Segment> {
        &self.segment
    }

    /// Whether a message of `len` bytes still fits.
    pub fn fits(&self, len: usize) -> bool {
        len <= self.bytes.room() && self.entries.room() > 0
    }

    /// Bytes written so far.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether nothing was written yet.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Messages written so far.
    pub fn messages(&self) -> usize {
        self.entries.len()
    }

    /// Appends one message, whose bytes are those of `parts` one behind the other, and publishes it.
    /// The entry's `end` is filled in here.
    ///
    /// # Panics
    /// If it does not [`fit`](Self::fits).
    pub fn append(&mut self, entry: Entry, parts: &[&[u8]]) {
        // Bytes first: whoever sees the entry must find the bytes.
        self.bytes.append(parts);
        let end = u32::try_from(self.bytes.len()).expect("a segment is smaller than 4 GiB");
        self.entries.append(&[&[Entry { end, ..entry }]]);
    }

    /// Closes this segment: from now on readers find `next` behind it.
    pub fn link(self, next: &Arc<Segment>) {
        let next = Arc::into_raw(Arc::clone(next)).cast_mut();
        // Release: the pointee's fields are seen by whoever loads the pointer.
        let before = self.segment.next.swap(next, ordering(Spot::Link, Ordering::AcqRel));
        debug_assert!(before.is_null(), "a segment is closed once");
    }
}
