//! Who could feed a stream and waits for it: what is kept of what it sends.
//!
//! ```text
//!   waiting:  headers are kept, frames pass by; at each key frame it asks for its turn
//!   promised: everything from that key frame on is kept, until the stream comes
//! ```
//! So it begins with its headers and a key frame, however long the old owner's shard takes to give
//! the stream up. Whether it gets its turn is the registry's business.
//!
//! The group of pictures before that key frame is not kept: played late, it would put the stream's time
//! ahead of the clock by its length, and each viewer behind by as much, at every change.

use super::headers::Headers;
use super::publisher::Publisher;
use super::segment::Kind;
use super::writer::{Arrival, Stored};
use crate::limits;
use crate::moment::Moment;
use crate::planted::{self, Bug};
use crate::role::Role;
use std::mem::size_of;
use std::time::Duration;

/// What is kept of one who waits.
pub struct Standby {
    role: Role,
    headers: Headers,
    /// It has sent pictures.
    pictures: bool,
    /// From the key frame with which it takes over; empty until it was promised the stream.
    kept: Vec<Stored>,
    /// Bytes in `kept`; at most [`limits::STANDBY_BYTES_MAX`] before the last of them.
    kept_bytes: usize,
    /// Something behind `kept` was let go.
    cut: bool,
    began: Moment,
    last_media: Moment,
    last_key: Option<Moment>,
    last_asked: Option<Moment>,
}

/// What an arrival means to one who waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// Nothing more: of what waits, headers are all that is kept.
    Noted,
    /// It is kept, and appended when the stream comes.
    Kept,
    /// It could begin with this one, and asks for its turn.
    Asks,
    /// Its header would pass the bounds of a stream's headers.
    TooManyHeaders,
}

impl Standby {
    /// One who has sent nothing yet.
    pub fn new(role: Role, now: Moment) -> Self {
        Self::after(role, Headers::default(), now, now)
    }

    /// One who fed the stream until now, with these headers.
    pub fn after(role: Role, headers: Headers, last_media: Moment, now: Moment) -> Self {
        Self {
            role,
            pictures: headers.has_video(),
            headers,
            kept: Vec::new(),
            kept_bytes: 0,
            cut: false,
            began: now,
            last_media,
            last_key: None,
            last_asked: None,
        }
    }

    /// As what it publishes.
    pub fn role(&self) -> Role {
        self.role
    }

    /// When its last message came.
    pub fn last_media(&self) -> Moment {
        self.last_media
    }

    /// Takes a message in while it waits.
    pub fn hear(&mut self, arrival: &Arrival<'_>, now: Moment) -> Heard {
        self.last_media = now;
        if !self.note_header(arrival) {
            return Heard::TooManyHeaders;
        }
        self.pictures |= arrival.kind.is_video();
        if arrival.kind == Kind::VideoKey {
            self.last_key = Some(now);
        }
        let asked_lately =
            self.last_asked.is_some_and(|asked| now.since(asked) < limits::STANDBY_ASK_INTERVAL);
        if asked_lately || !self.could_begin_with(arrival.kind, now) {
            return Heard::Noted;
        }
        self.last_asked = Some(now);
        Heard::Asks
    }

    /// Keeps a message for the time when the stream comes: it is promised.
    pub fn keep(&mut self, arrival: &Arrival<'_>, now: Moment) {
        self.last_media = now;
        if self.kept_bytes >= limits::STANDBY_BYTES_MAX {
            self.cut = true;
            return;
        }
        self.kept_bytes += arrival.payload.len() + size_of::<Stored>();
        self.kept.push(Stored::copy(arrival));
    }

    /// The promise came to nothing: it waits again.
    pub fn wait_again(&mut self) {
        for stored in std::mem::take(&mut self.kept) {
            // Too many headers end the connection when the next one comes.
            let _ = self.note_header(&stored.arrival());
        }
        (self.kept_bytes, self.cut) = (0, false);
    }

    /// It has the stream: its headers and what it kept are appended.
    pub fn begin(mut self, publisher: &mut Publisher, now: Moment) {
        let source_ms = self.kept.first().map_or(0, |first| first.source_ms);
        if planted::is(Bug::BackupWithoutKey) {
            self.kept.retain(|stored| stored.kind != Kind::VideoKey);
        }
        let mut push = |arrival: &Arrival<'_>| {
            // Headers are bounded as they are kept, and one that came since ends the connection as
            // soon as it is sent again.
            let _ = publisher.push(arrival, now);
        };
        for (slot, payload) in self.headers.iter() {
            let (carrier, header) = (slot.carrier, Some(slot));
            push(&Arrival { carrier, kind: carrier.kind(), header, source_ms, payload });
        }
        for stored in &self.kept {
            push(&stored.arrival());
        }
        if self.cut {
            publisher.mend();
        }
    }

    /// Notes a header. False if there are too many.
    fn note_header(&mut self, arrival: &Arrival<'_>) -> bool {
        let Some(slot) = arrival.header else { return true };
        if self.headers.holds(slot, arrival.payload) {
            return true;
        }
        let (slots_max, bytes_max) = (limits::HEADER_SLOTS_MAX, limits::HEADER_BYTES_MAX);
        let Some(headers) = self.headers.with(slot, arrival.payload, slots_max, bytes_max) else {
            return false;
        };
        self.headers = headers;
        true
    }

    /// Whether viewers could go on with such a message: a key frame, a sound where there are no
    /// pictures, and, of a primary that shows none (intra refresh), any picture.
    fn could_begin_with(&self, kind: Kind, now: Moment) -> bool {
        let without_key = |span: Duration| {
            let since = self.last_key.unwrap_or(self.began);
            now.since(since) >= span
        };
        match kind {
            Kind::VideoKey => true,
            Kind::Video => self.role == Role::Primary && without_key(limits::NO_KEY_AFTER),
            Kind::Audio => !self.pictures && without_key(limits::AUDIO_ONLY_AFTER),
            Kind::VideoHeader | Kind::AudioHeader | Kind::Data => false,
        }
    }
}
