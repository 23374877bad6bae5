//! Listening: one socket per shard and address, found free before, and accepting that survives the
//! end of descriptors.

use monoio::io::{CancelHandle, Canceller};
use monoio::net::{TcpListener, TcpStream};
use socket2::{Domain, Protocol, Socket, Type};
use std::cell::{Cell, RefCell};
use std::fs::File;
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::sync::{Mutex, PoisonError};

use super::holder;
use crate::limits;
use crate::shard::runtime::Driver;

/// An address cannot be listened on.
#[derive(Debug)]
pub struct ListenError {
    /// The address.
    pub address: SocketAddr,
    /// Who listens there, where that could be found out: a process id and a name.
    pub holder: Option<(u32, String)>,
    /// Why.
    pub source: io::Error,
}

impl std::fmt::Display for ListenError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let address = self.address;
        match &self.holder {
            Some((pid, name)) => write!(
                f,
                "{address} is taken: {name} (process {pid}) listens there; stop it, or choose another address with --rtmp"
            ),
            None => write!(f, "cannot listen on {address}: {}", self.source),
        }
    }
}

impl std::error::Error for ListenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

/// Opens one listening socket per shard on an address, all sharing its port. Port 0 is replaced by
/// one that is free.
///
/// # Errors
/// If somebody listens there already, another instance of this server included, or the system
/// refuses.
pub fn listen(
    address: SocketAddr,
    shards: usize,
    congestion: Option<&str>,
) -> Result<Vec<std::net::TcpListener>, ListenError> {
    let failed = |source: io::Error| {
        let taken = source.kind() == io::ErrorKind::AddrInUse;
        ListenError { address, holder: taken.then(|| holder::of(address)).flatten(), source }
    };
    // Sockets that share a port would share it with a second instance too, silently: so the port is
    // asked for alone first.
    let alone = open(address, false).map_err(failed)?;
    drop(alone);
    let mut sockets = Vec::with_capacity(shards);
    let mut address = address;
    for _ in 0..shards {
        let socket = open(address, true).map_err(failed)?;
        if let Some(congestion) = congestion {
            socket.set_tcp_congestion(congestion.as_bytes()).map_err(failed)?;
        }
        socket.listen(limits::BACKLOG).map_err(failed)?;
        // The runtime's epoll driver wants it, its io_uring driver must not have it.
        socket.set_nonblocking(Driver::detect() == Driver::Epoll).map_err(failed)?;
        let listener = std::net::TcpListener::from(socket);
        address = listener.local_addr().map_err(failed)?;
        sockets.push(listener);
    }
    Ok(sockets)
}

fn open(address: SocketAddr, shared: bool) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(shared)?;
    if address.is_ipv6() {
        // IPv4 has its own listener, or is not asked for.
        socket.set_only_v6(true)?;
    }
    socket.bind(&address.into())?;
    Ok(socket)
}

/// What came of waiting for a connection.
pub enum Accepted {
    /// A connection and its address.
    Connection(TcpStream, SocketAddr),
    /// No descriptor was left. The connection was refused with the one kept in reserve.
    Exhausted,
    /// Something else, which may pass.
    Failed(io::Error),
    /// No more connections shall come.
    Cancelled,
}

/// A shard's accepting end of one address.
pub struct Acceptor {
    /// Taken out to be closed: the kernel then gives its connections to nobody.
    listener: RefCell<Option<Rc<TcpListener>>>,
    canceller: RefCell<Canceller>,
    cancelled: Cell<bool>,
}

impl Acceptor {
    /// Hands a listening socket to the runtime.
    ///
    /// # Errors
    /// If the runtime cannot take it.
    pub fn new(listener: std::net::TcpListener) -> io::Result<Rc<Self>> {
        Ok(Rc::new(Self {
            listener: RefCell::new(Some(Rc::new(TcpListener::from_std(listener)?))),
            canceller: RefCell::new(Canceller::new()),
            cancelled: Cell::new(false),
        }))
    }

    /// Waits for a connection.
    pub async fn accept(&self, reserve: &Reserve) -> Accepted {
        let listener = self.listener.borrow().clone();
        let Some(listener) = listener else { return Accepted::Cancelled };
        let handle: CancelHandle = self.canceller.borrow().handle();
        let result = listener.cancelable_accept(handle).await;
        match result {
            _ if self.cancelled.get() => Accepted::Cancelled,
            Ok((stream, address)) if reserve.keep() => Accepted::Connection(stream, address),
            Ok((stream, _)) => {
                // It came by the descriptor that another shard had let go of for a moment.
                drop(stream);
                reserve.keep();
                Accepted::Exhausted
            }
            Err(error) if is_exhausted(&error) => {
                reserve.refuse_one(&listener);
                Accepted::Exhausted
            }
            Err(error) => Accepted::Failed(error),
        }
    }

    /// Ends accepting and closes the listening socket.
    pub fn cancel(&self) {
        self.cancelled.set(true);
        let canceller = self.canceller.replace(Canceller::new());
        let _ = canceller.cancel();
        self.listener.borrow_mut().take();
    }
}

fn is_exhausted(error: &io::Error) -> bool {
    use rustix::io::Errno;
    Errno::from_io_error(error).is_some_and(|errno| matches!(errno, Errno::MFILE | Errno::NFILE))
}

/// One descriptor kept back: when there are none, a connection in the queue can still be taken and
/// closed, instead of waking the acceptor for ever.
pub struct Reserve {
    fd: Mutex<Option<OwnedFd>>,
}

impl Reserve {
    /// Takes the descriptor.
    ///
    /// # Errors
    /// If there is none.
    pub fn new() -> io::Result<Self> {
        Ok(Self { fd: Mutex::new(Some(File::open("/dev/null")?.into())) })
    }

    /// Takes the descriptor again if it was lost. Returns whether it is held.
    fn keep(&self) -> bool {
        let mut fd = self.fd.lock().unwrap_or_else(PoisonError::into_inner);
        if fd.is_none() {
            *fd = File::open("/dev/null").ok().map(OwnedFd::from);
        }
        fd.is_some()
    }

    fn refuse_one(&self, listener: &TcpListener) {
        use std::os::fd::{AsRawFd, BorrowedFd};
        let mut fd = self.fd.lock().unwrap_or_else(PoisonError::into_inner);
        drop(fd.take());
        // SAFETY: `listener` owns the descriptor and outlives the borrow.
        let listener = unsafe { BorrowedFd::borrow_raw(listener.as_raw_fd()) };
        // Only what waits already: a blocking accept would stop the shard.
        let mut poll = [rustix::event::PollFd::new(&listener, rustix::event::PollFlags::IN)];
        let now = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
        if rustix::event::poll(&mut poll, Some(&now)).is_ok_and(|ready| ready > 0) {
            drop(rustix::net::accept(listener));
        }
        *fd = File::open("/dev/null").ok().map(OwnedFd::from);
    }
}
