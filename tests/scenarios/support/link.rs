//! A client's connection: a socket that never blocks, and the protocol on it.

use bytes::{Buf, BytesMut};
use millstream_rtmp::client::{ClientEvent, ClientOptions};
use millstream_rtmp::connection::ClientConnection;
use socket2::{Domain, Socket, Type};
use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::time::Duration;

/// How a client connects.
#[derive(Clone, Copy, Debug, Default)]
pub struct Dial {
    /// The address it comes from, if not the usual one.
    pub from: Option<IpAddr>,
    /// The size of the socket's receive buffer: small ones make slow readers felt at once.
    pub receive_buffer: Option<usize>,
}

/// One connection.
pub struct Link {
    socket: Option<TcpStream>,
    pub protocol: ClientConnection,
    out: BytesMut,
    /// Bytes received.
    pub received: u64,
    buffer: Vec<u8>,
}

impl Link {
    pub fn open(server: SocketAddr, app: &str, dial: Dial) -> Self {
        let socket = Socket::new(Domain::for_address(server), Type::STREAM, None)
            .expect("a descriptor is left");
        if let Some(bytes) = dial.receive_buffer {
            socket.set_recv_buffer_size(bytes).expect("the size is settable");
        }
        if let Some(from) = dial.from {
            socket.bind(&SocketAddr::new(from, 0).into()).expect("it is on loopback");
        }
        socket
            .connect_timeout(&server.into(), Duration::from_secs(10))
            .expect("the server accepts");
        let socket = TcpStream::from(socket);
        socket.set_nodelay(true).expect("it is a TCP socket");
        socket.set_nonblocking(true).expect("it is a socket");
        let mut options = ClientOptions::new(app, format!("rtmp://{server}/{app}"));
        options.chunk_size = 60_000;
        let protocol = ClientConnection::new(options, [7; 32]).expect("the options are short");
        let buffer = vec![0; 256 * 1024];
        Self { socket: Some(socket), protocol, out: BytesMut::new(), received: 0, buffer }
    }

    /// The socket, while it is open.
    pub fn socket(&self) -> Option<&TcpStream> {
        self.socket.as_ref()
    }

    pub fn is_open(&self) -> bool {
        self.socket.is_some()
    }

    /// Closes without a word: to the server it looks like a crash.
    pub fn kill(&mut self) {
        self.socket = None;
    }

    /// Closes by a reset.
    pub fn reset(&mut self) {
        if let Some(socket) = self.socket.take() {
            let socket = Socket::from(socket);
            socket.set_linger(Some(Duration::ZERO)).expect("it is a TCP socket");
        }
    }

    /// Whether bytes wait to be sent.
    pub fn has_output(&mut self) -> bool {
        !self.out.is_empty() || !self.protocol.output().is_empty()
    }

    /// Sends what the socket takes.
    pub fn send(&mut self) {
        let produced = self.protocol.output().split();
        self.out.extend_from_slice(&produced);
        while !self.out.is_empty() {
            let Some(socket) = &mut self.socket else { return };
            match socket.write(&self.out) {
                Ok(count) => self.out.advance(count),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(_) => self.socket = None,
            }
        }
    }

    /// Reads at most `most` bytes and hands over the events in them.
    pub fn receive(&mut self, most: usize, mut event: impl FnMut(ClientEvent)) {
        let Some(socket) = &mut self.socket else { return };
        let room = most.min(self.buffer.len());
        match socket.read(&mut self.buffer[..room]) {
            Ok(0) => self.socket = None,
            Ok(count) => {
                self.received += count as u64;
                let mut input = &self.buffer[..count];
                loop {
                    match self.protocol.receive(&mut input) {
                        Ok(Some(happened)) => event(happened),
                        Ok(None) => break,
                        Err(error) => panic!("what the server sent is no RTMP: {error}"),
                    }
                }
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(_) => self.socket = None,
        }
    }
}
