//! What a run is to do, as said on the command line or by a caller of the library.

use crate::swarm::peer::Target;
use std::net::{SocketAddr, ToSocketAddrs};
use std::time::Duration;

/// A stretch of a run with a fixed number of players.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Players at a time.
    pub players: usize,
    /// How long, once all of them play.
    pub length: Duration,
}

impl std::str::FromStr for Step {
    type Err = StepError;

    fn from_str(text: &str) -> Result<Self, StepError> {
        let (players, seconds) = text.split_once(':').ok_or(StepError)?;
        let players = players.parse().map_err(|_| StepError)?;
        let seconds = seconds.parse().map_err(|_| StepError)?;
        Ok(Self { players, length: Duration::from_secs(seconds) })
    }
}

/// A text is no step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepError;

impl std::fmt::Display for StepError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("expected PLAYERS:SECONDS, such as 1000:20")
    }
}

impl std::error::Error for StepError {}

/// A run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Where to.
    pub target: Target,
    /// Publishers, each with a stream of its own.
    pub publishers: u32,
    /// Players are spread over so many of them.
    pub played: u32,
    /// Bits per second of a stream.
    pub bitrate: u64,
    /// Pictures per second of a stream.
    pub fps: u32,
    /// A worker on each of these cores.
    pub cores: Vec<usize>,
    /// The pause between a worker's rounds.
    pub nap: Duration,
    /// What to do, in order.
    pub steps: Vec<Step>,
    /// The process under test, if it runs on this machine.
    pub pid: Option<u32>,
    /// Where its counters are, if it is millstream.
    pub http: Option<String>,
    /// How often a sample is taken.
    pub sample: Duration,
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
            Self::Form => "expected rtmp://HOST[:PORT]/APP/NAME[?QUERY]",
            Self::Host => "the host has no address",
            Self::Remote => "this is another machine; say --remote if you may load it",
        })
    }
}

impl std::error::Error for UrlError {}

impl Target {
    /// A target by its URL. With more than one stream, each stream's number is appended to the name.
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
        let number = if numbered { "{}" } else { "" };
        Ok(Self {
            address,
            app: options.app,
            tc_url: options.tc_url,
            name: format!("{name}{number}{query}"),
        })
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
    }

    #[test]
    fn another_machine_must_be_meant() {
        let url = "rtmp://192.0.2.1/live/cam";
        assert_eq!(Target::from_url(url, false, false).unwrap_err(), UrlError::Remote);
        assert!(Target::from_url(url, false, true).is_ok());
        assert_eq!(Target::from_url("http://x/y", false, false).unwrap_err(), UrlError::Form);
    }

    #[test]
    fn steps_are_read() {
        let step = Step { players: 100, length: Duration::from_secs(5) };
        assert_eq!("100:5".parse(), Ok(step));
        for wrong in ["", "100", "a:5", "5:b", "-1:5"] {
            assert_eq!(wrong.parse::<Step>(), Err(StepError), "{wrong}");
        }
    }
}
