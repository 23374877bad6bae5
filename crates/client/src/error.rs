//! Why a client ended without success, in words that say what to do. What servers said in it has been
//! through `secrets`; URLs in it are shown without their keys.

use crate::url::UrlError;
use millstream_rtmp::connection::ConnectionError;
use millstream_rtmp::session::{AnswerError, RequestId};
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// What was wanted of the server when something went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aim {
    /// A connection, and the answer to `connect`.
    Connect,
    /// To send a stream.
    Publish,
    /// To be sent a stream.
    Play,
}

/// The server refused a request, or ended with an error what it had accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The publish or play; nothing when it was the connection that was refused.
    pub stream: Option<RequestId>,
    /// What was wanted.
    pub aim: Aim,
    /// For programs, such as `NetStream.Publish.BadName`.
    pub code: String,
    /// For people.
    pub description: String,
    /// Where to connect instead, if the server says so (code 302 of Flash Media Server). It is kept as
    /// it came, and may hold a key.
    pub redirect: Option<String>,
}

/// A client's failure.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Error {
    /// The text is no URL that we understand.
    Url(UrlError),
    /// The host has no address.
    Resolve {
        /// The host.
        host: String,
        /// Why.
        source: Arc<io::Error>,
    },
    /// No connection could be made.
    Connect {
        /// The address tried last.
        address: SocketAddr,
        /// Why.
        source: Arc<io::Error>,
    },
    /// The connection could not be encrypted: certificates, versions, or no TLS at the other end.
    Tls {
        /// The host whose certificate was wanted.
        host: String,
        /// Why.
        source: Arc<io::Error>,
    },
    /// `rtmps` was wanted of a crate that was built without its feature `tls`.
    NoTls,
    /// The connection failed later.
    Lost(Arc<io::Error>),
    /// The server sent what is no RTMP.
    Protocol(ConnectionError),
    /// A request could not be made.
    Request(AnswerError),
    /// The server refused a request, or ended what it had accepted.
    Refused(Box<Refusal>),
    /// The server closed the connection before the end.
    Closed {
        /// What was going on.
        aim: Aim,
    },
    /// The server does not answer, or takes no bytes.
    Silent {
        /// What was going on.
        aim: Aim,
        /// For how long.
        waited: Duration,
    },
    /// The server sends and sends, and does not answer.
    Flooded {
        /// What was wanted.
        aim: Aim,
    },
    /// The driver of this handle is gone: dropped by the application, or at its end.
    NoDriver,
}

impl Error {
    /// Whether trying again later may help. Not so for what the caller said wrongly, for certificates
    /// that are not trusted, and for what this crate was built without.
    pub fn may_pass(&self) -> bool {
        !matches!(self, Self::Url(_) | Self::Request(_) | Self::Tls { .. } | Self::NoTls)
    }
}

impl Aim {
    fn verb(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Publish => "publish",
            Self::Play => "play",
        }
    }
}

impl fmt::Display for Aim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.verb())
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the server refused to {}", self.aim)?;
        match (self.description.is_empty(), self.code.is_empty()) {
            (false, false) => write!(f, ": {} ({})", self.description, self.code)?,
            (false, true) => write!(f, ": {}", self.description)?,
            (true, false) => write!(f, ": {}", self.code)?,
            (true, true) => f.write_str(" and gave no reason")?,
        }
        if self.redirect.is_some() { f.write_str("; it names another server") } else { Ok(()) }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(error) => error.fmt(f),
            Self::Resolve { host, source } => write!(f, "no address found for {host}: {source}"),
            Self::Connect { address, source } => match source.kind() {
                io::ErrorKind::ConnectionRefused => write!(
                    f,
                    "nobody listens at {address}: is the server running, and is this its port?"
                ),
                io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => write!(
                    f,
                    "{address} does not answer: is the address right, and does a firewall let \
                     the port pass?"
                ),
                _ => write!(f, "cannot connect to {address}: {source}"),
            },
            Self::Tls { host, source } => write!(
                f,
                "no encrypted connection with {host}: {source}; is this an rtmps port, and does \
                 its certificate name this host and come from an authority that is trusted here?"
            ),
            Self::NoTls => f.write_str(
                "rtmps:// is not spoken here: build with the feature `tls`, or use rtmp://",
            ),
            Self::Lost(source) => write!(f, "the connection was lost: {source}"),
            Self::Protocol(error) => {
                let name = error.name();
                write!(f, "the server does not speak RTMP as we know it ({name}): {error}")
            }
            Self::Request(AnswerError::NotEncodable) => {
                f.write_str("a name or message is too long to be sent")
            }
            Self::Request(error) => write!(f, "the request could not be made: {error}"),
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Closed { aim } => write!(
                f,
                "the server closed the connection while we wanted to {aim}; its log says why"
            ),
            Self::Silent { aim, waited } => write!(
                f,
                "the server was silent for {} s while we wanted to {aim}: is it an RTMP server?",
                waited.as_secs()
            ),
            Self::Flooded { aim } => {
                write!(f, "the server sends and sends, and has not answered that we want to {aim}")
            }
            Self::NoDriver => {
                f.write_str("nobody drives this connection any more: its driver was dropped")
            }
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Url(error) => Some(error),
            Self::Resolve { source, .. }
            | Self::Connect { source, .. }
            | Self::Tls { source, .. }
            | Self::Lost(source) => Some(source),
            Self::Protocol(error) => Some(error),
            Self::Request(error) => Some(error),
            _ => None,
        }
    }
}

impl From<UrlError> for Error {
    fn from(error: UrlError) -> Self {
        Self::Url(error)
    }
}

impl From<AnswerError> for Error {
    fn from(error: AnswerError) -> Self {
        Self::Request(error)
    }
}

impl From<ConnectionError> for Error {
    fn from(error: ConnectionError) -> Self {
        Self::Protocol(error)
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}
