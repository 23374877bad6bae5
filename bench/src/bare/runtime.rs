//! The loop of the [`Sender`] once more, on the runtime that the server's shards run on: a task for
//! each connection waits through io_uring, for readiness or with a buffer of its own held ready. For
//! the trials of that; what is done with what was read stands in `sender`.
//!
//! Accepting and the wait for room in full sockets stay with epoll, whose descriptor is waited on as
//! one more: neither is what the trials look at.

use super::sender::{EVENTS, LISTENER, LOOK, Sender};
use super::totals::Totals;
use super::{Setup, Waits};
use io_uring::IoUring;
use monoio::io::AsyncReadRent as _;
use monoio::net::{TcpStream, UnixStream};
use rustix::event::{Timespec, epoll};
use std::cell::{Cell, RefCell};
use std::io;
use std::os::fd::OwnedFd;
use std::pin::pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

/// What a connection holds to be read into, where it does.
const HELD_BYTES: usize = 16 * 1024;
/// Entries of the ring, as many as the server's.
const ENTRIES: u32 = 4096;

/// What the tasks share.
struct Shared {
    sender: RefCell<Sender>,
    /// Whether connections hold buffers.
    held: bool,
    /// The flush is to look when it is due.
    called: Cell<bool>,
    flush: RefCell<Option<Waker>>,
    failed: RefCell<Option<io::Error>>,
}

/// Runs a sender until it is told to stop, or for so long.
///
/// # Errors
/// If the kernel has no io_uring or refuses the flags, or the system fails.
pub fn run(sender: Sender, stop: &AtomicBool, lasts: Duration) -> io::Result<Totals> {
    let (held, setup) = match sender.options.waits {
        Waits::Held(setup) => (true, setup),
        Waits::Ready(setup) => (false, setup),
        // It would not have come here.
        Waits::Epoll => (false, Setup::Coop),
    };
    let mut runtime = monoio::RuntimeBuilder::<monoio::IoUringDriver>::new()
        .with_entries(ENTRIES)
        .uring_builder(flags(setup))
        .enable_timer()
        .build()?;
    let shared = Rc::new(Shared {
        sender: RefCell::new(sender),
        held,
        called: Cell::new(false),
        flush: RefCell::new(None),
        failed: RefCell::new(None),
    });
    runtime.block_on(shared.serve(stop, lasts))
}

/// The ring's flags (io_uring_setup(2)).
fn flags(setup: Setup) -> io_uring::Builder {
    let mut builder = IoUring::builder();
    match setup {
        Setup::Plain => {}
        Setup::Coop => {
            builder.setup_coop_taskrun();
        }
        Setup::CoopFlag => {
            builder.setup_coop_taskrun().setup_taskrun_flag();
        }
        Setup::SingleIssuer => {
            builder.setup_coop_taskrun().setup_single_issuer();
        }
        Setup::Defer => {
            builder.setup_coop_taskrun().setup_single_issuer().setup_defer_taskrun();
        }
    }
    builder
}

impl Shared {
    /// Serves who is due, until the end.
    async fn serve(self: Rc<Self>, stop: &AtomicBool, lasts: Duration) -> io::Result<Totals> {
        let began = Instant::now();
        let poller: OwnedFd = self.sender.borrow().fanout.epoll.try_clone()?;
        // A stream socket in type only: nothing but its readiness is asked for.
        let poller = UnixStream::from_std(std::os::unix::net::UnixStream::from(poller))?;
        drop(monoio::spawn(Rc::clone(&self).poll(poller)));
        loop {
            let due = {
                let fanout = &mut self.sender.borrow_mut().fanout;
                fanout.flush(Instant::now());
                fanout.next_due()
            };
            let now = Instant::now();
            if stop.load(Ordering::Relaxed) || now - began >= lasts {
                return Ok(self.sender.borrow().fanout.totals.with_cpu());
            }
            if let Some(error) = self.failed.borrow_mut().take() {
                return Err(error);
            }
            let look = now + LOOK;
            self.called_or(due.map_or(look, |due| due.min(look))).await;
        }
    }

    /// Waits until the flush is called, or a time has come.
    async fn called_or(&self, until: Instant) {
        let mut sleep = pin!(monoio::time::sleep_until(until.into()));
        std::future::poll_fn(|context| {
            if self.called.replace(false) {
                return Poll::Ready(());
            }
            *self.flush.borrow_mut() = Some(context.waker().clone());
            sleep.as_mut().poll(context)
        })
        .await;
    }

    /// Calls the flush if there is something for it.
    fn call(&self) {
        let something = self.sender.borrow_mut().fanout.next_due().is_some();
        if (something || self.failed.borrow().is_some())
            && !self.called.replace(true)
            && let Some(waker) = self.flush.borrow_mut().take()
        {
            waker.wake();
        }
    }

    /// Takes in what epoll tells: new connections, and sockets that have room again.
    async fn poll(self: Rc<Self>, poller: UnixStream) {
        let mut events = Vec::with_capacity(EVENTS);
        while poller.readable(false).await.is_ok() {
            events.clear();
            let told = {
                let room = rustix::buffer::spare_capacity(&mut events);
                let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
                epoll::wait(&self.sender.borrow().fanout.epoll, room, Some(&at_once))
            };
            let mut done = told.map(drop).map_err(io::Error::from);
            for event in &events {
                done = done.and_then(|()| self.told(event.data.u64(), event.flags));
            }
            if let Err(error) = done {
                *self.failed.borrow_mut() = Some(error);
            }
            self.call();
        }
    }

    fn told(self: &Rc<Self>, of: u64, flags: epoll::EventFlags) -> io::Result<()> {
        if of != LISTENER {
            return self.sender.borrow_mut().turn(of as usize, flags, Instant::now());
        }
        let accepted = self.sender.borrow_mut().accept()?;
        for (at, number) in accepted {
            let Some(socket) = self.sender.borrow().duplicate(at, number) else { continue };
            let stream = TcpStream::from_std(socket?.into())?;
            if self.held {
                drop(monoio::spawn(Rc::clone(self).read_held(stream, at, number)));
            } else {
                drop(monoio::spawn(Rc::clone(self).read_ready(stream, at, number)));
            }
        }
        Ok(())
    }

    /// Reads a connection into the buffer of all, when there is something to read.
    async fn read_ready(self: Rc<Self>, stream: TcpStream, at: usize, number: u64) {
        while stream.readable(false).await.is_ok() && self.sender.borrow().has(at, number) {
            let turned = self.sender.borrow_mut().turn(at, epoll::EventFlags::IN, Instant::now());
            self.read(turned);
        }
    }

    /// Reads a connection into a buffer of its own, which the kernel holds meanwhile.
    async fn read_held(self: Rc<Self>, mut stream: TcpStream, at: usize, number: u64) {
        let mut buffer = vec![0; HELD_BYTES];
        while self.sender.borrow().has(at, number) {
            let (result, back) = stream.read(buffer).await;
            buffer = back;
            let input = &buffer[..result.unwrap_or(0)];
            let mut sender = self.sender.borrow_mut();
            if !sender.has(at, number) {
                break;
            }
            let heard = sender.heard(at, input, Instant::now());
            drop(sender);
            self.read(heard);
        }
    }

    fn read(&self, result: io::Result<()>) {
        if let Err(error) = result {
            *self.failed.borrow_mut() = Some(error);
        }
        self.call();
    }
}
