//! The client as a machine without IO: bytes and wishes in; bytes and events out. What may wait for
//! the socket is the `uplink`'s; sockets, clocks and waiting are the callers'.
//!
//! How events come about stands in `translate`, what they are in `event`, how media is handed over in
//! `send`.

mod event;
mod send;
mod translate;

pub use event::{Event, Stop};
pub use send::SendError;

use crate::error::{Aim, Error};
use crate::options::Options;
use crate::secrets::Secrets;
use crate::uplink::{Outgoing, Uplink, UplinkStats};
use bytes::{Buf, BytesMut};
use millstream_flv::TagKind;
use millstream_rtmp::client::PlayOptions;
use millstream_rtmp::connection::ClientConnection;
use millstream_rtmp::message::MessageType;
use millstream_rtmp::session::{AnswerError, PublishMode, RequestId};
use std::collections::VecDeque;
use std::fmt;

/// Bytes that are made ready for the socket at once. What is ready cannot be left out any more, so it
/// is not much; a message is never cut.
const READY_BYTES: usize = 64 * 1024;

/// One connection to a server, with any number of publishes and plays on it, up to
/// [`MESSAGE_STREAMS_MAX`](millstream_rtmp::limits::MESSAGE_STREAMS_MAX).
///
/// Send what [`outgoing`](Self::outgoing) gives and tell by [`sent`](Self::sent) how much the socket
/// took; hand what arrives to [`receive`](Self::receive) until it returns no more events. That is the one
/// rule: look at `outgoing` after each call.
pub struct Client {
    wire: ClientConnection,
    streams: Vec<Stream>,
    uplink: Uplink,
    /// What is ready for the socket.
    ready: BytesMut,
    /// Events behind the one that was returned.
    events: VecDeque<Event>,
    secrets: Secrets,
    bytes_sent: u64,
    finishing: bool,
    /// The server has accepted `connect`, whatever it did since.
    was_connected: bool,
    /// What went on when the server ended the connection by command.
    closed_while: Option<Aim>,
}

/// A publish or play that has not ended.
#[derive(Clone, Copy, Debug)]
struct Stream {
    id: RequestId,
    aim: Aim,
}

impl Client {
    /// A connection whose first bytes are ready to be sent. Handshake and `connect` go on by themselves.
    ///
    /// # Errors
    /// [`Error::Request`] when the options cannot be written.
    pub fn new(options: Options) -> Result<Self, Error> {
        let wire = ClientConnection::new(options.session, options.entropy)?;
        Ok(Self {
            wire,
            streams: Vec::new(),
            uplink: Uplink::new(options.uplink),
            ready: BytesMut::new(),
            events: VecDeque::new(),
            secrets: options.secrets,
            bytes_sent: 0,
            finishing: false,
            was_connected: false,
            closed_while: None,
        })
    }

    /// Asks to publish under a name, query and all. [`Event::Publishing`] or [`Event::Refused`] answers.
    ///
    /// # Errors
    /// [`AnswerError::WrongState`] when the connection is at its end or has as many streams as it may.
    pub fn publish(&mut self, name: &str, mode: PublishMode) -> Result<RequestId, AnswerError> {
        self.secrets.learn_name(name, true);
        let id = self.wire.publish(name, mode)?;
        self.streams.push(Stream { id, aim: Aim::Publish });
        Ok(id)
    }

    /// Asks to play a name, query and all. [`Event::Playing`] or [`Event::Refused`] answers.
    ///
    /// # Errors
    /// As [`Client::publish`].
    pub fn play(&mut self, name: &str, options: PlayOptions) -> Result<RequestId, AnswerError> {
        self.secrets.learn_name(name, false);
        let id = self.wire.play(name, options)?;
        self.streams.push(Stream { id, aim: Aim::Play });
        Ok(id)
    }

    /// Ends a publish behind all that is queued of it, with `FCUnpublish` and `deleteStream` as OBS
    /// does, or a play at once. A request without an answer is taken back.
    ///
    /// # Errors
    /// [`AnswerError::NotOpen`] when it has ended before.
    pub fn close(&mut self, stream: RequestId) -> Result<(), AnswerError> {
        let at = self.streams.iter().position(|open| open.id == stream);
        self.streams.remove(at.ok_or(AnswerError::NotOpen)?);
        // A publish that was accepted has a queue, and goes when that is empty.
        if self.uplink.end(stream) { Ok(()) } else { self.wire.close(stream) }
    }

    /// Ends all publishes and plays. When [`Client::is_drained`] says so, the socket can be closed.
    pub fn finish(&mut self) {
        self.finishing = true;
        for stream in std::mem::take(&mut self.streams) {
            if !self.uplink.end(stream.id) {
                // It may have ended meanwhile, which is what is wanted.
                let _ = self.wire.close(stream.id);
            }
        }
    }

    /// Tells how much we buffer of a play, in milliseconds.
    ///
    /// # Errors
    /// [`AnswerError::NotOpen`] before its answer and after its end.
    pub fn set_buffer_length(&mut self, stream: RequestId, ms: u32) -> Result<(), AnswerError> {
        self.wire.set_buffer_length(stream, ms)
    }

    /// Pauses a play or goes on, at a time in milliseconds.
    ///
    /// # Errors
    /// As [`Client::set_buffer_length`].
    pub fn pause(&mut self, stream: RequestId, paused: bool, ms: u32) -> Result<(), AnswerError> {
        self.wire.pause(stream, paused, f64::from(ms))
    }

    /// Asks for a sign of life, [`Event::Pong`].
    pub fn ping(&mut self, timestamp: u32) {
        self.wire.ping(timestamp);
    }

    /// What is to be sent next; nothing when all was. It stays the same until [`Client::sent`] is told.
    pub fn outgoing(&mut self) -> &[u8] {
        if self.ready.is_empty() {
            // Answers and commands first, then media, as long as there is room. Media is written and taken
            // out in one go, so that the connection sees by its output which answers nobody reads.
            while self.wire.is_connected() && self.wire.output().len() < READY_BYTES {
                match self.uplink.pop() {
                    Some(Outgoing::Tag { message_stream, tag }) => {
                        let kind = match tag.kind {
                            TagKind::Audio => MessageType::AUDIO,
                            TagKind::Video => MessageType::VIDEO,
                            TagKind::Script => MessageType::DATA_AMF0,
                        };
                        // The queue of a stream that has ended is forgotten, and what is too long was refused.
                        let _ = self.wire.send_media_on(
                            message_stream,
                            kind,
                            tag.timestamp,
                            tag.payload,
                        );
                    }
                    Some(Outgoing::End(stream)) => {
                        let _ = self.wire.close(stream);
                    }
                    None => break,
                }
            }
            self.ready = self.wire.output().split();
        }
        &self.ready
    }

    /// The socket took so many bytes of [`Client::outgoing`].
    ///
    /// # Panics
    /// If that is more than there were.
    pub fn sent(&mut self, bytes: usize) {
        self.ready.advance(bytes);
        self.bytes_sent += bytes as u64;
    }

    /// Takes bytes from the front of `input` up to the next event; nothing when all are taken.
    ///
    /// # Errors
    /// [`Error::Protocol`]; the connection is at its end then.
    pub fn receive(&mut self, input: &mut &[u8]) -> Result<Option<Event>, Error> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Ok(Some(event));
            }
            match self.wire.receive(input)? {
                Some(event) => self.translate(event),
                None => return Ok(None),
            }
        }
    }

    /// The message stream of a publish, from its answer to its end: for applications that write its media
    /// beside this client, between whole messages, with chunk stream ids of their own.
    pub fn message_stream(&self, stream: RequestId) -> Option<u32> {
        self.uplink.message_stream(stream)
    }

    /// What a publish has sent, left out and queued; nothing before its answer and after its end.
    pub fn uplink(&self, stream: RequestId) -> Option<UplinkStats> {
        self.uplink.stats(stream)
    }

    /// Whether the server accepted `connect`, and has not taken that back by [`Event::Closed`].
    pub fn is_connected(&self) -> bool {
        self.wire.is_connected()
    }

    /// Whether everything that was wanted is sent.
    pub fn is_drained(&mut self) -> bool {
        self.ready.is_empty() && self.wire.output().is_empty() && self.uplink.is_empty()
    }

    /// Whether [`Client::finish`] was called.
    pub fn is_finishing(&self) -> bool {
        self.finishing
    }

    /// Bytes received, handshake included.
    pub fn bytes_received(&self) -> u64 {
        self.wire.bytes_received()
    }

    /// Bytes sent, handshake included.
    pub fn bytes_sent(&self) -> u64 {
        self.bytes_sent
    }

    /// What goes on, for errors: the first stream's aim. Behind [`Event::Closed`], what went on before.
    pub fn aim(&self) -> Aim {
        if let Some(aim) = self.closed_while {
            return aim;
        }
        if !self.was_connected {
            return Aim::Connect;
        }
        self.streams.first().map_or(Aim::Connect, |stream| stream.aim)
    }

    /// How a run ends by an error: well, if the server has left when nothing was published or played.
    pub(crate) fn run_ends_by(&self, error: Error) -> Result<(), Error> {
        match error {
            Error::Closed { aim: Aim::Connect } if self.was_connected => Ok(()),
            error => Err(error),
        }
    }
}

/// What is queued and what waits to be sent is left out: names stand in it, and with them keys.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("wire", &self.wire)
            .field("streams", &self.streams)
            .field("ready_bytes", &self.ready.len())
            .field("secrets", &self.secrets)
            .field("bytes_sent", &self.bytes_sent)
            .field("finishing", &self.finishing)
            .finish_non_exhaustive()
    }
}
