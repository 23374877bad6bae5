//! Who wants which streams, on its way from the shards to the supervisor: the newest word on each
//! stream, kept until the supervisor looks. Telling costs a lock and, once per look, a system call.

use crate::name::StreamName;
use rustix::event::{EventfdFlags, eventfd};
use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How a stream stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Whether anybody reads it, on any shard; those count who wait for a publisher.
    pub wanted: bool,
    /// Whether it is fed.
    pub feed: Feed,
}

/// Whether a stream is fed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Feed {
    /// Nobody publishes it.
    #[default]
    None,
    /// Its publisher is lost, and it is held for a while.
    Held,
    /// Somebody publishes it.
    Live,
}

/// The board on which standings are written.
#[derive(Debug)]
pub struct Wishes {
    fresh: Mutex<HashMap<StreamName, Standing>>,
    bell: OwnedFd,
}

impl Wishes {
    /// An empty board.
    ///
    /// # Errors
    /// If no descriptor is left.
    pub fn new() -> io::Result<Self> {
        let bell = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(Self { fresh: Mutex::default(), bell })
    }

    /// A stream stands so now. From any thread; never waits for the supervisor.
    pub fn tell(&self, stream: &StreamName, standing: Standing) {
        let mut fresh = self.lock();
        let first = fresh.is_empty();
        fresh.insert(stream.clone(), standing);
        drop(fresh);
        if first {
            self.ring();
        }
    }

    /// Takes what is new.
    pub fn take(&self) -> Vec<(StreamName, Standing)> {
        // Silenced first: who tells in between rings again.
        let _ = rustix::io::read(&self.bell, &mut [0_u8; 8]);
        std::mem::take(&mut *self.lock()).into_iter().collect()
    }

    /// Has the supervisor look, for another reason.
    pub fn ring(&self) {
        // The only failure of a write of one is a counter at its end: then it rings anyway.
        let _ = rustix::io::write(&self.bell, &1_u64.to_ne_bytes());
    }

    /// What to wait for.
    pub fn bell(&self) -> BorrowedFd<'_> {
        self.bell.as_fd()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<StreamName, Standing>> {
        self.fresh.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
