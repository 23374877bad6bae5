//! The blocking form, for scripts and commands: a socket of the standard library under the client, and
//! time-outs. How it is connected stands in `connect`, the socket with or without TLS in `socket`.

mod connect;
mod socket;

pub use connect::{Settings, Times, connect, over};

use crate::client::{Client, Event};
use crate::error::{Aim, Error};
use crate::handler::{Handler, hand_over};
use crate::waiting::Waiting;
use millstream_rtmp::client::PlayOptions;
use millstream_rtmp::session::{PublishMode, RequestId};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use socket::Socket;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A wait without an end, to all intents.
const FOR_EVER: Duration = Duration::from_secs(365 * 24 * 3600);

/// Bytes read at once.
const READ_BYTES: usize = 64 * 1024;

/// One connection to a server on a blocking thread.
///
/// Everything goes through [`Connection::next`], which sends, waits and reads; what is asked of
/// [`Connection::client`] goes out with the next call of it.
pub struct Connection {
    client: Client,
    socket: Socket,
    times: Times,
    /// What has been read; `taken..filled` is not looked at yet.
    buffer: Box<[u8]>,
    taken: usize,
    filled: usize,
    /// Since when the server takes none of what waits, here or within TLS.
    stuck: Option<Stuck>,
    /// Events that came while an answer was waited for.
    waiting: Waiting,
}

/// A moment from which on the socket has taken nothing.
#[derive(Clone, Copy, Debug)]
struct Stuck {
    since: Instant,
    /// Bytes that it had taken then.
    taken: u64,
}

impl Connection {
    fn new(client: Client, socket: Socket, times: Times) -> Self {
        let buffer = vec![0; READ_BYTES].into_boxed_slice();
        let (stuck, waiting) = (None, Waiting::default());
        Self { client, socket, times, buffer, taken: 0, filled: 0, stuck, waiting }
    }

    /// The protocol machine, to ask and to send.
    pub fn client(&mut self) -> &mut Client {
        &mut self.client
    }

    /// The next thing the server did; nothing if that takes longer than `wait`, or sooner when a signal
    /// comes.
    ///
    /// # Errors
    /// [`Error::Closed`], [`Error::Lost`], [`Error::Tls`], [`Error::Protocol`]; and [`Error::Silent`] when
    /// the server takes nothing of what is sent to it for [`Times::answer`].
    pub fn next(&mut self, wait: Duration) -> Result<Option<Event>, Error> {
        match self.waiting.pop() {
            Some(event) => Ok(Some(event)),
            None => self.turn(wait, false),
        }
    }

    /// Publishes, and waits for the answer. What else comes meanwhile is kept for [`Connection::next`].
    ///
    /// # Errors
    /// [`Error::Refused`], [`Error::Silent`] after [`Times::answer`], [`Error::Flooded`], and those of
    /// [`Connection::next`].
    pub fn publish(&mut self, name: &str, mode: PublishMode) -> Result<RequestId, Error> {
        let stream = self.client.publish(name, mode)?;
        self.answered(stream, Aim::Publish)
    }

    /// Plays, and waits for the answer, as [`Connection::publish`] does.
    ///
    /// # Errors
    /// As [`Connection::publish`].
    pub fn play(&mut self, name: &str, options: PlayOptions) -> Result<RequestId, Error> {
        let stream = self.client.play(name, options)?;
        self.answered(stream, Aim::Play)
    }

    /// Waits until everything is sent, or the server takes nothing for [`Times::answer`]. Events are kept
    /// for [`Connection::next`].
    ///
    /// # Errors
    /// As [`Connection::next`], and [`Error::Flooded`] when more of them come than can wait.
    pub fn flush(&mut self) -> Result<(), Error> {
        while !self.client.is_drained() || self.socket.wants_write() {
            let event = self.turn(self.times.answer, true)?;
            if let Some(event) = event {
                self.keep(event)?;
            }
        }
        Ok(())
    }

    /// Calls a handler with all that comes, until it calls [`Client::finish`] or the server ends the
    /// connection. `tick` is how often [`Handler::tick`] is called at least.
    ///
    /// # Errors
    /// As [`Connection::next`]. That the server closes when nothing is published or played is none.
    pub fn run(mut self, handler: &mut impl Handler, tick: Duration) -> Result<(), Error> {
        let mut next_tick = Instant::now() + tick;
        loop {
            let wait = next_tick.saturating_duration_since(Instant::now());
            let event = match self.next(wait) {
                Ok(event) => event,
                Err(error) => return self.client.run_ends_by(error),
            };
            let closed = matches!(event, Some(Event::Closed));
            if let Some(event) = event {
                hand_over(handler, &mut self.client, event);
            }
            if closed && !self.client.is_finishing() {
                return self.client.run_ends_by(Error::Closed { aim: self.client.aim() });
            }
            if next_tick <= Instant::now() {
                next_tick = Instant::now() + tick;
                handler.tick(&mut self.client);
            }
            if self.client.is_drained() {
                handler.writable(&mut self.client);
            }
            if self.client.is_finishing() {
                return self.end();
            }
        }
    }

    /// Takes leave: ends publishes and plays as OBS does, sends what is left, and reads until the server
    /// has ended the connection too, at most for [`Times::goodbye`], so that nothing is lost to a reset.
    ///
    /// # Errors
    /// As [`Connection::next`], while something is left to be sent.
    pub fn end(mut self) -> Result<(), Error> {
        self.client.finish();
        self.flush()?;
        let since = Instant::now();
        // From here on the connection is over, whatever happens.
        if self.socket.close().is_err() {
            return Ok(());
        }
        while let Some(left) = self.times.goodbye.checked_sub(since.elapsed()) {
            if !self.wait(left, false).unwrap_or(false) {
                break;
            }
            match self.socket.read(&mut self.buffer) {
                Ok(count) if count > 0 => {}
                Err(error) if is_for_later(&error) => {}
                _ => break,
            }
        }
        Ok(())
    }

    fn keep(&mut self, event: Event) -> Result<(), Error> {
        self.waiting.push(event);
        if self.waiting.is_full() {
            return Err(Error::Flooded { aim: self.client.aim() });
        }
        Ok(())
    }

    fn answered(&mut self, stream: RequestId, aim: Aim) -> Result<RequestId, Error> {
        let since = Instant::now();
        let mut refused = None;
        while let Some(left) = self.times.answer.checked_sub(since.elapsed()) {
            match self.turn(left, false) {
                Ok(Some(Event::Publishing(id) | Event::Playing(id))) if id == stream => {
                    return Ok(stream);
                }
                Ok(Some(Event::Refused(refusal)))
                    if refusal.stream.is_none_or(|refused| refused == stream) =>
                {
                    return Err(Error::Refused(refusal));
                }
                Ok(Some(event)) => {
                    if let Event::Refused(refusal) = &event {
                        refused = Some(refusal.clone());
                    }
                    let closed = matches!(event, Event::Closed);
                    self.keep(event)?;
                    if closed {
                        return Err(refused.map_or(Error::Closed { aim }, Error::Refused));
                    }
                }
                Ok(None) => {}
                // What the server said before it closed is the reason.
                Err(Error::Closed { .. }) if refused.is_some() => break,
                Err(Error::Closed { .. }) => return Err(Error::Closed { aim }),
                Err(error) => return Err(error),
            }
        }
        match refused {
            Some(refusal) => Err(Error::Refused(refusal)),
            None => Err(Error::Silent { aim, waited: self.times.answer }),
        }
    }

    /// Looks at what has been read, sends, reads, and waits where there is nothing to do, until there is an
    /// event or the time is over; `to_send` returns too when everything is sent.
    fn turn(&mut self, wait: Duration, to_send: bool) -> Result<Option<Event>, Error> {
        let until = Instant::now().checked_add(wait).unwrap_or_else(|| Instant::now() + FOR_EVER);
        loop {
            let mut input = &self.buffer[self.taken..self.filled];
            let event = self.client.receive(&mut input);
            self.taken = self.filled - input.len();
            let aim = self.client.aim();
            let failed = self.send(aim).err();
            // What the server said last counts more than that it takes no answer.
            if let Some(event) = event? {
                return Ok(Some(event));
            }
            let blocked = self.is_held();
            if to_send && !blocked {
                return Ok(None);
            }
            (self.taken, self.filled) = (0, 0);
            // Reading comes before the poll, for TLS may have decrypted more than was taken.
            match self.socket.read(&mut self.buffer) {
                Ok(count) if count > 0 => {
                    self.filled = count;
                    continue;
                }
                Err(error) if is_for_later(&error) && failed.is_none() => {}
                Ok(_) => return Err(failed.unwrap_or(Error::Closed { aim })),
                Err(error) => return Err(failed.unwrap_or_else(|| self.lost(error, aim))),
            }
            let left = until.saturating_duration_since(Instant::now());
            if !self.wait(left.min(self.patience()), blocked)? && left <= self.patience() {
                return Ok(None);
            }
        }
    }

    /// Gives the socket what it takes, and looks how long it has taken nothing.
    fn send(&mut self, aim: Aim) -> Result<(), Error> {
        if let Err(error) = self.write()
            && !is_for_later(&error)
        {
            return Err(self.lost(error, aim));
        }
        if !self.is_held() {
            self.stuck = None;
            return Ok(());
        }
        let taken = self.socket.taken();
        let known = self.stuck.filter(|stuck| stuck.taken == taken);
        let stuck = known.unwrap_or_else(|| Stuck { since: Instant::now(), taken });
        self.stuck = Some(stuck);
        if stuck.since.elapsed() >= self.times.answer {
            return Err(Error::Silent { aim, waited: self.times.answer });
        }
        Ok(())
    }

    /// Whether something waits for the socket, here or within TLS.
    fn is_held(&mut self) -> bool {
        !self.client.outgoing().is_empty() || self.socket.wants_write()
    }

    fn write(&mut self) -> io::Result<()> {
        loop {
            let output = self.client.outgoing();
            if output.is_empty() {
                return self.socket.flush();
            }
            match self.socket.write(output) {
                Ok(count) => self.client.sent(count),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// How long the server may still take nothing.
    fn patience(&self) -> Duration {
        let stuck = self.stuck.map_or(Duration::ZERO, |stuck| stuck.since.elapsed());
        self.times.answer.saturating_sub(stuck).max(Duration::from_millis(1))
    }

    /// Waits until there is something to read, or room to write where that is wanted. The poll is exact to
    /// the microsecond, which time-outs of sockets are not.
    fn wait(&self, at_most: Duration, write: bool) -> Result<bool, Error> {
        let time = Timespec {
            tv_sec: i64::try_from(at_most.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: at_most.subsec_nanos().into(),
        };
        let mut wanted = PollFlags::IN;
        wanted.set(PollFlags::OUT, write);
        match poll(&mut [PollFd::new(&self.socket, wanted)], Some(&time)) {
            Ok(ready) => Ok(ready > 0),
            Err(Errno::INTR) => Ok(false),
            Err(errno) => Err(Error::Lost(Arc::new(errno.into()))),
        }
    }

    fn lost(&self, error: io::Error, aim: Aim) -> Error {
        match error.kind() {
            io::ErrorKind::BrokenPipe
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::UnexpectedEof => Error::Closed { aim },
            _ => self.socket.failure(error),
        }
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("client", &self.client)
            .field("times", &self.times)
            .field("stuck", &self.stuck)
            .field("waiting", &self.waiting)
            .finish_non_exhaustive()
    }
}

fn is_for_later(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted
    )
}
