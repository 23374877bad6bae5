//! The server behind the proxy: what stands in its URL, and the URL of one stream on it.

use millstream_client::{RtmpUrl, UrlError};
use std::fmt;

/// `rtmp://HOST[:PORT][/APP[/NAME]][?QUERY]`, or `rtmps://`. What it names is put in the place of
/// what clients name; what it leaves out is passed on. The last of several segments is the name;
/// a slash at the end says that there is none.
#[derive(Clone, PartialEq, Eq)]
pub struct Target {
    /// `rtmp://HOST:PORT`.
    origin: String,
    app: Option<String>,
    name: Option<String>,
    query: Option<String>,
}

impl Target {
    /// Takes a URL apart.
    ///
    /// # Errors
    /// [`UrlError`], in which nothing of the URL stands.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        let (place, query) = match text.split_once('?') {
            Some((place, query)) => (place, Some(query).filter(|query| !query.is_empty())),
            None => (text, None),
        };
        let host = place.find("://").map(|at| at + 3).ok_or(UrlError::Scheme)?;
        let path = place[host..].find('/').map_or(place.len(), |at| host + at);
        let (origin, path) = place.split_at(path);
        let inner = path.trim_matches('/');
        let (app, name) = match inner.rsplit_once('/') {
            _ if inner.is_empty() => (None, None),
            Some((app, name)) if !path.ends_with('/') => (Some(app), Some(name)),
            _ => (Some(inner), None),
        };
        let target = Self {
            origin: origin.to_owned(),
            app: app.map(str::to_owned),
            name: name.map(str::to_owned),
            query: query.map(str::to_owned),
        };
        target.url("app", "name", "").map(|_| target)
    }

    /// The URL of a stream that clients call so.
    ///
    /// # Errors
    /// [`UrlError`] if the query has characters that no URL may have.
    pub fn url(&self, app: &str, name: &str, query: &str) -> Result<RtmpUrl, UrlError> {
        let app = self.app.as_deref().unwrap_or(app);
        let name = self.name.as_deref().unwrap_or(name);
        let query = joined([self.query.as_deref(), Some(query)]);
        let mark = if query.is_empty() { "" } else { "?" };
        RtmpUrl::parse(&format!("{}/{app}/{name}{mark}{query}", self.origin))
    }

    /// Whether connections to it are encrypted.
    pub fn is_tls(&self) -> bool {
        self.url("app", "name", "").is_ok_and(|url| url.is_tls())
    }
}

/// Queries as one.
pub(super) fn joined<'a>(queries: impl IntoIterator<Item = Option<&'a str>>) -> String {
    let queries = queries.into_iter().flatten().filter(|query| !query.is_empty());
    queries.collect::<Vec<_>>().join("&")
}

/// Without secrets, as a URL is shown.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.url("APP", "NAME", "") {
            Ok(url) => url.fmt(f),
            Err(error) => error.fmt(f),
        }
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(target: &str, app: &str, name: &str, query: &str) -> String {
        let url = Target::parse(target).unwrap().url(app, name, query).unwrap();
        format!("{} {}", url.server(), url.name())
    }

    #[test]
    fn what_the_target_names_replaces_what_clients_name() {
        assert_eq!(url("rtmp://h", "live", "cam", ""), "rtmp://h/live cam");
        assert_eq!(url("rtmp://h:1/", "live", "cam", "a=b"), "rtmp://h:1/live cam?a=b");
        assert_eq!(url("rtmps://h/in", "live", "cam", ""), "rtmps://h/in cam");
        assert_eq!(url("rtmp://h/a/b/", "live", "cam", ""), "rtmp://h/a/b cam");
        assert_eq!(url("rtmp://h/a/b/c?k=1", "live", "cam", "x=2"), "rtmp://h/a/b c?k=1&x=2");
        assert_eq!(url("rtmp://[::1]:9/a", "live", "cam", ""), "rtmp://[::1]:9/a cam");
    }

    #[test]
    fn what_is_no_target_is_said_and_no_secret_shown() {
        for (text, error) in [
            ("h/live", UrlError::Scheme),
            ("http://h/live", UrlError::Scheme),
            ("rtmp://", UrlError::Host),
            ("rtmp://h:x", UrlError::Port),
            ("rtmp://me@h", UrlError::User),
            ("rtmp://h/a b", UrlError::Character),
        ] {
            assert_eq!(Target::parse(text), Err(error), "{text}");
        }
        let target = Target::parse("rtmps://h/live2/abcd-efgh-ijkl-mnop?key=s3cret").unwrap();
        assert_eq!(
            format!("{target} {target:?}").matches("rtmps://h/live2/***?key=***").count(),
            2
        );
        assert!(target.is_tls());
    }
}
