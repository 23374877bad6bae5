//! `[[slate]]`: which file fills the gaps of which streams. Reading the file is `slate`'s affair.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::units;
use crate::name::StreamName;

/// A file that is played where nobody publishes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlateConfig {
    /// The streams that it is for.
    pub stream: StreamPattern,
    /// The file, an FLV.
    pub file: PathBuf,
    /// How long a gap is before it is filled.
    #[serde(with = "units::duration", default = "after")]
    pub after: Duration,
    /// How long it plays at most in one gap.
    #[serde(with = "units::duration", default = "max")]
    pub max: Duration,
}

fn after() -> Duration {
    Duration::from_secs(1)
}

fn max() -> Duration {
    Duration::from_secs(600)
}

impl SlateConfig {
    /// Whether the times make sense.
    pub(super) fn holds(&self) -> bool {
        let day = Duration::from_secs(24 * 60 * 60);
        self.after <= Duration::from_secs(60) && (Duration::from_secs(1)..=day).contains(&self.max)
    }
}

/// Names of streams: one, `live/cam1`; all of an application, `live/*`; all that begin alike,
/// `live/cam*`; or all, `*`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StreamPattern {
    /// What the names begin with, or are.
    begin: String,
    /// More may follow.
    open: bool,
}

impl StreamPattern {
    /// Whether a stream is meant.
    pub fn matches(&self, name: &StreamName) -> bool {
        match self.open {
            true => name.as_str().starts_with(&self.begin),
            false => name.as_str() == self.begin,
        }
    }
}

/// A text that is no pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamPatternError;

impl fmt::Display for StreamPatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected a stream such as \"live/cam1\", \"live/cam*\", \"live/*\" or \"*\"")
    }
}

impl std::error::Error for StreamPatternError {}

impl FromStr for StreamPattern {
    type Err = StreamPatternError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (begin, open) = match text.strip_suffix('*') {
            Some(begin) => (begin, true),
            None => (text, false),
        };
        // Any name that it could mean is one, and nothing else is written in it.
        let whole = match (begin, open) {
            ("", true) => "any/any".into(),
            (_, true) if !begin.contains('/') => format!("{begin}any/any"),
            (_, true) => format!("{begin}any"),
            (_, false) => begin.to_owned(),
        };
        let name = StreamName::parse(&whole).map_err(|_| StreamPatternError)?;
        if name.as_str() != whole {
            return Err(StreamPatternError);
        }
        Ok(Self { begin: begin.to_owned(), open })
    }
}

impl TryFrom<String> for StreamPattern {
    type Error = StreamPatternError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<StreamPattern> for String {
    fn from(pattern: StreamPattern) -> Self {
        format!("{}{}", pattern.begin, if pattern.open { "*" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_mean_one_or_many() {
        let means = |pattern: &str, name: &str| {
            let pattern: StreamPattern = pattern.parse().unwrap();
            pattern.matches(&StreamName::parse(name).unwrap())
        };
        assert!(means("live/cam1", "live/cam1") && !means("live/cam1", "live/cam12"));
        assert!(means("live/*", "live/cam1") && !means("live/*", "studio/cam1"));
        assert!(means("live/cam*", "live/cam12") && !means("live/cam*", "live/ca"));
        assert!(means("*", "studio/x") && means("li*", "live/x"));
        for wrong in ["", "live", "live/**", "*/cam", "live/a b", "live/../x", "live/%41"] {
            assert_eq!(wrong.parse::<StreamPattern>(), Err(StreamPatternError), "{wrong}");
        }
    }
}
