//! The server's side of a session, on messages (RTMP 1.0, section 7.2).
//!
//! Give [`ServerSession::receive`] each message of the peer, then take events with
//! [`ServerSession::next_event`] and messages to send with [`ServerSession::next_message`] until
//! there are none. Requests (`connect`, `publish`, `play`) are answered by the caller, at once or
//! later and in any order; the peer's messages that wait for an answer are held meanwhile, up to
//! a limit.
//!
//! Handshake, chunks, windows and acknowledgements do not belong here: see `connection`.

mod answers;
mod commands;
mod connect;
mod event;
mod held;
mod media;
mod notices;
mod options;
mod queue;
mod requests;
mod streams;

pub use connect::{CAN_FORWARD, CAPS_EX_ALL, Connect};
pub use event::{EndReason, Play, PlayFrom, Publish, ServerEvent, UnknownCommand};
pub use options::ServerOptions;

use crate::chunk::CHUNK_SIZE_MAX;
use crate::command::Command;
use crate::control::{Control, UserControl};
use crate::limits::{REFUSALS_MAX, UNREAD_ANSWERS_MAX};
use crate::message::{Message, MessageType};
use crate::session::{Early, RequestId, SessionError};
use held::Held;
use queue::Queue;
use std::sync::Arc;
use streams::Streams;

/// The state machine of one peer.
///
/// ```text
/// New --connect--> Connecting --accept--> Connected
///                      '------reject----> Refused
/// ```
#[derive(Debug)]
pub struct ServerSession {
    settings: Settings,
    phase: Phase,
    streams: Streams,
    /// Answers not taken yet.
    outgoing: Queue<Message>,
    /// Events not taken yet.
    events: Queue<ServerEvent>,
    /// The newest ping not answered yet. A flood of pings between two takes gets one answer.
    owed_pong: Option<u32>,
    /// What went wrong while held messages were released; the next `receive` reports it.
    fault: Option<Box<SessionError>>,
    fms_ver: Arc<str>,
    requests: u32,
    refusals: u32,
    strays: u32,
}

/// What a session keeps of the options.
#[derive(Clone, Copy, Debug)]
struct Settings {
    chunk_size: u32,
    window_ack_size: u32,
    peer_bandwidth: u32,
    caps_ex: u32,
    held_bytes_max: u32,
    data_bytes_max: u32,
    flash_data: bool,
}

#[derive(Debug)]
enum Phase {
    New,
    Connecting(Box<Connecting>),
    Connected,
    Refused,
}

#[derive(Debug)]
struct Connecting {
    request: RequestId,
    transaction: f64,
    held: Held,
}

impl ServerSession {
    /// A session that waits for `connect`.
    pub fn new(options: &ServerOptions) -> Self {
        Self {
            settings: Settings {
                // The writer refuses what the protocol does not allow.
                chunk_size: options.chunk_size.clamp(1, CHUNK_SIZE_MAX),
                window_ack_size: options.window_ack_size,
                peer_bandwidth: options.peer_bandwidth,
                caps_ex: options.caps_ex,
                held_bytes_max: options.held_bytes_max,
                data_bytes_max: options.data_bytes_max,
                flash_data: options.flash_data,
            },
            phase: Phase::New,
            streams: Streams::default(),
            outgoing: Queue::new(),
            events: Queue::new(),
            owed_pong: None,
            fault: None,
            fms_ver: Arc::clone(&options.fms_ver),
            requests: 0,
            refusals: 0,
            strays: 0,
        }
    }

    /// Takes one message of the peer in.
    ///
    /// Messages of the chunk layer (set chunk size, abort, acknowledgement, windows) are not for
    /// the session and are ignored here, as are shared objects and unknown types.
    ///
    /// # Errors
    /// [`SessionError`] when the peer is beyond tolerance. The session must not be used further
    /// than for taking what it still wants to say.
    pub fn receive(&mut self, message: Message) -> Result<(), SessionError> {
        if let Some(event) = self.step(message)? {
            self.events.push_back(event);
        }
        if self.outgoing.len() > UNREAD_ANSWERS_MAX {
            return Err(SessionError::AnswersUnread);
        }
        Ok(())
    }

    /// The next thing the peer did.
    pub fn next_event(&mut self) -> Option<ServerEvent> {
        self.events.pop_front()
    }

    /// The next message to send: chunk stream 2 or 3, timestamp 0.
    pub fn next_message(&mut self) -> Option<Message> {
        self.next_answer().or_else(|| self.take_pong())
    }

    /// Whether `connect` was accepted.
    pub fn is_connected(&self) -> bool {
        matches!(self.phase, Phase::Connected)
    }

    /// Takes a message in and returns its event, without a turn through the queue: media passes
    /// here. Only to be called when the queue is empty, or order would be lost.
    pub(crate) fn step(&mut self, message: Message) -> Result<Option<ServerEvent>, SessionError> {
        if let Some(fault) = self.fault.take() {
            return Err(*fault);
        }
        match &mut self.phase {
            Phase::Connected => {}
            Phase::Connecting(connecting) if is_held_kind(message.kind) => {
                connecting.held.push(message, self.settings.held_bytes_max)?;
                return Ok(None);
            }
            // The connection is being closed; what the peer still sends is of no interest.
            Phase::Refused => return Ok(None),
            Phase::New | Phase::Connecting(_) => {}
        }
        match message.kind {
            MessageType::AUDIO | MessageType::VIDEO => self.media(message),
            MessageType::DATA_AMF0 | MessageType::DATA_AMF3 => self.data(message),
            MessageType::COMMAND_AMF0 | MessageType::COMMAND_AMF3 => {
                let command = Command::decode(&message)?;
                self.command(command)
            }
            MessageType::USER_CONTROL => self.user_control(&message),
            MessageType::AGGREGATE => self.aggregate(&message),
            _ => Ok(None),
        }
    }

    /// The next message to send, pongs apart.
    pub(crate) fn next_answer(&mut self) -> Option<Message> {
        self.outgoing.pop_front()
    }

    /// The answer to the newest ping.
    pub(crate) fn take_pong(&mut self) -> Option<Message> {
        let timestamp = self.owed_pong.take()?;
        Some(Control::User(UserControl::PingResponse(timestamp)).encode())
    }

    /// The error of a release, for a caller who gives no further message.
    pub(crate) fn take_fault(&mut self) -> Result<(), SessionError> {
        self.fault.take().map_or(Ok(()), |fault| Err(*fault))
    }

    fn user_control(&mut self, message: &Message) -> Result<Option<ServerEvent>, SessionError> {
        let Some(Control::User(control)) = Control::decode(message)? else {
            return Ok(None);
        };
        Ok(match control {
            UserControl::PingRequest(timestamp) => {
                self.owed_pong = Some(timestamp);
                None
            }
            UserControl::PingResponse(timestamp) => Some(ServerEvent::Pong { timestamp }),
            UserControl::SetBufferLength { stream_id, ms } => {
                Some(ServerEvent::BufferLength { stream_id, ms })
            }
            _ => None,
        })
    }

    fn open_request(&mut self) -> RequestId {
        // 2^32 requests take years at the rate one connection can ask and be answered.
        self.requests = self.requests.wrapping_add(1);
        RequestId(self.requests)
    }

    /// Counts a command that was refused; a peer that only produces those is broken.
    fn count_refusal(&mut self) -> Result<(), SessionError> {
        self.refusals += 1;
        if self.refusals > REFUSALS_MAX { Err(SessionError::TooManyRefusals) } else { Ok(()) }
    }

    /// The error of doing `early` in this phase, if it is one.
    fn require_connected(&self, early: Early) -> Result<(), SessionError> {
        if self.is_connected() { Ok(()) } else { Err(SessionError::BeforeConnect(early)) }
    }
}

/// Whether messages of this kind wait for the answer to `connect`. Control messages do not: a
/// ping is answered at any time.
fn is_held_kind(kind: MessageType) -> bool {
    matches!(
        kind,
        MessageType::AUDIO
            | MessageType::VIDEO
            | MessageType::DATA_AMF0
            | MessageType::DATA_AMF3
            | MessageType::COMMAND_AMF0
            | MessageType::COMMAND_AMF3
            | MessageType::AGGREGATE
    )
}
