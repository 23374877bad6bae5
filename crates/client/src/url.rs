//! `rtmp://host[:port]/app/name?query` and `rtmps://...`, taken apart in one place, and shown without
//! secrets. What is masked in a server's words stands in `secrets`.
//!
//! The last segment of the path and the query are the stream's name, what stands before it is the
//! application, which may have several segments. Nothing is decoded: the server gets what was typed.

use crate::secrets::{MASK, Secrets, is_key_like, values_of};
use millstream_rtmp::client::ClientOptions;
use std::fmt;

/// The port of `rtmp` when none is named (registered with IANA as macromedia-fcs).
pub const RTMP_PORT: u16 = 1935;

/// The port of `rtmps` when none is named: that of HTTPS, as all services have it.
pub const RTMPS_PORT: u16 = 443;

/// Where a stream is published to or played from.
#[derive(Clone, PartialEq, Eq)]
pub struct RtmpUrl {
    tls: bool,
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
    /// It begins neither with `rtmp://` nor with `rtmps://`.
    Scheme,
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
        let tls = scheme.eq_ignore_ascii_case("rtmps");
        if !tls && !scheme.eq_ignore_ascii_case("rtmp") {
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
        let port = port.unwrap_or(if tls { RTMPS_PORT } else { RTMP_PORT });
        let (app, name) = path.rsplit_once('/').ok_or(UrlError::Path)?;
        let app = app.trim_matches('/');
        if app.is_empty() || name.is_empty() {
            return Err(UrlError::Path);
        }
        Ok(Self {
            tls,
            host: host.to_owned(),
            port,
            authority: authority.to_owned(),
            app: app.to_owned(),
            name: name.to_owned(),
            query: query.map(str::to_owned),
        })
    }

    /// Whether the connection is to be encrypted: `rtmps`.
    pub fn is_tls(&self) -> bool {
        self.tls
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
        let scheme = if self.tls { "rtmps" } else { "rtmp" };
        format!("{scheme}://{}/{}", self.authority, self.app)
    }

    /// The same server and application with another name, query and all.
    pub fn with_name(&self, name: &str) -> Self {
        let (name, query) = name.split_once('?').map_or((name, None), |(n, q)| (n, Some(q)));
        Self { name: name.to_owned(), query: query.map(str::to_owned), ..self.clone() }
    }

    /// What a client says of itself when it connects here.
    pub fn options(&self) -> ClientOptions {
        ClientOptions::new(self.app.as_str(), self.server())
    }

    /// The URL as a player may show it: the name in full, however long it is, and the values of the query
    /// masked. A name that is played is no key; what is published is shown by `Display`.
    pub fn played(&self) -> impl fmt::Display + '_ {
        Played(self)
    }

    /// A server's words, fit for a terminal and without the values of our query, nor a name that looks
    /// like a key.
    pub fn redact(&self, words: &str) -> String {
        let mut secrets = Secrets::default();
        secrets.learn_name(&self.name(), true);
        secrets.redact(words)
    }

    /// The values of the query masked, and the name as it is given.
    fn show(&self, f: &mut fmt::Formatter<'_>, name: &str) -> fmt::Result {
        write!(f, "{}/{name}", self.server())?;
        for (index, (key, _)) in values_of(self.query()).enumerate() {
            f.write_str(if index == 0 { "?" } else { "&" })?;
            match key {
                Some(key) => write!(f, "{key}={MASK}")?,
                None => f.write_str(MASK)?,
            }
        }
        Ok(())
    }

    pub(crate) fn query(&self) -> &str {
        self.query.as_deref().unwrap_or_default()
    }
}

/// Shown with every value of the query masked, for what a service calls its secret is not known; and with a
/// name of 16 bytes or more masked, for many services hand out keys as names. [`RtmpUrl::played`] shows it.
impl fmt::Display for RtmpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.show(f, if is_key_like(&self.name) { MASK } else { &self.name })
    }
}

struct Played<'a>(&'a RtmpUrl);

impl fmt::Display for Played<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.show(f, &self.0.name)
    }
}

impl fmt::Debug for RtmpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The host, and the port if one is named.
fn host_and_port(authority: &str) -> Result<(&str, Option<u16>), UrlError> {
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
        None | Some("") => None,
        Some(port) => Some(port.parse().ok().filter(|port| *port != 0).ok_or(UrlError::Port)?),
    };
    Ok((host, port))
}

impl fmt::Display for UrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Scheme => "the URL has to begin with rtmp:// or rtmps://",
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
        assert_eq!(parts("rtmps://host/live/cam"), own("host", 443, "live", "cam"));
        assert_eq!(parts("RTMPS://host:1936/live/cam"), own("host", 1936, "live", "cam"));
        let url = RtmpUrl::parse("rtmp://[::1]:1936/a/b/c?key=x").unwrap();
        assert_eq!((url.options().tc_url.as_str(), url.is_tls()), ("rtmp://[::1]:1936/a/b", false));
        let url = RtmpUrl::parse("rtmps://host:443/live/cam").unwrap();
        assert_eq!((url.options().tc_url.as_str(), url.is_tls()), ("rtmps://host:443/live", true));
        assert_eq!(url.with_name("b?key=x").name(), "b?key=x");
    }

    #[test]
    fn what_is_missing_is_said() {
        for (text, error) in [
            ("http://host/live/cam", UrlError::Scheme),
            ("host/live/cam", UrlError::Scheme),
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
        let url = RtmpUrl::parse("rtmp://h/live/live_123456_abcdef?x=s3cret").unwrap();
        assert_eq!(format!("{url} {url:?}"), "rtmp://h/live/***?x=*** rtmp://h/live/***?x=***");
        assert_eq!(url.played().to_string(), "rtmp://h/live/live_123456_abcdef?x=***");
        assert_eq!(url.redact("no live_123456_abcdef"), "no ***");
        assert_eq!(url.redact("cam?key=s3cret is\u{7} no"), "cam?key=*** is  no");
        let tc_url = url.options().tc_url;
        assert!(!tc_url.contains("s3cret"), "{tc_url}");
    }
}
