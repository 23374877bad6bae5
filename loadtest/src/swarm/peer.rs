//! One connection of the generator: the socket, the RTMP client on it, and its role.
//!
//! Bytes in and out, nothing about when: which connection has its turn is `worker`'s business.

use crate::account::ledger::Ledger;
use bytes::{Buf, BytesMut};
use millstream_rtmp::client::ClientOptions;
use millstream_rtmp::connection::ClientConnection;
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags};
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// The chunk size that publishers announce: few encoders use less than 4,096, most servers take
/// this.
const CHUNK_SIZE: u32 = 65_536;

/// A connection.
pub struct Peer {
    /// The socket, not blocking.
    pub socket: Socket,
    /// The protocol on it.
    pub rtmp: ClientConnection,
    /// What it does.
    pub role: Role,
    /// When it began to connect, nanoseconds.
    pub began_ns: u64,
    /// Bytes that the socket did not take yet.
    unsent: BytesMut,
    /// Whether the poller was asked to tell when there is room.
    pub waits_for_room: bool,
}

/// What a connection does.
pub enum Role {
    /// Sends a stream.
    Publisher(Publisher),
    /// Receives one.
    Player(Player),
}

/// A publisher's place in its stream.
#[derive(Clone, Copy, Debug, Default)]
pub struct Publisher {
    /// Number of the stream.
    pub stream: u32,
    /// When its frame 0 was due; `None` until the server accepted it.
    pub origin_ns: Option<u64>,
    /// The next video frame.
    pub video: u32,
    /// The next audio frame.
    pub audio: u32,
}

/// A player's account.
#[derive(Clone, Copy, Debug, Default)]
pub struct Player {
    /// Number of the stream.
    pub stream: u32,
    /// Video received.
    pub video: Ledger,
    /// Audio received.
    pub audio: Ledger,
    /// Every byte of its frames is compared.
    pub compares: bool,
}

/// What became of a read.
pub enum Got {
    /// So many bytes.
    Bytes(usize),
    /// Nothing now.
    Nothing,
    /// The end, in order or not.
    End(&'static str),
}

impl Peer {
    /// Begins to connect. `source` is the address to come from, if it matters.
    ///
    /// # Errors
    /// If no socket can be had or the address cannot be reached.
    pub fn connect(
        target: &Target,
        source: Option<Ipv4Addr>,
        entropy: [u8; 32],
        role: Role,
        now_ns: u64,
    ) -> io::Result<Self> {
        let options = ClientOptions {
            chunk_size: CHUNK_SIZE,
            ..ClientOptions::new(target.app.clone(), target.tc_url.clone())
        };
        let rtmp = ClientConnection::new(options, entropy).map_err(io::Error::other)?;
        let socket =
            Socket::new(Domain::for_address(target.address), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_nonblocking(true)?;
        socket.set_tcp_nodelay(true)?;
        if let Some(source) = source {
            socket.bind(&SocketAddr::new(IpAddr::V4(source), 0).into())?;
        }
        match socket.connect(&target.address.into()) {
            Err(error) if Errno::from_io_error(&error) != Some(Errno::INPROGRESS) => {
                return Err(error);
            }
            _ => {}
        }
        Ok(Self {
            socket,
            rtmp,
            role,
            began_ns: now_ns,
            unsent: BytesMut::new(),
            waits_for_room: true,
        })
    }

    /// Reads what is there, as far as the buffer reaches.
    pub fn read(&self, buffer: &mut [u8]) -> Got {
        match rustix::net::recv(&self.socket, buffer, RecvFlags::DONTWAIT) {
            Ok((0, _)) => Got::End("closed"),
            Ok((count, _)) => Got::Bytes(count),
            Err(Errno::AGAIN | Errno::INTR) => Got::Nothing,
            Err(error) => Got::End(kind(error)),
        }
    }

    /// Sends what the protocol has to say, and the rest from before.
    ///
    /// # Errors
    /// The kind of error that ended the connection.
    pub fn flush(&mut self) -> Result<(), &'static str> {
        let output = self.rtmp.output();
        if self.unsent.is_empty() {
            std::mem::swap(&mut self.unsent, output);
        } else if !output.is_empty() {
            self.unsent.extend_from_slice(output);
            output.clear();
        }
        while !self.unsent.is_empty() {
            let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
            match rustix::net::send(&self.socket, &self.unsent, flags) {
                Ok(sent) => self.unsent.advance(sent),
                Err(Errno::AGAIN | Errno::INTR | Errno::NOTCONN) => break,
                Err(error) => return Err(kind(error)),
            }
        }
        if self.unsent.is_empty() && matches!(self.role, Role::Player(_)) {
            // Players say next to nothing: thousands of idle buffers are not kept.
            self.unsent = BytesMut::new();
        }
        Ok(())
    }

    /// Bytes that wait for the socket.
    pub fn unsent(&self) -> usize {
        self.unsent.len()
    }
}

/// Where to connect.
#[derive(Clone, Debug)]
pub struct Target {
    /// Host and port.
    pub address: SocketAddr,
    /// The application.
    pub app: String,
    /// The URL of the application.
    pub tc_url: String,
    /// The stream's name, query and all, with `{}` where its number stands.
    pub name: String,
}

impl Target {
    /// The name of a stream.
    pub fn stream(&self, number: u32) -> String {
        self.name.replace("{}", &number.to_string())
    }
}

fn kind(error: Errno) -> &'static str {
    match error {
        Errno::CONNREFUSED => "connection-refused",
        Errno::CONNRESET | Errno::PIPE => "connection-reset",
        Errno::TIMEDOUT => "connection-timed-out",
        _ => "socket-error",
    }
}
