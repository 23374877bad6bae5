//! Which of a shard's sockets have something to read: an epoll set, on which the runtime waits.
//!
//! A wait of the runtime per socket costs an operation and a task's wake for each frame of each
//! publisher. In the set a socket that receives only enters a list; whoever looks takes the list
//! in one call, and while nobody looks nobody is woken. What is read, and when, is the shard's
//! business.
//!
//! Each arrival is told once (edge-triggered): a set that repeats itself asks every socket again, at the
//! next look, whether it is empty by now. So whoever is told reads until a socket gives less than was
//! asked for, or says with [`Arrivals::leave`] that something is left.

use super::socket::Socket;
use monoio::net::UnixStream;
use rustix::buffer::spare_capacity;
use rustix::event::{Timespec, epoll};
use std::cell::RefCell;
use std::io;
use std::os::fd::OwnedFd;

/// A socket that has something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Under which it is watched.
    pub number: u32,
    /// Its end has come, too: it is to be read until that.
    pub ended: bool,
}

/// The sockets of one shard, each under a number of the shard's choice.
pub struct Arrivals {
    set: OwnedFd,
    /// The same set, for the runtime to wait on. A stream socket in type only: nothing but its
    /// readiness is asked for.
    waiter: UnixStream,
    /// Who was told and not read empty.
    left: RefCell<Vec<Arrival>>,
}

/// Room for what one look finds. A look fills it anew.
pub struct Found {
    /// Kept empty but allocated.
    events: Vec<epoll::Event>,
    arrivals: Vec<Arrival>,
}

impl Found {
    /// Room for so many sockets.
    pub fn with_capacity(sockets: usize) -> Self {
        Self { events: Vec::with_capacity(sockets), arrivals: Vec::with_capacity(sockets) }
    }

    /// How many were found.
    pub fn len(&self) -> usize {
        self.arrivals.len()
    }

    /// Whether none was.
    pub fn is_empty(&self) -> bool {
        self.arrivals.is_empty()
    }

    /// One that was found, if so many were.
    pub fn at(&self, at: usize) -> Option<Arrival> {
        self.arrivals.get(at).copied()
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
        Ok(Self { set, waiter: UnixStream::from_std(stream)?, left: RefCell::default() })
    }

    /// Takes a socket in. It is found when something has come, or its end; at once, if it has.
    ///
    /// # Errors
    /// If the kernel has no memory for it, or the user has as many watches as it may.
    pub fn watch(&self, socket: &Socket, number: u32) -> io::Result<()> {
        let data = epoll::EventData::new_u64(number.into());
        use epoll::EventFlags;
        let flags = EventFlags::IN | EventFlags::RDHUP | EventFlags::ET;
        Ok(epoll::add(&self.set, socket.fd(), data, flags)?)
    }

    /// Lets a socket go. One that is shut down but still open would be found for ever.
    pub fn forget(&self, socket: &Socket) {
        // It fails if the socket was never watched, which is as good.
        let _ = epoll::delete(&self.set, socket.fd());
    }

    /// Somebody who was found has more than was read.
    pub fn leave(&self, arrival: Arrival) {
        self.left.borrow_mut().push(arrival);
    }

    /// Waits until there is something to be found.
    pub async fn any(&self) {
        if self.left.borrow().is_empty() {
            // A failing poll of our own descriptor cannot be repaired here; the caller looks anyway.
            let _ = self.waiter.readable(false).await;
        }
    }

    /// Looks, without waiting. Those who are left come first.
    pub fn look(&self, found: &mut Found) {
        let Found { events, arrivals } = found;
        arrivals.clear();
        arrivals.append(&mut self.left.borrow_mut());
        let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
        // A look that fails finds nothing.
        let _ = epoll::wait(&self.set, spare_capacity(events), Some(&at_once));
        arrivals.extend(events.drain(..).map(|event| {
            use epoll::EventFlags;
            let ends = EventFlags::RDHUP | EventFlags::HUP | EventFlags::ERR;
            // Copied: the event is packed.
            let (data, flags) = (event.data, event.flags);
            // Numbers went in as 32 bits.
            Arrival { number: data.u64() as u32, ended: flags.intersects(ends) }
        }));
    }
}
