//! Addresses to listen on, as people write them: `host:port`.

use std::fmt;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::str::FromStr;

use serde::de::{self, Deserialize, Deserializer};
use serde::{Serialize, Serializer};

/// A host (a name, an IPv4 address, or an IPv6 address in brackets) and a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenAddr {
    text: String,
}

impl ListenAddr {
    /// The addresses behind it. A name may stand for several (`localhost` for 127.0.0.1 and
    /// `::1`); none is an error.
    pub fn resolve(&self) -> io::Result<Vec<SocketAddr>> {
        let mut addrs: Vec<SocketAddr> = self.text.to_socket_addrs()?.collect();
        addrs.sort();
        addrs.dedup();
        if addrs.is_empty() {
            return Err(io::Error::new(io::ErrorKind::NotFound, "the name has no address"));
        }
        Ok(addrs)
    }
}

impl From<SocketAddr> for ListenAddr {
    fn from(addr: SocketAddr) -> Self {
        ListenAddr { text: addr.to_string() }
    }
}

/// The text is not `host:port`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListenAddrError;

impl fmt::Display for ListenAddrError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "expected an address with its port, such as \"0.0.0.0:1935\", \"[::1]:1935\" or \"localhost:1935\"",
        )
    }
}

impl std::error::Error for ListenAddrError {}

impl FromStr for ListenAddr {
    type Err = ListenAddrError;

    fn from_str(text: &str) -> Result<Self, ListenAddrError> {
        let (host, port) = text.rsplit_once(':').ok_or(ListenAddrError)?;
        port.parse::<u16>().map_err(|_| ListenAddrError)?;
        let bracketed = host.starts_with('[') && host.ends_with(']');
        if bracketed {
            text.parse::<SocketAddr>().map_err(|_| ListenAddrError)?;
        } else {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-';
            if host.is_empty() || !host.bytes().all(plain) {
                return Err(ListenAddrError);
            }
        }
        Ok(ListenAddr { text: text.to_owned() })
    }
}

impl fmt::Display for ListenAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for ListenAddr {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for ListenAddr {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// One text or a list of them, since most people have one. A comma separates, too, for the
/// environment has no lists.
pub(super) fn one_or_many<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err: fmt::Display>,
{
    #[derive(serde::Deserialize)]
    #[serde(untagged, expecting = "expected text or a list of texts")]
    enum OneOrMany {
        One(String),
        Many(Vec<String>),
    }
    let texts = match OneOrMany::deserialize(deserializer)? {
        OneOrMany::One(text) => text.split(',').map(|item| item.trim().to_owned()).collect(),
        OneOrMany::Many(texts) => texts,
    };
    texts.iter().map(|text| text.parse().map_err(de::Error::custom)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_forms_are_read() {
        for text in ["0.0.0.0:1935", "[::1]:1935", "[::]:0", "localhost:1935", "my-host.example:80"]
        {
            assert_eq!(text.parse::<ListenAddr>().unwrap().to_string(), text);
        }
        assert_eq!(
            "127.0.0.1:5".parse::<ListenAddr>().unwrap().resolve().unwrap(),
            ["127.0.0.1:5".parse().unwrap()]
        );
    }

    #[test]
    fn a_missing_port_or_host_is_refused() {
        for wrong in
            ["", "127.0.0.1", ":1935", "::1:1935", "host:", "host:70000", "rtmp://h:1935", "[x]:1"]
        {
            assert_eq!(wrong.parse::<ListenAddr>(), Err(ListenAddrError), "{wrong}");
        }
    }
}
