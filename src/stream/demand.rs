//! Who wants which stream, for those who fetch or make streams when somebody does: told to observers
//! when it changes, without polling and not on the way of media.
//!
//! ```text
//!   registry --changed(stream, standing)--> observer: Board --take / wait--> a thread of its own
//! ```
//! The registry tells under its lock, so an observer neither waits nor calls back. A [`Board`] keeps
//! what changed until somebody looks: the newest standing of each stream, once. So a late look is
//! harmless, and what came and went in between is not told at all.

use super::registry::ClaimId;
use crate::name::StreamName;
use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How a stream stands with those who read and those who feed it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Whether anybody reads it, on any shard; those count who wait for a publisher.
    pub wanted: bool,
    /// Whether it is fed.
    pub feed: Feed,
    /// By whose claim. Claims have numbers that are not used again, so a stream that ended and began
    /// anew between two looks shows by another one.
    pub owner: Option<ClaimId>,
}

/// Whether a stream is fed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Feed {
    /// Nobody publishes it: it has ended, or never began.
    #[default]
    None,
    /// Its publisher is lost, and it is held for its return.
    Held,
    /// A slate fills the gap that its publishers leave.
    Filled,
    /// Somebody publishes it.
    Live,
}

/// Whoever is told.
pub trait Observer: Send + Sync {
    /// A stream stands otherwise than before. Called under the registry's lock: it must not wait, and
    /// not ask the registry anything.
    fn changed(&self, stream: &StreamName, standing: Standing);
}

/// Keeps what changed for one thread that looks now and then.
#[derive(Debug, Default)]
pub struct Board {
    notes: Mutex<Notes>,
    news: Condvar,
}

#[derive(Debug, Default)]
struct Notes {
    /// What was told of streams that are not idle. The registry bounds their number.
    told: HashMap<StreamName, Standing>,
    /// What is to be told. No more than there were streams at the last look and are now: who falls
    /// back to what was told leaves it.
    fresh: HashMap<StreamName, Standing>,
    poked: bool,
}

impl Board {
    /// A board on which nothing stands.
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Notes how a stream stands. Returns whether this is the first news since the last look.
    pub fn note(&self, stream: &StreamName, standing: Standing) -> bool {
        let mut notes = self.lock();
        let was_empty = notes.fresh.is_empty();
        if notes.told.get(stream).copied().unwrap_or_default() == standing {
            notes.fresh.remove(stream);
        } else {
            notes.fresh.insert(stream.clone(), standing);
        }
        let first = was_empty && !notes.fresh.is_empty();
        drop(notes);
        if first {
            self.news.notify_all();
        }
        first
    }

    /// Takes the news, without waiting: each stream that stands otherwise than at the last look.
    pub fn take(&self) -> Vec<(StreamName, Standing)> {
        self.lock().take()
    }

    /// Waits for news, so long at most, or until [`poke`](Self::poke) is called.
    pub fn wait(&self, at_most: Duration) -> Vec<(StreamName, Standing)> {
        let quiet = |notes: &mut Notes| notes.fresh.is_empty() && !notes.poked;
        let waited = self.news.wait_timeout_while(self.lock(), at_most, quiet);
        let (mut notes, _) = waited.unwrap_or_else(PoisonError::into_inner);
        notes.take()
    }

    /// Ends a wait, this one or the next: there is something else to do.
    pub fn poke(&self) {
        self.lock().poked = true;
        self.news.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Board {
    fn changed(&self, stream: &StreamName, standing: Standing) {
        self.note(stream, standing);
    }
}

impl Notes {
    fn take(&mut self) -> Vec<(StreamName, Standing)> {
        self.poked = false;
        let news: Vec<_> = std::mem::take(&mut self.fresh).into_iter().collect();
        for (stream, standing) in &news {
            if *standing == Standing::default() {
                self.told.remove(stream);
            } else {
                self.told.insert(stream.clone(), *standing);
            }
        }
        news
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(name: &str) -> StreamName {
        StreamName::new("live", name).unwrap()
    }

    const WANTED: Standing = Standing { wanted: true, feed: Feed::None, owner: None };

    #[test]
    fn the_newest_standing_is_told_once() {
        let board = Board::default();
        assert!(board.note(&stream("a"), WANTED));
        assert!(!board.note(&stream("b"), WANTED), "the first news was not looked at yet");
        let live = Standing { feed: Feed::Live, ..WANTED };
        board.note(&stream("a"), live);
        let mut news = board.take();
        news.sort_by(|one, other| one.0.cmp(&other.0));
        assert_eq!(news, [(stream("a"), live), (stream("b"), WANTED)]);
        assert_eq!(board.take(), []);
        assert!(board.note(&stream("a"), Standing::default()));
        assert_eq!(board.take(), [(stream("a"), Standing::default())]);
        assert!(board.lock().told.len() == 1, "idle streams are forgotten");
    }

    #[test]
    fn what_came_and_went_is_not_told() {
        let board = Board::default();
        board.note(&stream("a"), WANTED);
        board.note(&stream("a"), Standing::default());
        assert_eq!(board.take(), []);
        assert!(board.note(&stream("b"), WANTED), "it is the first news again");
    }

    #[test]
    fn who_waits_is_woken_by_news_and_by_a_poke() {
        let board = Board::new();
        let forever = Duration::from_secs(60);
        let other = Arc::clone(&board);
        let waiter = std::thread::spawn(move || other.wait(forever));
        board.note(&stream("a"), WANTED);
        assert_eq!(waiter.join().unwrap(), [(stream("a"), WANTED)]);
        board.poke();
        assert_eq!(board.wait(forever), []);
        assert_eq!(board.wait(Duration::ZERO), []);
    }
}
