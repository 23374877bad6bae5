//! Publishing keys: which secret lets whom publish which stream.
//!
//! A publisher shows its secret in one of two ways, because encoders have one field for it:
//! stream key `cam1?key=SECRET`, or the secret alone as an opaque stream key. Either way it
//! publishes `live/cam1`, and that is all that viewers, logs and metrics ever see. How names are
//! formed is the affair of [`crate::name`].

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer};
use serde::{Serialize, Serializer};

use super::Secret;
use crate::name::{NameError, StreamName, percent_escape};

/// The application of a key whose name has none: `cam1` means `live/cam1`.
pub const DEFAULT_APP: &str = "live";

/// Secrets shorter than this are taken, for a test at home, but reported as weak: at the rate at
/// which connections can be made, eight characters cannot be guessed and four can.
pub const SECRET_LEN_WEAK: usize = 8;

/// Longest secret that is taken, so that the opaque form fits a stream key of any encoder.
pub const SECRET_LEN_MAX: usize = 128;

/// The `[keys]` table. Empty means that anyone may publish anything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Keys {
    by_name: BTreeMap<StreamName, Secret>,
}

/// A publish request that the keys allow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Granted {
    /// The stream that viewers see.
    pub stream: StreamName,
    /// Whether a secret was shown. Without keys, everyone is let in unproven.
    pub proven: bool,
}

/// Why a publisher is turned away. Nothing of what it sent is in the error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyError {
    /// The name is no stream name, with or without a secret.
    Name(NameError),
    /// The stream needs a key and none was given.
    Missing,
    /// A key was given and is not the one of this stream.
    Wrong,
    /// No stream of this name may be published, and the name is no opaque key either.
    Unknown,
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            KeyError::Name(error) => error.fmt(f),
            KeyError::Missing => f.write_str("this stream needs its key: NAME?key=SECRET"),
            KeyError::Wrong => f.write_str("the key is wrong"),
            KeyError::Unknown => f.write_str("no key is configured for this stream name"),
        }
    }
}

impl std::error::Error for KeyError {}

/// Why a line of the `[keys]` table is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyRuleError {
    /// The name is no stream name.
    Name(NameError),
    /// The secret is empty.
    Empty,
    /// The secret is longer than [`SECRET_LEN_MAX`].
    Long,
    /// The secret has a character that would not survive in a URL or a command.
    Character,
    /// Another name has this secret, so that the opaque form would be ambiguous.
    Shared,
    /// The secret is a stream name of the table, so that viewers know it.
    Public,
}

impl fmt::Display for KeyRuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            KeyRuleError::Name(error) => error.fmt(f),
            KeyRuleError::Empty => {
                f.write_str("its secret is empty (openssl rand -hex 16 makes a good one)")
            }
            KeyRuleError::Long => write!(f, "its secret has more than {SECRET_LEN_MAX} characters"),
            KeyRuleError::Character => {
                f.write_str("its secret may not hold spaces, quotes, or any of ? & # % / \\ < >")
            }
            KeyRuleError::Shared => f.write_str("another name has the same secret"),
            KeyRuleError::Public => f.write_str("its secret is the name of a stream"),
        }
    }
}

impl std::error::Error for KeyRuleError {}

impl Keys {
    /// Whether there are none, so that anyone may publish.
    pub fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    /// The streams that have a key.
    pub fn streams(&self) -> impl Iterator<Item = &StreamName> {
        self.by_name.keys()
    }

    /// The streams whose secrets are shorter than [`SECRET_LEN_WEAK`], to warn about.
    pub fn weak(&self) -> impl Iterator<Item = &StreamName> {
        let weak = |secret: &Secret| secret.reveal().len() < SECRET_LEN_WEAK;
        self.by_name.iter().filter(move |(_, secret)| weak(secret)).map(|(stream, _)| stream)
    }

    /// The secrets, for the capture writer to overwrite.
    pub fn secrets(&self) -> impl Iterator<Item = &Secret> {
        self.by_name.values()
    }

    /// Adds one rule. `name` is `cam1` (in the application [`DEFAULT_APP`]) or `app/cam1`.
    pub fn insert(&mut self, name: &str, secret: Secret) -> Result<(), KeyRuleError> {
        let stream = rule_name(name).map_err(KeyRuleError::Name)?;
        let text = secret.reveal();
        let plain = |byte: u8| byte.is_ascii_graphic() && !b"?&#%/\\<>\"'`".contains(&byte);
        if !text.bytes().all(plain) {
            return Err(KeyRuleError::Character);
        }
        if text.is_empty() {
            return Err(KeyRuleError::Empty);
        }
        if text.len() > SECRET_LEN_MAX {
            return Err(KeyRuleError::Long);
        }
        if self.by_name.iter().any(|(other, known)| *other != stream && *known == secret) {
            return Err(KeyRuleError::Shared);
        }
        let names = || self.by_name.keys().chain([&stream]);
        if names().any(|name| name.name() == text)
            || self.by_name.values().any(|known| known.matches(stream.name()))
        {
            return Err(KeyRuleError::Public);
        }
        self.by_name.insert(stream, secret);
        Ok(())
    }

    /// Decides a publish request: the application, the stream name as sent without its query
    /// string, and that query string (empty if there was none; those of the application and of
    /// the name may be joined by `&`).
    ///
    /// An opaque key is compared with every secret whatever matches, so that the time taken tells
    /// no more of them than their lengths. On [`KeyError::Unknown`] do not log the name: it may be
    /// a mistyped secret.
    pub fn publish(&self, app: &str, name: &str, query: &str) -> Result<Granted, KeyError> {
        if self.is_empty() {
            let stream = StreamName::new(app, name).map_err(KeyError::Name)?;
            return Ok(Granted { stream, proven: false });
        }
        if let Some(stream) = self.by_opaque_key(app, name) {
            return Ok(Granted { stream, proven: true });
        }
        let stream = StreamName::new(app, name).map_err(KeyError::Name)?;
        let given = query_value(query, "key");
        match (self.by_name.get(&stream), given) {
            (Some(secret), Some(given)) if secret.matches(&given) => {
                Ok(Granted { stream, proven: true })
            }
            (Some(_), Some(_)) => Err(KeyError::Wrong),
            (Some(_), None) => Err(KeyError::Missing),
            (None, _) => Err(KeyError::Unknown),
        }
    }

    /// Whether this text, sent as a stream name, is a secret, so that it must not be logged.
    pub fn is_secret(&self, name: &str) -> bool {
        self.by_name.values().fold(false, |found, secret| found | secret.matches(name))
    }

    fn by_opaque_key(&self, app: &str, name: &str) -> Option<StreamName> {
        let app = app.strip_suffix('/').unwrap_or(app);
        let mut found = None;
        for (stream, secret) in &self.by_name {
            if secret.matches(name) & (stream.app() == app) {
                found = Some(stream.clone());
            }
        }
        found
    }
}

fn rule_name(name: &str) -> Result<StreamName, NameError> {
    if name.contains('/') { StreamName::parse(name) } else { StreamName::new(DEFAULT_APP, name) }
}

/// The value of a parameter of a query string, percent-decoded once if it is encoded.
pub fn query_value(query: &str, wanted: &str) -> Option<Vec<u8>> {
    let pairs = query.trim_start_matches('?').split(['&', '?']);
    let value = pairs.filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == wanted)?.1;
    let mut decoded = Vec::new();
    let mut rest = value.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let escape = if first == b'%' { percent_escape(tail) } else { None };
        let (byte, tail) = escape.unwrap_or((first, tail));
        decoded.push(byte);
        rest = tail;
    }
    Some(decoded)
}

impl Serialize for Keys {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(&self.by_name)
    }
}

impl<'de> Deserialize<'de> for Keys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut keys = Keys::default();
        for (name, secret) in BTreeMap::<String, Secret>::deserialize(deserializer)? {
            keys.insert(&name, secret)
                .map_err(|error| de::Error::custom(format_args!("key {name:?}: {error}")))?;
        }
        Ok(keys)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> Keys {
        let mut keys = Keys::default();
        keys.insert("cam1", Secret::new("s3cret-of-1")).unwrap();
        keys.insert("studio/cam2", Secret::new("s3cret-of-2")).unwrap();
        keys
    }

    fn stream(text: &str) -> StreamName {
        StreamName::parse(text).unwrap()
    }

    #[test]
    fn both_forms_of_a_key_publish_the_public_name() {
        let granted = Ok(Granted { stream: stream("live/cam1"), proven: true });
        assert_eq!(keys().publish("live", "cam1", "key=s3cret-of-1"), granted);
        assert_eq!(keys().publish("live", "cam1", "?x=1&key=s3cret-of-1"), granted);
        assert_eq!(keys().publish("live", "cam1", "key=s3cret%2Dof%2D1"), granted);
        assert_eq!(keys().publish("live", "s3cret-of-1", ""), granted);
        assert_eq!(keys().publish("live/", "s3cret-of-1", ""), granted);
    }

    #[test]
    fn everything_else_is_turned_away_by_kind() {
        let keys = keys();
        assert_eq!(keys.publish("live", "cam1", ""), Err(KeyError::Missing));
        assert_eq!(keys.publish("live", "cam1", "key="), Err(KeyError::Wrong));
        assert_eq!(keys.publish("live", "cam1", "key=s3cret-of-2"), Err(KeyError::Wrong));
        assert_eq!(keys.publish("live", "s3cret-of-2", ""), Err(KeyError::Unknown));
        assert_eq!(keys.publish("live", "cam9", "key=s3cret-of-1"), Err(KeyError::Unknown));
        assert!(matches!(keys.publish("live", "../x", ""), Err(KeyError::Name(_))));
    }

    #[test]
    fn without_keys_anyone_publishes_unproven() {
        let granted = Keys::default().publish("live", "cam1", "key=whatever");
        assert_eq!(granted, Ok(Granted { stream: stream("live/cam1"), proven: false }));
    }

    #[test]
    fn rules_that_could_not_hold_are_refused() {
        let mut keys = keys();
        let mut refuse =
            |name: &str, secret: &str| keys.insert(name, Secret::new(secret)).unwrap_err();
        assert_eq!(refuse("x", ""), KeyRuleError::Empty);
        assert_eq!(refuse("x", &"l".repeat(SECRET_LEN_MAX + 1)), KeyRuleError::Long);
        assert_eq!(refuse("x", "with a space"), KeyRuleError::Character);
        assert_eq!(refuse("x", "with?question"), KeyRuleError::Character);
        assert_eq!(refuse("x", "s3cret-of-1"), KeyRuleError::Shared);
        assert_eq!(refuse("name-name", "name-name"), KeyRuleError::Public);
        assert_eq!(refuse("s3cret-of-2", "something-else"), KeyRuleError::Public);
        assert!(matches!(
            refuse("api/x", "something-else"),
            KeyRuleError::Name(NameError::Reserved)
        ));
    }

    #[test]
    fn short_secrets_are_reported_as_weak() {
        let mut keys = keys();
        keys.insert("cam3", Secret::new("s3cret")).unwrap();
        assert_eq!(keys.weak().collect::<Vec<_>>(), [&stream("live/cam3")]);
        assert!(keys.publish("live", "s3cret", "").is_ok());
    }

    #[test]
    fn nothing_shows_a_secret() {
        let keys = keys();
        let shown = format!("{keys:?} {}", serde_json::to_string(&keys).unwrap());
        assert!(!shown.contains("s3cret"), "{shown}");
        assert!(keys.is_secret("s3cret-of-2") && !keys.is_secret("cam1"));
    }

    #[test]
    fn broken_escapes_in_a_query_do_no_harm() {
        for query in ["key=%", "key=%4", "key=%zz", "key=%%%", "key", "&&=&", "key=\u{e9}%c3"] {
            assert!(keys().publish("live", "cam1", query).is_err(), "{query}");
        }
    }
}
