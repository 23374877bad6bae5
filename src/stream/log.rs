//! The log of one stream in one framing: a ring of segments that one shard appends to.
//!
//! ```text
//!   Log.oldest -> [segment 41] -> [42] -> [43] -> [44, being written]
//!                  Log.first_retained = 41
//! ```
//! Here stand the shared face of a log ([`Log`]) and its writing end ([`LogWriter`]): when a
//! segment is full, which segments stay. Readers stand in `view`. What a message looks like on the
//! wire is a [`Framing`]'s business, given by `egress`.

use super::headers::{Carrier, SharedHeaders};
use super::segment::{Entry, Kind, Opening, Preface, Segment, SegmentWriter};
use crate::limits;
use crate::moment::Moment;
use std::collections::VecDeque;
use std::time::Duration;

#[cfg(millstream_loom)]
use loom::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, Ordering},
};
#[cfg(not(millstream_loom))]
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, Ordering},
};

/// One message on its way into the logs of its stream.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// What it is to readers.
    pub kind: Kind,
    /// The message kind it travels as.
    pub carrier: Carrier,
    /// Milliseconds on the stream's timeline.
    pub timestamp: u64,
    /// Its number in the stream; it wraps.
    pub order: u32,
    /// When it came.
    pub now: Moment,
    /// Its payload.
    pub payload: &'a [u8],
}

/// Turns messages into the bytes that every reader of a log is sent.
pub trait Framing: Send + Sync {
    /// Appends the wire form of one message.
    fn frame(&self, carrier: Carrier, timestamp: u64, payload: &[u8], out: &mut Vec<u8>);

    /// Where the wire form of a message is some bytes and behind them its payload as it is: appends
    /// these bytes and returns true. Else appends nothing.
    fn head(
        &self,
        carrier: Carrier,
        timestamp: u64,
        payload_len: usize,
        out: &mut Vec<u8>,
    ) -> bool {
        let _ = (carrier, timestamp, payload_len, out);
        false
    }

    /// Appends the wire form of one entry of the stream's main log, as it must read in this one.
    fn adapt(&self, entry: &Entry, main: &[u8], out: &mut Vec<u8>);

    /// Whether messages of this kind belong into the log at all.
    fn takes(&self, kind: Kind) -> bool;
}

/// How much of the past a log keeps.
#[derive(Clone, Copy, Debug)]
pub struct Retention {
    /// The most a log may hold, in bytes of memory.
    pub bytes_max: usize,
    /// How far back it reaches at most, key frame or not.
    pub span_max: Duration,
    /// How far back it reaches at least while somebody reads, so that a slow viewer need not skip.
    pub slack: Duration,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            bytes_max: limits::GOP_CACHE_BYTES,
            span_max: limits::GOP_CACHE_SPAN,
            slack: limits::LAG_SKIP,
        }
    }
}

/// What readers share of a log. They take `oldest` once, when they begin.
pub struct Log {
    oldest: Mutex<Arc<Segment>>,
    first_retained: AtomicU64,
}

impl Log {
    /// The oldest segment that is kept; the others hang behind it.
    pub fn oldest(&self) -> Arc<Segment> {
        Arc::clone(&self.oldest.lock().expect("no code panics while it holds this lock"))
    }

    /// The number of the oldest segment that is kept. Readers let go of those before it.
    pub fn first_retained(&self) -> u64 {
        self.first_retained.load(Ordering::Acquire)
    }
}

/// The writing end of a log. It moves with the stream when another shard takes the stream over.
pub struct LogWriter {
    log: Arc<Log>,
    framing: Box<dyn Framing>,
    current: SegmentWriter,
    /// Every retained segment, the current one last. Never empty.
    ring: VecDeque<Kept>,
    ring_bytes: usize,
    retention: Retention,
    /// Number of the segment with the newest key frame, within this generation.
    key_segment: Option<u64>,
    gop: u32,
    last_timestamp: u64,
    last_came: Moment,
    headers: SharedHeaders,
    /// Bytes of media per second, smoothed over segments: sizes the next one.
    bytes_per_second: f64,
    opened_at: u64,
    scratch: Vec<u8>,
}

/// How large a segment is made.
#[derive(Clone, Copy)]
struct Room {
    bytes: usize,
    entries: usize,
}

impl Room {
    /// For a mark that holds no message.
    const NONE: Self = Self { bytes: 0, entries: 0 };

    /// For a header of `len` bytes, and a few small messages behind it.
    fn for_header(len: usize) -> Self {
        Self {
            bytes: len.max(limits::HEADER_SEGMENT_BYTES),
            entries: limits::HEADER_SEGMENT_ENTRIES,
        }
    }
}

/// A retained segment, and the time of the last message before its successor.
struct Kept {
    segment: Arc<Segment>,
    last_timestamp: u64,
    /// When that came.
    last_came: Moment,
}

impl LogWriter {
    /// An empty log. Its first segment is of generation 0 and holds nothing: readers may wait on it.
    pub fn new(framing: Box<dyn Framing>, retention: Retention) -> Self {
        let preface = Preface {
            number: 0,
            generation: 0,
            opening: Opening::Ended,
            first_message: 0,
            base: 0,
            headers: SharedHeaders::default(),
        };
        let current = SegmentWriter::new(preface, 0, 0);
        let segment = Arc::clone(current.segment());
        let ring_bytes = segment.capacity();
        Self {
            log: Arc::new(Log {
                oldest: Mutex::new(Arc::clone(&segment)),
                first_retained: AtomicU64::new(0),
            }),
            framing,
            current,
            ring: VecDeque::from([Kept {
                segment,
                last_timestamp: 0,
                last_came: Moment::default(),
            }]),
            ring_bytes,
            retention,
            key_segment: None,
            gop: 0,
            last_timestamp: 0,
            last_came: Moment::default(),
            headers: SharedHeaders::default(),
            bytes_per_second: 0.0,
            opened_at: 0,
            scratch: Vec::new(),
        }
    }

    /// The shared face.
    pub fn log(&self) -> &Arc<Log> {
        &self.log
    }

    /// The headers valid now.
    pub fn headers(&self) -> &SharedHeaders {
        &self.headers
    }

    /// Bytes of memory that the retained segments take.
    pub fn retained_bytes(&self) -> usize {
        self.ring_bytes
    }

    /// Begins a generation: the same stream from another publisher, or from the same one again.
    pub fn begin_generation(&mut self) {
        let generation = self.current.segment().preface.generation + 1;
        self.headers = SharedHeaders::new(self.headers.cleared());
        self.key_segment = None;
        self.open(Opening::Generation, generation, Room::NONE);
        self.evict(true);
    }

    /// Ends the stream for its readers. Another generation may follow.
    pub fn end(&mut self) {
        let generation = self.current.segment().preface.generation;
        self.key_segment = None;
        self.open(Opening::Ended, generation, Room::NONE);
        self.evict(true);
    }

    /// Appends a header: it opens a segment of its own, so that the set of headers is constant in
    /// every segment. `read` says whether anybody reads; it decides how much of the past stays.
    pub fn append_header(&mut self, headers: SharedHeaders, record: &Record<'_>, read: bool) {
        self.headers = headers;
        self.framed(record, |log, wire| {
            // Another header, or a frame that does not fit, follows as a rule: room for a second of
            // media would be wasted with each, and would push the past out of the ring.
            log.roll(Room::for_header(len_of(wire)), read);
            log.write(record, wire);
        });
    }

    /// Appends one message.
    pub fn append(&mut self, record: &Record<'_>, read: bool) {
        self.framed(record, |log, wire| {
            let len = len_of(wire);
            if !log.current.fits(len) || (!read && log.may_begin_at(record.kind)) {
                log.roll(log.room_for_media(len, read), read);
            }
            log.write(record, wire);
            if !read && record.kind == Kind::VideoKey {
                log.evict(read);
            }
        });
    }

    /// Whether the segment ends here because a group of pictures begins. While nobody reads, only the
    /// newest group is kept; with a segment of its own it takes nothing of the one before along.
    fn may_begin_at(&self, kind: Kind) -> bool {
        let filled = self.current.len() >= self.current.segment().capacity() / 4;
        kind == Kind::VideoKey && filled
    }

    /// Frames a record that this log takes: one copy, from where it was received to its place, as
    /// far as the framing leaves payloads whole.
    fn framed(&mut self, record: &Record<'_>, then: impl FnOnce(&mut Self, [&[u8]; 2])) {
        if !self.framing.takes(record.kind) {
            return;
        }
        self.last_came = self.last_came.max(record.now);
        let Record { carrier, timestamp, payload, .. } = *record;
        let mut wire = std::mem::take(&mut self.scratch);
        wire.clear();
        if self.framing.head(carrier, timestamp, payload.len(), &mut wire) {
            then(self, [&wire, payload]);
        } else {
            self.framing.frame(carrier, timestamp, payload, &mut wire);
            then(self, [&wire, &[]]);
        }
        // What a message took must not stay with each stream: heads are small.
        wire.clear();
        wire.shrink_to(limits::HEAD_BYTES_KEPT);
        self.scratch = wire;
    }

    /// Fills a new log with what the main log of its stream retains, so that joiners of a derived
    /// log need not wait for a key frame.
    pub fn backfill(&mut self, main: &LogWriter) {
        let mut wire = Vec::new();
        for Kept { segment, .. } in &main.ring {
            let entries = segment.entries();
            let bytes = segment.bytes();
            self.headers = SharedHeaders::clone(&segment.preface.headers);
            let opening = segment.preface.opening;
            let room = match opening {
                Opening::Continues => self.room_for_media(bytes.len(), true),
                _ => Room::NONE,
            };
            self.open(opening, segment.preface.generation, room);
            let mut from = 0;
            for entry in entries {
                let message = &bytes[from..entry.end as usize];
                from = entry.end as usize;
                if !self.framing.takes(entry.kind) {
                    continue;
                }
                wire.clear();
                self.framing.adapt(entry, message, &mut wire);
                if !self.current.fits(wire.len()) {
                    self.roll(self.room_for_media(wire.len(), true), true);
                }
                self.write_entry(*entry, &[&wire]);
            }
        }
    }

    fn write(&mut self, record: &Record<'_>, wire: [&[u8]; 2]) {
        let Record { kind, timestamp, order, .. } = *record;
        self.write_entry(Entry { kind, timestamp, order, gop: self.gop, end: 0 }, &wire);
    }

    fn write_entry(&mut self, entry: Entry, wire: &[&[u8]]) {
        if entry.kind == Kind::VideoKey {
            self.gop = self.gop.wrapping_add(1);
            self.key_segment = Some(self.current.segment().preface.number);
        }
        self.last_timestamp = self.last_timestamp.max(entry.timestamp);
        self.current.append(Entry { gop: self.gop, ..entry }, wire);
    }

    fn roll(&mut self, room: Room, read: bool) {
        let generation = self.current.segment().preface.generation;
        self.open(Opening::Continues, generation, room);
        self.evict(read);
    }

    /// Room for a second of media, and for one message of `at_least` bytes. Half a second while
    /// nobody reads: the step to the next segment costs a reader a send, and room that is not filled
    /// yet costs memory.
    fn room_for_media(&self, at_least: usize, read: bool) -> Room {
        let second = self.bytes_per_second as usize;
        let bytes = (if read { second } else { second / 2 })
            .clamp(limits::SEGMENT_BYTES_MIN, limits::SEGMENT_BYTES_MAX)
            .max(at_least);
        Room { bytes, entries: limits::segment_entries(bytes) }
    }

    /// Closes the current segment and opens the next.
    fn open(&mut self, opening: Opening, generation: u32, room: Room) {
        let full = self.current.segment();
        let span_ms = self.last_timestamp.saturating_sub(self.opened_at);
        if span_ms >= 100 {
            let rate = self.current.len() as f64 * 1000.0 / span_ms as f64;
            self.bytes_per_second = self.bytes_per_second.max(rate) * 0.75 + rate * 0.25;
        }
        self.opened_at = self.last_timestamp;
        let preface = Preface {
            number: full.preface.number + 1,
            generation,
            opening,
            first_message: full.preface.first_message + self.current.messages() as u64,
            base: full.preface.base + self.current.len() as u64,
            headers: SharedHeaders::clone(&self.headers),
        };
        let next = SegmentWriter::new(preface, room.bytes, room.entries);
        let segment = Arc::clone(next.segment());
        if let Some(last) = self.ring.back_mut() {
            last.last_timestamp = self.last_timestamp;
            last.last_came = self.last_came;
        }
        self.ring_bytes += segment.capacity();
        let (last_timestamp, last_came) = (0, Moment::default());
        self.ring.push_back(Kept { segment: Arc::clone(&segment), last_timestamp, last_came });
        // The link comes last: a reader that finds it finds all of the above.
        std::mem::replace(&mut self.current, next).link(&segment);
    }

    /// Lets go of what need not stay: the newest group of pictures stays (as far as the bounds
    /// allow), and while somebody reads, what a slow viewer may still want.
    fn evict(&mut self, read: bool) {
        let now = self.last_timestamp;
        let before = self.ring.len();
        while self.ring.len() > 1 {
            let front = &self.ring[0];
            let age = Duration::from_millis(now.saturating_sub(front.last_timestamp));
            // An encoder that catches up sends seconds of media in a moment: readers must have had
            // their turns before it goes.
            let kept_for = self.last_came.since(front.last_came);
            let over = self.ring_bytes > self.retention.bytes_max
                || age > self.retention.span_max
                || self.ring.len() > limits::SEGMENTS_MAX;
            let needed = self.key_segment.is_some_and(|key| front.segment.preface.number >= key)
                || (read && age.min(kept_for) <= self.retention.slack);
            if needed && !over {
                break;
            }
            self.ring_bytes -= front.segment.capacity();
            self.ring.pop_front();
        }
        if self.ring.len() != before {
            let oldest = &self.ring[0].segment;
            // Order matters: a reader that begins now must find `oldest` at or past what
            // `first_retained` says, or it would let go of a segment that it never had.
            *self.log.oldest.lock().expect("no code panics while it holds this lock") =
                Arc::clone(oldest);
            self.log.first_retained.store(oldest.preface.number, Ordering::Release);
        }
    }
}

fn len_of(wire: [&[u8]; 2]) -> usize {
    wire[0].len() + wire[1].len()
}

#[cfg(all(test, not(millstream_loom)))]
mod tests {
    use super::*;

    /// Puts one byte before each payload; those of more than `whole` bytes it ends with another.
    struct Marked {
        whole: usize,
    }

    impl Framing for Marked {
        fn frame(&self, _: Carrier, _: u64, payload: &[u8], out: &mut Vec<u8>) {
            out.push(b'<');
            out.extend_from_slice(payload);
            out.push(b'>');
        }

        fn head(&self, _: Carrier, _: u64, payload_len: usize, out: &mut Vec<u8>) -> bool {
            if payload_len <= self.whole {
                out.push(b'!');
            }
            payload_len <= self.whole
        }

        fn adapt(&self, _: &Entry, main: &[u8], out: &mut Vec<u8>) {
            out.extend_from_slice(main);
        }

        fn takes(&self, _: Kind) -> bool {
            true
        }
    }

    fn begun(whole: usize) -> LogWriter {
        let mut log = LogWriter::new(Box::new(Marked { whole }), Retention::default());
        log.begin_generation();
        log
    }

    fn append(log: &mut LogWriter, kind: Kind, ms: u64, payload: &[u8], read: bool) {
        let (carrier, now) = (Carrier::Video, Moment::from_ms(ms));
        log.append(&Record { kind, carrier, timestamp: ms, order: 0, now, payload }, read);
    }

    #[test]
    fn payloads_go_behind_their_heads_and_others_are_framed() {
        let mut log = begun(3);
        append(&mut log, Kind::VideoKey, 0, b"abc", false);
        append(&mut log, Kind::Video, 40, b"abcd", false);
        append(&mut log, Kind::Video, 80, b"", false);
        let segment = log.current.segment();
        assert_eq!(segment.bytes(), b"!abc<abcd>!");
        let ends: Vec<u32> = segment.entries().iter().map(|entry| entry.end).collect();
        assert_eq!(ends, [4, 10, 11]);
    }

    #[test]
    fn what_a_long_message_took_does_not_stay_with_the_stream() {
        let mut log = begun(0);
        append(&mut log, Kind::VideoKey, 0, &[7; 100_000], false);
        assert!(log.scratch.capacity() <= limits::HEAD_BYTES_KEPT);
    }

    /// 25 pictures of 10 kB a second, a key frame every two seconds. Returns the most that was
    /// retained after the first ten seconds, and how many segments there were at that time.
    fn stream(read: bool) -> (usize, usize) {
        let mut log = begun(usize::MAX);
        let mut most = (0, 0);
        for picture in 0..1500_u64 {
            let kind = if picture % 50 == 0 { Kind::VideoKey } else { Kind::Video };
            append(&mut log, kind, picture * 40, &[0; 10_000], read);
            if picture > 250 {
                most = most.max((log.retained_bytes(), log.ring.len()));
            }
        }
        most
    }

    #[test]
    fn unread_a_stream_keeps_little_more_than_its_newest_group() {
        let group = 50 * 10_000;
        let (unread, _) = stream(false);
        assert!(unread >= group && unread < group * 14 / 10, "{unread} for {group}");
        let (read, segments) = stream(true);
        assert!(read > 4 * 250_000, "{read}: slow viewers have what they may want");
        assert!(segments <= 8, "{segments}: a segment is a second, whatever begins in it");
    }
}
