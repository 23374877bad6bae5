//! The client's side of a session, on messages (RTMP 1.0, section 7.2).
//!
//! Ask with [`ClientSession::publish`] and [`ClientSession::play`], before or after
//! [`ClientSession::connect`]; give [`ClientSession::receive`] each message of the server; take
//! events and messages to send until there are none. The commands go out in the order of OBS.
//!
//! Handshake, chunks, windows and acknowledgements do not belong here: see `connection`.

mod actions;
mod event;
mod options;
mod replies;
mod streams;

pub use event::{
    ClientEvent, ConnectRefused, Connected, Reconnect, Refused, ServerCommand, Status,
};
pub use options::{ClientOptions, PlayOptions};

use crate::aggregate::split_aggregate;
use crate::command::Command;
use crate::control::{Control, UserControl};
use crate::limits::{EVENTS_KEPT, UNREAD_ANSWERS_MAX};
use crate::message::{Message, MessageType};
use crate::session::{RequestId, SessionError, open_data};
use std::collections::VecDeque;
use std::fmt;
use streams::Streams;

/// The state machine of one server.
pub struct ClientSession {
    options: Box<ClientOptions>,
    phase: Phase,
    streams: Streams,
    outgoing: VecDeque<Message>,
    events: VecDeque<ClientEvent>,
    /// The newest ping not answered yet.
    owed_pong: Option<u32>,
    transactions: u32,
    /// The newest commands of the caller's own that wait for an answer, oldest first.
    calls: VecDeque<u32>,
    requests: u32,
    /// The server knows our window.
    window_told: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    New,
    Connecting,
    Connected,
    Closed,
}

impl ClientSession {
    /// A session that has said nothing yet.
    pub fn new(options: ClientOptions) -> Self {
        Self {
            options: Box::new(options),
            phase: Phase::New,
            streams: Streams::default(),
            outgoing: VecDeque::new(),
            events: VecDeque::new(),
            owed_pong: None,
            transactions: 0,
            calls: VecDeque::new(),
            requests: 0,
            window_told: false,
        }
    }

    /// Takes one message of the server in. Messages of the chunk layer are ignored here.
    ///
    /// # Errors
    /// [`SessionError`] when the server is beyond tolerance. The session must not be used further.
    pub fn receive(&mut self, message: Message) -> Result<(), SessionError> {
        if let Some(event) = self.step(message)? {
            self.events.push_back(event);
        }
        if self.outgoing.len() > UNREAD_ANSWERS_MAX {
            return Err(SessionError::AnswersUnread);
        }
        Ok(())
    }

    /// The next thing the server did.
    pub fn next_event(&mut self) -> Option<ClientEvent> {
        let event = self.events.pop_front();
        if self.events.is_empty() && self.events.capacity() > EVENTS_KEPT {
            self.events = VecDeque::new();
        }
        event
    }

    /// The next message to send.
    pub fn next_message(&mut self) -> Option<Message> {
        self.next_answer().or_else(|| self.take_pong())
    }

    /// The publish or play on a message stream, from when it is asked for on it.
    pub fn request_on(&self, stream_id: u32) -> Option<RequestId> {
        self.streams.on(stream_id)
    }

    /// Whether the server accepted `connect`.
    pub fn is_connected(&self) -> bool {
        self.phase == Phase::Connected
    }

    /// The next message to send, pongs apart.
    pub(crate) fn next_answer(&mut self) -> Option<Message> {
        let message = self.outgoing.pop_front();
        if message.is_none() {
            // Commands come in a burst at the start; a running stream keeps no buffer for them.
            self.outgoing = VecDeque::new();
        }
        message
    }

    /// The answer to the newest ping.
    pub(crate) fn take_pong(&mut self) -> Option<Message> {
        let timestamp = self.owed_pong.take()?;
        Some(Control::User(UserControl::PingResponse(timestamp)).encode())
    }

    /// Takes a message in and returns its event, without a turn through the queue.
    pub(crate) fn step(&mut self, message: Message) -> Result<Option<ClientEvent>, SessionError> {
        match message.kind {
            MessageType::AUDIO | MessageType::VIDEO => Ok(Some(ClientEvent::Media(message))),
            MessageType::DATA_AMF0 | MessageType::DATA_AMF3 => {
                let bytes_max = self.options.data_bytes_max;
                if message.payload.len() > bytes_max as usize {
                    return Err(SessionError::DataTooLong { bytes: message.payload.len() });
                }
                Ok(Some(ClientEvent::Data(open_data(&message, bytes_max))))
            }
            MessageType::COMMAND_AMF0 | MessageType::COMMAND_AMF3 => {
                Ok(self.command(Command::decode(&message)?))
            }
            MessageType::USER_CONTROL => self.user_control(&message),
            MessageType::AGGREGATE => {
                for part in split_aggregate(&message)? {
                    if let Some(event) = self.step(part?)? {
                        self.events.push_back(event);
                    }
                }
                Ok(None)
            }
            _ => Ok(None),
        }
    }

    fn user_control(&mut self, message: &Message) -> Result<Option<ClientEvent>, SessionError> {
        let Some(Control::User(control)) = Control::decode(message)? else {
            return Ok(None);
        };
        Ok(match control {
            UserControl::PingRequest(timestamp) => {
                self.owed_pong = Some(timestamp);
                None
            }
            UserControl::PingResponse(timestamp) => Some(ClientEvent::Pong { timestamp }),
            UserControl::StreamBegin(stream_id) => Some(ClientEvent::StreamBegin { stream_id }),
            UserControl::StreamEof(stream_id) => Some(ClientEvent::StreamEof { stream_id }),
            _ => None,
        })
    }

    /// The next transaction id: whole numbers from 1, which `connect` has.
    fn transaction(&mut self) -> u32 {
        self.transactions = self.transactions.wrapping_add(1);
        self.transactions
    }
}

/// Names and what waits to be sent are left out: keys stand in them.
impl fmt::Debug for ClientSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientSession")
            .field("phase", &self.phase)
            .field("streams", &self.streams.len())
            .field("transactions", &self.transactions)
            .finish_non_exhaustive()
    }
}
