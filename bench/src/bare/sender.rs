//! The loop: wait, read what came, serve who is due. What is read goes to the session of its
//! connection, and what that reports to the `fanout`.

use super::connection::{Connection, Role};
use super::fanout::Fanout;
use super::log::STREAM_ID;
use super::stream::Stream;
use super::totals::Totals;
use super::{CHUNK_SIZE, Options, Waits, runtime, socket};
use millstream_rtmp::connection::{ConnectionError, ServerConnection};
use millstream_rtmp::message::{Message, MessageType};
use millstream_rtmp::server::{ServerEvent, ServerOptions};
use millstream_rtmp::session::{AnswerError, Data, DataFrame};
use rustix::event::{Timespec, epoll};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SocketFlags};
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// What one read takes at most.
pub(super) const READ_BYTES: usize = 256 * 1024;
/// Events of one wait.
pub(super) const EVENTS: usize = 1024;
/// How often it is looked whether to stop.
pub(super) const LOOK: Duration = Duration::from_millis(100);
/// What epoll reports for the listening socket.
pub(super) const LISTENER: u64 = u64::MAX;

/// The bare sender.
#[derive(Debug)]
pub struct Sender {
    pub(super) options: Options,
    listener: OwnedFd,
    address: SocketAddr,
    pub(super) fanout: Fanout,
    /// Streams by name.
    names: HashMap<String, usize>,
    /// What every connection is read into.
    buffer: Vec<u8>,
    accepted: u64,
}

impl Sender {
    /// A sender that listens, and does nothing before it [runs](Self::run).
    ///
    /// # Errors
    /// If the address cannot be had, or no connection could be given the options.
    pub fn listen(address: SocketAddr, options: Options) -> io::Result<Self> {
        let (listener, address) = socket::listen(address)?;
        options.socket.set_on(&listener)?;
        let fanout = Fanout::new(&options, Instant::now())?;
        let data = epoll::EventData::new_u64(LISTENER);
        epoll::add(&fanout.epoll, &listener, data, epoll::EventFlags::IN)?;
        let (names, buffer) = (HashMap::new(), vec![0; READ_BYTES]);
        Ok(Self { options, listener, address, fanout, names, buffer, accepted: 0 })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Runs until it is told to stop, or for so long.
    ///
    /// # Errors
    /// If the system fails: no descriptors, no memory for a log.
    pub fn run(self, stop: &AtomicBool, lasts: Duration) -> io::Result<Totals> {
        match self.options.waits {
            Waits::Epoll => self.run_here(stop, lasts),
            Waits::Ready(_) | Waits::Held(_) => runtime::run(self, stop, lasts),
        }
    }

    fn run_here(mut self, stop: &AtomicBool, lasts: Duration) -> io::Result<Totals> {
        let began = Instant::now();
        let mut events = Vec::with_capacity(EVENTS);
        let mut now = began;
        while !stop.load(Ordering::Relaxed) && now - began < lasts {
            self.fanout.flush(now);
            // Serving thousands takes a while.
            now = Instant::now();
            let due = self.fanout.next_due().map_or(LOOK, |due| due.saturating_duration_since(now));
            let wait = Timespec { tv_sec: 0, tv_nsec: due.min(LOOK).as_nanos() as i64 };
            events.clear();
            let room = rustix::buffer::spare_capacity(&mut events);
            match epoll::wait(&self.fanout.epoll, room, Some(&wait)) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            now = Instant::now();
            for event in &events {
                match event.data.u64() {
                    LISTENER => drop(self.accept()?),
                    at => self.turn(at as usize, event.flags, now)?,
                }
            }
        }
        Ok(self.fanout.totals.with_cpu())
    }

    /// Takes in who waits to connect. Returns their places and their numbers.
    pub(super) fn accept(&mut self) -> io::Result<Vec<(usize, u64)>> {
        let mut accepted = Vec::new();
        loop {
            // io_uring would not wait on a socket that does not block.
            let flags = match self.options.waits {
                Waits::Epoll => SocketFlags::NONBLOCK | SocketFlags::CLOEXEC,
                Waits::Ready(_) | Waits::Held(_) => SocketFlags::CLOEXEC,
            };
            let socket = match rustix::net::accept_with(&self.listener, flags) {
                Ok(socket) => socket,
                Err(Errno::AGAIN | Errno::INTR | Errno::CONNABORTED) => return Ok(accepted),
                Err(error) => return Err(error.into()),
            };
            if self.options.socket.set_on(&socket).is_err() {
                // It has gone already.
                continue;
            }
            self.accepted += 1;
            let mut entropy = [0; 32];
            entropy[..8].copy_from_slice(&self.accepted.to_le_bytes());
            let options = ServerOptions { chunk_size: CHUNK_SIZE, ..ServerOptions::default() };
            let rtmp = ServerConnection::new(&options, entropy);
            let at = self.fanout.add(Connection::new(socket, self.accepted, rtmp))?;
            accepted.push((at, self.accepted));
        }
    }

    /// Whether a connection is in its place still, and no later one.
    pub(super) fn has(&self, at: usize, number: u64) -> bool {
        let there = self.fanout.connections[at].as_ref();
        there.is_some_and(|connection| connection.number == number)
    }

    /// Another descriptor of a connection's socket, if it is in its place still.
    pub(super) fn duplicate(&self, at: usize, number: u64) -> Option<io::Result<OwnedFd>> {
        let connection = self.fanout.connections[at].as_ref()?;
        (connection.number == number).then(|| connection.socket.try_clone())
    }

    /// A connection has something to read, or room.
    pub(super) fn turn(
        &mut self,
        at: usize,
        flags: epoll::EventFlags,
        now: Instant,
    ) -> io::Result<()> {
        // It is out of its place while it is read, so that what it says can reach all others.
        let Some(mut connection) = self.fanout.connections[at].take() else { return Ok(()) };
        let came = epoll::EventFlags::IN | epoll::EventFlags::HUP | epoll::EventFlags::ERR;
        let read =
            if flags.intersects(came) { self.read(at, &mut connection, now) } else { Ok(()) };
        self.fanout.connections[at] = Some(connection);
        self.settle(at, read, flags.contains(epoll::EventFlags::OUT))
    }

    /// A connection was read elsewhere: nothing is its end.
    pub(super) fn heard(&mut self, at: usize, input: &[u8], now: Instant) -> io::Result<()> {
        let Some(mut connection) = self.fanout.connections[at].take() else { return Ok(()) };
        self.fanout.totals.reads += 1;
        self.fanout.totals.bytes_received += input.len() as u64;
        let heard = match input {
            [] => Err(Ending::Gone),
            input => self.hear(at, &mut connection, input, now),
        };
        self.fanout.connections[at] = Some(connection);
        self.settle(at, heard, false)
    }

    /// Serves a connection that was read, or ends it.
    fn settle(&mut self, at: usize, read: Result<(), Ending>, has_room: bool) -> io::Result<()> {
        let alive = match read {
            Ok(()) if has_room => self.fanout.has_room(at),
            Ok(()) => self.fanout.serve(at),
            Err(Ending::Gone) => false,
            Err(Ending::Failed(error)) => return Err(error),
        };
        if !alive {
            self.fanout.close(at);
        }
        Ok(())
    }

    /// Reads once.
    fn read(&mut self, at: usize, connection: &mut Connection, now: Instant) -> Result<(), Ending> {
        self.fanout.totals.reads += 1;
        let flags = RecvFlags::DONTWAIT;
        let count = match rustix::net::recv(&connection.socket, &mut self.buffer[..], flags) {
            Ok((0, _)) => return Err(Ending::Gone),
            Ok((count, _)) => count,
            Err(Errno::AGAIN | Errno::INTR) => return Ok(()),
            Err(_) => return Err(Ending::Gone),
        };
        self.fanout.totals.bytes_received += count as u64;
        let buffer = std::mem::take(&mut self.buffer);
        let heard = self.hear(at, connection, &buffer[..count], now);
        self.buffer = buffer;
        heard
    }

    /// Takes in what a connection says.
    fn hear(
        &mut self,
        at: usize,
        connection: &mut Connection,
        mut input: &[u8],
        now: Instant,
    ) -> Result<(), Ending> {
        let Role::Session { rtmp, publishes } = &mut connection.role else { return Ok(()) };
        let mut plays = None;
        while plays.is_none()
            && let Some(event) = rtmp.receive(&mut input)?
        {
            match event {
                ServerEvent::Media(Message { kind, timestamp, payload, .. }) => {
                    if let Some(stream) = *publishes {
                        self.fanout.take(stream, kind, timestamp, &payload, now)?;
                    }
                }
                ServerEvent::Data(Data { timestamp, payload, frame: DataFrame::Set, .. }) => {
                    if let Some(stream) = *publishes {
                        let kind = MessageType::DATA_AMF0;
                        self.fanout.take(stream, kind, timestamp, &payload, now)?;
                    }
                }
                ServerEvent::Connect(connect) => rtmp.accept_connect(connect.request)?,
                ServerEvent::Publish(publish) => {
                    let stream = self.stream(publish.name)?;
                    self.fanout.streams[stream].begin();
                    *publishes = Some(stream);
                    rtmp.accept_publish(publish.request)?;
                }
                // The log's messages name the first message stream of a connection.
                ServerEvent::Play(play) if play.stream_id == STREAM_ID => {
                    plays = Some(self.stream(play.name)?);
                    rtmp.accept_play(play.request)?;
                }
                ServerEvent::Play(_) => return Err(Ending::Gone),
                ServerEvent::Unpublish { .. } => *publishes = None,
                _ => {}
            }
        }
        if !rtmp.output().is_empty() {
            connection.private.unsplit(rtmp.output().split());
        }
        if let Some(number) = plays {
            let stream = &mut self.fanout.streams[number];
            let phase = stream.phase_of_joiner();
            stream.phases[phase].players.push(at);
            let cursor = stream.join(&mut connection.private);
            connection.role = Role::Player { stream: number, phase, cursor };
        }
        Ok(())
    }

    /// The stream of a name.
    fn stream(&mut self, name: String) -> io::Result<usize> {
        if let Some(&stream) = self.names.get(&name) {
            return Ok(stream);
        }
        let stream = self.fanout.streams.len();
        self.fanout.streams.push(Stream::new(self.options.medium, self.options.phases)?);
        self.names.insert(name, stream);
        Ok(stream)
    }
}

/// Why a connection is read no further.
enum Ending {
    /// The peer went, or did not keep to the protocol.
    Gone,
    /// The system failed, and with it all.
    Failed(io::Error),
}

impl From<io::Error> for Ending {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

impl From<ConnectionError> for Ending {
    fn from(_: ConnectionError) -> Self {
        Self::Gone
    }
}

/// The request was withdrawn by what came behind it.
impl From<AnswerError> for Ending {
    fn from(_: AnswerError) -> Self {
        Self::Gone
    }
}
