//! The polite part of a server's side of a connection, on a blocking socket.

use bytes::{Buf, BytesMut};
use millstream_rtmp::connection::ServerConnection;
use millstream_rtmp::server::{Play, Publish, ServerEvent, ServerOptions};
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

/// What a client wants.
pub enum Wish {
    Publish(Box<Publish>),
    Play(Box<Play>),
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

    /// Waits for `connect`, and leaves it unanswered.
    pub fn connect(&mut self) -> Option<millstream_rtmp::session::RequestId> {
        loop {
            if let ServerEvent::Connect(connect) = self.next()? {
                return Some(connect.request);
            }
        }
    }

    /// Lets the client in, and waits for what it wants.
    pub fn wish(&mut self) -> Option<Wish> {
        loop {
            match self.next()? {
                ServerEvent::Connect(connect) => self.rtmp.accept_connect(connect.request).unwrap(),
                ServerEvent::Publish(publish) => return Some(Wish::Publish(publish)),
                ServerEvent::Play(play) => return Some(Wish::Play(play)),
                _ => {}
            }
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

    /// Takes in whatever the client sends until it goes.
    pub fn rest(&mut self) {
        while self.next().is_some() {}
    }
}
