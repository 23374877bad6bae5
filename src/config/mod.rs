//! The configuration: every setting, its default, its range, and how the sources are layered.
//!
//! Defaults are overlaid by a TOML file, that by the environment (`MILLSTREAM_CHUNK_SIZE`,
//! `MILLSTREAM_LAG__SKIP`), and that by the command line; see [`load`]. What belongs here is what
//! an operator may turn. Fixed bounds stand in [`crate::limits`]; acting on a setting is the
//! affair of the part that it names. `docs/millstream.toml` shows every key, and a test holds it
//! to this file.

mod bind;
mod cores;
mod error;
mod keys;
mod latency;
mod listen;
mod load;
mod origin;
mod pattern;
mod pull;
mod push;
mod rules;
mod secret;
mod slate;
pub(crate) mod units;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::helper::config::HelperConfig;

pub use bind::Bind;
pub use cores::{CORES_MAX, CoreList, Cores, CoresError, allowed as cores_allowed, format_cores};
pub use error::{ConfigError, Origin};
pub use keys::{
    DEFAULT_APP, Granted, KeyError, KeyRuleError, Keys, SECRET_LEN_MAX, SECRET_LEN_WEAK,
    query_value,
};
pub use latency::{LATENCY_BUDGET_MAX, LatencyBudget, LatencyBudgetError};
pub use listen::{ListenAddr, ListenAddrError};
pub use load::{ENV_PREFIX, Overrides, load};
pub use origin::{OriginUrl, OriginUrlError};
pub use pattern::{Pattern, PatternError};
pub use pull::PullRule;
pub use push::Push;
pub use secret::{MASK, Secret};
pub use slate::SlateConfig;
pub use units::{UnitError, format_duration, parse_duration, parse_size};

/// The port of RTMP.
pub const RTMP_PORT: u16 = 1935;

/// The port of the status page.
pub const HTTP_PORT: u16 = 8080;

/// Smallest chunk size that may be announced: the default of RTMP 1.0, section 5.4.1.
pub const CHUNK_SIZE_MIN: u32 = 128;

/// Largest chunk size that may be announced: some relays refuse more, as clients.
pub const CHUNK_SIZE_MAX: u32 = 10 << 20;

/// Every setting of the server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where RTMP is served.
    #[serde(deserialize_with = "listen::one_or_many")]
    pub rtmp: Vec<ListenAddr>,
    /// Where the status page, the metrics and the API are served.
    pub http: ListenAddr,
    /// The token that the HTTP side wants. Without one, a random one is made at start if the
    /// address is not on loopback.
    pub http_token: Option<Secret>,
    /// Names, besides `localhost` and plain addresses, by which the HTTP side may be called
    /// when it wants no token, as behind a proxy.
    #[serde(deserialize_with = "listen::one_or_many")]
    pub http_hosts: Vec<String>,
    /// The cores that get a shard each.
    pub cores: Cores,
    /// How long frames may wait for each other.
    pub latency_budget: LatencyBudget,
    /// The chunk size announced to players, in bytes, from [`CHUNK_SIZE_MIN`] to
    /// [`CHUNK_SIZE_MAX`].
    #[serde(with = "units::size")]
    pub chunk_size: u32,
    /// After how many bytes publishers and players shall acknowledge, and the peer bandwidth that
    /// they are told (RTMP 1.0, sections 5.4.4 and 5.4.5), from 10 kB to 1 GiB.
    #[serde(with = "units::size")]
    pub ack_window: u32,
    /// What the server calls itself at `connect` (`fmsVer`).
    pub server_version: String,
    /// Serve without keys on addresses that others can reach.
    pub open: bool,
    /// What a second publisher of the same stream meets.
    pub takeover: Takeover,
    /// Whether a primary takes its stream back from the backup that stands in for it.
    pub take_back: bool,
    /// How long viewers are kept when a publisher is lost without a word.
    #[serde(with = "units::duration")]
    pub hold: Duration,
    /// How long a player waits for a stream that nobody publishes yet.
    #[serde(with = "units::duration")]
    pub play_wait: Duration,
    /// The TCP congestion control of the listeners, such as `bbr`. `None` leaves the system's.
    pub congestion: Option<String>,
    /// Write every connection's bytes to files in this directory.
    pub capture: Option<PathBuf>,
    /// Which log lines are written: a level, or a filter such as `info,millstream=debug`.
    pub log: String,
    /// How log lines are written.
    pub log_format: LogFormat,
    /// What is shown where nobody publishes.
    pub slate: Vec<SlateConfig>,
    /// What a joiner can be given of the past.
    pub gop: Gop,
    /// What happens to viewers that fall behind.
    pub lag: Lag,
    /// When silence ends a connection.
    pub timeouts: Timeouts,
    /// How much one address, and all together, may hold.
    pub caps: Caps,
    /// Where an edge finds the streams that nobody publishes here, in order of preference.
    #[serde(deserialize_with = "listen::one_or_many")]
    pub origin: Vec<OriginUrl>,
    /// Who may publish what.
    pub keys: Keys,
    /// Programs that make streams, or make something of them.
    #[serde(deserialize_with = "crate::helper::config::list")]
    pub helper: Vec<HelperConfig>,
    /// Which streams are pulled from other servers when somebody wants them.
    pub pull: Vec<PullRule>,
    /// What is published elsewhere while it is live.
    pub push: Vec<Push>,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            rtmp: vec![
                SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), RTMP_PORT).into(),
                SocketAddr::new(IpAddr::V6(Ipv6Addr::LOCALHOST), RTMP_PORT).into(),
            ],
            http: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), HTTP_PORT).into(),
            http_token: None,
            http_hosts: Vec::new(),
            cores: Cores::Auto,
            latency_budget: LatencyBudget::Auto,
            chunk_size: 1 << 20,
            ack_window: 5_000_000,
            server_version: "FMS/3,5,7,7009".into(),
            open: false,
            takeover: Takeover::IfStale,
            take_back: true,
            hold: Duration::from_secs(10),
            play_wait: Duration::from_secs(30),
            congestion: None,
            capture: None,
            log: "info".into(),
            log_format: LogFormat::Text,
            slate: Vec::new(),
            gop: Gop::default(),
            lag: Lag::default(),
            timeouts: Timeouts::default(),
            caps: Caps::default(),
            origin: Vec::new(),
            keys: Keys::default(),
            helper: Vec::new(),
            pull: Vec::new(),
            push: Vec::new(),
        }
    }
}

/// Who wins when a stream that is being published is published again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "kebab-case")]
pub enum Takeover {
    /// The newcomer, if the old publisher is stale, or it shows the same secret, or it comes
    /// from the same address.
    #[default]
    IfStale,
    /// The newcomer.
    Always,
    /// The old publisher, until it is gone.
    Never,
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// One line of text each.
    #[default]
    Text,
    /// One JSON object each.
    Json,
}

/// The cache of past groups of pictures, per stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Gop {
    /// At most this much media time.
    #[serde(with = "units::duration")]
    pub span: Duration,
    /// At most this many bytes.
    #[serde(with = "units::size")]
    pub bytes: u64,
}

impl Default for Gop {
    fn default() -> Self {
        Gop { span: Duration::from_secs(15), bytes: 32 << 20 }
    }
}

/// The policy for viewers that fall behind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Lag {
    /// A viewer this far behind skips to a newer key frame.
    #[serde(with = "units::duration")]
    pub skip: Duration,
    /// A viewer this far behind is hung up.
    #[serde(with = "units::duration")]
    pub hang_up: Duration,
    /// A viewer that has skipped this often within a minute is hung up.
    #[serde(with = "units::count")]
    pub skips_per_minute: u32,
}

impl Default for Lag {
    fn default() -> Self {
        Lag { skip: Duration::from_secs(4), hang_up: Duration::from_secs(15), skips_per_minute: 3 }
    }
}

/// When silence ends a connection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Timeouts {
    /// From the accepted connection to the end of the handshake.
    #[serde(with = "units::duration")]
    pub handshake: Duration,
    /// Connected, but neither publishing nor playing.
    #[serde(with = "units::duration")]
    pub idle: Duration,
    /// A publisher that sends no media is taken for lost.
    #[serde(with = "units::duration")]
    pub no_media: Duration,
    /// A player that takes no byte is taken for dead. At least `lag.hang_up`.
    #[serde(with = "units::duration")]
    pub player: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Timeouts {
            handshake: Duration::from_secs(10),
            idle: Duration::from_secs(30),
            no_media: Duration::from_secs(10),
            player: Duration::from_secs(20),
        }
    }
}

/// How much may be held. The caps per address do not count loopback.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Caps {
    /// Connections in all; the descriptor limit may end earlier.
    #[serde(with = "units::count")]
    pub connections: u32,
    /// Connections of one address.
    #[serde(with = "units::count")]
    pub connections_per_address: u32,
    /// Connections of one address that have not ended their handshake.
    #[serde(with = "units::count")]
    pub half_open_per_address: u32,
    /// Streams published at one time.
    #[serde(with = "units::count")]
    pub streams: u32,
    /// Players of one address that wait for streams nobody publishes.
    #[serde(with = "units::count")]
    pub waiting_plays_per_address: u32,
}

impl Default for Caps {
    fn default() -> Self {
        Caps {
            connections: 100_000,
            connections_per_address: 4096,
            half_open_per_address: 64,
            streams: 10_000,
            waiting_plays_per_address: 64,
        }
    }
}

#[cfg(test)]
mod tests;
