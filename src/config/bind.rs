//! From configured addresses to socket addresses, and the rule that nothing is served to
//! strangers by accident. Opening the sockets is the affair of the shards and of control.

use std::net::SocketAddr;

use super::{Config, ConfigError, ListenAddr};

/// Where to listen, resolved and judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bind {
    /// RTMP addresses, without repetition.
    pub rtmp: Vec<SocketAddr>,
    /// The HTTP address.
    pub http: SocketAddr,
}

impl Bind {
    /// Whether the HTTP address can be reached from other machines, so that a token is wanted.
    pub fn http_is_exposed(&self) -> bool {
        !is_loopback(self.http)
    }
}

impl Config {
    /// Resolves the addresses. One that others can reach is refused unless there is a key, or
    /// `open` says that this is meant.
    pub fn bind(&self) -> Result<Bind, ConfigError> {
        let mut rtmp = Vec::new();
        for addr in &self.rtmp {
            for resolved in resolve("rtmp", addr)? {
                if !rtmp.contains(&resolved) {
                    rtmp.push(resolved);
                }
            }
        }
        let http = resolve("http", &self.http)?;
        let http = *http.first().expect("ListenAddr::resolve gives at least one address");
        if self.keys.is_empty() && !self.open {
            let exposed = |addr: &&SocketAddr| !is_loopback(**addr);
            if let Some(&addr) = rtmp.iter().find(exposed) {
                return Err(ConfigError::Exposed { key: "rtmp", addr });
            }
            if !is_loopback(http) {
                return Err(ConfigError::Exposed { key: "http", addr: http });
            }
        }
        Ok(Bind { rtmp, http })
    }
}

fn resolve(key: &'static str, addr: &ListenAddr) -> Result<Vec<SocketAddr>, ConfigError> {
    addr.resolve().map_err(|source| ConfigError::Resolve { key, addr: addr.clone(), source })
}

fn is_loopback(addr: SocketAddr) -> bool {
    addr.ip().to_canonical().is_loopback()
}
