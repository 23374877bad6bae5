//! `[[helper]]` in the configuration: each setting, its default, and what is refused. What follows from
//! a setting stands in `plan` (names and arguments) and `life` (when it runs).

use super::mask::Argument;
use super::pattern::Pattern;
use super::rules::{self, HelperError};
use crate::config::Secret;
use crate::config::units::{duration as duration_text, size as size_text};
use serde::de::{self, Deserializer};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// One helper: a program that makes a stream, or makes something of one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HelperConfig {
    /// What it is called in the log, the API and the metrics.
    pub name: String,
    /// The program and its arguments, with places such as `{output}` to fill in. No
    /// shell sees them.
    pub run: Vec<Argument>,
    /// The stream, or the family of streams, for which it runs.
    pub stream: Pattern,
    /// When it runs.
    pub start: Start,
    /// The name of the stream that `{input}` plays; for `start = "live"` the stream itself.
    #[serde(default)]
    pub input: Option<String>,
    /// The names of the streams that `{output}`, `{output2}` ... publish; unless `start = "live"`, the
    /// first one is the stream itself if none is named.
    #[serde(default, deserialize_with = "one_or_many")]
    pub output: Vec<String>,
    /// Added to the environment, with places to fill in.
    #[serde(default)]
    pub env: BTreeMap<String, Secret>,
    /// The directory that it runs in.
    #[serde(default)]
    pub cwd: Option<PathBuf>,
    /// Its niceness, 0 to 19: a helper never outranks the server.
    #[serde(default)]
    pub nice: u8,
    /// Address space of each of its processes, in bytes (`RLIMIT_AS`).
    #[serde(default, with = "optional_size")]
    pub memory: Option<u64>,
    /// Open files of each of its processes (`RLIMIT_NOFILE`). Not the server's own, which is so high
    /// that programs which try every number take long.
    #[serde(default = "default_open_files")]
    pub open_files: u32,
    /// Processor time of each of its processes (`RLIMIT_CPU`), after which the kernel ends it.
    #[serde(default, with = "optional_duration")]
    pub cpu: Option<Duration>,
    /// What it is sent when it shall stop.
    #[serde(default)]
    pub stop_signal: StopSignal,
    /// How long it may take to stop before it is killed.
    #[serde(default = "default_patience", with = "duration_text")]
    pub patience: Duration,
    /// How long it runs on without a viewer.
    #[serde(default = "default_linger", with = "duration_text")]
    pub linger: Duration,
    /// The pause before it is started again, which doubles each time ...
    #[serde(default = "default_backoff", with = "duration_text")]
    pub backoff: Duration,
    /// ... up to this.
    #[serde(default = "default_backoff_max", with = "duration_text")]
    pub backoff_max: Duration,
    /// Having run this long, it counts as well, and the pauses begin anew.
    #[serde(default = "default_steady", with = "duration_text")]
    pub steady: Duration,
    /// After so many starts in a row that did not last it is given up; 0 is never.
    #[serde(default)]
    pub tries: u32,
    /// Lines of its output that are kept.
    #[serde(default = "default_log_lines")]
    pub log_lines: usize,
    /// For how many streams of a family it may run at one time.
    #[serde(default = "default_instances")]
    pub instances: usize,
}

/// When a helper runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Start {
    /// From the server's start to its end.
    Always,
    /// While its stream is live.
    Live,
    /// While somebody wants its stream.
    Viewer,
}

/// What a helper is sent when it shall stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum StopSignal {
    /// `SIGTERM`.
    #[default]
    Term,
    /// `SIGINT`.
    Int,
    /// `SIGQUIT`.
    Quit,
    /// `SIGHUP`.
    Hup,
    /// `SIGUSR1`.
    Usr1,
    /// `SIGKILL`: at once, without any last word.
    Kill,
}

fn default_open_files() -> u32 {
    1024
}

fn default_patience() -> Duration {
    Duration::from_secs(5)
}

fn default_linger() -> Duration {
    Duration::from_secs(10)
}

fn default_backoff() -> Duration {
    Duration::from_secs(1)
}

fn default_backoff_max() -> Duration {
    Duration::from_secs(30)
}

fn default_steady() -> Duration {
    Duration::from_secs(10)
}

fn default_log_lines() -> usize {
    50
}

fn default_instances() -> usize {
    8
}

impl HelperConfig {
    /// A helper with all else at its default.
    ///
    /// # Errors
    /// If it could not work; the error says what to change.
    pub fn new(
        name: &str,
        run: &[&str],
        stream: Pattern,
        start: Start,
    ) -> Result<Self, HelperError> {
        let config = Self {
            name: name.to_owned(),
            run: run.iter().map(|&argument| Argument::new(argument)).collect(),
            stream,
            start,
            input: None,
            output: Vec::new(),
            env: BTreeMap::new(),
            cwd: None,
            nice: 0,
            memory: None,
            open_files: default_open_files(),
            cpu: None,
            stop_signal: StopSignal::default(),
            patience: default_patience(),
            linger: default_linger(),
            backoff: default_backoff(),
            backoff_max: default_backoff_max(),
            steady: default_steady(),
            tries: 0,
            log_lines: default_log_lines(),
            instances: default_instances(),
        };
        rules::check(&config)?;
        Ok(config)
    }
}

/// Reads the list of helpers and checks each by itself and all together.
///
/// # Errors
/// With the helper's name and what to change.
pub fn list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<HelperConfig>, D::Error> {
    let helpers = Vec::<HelperConfig>::deserialize(deserializer)?;
    rules::check_all(&helpers).map_err(de::Error::custom)?;
    Ok(helpers)
}

/// One text or a list of them. Unlike elsewhere a comma does not separate: it may stand in an argument.
fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "expected text or a list of texts")]
    enum OneOrMany {
        One(String),
        Many(Vec<String>),
    }
    Ok(match OneOrMany::deserialize(deserializer)? {
        OneOrMany::One(text) => vec![text],
        OneOrMany::Many(texts) => texts,
    })
}

/// A size that need not be there.
mod optional_size {
    use super::size_text;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    struct Size(#[serde(with = "size_text")] u64);

    pub(super) fn serialize<S: Serializer>(size: &Option<u64>, to: S) -> Result<S::Ok, S::Error> {
        size.map(Size).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
        Ok(Some(Size::deserialize(from)?.0))
    }
}

/// A duration that need not be there.
mod optional_duration {
    use super::{Duration, duration_text};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    struct Span(#[serde(with = "duration_text")] Duration);

    pub(super) fn serialize<S: Serializer>(
        span: &Option<Duration>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        span.map(Span).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Duration>, D::Error> {
        Ok(Some(Span::deserialize(from)?.0))
    }
}
