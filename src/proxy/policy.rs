//! Who may pass, and where to: keys, renaming, and whether publishing or playing is wanted at all.
//! Where the settings come from stands in `settings`.

use super::rename::Renames;
use super::target::{Target, joined};
use crate::config::{KeyError, Keys};
use crate::name::{NameError, StreamName};
use millstream_client::{RtmpUrl, UrlError};
use millstream_rtmp::session::Rejection;
use std::fmt;

/// The rules of one proxy.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Where all goes.
    pub target: Target,
    /// Which secret lets whom publish what; empty, and anyone may.
    pub keys: Keys,
    /// What streams are called at the target.
    pub renames: Renames,
    /// Whether publishers pass.
    pub publish: bool,
    /// Whether players pass.
    pub play: bool,
}

/// A stream as a client names it: nothing of it is checked.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) app: &'a str,
    pub(super) app_query: Option<&'a str>,
    pub(super) name: &'a str,
    pub(super) query: Option<&'a str>,
}

/// Where a stream goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Passage {
    /// Its URL at the target.
    pub(super) url: RtmpUrl,
    /// What the client put behind its application, without our key.
    pub(super) app_query: Option<String>,
}

/// Why a client is turned away. Nothing of what it sent is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turned {
    /// Publishers do not pass.
    NoPublish,
    /// Players do not pass.
    NoPlay,
    /// The key is missing or wrong.
    Key(KeyError),
    /// The name is no stream name.
    Name(NameError),
    /// The query cannot stand in a URL.
    Url(UrlError),
}

impl Policy {
    /// Decides on a publisher.
    pub(super) fn publish(&self, asked: Asked<'_>) -> Result<Passage, Turned> {
        if !self.publish {
            return Err(Turned::NoPublish);
        }
        let query = joined([asked.app_query, asked.query]);
        let granted = self.keys.publish(asked.app, asked.name, &query).map_err(|error| {
            if let KeyError::Name(error) = error { Turned::Name(error) } else { Turned::Key(error) }
        })?;
        self.passage(&granted.stream, asked)
    }

    /// Decides on a player. Playing needs no key, as with the server.
    pub(super) fn play(&self, asked: Asked<'_>) -> Result<Passage, Turned> {
        if !self.play {
            return Err(Turned::NoPlay);
        }
        let stream = StreamName::new(asked.app, asked.name).map_err(Turned::Name)?;
        self.passage(&stream, asked)
    }

    fn passage(&self, stream: &StreamName, asked: Asked<'_>) -> Result<Passage, Turned> {
        let renamed = self.renames.apply(stream.app(), stream.name());
        let query = self.passed_on(asked.query);
        let query = joined([Some(renamed.query.as_str()), query.as_deref()]);
        let url = self.target.url(&renamed.app, &renamed.name, &query).map_err(Turned::Url)?;
        Ok(Passage { url, app_query: self.passed_on(asked.app_query) })
    }

    /// A query as the target gets it. Where the proxy has keys, `key` is for the proxy alone.
    fn passed_on(&self, query: Option<&str>) -> Option<String> {
        let query = query?;
        if self.keys.is_empty() {
            return Some(query.to_owned());
        }
        let parts = query.split('&').filter(|part| !part.is_empty() && !part.starts_with("key="));
        let rest = parts.collect::<Vec<_>>().join("&");
        (!rest.is_empty()).then_some(rest)
    }
}

impl Turned {
    /// A stable name for the log.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::NoPublish => "no-publish",
            Self::NoPlay => "no-play",
            Self::Key(KeyError::Missing) => "key-missing",
            Self::Key(KeyError::Wrong) => "key-wrong",
            Self::Key(_) => "key-unknown",
            Self::Name(_) => "name",
            Self::Url(_) => "query",
        }
    }

    /// In the words that go to a publisher.
    pub(super) fn to_publisher(self, words: &str) -> Rejection<'_> {
        match self {
            Self::Name(_) | Self::Url(_) => Rejection::bad_name(words),
            _ => Rejection::publish_denied(words),
        }
    }
}

impl fmt::Display for Turned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPublish => f.write_str("no streams are taken here"),
            Self::NoPlay => f.write_str("no streams are played here"),
            Self::Key(error) => error.fmt(f),
            Self::Name(error) => error.fmt(f),
            Self::Url(_) => f.write_str("the query has characters that no URL may have"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::rename::Rename;
    use super::*;
    use crate::config::Secret;

    fn policy(target: &str) -> Policy {
        let target = Target::parse(target).unwrap();
        let (keys, renames) = (Keys::default(), Renames::default());
        Policy { target, keys, renames, publish: true, play: true }
    }

    fn asked<'a>(name: &'a str, query: Option<&'a str>) -> Asked<'a> {
        Asked { app: "live", app_query: None, name, query }
    }

    #[test]
    fn without_rules_all_pass_as_they_are() {
        let policy = policy("rtmp://h");
        let passage = policy.publish(asked("cam", Some("key=k&x=1"))).unwrap();
        assert_eq!(
            (passage.url.server(), passage.url.name()),
            ("rtmp://h/live".into(), "cam?key=k&x=1".into())
        );
        assert!(policy.play(asked("cam", None)).is_ok());
        assert!(matches!(policy.play(asked("../cam", None)), Err(Turned::Name(_))));
        assert!(matches!(policy.play(asked("cam", Some("a b"))), Err(Turned::Url(_))));
    }

    #[test]
    fn our_key_goes_no_further() {
        let mut policy = policy("rtmp://h");
        policy.keys.insert("cam", Secret::new("secret-of-cam")).unwrap();
        policy.renames.add(Rename::parse("cam=theirs?token=t").unwrap()).unwrap();
        for (name, query) in [("cam", "a=1&key=secret-of-cam&x=2"), ("secret-of-cam", "a=1&x=2")] {
            let passage = policy.publish(asked(name, Some(query))).unwrap();
            assert_eq!(passage.url.name(), "theirs?token=t&a=1&x=2");
        }
        let app_query = Some("key=secret-of-cam");
        let asked_by_app = Asked { app: "live", app_query, name: "cam", query: None };
        let passage = policy.publish(asked_by_app).unwrap();
        assert_eq!((passage.url.name().as_str(), passage.app_query), ("theirs?token=t", None));
        assert_eq!(policy.publish(asked("cam", None)), Err(Turned::Key(KeyError::Missing)));
        let wrong = policy.publish(asked("cam", Some("key=x")));
        assert_eq!(wrong, Err(Turned::Key(KeyError::Wrong)));
        assert!(policy.play(asked("cam", None)).is_ok(), "playing needs no key");
    }

    #[test]
    fn either_way_can_be_closed() {
        let mut policy = policy("rtmp://h");
        (policy.publish, policy.play) = (false, false);
        assert_eq!(policy.publish(asked("cam", None)), Err(Turned::NoPublish));
        assert_eq!(policy.play(asked("cam", None)), Err(Turned::NoPlay));
    }
}
