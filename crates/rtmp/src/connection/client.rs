//! The client's side on bytes. The actions stand in `client_actions`.

use super::error::{ConnectionError, ConnectionErrorKind};
use super::link::{Link, Received};
use crate::client::{ClientEvent, ClientOptions, ClientSession};
use crate::handshake::{ClientHandshake, Progress};
use crate::session::{AnswerError, RequestId};
use bytes::BytesMut;
use std::fmt;

/// One connection to a server, from the first byte on. The handshake stands in the output at
/// once; `connect` follows by itself.
pub struct ClientConnection {
    /// Until the handshake is done.
    handshake: Option<Box<ClientHandshake>>,
    pub(super) link: Link,
    pub(super) session: ClientSession,
    ended: bool,
}

impl ClientConnection {
    /// A connection whose first bytes are to be sent. The handshake's random fields come out of
    /// `entropy`, which shall differ from connection to connection.
    ///
    /// # Errors
    /// [`AnswerError::NotEncodable`] when the options cannot be written.
    pub fn new(options: ClientOptions, entropy: [u8; 32]) -> Result<Self, AnswerError> {
        let mut link = Link::new(options.chunk_limits, options.window_ack_size);
        let mut handshake = Box::new(ClientHandshake::new(entropy, options.handshake));
        handshake.start(&mut link.output);
        let mut session = ClientSession::new(options);
        session.connect()?;
        Ok(Self { handshake: Some(handshake), link, session, ended: false })
    }

    /// Takes bytes from the front of `input` up to the next event; nothing when all are taken.
    ///
    /// # Errors
    /// [`ConnectionError`]; the connection is at its end then.
    pub fn receive(&mut self, input: &mut &[u8]) -> Result<Option<ClientEvent>, ConnectionError> {
        let received =
            if self.ended { Err(ConnectionErrorKind::Ended) } else { self.advance(input) };
        received.map_err(|kind| {
            self.ended = true;
            ConnectionError { at: self.link.flow.received(), kind }
        })
    }

    /// Bytes to send. Take them out (`split`, `clear`, `std::mem::take`).
    pub fn output(&mut self) -> &mut BytesMut {
        &mut self.link.output
    }

    /// Whether the handshake is done.
    pub fn is_open(&self) -> bool {
        self.handshake.is_none()
    }

    /// Whether the server accepted `connect`.
    pub fn is_connected(&self) -> bool {
        self.session.is_connected()
    }

    /// The publish or play on a message stream, from when it is asked for on it.
    pub fn request_on(&self, stream_id: u32) -> Option<RequestId> {
        self.session.request_on(stream_id)
    }

    /// Bytes received, handshake included.
    pub fn bytes_received(&self) -> u64 {
        self.link.flow.received()
    }

    fn advance(&mut self, input: &mut &[u8]) -> Result<Option<ClientEvent>, ConnectionErrorKind> {
        if let Some(handshake) = &mut self.handshake {
            let before = input.len();
            let progress = handshake.receive(input, &mut self.link.output);
            self.link.flow.count(before - input.len());
            match progress? {
                Progress::NeedMore => return Ok(None),
                Progress::Done => self.handshake = None,
            }
            self.drain();
        }
        let event = self.next(input)?;
        let pong = self.session.take_pong();
        self.link.settle(pong)?;
        Ok(event)
    }

    fn next(&mut self, input: &mut &[u8]) -> Result<Option<ClientEvent>, ConnectionErrorKind> {
        loop {
            if let Some(event) = self.session.next_event() {
                return Ok(Some(event));
            }
            let event = match self.link.read(input)? {
                None => return Ok(None),
                Some(Received::Acknowledged(bytes)) => Some(ClientEvent::Acknowledged { bytes }),
                Some(Received::Message(message)) => self.session.step(message)?,
            };
            self.drain();
            if event.is_some() {
                return Ok(event);
            }
        }
    }

    /// Writes the session's messages; before the handshake is done they wait.
    pub(super) fn drain(&mut self) {
        if self.handshake.is_some() {
            return;
        }
        while let Some(message) = self.session.next_answer() {
            self.link.write(&message);
        }
    }
}

/// The bytes on their way are left out: keys stand in them.
impl fmt::Debug for ClientConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientConnection")
            .field("is_open", &self.is_open())
            .field("session", &self.session)
            .field("bytes_received", &self.bytes_received())
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}
