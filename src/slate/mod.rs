//! Slates: a looped film for streams that have viewers and no publisher.
//!
//! ```text
//!   file --read and checked at start--> Film, in memory, shared by all shards
//!   Film --Show: what is due now--> the stream's writer, on the shard that found the gap
//! ```
//! A slate is a publisher of the lowest rank and appends like any other, so whoever comes takes the
//! stream from it at a key frame. It has no connection: through one it would be an application's
//! business whether it may publish, and each gap would cost a handshake, two sockets and the framing of
//! each message twice. When a gap is filled stands in `stream::takeover`; who plays it, in `shard`.

mod error;
mod film;
mod show;

pub use error::SlateError;
pub use film::Film;
pub use show::Show;

use crate::config::{Pattern, SlateConfig};
use crate::name::StreamName;
use std::sync::Arc;
use std::time::Duration;

/// One slate.
#[derive(Debug)]
pub struct Slate {
    /// How long a gap is before it is filled.
    pub after: Duration,
    /// How long it plays at most in one gap.
    pub max: Duration,
    /// What it plays.
    pub film: Arc<Film>,
    pattern: Pattern,
}

/// All slates of a server.
#[derive(Debug, Default)]
pub struct Slates {
    slates: Vec<Arc<Slate>>,
}

impl Slates {
    /// Reads the files.
    ///
    /// # Errors
    /// The first that cannot be played.
    pub fn load(config: &[SlateConfig]) -> Result<Self, SlateError> {
        let slate = |config: &SlateConfig| {
            let film = Arc::new(Film::read(&config.file)?);
            let (after, max, pattern) = (config.after, config.max, config.stream.clone());
            Ok(Arc::new(Slate { after, max, film, pattern }))
        };
        Ok(Self { slates: config.iter().map(slate).collect::<Result<_, _>>()? })
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.slates.is_empty()
    }

    /// The slate of a stream: the first that is meant for it.
    pub fn of(&self, name: &StreamName) -> Option<&Arc<Slate>> {
        self.slates.iter().find(|slate| slate.pattern.matches(name))
    }
}
