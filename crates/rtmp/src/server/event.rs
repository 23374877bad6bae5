//! What a server session reports.

use super::connect::Connect;
use crate::message::Message;
use crate::session::{Data, PublishMode, RequestId};
use millstream_amf0::Value;

/// One thing the peer did. Rare and large events are boxed, so that the queue stays small.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ServerEvent {
    /// `connect`: to be answered.
    Connect(Box<Connect>),
    /// `publish`: to be answered.
    Publish(Box<Publish>),
    /// `play`: to be answered.
    Play(Box<Play>),
    /// Audio or video of an accepted publisher, as it came. Its stream id is the publisher's.
    Media(Message),
    /// Data of an accepted publisher, in order with its media.
    Data(Data),
    /// An accepted publisher ended, or one that waited for its answer went away.
    Unpublish {
        /// Its message stream.
        stream_id: u32,
        /// By which command.
        reason: EndReason,
    },
    /// An accepted player ended, or one that waited for its answer went away.
    StopPlay {
        /// Its message stream.
        stream_id: u32,
        /// By which command.
        reason: EndReason,
    },
    /// A player pauses or goes on.
    Pause {
        /// Its message stream.
        stream_id: u32,
        /// Pause, or go on.
        paused: bool,
        /// Where in the stream, milliseconds.
        ms: f64,
    },
    /// A player wants to go elsewhere in the stream.
    Seek {
        /// Its message stream.
        stream_id: u32,
        /// Where to, milliseconds.
        ms: f64,
    },
    /// A player wants audio or does not.
    ReceiveAudio {
        /// Its message stream.
        stream_id: u32,
        /// Wants it.
        on: bool,
    },
    /// A player wants video or does not.
    ReceiveVideo {
        /// Its message stream.
        stream_id: u32,
        /// Wants it.
        on: bool,
    },
    /// The peer told how much it buffers.
    BufferLength {
        /// The message stream; not necessarily an existing one.
        stream_id: u32,
        /// Milliseconds.
        ms: u32,
    },
    /// The answer to a ping.
    Pong {
        /// The timestamp of the ping.
        timestamp: u32,
    },
    /// The peer has received this many bytes, modulo 2^32 (reported by a connection only).
    Acknowledged {
        /// Bytes since its start, handshake counted or not as the peer pleases.
        bytes: u32,
    },
    /// A command that means nothing here. It got no answer.
    UnknownCommand(Box<UnknownCommand>),
}

/// How a publisher or player ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndReason {
    /// `closeStream`, or `publish` or `play` with false for a name.
    CloseStream,
    /// `deleteStream`.
    DeleteStream,
    /// `FCUnpublish`.
    FcUnpublish,
    /// Another `play` on the same message stream.
    Replaced,
}

/// `publish` (RTMP 1.0, section 7.2.2.6).
#[derive(Clone, Debug, PartialEq)]
pub struct Publish {
    /// To be used in the answer.
    pub request: RequestId,
    /// The message stream.
    pub stream_id: u32,
    /// The stream's name without query and outer slashes; it may be empty, and is unchecked.
    pub name: String,
    /// What followed the first `?` of the name.
    pub query: Option<String>,
    /// Kept or not.
    pub mode: PublishMode,
}

/// `play` (RTMP 1.0, section 7.2.2.1).
#[derive(Clone, Debug, PartialEq)]
pub struct Play {
    /// To be used in the answer.
    pub request: RequestId,
    /// The message stream.
    pub stream_id: u32,
    /// The stream's name without query and outer slashes; it may be empty, and is unchecked.
    pub name: String,
    /// What followed the first `?` of the name.
    pub query: Option<String>,
    /// Where to begin, as sent; -2 when absent. See [`Play::from`].
    pub start: f64,
    /// How long to play, as sent; -1, the whole, when absent.
    pub duration: f64,
    /// Whether a running playlist is flushed.
    pub reset: bool,
}

/// What a player's start argument asks for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PlayFrom {
    /// The live stream, or else the recording from its start.
    LiveOrRecorded,
    /// The live stream only.
    Live,
    /// The recording, from here. The unit is the player's: Flash sends seconds, ffmpeg and
    /// librtmp milliseconds.
    Recorded(f64),
}

impl Play {
    /// What [`Play::start`] means. ffmpeg and librtmp multiply the special values by 1,000 too.
    pub fn from(&self) -> PlayFrom {
        if self.start >= 0.0 {
            PlayFrom::Recorded(self.start)
        } else if self.start == -1.0 || self.start == -1000.0 {
            PlayFrom::Live
        } else {
            PlayFrom::LiveOrRecorded
        }
    }
}

/// A command that the session does not know.
#[derive(Clone, Debug, PartialEq)]
pub struct UnknownCommand {
    /// The message stream it came on.
    pub stream_id: u32,
    /// Its name.
    pub name: String,
    /// Its transaction id as sent; it may be NaN.
    pub transaction: f64,
    /// The command object and the arguments.
    pub arguments: Vec<Value>,
}
