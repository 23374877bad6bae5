//! What a client session reports.

use crate::message::Message;
use crate::session::{Data, Level, RequestId};
use millstream_amf0::{Object, Value};

/// One thing the server did.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ClientEvent {
    /// `connect` was accepted. What was asked before goes out now.
    Connected(Box<Connected>),
    /// `connect` was refused. The session is closed.
    ConnectRefused(Box<ConnectRefused>),
    /// A publish was accepted: media may be sent.
    Publishing {
        /// The request.
        request: RequestId,
        /// Its message stream.
        stream_id: u32,
    },
    /// A play was accepted: media will come.
    Playing {
        /// The request.
        request: RequestId,
        /// Its message stream.
        stream_id: u32,
    },
    /// A publish or play was refused.
    Refused(Box<Refused>),
    /// Audio or video, as it came.
    Media(Message),
    /// Data, in order with the media.
    Data(Data),
    /// A status that answers no request.
    Status(Box<Status>),
    /// A stream can be used.
    StreamBegin {
        /// Its message stream.
        stream_id: u32,
    },
    /// A stream has ended for now.
    StreamEof {
        /// Its message stream.
        stream_id: u32,
    },
    /// The server wants us to connect again (Enhanced RTMP v2).
    Reconnect(Box<Reconnect>),
    /// The answer to a ping.
    Pong {
        /// The timestamp of the ping.
        timestamp: u32,
    },
    /// The server has received this many bytes, modulo 2^32 (reported by a connection only).
    Acknowledged {
        /// Bytes since its start, handshake counted or not as the server pleases.
        bytes: u32,
    },
    /// The server closes the connection by command.
    Closed,
    /// A command that means nothing here, which got no answer; or the answer to one of the
    /// caller's own.
    Command(Box<ServerCommand>),
}

/// The server's answer to `connect`.
#[derive(Clone, Debug, PartialEq)]
pub struct Connected {
    /// What the server says of itself: `fmsVer`, capabilities, codecs.
    pub properties: Object,
    /// The information object.
    pub information: Object,
    /// The capability flags (`CapsExMask`), 0 when it names none.
    pub caps_ex: u32,
}

/// The server's refusal of `connect`.
#[derive(Clone, Debug, PartialEq)]
pub struct ConnectRefused {
    /// For programs.
    pub code: String,
    /// For people; ingest services put their authentication challenge here.
    pub description: String,
    /// Where to connect instead (302).
    pub redirect: Option<String>,
}

/// The server's refusal of a publish or play.
#[derive(Clone, Debug, PartialEq)]
pub struct Refused {
    /// The request.
    pub request: RequestId,
    /// For programs.
    pub code: String,
    /// For people.
    pub description: String,
}

/// `onStatus`.
#[derive(Clone, Debug, PartialEq)]
pub struct Status {
    /// The message stream; 0 is the connection.
    pub stream_id: u32,
    /// How bad it is.
    pub level: Level,
    /// For programs.
    pub code: String,
    /// For people.
    pub description: String,
}

/// `NetConnection.Connect.ReconnectRequest`.
#[derive(Clone, Debug, PartialEq)]
pub struct Reconnect {
    /// Where to; absolute, or relative to our `tcUrl`. The same server when absent.
    pub tc_url: Option<String>,
    /// For people.
    pub description: String,
}

/// A command that the session does not know, or an answer to one that the caller sent.
#[derive(Clone, Debug, PartialEq)]
pub struct ServerCommand {
    /// The message stream it came on.
    pub stream_id: u32,
    /// Its name.
    pub name: String,
    /// Its transaction id as sent; it may be NaN.
    pub transaction: f64,
    /// The command object and the arguments.
    pub arguments: Vec<Value>,
}
