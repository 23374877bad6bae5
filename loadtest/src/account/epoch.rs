//! How far the publishers of a stream have come: what players are owed.
//!
//! Each time somebody begins to publish a stream is an epoch of it, numbered from 0. Frames carry
//! the number, so that a player's account knows whose frames it got and how many there were.

use crate::limits::EPOCHS_MAX;
use crate::media::Track;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// One publisher's time.
#[derive(Debug, Default)]
pub struct Epoch {
    /// Its number.
    pub number: u32,
    video: AtomicU32,
    audio: AtomicU32,
    cut: AtomicBool,
}

impl Epoch {
    /// Enters that so many frames of a track were given to the socket.
    pub fn publish(&self, track: Track, frames: u32) {
        self.track(track).store(frames, Ordering::Relaxed);
    }

    /// How many frames of a track were.
    pub fn published(&self, track: Track) -> u32 {
        self.track(track).load(Ordering::Relaxed)
    }

    /// Says that the publisher was cut off: what it sent last may not have arrived.
    pub fn cut(&self) {
        self.cut.store(true, Ordering::Relaxed);
    }

    /// Whether it was.
    pub fn is_cut(&self) -> bool {
        self.cut.load(Ordering::Relaxed)
    }

    fn track(&self, track: Track) -> &AtomicU32 {
        match track {
            Track::Video => &self.video,
            Track::Audio => &self.audio,
        }
    }
}

/// The epochs of one stream.
#[derive(Debug, Default)]
pub struct Epochs {
    /// How many publishers have the stream now: more than one in a duel, if the server lets them.
    live: AtomicU32,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    begun: u32,
    /// The latest, oldest first.
    epochs: Vec<Arc<Epoch>>,
}

impl Epochs {
    /// Somebody begins to publish.
    pub fn begin(&self) -> Arc<Epoch> {
        self.live.fetch_add(1, Ordering::Relaxed);
        let mut known = self.lock();
        let epoch = Arc::new(Epoch { number: known.begun, ..Epoch::default() });
        known.begun += 1;
        if known.epochs.len() == EPOCHS_MAX {
            known.epochs.remove(0);
        }
        known.epochs.push(Arc::clone(&epoch));
        epoch
    }

    /// Somebody publishes no more.
    pub fn end(&self) {
        self.live.fetch_sub(1, Ordering::Relaxed);
    }

    /// Whether anybody publishes.
    pub fn is_live(&self) -> bool {
        self.live.load(Ordering::Relaxed) > 0
    }

    /// An epoch by its number; nothing if it is forgotten, or another program's.
    pub fn find(&self, number: u32) -> Option<Arc<Epoch>> {
        self.lock().epochs.iter().find(|epoch| epoch.number == number).cloned()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Known> {
        // Nothing that can panic happens under this lock.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epochs_are_found_until_they_are_forgotten() {
        let epochs = Epochs::default();
        assert!(!epochs.is_live() && epochs.find(0).is_none());
        let first = epochs.begin();
        first.publish(Track::Video, 5);
        assert_eq!(epochs.find(0).map(|epoch| epoch.published(Track::Video)), Some(5));
        assert!(epochs.is_live());
        epochs.end();
        assert!(!epochs.is_live());
        for _ in 0..EPOCHS_MAX {
            epochs.begin();
        }
        assert!(epochs.find(0).is_none());
        assert_eq!(epochs.find(EPOCHS_MAX as u32).map(|epoch| epoch.number), Some(64));
    }
}
