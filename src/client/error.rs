//! Why a command ended without success, in words that say what to do, and the exit code that tells
//! scripts. What goes wrong between us and a server stands in `millstream-client`.

use crate::outbound::TargetError;
use crate::server::StartError;
use millstream_client::tls::TrustError;
use millstream_client::{Error, SendError, UrlError};
use millstream_flv::WriteError;
use std::fmt;
use std::io;
use std::path::PathBuf;

/// What the codes mean, as `--help` says it.
pub const EXIT_CODES: &str = "\
Exit codes:
  0  done, or interrupted
  1  a file or certificate file cannot be used
  2  the command line means nothing
  3  no connection: no address, nobody listens, or its certificate is not trusted
  4  the server refused
  5  the connection was lost, fell silent, or spoke no RTMP; no target took the stream (relay)
  6  the stream ended before anything of it came (play, relay)";

/// A command's failure.
#[derive(Debug)]
pub enum ClientError {
    /// Between us and the server.
    Client(Error),
    /// A message was not taken.
    Send(SendError),
    /// The file of root certificates.
    Trust(TrustError),
    /// Options that contradict each other, and why.
    Options(&'static str),
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
    /// A target of a relay that means nothing.
    Target(TargetError),
    /// No target of a relay took the stream.
    NoTarget,
    /// The server within a relay did not start.
    Server(StartError),
    /// The system refused something.
    System(io::Error),
    /// The stream ended before anything came.
    NothingCame,
    /// A message that no FLV tag can hold.
    Tag(WriteError),
}

impl ClientError {
    /// The code to exit with, see [`EXIT_CODES`].
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Options(_)
            | Self::Client(Error::Url(_))
            | Self::Target(TargetError::Rule(_) | TargetError::TooMany) => 2,
            Self::Client(
                Error::Resolve { .. } | Error::Connect { .. } | Error::Tls { .. } | Error::NoTls,
            ) => 3,
            Self::Client(Error::Refused(_)) => 4,
            Self::Client(_) | Self::NoTarget => 5,
            Self::NothingCame => 6,
            _ => 1,
        }
    }
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Client(error) => error.fmt(f),
            Self::Send(error) => error.fmt(f),
            Self::Trust(error) => error.fmt(f),
            Self::Options(why) => f.write_str(why),
            Self::File { path, source } => write!(f, "{}: {source}", path.display()),
            Self::NotFlv { path } => write!(
                f,
                "{} is not an FLV file; ffmpeg -i INPUT -c copy OUTPUT.flv makes one of most",
                path.display()
            ),
            Self::NoMedia { path } => {
                write!(f, "{} holds no sound and no pictures", path.display())
            }
            Self::Target(error) => error.fmt(f),
            Self::NoTarget => f.write_str("no target took the stream"),
            Self::Server(error) => error.fmt(f),
            Self::System(error) => write!(f, "the system refused: {error}"),
            Self::NothingCame => f.write_str("the stream ended before anything of it came"),
            Self::Tag(error) => write!(f, "a message cannot be written: {error}"),
        }
    }
}

impl std::error::Error for ClientError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Client(error) => Some(error),
            Self::Send(error) => Some(error),
            Self::Trust(error) => Some(error),
            Self::File { source, .. } => Some(source),
            Self::Tag(error) => Some(error),
            Self::Target(error) => Some(error),
            Self::Server(error) => Some(error),
            Self::System(error) => Some(error),
            _ => None,
        }
    }
}

impl From<Error> for ClientError {
    fn from(error: Error) -> Self {
        Self::Client(error)
    }
}

impl From<SendError> for ClientError {
    fn from(error: SendError) -> Self {
        Self::Send(error)
    }
}

impl From<TrustError> for ClientError {
    fn from(error: TrustError) -> Self {
        Self::Trust(error)
    }
}

impl From<UrlError> for ClientError {
    fn from(error: UrlError) -> Self {
        Self::Client(Error::Url(error))
    }
}
