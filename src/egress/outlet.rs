//! One connection's way out: private bytes, and at most one reader of a stream.
//!
//! ```text
//!   owed (the rest of a log message begun)  ->  private (whole messages)  ->  log, from the cursor
//! ```
//! The invariant: *bytes of different origin meet only at message boundaries.* While `owed > 0` the
//! peer is inside a log message, and nothing else may go out before its rest. Sockets are behind
//! [`Sink`]; which outlet is served when is `fanout`'s business.

use crate::limits;
use crate::moment::Moment;
use crate::slots::Key;
use crate::stream::view::{Cursor, View};
use bytes::{Buf, BytesMut};

/// Names an outlet on its shard.
pub type OutletId = Key;

/// What became of a send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// So many bytes were taken; fewer than offered means that the socket is full.
    Wrote(usize),
    /// The connection is gone.
    Broken,
}

/// Where bytes go.
pub trait Sink {
    /// Offers bytes to an outlet's socket, without waiting.
    fn send(&mut self, outlet: OutletId, bytes: &[u8]) -> Sent;

    /// Offers two stretches of bytes as one, the second right behind the first.
    fn send_joined(&mut self, outlet: OutletId, first: &[u8], second: &[u8]) -> Sent {
        match self.send(outlet, first) {
            Sent::Wrote(taken) if taken == first.len() => match self.send(outlet, second) {
                Sent::Wrote(more) => Sent::Wrote(taken + more),
                Sent::Broken => Sent::Broken,
            },
            sent => sent,
        }
    }
}

/// Where a reader stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It needs a place to begin: a join point at or past its cursor.
    Waiting,
    /// It reads on from its cursor.
    Reading,
    /// It asked to pause.
    Paused,
}

/// A reader of a log.
#[derive(Clone, Debug)]
pub struct Reader {
    /// The view that it reads.
    pub view: Key,
    /// Its place among the view's readers.
    pub place: u32,
    /// The next byte that it is sent.
    pub cursor: Cursor,
    /// Bytes of the message at the cursor that are still to be sent; 0 at a boundary.
    pub owed: u32,
    /// Where it stands.
    pub standing: Standing,
    /// The generation and epoch of the headers that it was given; `None` while it has none, and
    /// loses nothing: before its first frame, and in a pause.
    pub headers: Option<(u32, u32)>,
    /// The time of the next message to be sent, when it last could not take everything.
    pub stalled_at_ms: Option<u64>,
    /// Since when it has not caught up.
    pub behind_since: Option<Moment>,
    /// Since when it waits for a publisher.
    pub waiting_since: Moment,
    /// Whether it is in its first catch-up, and served after those at the live edge.
    pub catching_up: bool,
    /// Whether the ring overtook it since it read last.
    pub overtaken: bool,
    /// Whether it was told that the stream is unpublished.
    pub told_end: bool,
    /// Whether it was ever sent a frame, of this log or one before.
    pub has_read: bool,
    /// It was taken past an end of the stream that it was not told of.
    pub passed_end: bool,
    /// It must hear something before it goes on: what it is told stands ahead of what follows.
    pub halted: bool,
    /// What a turn that finds nothing unusual does not look at.
    pub past: Box<Past>,
}

/// What became of a reader so far. Thousands of readers have a turn with each frame, and what their
/// turns touch must come from memory: this part is kept out of their way.
#[derive(Clone, Debug, Default)]
pub struct Past {
    /// When it skipped last, newest last.
    pub skips: Vec<Moment>,
    /// What it lost since it was last told.
    pub unannounced: Loss,
    /// After a change of projection: where it goes on in the other log, once that is fed.
    pub resume: Option<Resume>,
    /// It came before its log was fed, and has no place in it yet: what the log is filled with then, ends
    /// of the stream included, was before its time.
    pub unplaced: bool,
    /// The number of the last message that it had of another log of the stream, if it had any: this
    /// one may hold too few messages to tell where the reader stood.
    pub floor: Option<u32>,
}

/// Where a reader stood in another log of its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resume {
    /// The number of the last message before its cursor.
    pub after: u32,
    /// The generation there.
    pub generation: u32,
    /// Whether it may go on in the middle of a group of pictures, since it has what came before.
    pub seamless: bool,
}

/// The epoch of headers that matches none: a reader that had frames and needs headers anew.
/// Generations of publishers begin at 1.
pub const STALE_HEADERS: (u32, u32) = (0, 0);

impl Reader {
    /// Takes over what a reader of another log of the stream was told, has and has lost.
    pub fn inherit(&mut self, before: Self) {
        self.headers = before.headers.map(|_| STALE_HEADERS);
        self.past.skips = before.past.skips;
        self.past.unannounced = before.past.unannounced;
        self.overtaken = before.overtaken;
        self.told_end = before.told_end;
        self.has_read = before.has_read;
        self.passed_end = before.passed_end;
        self.halted = before.halted;
    }

    /// The later of a message of this log and the last one that it had of another.
    pub fn floor_at(&self, order: u32) -> u32 {
        // A signed distance, since the number wraps.
        self.past.floor.filter(|floor| floor.wrapping_sub(order) as i32 > 0).unwrap_or(order)
    }
}

/// Frames that a reader does not get.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Loss {
    /// How many.
    pub frames: u64,
    /// Their bytes on the wire.
    pub bytes: u64,
}

/// What an outlet did and lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutletStats {
    /// Bytes that the socket took.
    pub bytes_sent: u64,
    /// Frames that were skipped.
    pub frames_dropped: u64,
    /// Bytes of the skipped frames.
    pub bytes_dropped: u64,
    /// How often it skipped.
    pub skips: u32,
}

/// One connection's way out.
#[derive(Debug, Default)]
pub struct Outlet {
    /// Whole messages for this connection alone; the first of them may be sent in part.
    pub private: BytesMut,
    /// The reader, if it plays.
    pub reader: Option<Reader>,
    /// The socket was full: nothing is offered before it is writable.
    pub parked: bool,
    /// Hung up: nothing is sent any more.
    pub closed: bool,
    /// When the socket last took bytes, or when there was nothing to send.
    pub last_progress: Moment,
    /// There was nothing to send after the last turn.
    pub idle: bool,
    /// Counters.
    pub stats: OutletStats,
    /// What of them was counted for the stream already.
    counted: OutletStats,
}

/// How a turn ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Everything due is sent.
    Drained,
    /// The turn's share is used up and more is due.
    More,
    /// The socket is full.
    Full,
    /// The connection is gone.
    Broken,
    /// The cursor stands at the end of a closed segment: what follows must be looked at.
    SegmentEnd,
}

impl Outlet {
    /// The way out of a new connection.
    pub fn new(now: Moment) -> Self {
        Self { last_progress: now, ..Self::default() }
    }

    /// Sends the rest of a message begun, then private bytes: what precedes any log bytes.
    pub fn send_private(
        &mut self,
        id: OutletId,
        view: Option<&View>,
        sink: &mut impl Sink,
        now: Moment,
    ) -> Flow {
        if let (Some(reader), Some(view)) = (self.reader.as_mut(), view)
            && reader.owed > 0
        {
            let rest = &view.due(reader.cursor)[..reader.owed as usize];
            let Sent::Wrote(taken) = sink.send(id, rest) else { return Flow::Broken };
            let whole = taken == rest.len();
            reader.cursor.offset += taken as u32;
            reader.owed -= taken as u32;
            self.took(taken, now);
            if !whole {
                return self.park();
            }
        }
        while !self.private.is_empty() {
            let offered = self.private.len();
            let Sent::Wrote(taken) = sink.send(id, &self.private) else { return Flow::Broken };
            self.private.advance(taken);
            self.took(taken, now);
            if taken < offered {
                return self.park();
            }
        }
        // An idle viewer keeps no buffer.
        self.private = BytesMut::new();
        Flow::Drained
    }

    /// Sends log bytes from the cursor to the end of its segment, at most a turn's share while it
    /// catches up. Only after [`send_private`](Self::send_private) has drained.
    pub fn send_log(
        &mut self,
        id: OutletId,
        view: &View,
        sink: &mut impl Sink,
        now: Moment,
    ) -> Flow {
        let Some(reader) = self.reader.as_mut() else { return Flow::Drained };
        debug_assert!(reader.owed == 0 && self.private.is_empty());
        let due = view.due(reader.cursor);
        if due.is_empty() {
            let last = view.end().segment == reader.cursor.segment;
            return if last { Flow::Drained } else { Flow::SegmentEnd };
        }
        // A window often spans the end of a segment, and two sends cost what two windows do.
        let next = if reader.catching_up { None } else { view.due_behind(reader.cursor.segment) };
        let mut share = if reader.catching_up { limits::CATCH_UP_SHARE } else { due.len() };
        if share < due.len()
            && view
                .owed(Cursor { offset: reader.cursor.offset + share as u32 - 1, ..reader.cursor })
                == 0
        {
            // Never one byte into a message: an encrypted way has taken the last byte before it says so,
            // and what goes out next begins with that byte.
            share -= 1;
        }
        let offer = &due[..due.len().min(share)];
        let behind = next.map_or(&[][..], |(_, behind)| behind);
        let sent = match behind {
            [] => sink.send(id, offer),
            _ => sink.send_joined(id, offer, behind),
        };
        let Sent::Wrote(taken) = sent else { return Flow::Broken };
        let (offered, all) = (offer.len() + behind.len(), due.len() + behind.len());
        match next {
            Some((segment, _)) if taken >= due.len() => {
                let offset = (taken - due.len()) as u32;
                reader.cursor = Cursor { segment: segment.preface.number, offset };
                // Headers that changed open the segment in band.
                reader.headers = Some(segment.preface.epoch());
            }
            _ => reader.cursor.offset += taken as u32,
        }
        if taken < all {
            reader.owed = view.owed(reader.cursor);
        }
        self.took(taken, now);
        if taken < offered {
            return self.park();
        }
        if taken < all { Flow::More } else { Flow::SegmentEnd }
    }

    /// What was done since the last call.
    pub fn take_delta(&mut self) -> OutletStats {
        let before = std::mem::replace(&mut self.counted, self.stats);
        OutletStats {
            bytes_sent: self.stats.bytes_sent - before.bytes_sent,
            frames_dropped: self.stats.frames_dropped - before.frames_dropped,
            bytes_dropped: self.stats.bytes_dropped - before.bytes_dropped,
            skips: self.stats.skips - before.skips,
        }
    }

    fn took(&mut self, bytes: usize, now: Moment) {
        if bytes > 0 {
            self.stats.bytes_sent += bytes as u64;
            self.last_progress = now;
        }
    }

    fn park(&mut self) -> Flow {
        self.parked = true;
        Flow::Full
    }
}
