//! What can go wrong in a session, split by whose fault it is.
//!
//! A [`SessionError`] ends the connection: send what output there is and close. A refused request
//! is no error; the peer is told and the session goes on.

use crate::aggregate::AggregateError;
use crate::command::CommandError;
use crate::control::ControlError;
use crate::limits::{
    AGGREGATE_PARTS_MAX, DATA_BYTES_MAX, NAME_BYTES_MAX, REFUSALS_MAX, STRAY_MESSAGES_MAX,
};
use std::fmt;

/// Whose fault an error is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The bytes are not RTMP: a broken peer, or no RTMP peer at all.
    Malformed,
    /// The bytes are RTMP, but the peer may not send them now, or not so many of them.
    Peer,
    /// The caller used the machine wrongly.
    Caller,
}

/// What a peer did before `connect`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Early {
    /// `publish`.
    Publish,
    /// `play`.
    Play,
    /// Another command.
    Command,
    /// Audio, video or data.
    Media,
}

/// Why a session ended.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum SessionError {
    /// A command could not be read.
    Command(CommandError),
    /// A user control message could not be read.
    Control(ControlError),
    /// An aggregate message does not add up.
    Aggregate(AggregateError),
    /// An aggregate message holds more messages than the limit.
    AggregateTooLong,
    /// A data message is longer than the limit.
    DataTooLong {
        /// Its length in bytes.
        bytes: usize,
    },
    /// An application or stream name is longer than the limit.
    NameTooLong {
        /// Its length in bytes.
        bytes: usize,
    },
    /// The peer did not begin with `connect`.
    BeforeConnect(Early),
    /// A second `connect`.
    ConnectTwice,
    /// `publish` or `play` on a message stream that already publishes or waits for its answer.
    StreamBusy {
        /// The message stream.
        stream_id: u32,
    },
    /// More than the limit was sent while a request was open.
    HeldTooMuch {
        /// Bytes held, the last message included.
        bytes: usize,
    },
    /// More refused commands than the limit.
    TooManyRefusals,
    /// More media for no publishing stream than the limit.
    TooMuchStrayMedia,
    /// The peer sends commands and does not read the answers.
    AnswersUnread,
}

impl SessionError {
    /// A stable short name, for logs and counters.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Command(CommandError::TooLong { .. }) => "command-too-long",
            Self::Command(CommandError::NoName) => "command-without-name",
            Self::Command(CommandError::Amf0(_)) => "command-not-amf0",
            Self::Command(CommandError::Amf3(_)) => "command-not-amf3",
            Self::Control(_) => "control-malformed",
            Self::Aggregate(_) => "aggregate-malformed",
            Self::AggregateTooLong => "aggregate-too-long",
            Self::DataTooLong { .. } => "data-too-long",
            Self::NameTooLong { .. } => "name-too-long",
            Self::BeforeConnect(Early::Publish) => "publish-before-connect",
            Self::BeforeConnect(Early::Play) => "play-before-connect",
            Self::BeforeConnect(Early::Command) => "command-before-connect",
            Self::BeforeConnect(Early::Media) => "media-before-connect",
            Self::ConnectTwice => "connect-twice",
            Self::StreamBusy { .. } => "stream-busy",
            Self::HeldTooMuch { .. } => "held-too-much",
            Self::TooManyRefusals => "too-many-refusals",
            Self::TooMuchStrayMedia => "too-much-stray-media",
            Self::AnswersUnread => "answers-unread",
        }
    }

    /// Whose fault it is.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Command(CommandError::TooLong { .. }) => Fault::Peer,
            Self::Command(_) | Self::Control(_) | Self::Aggregate(_) => Fault::Malformed,
            _ => Fault::Peer,
        }
    }
}

impl fmt::Display for SessionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Command(error) => error.fmt(f),
            Self::Control(error) => error.fmt(f),
            Self::Aggregate(error) => error.fmt(f),
            Self::AggregateTooLong => {
                write!(f, "aggregate of more than {AGGREGATE_PARTS_MAX} messages")
            }
            Self::DataTooLong { bytes } => {
                write!(f, "data message of {bytes} bytes, the default limit is {DATA_BYTES_MAX}")
            }
            Self::NameTooLong { bytes } => {
                write!(f, "name of {bytes} bytes, at most {NAME_BYTES_MAX} are accepted")
            }
            Self::BeforeConnect(early) => {
                let what = match early {
                    Early::Publish => "publish",
                    Early::Play => "play",
                    Early::Command => "a command",
                    Early::Media => "media",
                };
                write!(f, "{what} before connect")
            }
            Self::ConnectTwice => f.write_str("connect on a connected connection"),
            Self::StreamBusy { stream_id } => {
                write!(f, "message stream {stream_id} is already in use")
            }
            Self::HeldTooMuch { bytes } => {
                write!(f, "{bytes} bytes sent before the open request was answered")
            }
            Self::TooManyRefusals => write!(f, "more than {REFUSALS_MAX} refused commands"),
            Self::TooMuchStrayMedia => {
                write!(f, "more than {STRAY_MESSAGES_MAX} media messages outside any publish")
            }
            Self::AnswersUnread => {
                f.write_str("the peer does not read the answers to its commands")
            }
        }
    }
}

impl std::error::Error for SessionError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Command(error) => Some(error),
            Self::Control(error) => Some(error),
            Self::Aggregate(error) => Some(error),
            _ => None,
        }
    }
}

impl From<CommandError> for SessionError {
    fn from(error: CommandError) -> Self {
        Self::Command(error)
    }
}

impl From<ControlError> for SessionError {
    fn from(error: ControlError) -> Self {
        Self::Control(error)
    }
}

impl From<AggregateError> for SessionError {
    fn from(error: AggregateError) -> Self {
        Self::Aggregate(error)
    }
}

/// Why an answer or an action of the caller went nowhere. The session is unharmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerError {
    /// No such request is open: it was answered before, or the peer withdrew it meanwhile.
    NotOpen,
    /// The message stream does not exist, or is not in the state for this.
    WrongState,
    /// A text is too long to be written.
    NotEncodable,
}

impl AnswerError {
    /// A stable short name, for logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::NotOpen => "request-not-open",
            Self::WrongState => "wrong-state",
            Self::NotEncodable => "not-encodable",
        }
    }
}

impl fmt::Display for AnswerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotOpen => "no such request is open",
            Self::WrongState => "the message stream is not in the state for this",
            Self::NotEncodable => "a text is too long to be written as AMF0",
        })
    }
}

impl std::error::Error for AnswerError {}

impl From<millstream_amf0::EncodeError> for AnswerError {
    fn from(_: millstream_amf0::EncodeError) -> Self {
        Self::NotEncodable
    }
}
