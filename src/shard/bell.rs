//! A bell between threads: an eventfd. Ringing costs a system call; who rings is decided elsewhere,
//! and only for a shard that has said that it sleeps.

use rustix::event::{EventfdFlags, eventfd};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// The bell.
#[derive(Debug)]
pub struct Bell {
    fd: OwnedFd,
}

impl Bell {
    /// A silent bell.
    ///
    /// # Errors
    /// If no descriptor is left.
    pub fn new() -> io::Result<Self> {
        Ok(Self { fd: eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)? })
    }

    /// Rings. A bell that rings already rings on.
    pub fn ring(&self) {
        // The only failure of a write of one is a counter at its end: then it rings anyway.
        let _ = rustix::io::write(&self.fd, &1_u64.to_ne_bytes());
    }

    /// Silences it.
    pub fn silence(&self) {
        // Nothing to read means that it was silent.
        let _ = rustix::io::read(&self.fd, &mut [0_u8; 8]);
    }

    /// Another descriptor of the same bell, for a runtime to wait on.
    ///
    /// # Errors
    /// If no descriptor is left.
    pub fn duplicate(&self) -> io::Result<OwnedFd> {
        self.fd.try_clone()
    }
}

impl AsFd for Bell {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
