//! Where a connection goes: the URL and the key that a service hands out, taken apart as it expects,
//! and never shown with the key.
//!
//! ```text
//!   rtmp://host[:port]/app[/more]  +  key[?query]     two fields, as services show them
//!   rtmp://host[:port]/app[/more]/key[?query]         or one
//!          tcUrl: all before the key                  name: the key, query and all
//! ```
//! With a key of its own the whole path is the application. A query of the URL goes behind the key, for
//! services look for it in the name.

use crate::config::{MASK, Secret};
use crate::limits;
use millstream_client::{Refusal, RtmpUrl, UrlError};
use std::fmt;

/// A place to connect to, and the name to ask for there.
#[derive(Clone, PartialEq, Eq)]
pub struct Place {
    url: RtmpUrl,
    /// The name is somebody's key, however short it is.
    keyed: bool,
}

/// Why a URL and a key are no place. Nothing of either is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlaceError {
    /// The URL.
    Url(UrlError),
    /// The key is empty, or has characters that no name has.
    Key,
}

impl Place {
    /// Takes a URL and a key apart. Without a key, the last segment of the URL is the name.
    ///
    /// # Errors
    /// [`PlaceError`] says what is missing.
    pub fn new(url: &str, key: Option<&Secret>) -> Result<Self, PlaceError> {
        let Some(key) = key else {
            // What services call the key stands there as well as in a field of its own.
            let url = RtmpUrl::parse(url).map_err(PlaceError::Url)?;
            return Ok(Self { url, keyed: true });
        };
        let key = key.reveal();
        if key.is_empty() || key.starts_with('?') || key.chars().any(|c| c.is_control() || c == ' ')
        {
            return Err(PlaceError::Key);
        }
        let (server, query) = match url.split_once('?') {
            Some((server, query)) => (server, Some(query).filter(|query| !query.is_empty())),
            None => (url, None),
        };
        let server = server.trim_end_matches('/');
        let placed = RtmpUrl::parse(&format!("{server}/name")).map_err(PlaceError::Url)?;
        let name = match query {
            None => key.to_owned(),
            Some(query) if key.contains('?') => format!("{key}&{query}"),
            Some(query) => format!("{key}?{query}"),
        };
        Ok(Self { url: placed.with_name(&name), keyed: true })
    }

    /// The place of a URL whose name is that of a stream, and no key.
    pub fn of_stream(url: RtmpUrl) -> Self {
        Self { url, keyed: false }
    }

    /// The same, with a name that everybody knows: the stream's own.
    pub fn with_known_name(self) -> Self {
        Self { keyed: false, ..self }
    }

    /// The URL, key and all.
    pub fn url(&self) -> &RtmpUrl {
        &self.url
    }

    /// The name to ask for, query and all. It is a secret.
    pub fn name(&self) -> String {
        self.url.name()
    }

    /// A refusal in one line of bounded length, fit to be shown. Cut last, or a key could lose its end and
    /// not be known any more.
    pub fn refusal(&self, refusal: &Refusal) -> String {
        let Refusal { code, description, .. } = refusal;
        let words = match (code.is_empty(), description.is_empty()) {
            (false, false) => format!("{description} ({code})"),
            (false, true) => code.clone(),
            (true, false) => description.clone(),
            (true, true) => "no reason was given".to_owned(),
        };
        self.redact(&words).chars().take(limits::REFUSAL_WORDS_MAX).collect()
    }

    /// The other end's words, fit to be shown: without the key and without control characters.
    pub fn redact(&self, words: &str) -> String {
        let shown = self.url.redact(words);
        let name = self.name();
        let bare = name.split('?').next().unwrap_or_default();
        if self.keyed && !bare.is_empty() { shown.replace(bare, MASK) } else { shown }
    }
}

/// Without the key: a name is masked, and one that is known only where it could be a key by its looks.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.keyed { write!(f, "{}/{MASK}", self.url.server()) } else { self.url.fmt(f) }
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for PlaceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(error) => error.fmt(f),
            Self::Key => f.write_str("the key is empty, or has spaces or control characters"),
        }
    }
}

impl std::error::Error for PlaceError {}

#[cfg(test)]
mod tests {
    use super::*;

    /// Host, port, application, name, `tcUrl`, and whether it is encrypted.
    fn parts(url: &str, key: Option<&str>) -> (String, u16, String, String, String, bool) {
        let place = Place::new(url, key.map(Secret::new).as_ref()).unwrap();
        let url = place.url();
        let app = url.app().to_owned();
        (url.host().to_owned(), url.port(), app, url.name(), url.server(), url.is_tls())
    }

    fn own(
        host: &str,
        port: u16,
        app: &str,
        name: &str,
        server: &str,
        tls: bool,
    ) -> (String, u16, String, String, String, bool) {
        (host.into(), port, app.into(), name.into(), server.into(), tls)
    }

    #[test]
    fn urls_and_keys_come_apart_as_services_hand_them_out() {
        assert_eq!(
            parts("rtmp://live.twitch.tv/app", Some("live_1_a?bandwidthtest=true")),
            own(
                "live.twitch.tv",
                1935,
                "app",
                "live_1_a?bandwidthtest=true",
                "rtmp://live.twitch.tv/app",
                false
            )
        );
        assert_eq!(
            parts("rtmps://a.rtmps.youtube.com:443/live2/", Some("ab-cd")),
            own(
                "a.rtmps.youtube.com",
                443,
                "live2",
                "ab-cd",
                "rtmps://a.rtmps.youtube.com:443/live2",
                true
            )
        );
        assert_eq!(
            parts("rtmps://live-api-s.facebook.com:443/rtmp/", Some("FB-1-0-Ab?s_bl=1&a=b")),
            own(
                "live-api-s.facebook.com",
                443,
                "rtmp",
                "FB-1-0-Ab?s_bl=1&a=b",
                "rtmps://live-api-s.facebook.com:443/rtmp",
                true
            )
        );
        assert_eq!(
            parts("rtmps://x.live-video.net/app", Some("sk_us-west-2_a")),
            own(
                "x.live-video.net",
                443,
                "app",
                "sk_us-west-2_a",
                "rtmps://x.live-video.net/app",
                true
            )
        );
    }

    #[test]
    fn a_url_may_hold_the_key_and_the_application_several_segments() {
        assert_eq!(
            parts("rtmp://h:1936/a/b/cam?key=x/y", None),
            own("h", 1936, "a/b", "cam?key=x/y", "rtmp://h:1936/a/b", false)
        );
        assert_eq!(
            parts("rtmp://h/a/b", Some("c")),
            own("h", 1935, "a/b", "c", "rtmp://h/a/b", false)
        );
        assert_eq!(parts("rtmp://h/a?x=1", Some("c")).3, "c?x=1");
        assert_eq!(parts("rtmp://h/a?x=1", Some("c?y=2")).3, "c?y=2&x=1");
        assert_eq!(parts("rtmp://[::1]/a", Some("c")).4, "rtmp://[::1]/a");
    }

    #[test]
    fn what_is_missing_is_said() {
        let refused = |url, key: Option<&str>| Place::new(url, key.map(Secret::new).as_ref());
        assert_eq!(refused("rtmp://h", Some("k")), Err(PlaceError::Url(UrlError::Path)));
        assert_eq!(refused("rtmp://h/app", None), Err(PlaceError::Url(UrlError::Path)));
        assert_eq!(refused("http://h/app", Some("k")), Err(PlaceError::Url(UrlError::Scheme)));
        for key in ["", "?a=b", "a b", "a\nb"] {
            assert_eq!(refused("rtmp://h/app", Some(key)), Err(PlaceError::Key), "{key:?}");
        }
    }

    #[test]
    fn no_form_of_it_shows_the_key() {
        let place = Place::new("rtmp://h/app", Some(&Secret::new("shrt?x=abc"))).unwrap();
        assert_eq!(format!("{place} {place:?}"), "rtmp://h/app/*** rtmp://h/app/***");
        assert_eq!(place.redact("no stream shrt here, abc\u{7}"), "no stream *** here, *** ");
        let place = Place::new("rtmp://h/app/abcd-efgh", None).unwrap();
        assert_eq!(place.to_string(), "rtmp://h/app/***");
        let known = Place::new("rtmp://h/app/cam?key=s3cret", None).unwrap().with_known_name();
        assert_eq!(known.to_string(), "rtmp://h/app/cam?key=***");
    }
}
