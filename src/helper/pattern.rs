//! Which streams a helper is for: one name, or a family of names with one `*` in it. Unlike the patterns
//! of other settings ([`crate::config::Pattern`]) it knows what the star stands for, so there is one
//! only, and never none or several applications. What a name is at all is decided in [`crate::name`].

use crate::config::DEFAULT_APP;
use crate::name::{NameError, StreamName};
use serde::de::{self, Deserialize, Deserializer};
use serde::{Serialize, Serializer};
use std::fmt;

/// `live/cam1`, `cam1` (in the application [`DEFAULT_APP`]), or `live/cam_*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// All of the name, or what stands before the star.
    before: String,
    /// What stands behind the star, if there is one.
    after: Option<String>,
}

/// Why a text is no pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatternError {
    /// With the star filled in, it is no stream name.
    Name(NameError),
    /// It has several stars.
    Stars,
    /// The application has a star, or is left open.
    App,
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(error) => error.fmt(f),
            Self::Stars => f.write_str("one * is enough for a family of streams"),
            Self::App => f.write_str(
                "say of which application, \"live/*\"; the * may stand in the name only",
            ),
        }
    }
}

impl std::error::Error for PatternError {}

impl Pattern {
    /// Reads one.
    ///
    /// # Errors
    /// If it could never match a stream, or is not of the form above.
    pub fn parse(given: &str) -> Result<Self, PatternError> {
        // Elsewhere a star alone means every stream of every application.
        if given == "*" {
            return Err(PatternError::App);
        }
        let text =
            if given.contains('/') { given.to_owned() } else { format!("{DEFAULT_APP}/{given}") };
        let name = |text: &str| StreamName::parse(text).map_err(PatternError::Name);
        let Some((before, after)) = text.split_once('*') else {
            return Ok(Self { before: name(&text)?.to_string(), after: None });
        };
        if after.contains('*') {
            return Err(PatternError::Stars);
        }
        if after.contains('/') {
            return Err(PatternError::App);
        }
        // Any letter does: names are judged byte by byte.
        name(&format!("{before}x{after}"))?;
        Ok(Self { before: before.to_owned(), after: Some(after.to_owned()) })
    }

    /// The one stream that is meant, unless it is a family.
    pub fn single(&self) -> Option<StreamName> {
        match self.after {
            None => StreamName::parse(&self.before).ok(),
            Some(_) => None,
        }
    }

    /// What the star stands for in this stream's name, empty for a pattern without one; nothing if
    /// the stream is not meant.
    pub fn star<'a>(&self, stream: &'a StreamName) -> Option<&'a str> {
        let text = stream.as_str();
        match &self.after {
            None => (text == self.before).then_some(""),
            Some(after) => {
                let star = text.strip_prefix(&*self.before)?.strip_suffix(&**after)?;
                // A slash would be the one behind the application.
                (!star.is_empty() && !star.contains('/')).then_some(star)
            }
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.before)?;
        self.after.as_ref().map_or(Ok(()), |after| write!(f, "*{after}"))
    }
}

impl Serialize for Pattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn star(pattern: &str, stream: &str) -> Option<String> {
        let stream = StreamName::parse(stream).unwrap();
        Pattern::parse(pattern).unwrap().star(&stream).map(str::to_owned)
    }

    #[test]
    fn a_plain_name_means_itself_alone() {
        assert_eq!(star("cam1", "live/cam1"), Some(String::new()));
        assert_eq!(star("studio/cam1", "studio/cam1"), Some(String::new()));
        assert_eq!(star("cam1", "live/cam12"), None);
        assert_eq!(star("cam1", "studio/cam1"), None);
        assert_eq!(Pattern::parse("cam1").unwrap().single().unwrap().as_str(), "live/cam1");
    }

    #[test]
    fn a_star_stands_for_what_lies_between() {
        assert_eq!(star("live/*_720p", "live/cam_720p").as_deref(), Some("cam"));
        assert_eq!(star("cam_*", "live/cam_7").as_deref(), Some("7"));
        assert_eq!(star("live/*", "live/any").as_deref(), Some("any"));
        for (pattern, stream) in
            [("live/*_720p", "live/_720p"), ("live/*", "other/any"), ("aa*aa", "live/aaa")]
        {
            assert_eq!(star(pattern, stream), None, "{pattern} {stream}");
        }
        assert_eq!(Pattern::parse("cam_*").unwrap().single(), None);
    }

    #[test]
    fn what_could_never_match_is_refused() {
        assert_eq!(Pattern::parse("a*b*"), Err(PatternError::Stars));
        assert_eq!(Pattern::parse("*/cam"), Err(PatternError::App));
        assert_eq!(Pattern::parse("*"), Err(PatternError::App));
        for wrong in ["", "live/", "-cam", "cam;reboot", "live/$(x)", "api/*", "a b"] {
            assert!(matches!(Pattern::parse(wrong), Err(PatternError::Name(_))), "{wrong}");
        }
    }
}
