//! Renaming: patterns that say what a stream of a client is called at the target.

use crate::config::Secret;
use std::fmt;

/// `FROM=TO`. Each side is `NAME` or `APP/NAME`; FROM may hold one `*`, which stands for anything,
/// and TO one too, which is what that stood for. Without a slash, FROM is held against names of any
/// application, and TO leaves the application as it is. TO may have a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rename {
    from: Pattern,
    /// Keys stand in it as often as not.
    to: Secret,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Pattern {
    before: String,
    /// Behind the star, if there is one.
    after: Option<String>,
    with_app: bool,
}

/// Why a rule is none. Nothing of its TO, where keys stand, is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RenameError {
    /// There is no `=`, or a side is empty.
    Form,
    /// FROM has two stars, or TO has one more than FROM.
    Stars,
    /// TO has a slash at its beginning or end, and so no application or no name.
    Slash,
    /// TO has spaces or control characters.
    Character,
    /// Another rule has the same FROM.
    Twice,
}

/// What a stream is called at the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Renamed {
    pub(super) app: String,
    pub(super) name: String,
    pub(super) query: String,
}

impl Rename {
    /// Reads `FROM=TO`; the first `=` separates.
    ///
    /// # Errors
    /// [`RenameError`].
    pub fn parse(text: &str) -> Result<Self, RenameError> {
        let (from, to) = text.split_once('=').ok_or(RenameError::Form)?;
        Self::new(from, to)
    }

    /// A rule by its two sides.
    ///
    /// # Errors
    /// [`RenameError`].
    pub fn new(from: &str, to: &str) -> Result<Self, RenameError> {
        let place = to.split('?').next().unwrap_or_default();
        if from.is_empty() || place.is_empty() {
            return Err(RenameError::Form);
        }
        let stars = from.matches('*').count();
        if stars > 1 || to.matches('*').count() > stars {
            return Err(RenameError::Stars);
        }
        if place.starts_with('/') || place.ends_with('/') {
            return Err(RenameError::Slash);
        }
        if to.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(RenameError::Character);
        }
        let (before, after) = match from.split_once('*') {
            Some((before, after)) => (before, Some(after.to_owned())),
            None => (from, None),
        };
        let from = Pattern { before: before.to_owned(), after, with_app: from.contains('/') };
        Ok(Self { from, to: Secret::new(to) })
    }

    fn apply(&self, app: &str, name: &str) -> Option<Renamed> {
        let whole = format!("{app}/{name}");
        let star = self.from.matches(if self.from.with_app { &whole } else { name })?;
        let to = self.to.reveal().replacen('*', star, 1);
        let (place, query) = to.split_once('?').unwrap_or((&to, ""));
        let (app, name) = place.rsplit_once('/').unwrap_or((app, place));
        Some(Renamed { app: app.to_owned(), name: name.to_owned(), query: query.to_owned() })
    }
}

impl Pattern {
    /// What the star stands for, nothing if there is none.
    fn matches<'a>(&self, text: &'a str) -> Option<&'a str> {
        let rest = text.strip_prefix(self.before.as_str())?;
        match &self.after {
            Some(after) => rest.strip_suffix(after.as_str()),
            None => rest.is_empty().then_some(""),
        }
    }

    /// More of it is more specific; one without a star is more specific than any with.
    fn weight(&self) -> (bool, usize) {
        let after = self.after.as_deref().map_or(0, str::len);
        (self.after.is_none(), self.before.len() + after)
    }
}

/// All rules. The most specific one counts: one without a star, else the longest.
#[derive(Clone, Debug, Default)]
pub struct Renames(Vec<Rename>);

impl Renames {
    /// Adds a rule.
    ///
    /// # Errors
    /// [`RenameError::Twice`].
    pub fn add(&mut self, rename: Rename) -> Result<(), RenameError> {
        if self.0.iter().any(|known| known.from == rename.from) {
            return Err(RenameError::Twice);
        }
        self.0.push(rename);
        // Stable: of equals the first one counts.
        self.0.sort_by_key(|rename| std::cmp::Reverse(rename.from.weight()));
        Ok(())
    }

    /// What a stream is called at the target.
    pub(super) fn apply(&self, app: &str, name: &str) -> Renamed {
        let found = self.0.iter().find_map(|rename| rename.apply(app, name));
        found.unwrap_or_else(|| Renamed {
            app: app.to_owned(),
            name: name.to_owned(),
            query: String::new(),
        })
    }
}

impl fmt::Display for RenameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Form => "expected FROM=TO, such as live/cam1=studio/main or live/*=edge/*",
            Self::Stars => "FROM may have one *, and TO one if FROM has",
            Self::Slash => "TO has to be NAME or APP/NAME, without slashes around it",
            Self::Character => "TO has spaces or control characters",
            Self::Twice => "two rules have the same FROM",
        })
    }
}

impl std::error::Error for RenameError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn renamed(rules: &[&str], app: &str, name: &str) -> String {
        let mut renames = Renames::default();
        rules.iter().for_each(|rule| renames.add(Rename::parse(rule).unwrap()).unwrap());
        let Renamed { app, name, query } = renames.apply(app, name);
        format!("{app}/{name}?{query}")
    }

    #[test]
    fn names_and_applications_are_replaced() {
        assert_eq!(renamed(&[], "live", "cam"), "live/cam?");
        assert_eq!(renamed(&["cam=main"], "live", "cam"), "live/main?");
        assert_eq!(renamed(&["cam=main"], "live", "cam2"), "live/cam2?");
        assert_eq!(renamed(&["live/cam=a/b/main"], "live", "cam"), "a/b/main?");
        assert_eq!(renamed(&["live/cam=a/main"], "x", "cam"), "x/cam?");
        assert_eq!(renamed(&["cam=key-of-mine?x=y=z"], "live", "cam"), "live/key-of-mine?x=y=z");
        assert_eq!(renamed(&["live/*=edge/*"], "live", "cam"), "edge/cam?");
        assert_eq!(renamed(&["*=eu-*"], "live", "cam"), "live/eu-cam?");
        assert_eq!(renamed(&["*/cam=all"], "live", "cam"), "live/all?");
        assert_eq!(renamed(&["*=one"], "live", "cam"), "live/one?");
    }

    #[test]
    fn the_most_specific_rule_counts() {
        let rules = ["*=rest", "live/*=any-of-live", "cam1=by-name", "live/cam*=cams"];
        assert_eq!(renamed(&rules, "live", "cam1"), "live/by-name?");
        assert_eq!(renamed(&rules, "live", "cam2"), "live/cams?");
        assert_eq!(renamed(&rules, "live", "x"), "live/any-of-live?");
        assert_eq!(renamed(&rules, "other", "x"), "other/rest?");
    }

    #[test]
    fn what_is_no_rule_is_said_and_no_key_shown() {
        for (text, error) in [
            ("cam", RenameError::Form),
            ("=cam", RenameError::Form),
            ("cam=", RenameError::Form),
            ("cam=?x", RenameError::Form),
            ("a*b*=c", RenameError::Stars),
            ("a=c*", RenameError::Stars),
            ("a=/c", RenameError::Slash),
            ("a=c/", RenameError::Slash),
            ("a=b c", RenameError::Character),
        ] {
            assert_eq!(Rename::parse(text), Err(error), "{text}");
        }
        let rule = Rename::parse("cam=s3cret").unwrap();
        assert!(!format!("{rule:?}").contains("s3cret"));
        let mut renames = Renames::default();
        renames.add(rule.clone()).unwrap();
        assert_eq!(renames.add(rule), Err(RenameError::Twice));
    }
}
