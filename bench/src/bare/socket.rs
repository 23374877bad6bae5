//! The listening socket, and what is set on the connections that it accepts.

use rustix::net::{AddressFamily, SocketFlags, SocketType, ipproto, sockopt};
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;

/// What is set on each connection.
#[derive(Clone, Debug, Default)]
pub struct SocketOptions {
    /// Leave Nagle's algorithm on: `TCP_NODELAY` is not set.
    pub nagle: bool,
    /// The congestion control, by its name; the system's if there is none.
    pub congestion: Option<String>,
}

impl SocketOptions {
    /// Sets them.
    ///
    /// # Errors
    /// If the system has no such congestion control.
    pub fn set_on(&self, socket: &OwnedFd) -> rustix::io::Result<()> {
        sockopt::set_tcp_nodelay(socket, !self.nagle)?;
        match &self.congestion {
            Some(name) => sockopt::set_tcp_congestion(socket, name),
            None => Ok(()),
        }
    }
}

/// A socket that listens, and the address that it got.
///
/// # Errors
/// If the address is taken or not this machine's.
pub fn listen(address: SocketAddr) -> io::Result<(OwnedFd, SocketAddr)> {
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let socket = rustix::net::socket_with(family, SocketType::STREAM, flags, Some(ipproto::TCP))?;
    sockopt::set_socket_reuseaddr(&socket, true)?;
    rustix::net::bind(&socket, &address)?;
    // The system lowers it to what it allows.
    rustix::net::listen(&socket, 65_535)?;
    let address = rustix::net::getsockname(&socket)?.try_into()?;
    Ok((socket, address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_set_and_an_unknown_congestion_control_is_an_error() {
        let (socket, address) = listen("127.0.0.1:0".parse().unwrap()).unwrap();
        assert_ne!(address.port(), 0);
        SocketOptions::default().set_on(&socket).unwrap();
        assert!(sockopt::tcp_nodelay(&socket).unwrap());
        let nagle = SocketOptions { nagle: true, congestion: Some("reno".into()) };
        nagle.set_on(&socket).unwrap();
        assert!(!sockopt::tcp_nodelay(&socket).unwrap());
        assert_eq!(sockopt::tcp_congestion(&socket).unwrap(), "reno");
        let unknown = SocketOptions { congestion: Some("no-such".into()), ..nagle };
        assert!(unknown.set_on(&socket).is_err());
    }
}
