//! Who wants which streams, on its way from the registry to the supervisor: a board, and a bell beside
//! it that can be waited for together with pipes.

use crate::name::StreamName;
use crate::stream::demand::{Board, Observer, Standing};
use rustix::event::{EventfdFlags, eventfd};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// What the supervisor hears of streams. To be given to the server as an observer when it starts, and to
/// the helpers when they do ([`super::Surroundings`]).
#[derive(Debug)]
pub struct Wishes {
    board: Board,
    bell: OwnedFd,
}

impl Wishes {
    /// An empty board.
    ///
    /// # Errors
    /// If no descriptor is left.
    pub fn new() -> io::Result<Self> {
        let bell = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(Self { board: Board::default(), bell })
    }

    /// Takes what is new.
    pub(super) fn take(&self) -> Vec<(StreamName, Standing)> {
        // Silenced first: who tells in between rings again. Nothing to read means that it was silent.
        let _ = rustix::io::read(&self.bell, &mut [0_u8; 8]);
        self.board.take()
    }

    /// Has the supervisor look, for another reason.
    pub(super) fn ring(&self) {
        // The only failure of a write of one is a counter at its end: then it rings anyway.
        let _ = rustix::io::write(&self.bell, &1_u64.to_ne_bytes());
    }

    /// What to wait for.
    pub(super) fn bell(&self) -> BorrowedFd<'_> {
        self.bell.as_fd()
    }
}

impl Observer for Wishes {
    fn changed(&self, stream: &StreamName, standing: Standing) {
        if self.board.note(stream, standing) {
            self.ring();
        }
    }
}
