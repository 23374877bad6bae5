//! One socket, accepted or connected by us: reads and writes at once or not at all, and waits for room through the
//! runtime. The wait for something to read stands in `arrivals`.

use crate::limits;
use monoio::net::{TcpStream, UnixStream};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendAncillaryBuffer, SendFlags, Shutdown};
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
use std::rc::Rc;
use std::time::Duration;

/// A connected socket.
pub struct Socket {
    /// The runtime's TCP stream holds both addresses besides the descriptor, 72 bytes that nobody
    /// asks for. This type holds the descriptor alone, and nothing but its readiness is asked for.
    stream: UnixStream,
}

/// What a read gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
    /// So many bytes.
    Bytes(usize),
    /// Nothing at present.
    Nothing,
    /// The peer closed its side, or the connection failed.
    End(Option<Errno>),
}

impl Socket {
    /// Takes an accepted socket and sets its options. `dead_after` is how long sent bytes may stay
    /// unacknowledged.
    ///
    /// # Errors
    /// If the epoll driver cannot watch it; it is closed then.
    pub fn new(stream: TcpStream, dead_after: Duration) -> io::Result<Self> {
        // SAFETY: `stream` owned the descriptor alone, and has given it up.
        let descriptor = unsafe { OwnedFd::from_raw_fd(stream.into_raw_fd()) };
        Self::of(descriptor.into(), dead_after)
    }

    /// Takes one end of a pair of sockets whose other end is in this process.
    ///
    /// # Errors
    /// As for an accepted one.
    pub fn inside(stream: std::os::unix::net::UnixStream) -> io::Result<Self> {
        Self::of(stream, Duration::ZERO)
    }

    /// Begins to connect. It is [`writable`](Self::writable) when that is done or has failed, and
    /// [`connected`](Self::connected) says which. `dead_after` as for an accepted one.
    ///
    /// # Errors
    /// If no descriptor is left, or no way leads there.
    pub fn connect(address: SocketAddr, dead_after: Duration) -> io::Result<Self> {
        use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};
        let family = match address {
            SocketAddr::V4(_) => AddressFamily::INET,
            SocketAddr::V6(_) => AddressFamily::INET6,
        };
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let descriptor = socket_with(family, SocketType::STREAM, flags, None)?;
        match rustix::net::connect(&descriptor, &address) {
            Ok(()) | Err(Errno::INPROGRESS) => {}
            Err(errno) => return Err(errno.into()),
        }
        Self::of(descriptor.into(), dead_after)
    }

    /// Whether a connection that was begun is there.
    ///
    /// # Errors
    /// Why it is not.
    pub fn connected(&self) -> rustix::io::Result<()> {
        rustix::net::sockopt::socket_error(self.fd())??;
        // Without an error it may also have been given up before it was there.
        rustix::net::getpeername(self.fd()).map(drop)
    }

    /// Says that nothing more comes from us.
    pub fn finish(&self) {
        let _ = rustix::net::shutdown(self.fd(), Shutdown::Write);
    }

    fn of(stream: std::os::unix::net::UnixStream, dead_after: Duration) -> io::Result<Self> {
        let socket = Self { stream: UnixStream::from_std(stream)? };
        // Each option is an improvement, none a condition: a socket that refuses one still serves.
        let _ = socket.set_options(dead_after);
        Ok(socket)
    }

    fn set_options(&self, dead_after: Duration) -> rustix::io::Result<()> {
        use rustix::net::sockopt;
        let fd = self.fd();
        // We batch ourselves: what is sent is meant to go.
        sockopt::set_tcp_nodelay(fd, true)?;
        sockopt::set_socket_keepalive(fd, true)?;
        sockopt::set_tcp_keepidle(fd, limits::KEEPALIVE_IDLE)?;
        sockopt::set_tcp_keepintvl(fd, limits::KEEPALIVE_INTERVAL)?;
        sockopt::set_tcp_keepcnt(fd, limits::KEEPALIVE_PROBES)?;
        let dead_after_ms = u32::try_from(dead_after.as_millis()).unwrap_or(u32::MAX);
        sockopt::set_tcp_user_timeout(fd, dead_after_ms)?;
        let socket = socket2::SockRef::from(&fd);
        // A backlog belongs into the shared log, where it is free, not into the kernel.
        socket
            .set_tcp_notsent_lowat(limits::NOTSENT_LOWAT)
            .map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::INVAL))
    }

    /// Waits until there is room to write, or the connection failed.
    ///
    /// # Errors
    /// If the connection failed.
    pub fn writable(&self) -> impl Future<Output = io::Result<()>> + '_ {
        self.stream.writable(false)
    }

    /// Reads what is there.
    pub fn read(&self, buffer: &mut [u8]) -> Read {
        match rustix::net::recv(self.fd(), buffer, RecvFlags::DONTWAIT) {
            Ok((0, _)) => Read::End(None),
            Ok((count, _)) => Read::Bytes(count),
            Err(Errno::AGAIN | Errno::INTR) => Read::Nothing,
            Err(errno) => Read::End(Some(errno)),
        }
    }

    /// Acknowledges what was read at once. While a client writes its commands in pieces, with Nagle's
    /// algorithm on (ffmpeg does), each piece otherwise waits 40 ms for a delayed acknowledgement.
    pub fn acknowledge(&self) {
        let _ = rustix::net::sockopt::set_tcp_quickack(self.fd(), true);
    }

    /// Ends both directions. Whoever waits on the socket wakes.
    pub fn shutdown(&self) {
        // It may be gone already.
        let _ = rustix::net::shutdown(self.fd(), Shutdown::Both);
    }

    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        // SAFETY: `stream` owns the descriptor and lives as long as the borrow of `self`. The
        // runtime's type does not offer `AsFd`.
        unsafe { BorrowedFd::borrow_raw(self.stream.as_raw_fd()) }
    }
}

/// A socket's writing end. Thousands are written to with each frame, so the descriptor stands here
/// and not two pointers away.
pub struct Writer {
    socket: Rc<Socket>,
    descriptor: RawFd,
}

impl Writer {
    /// The writing end of a socket.
    pub fn new(socket: Rc<Socket>) -> Self {
        let descriptor = socket.stream.as_raw_fd();
        Self { socket, descriptor }
    }

    /// The socket.
    pub fn socket(&self) -> &Rc<Socket> {
        &self.socket
    }

    /// Writes what there is room for; 0 if there is none.
    ///
    /// # Errors
    /// If the connection failed.
    pub fn write(&self, bytes: &[u8]) -> rustix::io::Result<usize> {
        taken(rustix::net::send(self.fd(), bytes, SendFlags::DONTWAIT | SendFlags::NOSIGNAL))
    }

    /// Writes two stretches of bytes as one; of them what there is room for.
    ///
    /// # Errors
    /// If the connection failed.
    pub fn write_joined(&self, first: &[u8], second: &[u8]) -> rustix::io::Result<usize> {
        let parts = [IoSlice::new(first), IoSlice::new(second)];
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        let mut nothing = SendAncillaryBuffer::default();
        taken(rustix::net::sendmsg(self.fd(), &parts, &mut nothing, flags))
    }

    fn fd(&self) -> BorrowedFd<'_> {
        // SAFETY: it is the descriptor of `socket`, which lives as long as `self`.
        unsafe { BorrowedFd::borrow_raw(self.descriptor) }
    }
}

/// A full socket takes nothing.
fn taken(sent: rustix::io::Result<usize>) -> rustix::io::Result<usize> {
    match sent {
        Err(Errno::AGAIN | Errno::INTR) => Ok(0),
        sent => sent,
    }
}
