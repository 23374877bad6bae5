//! Where a run goes to: a server's address, application and stream names, from a URL.

use std::net::{SocketAddr, ToSocketAddrs};

/// Where to connect.
#[derive(Clone, Debug)]
pub struct Target {
    /// The URL as it was given.
    pub url: String,
    /// Host and port.
    pub address: SocketAddr,
    /// The application.
    pub app: String,
    /// The URL of the application.
    pub tc_url: String,
    /// The stream's name, query and all, with `{}` where its number stands.
    pub name: String,
}

/// Why a URL cannot be a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UrlError {
    /// Not `rtmp://host[:port]/app/name`.
    Form,
    /// The host has no address.
    Host,
    /// Another machine, and nobody said that this is meant.
    Remote,
}

impl std::fmt::Display for UrlError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Form => {
                "the URL: expected rtmp://HOST[:PORT]/APP/NAME[?QUERY], such as rtmp://127.0.0.1/live/test"
            },
            Self::Host => "the URL: no address is known for its host",
            Self::Remote => "the URL: this is another machine; add --remote if you may load it",
        })
    }
}

impl std::error::Error for UrlError {}

impl Target {
    /// A target by its URL. With more than one stream, each stream's number is put where `{}`
    /// stands in the name, or else at its end.
    ///
    /// # Errors
    /// If it is no such URL, or another machine's without `remote`.
    pub fn from_url(url: &str, numbered: bool, remote: bool) -> Result<Self, UrlError> {
        let (options, name) =
            millstream_rtmp::client::ClientOptions::for_url(url).ok_or(UrlError::Form)?;
        let host = options.tc_url.strip_prefix("rtmp://").ok_or(UrlError::Form)?;
        let host = host.split_once('/').map_or(host, |(host, _)| host);
        let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        let mut addresses = if has_port {
            host.to_socket_addrs().map_err(|_| UrlError::Host)?
        } else {
            format!("{host}:1935").to_socket_addrs().map_err(|_| UrlError::Host)?
        };
        let address: SocketAddr = addresses.next().ok_or(UrlError::Host)?;
        if !remote && !address.ip().is_loopback() {
            return Err(UrlError::Remote);
        }
        let (name, query) = match name.split_once('?') {
            Some((name, query)) => (name.to_owned(), format!("?{query}")),
            None => (name, String::new()),
        };
        let number = if numbered && !name.contains("{}") { "{}" } else { "" };
        let name = format!("{name}{number}{query}");
        Ok(Self { url: url.to_owned(), address, app: options.app, tc_url: options.tc_url, name })
    }

    /// The name of a stream.
    pub fn stream(&self, number: u32) -> String {
        self.name.replace("{}", &number.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_named_by_their_url() {
        let target = Target::from_url("rtmp://127.0.0.1/live/cam?key=x", true, false).unwrap();
        assert_eq!(target.address.port(), 1935);
        assert_eq!((target.app.as_str(), target.stream(7).as_str()), ("live", "cam7?key=x"));
        let target = Target::from_url("rtmp://[::1]:1936/a/b/cam", false, false).unwrap();
        assert_eq!((target.app.as_str(), target.stream(7).as_str()), ("a/b", "cam"));
        assert_eq!(target.address.to_string(), "[::1]:1936");
        let target = Target::from_url("rtmp://127.0.0.1/live/c{}am?k={}", true, false).unwrap();
        assert_eq!(target.stream(12), "c12am?k=12");
    }

    #[test]
    fn another_machine_must_be_meant() {
        let url = "rtmp://192.0.2.1/live/cam";
        assert_eq!(Target::from_url(url, false, false).unwrap_err(), UrlError::Remote);
        assert!(Target::from_url(url, false, true).is_ok());
        assert_eq!(Target::from_url("http://x/y", false, false).unwrap_err(), UrlError::Form);
    }
}
