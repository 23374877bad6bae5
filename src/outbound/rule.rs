//! What is to be pushed where, as an operator said it: a stream or a pattern of streams, a URL, a key.
//!
//! In patterns `*` stands for any part of an application or of a name. In the URL and the key `{name}` and
//! `{app}` stand for those of the stream; a pattern needs `{name}`, or its streams would take each other's
//! place there.

use super::place::{Place, PlaceError};
use crate::config::{Pattern, PatternError, Push, Secret};
use crate::name::{NameError, StreamName};
use std::fmt;
use std::path::PathBuf;

/// The longest label.
const LABEL_MAX: usize = 64;

/// A rule that has been looked at: every stream that it matches has a place.
#[derive(Clone, Debug)]
pub struct Rule {
    streams: Streams,
    url: Secret,
    key: Option<Secret>,
    /// What its operator calls it.
    pub label: String,
    /// Root certificates of its own.
    pub ca: Option<PathBuf>,
    /// The place with its placeholders, for showing.
    shown: Place,
}

#[derive(Clone, Debug)]
enum Streams {
    One(StreamName),
    Like(Pattern),
}

/// Why a rule means nothing. No key is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleError {
    /// The stream.
    Stream(NameError),
    /// The URL or the key.
    Place(PlaceError),
    /// A pattern without `{name}`.
    NoName,
    /// The label is empty, too long, or has control characters.
    Label,
}

impl Rule {
    /// Looks at what was said.
    ///
    /// # Errors
    /// [`RuleError`] says what to do.
    pub fn new(said: &Push) -> Result<Self, RuleError> {
        let streams = Streams::parse(&said.stream).map_err(RuleError::Stream)?;
        let shown = Place::new(said.url.reveal(), said.key.as_ref()).map_err(RuleError::Place)?;
        if matches!(streams, Streams::Like(_)) && !shown.name().contains("{name}") {
            return Err(RuleError::NoName);
        }
        let shown = if names_stream(&shown, said.key.is_none(), streams.one()) {
            shown.with_known_name()
        } else {
            shown
        };
        let label = said.name.clone().unwrap_or_else(|| shown.url().host().to_owned());
        let plain = !label.is_empty() && !label.chars().any(char::is_control);
        if !plain || label.chars().count() > LABEL_MAX {
            return Err(RuleError::Label);
        }
        let (url, key, ca) = (said.url.clone(), said.key.clone(), said.ca.clone());
        Ok(Self { streams, url, key, label, ca, shown })
    }

    /// The one stream that it is about, if it is no pattern.
    pub fn stream(&self) -> Option<&StreamName> {
        self.streams.one()
    }

    /// Whether it is about this stream.
    pub fn matches(&self, stream: &StreamName) -> bool {
        match &self.streams {
            Streams::One(one) => one == stream,
            Streams::Like(pattern) => pattern.matches(stream),
        }
    }

    /// Where this stream goes.
    ///
    /// # Errors
    /// None for a stream that it matches: names have no characters that a URL has not.
    pub fn place(&self, stream: &StreamName) -> Result<Place, PlaceError> {
        let fill = |text: &Secret| {
            let text = text.reveal().replace("{name}", stream.name());
            Secret::new(text.replace("{app}", stream.app()))
        };
        let place = Place::new(fill(&self.url).reveal(), self.key.as_ref().map(fill).as_ref())?;
        let known = names_stream(&self.shown, self.key.is_none(), Some(stream));
        Ok(if known { place.with_known_name() } else { place })
    }

    /// The place as it was said, without its key.
    pub fn shown(&self) -> &Place {
        &self.shown
    }

    /// The stream or the pattern, as it was said.
    pub fn streams(&self) -> String {
        match &self.streams {
            Streams::One(stream) => stream.to_string(),
            Streams::Like(pattern) => pattern.to_string(),
        }
    }
}

/// Whether a place without a key of its own, as it was said, is called as the stream is: then its name is
/// no secret.
fn names_stream(said: &Place, keyless: bool, stream: Option<&StreamName>) -> bool {
    let name = said.name();
    let bare = name.split('?').next().unwrap_or_default();
    keyless && (bare.contains("{name}") || stream.is_some_and(|stream| stream.name() == bare))
}

impl Streams {
    /// The one stream, if it is no pattern.
    fn one(&self) -> Option<&StreamName> {
        match self {
            Self::One(stream) => Some(stream),
            Self::Like(_) => None,
        }
    }

    fn parse(text: &str) -> Result<Self, NameError> {
        if !text.contains('*') {
            return StreamName::parse(text).map(Self::One);
        }
        // Whatever stands for the stars, the rest has to be able to be a name, and one of an application.
        StreamName::parse(text.replace('*', "x"))?;
        text.parse().map(Self::Like).map_err(|PatternError| NameError::NoApplication)
    }
}

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stream(error) => {
                write!(f, "the stream has to be a name such as live/cam1 or live/*: {error}")
            }
            Self::Place(error) => error.fmt(f),
            Self::NoName => f.write_str(
                "a pattern of streams needs {name} in the key, or as the last part of the URL",
            ),
            Self::Label => {
                write!(f, "the name has to have 1 to {LABEL_MAX} characters, none of control")
            }
        }
    }
}

impl std::error::Error for RuleError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(stream: &str, url: &str, key: Option<&str>) -> Push {
        let (url, key) = (Secret::new(url), key.map(Secret::new));
        Push { stream: stream.into(), url, key, name: None, ca: None }
    }

    fn name(text: &str) -> StreamName {
        StreamName::parse(text).unwrap()
    }

    #[test]
    fn a_pattern_has_a_place_for_each_of_its_streams() {
        let rule = Rule::new(&said("live/*", "rtmp://h/{app}", Some("{name}?k=s3cret"))).unwrap();
        assert!(rule.matches(&name("live/cam1")) && !rule.matches(&name("lives/cam1")));
        let place = rule.place(&name("live/cam1")).unwrap();
        assert_eq!((place.url().app(), place.name().as_str()), ("live", "cam1?k=s3cret"));
        let rule = Rule::new(&said("live/*", "rtmp://h/copy/{name}", None)).unwrap();
        assert_eq!(rule.place(&name("live/a")).unwrap().to_string(), "rtmp://h/copy/a");
        assert_eq!((rule.streams().as_str(), rule.label.as_str()), ("live/*", "h"));
    }

    #[test]
    fn what_means_nothing_is_refused_without_the_key() {
        let refused = |said: &Push| Rule::new(said).unwrap_err();
        assert_eq!(refused(&said("live/*", "rtmp://h/app", Some("k"))), RuleError::NoName);
        assert!(matches!(refused(&said("cam", "rtmp://h/a", Some("k"))), RuleError::Stream(_)));
        assert!(matches!(refused(&said("api/*", "rtmp://h/a/{name}", None)), RuleError::Stream(_)));
        assert!(matches!(refused(&said("live/a", "h/a", Some("k"))), RuleError::Place(_)));
        let labelled = Push { name: Some("a\nb".into()), ..said("live/a", "rtmp://h/a/b", None) };
        assert_eq!(refused(&labelled), RuleError::Label);
        let rule = Rule::new(&said("live/a", "rtmp://h/a", Some("s3cret"))).unwrap();
        assert!(!format!("{rule:?} {}", rule.shown()).contains("s3cret"));
    }
}
