//! The publisher of a stream, on the shard that owns the stream: appends, and tells readers.
//!
//! It outlives its connection: when that is lost, the stream is held for a while so that the
//! encoder can return and viewers stay. Who may take the name is the registry's business.

use super::hub::Hub;
use super::registry::ClaimId;
use super::ride::Eagerness;
use super::segment::Kind;
use super::writer::{Appended, Arrival, StreamWriter};
use crate::moment::Moment;
use crate::shard::mailbox::Mailbox;
use std::sync::Arc;
use std::time::Duration;

/// A stream as its owner has it.
pub struct Publisher {
    /// The claim by which it is owned.
    pub id: ClaimId,
    /// The stream.
    pub hub: Arc<Hub>,
    writer: Box<StreamWriter>,
    held_until: Option<Moment>,
    /// Frames are missing: pictures go on with the next key frame.
    mends: bool,
}

impl Publisher {
    /// A publisher that begins a generation of the stream.
    pub fn begin(
        id: ClaimId,
        hub: Arc<Hub>,
        mut writer: Box<StreamWriter>,
        eagerness: Eagerness,
        now: Moment,
    ) -> Self {
        writer.begin(eagerness);
        hub.note_media(now);
        Self { id, hub, writer, held_until: None, mends: false }
    }

    /// Appends a message. Readers are told when [`flush`](Self::flush) is called.
    pub fn push(&mut self, arrival: &Arrival<'_>, now: Moment) -> Appended {
        self.adopt();
        self.hub.note_media(now);
        match arrival.kind {
            // No decoder could use it.
            Kind::Video if self.mends => return Appended::Due(now),
            Kind::VideoKey => self.mends = false,
            _ => {}
        }
        self.writer.append(arrival, now, self.hub.is_read())
    }

    /// What was appended has a gap behind it: pictures go on with the next key frame.
    pub fn mend(&mut self) {
        self.mends = true;
    }

    /// When readers are to be told of what they were not told yet.
    pub fn flush_due(&self) -> Option<Moment> {
        self.writer.flush_due()
    }

    /// Marks the stream dirty for all shards that read it; `marked` is told which.
    pub fn flush(&mut self, mailboxes: &[Arc<Mailbox>], marked: impl FnMut(usize)) {
        self.writer.flushed();
        self.hub.mark_readers(mailboxes, marked);
    }

    /// The connection is lost: the stream is held.
    pub fn hold(&mut self, now: Moment, hold: Duration) {
        self.held_until = Some(now + hold);
    }

    /// The same source feeds the stream again: a generation of its own, as if another had come.
    pub fn resume(&mut self, eagerness: Eagerness, now: Moment) {
        self.writer.begin(eagerness);
        self.hub.note_media(now);
        self.held_until = None;
    }

    /// Until when the stream is held, if its connection is lost.
    pub fn held_until(&self) -> Option<Moment> {
        self.held_until
    }

    /// The writing end, for another to go on with: an heir, whose generation follows.
    pub fn into_writer(self) -> Box<StreamWriter> {
        self.writer
    }

    /// Ends the stream for its readers and gives the writing end back. [`Hub::mark_readers`] is
    /// still to be called.
    pub fn end(mut self) -> Box<StreamWriter> {
        self.writer.end();
        self.writer
    }

    fn adopt(&mut self) {
        let unfed = self.hub.take_unfed();
        if !unfed.is_empty() {
            self.writer.adopt(unfed);
        }
    }

    /// The writing end, to be looked at.
    pub fn writer(&self) -> &StreamWriter {
        &self.writer
    }
}
