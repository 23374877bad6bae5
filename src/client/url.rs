//! `rtmp://host[:port]/app/name?query`, taken apart in one place, and shown without its secrets.
//!
//! The last segment of the path and the query are the stream's name, what stands before it is the
//! application, which may have several segments. Nothing is decoded: the server gets what was typed.

use crate::config::MASK;
use millstream_rtmp::client::ClientOptions;
use std::fmt;

/// The port when none is named (RTMP 1.0, section 5.1 leaves it to the registry: 1935).
const PORT: u16 = 1935;

/// Values of a query shorter than this are left alone in a server's words: they occur by chance.
const REDACTED_LEN_MIN: usize = 3;

/// Where a stream is published to or played from.
#[derive(Clone, PartialEq, Eq)]
pub struct RtmpUrl {
    host: String,
    port: u16,
    /// Host and port as they were written, for `tcUrl`.
    authority: String,
    app: String,
    name: String,
    query: Option<String>,
}

/// Why a text is no such URL. Nothing of the text is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UrlError {
    /// It does not begin with `rtmp://`.
    Scheme,
    /// It begins with `rtmps://`, which needs TLS.
    Tls,
    /// The host is missing, or an IPv6 address is not in brackets.
    Host,
    /// What follows the host's colon is no port.
    Port,
    /// It has a user before the host.
    User,
    /// There is no application, or no name behind it.
    Path,
    /// It has spaces or control characters.
    Character,
}

impl RtmpUrl {
    /// Takes a URL apart.
    ///
    /// # Errors
    /// [`UrlError`] says which part is missing or not understood.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        let (scheme, rest) = text.split_once("://").ok_or(UrlError::Scheme)?;
        if scheme.eq_ignore_ascii_case("rtmps") {
            return Err(UrlError::Tls);
        }
        if !scheme.eq_ignore_ascii_case("rtmp") {
            return Err(UrlError::Scheme);
        }
        if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(UrlError::Character);
        }
        let (place, query) = match rest.split_once('?') {
            Some((place, query)) => (place, Some(query).filter(|query| !query.is_empty())),
            None => (rest, None),
        };
        let (authority, path) = place.split_once('/').unwrap_or((place, ""));
        let (host, port) = host_and_port(authority)?;
        let (app, name) = path.rsplit_once('/').ok_or(UrlError::Path)?;
        let app = app.trim_matches('/');
        if app.is_empty() || name.is_empty() {
            return Err(UrlError::Path);
        }
        Ok(Self {
            host: host.to_owned(),
            port,
            authority: authority.to_owned(),
            app: app.to_owned(),
            name: name.to_owned(),
            query: query.map(str::to_owned),
        })
    }

    /// The host, an IPv6 address without its brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The application.
    pub fn app(&self) -> &str {
        &self.app
    }

    /// The name to ask for: the last segment, query and all. It may hold a secret.
    pub fn name(&self) -> String {
        match &self.query {
            Some(query) => format!("{}?{query}", self.name),
            None => self.name.clone(),
        }
    }

    /// The server and the application, which hold no secret: the `tcUrl`.
    pub fn server(&self) -> String {
        format!("rtmp://{}/{}", self.authority, self.app)
    }

    /// What a client says of itself when it connects here.
    pub fn options(&self) -> ClientOptions {
        ClientOptions::new(self.app.as_str(), self.server())
    }

    /// A server's words, fit for a terminal and without the values of our query.
    pub fn redact(&self, words: &str) -> String {
        let mut shown: String =
            words.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        for value in self.values().filter(|value| value.len() >= REDACTED_LEN_MIN) {
            shown = shown.replace(value, MASK);
        }
        shown
    }

    fn values(&self) -> impl Iterator<Item = &str> {
        let pairs = self.query.iter().flat_map(|query| query.split(['&', '?']));
        pairs.map(|pair| pair.split_once('=').map_or(pair, |(_, value)| value))
    }
}

/// Shown with every value of the query masked: what a service calls its secret is not known.
impl fmt::Display for RtmpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.server(), self.name)?;
        let pairs = self.query.iter().flat_map(|query| query.split(['&', '?']));
        for (index, pair) in pairs.enumerate() {
            f.write_str(if index == 0 { "?" } else { "&" })?;
            match pair.split_once('=') {
                Some((key, _)) => write!(f, "{key}={MASK}")?,
                None => f.write_str(MASK)?,
            }
        }
        Ok(())
    }
}

impl fmt::Debug for RtmpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn host_and_port(authority: &str) -> Result<(&str, u16), UrlError> {
    if authority.contains('@') {
        return Err(UrlError::User);
    }
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']').ok_or(UrlError::Host)?;
            let address = host.split_once('%').map_or(host, |(address, _)| address);
            if address.parse::<std::net::Ipv6Addr>().is_err() {
                return Err(UrlError::Host);
            }
            let port = match port.strip_prefix(':') {
                Some(port) => Some(port),
                None if port.is_empty() => None,
                None => return Err(UrlError::Host),
            };
            (host, port)
        }
        None => match authority.split_once(':') {
            Some((_, port)) if port.contains(':') => return Err(UrlError::Host),
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    if host.is_empty() {
        return Err(UrlError::Host);
    }
    let port = match port {
        None | Some("") => PORT,
        Some(port) => port.parse().ok().filter(|port| *port != 0).ok_or(UrlError::Port)?,
    };
    Ok((host, port))
}

impl fmt::Display for UrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Scheme => "the URL has to begin with rtmp://",
            Self::Tls => "rtmps:// needs TLS, which is not spoken here; use rtmp://",
            Self::Host => {
                "the URL needs a host, as rtmp://HOST/APP/NAME (IPv6 addresses in brackets)"
            }
            Self::Port => "the port of the URL is not a number from 1 to 65535",
            Self::User => {
                "users and passwords in URLs are not understood; a key goes behind the name, \
                 as NAME?key=SECRET"
            }
            Self::Path => "the URL needs an application and a stream, as rtmp://HOST/APP/NAME",
            Self::Character => "the URL has spaces or control characters",
        })
    }
}

impl std::error::Error for UrlError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> (String, u16, String, String) {
        let url = RtmpUrl::parse(text).unwrap();
        (url.host().to_owned(), url.port(), url.app().to_owned(), url.name())
    }

    fn own(host: &str, port: u16, app: &str, name: &str) -> (String, u16, String, String) {
        (host.to_owned(), port, app.to_owned(), name.to_owned())
    }

    #[test]
    fn urls_come_apart() {
        assert_eq!(parts("rtmp://host/live/cam"), own("host", 1935, "live", "cam"));
        assert_eq!(parts("RTMP://host:1936/live/cam"), own("host", 1936, "live", "cam"));
        assert_eq!(parts("rtmp://h/a/b/c?key=x/y"), own("h", 1935, "a/b", "c?key=x/y"));
        assert_eq!(parts("rtmp://[::1]/live/cam"), own("::1", 1935, "live", "cam"));
        assert_eq!(parts("rtmp://[fe80::1%eth0]:99/a/b"), own("fe80::1%eth0", 99, "a", "b"));
        assert_eq!(parts("rtmp://127.0.0.1:/a//b?"), own("127.0.0.1", 1935, "a", "b"));
        let url = RtmpUrl::parse("rtmp://[::1]:1936/a/b/c?key=x").unwrap();
        assert_eq!(url.options().tc_url, "rtmp://[::1]:1936/a/b");
    }

    #[test]
    fn what_is_missing_is_said() {
        for (text, error) in [
            ("http://host/live/cam", UrlError::Scheme),
            ("host/live/cam", UrlError::Scheme),
            ("rtmps://host/live/cam", UrlError::Tls),
            ("rtmp:///live/cam", UrlError::Host),
            ("rtmp://::1/live/cam", UrlError::Host),
            ("rtmp://[::1/live/cam", UrlError::Host),
            ("rtmp://[::1]9/live/cam", UrlError::Host),
            ("rtmp://[host]/live/cam", UrlError::Host),
            ("rtmp://host:rtmp/live/cam", UrlError::Port),
            ("rtmp://host:0/live/cam", UrlError::Port),
            ("rtmp://host:65536/live/cam", UrlError::Port),
            ("rtmp://me:pw@host/live/cam", UrlError::User),
            ("rtmp://host", UrlError::Path),
            ("rtmp://host/live", UrlError::Path),
            ("rtmp://host/live/", UrlError::Path),
            ("rtmp://host//cam", UrlError::Path),
            ("rtmp://host/live/a b", UrlError::Character),
            ("rtmp://host/live/a\u{1b}[2J", UrlError::Character),
        ] {
            assert_eq!(RtmpUrl::parse(text).err(), Some(error), "{text}");
        }
    }

    #[test]
    fn no_form_of_it_shows_the_key() {
        let url = RtmpUrl::parse("rtmp://h/live/cam?key=s3cret&x=abc&only").unwrap();
        assert_eq!(url.to_string(), "rtmp://h/live/cam?key=***&x=***&***");
        assert!(!format!("{url:?} {url:#?}").contains("s3cret"));
        assert_eq!(url.redact("cam?key=s3cret is\u{7} no"), "cam?key=*** is  no");
        let tc_url = url.options().tc_url;
        assert!(!tc_url.contains("s3cret"), "{tc_url}");
    }
}
