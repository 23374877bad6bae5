//! A socket that connects without blocking, with what the plan says of it.

use rustix::io::Errno;
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

/// What a socket shall be like.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wishes<'a> {
    /// The address to come from, if it matters.
    pub source: Option<Ipv4Addr>,
    /// Bytes of the receive buffer; the kernel's choice if none.
    pub receive_buffer: Option<usize>,
    /// The congestion control; the system's own if none.
    pub congestion: Option<&'a str>,
}

/// Begins to connect.
///
/// # Errors
/// If no socket can be had, or the address cannot be reached.
pub fn connect(target: SocketAddr, wishes: Wishes<'_>) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(target), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    socket.set_tcp_nodelay(true)?;
    if let Some(bytes) = wishes.receive_buffer {
        // Before connecting: the window scale is agreed on in the handshake (RFC 7323, 2.2).
        socket.set_recv_buffer_size(bytes)?;
    }
    if let Some(name) = wishes.congestion {
        socket.set_tcp_congestion(name.as_bytes())?;
    }
    if let Some(source) = wishes.source {
        socket.bind(&SocketAddr::new(IpAddr::V4(source), 0).into())?;
    }
    match socket.connect(&target.into()) {
        Err(error) if Errno::from_io_error(&error) != Some(Errno::INPROGRESS) => Err(error),
        _ => Ok(socket),
    }
}

/// Whether a congestion control can be had.
///
/// # Errors
/// What can be had instead.
pub fn check_congestion(name: &str) -> Result<(), String> {
    let set = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))
        .and_then(|socket| socket.set_tcp_congestion(name.as_bytes()));
    set.map_err(|error| {
        let path = "/proc/sys/net/ipv4/tcp_available_congestion_control";
        let known = std::fs::read_to_string(path).unwrap_or_default();
        format!("--congestion: {name}: {error}; this machine has: {}", known.trim())
    })
}

/// Makes the end of a socket a reset: the peer hears no goodbye.
pub fn make_abrupt(socket: &Socket) {
    // Refused, the end is an ordinary one.
    let _ = socket.set_linger(Some(Duration::ZERO));
}

/// The congestion control of sockets on which nobody set one.
pub fn default_congestion() -> String {
    let path = "/proc/sys/net/ipv4/tcp_congestion_control";
    std::fs::read_to_string(path).map_or_else(|_| "unknown".into(), |name| name.trim().into())
}

/// How a socket error is called in reports.
pub fn kind(error: Errno) -> &'static str {
    match error {
        Errno::CONNREFUSED => "connection-refused",
        Errno::CONNRESET | Errno::PIPE => "connection-reset",
        Errno::TIMEDOUT => "connection-timed-out",
        _ => "socket-error",
    }
}
