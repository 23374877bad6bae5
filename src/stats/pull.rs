//! The state and counters of one pull, written by its shard alone and read by control. What is decided
//! about it stands in `pull`.

use super::atomics::Counter;
use crate::name::StreamName;
use serde::Serialize;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

/// What a pull does at present.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PullState {
    /// An origin is being connected to and asked.
    #[default]
    Connecting,
    /// An origin plays, and has sent nothing yet.
    Waiting,
    /// An origin feeds the stream.
    Pulling,
    /// All were tried in vain; they are tried again soon.
    BackingOff,
}

impl PullState {
    /// The word for it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Waiting => "waiting",
            Self::Pulling => "pulling",
            Self::BackingOff => "backing-off",
        }
    }
}

/// One pull.
#[derive(Debug)]
pub struct PullStats {
    name: StreamName,
    /// Bytes of media and data received.
    pub bytes_in: Counter,
    /// Origins asked, the same one again and again included.
    pub attempts: Counter,
    /// How often an origin began to feed the stream.
    pub feeds: Counter,
    info: Mutex<PullInfo>,
}

/// What is known of a pull besides numbers.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct PullInfo {
    /// What it does.
    pub state: PullState,
    /// Since when, in milliseconds of Unix time.
    pub since_unix_ms: u64,
    /// The origin that was asked last, its keys masked.
    pub origin: Option<String>,
    /// What went wrong last, as a stable name; it stays when all is well again.
    pub error: Option<&'static str>,
    /// The same for people.
    pub error_text: Option<String>,
    /// When it went wrong, in milliseconds of Unix time.
    pub error_unix_ms: Option<u64>,
}

/// A pull at one moment, as the API shows it. Field names are public interface.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PullSnapshot {
    /// The stream.
    pub stream: StreamName,
    /// State, origin, error.
    #[serde(flatten)]
    pub info: PullInfo,
    /// Bytes of media and data received.
    pub bytes_in: u64,
    /// Origins asked.
    pub attempts: u64,
    /// How often an origin began to feed the stream, without the first time.
    pub reconnects: u64,
}

impl PullStats {
    /// Zeroes for a pull of this stream.
    pub fn new(name: StreamName) -> Self {
        Self {
            name,
            bytes_in: Counter::default(),
            attempts: Counter::default(),
            feeds: Counter::default(),
            info: Mutex::default(),
        }
    }

    /// The stream.
    pub fn name(&self) -> &StreamName {
        &self.name
    }

    /// Enters a state, and says when.
    pub fn enter(&self, state: PullState) {
        let mut info = self.lock();
        if info.state != state || info.since_unix_ms == 0 {
            (info.state, info.since_unix_ms) = (state, unix_ms());
        }
    }

    /// Notes which origin is asked, masked.
    pub fn asks(&self, origin: String) {
        self.attempts.add(1);
        self.lock().origin = Some(origin);
    }

    /// Notes what went wrong. No secret is in the text.
    pub fn failed(&self, name: &'static str, text: String) {
        let mut info = self.lock();
        info.error = Some(name);
        info.error_text = Some(text);
        info.error_unix_ms = Some(unix_ms());
    }

    /// All of it at this moment.
    pub fn snapshot(&self) -> PullSnapshot {
        PullSnapshot {
            stream: self.name.clone(),
            info: self.lock().clone(),
            bytes_in: self.bytes_in.get(),
            attempts: self.attempts.get(),
            reconnects: self.feeds.get().saturating_sub(1),
        }
    }

    /// A panic while the text was changed leaves valid text, if perhaps half of the change.
    fn lock(&self) -> MutexGuard<'_, PullInfo> {
        self.info.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_noted_is_in_the_snapshot() {
        let pull = PullStats::new(StreamName::parse("live/cam1").unwrap());
        pull.asks("rtmp://a/live".into());
        pull.enter(PullState::Connecting);
        pull.failed("refused", "nobody listens there".into());
        pull.asks("rtmp://b/live".into());
        pull.enter(PullState::Pulling);
        pull.feeds.add(1);
        let shown = serde_json::to_value(pull.snapshot()).unwrap();
        assert_eq!(shown["stream"], "live/cam1");
        assert_eq!(
            (&shown["state"], &shown["origin"]),
            (&"pulling".into(), &"rtmp://b/live".into())
        );
        assert_eq!((&shown["attempts"], &shown["reconnects"]), (&2.into(), &0.into()));
        assert_eq!(shown["error"], "refused", "it stays to be read");
        assert_eq!(shown["state"], PullState::Pulling.label());
    }
}
