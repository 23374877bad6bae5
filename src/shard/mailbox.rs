//! How one shard tells another that there is something to do, without a lock and with one wake at
//! most.
//!
//! ```text
//!   writer's shard                      reader's shard
//!   append to the log                   asleep = true
//!   set the stream's dirty bit          ---- fence ----
//!   ---- fence ----                     any bit set, anything in the inbox? then stay awake
//!   asleep? then ring the bell          else wait for the bell
//! ```
//! The two fences are sequentially consistent, so at least one side sees the other's write: no wake
//! is lost. The bell rings only for a shard that has said that it sleeps. What the bell is (an
//! eventfd, or the model checker's notify) is the caller's.

use crate::weak::{Spot, ordering};
#[cfg(millstream_loom)]
use loom::sync::atomic::{AtomicBool, AtomicU64, Ordering, fence};
#[cfg(not(millstream_loom))]
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering, fence};

/// The most streams that one shard may have readers of.
pub const DIRTY_SLOTS: usize = if cfg!(millstream_loom) { 2 } else { 64 * 64 * 4 };

const WORDS: usize = DIRTY_SLOTS.div_ceil(64);
const SUMMARIES: usize = WORDS.div_ceil(64);

/// One bit per stream that the shard reads, with a summary so that looking for set bits is quick.
pub struct Mailbox {
    words: Box<[AtomicU64]>,
    summaries: Box<[AtomicU64]>,
    asleep: AtomicBool,
}

impl Default for Mailbox {
    fn default() -> Self {
        Self {
            words: (0..WORDS).map(|_| AtomicU64::new(0)).collect(),
            summaries: (0..SUMMARIES).map(|_| AtomicU64::new(0)).collect(),
            asleep: AtomicBool::new(false),
        }
    }
}

impl Mailbox {
    /// Sets the dirty bit of a slot. [`should_ring`](Self::should_ring) follows, once per batch.
    pub fn mark(&self, slot: usize) {
        let (word, bit) = (slot / 64, 1 << (slot % 64));
        // Somebody's bit that is still set covers this message too: the reader clears it before it
        // looks at the log. Release, so that whoever clears it sees what was appended.
        self.words[word].fetch_or(bit, ordering(Spot::Mark, Ordering::Release));
        self.summaries[word / 64].fetch_or(1 << (word % 64), Ordering::Release);
    }

    /// Whether the caller must ring the shard's bell: true at most once per sleep.
    pub fn should_ring(&self) -> bool {
        fence(ordering(Spot::Ring, Ordering::SeqCst));
        self.asleep.load(Ordering::Relaxed) && self.asleep.swap(false, Ordering::AcqRel)
    }

    /// Says that the shard will wait for its bell. Returns false if it must not: there is a dirty
    /// bit, or `pending` (asked after the announcement) says that something else is to do.
    pub fn fall_asleep(&self, pending: impl FnOnce() -> bool) -> bool {
        // Every change of the flag is a read-modify-write: the model checker knows an order between
        // plain stores of several threads only where one happens before the other, and would show
        // this thread's announcement undone by a ring for its sleep before.
        self.asleep.swap(true, Ordering::AcqRel);
        fence(ordering(Spot::Sleep, Ordering::SeqCst));
        let dirty = self.summaries.iter().any(|summary| summary.load(Ordering::Relaxed) != 0);
        if dirty || pending() {
            self.wake_up();
            return false;
        }
        true
    }

    /// Says that the shard is awake, however it woke.
    pub fn wake_up(&self) {
        self.asleep.swap(false, Ordering::AcqRel);
    }

    /// Clears the dirty bits and hands each to `each`.
    pub fn drain(&self, mut each: impl FnMut(usize)) {
        for (index, summary) in self.summaries.iter().enumerate() {
            if summary.load(Ordering::Relaxed) == 0 {
                continue;
            }
            for_bits(summary.swap(0, Ordering::AcqRel), |low| {
                let word = index * 64 + low;
                for_bits(self.words[word].swap(0, Ordering::AcqRel), |bit| each(word * 64 + bit));
            });
        }
    }
}

fn for_bits(mut bits: u64, mut each: impl FnMut(usize)) {
    while bits != 0 {
        each(bits.trailing_zeros() as usize);
        bits &= bits - 1;
    }
}

#[cfg(all(test, not(millstream_loom)))]
mod tests {
    use super::*;

    #[test]
    fn marks_are_drained_once_each() {
        let mailbox = Mailbox::default();
        for slot in [0, 63, 64, 4095, DIRTY_SLOTS - 1, 64] {
            mailbox.mark(slot);
        }
        let mut seen = Vec::new();
        mailbox.drain(|slot| seen.push(slot));
        assert_eq!(seen, [0, 63, 64, 4095, DIRTY_SLOTS - 1]);
        mailbox.drain(|_| panic!("nothing is left"));
    }

    #[test]
    fn the_bell_is_for_sleepers_and_rings_once() {
        let mailbox = Mailbox::default();
        assert!(!mailbox.should_ring());
        assert!(mailbox.fall_asleep(|| false));
        mailbox.mark(1);
        assert!(mailbox.should_ring());
        assert!(!mailbox.should_ring());
        assert!(!mailbox.fall_asleep(|| false), "a dirty bit keeps the shard awake");
        mailbox.drain(|_| ());
        assert!(!mailbox.fall_asleep(|| true));
    }
}
