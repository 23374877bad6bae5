//! The server's side on bytes. The answers stand in `server_answers`.

use super::error::{ConnectionError, ConnectionErrorKind};
use super::link::{Link, Received};
use crate::handshake::{Progress, ServerHandshake};
use crate::server::{ServerEvent, ServerOptions, ServerSession};
use bytes::BytesMut;

/// One peer of a server, from its first byte on.
///
/// An idle one takes a few hundred bytes; the handshake's state is dropped when it is done.
#[derive(Debug)]
pub struct ServerConnection {
    /// Until the handshake is done.
    handshake: Option<Box<ServerHandshake>>,
    pub(super) link: Link,
    pub(super) session: ServerSession,
    ended: bool,
}

impl ServerConnection {
    /// A connection whose peer has sent nothing yet. The handshake's random fields come out of
    /// `entropy`, which shall differ from connection to connection.
    pub fn new(options: &ServerOptions, entropy: [u8; 32]) -> Self {
        Self {
            handshake: Some(Box::new(ServerHandshake::new(entropy))),
            link: Link::new(options.chunk_limits, options.window_ack_size),
            session: ServerSession::new(options),
            ended: false,
        }
    }

    /// Takes bytes from the front of `input` up to the next event; nothing when all are taken.
    ///
    /// # Errors
    /// [`ConnectionError`]; the connection is at its end then. What stands in the output may
    /// still be sent.
    pub fn receive(&mut self, input: &mut &[u8]) -> Result<Option<ServerEvent>, ConnectionError> {
        let received =
            if self.ended { Err(ConnectionErrorKind::Ended) } else { self.advance(input) };
        received.map_err(|kind| {
            self.ended = true;
            self.drain();
            ConnectionError { at: self.link.flow.received(), kind }
        })
    }

    /// Bytes to send. Take them out (`split`, `clear`, `std::mem::take`): answers that nobody
    /// takes end the connection.
    pub fn output(&mut self) -> &mut BytesMut {
        &mut self.link.output
    }

    /// Whether the handshake is done.
    pub fn is_open(&self) -> bool {
        self.handshake.is_none()
    }

    /// Whether `connect` was accepted.
    pub fn is_connected(&self) -> bool {
        self.session.is_connected()
    }

    /// Bytes received, handshake included.
    pub fn bytes_received(&self) -> u64 {
        self.link.flow.received()
    }

    /// Messages received that were neither audio nor video. What a flood of them can make us send
    /// is bounded here; how many are too many per second is for a caller with a clock to say.
    pub fn other_messages(&self) -> u64 {
        self.link.other_messages
    }

    /// Bytes held of messages that have not arrived whole.
    pub fn reassembly_bytes(&self) -> usize {
        self.link.reassembly_bytes()
    }

    fn advance(&mut self, input: &mut &[u8]) -> Result<Option<ServerEvent>, ConnectionErrorKind> {
        if let Some(handshake) = &mut self.handshake {
            let before = input.len();
            let progress = handshake.receive(input, &mut self.link.output);
            self.link.flow.count(before - input.len());
            match progress? {
                Progress::NeedMore => return Ok(None),
                Progress::Done => self.handshake = None,
            }
        }
        let event = self.next(input)?;
        let pong = self.session.take_pong();
        self.link.settle(pong)?;
        Ok(event)
    }

    fn next(&mut self, input: &mut &[u8]) -> Result<Option<ServerEvent>, ConnectionErrorKind> {
        loop {
            if let Some(event) = self.session.next_event() {
                return Ok(Some(event));
            }
            self.session.take_fault()?;
            let event = match self.link.read(input)? {
                None => return Ok(None),
                Some(Received::Acknowledged(bytes)) => Some(ServerEvent::Acknowledged { bytes }),
                Some(Received::Message(message)) => self.session.step(message)?,
            };
            while let Some(message) = self.session.next_answer() {
                self.link.answer(&message);
            }
            if event.is_some() {
                return Ok(event);
            }
        }
    }

    /// Writes the session's answers.
    pub(super) fn drain(&mut self) {
        while let Some(message) = self.session.next_answer() {
            self.link.write(&message);
        }
    }
}
