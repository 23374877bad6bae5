//! What is hidden in texts that people see: a helper's own secret, the values of `key` and `token` in
//! URLs, and the user and password before a host. Programs like to print the URLs that they were given.

use crate::config::{MASK, Secret};
use std::fmt;

/// What stands before a value to hide.
const MARKS: [&str; 4] = ["?key=", "&key=", "?token=", "&token="];

/// A text as it may be shown.
pub fn masked(text: &str, secrets: &[Secret]) -> String {
    let mut shown = text.to_owned();
    for secret in secrets.iter().map(Secret::reveal).filter(|secret| !secret.is_empty()) {
        if shown.contains(secret) {
            shown = shown.replace(secret, MASK);
        }
    }
    for mark in MARKS {
        shown =
            replace_after(&shown, mark, |rest| Some(rest.find(ends_value).unwrap_or(rest.len())));
    }
    replace_after(&shown, "://", |rest| {
        let authority = &rest[..rest.find(ends_authority).unwrap_or(rest.len())];
        authority.rfind('@')
    })
}

/// Puts the mask in the place of as many bytes behind each `mark` as `length` says.
fn replace_after(text: &str, mark: &str, length: impl Fn(&str) -> Option<usize>) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(mark) {
        let (before, after) = rest.split_at(at + mark.len());
        shown.push_str(before);
        rest = match length(after) {
            Some(hidden) => {
                shown.push_str(MASK);
                &after[hidden..]
            }
            None => after,
        };
    }
    shown.push_str(rest);
    shown
}

fn ends_value(c: char) -> bool {
    c.is_whitespace() || matches!(c, '&' | '\'' | '"' | '<' | '>' | ',' | ';')
}

fn ends_authority(c: char) -> bool {
    c.is_whitespace() || matches!(c, '/' | '?' | '#' | '\'' | '"' | '<' | '>')
}

/// An argument or a value of the environment, as an operator wrote it: where it is shown, it is masked.
#[derive(Clone, PartialEq, Eq)]
pub struct Argument(String);

impl Argument {
    /// Takes the text as it is.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, to run something with.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Argument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&masked(&self.0, &[]))
    }
}

impl fmt::Debug for Argument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", masked(&self.0, &[]))
    }
}

impl serde::Serialize for Argument {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Argument {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_do_not_pass() {
        let own = [Secret::new("0123456789abcdef")];
        for (text, shown) in [
            ("to 'rtmp://h/live/a?key=hunter2':", "to 'rtmp://h/live/a?key=***':"),
            ("x?a=1&token=hunter2&b=2", "x?a=1&token=***&b=2"),
            ("rtsp://admin:p@ss@10.0.0.9:554/s: refused", "rtsp://***@10.0.0.9:554/s: refused"),
            ("rtsp://user@h rtsp://h/a@b", "rtsp://***@h rtsp://h/a@b"),
            ("in 0123456789abcdef out", "in *** out"),
            ("http://h/?key=a http://h/?key=b", "http://h/?key=*** http://h/?key=***"),
            ("plain ä text :// @", "plain ä text :// @"),
        ] {
            assert_eq!(masked(text, &own), shown);
        }
    }

    #[test]
    fn an_argument_shows_itself_masked() {
        let argument = Argument::new("rtsp://a:hunter2@h/");
        let shown =
            format!("{argument} {argument:?} {}", serde_json::to_string(&argument).unwrap());
        assert!(!shown.contains("hunter2"), "{shown}");
        assert_eq!(argument.reveal(), "rtsp://a:hunter2@h/");
    }
}
