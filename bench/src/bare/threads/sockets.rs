//! The socket thread: reads and writes, and knows nothing of what.

use super::{Bell, Number, ThreadedSender, ToProtocol, ToSockets, WAITING_MAX};
use crate::bare::log::KEPT_MAX;
use crate::bare::sender::{EVENTS, LISTENER, LOOK, READ_BYTES};
use crate::bare::totals::Totals;
use bytes::{Buf as _, Bytes};
use crossbeam_channel::{Receiver, Sender};
use rustix::event::{Timespec, epoll};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendAncillaryBuffer, SendFlags, SocketFlags};
use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// What epoll reports for the bell.
const BELL: u64 = LISTENER - 1;
/// Messages that one send takes at most.
const SLICES: usize = 64;

struct Peer {
    socket: OwnedFd,
    queue: VecDeque<Bytes>,
    queued: u64,
    /// The socket was full: epoll tells when there is room.
    parked: bool,
    /// It stands in the list of those to be served.
    listed: bool,
}

/// The sockets.
pub struct Sockets<'a> {
    sender: ThreadedSender,
    epoll: OwnedFd,
    /// By their numbers, none of which is given twice: a trial does not last.
    peers: Vec<Option<Peer>>,
    inbox: Receiver<ToSockets>,
    protocol: &'a Sender<ToProtocol>,
    bell: &'a Bell,
    totals: Totals,
    buffer: Vec<u8>,
    /// Who is to be served; kept empty but allocated.
    list: Vec<Number>,
}

impl<'a> Sockets<'a> {
    /// The sockets of a sender.
    ///
    /// # Errors
    /// If no descriptor is left.
    pub fn new(
        sender: ThreadedSender,
        inbox: Receiver<ToSockets>,
        protocol: &'a Sender<ToProtocol>,
        bell: &'a Bell,
    ) -> io::Result<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        for (fd, data) in [(&sender.listener, LISTENER), (&bell.fd, BELL)] {
            epoll::add(&epoll, fd, epoll::EventData::new_u64(data), epoll::EventFlags::IN)?;
        }
        let (totals, buffer) = (Totals::default(), vec![0; READ_BYTES]);
        let (peers, list) = (Vec::new(), Vec::new());
        Ok(Self { sender, epoll, peers, inbox, protocol, bell, totals, buffer, list })
    }

    /// Works until it is told to stop, or for so long. `waiting` tells how much waits in the channels
    /// between the other threads.
    ///
    /// # Errors
    /// If the system fails.
    pub fn run(
        mut self,
        waiting: &dyn Fn() -> usize,
        stop: &AtomicBool,
        lasts: Duration,
    ) -> io::Result<Totals> {
        let began = Instant::now();
        let mut events = Vec::with_capacity(EVENTS);
        while !stop.load(Ordering::Relaxed) && began.elapsed() < lasts {
            self.take_in();
            self.serve();
            let crowded = waiting() > WAITING_MAX;
            self.bell.asleep.store(true, Ordering::SeqCst);
            let wait = match (self.inbox.is_empty(), crowded) {
                (true, false) => LOOK,
                // The others have their turn before more is read.
                (true, true) => Duration::from_millis(1),
                (false, _) => Duration::ZERO,
            };
            if crowded && !wait.is_zero() {
                std::thread::sleep(wait);
                continue;
            }
            let wait = Timespec { tv_sec: 0, tv_nsec: wait.as_nanos() as i64 };
            events.clear();
            let room = rustix::buffer::spare_capacity(&mut events);
            let told = epoll::wait(&self.epoll, room, Some(&wait));
            self.bell.asleep.store(false, Ordering::SeqCst);
            match told {
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            for event in &events {
                match event.data.u64() {
                    LISTENER => self.accept()?,
                    // What it rang for is taken in anyway.
                    BELL => drop(rustix::io::read(&self.bell.fd, &mut [0_u8; 8])),
                    number => self.turn(number as Number, event.flags),
                }
            }
        }
        Ok(self.totals)
    }

    /// Puts what the protocol wants sent into the queues.
    fn take_in(&mut self) {
        while let Ok(item) = self.inbox.try_recv() {
            match item {
                ToSockets::One(number, bytes) => self.queue(number, &bytes),
                ToSockets::All(numbers, bytes) => {
                    numbers.iter().for_each(|number| self.queue(*number, &bytes));
                }
                ToSockets::Close(number) => self.close(number),
            }
        }
    }

    fn queue(&mut self, number: Number, bytes: &Bytes) {
        let Some(peer) = &mut self.peers[number] else { return };
        peer.queue.push_back(bytes.clone());
        peer.queued += bytes.len() as u64;
        if !peer.parked && !peer.listed {
            peer.listed = true;
            self.list.push(number);
        }
        if peer.queued > KEPT_MAX {
            self.totals.overtaken += 1;
            self.close(number);
        }
    }

    fn serve(&mut self) {
        let mut list = std::mem::take(&mut self.list);
        for number in list.drain(..) {
            self.send(number);
        }
        self.list = list;
    }

    /// Sends what is queued, and closes who is gone.
    fn send(&mut self, number: Number) {
        let Some(peer) = &mut self.peers[number] else { return };
        peer.listed = false;
        let sent = peer.send(&mut self.totals).and_then(|()| {
            let full = !peer.queue.is_empty();
            if full != peer.parked {
                peer.parked = full;
                let room = if full { epoll::EventFlags::OUT } else { epoll::EventFlags::empty() };
                let data = epoll::EventData::new_u64(number as u64);
                epoll::modify(&self.epoll, &peer.socket, data, epoll::EventFlags::IN | room)?;
            }
            Ok(())
        });
        if sent.is_err() {
            self.close(number);
        }
    }

    fn accept(&mut self) -> io::Result<()> {
        loop {
            let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
            let socket = match rustix::net::accept_with(&self.sender.listener, flags) {
                Ok(socket) => socket,
                Err(Errno::AGAIN | Errno::INTR | Errno::CONNABORTED) => return Ok(()),
                Err(error) => return Err(error.into()),
            };
            if self.sender.options.set_on(&socket).is_err() {
                // It has gone already.
                continue;
            }
            let number = self.peers.len();
            let data = epoll::EventData::new_u64(number as u64);
            epoll::add(&self.epoll, &socket, data, epoll::EventFlags::IN)?;
            let (queue, queued) = (VecDeque::new(), 0);
            self.peers.push(Some(Peer { socket, queue, queued, parked: false, listed: false }));
            self.tell(ToProtocol::Opened(number));
        }
    }

    /// A connection has something to read, or room.
    fn turn(&mut self, number: Number, flags: epoll::EventFlags) {
        if flags.contains(epoll::EventFlags::OUT) {
            self.send(number);
        }
        let came = epoll::EventFlags::IN | epoll::EventFlags::HUP | epoll::EventFlags::ERR;
        if !flags.intersects(came) {
            return;
        }
        let Some(peer) = &self.peers[number] else { return };
        self.totals.reads += 1;
        match rustix::net::recv(&peer.socket, &mut self.buffer[..], RecvFlags::DONTWAIT) {
            Ok((count @ 1.., _)) => {
                self.totals.bytes_received += count as u64;
                let bytes = Bytes::copy_from_slice(&self.buffer[..count]);
                self.tell(ToProtocol::Read(number, bytes));
            }
            Err(Errno::AGAIN | Errno::INTR) => {}
            Ok((0, _)) | Err(_) => self.close(number),
        }
    }

    fn close(&mut self, number: Number) {
        if self.peers[number].take().is_some() {
            self.tell(ToProtocol::Closed(number));
        }
    }

    fn tell(&self, item: ToProtocol) {
        // That thread ends after this one.
        let _ = self.protocol.send(item);
    }
}

impl Peer {
    /// Sends until nothing is queued or the socket is full.
    fn send(&mut self, totals: &mut Totals) -> Result<(), Errno> {
        while !self.queue.is_empty() {
            let mut slices = [IoSlice::new(&[]); SLICES];
            let count = self.queue.len().min(SLICES);
            for (slice, bytes) in slices.iter_mut().zip(&self.queue) {
                *slice = IoSlice::new(bytes);
            }
            let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
            let none = &mut SendAncillaryBuffer::default();
            totals.sends += 1;
            let taken = match rustix::net::sendmsg(&self.socket, &slices[..count], none, flags) {
                Err(Errno::AGAIN | Errno::INTR) => return Ok(()),
                other => other?,
            };
            totals.bytes_sent += taken as u64;
            self.taken(taken);
        }
        Ok(())
    }

    fn taken(&mut self, mut taken: usize) {
        self.queued -= taken as u64;
        while let Some(front) = self.queue.front_mut() {
            let part = taken.min(front.len());
            front.advance(part);
            taken -= part;
            if !front.is_empty() {
                return;
            }
            self.queue.pop_front();
            if taken == 0 {
                return;
            }
        }
    }
}
