//! One connection to a server: a blocking socket under the protocol machine, waits included.

use super::error::ClientError;
use super::url::RtmpUrl;
use millstream_rtmp::client::ClientEvent;
use millstream_rtmp::connection::ClientConnection;
use millstream_rtmp::session::Level;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream, ToSocketAddrs};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How long one address may take to connect.
const CONNECT_MAX: Duration = Duration::from_secs(10);
/// How long the server may take for its answers, and to take what is sent to it.
const ANSWER_MAX: Duration = Duration::from_secs(15);
/// How long the server may take to end a connection that we have ended.
const GOODBYE_MAX: Duration = Duration::from_secs(1);
/// How often the flag of the signals is looked at.
pub(super) const GLANCE: Duration = Duration::from_millis(100);

pub(super) struct Link {
    socket: TcpStream,
    connection: ClientConnection,
    /// What has been read; `taken..filled` is not looked at yet.
    buffer: Box<[u8]>,
    taken: usize,
    filled: usize,
}

impl Link {
    /// Connects; the handshake and `connect` follow by themselves.
    pub(super) fn open(url: &RtmpUrl) -> Result<Self, ClientError> {
        let socket = connect(url)?;
        // Frames are to go at once; a socket that refuses works too.
        let _ = socket.set_nodelay(true);
        socket.set_write_timeout(Some(ANSWER_MAX)).map_err(ClientError::Lost)?;
        let mut entropy = [0; 32];
        // The handshake's random bytes protect nothing; without entropy zeroes do.
        let _ = rustix::rand::getrandom(&mut entropy, rustix::rand::GetRandomFlags::NONBLOCK);
        let connection = ClientConnection::new(url.options(), entropy)?;
        let buffer = vec![0; 64 * 1024].into_boxed_slice();
        Ok(Self { socket, connection, buffer, taken: 0, filled: 0 })
    }

    /// The protocol machine. What is asked of it goes out with the next [`Link::next`] or
    /// [`Link::flush`].
    pub(super) fn connection(&mut self) -> &mut ClientConnection {
        &mut self.connection
    }

    /// Sends what stands in the output.
    pub(super) fn flush(&mut self, what: &'static str) -> Result<(), ClientError> {
        let output = self.connection.output();
        if output.is_empty() {
            return Ok(());
        }
        let bytes = output.split();
        match self.socket.write_all(&bytes) {
            Err(error) if is_timeout(&error) => {
                Err(ClientError::Silent { what, waited: ANSWER_MAX })
            }
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                Err(ClientError::Closed { what })
            }
            result => result.map_err(ClientError::Lost),
        }
    }

    /// The next thing the server did; nothing if that takes longer than `wait`, or a signal comes.
    pub(super) fn next(
        &mut self,
        wait: Duration,
        what: &'static str,
    ) -> Result<Option<ClientEvent>, ClientError> {
        let mut waited = false;
        loop {
            let mut input = &self.buffer[self.taken..self.filled];
            let event = self.connection.receive(&mut input);
            self.taken = self.filled - input.len();
            self.flush(what)?;
            if let Some(event) = event.map_err(ClientError::Protocol)? {
                return Ok(Some(event));
            }
            if waited || !self.wait(wait)? {
                return Ok(None);
            }
            waited = true;
            self.taken = 0;
            self.filled = 0;
            self.filled = match self.socket.read(&mut self.buffer) {
                Ok(0) => return Err(ClientError::Closed { what }),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => 0,
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {
                    return Err(ClientError::Closed { what });
                }
                Err(error) => return Err(ClientError::Lost(error)),
            };
        }
    }

    /// Waits for the answer to a publish or play. False if `stop` was set meanwhile.
    pub(super) fn accepted(
        &mut self,
        url: &RtmpUrl,
        what: &'static str,
        stop: &AtomicBool,
    ) -> Result<bool, ClientError> {
        let since = Instant::now();
        while !stop.load(Ordering::Relaxed) {
            match self.next(GLANCE, what)? {
                Some(ClientEvent::Publishing { .. } | ClientEvent::Playing { .. }) => {
                    return Ok(true);
                }
                Some(event) => check(&event, url, what)?,
                None if since.elapsed() > ANSWER_MAX => {
                    return Err(ClientError::Silent { what, waited: ANSWER_MAX });
                }
                None => {}
            }
        }
        Ok(false)
    }

    /// Ends the connection: sends what is left, and reads until the server has ended it too, so that
    /// nothing of it is lost to a reset.
    pub(super) fn end(mut self, what: &'static str) {
        let since = Instant::now();
        // Whatever fails now, the connection is over.
        if self.flush(what).is_err() || self.socket.shutdown(Shutdown::Write).is_err() {
            return;
        }
        while let Some(left) = GOODBYE_MAX.checked_sub(since.elapsed()) {
            if !self.wait(left).unwrap_or(false) {
                return;
            }
            match self.socket.read(&mut self.buffer) {
                Ok(count) if count > 0 => {}
                _ => return,
            }
        }
    }

    /// Waits until there is something to read. The poll is exact to the microsecond, which time-outs
    /// of sockets are not.
    fn wait(&self, at_most: Duration) -> Result<bool, ClientError> {
        let time = Timespec {
            tv_sec: i64::try_from(at_most.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: at_most.subsec_nanos().into(),
        };
        match poll(&mut [PollFd::new(&self.socket, PollFlags::IN)], Some(&time)) {
            Ok(ready) => Ok(ready > 0),
            Err(Errno::INTR) => Ok(false),
            Err(errno) => Err(ClientError::Lost(errno.into())),
        }
    }
}

/// Whether an event ends what was wanted, at any time.
pub(super) fn check(
    event: &ClientEvent,
    url: &RtmpUrl,
    what: &'static str,
) -> Result<(), ClientError> {
    let refused = |what, code: &str, description: &str| {
        let (code, description) = (url.redact(code), url.redact(description));
        Err(ClientError::Refused { what, code, description })
    };
    match event {
        ClientEvent::ConnectRefused(told) => refused("connect", &told.code, &told.description),
        ClientEvent::Refused(told) => refused(what, &told.code, &told.description),
        ClientEvent::Status(told) if told.level == Level::Error => {
            refused(what, &told.code, &told.description)
        }
        ClientEvent::Closed => Err(ClientError::Closed { what }),
        _ => Ok(()),
    }
}

fn connect(url: &RtmpUrl) -> Result<TcpStream, ClientError> {
    let resolve = |source| ClientError::Resolve { host: url.host().to_owned(), source };
    let mut failure = resolve(io::ErrorKind::NotFound.into());
    for address in (url.host(), url.port()).to_socket_addrs().map_err(resolve)? {
        match TcpStream::connect_timeout(&address, CONNECT_MAX) {
            Ok(socket) => return Ok(socket),
            Err(source) => failure = ClientError::Connect { address, source },
        }
    }
    Err(failure)
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}
