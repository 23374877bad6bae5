//! One publisher's queue, and what is left out of it.

use super::{Class, Fate, UplinkLimits, UplinkStats};
use millstream_flv::Tag;
use millstream_rtmp::session::RequestId;
use std::collections::VecDeque;

/// What an entry costs besides its payload, about: so that empty messages have a bound too.
const ENTRY_BYTES: usize = 96;

/// The largest step in timestamps that is believed to be media, as milliseconds. A jump by an hour does
/// not mean that an hour is queued.
const STEP_MS_MAX: i32 = 1_000;

#[derive(Debug)]
pub(super) struct Lane {
    pub(super) stream: RequestId,
    pub(super) message_stream: u32,
    /// Nothing more comes.
    pub(super) ending: bool,
    queue: VecDeque<Entry>,
    /// The sum of the entries' costs.
    queued_bytes: usize,
    /// The last timestamp, and where it stands on a line without jumps, in milliseconds.
    last: Option<u32>,
    line_ms: u64,
    /// Pictures have come.
    has_video: bool,
    /// The track whose key frames count: that of the first one.
    main_track: Option<u8>,
    skipping_video: bool,
    counted: UplinkStats,
}

#[derive(Debug)]
pub(super) struct Entry {
    number: u64,
    class: Class,
    /// Where it stands on the line.
    at_ms: u64,
    tag: Tag,
}

impl Entry {
    pub(super) fn new(number: u64, tag: Tag) -> Self {
        Self { number, class: Class::of(&tag), at_ms: 0, tag }
    }

    fn cost(&self) -> usize {
        self.tag.payload.len() + ENTRY_BYTES
    }
}

impl Lane {
    pub(super) fn new(stream: RequestId, message_stream: u32) -> Self {
        Self {
            stream,
            message_stream,
            ending: false,
            queue: VecDeque::new(),
            queued_bytes: 0,
            last: None,
            line_ms: 0,
            has_video: false,
            main_track: None,
            skipping_video: false,
            counted: UplinkStats::default(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    pub(super) fn front_number(&self) -> Option<u64> {
        self.queue.front().map(|entry| entry.number)
    }

    pub(super) fn pop(&mut self) -> Option<Tag> {
        let entry = self.queue.pop_front()?;
        self.queued_bytes -= entry.cost();
        self.counted.sent_messages += 1;
        self.counted.sent_bytes += entry.tag.payload.len() as u64;
        Some(entry.tag)
    }

    pub(super) fn push(&mut self, mut entry: Entry, limits: UplinkLimits) -> Fate {
        self.advance(&entry);
        entry.at_ms = self.line_ms;
        if self.is_beyond(limits) {
            self.thin_out(limits);
        }
        if self.is_left_out(&entry) {
            self.count_out(&entry);
            return Fate::Skipped;
        }
        self.queued_bytes += entry.cost();
        self.queue.push_back(entry);
        Fate::Queued
    }

    pub(super) fn stats(&self) -> UplinkStats {
        UplinkStats {
            queued_messages: self.queue.len(),
            queued_bytes: self.queued_bytes - self.queue.len() * ENTRY_BYTES,
            queued_ms: self.queued_ms(),
            skipping_video: self.skipping_video,
            ..self.counted
        }
    }

    /// Moves the line on to a frame's time.
    fn advance(&mut self, entry: &Entry) {
        if entry.class.is_header() || entry.class == Class::Data {
            return;
        }
        let time = entry.tag.timestamp;
        // Taken as signed, the difference crosses the wrap in both directions.
        let step = self.last.map_or(0, |last| time.wrapping_sub(last) as i32);
        // Sound and pictures stand a little before and behind each other.
        if !(-STEP_MS_MAX..0).contains(&step) {
            self.line_ms += u64::from(step.clamp(0, STEP_MS_MAX).unsigned_abs());
            self.last = Some(time);
        }
    }

    fn queued_ms(&self) -> u32 {
        // Headers may have stayed behind from long ago.
        let oldest = self.queue.iter().find(|entry| !entry.class.is_header());
        oldest.map_or(0, |entry| u32::try_from(self.line_ms - entry.at_ms).unwrap_or(u32::MAX))
    }

    fn is_beyond(&self, limits: UplinkLimits) -> bool {
        self.queued_bytes > limits.bytes || self.queued_ms() > limits.ms
    }

    fn thin_out(&mut self, limits: UplinkLimits) {
        self.counted.skips += 1;
        let main = self.main_track.map(Class::Key);
        let mut keys = self.queue.iter().rev().filter(|entry| Some(entry.class) == main);
        let key = keys.next().map(|entry| (entry.number, self.line_ms - entry.at_ms));
        if let Some((key, _)) = key {
            self.remove(|entry| entry.class.is_video() && entry.number < key);
        }
        let fresh = key.is_some_and(|(_, age_ms)| age_ms <= limits.ms.into());
        if !fresh || self.queued_bytes > limits.bytes {
            self.remove(|entry| entry.class.is_video());
            self.skipping_video = self.has_video;
        }
        for class in [Class::Sound, Class::Data] {
            if self.is_beyond(limits) {
                let fresh = self.line_ms.saturating_sub(u64::from(limits.ms) / 2);
                self.remove(|entry| entry.class == class && entry.at_ms < fresh);
            }
            if self.queued_bytes > limits.bytes {
                self.remove(|entry| entry.class == class);
            }
        }
        self.remove_replaced_headers();
    }

    /// Whether a message is not even queued, for those before it were left out.
    fn is_left_out(&mut self, entry: &Entry) -> bool {
        self.has_video |= entry.class.is_video();
        if let Class::Key(track) = entry.class {
            let main = *self.main_track.get_or_insert(track);
            self.skipping_video &= track != main;
        }
        self.skipping_video && entry.class.is_video()
    }

    /// Leaves out headers behind which a newer one of their kind comes, with nothing between that needs
    /// them. Of metadata only the newest stays.
    fn remove_replaced_headers(&mut self) {
        let mut newer: Vec<Class> = Vec::new();
        let mut replaced = Vec::new();
        for entry in self.queue.iter().rev() {
            match entry.class {
                Class::Key(_) | Class::Picture => {
                    newer.retain(|class| !matches!(class, Class::VideoHeader(_)));
                }
                Class::Sound => newer.retain(|class| !matches!(class, Class::AudioHeader(_))),
                Class::Data => {}
                header if newer.contains(&header) => replaced.push(entry.number),
                header => newer.push(header),
            }
        }
        self.remove(|entry| replaced.contains(&entry.number));
    }

    fn remove(&mut self, is_removed: impl Fn(&Entry) -> bool) {
        let queue = std::mem::take(&mut self.queue);
        for entry in queue {
            if is_removed(&entry) {
                self.queued_bytes -= entry.cost();
                self.count_out(&entry);
            } else {
                self.queue.push_back(entry);
            }
        }
    }

    fn count_out(&mut self, entry: &Entry) {
        match entry.class {
            Class::Key(_) | Class::Picture => self.counted.skipped_video += 1,
            Class::Sound => self.counted.skipped_audio += 1,
            _ => self.counted.skipped_data += 1,
        }
        self.counted.skipped_bytes += entry.tag.payload.len() as u64;
    }
}
