//! What a client is told at the start.

use crate::secrets::Secrets;
use crate::uplink::UplinkLimits;
use crate::url::RtmpUrl;
use millstream_rtmp::client::ClientOptions;
use std::hash::{BuildHasher, Hasher, RandomState};

/// Settings of one connection.
#[derive(Clone, Debug)]
pub struct Options {
    /// What we say of ourselves: `flashVer`, codecs, chunk size, limits of the protocol.
    pub session: ClientOptions,
    /// How much of a publish may wait for the socket.
    pub uplink: UplinkLimits,
    /// Where the random bytes of the handshake come from. They protect nothing; they shall differ from
    /// connection to connection.
    pub entropy: [u8; 32],
    pub(crate) secrets: Secrets,
}

impl Options {
    /// Settings for the server and application of a URL, to play and to publish.
    pub fn new(url: &RtmpUrl) -> Self {
        let mut secrets = Secrets::default();
        secrets.learn_query(url.query());
        Self {
            session: url.options(),
            uplink: UplinkLimits::default(),
            entropy: entropy(),
            secrets,
        }
    }

    /// Settings for a connection on which nothing is played: what OBS says of itself, for services that
    /// tell encoders from players by it. `tests/transcripts` holds it to OBS.
    pub fn for_publishing(url: &RtmpUrl) -> Self {
        let mut options = Self::new(url);
        options.session.as_player = false;
        options.session.swf_url = url.server();
        options
    }

    /// The same, with another `flashVer`. Services tell encoders from players by it.
    pub fn with_flash_ver(mut self, flash_ver: impl Into<String>) -> Self {
        self.session.flash_ver = flash_ver.into();
        self
    }

    /// The same, with other limits of what may wait for the socket.
    pub fn with_uplink(mut self, uplink: UplinkLimits) -> Self {
        self.uplink = uplink;
        self
    }
}

/// Random bytes without a dependency: the standard library seeds its hash maps by the system's source.
fn entropy() -> [u8; 32] {
    let mut bytes = [0; 32];
    for chunk in bytes.chunks_exact_mut(8) {
        let random = RandomState::new().build_hasher().finish();
        chunk.copy_from_slice(&random.to_ne_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_differ_and_show_no_secret() {
        let url = RtmpUrl::parse("rtmp://h/live/cam?key=s3cret").unwrap();
        let (one, other) = (Options::new(&url), Options::new(&url).with_flash_ver("x/1"));
        assert_ne!(one.entropy, other.entropy);
        assert_eq!(other.session.flash_ver, "x/1");
        assert!(!format!("{one:?}").contains("s3cret"));
    }
}
