//! Which of a shard's sockets have something to read: one epoll set, on which the runtime waits.
//!
//! A wait of the runtime per socket costs an operation and a task's wake for each frame of each
//! publisher. In the set a socket that receives only enters a list; whoever looks takes the list
//! in one call, and while nobody looks nobody is woken. What is read, and when, is the shard's
//! business.

use super::socket::Socket;
use monoio::net::UnixStream;
use rustix::buffer::spare_capacity;
use rustix::event::{Timespec, epoll};
use std::io;
use std::os::fd::OwnedFd;

/// The sockets of one shard, each under a number of the shard's choice.
pub struct Arrivals {
    set: OwnedFd,
    /// The same set, for the runtime to wait on. A stream socket in type only: nothing but its
    /// readiness is asked for.
    waiter: UnixStream,
}

/// Room for what one look finds. A look fills it anew.
pub struct Found(Vec<epoll::Event>);

impl Found {
    /// Room for so many sockets.
    pub fn with_capacity(sockets: usize) -> Self {
        Self(Vec::with_capacity(sockets))
    }

    /// How many were found.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether none was.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The number of one that was found, if so many were.
    pub fn number(&self, at: usize) -> Option<u32> {
        // Numbers went in as 32 bits.
        self.0.get(at).map(|event| event.data.u64() as u32)
    }
}

impl Arrivals {
    /// An empty set.
    ///
    /// # Errors
    /// If no descriptor is left.
    pub fn new() -> io::Result<Self> {
        let set = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let stream = std::os::unix::net::UnixStream::from(set.try_clone()?);
        Ok(Self { set, waiter: UnixStream::from_std(stream)? })
    }

    /// Takes a socket in. It is found again and again while it has something to read, or its end.
    ///
    /// # Errors
    /// If the kernel has no memory for it, or the user has as many watches as it may.
    pub fn watch(&self, socket: &Socket, number: u32) -> io::Result<()> {
        let data = epoll::EventData::new_u64(number.into());
        Ok(epoll::add(&self.set, socket.fd(), data, epoll::EventFlags::IN)?)
    }

    /// Lets a socket go. One that is shut down but still open would be found for ever.
    pub fn forget(&self, socket: &Socket) {
        // It fails if the socket was never watched, which is as good.
        let _ = epoll::delete(&self.set, socket.fd());
    }

    /// Waits until there is something to be found.
    pub async fn any(&self) {
        // A failing poll of our own descriptor cannot be repaired here; the caller looks anyway.
        let _ = self.waiter.readable(false).await;
    }

    /// Looks, without waiting. Sockets come in turns: one that was found stands behind the others.
    pub fn look(&self, found: &mut Found) {
        found.0.clear();
        let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
        // A look that fails finds nothing.
        let _ = epoll::wait(&self.set, spare_capacity(&mut found.0), Some(&at_once));
    }
}
