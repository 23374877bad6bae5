//! Why a session, or a connection to the target, came to its end.

use millstream_client::Error;
use millstream_rtmp::connection::ConnectionError;
use rustix::io::Errno;
use std::fmt;

/// The end of a session.
#[derive(Clone, Debug)]
pub(in crate::proxy) enum End {
    /// The client closed the connection.
    Left,
    /// The connection failed.
    Failed(Option<Errno>),
    /// The client does not speak RTMP as we know it.
    Protocol(ConnectionError),
    /// Handshake and `connect` took too long.
    Slow,
    /// Nothing was published or played for long.
    Idle,
    /// The client takes nothing of what it is sent.
    Stalled,
    /// More messages besides media than anybody needs.
    Flood,
    /// The target stayed away.
    TargetGone,
    /// The proxy is stopped.
    Stopped,
}

/// The end of a connection to the target.
#[derive(Clone, Debug)]
pub(in crate::proxy) enum Loss {
    /// It could not be made, or encrypted.
    Connect(Error),
    /// The target closed it.
    Closed,
    /// It failed.
    Failed(Option<Errno>),
    /// The target does not speak RTMP as we know it.
    Protocol(ConnectionError),
    /// The target does not answer.
    Silent,
    /// The target takes nothing of what it is sent.
    Stalled,
    /// The target refused what it had accepted before.
    Refused {
        /// Its code.
        code: String,
        /// Its words, without our secrets.
        description: String,
    },
    /// The target asked for another connection.
    Reconnect,
    /// It leads back to this proxy.
    Loop,
}

impl End {
    /// A stable name for logs and figures.
    pub(in crate::proxy) fn name(&self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Failed(_) => "connection-failed",
            Self::Protocol(error) => error.name(),
            Self::Slow => "handshake-slow",
            Self::Idle => "idle",
            Self::Stalled => "stalled",
            Self::Flood => "flood",
            Self::TargetGone => "target-gone",
            Self::Stopped => "stopped",
        }
    }

    /// Whether the client is at fault, so that nobody waits for it to take leave.
    pub(in crate::proxy) fn is_fault(&self) -> bool {
        matches!(
            self,
            Self::Failed(_) | Self::Protocol(_) | Self::Slow | Self::Stalled | Self::Flood
        )
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Left => f.write_str("the client has left"),
            Self::Failed(Some(errno)) => write!(f, "the connection failed: {errno}"),
            Self::Failed(None) => f.write_str("the connection failed"),
            Self::Protocol(error) => error.fmt(f),
            Self::Slow => f.write_str("handshake and connect took too long"),
            Self::Idle => f.write_str("nothing was published or played for long"),
            Self::Stalled => f.write_str("the client takes nothing of what it is sent"),
            Self::Flood => f.write_str("too many messages besides media"),
            Self::TargetGone => f.write_str("the target has stayed away"),
            Self::Stopped => f.write_str("the proxy is stopped"),
        }
    }
}

impl Loss {
    /// Whether trying again soon may help. A certificate that is not trusted stays so.
    pub(in crate::proxy) fn may_pass(&self) -> bool {
        match self {
            Self::Connect(error) => error.may_pass(),
            Self::Loop => false,
            _ => true,
        }
    }

    /// What a client is told of it: no address, which is the operator's affair.
    pub(in crate::proxy) fn to_client(&self) -> &'static str {
        match self {
            Self::Loop => "The proxy leads back to itself.",
            Self::Silent => "The server behind this proxy does not answer.",
            _ => "The server behind this proxy cannot be reached.",
        }
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect(error) => error.fmt(f),
            Self::Closed => f.write_str("it closed the connection; its log says why"),
            Self::Failed(Some(errno)) => write!(f, "the connection failed: {errno}"),
            Self::Failed(None) => f.write_str("the connection failed"),
            Self::Protocol(error) => {
                write!(f, "it does not speak RTMP as we know it ({}): {error}", error.name())
            }
            Self::Silent => f.write_str("it does not answer: is it an RTMP server?"),
            Self::Stalled => f.write_str("it takes nothing of what it is sent"),
            Self::Refused { code, description } => write!(f, "it refused: {description} ({code})"),
            Self::Reconnect => f.write_str("it asked for another connection"),
            Self::Loop => f.write_str("the address is this proxy's own"),
        }
    }
}
