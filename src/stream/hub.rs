//! What the shards share of one stream: its logs, who reads it, and its writing end while nobody
//! publishes.
//!
//! The mutex is for control only (a reader's first arrival on a shard, a change of publisher, a new
//! projection). Media passes through the logs and the dirty bits, without it.

use super::log::{Log, LogWriter, Retention};
use super::projection::{MakeFraming, Projection};
use super::writer::StreamWriter;
use crate::moment::Moment;
use crate::name::StreamName;
use crate::planted::{self, Bug};
use crate::shard::mailbox::Mailbox;
use crate::stats::StreamStats;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering, fence};
use std::sync::{Arc, Mutex, MutexGuard};

/// One stream, as all shards know it.
pub struct Hub {
    /// Its name: application and stream.
    pub name: StreamName,
    /// Its counters.
    pub stats: Arc<StreamStats>,
    make_framing: MakeFraming,
    retention: Retention,
    shelf: Mutex<Shelf>,
    /// Set when the shelf holds writers of projections that the owner has not taken yet.
    wanted: AtomicBool,
    /// For each shard, the slot of its dirty bit plus one; 0 where nobody reads.
    subscribers: Box<[AtomicU32]>,
    last_media: AtomicU64,
}

#[derive(Default)]
struct Shelf {
    logs: Vec<(Projection, Arc<Log>)>,
    /// Writers of logs that were asked for and that no owner feeds yet.
    unfed: Vec<(Projection, LogWriter)>,
    /// The stream's writing end while no shard owns it.
    writer: Option<Box<StreamWriter>>,
}

impl Hub {
    /// A stream that nobody publishes yet.
    pub fn new(
        name: StreamName,
        stats: Arc<StreamStats>,
        shards: usize,
        make_framing: &MakeFraming,
        retention: Retention,
    ) -> Arc<Self> {
        let main = LogWriter::new(make_framing(Projection::WHOLE), retention);
        let shelf = Shelf {
            logs: vec![(Projection::WHOLE, Arc::clone(main.log()))],
            unfed: Vec::new(),
            writer: Some(Box::new(StreamWriter::new(main))),
        };
        Arc::new(Self {
            name,
            stats,
            make_framing: Arc::clone(make_framing),
            retention,
            shelf: Mutex::new(shelf),
            wanted: AtomicBool::new(false),
            subscribers: (0..shards).map(|_| AtomicU32::new(0)).collect(),
            last_media: AtomicU64::new(0),
        })
    }

    /// The log of a projection; made, to be fed by the owner, if nobody asked for it before.
    pub fn log(&self, projection: Projection) -> Arc<Log> {
        let mut shelf = self.shelf();
        if let Some((_, log)) = shelf.logs.iter().find(|(held, _)| *held == projection) {
            return Arc::clone(log);
        }
        let writer = LogWriter::new((self.make_framing)(projection), self.retention);
        let log = Arc::clone(writer.log());
        shelf.logs.push((projection, Arc::clone(&log)));
        match &mut shelf.writer {
            // Nobody owns the stream: what it was is all that there is to know of it.
            Some(stream) => stream.adopt(vec![(projection, writer)]),
            None => {
                shelf.unfed.push((projection, writer));
                self.wanted.store(true, Ordering::Release);
            }
        }
        log
    }

    /// Tells the owner to mark `slot` of `shard` from now on.
    pub fn subscribe(&self, shard: usize, slot: u32) {
        self.subscribers[shard].store(slot + 1, Ordering::Relaxed);
        // Pairs with the fence in `mark_readers`: either the owner sees the slot, or the shard,
        // which refreshes its view after this, sees what the owner appended.
        fence(Ordering::SeqCst);
    }

    /// Ends what [`subscribe`](Self::subscribe) began.
    pub fn unsubscribe(&self, shard: usize) {
        self.subscribers[shard].store(0, Ordering::Relaxed);
    }

    /// Whether anybody reads on any shard.
    pub fn is_read(&self) -> bool {
        self.subscribers.iter().any(|slot| slot.load(Ordering::Relaxed) != 0)
    }

    /// Marks the stream dirty on every shard that reads it; `marked` is told which.
    pub fn mark_readers(&self, mailboxes: &[Arc<Mailbox>], mut marked: impl FnMut(usize)) {
        fence(Ordering::SeqCst);
        for (shard, slot) in self.subscribers.iter().enumerate() {
            let slot = slot.load(Ordering::Relaxed);
            if slot != 0 {
                mailboxes[shard].mark(slot as usize - 1);
                if !planted::is(Bug::LoseWake) {
                    marked(shard);
                }
            }
        }
    }

    /// When the last media message came.
    pub fn last_media(&self) -> Moment {
        Moment(self.last_media.load(Ordering::Relaxed))
    }

    /// Notes that media came.
    pub fn note_media(&self, now: Moment) {
        self.last_media.store(now.0, Ordering::Relaxed);
    }

    /// Writers of projections that were asked for since the owner last looked.
    pub fn take_unfed(&self) -> Vec<(Projection, LogWriter)> {
        if !self.wanted.load(Ordering::Acquire) {
            return Vec::new();
        }
        let mut shelf = self.shelf();
        self.wanted.store(false, Ordering::Relaxed);
        std::mem::take(&mut shelf.unfed)
    }

    /// Takes the writing end, if no shard has it: the taker is the owner now.
    pub fn take_writer(&self) -> Option<Box<StreamWriter>> {
        self.shelf().writer.take()
    }

    /// Gives the writing end back. Logs that were asked for are fed before: their readers must learn
    /// of an end, too.
    pub fn put_writer(&self, mut writer: Box<StreamWriter>) {
        let mut shelf = self.shelf();
        self.wanted.store(false, Ordering::Relaxed);
        writer.adopt(std::mem::take(&mut shelf.unfed));
        let before = shelf.writer.replace(writer);
        debug_assert!(before.is_none(), "a stream has one writing end");
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().expect("no code panics while it holds this lock")
    }
}
