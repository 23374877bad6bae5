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
use crate::shard::runtime::{Notify, Readiness};
use rustix::buffer::spare_capacity;
use rustix::event::{Timespec, epoll};
use std::cell::RefCell;
use std::collections::BTreeMap;
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
    /// The same set, for the runtime to wait on.
    waiter: Readiness,
    /// Who was told and not read empty, by number, and whether his end has come.
    left: RefCell<BTreeMap<u32, bool>>,
    /// Somebody was left.
    leaving: Notify,
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
        let waiter = Readiness::of(set.try_clone()?)?;
        Ok(Self { set, waiter, left: RefCell::default(), leaving: Notify::default() })
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

    /// Lets a socket go.
    pub fn forget(&self, socket: &Socket) {
        // It fails if the socket was never watched, which is as good.
        let _ = epoll::delete(&self.set, socket.fd());
    }

    /// Somebody who was found has more than was read.
    pub fn leave(&self, arrival: Arrival) {
        *self.left.borrow_mut().entry(arrival.number).or_default() |= arrival.ended;
        // Whoever waits in `any` may have been told of him already, and has nothing else to wake by.
        self.leaving.notify();
    }

    /// Whether somebody was left.
    pub fn has_left(&self) -> bool {
        !self.left.borrow().is_empty()
    }

    /// Waits until there is something to be found.
    pub async fn any(&self) {
        self.waiter.ready_or(&self.leaving).await;
    }

    /// Looks, without waiting. Nobody is found twice; those who are left come first.
    pub fn look(&self, found: &mut Found) {
        let Found { events, arrivals } = found;
        arrivals.clear();
        let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
        // A look that fails finds nothing.
        let _ = epoll::wait(&self.set, spare_capacity(events), Some(&at_once));
        let mut left = self.left.take();
        self.leaving.clear();
        for event in events.drain(..) {
            use epoll::EventFlags;
            let ends = EventFlags::RDHUP | EventFlags::HUP | EventFlags::ERR;
            // Copied: the event is packed.
            let (data, flags) = (event.data, event.flags);
            // Numbers went in as 32 bits.
            let (number, ended) = (data.u64() as u32, flags.intersects(ends));
            match left.get_mut(&number) {
                Some(old) => *old |= ended,
                None => arrivals.push(Arrival { number, ended }),
            }
        }
        let left = left.into_iter().map(|(number, ended)| Arrival { number, ended });
        arrivals.splice(..0, left);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shard::runtime;
    use std::io::Write;
    use std::net::{TcpListener, TcpStream};
    use std::time::Duration;

    /// Our sockets, whose other ends are the second ones, watched under the numbers from 0.
    fn pairs(count: usize) -> (Arrivals, Vec<(Socket, TcpStream)>) {
        let arrivals = Arrivals::new().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let pairs = (0..count).map(|at| {
            let other = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let ours = monoio::net::TcpStream::from_std(listener.accept().unwrap().0).unwrap();
            let ours = Socket::new(ours, Duration::ZERO).unwrap();
            arrivals.watch(&ours, at as u32).unwrap();
            (ours, other)
        });
        let pairs = pairs.collect();
        (arrivals, pairs)
    }

    fn look(arrivals: &Arrivals) -> Vec<(u32, bool)> {
        let mut found = Found::with_capacity(16);
        arrivals.look(&mut found);
        (0..found.len()).filter_map(|at| found.at(at)).map(|a| (a.number, a.ended)).collect()
    }

    #[test]
    fn each_arrival_is_told_once_and_whoever_is_left_again() {
        runtime::run(async {
            let (arrivals, mut pairs) = pairs(3);
            assert_eq!(look(&arrivals), []);
            pairs[1].1.write_all(b"some").unwrap();
            arrivals.any().await;
            assert_eq!(look(&arrivals), [(1, false)]);
            assert_eq!(look(&arrivals), [], "it is told once");
            arrivals.leave(Arrival { number: 1, ended: false });
            arrivals.leave(Arrival { number: 1, ended: false });
            pairs[0].1.write_all(b"more").unwrap();
            pairs[1].1.write_all(b"more").unwrap();
            arrivals.any().await;
            assert_eq!(look(&arrivals), [(1, false), (0, false)], "nobody is found twice");
            assert!(!arrivals.has_left());
        })
        .unwrap();
    }

    #[test]
    fn an_end_is_told_with_what_came_before_it() {
        runtime::run(async {
            let (arrivals, mut pairs) = pairs(2);
            pairs[0].1.write_all(b"last words").unwrap();
            pairs.iter().for_each(|(_, other)| other.shutdown(std::net::Shutdown::Write).unwrap());
            arrivals.any().await;
            assert_eq!(look(&arrivals), [(0, true), (1, true)]);
            arrivals.leave(Arrival { number: 0, ended: true });
            assert_eq!(look(&arrivals), [(0, true)]);
        })
        .unwrap();
    }

    #[test]
    fn who_is_left_wakes_who_waits() {
        runtime::run(async {
            let (arrivals, _pairs) = pairs(1);
            let arrivals = std::rc::Rc::new(arrivals);
            let other = std::rc::Rc::clone(&arrivals);
            runtime::spawn(
                async move {
                    runtime::sleep(Duration::from_millis(20)).await;
                    other.leave(Arrival { number: 0, ended: false });
                },
                || {},
            );
            arrivals.any().await;
            assert_eq!(look(&arrivals), [(0, false)]);
        })
        .unwrap();
    }
}
