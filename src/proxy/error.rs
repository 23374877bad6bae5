//! Why the proxy could not be started, in words that say what to do. What goes wrong with a client or
//! with the target while it runs ends a session, and stands in `session`.

use super::rename::RenameError;
use crate::config::{KeyRuleError, ListenAddr};
use millstream_client::UrlError;
use millstream_client::tls::TrustError;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// What the codes mean, as `--help` says it.
pub const EXIT_CODES: &str = "\
Exit codes:
  0  interrupted, and all sessions have ended
  1  a file, certificate or address cannot be used
  2  the command line means nothing";

/// A failure to start.
#[derive(Debug)]
pub enum ProxyError {
    /// Options that contradict each other, or are missing, and why.
    Options(&'static str),
    /// The target is no URL.
    Target(UrlError),
    /// A renaming rule is none.
    Rename(RenameError),
    /// A key is none.
    Key(KeyRuleError),
    /// The file cannot be read.
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file says what is not understood.
    Syntax {
        /// The file.
        path: PathBuf,
        /// Where and what. Nothing that could be a key is in it.
        reason: String,
    },
    /// The file of root certificates.
    Trust(TrustError),
    /// A name to listen on has no address.
    Resolve {
        /// The name.
        addr: ListenAddr,
        /// Why.
        source: io::Error,
    },
    /// Others can reach the address, and nobody is asked for a key.
    Exposed(SocketAddr),
    /// An address cannot be listened on.
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The system gives no descriptor.
    System(io::Error),
}

impl ProxyError {
    /// The code to exit with, see [`EXIT_CODES`].
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Options(_) | Self::Target(_) | Self::Rename(_) | Self::Key(_) => 2,
            _ => 1,
        }
    }
}

impl fmt::Display for ProxyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Options(why) => f.write_str(why),
            Self::Target(error) => write!(f, "the target is not understood: {error}"),
            Self::Rename(error) => write!(f, "a renaming rule is not understood: {error}"),
            Self::Key(error) => write!(f, "a key cannot be used: {error}"),
            Self::File { path, source } => write!(f, "{}: {source}", path.display()),
            Self::Syntax { path, reason } => write!(f, "{}: {reason}", path.display()),
            Self::Trust(error) => error.fmt(f),
            Self::Resolve { addr, source } => write!(f, "no address found for {addr}: {source}"),
            Self::Exposed(address) => write!(
                f,
                "other machines can reach {address}, and nobody is asked for a key: give --keys \
                 or --key, or --no-publish, or say by --open that this is meant"
            ),
            Self::Listen { address, source } => write!(
                f,
                "cannot listen on {address}: {source}; choose another address with --listen"
            ),
            Self::System(source) => source.fmt(f),
        }
    }
}

impl std::error::Error for ProxyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Target(error) => Some(error),
            Self::Rename(error) => Some(error),
            Self::Key(error) => Some(error),
            Self::File { source, .. }
            | Self::Resolve { source, .. }
            | Self::Listen { source, .. }
            | Self::System(source) => Some(source),
            Self::Trust(error) => Some(error),
            Self::Options(_) | Self::Syntax { .. } | Self::Exposed(_) => None,
        }
    }
}
