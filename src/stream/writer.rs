//! The writing end of a stream: repairs time, keeps the headers, feeds the logs.
//!
//! One shard holds it at a time, in the stream's publisher; between publishers it lies in the hub.
//! What a message *is* was decided by `ingest`; what it looks like to readers is the framings'.

use super::headers::{Carrier, HeaderSlot, Headers};
use super::log::{LogWriter, Record};
use super::projection::Projection;
use super::ride::{Eagerness, Ride};
use super::segment::Kind;
use crate::limits;
use crate::moment::Moment;
use bytes::Bytes;
use millstream_media::{Timeline, TrackKind};
use std::sync::Arc;

/// A message as it came from a publisher.
#[derive(Clone, Copy, Debug)]
pub struct Arrival<'a> {
    /// The message kind it came as.
    pub carrier: Carrier,
    /// What it is to readers.
    pub kind: Kind,
    /// The header that it sets, if it is one.
    pub header: Option<HeaderSlot>,
    /// Milliseconds, as the publisher counts them, modulo 2^32.
    pub source_ms: u32,
    /// The payload.
    pub payload: &'a [u8],
}

/// An arrival that is kept for a while.
#[derive(Clone, Debug)]
pub struct Stored {
    /// The message kind it came as.
    pub carrier: Carrier,
    /// What it is to readers.
    pub kind: Kind,
    /// The header that it sets, if it is one.
    pub header: Option<HeaderSlot>,
    /// Milliseconds, as the publisher counts them, modulo 2^32.
    pub source_ms: u32,
    /// The payload.
    pub payload: Bytes,
}

impl Stored {
    /// A copy of what arrived, which keeps no receive buffer alive.
    pub fn copy(arrival: &Arrival<'_>) -> Self {
        let Arrival { carrier, kind, header, source_ms, payload } = *arrival;
        Self { carrier, kind, header, source_ms, payload: Bytes::copy_from_slice(payload) }
    }

    /// It arrives.
    pub fn arrival(&self) -> Arrival<'_> {
        let Self { carrier, kind, header, source_ms, ref payload } = *self;
        Arrival { carrier, kind, header, source_ms, payload }
    }
}

/// What became of an arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Appended {
    /// It is in the logs; readers are to be told at the given moment.
    Due(Moment),
    /// Its header would pass the bounds of a stream's headers.
    TooManyHeaders,
}

/// The writing end.
pub struct StreamWriter {
    main: LogWriter,
    derived: Vec<(Projection, LogWriter)>,
    headers: Arc<Headers>,
    /// `None` until the first message, which keeps its own time.
    timeline: Option<Timeline>,
    /// How often the source's time jumped and was repaired.
    repairs: u64,
    order: u32,
    ride: Ride,
    /// Whether a generation is open: begun and not ended.
    live: bool,
}

impl StreamWriter {
    /// The writing end of a new stream, over its main log.
    pub fn new(main: LogWriter) -> Self {
        Self {
            main,
            derived: Vec::new(),
            headers: Arc::default(),
            timeline: None,
            repairs: 0,
            order: 0,
            ride: Ride::default(),
            live: false,
        }
    }

    /// A publisher begins, or takes over: the timeline goes on, headers start anew.
    pub fn begin(&mut self, eagerness: Eagerness) {
        self.headers = Arc::new(self.headers.cleared());
        // After an end, too: those who wait for the next publisher have the times before, and so
        // have the logs, whose ages and lags are differences of times.
        if let Some(timeline) = &mut self.timeline {
            timeline.resume();
        }
        self.ride = Ride::new(eagerness);
        self.live = true;
        self.each_log(LogWriter::begin_generation);
    }

    /// The stream ends for its readers.
    pub fn end(&mut self) {
        self.live = false;
        self.each_log(LogWriter::end);
    }

    /// Takes in logs that readers asked for.
    pub fn adopt(&mut self, unfed: Vec<(Projection, LogWriter)>) {
        for (projection, mut log) in unfed {
            log.backfill(&self.main);
            self.derived.push((projection, log));
        }
    }

    /// Appends one message to every log that takes it. `read` says whether anybody reads.
    pub fn append(&mut self, arrival: &Arrival<'_>, now: Moment, read: bool) -> Appended {
        // A header that repeats what is held is relayed like any message, but changes nothing: some
        // encoders send it before every key frame.
        let header = arrival.header.filter(|slot| !self.headers.holds(*slot, arrival.payload));
        if let Some(slot) = header {
            let Some(headers) = self.headers.with(
                slot,
                arrival.payload,
                limits::HEADER_SLOTS_MAX,
                limits::HEADER_BYTES_MAX,
            ) else {
                return Appended::TooManyHeaders;
            };
            self.headers = Arc::new(headers);
        }
        let track = match arrival.carrier {
            Carrier::Data => TrackKind::Data,
            Carrier::Video => TrackKind::Video,
            Carrier::Audio => TrackKind::Audio,
        };
        let timestamp = self.place(track, arrival.source_ms);
        self.order = self.order.wrapping_add(1);
        let record = Record {
            kind: arrival.kind,
            carrier: arrival.carrier,
            timestamp,
            order: self.order,
            now,
            payload: arrival.payload,
        };
        let headers = header.map(|_| Arc::clone(&self.headers));
        self.each_log(|log| match &headers {
            Some(headers) => log.append_header(Arc::clone(headers), &record, read),
            None => log.append(&record, read),
        });
        let kind = arrival.kind;
        Appended::Due(self.ride.appended(kind.is_audio(), kind.is_video(), read, now))
    }

    /// Readers were told of everything appended so far.
    pub fn flushed(&mut self) {
        self.ride.flushed();
    }

    /// When readers are to be told of what they were not told yet.
    pub fn flush_due(&self) -> Option<Moment> {
        self.ride.due()
    }

    /// The headers valid now.
    pub fn headers(&self) -> &Arc<Headers> {
        &self.headers
    }

    /// Memory that the logs retain, in bytes.
    pub fn retained_bytes(&self) -> usize {
        self.main.retained_bytes()
            + self.derived.iter().map(|(_, log)| log.retained_bytes()).sum::<usize>()
    }

    /// How often the source's time jumped and was repaired.
    pub fn repairs(&self) -> u64 {
        self.repairs
    }

    /// The newest time of the stream, in milliseconds.
    pub fn last_timestamp(&self) -> u64 {
        self.timeline.as_ref().map_or(0, Timeline::last)
    }

    /// Puts a message's time on the timeline, which begins with the first frame's own time. Data
    /// before that (metadata, often stamped 0) does not begin it, or the frames would have to land
    /// behind it.
    fn place(&mut self, track: TrackKind, source_ms: u32) -> u64 {
        let first = u64::from(source_ms);
        if self.timeline.is_none() && track == TrackKind::Data {
            return first;
        }
        let placed =
            self.timeline.get_or_insert_with(|| Timeline::new(first)).place(track, source_ms);
        self.repairs += u64::from(placed.jumped);
        placed.ms
    }

    fn each_log(&mut self, mut each: impl FnMut(&mut LogWriter)) {
        each(&mut self.main);
        self.derived.iter_mut().for_each(|(_, log)| each(log));
    }
}
