//! The way to a session from any thread. Nothing here waits: what is asked goes into the inbox of
//! the session's shard, and takes effect there.

use crate::limits::SESSION_MESSAGE_MAX;
use crate::shard::inbox::{Mail, Post, Undelivered};
use crate::slots::Key;
use crate::stream::headers::Carrier;
use bytes::{Bytes, BytesMut};
use millstream_amf0::{Object, Value};
use std::any::Any;
use std::fmt;

/// Something to be done for a session on its shard.
pub(crate) enum Errand {
    /// Send a message of what its peer plays.
    Send {
        /// Audio, video or data.
        carrier: Carrier,
        /// Milliseconds.
        timestamp: u32,
        /// As on the wire.
        payload: Bytes,
    },
    /// Send a ping.
    Ping,
    /// Hand this to the session.
    Message(Box<dyn Any + Send>),
    /// End it. The reason is for the log.
    Close(&'static str),
}

impl fmt::Debug for Errand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Send { .. } => "Send",
            Self::Ping => "Ping",
            Self::Message(_) => "Message",
            Self::Close(_) => "Close",
        })
    }
}

/// Reaches one session from any thread. Cheap to clone; it keeps nothing alive.
///
/// What is sent goes out between whole messages of what the peer plays, on its message stream (1 if
/// it does not play); what is sent before `connect` is answered is dropped. Times are in milliseconds,
/// modulo 2^32, on the time axis of what it plays.
#[derive(Clone)]
pub struct SessionHandle {
    connection: Key,
    number: u64,
    post: Post,
}

/// Why something was not sent. Whether a session still exists is not known to its handles: what is
/// sent to one that is gone is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendError {
    /// The inbox of the session's shard is full: more is sent than it has time for.
    Busy,
    /// The shard has ended, and the server with it.
    Ended,
    /// A message has [`crate::limits::SESSION_MESSAGE_MAX`] bytes at most.
    TooLong,
    /// A text is too long for AMF0.
    NotEncodable,
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Busy => "the session's shard has no time for more messages",
            Self::Ended => "the server has ended",
            Self::TooLong => "the message is longer than a message may be",
            Self::NotEncodable => "a text is too long to be written as AMF0",
        })
    }
}

impl std::error::Error for SendError {}

impl SessionHandle {
    pub(crate) fn new(connection: Key, number: u64, post: Post) -> Self {
        Self { connection, number, post }
    }

    /// The number of the connection, as in the log and in [`Peer`](super::Peer).
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Sends `onMetaData` with these properties.
    ///
    /// # Errors
    /// [`SendError`].
    pub fn send_metadata(&self, properties: Object) -> Result<(), SendError> {
        self.send_data(&["onMetaData".into(), Value::EcmaArray(properties)])
    }

    /// Sends a data message: a handler's name and what follows it, in AMF0.
    ///
    /// # Errors
    /// [`SendError`].
    pub fn send_data(&self, values: &[Value]) -> Result<(), SendError> {
        let mut payload = BytesMut::new();
        millstream_amf0::encode_all(values, &mut payload).map_err(|_| SendError::NotEncodable)?;
        self.send_media(Carrier::Data, 0, payload.freeze())
    }

    /// Sends a message of audio: the body of an FLV tag (FLV 10.1, annex E.4.2).
    ///
    /// # Errors
    /// [`SendError`].
    pub fn send_audio(&self, timestamp_ms: u32, payload: Bytes) -> Result<(), SendError> {
        self.send_media(Carrier::Audio, timestamp_ms, payload)
    }

    /// Sends a message of video: the body of an FLV tag (FLV 10.1, annex E.4.3).
    ///
    /// # Errors
    /// [`SendError`].
    pub fn send_video(&self, timestamp_ms: u32, payload: Bytes) -> Result<(), SendError> {
        self.send_media(Carrier::Video, timestamp_ms, payload)
    }

    /// Sends a ping; its round trip comes to [`Session::answered_ping`](super::Session::answered_ping).
    ///
    /// # Errors
    /// [`SendError`].
    pub fn ping(&self) -> Result<(), SendError> {
        self.send(Errand::Ping)
    }

    /// Hands a value to [`Session::message`](super::Session::message).
    ///
    /// # Errors
    /// [`SendError`].
    pub fn message(&self, message: impl Any + Send) -> Result<(), SendError> {
        self.send(Errand::Message(Box::new(message)))
    }

    /// Ends the session, after what was sent to it before has gone. `reason` is for the log.
    ///
    /// # Errors
    /// [`SendError`].
    pub fn close(&self, reason: &'static str) -> Result<(), SendError> {
        self.send(Errand::Close(reason))
    }

    fn send_media(
        &self,
        carrier: Carrier,
        timestamp: u32,
        payload: Bytes,
    ) -> Result<(), SendError> {
        if payload.len() > SESSION_MESSAGE_MAX {
            return Err(SendError::TooLong);
        }
        self.send(Errand::Send { carrier, timestamp, payload })
    }

    fn send(&self, errand: Errand) -> Result<(), SendError> {
        let mail = Mail::Errand { connection: self.connection, errand };
        self.post.send(mail).map_err(|undelivered| match undelivered {
            Undelivered::Full(_) => SendError::Busy,
            Undelivered::Over(_) => SendError::Ended,
        })
    }
}

impl fmt::Debug for SessionHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionHandle").field("number", &self.number).finish_non_exhaustive()
    }
}
