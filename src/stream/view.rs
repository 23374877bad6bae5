//! What one shard sees of a log: the retained segments, where to join, how far the live edge is.
//!
//! A view belongs to one shard and serves all its readers there; a reader itself is only a
//! [`Cursor`]. [`View::refresh`] digests what the writer published since the last time, at a cost
//! per message and shard, not per reader.

use super::headers::Headers;
use super::log::Log;
use super::segment::{Entry, Kind, Opening, Segment};
use crate::limits;
use std::collections::VecDeque;
use std::sync::Arc;

/// A place in a log: a segment by its number, and an offset in its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    /// Number of the segment.
    pub segment: u64,
    /// Offset in the segment's bytes.
    pub offset: u32,
}

/// A place where a reader may begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JoinPoint {
    /// The first byte of the frame.
    pub at: Cursor,
    /// The frame's time, in milliseconds.
    pub timestamp: u64,
    /// The count of key frames there.
    pub gop: u32,
}

/// The newest message seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LiveEdge {
    /// The newest time, in milliseconds.
    pub timestamp: u64,
    /// The count of key frames.
    pub gop: u32,
}

/// What a refresh found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Refreshed {
    /// There are new messages or segments.
    pub grown: bool,
    /// Segments left the ring; [`View::evict`] lets go of them once no reader stands on them.
    pub stale: bool,
}

/// Whether and how the stream is live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// Nobody publishes: before the first publisher, or after an end.
    Absent,
    /// A generation has begun.
    Live,
}

/// One shard's view of one log.
pub struct View {
    log: Arc<Log>,
    segments: VecDeque<Arc<Segment>>,
    /// Entries of the newest segment that were digested.
    digested: usize,
    presence: Presence,
    newest_key: Option<JoinPoint>,
    edge: LiveEdge,
    /// Since when a key frame is missed, in milliseconds: from the first message of the present
    /// generation, or from its latest key frame, which may have left the ring since.
    keyless_since: Option<u64>,
    video_seen: bool,
}

impl View {
    /// A view of everything that `log` retains.
    pub fn new(log: Arc<Log>) -> Self {
        let oldest = log.oldest();
        let mut view = Self {
            log,
            segments: VecDeque::from([oldest]),
            digested: 0,
            presence: Presence::Absent,
            newest_key: None,
            edge: LiveEdge::default(),
            keyless_since: None,
            video_seen: false,
        };
        view.enter_newest();
        view.refresh();
        view
    }

    /// Whether somebody publishes.
    pub fn presence(&self) -> Presence {
        self.presence
    }

    /// The newest message seen.
    pub fn edge(&self) -> LiveEdge {
        self.edge
    }

    /// Just past the newest message seen.
    pub fn end(&self) -> Cursor {
        let newest = self.newest();
        Cursor {
            segment: newest.preface.number,
            offset: end_of(&newest.entries()[..self.digested]),
        }
    }

    /// The headers valid where `segment` is, if it is held.
    pub fn headers(&self, segment: u64) -> Option<&Arc<Headers>> {
        self.segment(segment).map(|segment| &segment.preface.headers)
    }

    /// The generation of a segment, if it is held; 0 otherwise.
    pub fn generation(&self, segment: u64) -> u32 {
        self.segment(segment).map_or(0, |segment| segment.preface.generation)
    }

    /// A held segment by its number.
    pub fn segment(&self, number: u64) -> Option<&Arc<Segment>> {
        let at = number.checked_sub(self.segments[0].preface.number)?;
        self.segments.get(usize::try_from(at).ok()?)
    }

    /// The newest place to begin at, if there is one: the newest key frame; without video, or with
    /// video that shows no key frame for long, the live edge.
    pub fn join_point(&self) -> Option<JoinPoint> {
        if self.presence == Presence::Absent {
            return None;
        }
        if self.newest_key.is_some() {
            return self.newest_key;
        }
        let patience =
            if self.has_pictures() { limits::NO_KEY_AFTER } else { limits::AUDIO_ONLY_AFTER };
        let waited = self.edge.timestamp.saturating_sub(self.keyless_since?);
        (u128::from(waited) >= patience.as_millis()).then(|| JoinPoint {
            at: self.end(),
            timestamp: self.edge.timestamp,
            gop: self.edge.gop,
        })
    }

    /// Whether the present generation shows pictures, or says that it will.
    pub fn has_pictures(&self) -> bool {
        self.video_seen || self.newest().preface.headers.has_video()
    }

    /// The first message of the present generation at or past a place.
    pub fn first_from(&self, cursor: Cursor) -> Option<JoinPoint> {
        let generation = self.newest().preface.generation;
        let held = self.segments.iter().filter(|segment| {
            segment.preface.generation == generation && segment.preface.number >= cursor.segment
        });
        held.into_iter().find_map(|segment| {
            let number = segment.preface.number;
            let from = if number == cursor.segment { cursor.offset } else { 0 };
            let entries = segment.entries();
            let first = entries.partition_point(|entry| entry.end <= from);
            let entry = entries.get(first)?;
            let at = Cursor { segment: number, offset: end_of(&entries[..first]) };
            Some(JoinPoint { at, timestamp: entry.timestamp, gop: entry.gop })
        })
    }

    /// Digests what the writer published since the last call.
    pub fn refresh(&mut self) -> Refreshed {
        let mut grown = false;
        loop {
            // The link is read before the entries: if there is one, the entries are complete.
            let next = self.newest().next();
            grown |= self.digest();
            let Some(next) = next else { break };
            self.segments.push_back(next);
            self.digested = 0;
            self.enter_newest();
            grown = true;
        }
        let stale = self.segments[0].preface.number < self.log.first_retained();
        Refreshed { grown, stale }
    }

    /// The number of the oldest segment that the log still retains.
    pub fn first_retained(&self) -> u64 {
        self.log.first_retained().min(self.newest().preface.number)
    }

    /// Lets go of segments that the log no longer retains. Readers on them must have moved.
    pub fn evict(&mut self) {
        let first = self.first_retained();
        while self.segments[0].preface.number < first {
            self.segments.pop_front();
        }
        if self.newest_key.is_some_and(|key| key.at.segment < first) {
            self.newest_key = None;
        }
    }

    /// The entries from `cursor` (a message boundary) up to `until`, each with its wire bytes.
    pub fn messages(&self, cursor: Cursor, until: Cursor) -> impl Iterator<Item = (Entry, &[u8])> {
        (cursor.segment..=until.segment).filter_map(|number| self.segment(number)).flat_map(
            move |segment| {
                let number = segment.preface.number;
                let from = if number == cursor.segment { cursor.offset } else { 0 };
                let to = if number == until.segment { until.offset } else { u32::MAX };
                let entries = segment.entries();
                let bytes = segment.bytes();
                let first = entries.partition_point(|entry| entry.end <= from);
                let mut start = end_of(&entries[..first]);
                entries[first..].iter().take_while(move |entry| entry.end <= to).map(move |entry| {
                    let message = &bytes[start as usize..entry.end as usize];
                    start = entry.end;
                    (*entry, message)
                })
            },
        )
    }

    /// The entry of the message that `cursor` stands in or before, if it is published.
    pub fn entry_at(&self, cursor: Cursor) -> Option<Entry> {
        let entries = self.segment(cursor.segment)?.entries();
        entries.get(entries.partition_point(|entry| entry.end <= cursor.offset)).copied()
    }

    /// The bytes from `cursor` to the end of its segment, as far as they were digested.
    pub fn due(&self, cursor: Cursor) -> &[u8] {
        let Some(segment) = self.segment(cursor.segment) else { return &[] };
        let entries = segment.entries();
        let end = if segment.preface.number == self.newest().preface.number {
            end_of(&entries[..self.digested])
        } else {
            end_of(entries)
        };
        &segment.bytes()[cursor.offset as usize..end as usize]
    }

    /// The segment behind a closed one that goes on with the same generation, and its bytes: what
    /// may follow the [due](Self::due) bytes of segment `number` in one send.
    pub fn due_behind(&self, number: u64) -> Option<(&Arc<Segment>, &[u8])> {
        let next = self.segment(number + 1)?;
        (next.preface.opening == Opening::Continues)
            .then(|| (next, self.due(Cursor { segment: number + 1, offset: 0 })))
    }

    /// Bytes from `cursor` to the end of the message that it stands in; 0 at a boundary.
    pub fn owed(&self, cursor: Cursor) -> u32 {
        let Some(segment) = self.segment(cursor.segment) else { return 0 };
        let entries = segment.entries();
        let at = entries.partition_point(|entry| entry.end <= cursor.offset);
        if end_of(&entries[..at]) == cursor.offset {
            return 0;
        }
        entries.get(at).map_or(0, |entry| entry.end - cursor.offset)
    }

    /// The number of the last message before `cursor`, a message boundary. If none before it is
    /// held, the number below that of the first one behind it; 0 in an empty log.
    pub fn order_before(&self, cursor: Cursor) -> u32 {
        let held = self.segments.iter().rev().filter(|held| held.preface.number <= cursor.segment);
        for segment in held {
            let entries = segment.entries();
            let count = if segment.preface.number == cursor.segment {
                entries.partition_point(|entry| entry.end <= cursor.offset)
            } else {
                entries.len()
            };
            if let Some(entry) = entries[..count].last() {
                return entry.order;
            }
        }
        let behind = self.segments.iter().find_map(|segment| segment.entries().first());
        behind.map_or(0, |entry| entry.order.wrapping_sub(1))
    }

    /// Whether the owner of the stream has written anything to the log: one that was just asked for
    /// holds nothing, not even what the stream's other logs do.
    pub fn is_fed(&self) -> bool {
        self.newest().preface.number > 0
    }

    /// Whether the log is held from the message after the one numbered `order` on, for sure.
    pub fn reaches(&self, order: u32) -> bool {
        let first = self.segments.iter().find_map(|segment| segment.entries().first());
        first.is_none_or(|entry| entry.order.wrapping_sub(order) as i32 <= 1)
    }

    /// The beginning of the first message after the one numbered `order`.
    pub fn after(&self, order: u32) -> Cursor {
        for segment in &self.segments {
            let mut start = 0;
            for entry in segment.entries() {
                // A signed distance, since the number wraps.
                if entry.order.wrapping_sub(order) as i32 > 0 {
                    return Cursor { segment: segment.preface.number, offset: start };
                }
                start = entry.end;
            }
        }
        self.end()
    }

    fn newest(&self) -> &Arc<Segment> {
        self.segments.back().expect("a view holds at least one segment")
    }

    fn enter_newest(&mut self) {
        let preface = &self.newest().preface;
        let presence = match preface.opening {
            Opening::Ended => Presence::Absent,
            Opening::Generation => Presence::Live,
            // A view may begin in the middle of a generation.
            Opening::Continues => return self.presence = Presence::Live,
        };
        self.presence = presence;
        self.newest_key = None;
        self.keyless_since = None;
        self.video_seen = false;
    }

    fn digest(&mut self) -> bool {
        let newest = Arc::clone(self.newest());
        let entries = newest.entries();
        let fresh = &entries[self.digested..];
        let mut start = end_of(&entries[..self.digested]);
        for entry in fresh {
            if entry.kind == Kind::VideoKey {
                self.newest_key = Some(JoinPoint {
                    at: Cursor { segment: newest.preface.number, offset: start },
                    timestamp: entry.timestamp,
                    gop: entry.gop,
                });
                self.keyless_since = Some(entry.timestamp);
            }
            self.video_seen |= entry.kind.is_video();
            self.keyless_since.get_or_insert(entry.timestamp);
            self.edge.timestamp = self.edge.timestamp.max(entry.timestamp);
            self.edge.gop = entry.gop;
            start = entry.end;
        }
        self.digested = entries.len();
        !fresh.is_empty()
    }
}

fn end_of(entries: &[Entry]) -> u32 {
    entries.last().map_or(0, |entry| entry.end)
}
