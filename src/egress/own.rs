//! Wire forms of an application's own: it says how a message is written, and the log does the rest, once
//! for all readers of a form.
//!
//! How they are registered and read stands in `server`; who the readers are, in `shard::spouts`.

use super::rtmp::carrier_of;
use crate::stream::headers::Carrier;
use crate::stream::log::Framing;
use crate::stream::projection::{FormatId, Projection};
use crate::stream::segment::{Entry, Kind};
use millstream_rtmp::chunk::standalone_payload;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Track {
    /// Sound: its configuration or a frame.
    Audio,
    /// Pictures: their configuration or a frame.
    Video,
    /// Data: `onMetaData` and others.
    Data,
}

/// A message of a stream.
#[derive(Clone, Copy, Debug)]
pub struct Sample<'a> {
    /// What it is.
    pub track: Track,
    /// Milliseconds on the stream's timeline, which goes on when a publisher returns or is replaced.
    pub timestamp: u64,
    /// The payload, as in an RTMP message or an FLV tag (FLV 10.1, annex E; Enhanced RTMP).
    pub payload: &'a [u8],
}

/// How an application writes streams.
///
/// It is called on the shard that owns a stream, once for each message and not for each reader, and must
/// not block. A reader's first bytes are what is written of metadata and of the sequence headers, then
/// of a key frame; it is skipped to another key frame when it falls behind, between two messages, with
/// the headers again if they changed. A format that panics writes nothing from then on.
pub trait Format: Send + Sync + 'static {
    /// Appends what is sent of a message, or nothing.
    fn write(&self, sample: &Sample<'_>, out: &mut Vec<u8>);
}

/// The formats that a server is started with.
#[derive(Clone, Default)]
pub struct Formats(Vec<Arc<Contained>>);

/// More formats than anybody has: their number is kept in a byte.
const FORMATS_MAX: usize = 256;

impl Formats {
    /// Adds one.
    ///
    /// # Panics
    /// If there are 256 already.
    pub fn add(&mut self, format: impl Format) -> FormatId {
        assert!(self.0.len() < FORMATS_MAX, "a server has 256 formats at most");
        self.0.push(Arc::new(Contained { format: Box::new(format), failed: false.into() }));
        FormatId((self.0.len() - 1) as u8)
    }

    /// Whether there is such a format.
    pub fn has(&self, id: FormatId) -> bool {
        usize::from(id.0) < self.0.len()
    }

    /// The framing of a format's log, beside a main log of this chunk size.
    pub(crate) fn framing(
        &self,
        id: FormatId,
        projection: Projection,
        source_chunk_size: u32,
    ) -> Box<dyn Framing> {
        let format = Arc::clone(&self.0[usize::from(id.0)]);
        Box::new(OwnFraming { format, projection, source_chunk_size })
    }
}

impl fmt::Debug for Formats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Formats").field(&self.0.len()).finish()
    }
}

/// A format whose panics end with it.
struct Contained {
    format: Box<dyn Format>,
    failed: AtomicBool,
}

impl Contained {
    fn write(&self, sample: &Sample<'_>, out: &mut Vec<u8>) {
        if self.failed.load(Ordering::Relaxed) {
            return;
        }
        let before = out.len();
        if catch_unwind(AssertUnwindSafe(|| self.format.write(sample, out))).is_err() {
            out.truncate(before);
            self.failed.store(true, Ordering::Relaxed);
            tracing::error!("an application's format panicked; it writes nothing from now on");
        }
    }
}

struct OwnFraming {
    format: Arc<Contained>,
    projection: Projection,
    /// That of the stream's main log.
    source_chunk_size: u32,
}

impl Framing for OwnFraming {
    fn frame(&self, carrier: Carrier, timestamp: u64, payload: &[u8], out: &mut Vec<u8>) {
        let track = match carrier {
            Carrier::Audio => Track::Audio,
            Carrier::Video => Track::Video,
            Carrier::Data => Track::Data,
        };
        self.format.write(&Sample { track, timestamp, payload }, out);
    }

    fn adapt(&self, entry: &Entry, main: &[u8], out: &mut Vec<u8>) {
        let payload = standalone_payload(main, self.source_chunk_size);
        self.frame(carrier_of(entry.kind), entry.timestamp, &payload, out);
    }

    fn takes(&self, kind: Kind) -> bool {
        self.projection.takes(kind)
    }
}
