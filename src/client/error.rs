//! Why a command ended without success, in words that say what to do.

use super::url::UrlError;
use millstream_flv::WriteError;
use millstream_rtmp::connection::ConnectionError;
use millstream_rtmp::session::AnswerError;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// A command's failure. What servers said in it has been through
/// [`RtmpUrl::redact`](super::RtmpUrl::redact).
#[derive(Debug)]
pub enum ClientError {
    /// The URL on the command line.
    Url(UrlError),
    /// The host has no address.
    Resolve {
        /// The host.
        host: String,
        /// Why.
        source: io::Error,
    },
    /// No connection could be made.
    Connect {
        /// The address tried last.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The connection failed later.
    Lost(io::Error),
    /// The server sent what is no RTMP.
    Protocol(ConnectionError),
    /// A request could not be made.
    Request(AnswerError),
    /// The server refused a request, or ended what it had accepted.
    Refused {
        /// What was wanted: `connect`, `publish`, `play`.
        what: &'static str,
        /// The server's code.
        code: String,
        /// The server's words.
        description: String,
    },
    /// The server closed the connection before the end.
    Closed {
        /// What was going on.
        what: &'static str,
    },
    /// The server does not answer, or takes no bytes.
    Silent {
        /// What was wanted.
        what: &'static str,
        /// For how long.
        waited: Duration,
    },
    /// A file cannot be read or written.
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file that is no FLV.
    NotFlv {
        /// The file.
        path: PathBuf,
    },
    /// A file without sound and pictures.
    NoMedia {
        /// The file.
        path: PathBuf,
    },
    /// The stream ended before anything came.
    NothingCame,
    /// A message that no FLV tag can hold.
    Tag(WriteError),
}

impl ClientError {
    /// The code to exit with: 2 for what is wrong with the command line, else 1.
    pub fn exit_code(&self) -> u8 {
        if matches!(self, Self::Url(_)) { 2 } else { 1 }
    }
}

impl fmt::Display for ClientError {
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
            Self::Lost(source) => write!(f, "the connection was lost: {source}"),
            Self::Protocol(error) => {
                write!(
                    f,
                    "the server does not speak RTMP as we know it ({}): {error}",
                    error.name()
                )
            }
            Self::Request(AnswerError::NotEncodable) => {
                f.write_str("a name or message is too long to be sent")
            }
            Self::Request(error) => write!(f, "the request could not be made: {error}"),
            Self::Refused { what, code, description } => {
                write!(f, "the server refused to {what}")?;
                match (description.is_empty(), code.is_empty()) {
                    (false, false) => write!(f, ": {description} ({code})"),
                    (false, true) => write!(f, ": {description}"),
                    (true, false) => write!(f, ": {code}"),
                    (true, true) => f.write_str(" and gave no reason"),
                }
            }
            Self::Closed { what } => write!(
                f,
                "the server closed the connection while we wanted to {what}; its log says why"
            ),
            Self::Silent { what, waited } => write!(
                f,
                "the server was silent for {} s while we wanted to {what}: is it an RTMP server?",
                waited.as_secs()
            ),
            Self::File { path, source } => write!(f, "{}: {source}", path.display()),
            Self::NotFlv { path } => write!(
                f,
                "{} is not an FLV file; ffmpeg -i INPUT -c copy OUTPUT.flv makes one of most",
                path.display()
            ),
            Self::NoMedia { path } => {
                write!(f, "{} holds no sound and no pictures", path.display())
            }
            Self::NothingCame => f.write_str("the stream ended before anything of it came"),
            Self::Tag(error) => write!(f, "a message cannot be written: {error}"),
        }
    }
}

impl std::error::Error for ClientError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Url(error) => Some(error),
            Self::Resolve { source, .. }
            | Self::Connect { source, .. }
            | Self::Lost(source)
            | Self::File { source, .. } => Some(source),
            Self::Protocol(error) => Some(error),
            Self::Request(error) => Some(error),
            Self::Tag(error) => Some(error),
            _ => None,
        }
    }
}

impl From<UrlError> for ClientError {
    fn from(error: UrlError) -> Self {
        Self::Url(error)
    }
}

impl From<AnswerError> for ClientError {
    fn from(error: AnswerError) -> Self {
        Self::Request(error)
    }
}
