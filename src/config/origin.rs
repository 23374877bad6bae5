//! Where streams are pulled from: a URL with the stream's name left open. What is pulled when is the
//! affair of [`crate::pull`].

use crate::name::StreamName;
use millstream_client::{RtmpUrl, UrlError};
use serde::de::{self, Deserialize, Deserializer};
use serde::{Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// What stands for the application, in the path of the URL.
const APP: &str = "{app}";
/// What stands for the stream's name.
const NAME: &str = "{name}";

/// A server that has streams: `rtmp://host[:port]`, which has them under the same names;
/// `rtmp://host/app`, which has them in that application; `rtmp://host/a/{app}-{name}`, which has them
/// as written; or `rtmp://host/app/name`, which is one stream. Everywhere `rtmps`, too, and a query,
/// which goes with every request.
///
/// A stream's name gets into the path only: which hosts are asked, and how, stands in the setting.
#[derive(Clone, PartialEq, Eq)]
pub struct OriginUrl {
    /// Scheme and host, `rtmp://host:port`.
    server: String,
    /// The path without outer slashes, with `{app}` and `{name}`.
    path: String,
    query: Option<String>,
}

/// Why a text is no such URL. Nothing of the text is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OriginUrlError {
    /// It is no URL that we understand.
    Url(UrlError),
    /// It has braces that are neither `{app}` nor `{name}`, or not in its path.
    Placeholder,
}

impl OriginUrl {
    /// Where a stream is found.
    ///
    /// # Errors
    /// None for an origin that was parsed: stream names have only characters that fit into a path.
    pub fn url_of(&self, stream: &StreamName) -> Result<RtmpUrl, UrlError> {
        self.url(stream.app(), stream.name())
    }

    /// Whether it is one stream, whatever name is asked for.
    pub fn is_one_stream(&self) -> bool {
        !self.path.contains(NAME)
    }

    /// Whether the connection is encrypted.
    pub fn is_tls(&self) -> bool {
        self.server.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("rtmps"))
    }

    fn url(&self, app: &str, name: &str) -> Result<RtmpUrl, UrlError> {
        let path = self.path.replace(APP, app).replace(NAME, name);
        let query = self.query.as_ref().map(|query| format!("?{query}")).unwrap_or_default();
        RtmpUrl::parse(&format!("{}/{path}{query}", self.server))
    }
}

impl FromStr for OriginUrl {
    type Err = OriginUrlError;

    fn from_str(text: &str) -> Result<Self, OriginUrlError> {
        let (place, query) = text.split_once('?').map_or((text, None), |(p, q)| (p, Some(q)));
        let (scheme, rest) =
            place.split_once("://").ok_or(OriginUrlError::Url(UrlError::Scheme))?;
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let path = path.trim_matches('/');
        let path = match path.split('/').count() {
            _ if path.is_empty() => format!("{APP}/{NAME}"),
            _ if path.contains(NAME) => path.to_owned(),
            1 => format!("{path}/{NAME}"),
            _ => path.to_owned(),
        };
        let braces = |text: &str| text.contains(['{', '}']);
        let left = path.replace(APP, "").replace(NAME, "");
        if braces(host) || braces(&left) || query.is_some_and(braces) {
            return Err(OriginUrlError::Placeholder);
        }
        let query = query.filter(|query| !query.is_empty()).map(str::to_owned);
        let origin = Self { server: format!("{scheme}://{host}"), path, query };
        origin.url("app", "name").map_err(OriginUrlError::Url)?;
        Ok(origin)
    }
}

/// As it was written, the values of the query masked.
impl fmt::Display for OriginUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.server, self.path)?;
        let pairs = self.query.iter().flat_map(|query| query.split('&'));
        for (index, pair) in pairs.enumerate() {
            f.write_str(if index == 0 { "?" } else { "&" })?;
            match pair.split_once('=') {
                Some((key, _)) => write!(f, "{key}={}", super::MASK)?,
                None => f.write_str(super::MASK)?,
            }
        }
        Ok(())
    }
}

impl fmt::Debug for OriginUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for OriginUrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(UrlError::Path) => {
                f.write_str("expected an origin, such as \"rtmp://host\" or \"rtmp://host/live\"")
            }
            Self::Url(error) => error.fmt(f),
            Self::Placeholder => {
                f.write_str("only {app} and {name} may stand in braces, and only in the URL's path")
            }
        }
    }
}

impl std::error::Error for OriginUrlError {}

impl Serialize for OriginUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for OriginUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Server and application, and the name, where `live/cam1` is found.
    fn found(origin: &str) -> (String, String) {
        let origin: OriginUrl = origin.parse().unwrap();
        let url = origin.url_of(&StreamName::parse("live/cam1").unwrap()).unwrap();
        (url.server(), url.name())
    }

    #[test]
    fn names_are_put_where_they_belong() {
        for (origin, server, name) in [
            ("rtmp://a", "rtmp://a/live", "cam1"),
            ("rtmp://a:1936/", "rtmp://a:1936/live", "cam1"),
            ("rtmps://a?key=s3cret", "rtmps://a/live", "cam1?key=s3cret"),
            ("rtmp://a/studio", "rtmp://a/studio", "cam1"),
            ("rtmp://a/studio/{app}-{name}", "rtmp://a/studio", "live-cam1"),
            ("rtmp://[::1]/x/{app}/{name}", "rtmp://[::1]/x/live", "cam1"),
            ("rtmp://a/studio/one", "rtmp://a/studio", "one"),
        ] {
            assert_eq!(found(origin), (server.to_owned(), name.to_owned()), "{origin}");
        }
        assert!("rtmp://a/studio/one".parse::<OriginUrl>().unwrap().is_one_stream());
    }

    #[test]
    fn a_name_chooses_no_host_and_no_query() {
        for wrong in ["rtmp://{name}/live", "rtmp://a/live?x={name}", "rtmp://a/{host}/{name}"] {
            assert_eq!(wrong.parse::<OriginUrl>(), Err(OriginUrlError::Placeholder), "{wrong}");
        }
        for (wrong, error) in [
            ("a/live", UrlError::Scheme),
            ("http://a/live", UrlError::Scheme),
            ("rtmp://", UrlError::Host),
            ("rtmp://a:0/live", UrlError::Port),
            ("rtmp://me:pw@a/live", UrlError::User),
            ("rtmp://a/li ve", UrlError::Character),
        ] {
            assert_eq!(wrong.parse::<OriginUrl>(), Err(OriginUrlError::Url(error)), "{wrong}");
        }
    }

    #[test]
    fn no_form_of_it_shows_the_key() {
        let origin: OriginUrl = "rtmp://a/live?key=s3cret&t0ken".parse().unwrap();
        let json = serde_json::to_string(&origin).unwrap();
        assert_eq!(json, "\"rtmp://a/live/{name}?key=***&***\"");
        assert!(!format!("{origin} {origin:?}").contains("s3cret"));
    }
}
