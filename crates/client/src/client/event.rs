//! What a client reports.

use crate::error::Refusal;
use millstream_flv::{Tag, TagKind};
use millstream_rtmp::client::{Connected, Reconnect, ServerCommand, Status};
use millstream_rtmp::session::{Data, RequestId};

/// One thing the server did.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// `connect` was accepted.
    Connected(Box<Connected>),
    /// A publish was accepted: from now on its media can be sent.
    Publishing(RequestId),
    /// A play was accepted: from now on its media comes.
    Playing(RequestId),
    /// The server has emptied the playlist for this play (`NetStream.Play.Reset`).
    Reset(RequestId),
    /// The connection, a publish or a play was refused, or ended with an error. Where no stream is
    /// named, the whole connection is at its end.
    Refused(Box<Refusal>),
    /// Sound or pictures, in the form of an FLV tag.
    Media {
        /// The play. Nothing if the server sends it where nothing was asked for.
        stream: Option<RequestId>,
        /// The message as it came.
        tag: Tag,
    },
    /// Metadata, cue points, texts, in order with the media.
    Data {
        /// The play.
        stream: Option<RequestId>,
        /// The message, opened.
        data: Data,
    },
    /// Nothing more comes for now. The play stays open: a publisher who returns is
    /// [announced](Event::Begun).
    Stopped {
        /// The play.
        stream: RequestId,
        /// How the server put it.
        why: Stop,
    },
    /// The stream has begun, or begun again (Stream Begin, or `NetStream.Play.PublishNotify`).
    Begun(RequestId),
    /// A status that is none of the above.
    Status {
        /// The publish or play; nothing for the connection.
        stream: Option<RequestId>,
        /// The server's words.
        status: Box<Status>,
    },
    /// The server wants us to connect again (Enhanced RTMP v2).
    Reconnect(Box<Reconnect>),
    /// The answer to a ping.
    Pong {
        /// The timestamp of the ping.
        timestamp: u32,
    },
    /// The server has received this many bytes, modulo 2^32.
    Acknowledged {
        /// Since the connection's start.
        bytes: u32,
    },
    /// The server ends the connection by command. All publishes and plays have ended with it, and what was
    /// queued of them is dropped; nothing more is to be expected, even if the socket stays open.
    Closed,
    /// A command that means nothing here.
    Command(Box<ServerCommand>),
}

/// How a server says that a stream has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The publisher has left (`NetStream.Play.UnpublishNotify`).
    Unpublished,
    /// The play was stopped (`NetStream.Play.Stop`).
    Stopped,
    /// A recording is at its end (`NetStream.Play.Complete`).
    Complete,
    /// Stream EOF, a user control message (RTMP 1.0, section 7.1.7).
    Eof,
}

impl Event {
    /// The publish or play that it is about.
    pub fn stream(&self) -> Option<RequestId> {
        match self {
            Self::Publishing(stream)
            | Self::Playing(stream)
            | Self::Reset(stream)
            | Self::Begun(stream)
            | Self::Stopped { stream, .. } => Some(*stream),
            Self::Media { stream, .. }
            | Self::Data { stream, .. }
            | Self::Status { stream, .. } => *stream,
            Self::Refused(refusal) => refusal.stream,
            _ => None,
        }
    }

    /// What belongs into an FLV file: media and data of the stream. What servers say of themselves by
    /// data messages does not.
    pub fn into_tag(self) -> Option<Tag> {
        match self {
            Self::Media { tag, .. } => Some(tag),
            Self::Data { data, .. } if !data.name.starts_with('|') && data.name != "onStatus" => {
                let Data { timestamp, payload, .. } = data;
                Some(Tag { kind: TagKind::Script, timestamp, payload })
            }
            _ => None,
        }
    }

    /// Bytes of the payload or the words it holds.
    pub(crate) fn payload_bytes(&self) -> usize {
        match self {
            Self::Media { tag, .. } => tag.payload.len(),
            Self::Data { data, .. } => data.payload.len(),
            Self::Status { status, .. } => status.code.len() + status.description.len(),
            _ => 0,
        }
    }
}
