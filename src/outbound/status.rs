//! How a connection of ours fares: its phase and since when, what went wrong last, and counters. Its
//! shard writes, control reads.

use crate::stats::{Counter, Gauge};
use serde::Serialize;
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

/// What a connection does at present.
///
/// ```text
///              live            address          connected         accepted
///   waiting ---------> resolving ----> connecting ----> handshake ----> running
///      ^                   |               |               |               |
///      |  no longer live   +---------------+------- trouble+---------------+
///      +------------------------ backing-off <-------------+
/// ```
/// From anywhere it is `stopped` when it is taken away or the server ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    /// There is nothing to do: the stream is not live.
    #[default]
    Waiting,
    /// The host's addresses are asked for.
    Resolving,
    /// An address is being connected to.
    Connecting,
    /// From the connection to the other end's yes: TLS, RTMP's handshake, its commands.
    Handshake,
    /// Media flows.
    Running,
    /// It failed, and waits until it tries again.
    BackingOff,
    /// It takes leave, and does not come back.
    Stopped,
}

impl Phase {
    /// A stable name for a push; public interface.
    pub fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Resolving => "resolving",
            Self::Connecting => "connecting",
            Self::Handshake => "handshake",
            Self::Running => "publishing",
            Self::BackingOff => "backing-off",
            Self::Stopped => "stopped",
        }
    }
}

/// Why a connection failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Nobody listens there.
    Refused,
    /// No way leads there.
    Unreachable,
    /// The host has no address.
    NoSuchHost,
    /// No answer in time.
    Timeout,
    /// The other end closed the connection, or it broke.
    Closed,
    /// The other end said no, or ended what it had accepted.
    Rejected {
        /// Its code, such as `NetStream.Publish.BadName`, and its words, without our secrets.
        words: String,
    },
    /// The certificate is not trusted, or not for this host.
    Certificate,
    /// The encryption failed otherwise.
    Tls,
    /// What came is no RTMP, or more of it than anybody needs.
    Nonsense,
    /// It took too little of the stream, or nothing.
    Stuck,
    /// This server had no descriptor or no room for it.
    System,
}

impl Trouble {
    /// A stable name; public interface.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Unreachable => "unreachable",
            Self::NoSuchHost => "no-such-host",
            Self::Timeout => "timeout",
            Self::Closed => "closed",
            Self::Rejected { .. } => "rejected",
            Self::Certificate => "certificate",
            Self::Tls => "tls",
            Self::Nonsense => "nonsense",
            Self::Stuck => "stuck",
            Self::System => "system",
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Refused => "nobody listens at this port",
            Self::Unreachable => "no way leads to this address",
            Self::NoSuchHost => "the host has no address",
            Self::Timeout => "no answer in time",
            Self::Closed => "the connection was closed by the other end",
            Self::Rejected { words } => {
                return write!(f, "rejected: {words}; is the key right, and is it in use already?");
            }
            Self::Certificate => "the certificate is not trusted, or names another host",
            Self::Tls => "no encrypted connection; is this an rtmps port?",
            Self::Nonsense => "what it answers is no RTMP",
            Self::Stuck => "it does not take the stream fast enough",
            Self::System => "this server has no descriptor or no room left for it",
        })
    }
}

/// The shared face of one order.
#[derive(Debug, Default)]
pub struct Status {
    told: Mutex<Told>,
    /// Bytes that the other end's sockets took, answers and handshakes included.
    pub bytes: Counter,
    /// Frames that were skipped.
    pub dropped_frames: Counter,
    /// Bytes of these.
    pub dropped_bytes: Counter,
    /// Skips to a newer key frame.
    pub skips: Counter,
    /// Attempts to connect.
    pub attempts: Counter,
    /// Connections on which the other end said yes.
    pub connects: Counter,
    /// The shard that it runs on.
    pub shard: Gauge,
}

/// What changes seldom.
#[derive(Clone, Debug, Default)]
struct Told {
    phase: Phase,
    since_unix_ms: u64,
    trouble: Option<(Trouble, u64)>,
    address: Option<SocketAddr>,
}

impl Status {
    /// Enters a phase, and says when.
    pub fn enter(&self, phase: Phase) {
        let mut told = self.lock();
        if told.phase != phase || told.since_unix_ms == 0 {
            (told.phase, told.since_unix_ms) = (phase, unix_ms());
        }
    }

    /// Notes what went wrong.
    pub fn failed(&self, trouble: Trouble) {
        self.lock().trouble = Some((trouble, unix_ms()));
    }

    /// Notes the address that is tried.
    pub fn tries(&self, address: SocketAddr) {
        self.lock().address = Some(address);
    }

    /// The phase at present.
    pub fn phase(&self) -> Phase {
        self.lock().phase
    }

    /// All of it at this moment.
    pub fn snapshot(&self) -> StatusSnapshot {
        let told = self.lock().clone();
        let connects = self.connects.get();
        StatusSnapshot {
            state: told.phase.name(),
            since_unix_ms: told.since_unix_ms,
            shard: self.shard.get(),
            address: told.address,
            error: told.trouble.as_ref().map(|(trouble, _)| trouble.name()),
            error_text: told.trouble.as_ref().map(|(trouble, _)| trouble.to_string()),
            error_unix_ms: told.trouble.map(|(_, at)| at),
            bytes_out: self.bytes.get(),
            dropped_frames: self.dropped_frames.get(),
            dropped_bytes: self.dropped_bytes.get(),
            skips: self.skips.get(),
            attempts: self.attempts.get(),
            connects,
            reconnects: connects.saturating_sub(1),
        }
    }

    /// A panic while it was changed leaves valid text, if perhaps half of the change.
    fn lock(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A status at one moment, as the API shows it. Field names are public interface.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StatusSnapshot {
    /// The phase.
    pub state: &'static str,
    /// When it began, in milliseconds of Unix time.
    pub since_unix_ms: u64,
    /// The shard that it runs on.
    pub shard: u64,
    /// The address that was tried last.
    pub address: Option<SocketAddr>,
    /// What went wrong last, as a stable name; it stays when all is well again.
    pub error: Option<&'static str>,
    /// The same for people.
    pub error_text: Option<String>,
    /// When it went wrong, in milliseconds of Unix time.
    pub error_unix_ms: Option<u64>,
    /// Bytes sent.
    pub bytes_out: u64,
    /// Frames skipped.
    pub dropped_frames: u64,
    /// Bytes skipped.
    pub dropped_bytes: u64,
    /// Skips.
    pub skips: u64,
    /// Attempts to connect.
    pub attempts: u64,
    /// Connections that were accepted.
    pub connects: u64,
    /// Of these, all but the first.
    pub reconnects: u64,
}

fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trouble_stays_to_be_read_when_it_is_over() {
        let status = Status::default();
        status.enter(Phase::Connecting);
        status.failed(Trouble::Refused);
        status.enter(Phase::Running);
        status.connects.add(2);
        let shown = status.snapshot();
        assert_eq!(
            (shown.state, shown.error, shown.reconnects),
            ("publishing", Some("refused"), 1)
        );
        assert!(shown.since_unix_ms > 0 && shown.error_unix_ms.is_some());
    }

    #[test]
    fn a_phase_keeps_its_beginning() {
        let status = Status::default();
        status.enter(Phase::Waiting);
        let since = status.snapshot().since_unix_ms;
        std::thread::sleep(std::time::Duration::from_millis(3));
        status.enter(Phase::Waiting);
        assert_eq!(status.snapshot().since_unix_ms, since);
    }
}
