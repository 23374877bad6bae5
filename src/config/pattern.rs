//! Patterns of stream names in settings: `live/cam1`, `live/*`, `*/cam-*`, `*`. What a name may be is
//! the affair of [`crate::name`].

use super::DEFAULT_APP;
use crate::name::{APP_LEN_MAX, NAME_LEN_MAX, StreamName};
use serde::de::{self, Deserialize, Deserializer};
use serde::{Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// A pattern of stream names. A `*` stands for any characters of its part, also for none; alone it
/// stands for every stream. A pattern without an application is one of `live`.
#[derive(Clone, PartialEq, Eq)]
pub struct Pattern {
    app: String,
    name: String,
}

/// Why a text is no pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PatternError;

impl Pattern {
    /// The pattern of every stream.
    pub fn every() -> Self {
        Self { app: "*".into(), name: "*".into() }
    }

    /// Whether a stream is one of those meant.
    pub fn matches(&self, stream: &StreamName) -> bool {
        part_matches(&self.app, stream.app()) && part_matches(&self.name, stream.name())
    }

    /// Whether it means one stream alone.
    pub fn is_plain(&self) -> bool {
        !self.app.contains('*') && !self.name.contains('*')
    }
}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        let (app, name) = match (text, text.split_once('/')) {
            ("*", _) => ("*", "*"),
            (_, Some(parts)) => parts,
            (name, None) => (DEFAULT_APP, name),
        };
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._~@+=-*".contains(&byte);
        let fits =
            |part: &str, max: usize| (1..=max).contains(&part.len()) && part.bytes().all(plain);
        if !fits(app, APP_LEN_MAX) || !fits(name, NAME_LEN_MAX) {
            return Err(PatternError);
        }
        Ok(Self { app: app.to_owned(), name: name.to_owned() })
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.app, self.name)
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected a stream or a pattern, such as \"live/cam1\", \"live/*\" or \"*\"")
    }
}

impl std::error::Error for PatternError {}

impl Serialize for Pattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// Whether a text is what a pattern of one part means. Takes at most the product of both lengths,
/// which are bounded: after a mismatch only the last star is tried again, one character further.
fn part_matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut at, mut seen) = (0, 0);
    let mut star = None;
    while seen < text.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, seen));
                at += 1;
            }
            Some(byte) if *byte == text[seen] => {
                at += 1;
                seen += 1;
            }
            _ => {
                let Some((place, from)) = star else { return false };
                star = Some((place, from + 1));
                at = place + 1;
                seen = from + 1;
            }
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, stream: &str) -> bool {
        pattern.parse::<Pattern>().unwrap().matches(&StreamName::parse(stream).unwrap())
    }

    #[test]
    fn stars_stand_for_anything_within_their_part() {
        for pattern in ["*", "*/*", "live/*", "live/cam1", "cam1", "l*e/c*1", "*/cam1*", "*v*/*a*"]
        {
            assert!(matches(pattern, "live/cam1"), "{pattern}");
        }
        for pattern in ["live/cam", "live/cam1*2", "studio/*", "live/*2", "li/*", "live/**2*"] {
            assert!(!matches(pattern, "live/cam1"), "{pattern}");
        }
        assert!(matches("live/*ab*ab", "live/aababab"));
        assert!(!matches("live/*a*a*a*b", &format!("live/{}", "a".repeat(120))));
    }

    #[test]
    fn what_no_stream_can_be_called_is_no_pattern() {
        for wrong in ["", "/", "live/", "/cam", "a/b/c", "live/ca m", "live/?", "live/{a}"] {
            assert_eq!(wrong.parse::<Pattern>(), Err(PatternError), "{wrong}");
        }
        assert!("cam1".parse::<Pattern>().unwrap().is_plain());
        assert!(!"live/*".parse::<Pattern>().unwrap().is_plain());
    }
}
