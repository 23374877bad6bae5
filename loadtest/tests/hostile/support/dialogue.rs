//! The polite part of a server's side of a connection, on a blocking socket.

use bytes::{Buf, BytesMut};
use millstream_rtmp::connection::ServerConnection;
use millstream_rtmp::server::{ServerEvent, ServerOptions};
use std::io::{Read, Write};
use std::net::TcpStream;

/// A connection, read from its socket and answered to `out`.
pub struct Dialogue<W> {
    pub socket: TcpStream,
    pub rtmp: ServerConnection,
    out: W,
    /// Bytes read and not taken in yet.
    unread: BytesMut,
}

impl<W: Write> Dialogue<W> {
    pub fn new(socket: TcpStream, out: W, options: &ServerOptions) -> Self {
        let rtmp = ServerConnection::new(options, [7; 32]);
        Self { socket, rtmp, out, unread: BytesMut::new() }
    }

    /// The next thing the client does; nothing when it is gone. Answers go out on the way.
    pub fn next(&mut self) -> Option<ServerEvent> {
        let mut buffer = [0; 16 * 1024];
        loop {
            let mut input = &self.unread[..];
            let event = self.rtmp.receive(&mut input).expect("the client keeps to the protocol");
            let taken = self.unread.len() - input.len();
            self.unread.advance(taken);
            self.flush()?;
            if event.is_some() {
                return event;
            }
            let count = self.socket.read(&mut buffer).ok().filter(|count| *count > 0)?;
            self.unread.extend_from_slice(&buffer[..count]);
        }
    }

    /// Sends the answers given; nothing if the client is gone.
    pub fn flush(&mut self) -> Option<()> {
        let output = self.rtmp.output().split();
        self.send(&output)
    }

    /// Sends bytes as they are; nothing if the client is gone.
    pub fn send(&mut self, bytes: &[u8]) -> Option<()> {
        self.out.write_all(bytes).ok()
    }
}
