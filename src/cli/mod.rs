//! The command line: what can be said, and how the serving options overlay the configuration.
//! What the commands do is elsewhere; this only defines and translates.

#![allow(
    rustdoc::broken_intra_doc_links,
    reason = "doc comments are the help text too, where [::1] is an address and no link"
)]

mod banner;
mod clients;
mod proxy;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args, Parser, Subcommand};

use crate::config::{
    Config, ConfigError, Cores, LatencyBudget, ListenAddr, LogFormat, Overrides, Secret, Takeover,
    UnitError, load, parse_duration, parse_size,
};

pub use banner::{Descriptors, Startup, banner, summary};
pub use clients::{ConnectArgs, PlayArgs, PublishArgs, PublishType, RelayArgs, ShowArgs};
pub use proxy::ProxyArgs;

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

const EXAMPLES: &str = "\
Examples:
  millstream
      serve on this machine alone; anyone here may publish
  millstream --rtmp 0.0.0.0:1935 --config millstream.toml
      serve the network, with the keys of a [keys] table
  millstream --rtmp 0.0.0.0:1935 --key cam1=correct-horse-battery
      OBS: server rtmp://HOST/live, stream key cam1?key=correct-horse-battery
      players: rtmp://HOST/live/cam1
  millstream --origin rtmp://origin.example
      fetch what is played here and not published from another server, once
  millstream publish film.flv rtmp://127.0.0.1/live/film --loop
  millstream play rtmp://127.0.0.1/live/film -o copy.flv --duration 10s
  millstream relay rtmp://127.0.0.1/live/film rtmp://OTHER/live/film rtmps://THIRD/app/KEY
  millstream proxy rtmp://origin.example --keys keys.toml
  millstream --capture wire
      keep every connection's bytes in the directory wire, keys masked
  millstream inspect wire/1795365082-000001.millcap";

/// A live RTMP server: takes streams in and fans them out to thousands of players.
#[derive(Debug, Parser)]
#[command(name = "millstream", version, styles = STYLES, after_long_help = EXAMPLES)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Cli {
    /// Without a command, the server is started.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The options of `serve`, which may also stand without the command.
    #[command(flatten)]
    pub serve: ServeArgs,
}

impl Cli {
    /// The command, `serve` if none was given.
    pub fn into_command(self) -> Command {
        self.command.unwrap_or(Command::Serve(Box::new(self.serve)))
    }
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start the server (the same as giving no command).
    Serve(Box<ServeArgs>),
    /// Publish an FLV file, a file that is still written, or standard input, in real time.
    Publish(PublishArgs),
    /// Play a stream from an RTMP server, with live figures; keep it if told so.
    Play(PlayArgs),
    /// Play a stream from one server and publish it to several others.
    Relay(RelayArgs),
    /// Pass publishers and players on to another server, keeping nothing.
    Proxy(Box<ProxyArgs>),
    /// List the messages of a captured RTMP connection and name the first offence.
    Inspect(InspectArgs),
}

/// Options of the server. Whatever is not given comes from the environment, the file, or the
/// defaults, in this order.
#[derive(Debug, Default, Args)]
pub struct ServeArgs {
    /// Read settings from this TOML file (also MILLSTREAM_CONFIG); docs/millstream.toml shows all.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Serve RTMP here; may be repeated [default: 127.0.0.1:1935 and [::1]:1935].
    #[arg(long, value_name = "ADDR")]
    pub rtmp: Vec<ListenAddr>,

    /// Serve the status page, metrics and API here [default: 127.0.0.1:8080].
    #[arg(long, value_name = "ADDR")]
    pub http: Option<ListenAddr>,

    /// Run one shard on each of these cores, such as 0-3,5 [default: auto, all that are allowed].
    #[arg(long, value_name = "LIST")]
    pub cores: Option<Cores>,

    /// How long frames may wait for each other: auto widens under load, 100ms is always that long
    /// and costs least, 0 never waits [default: auto].
    #[arg(long, value_name = "TIME")]
    pub latency_budget: Option<LatencyBudget>,

    /// RTMP chunk size announced to players, 128 to 10MiB [default: 1MiB].
    #[arg(long, value_name = "BYTES", value_parser = parse_size)]
    pub chunk_size: Option<u64>,

    /// Let only holders of SECRET publish NAME (live/NAME to viewers); may be repeated. Other users
    /// of this machine can see it in the process list: prefer a [keys] table.
    #[arg(long, value_name = "NAME=SECRET", value_parser = parse_key)]
    pub key: Vec<KeyArg>,

    /// Serve without keys on addresses that other machines can reach.
    #[arg(long)]
    pub open: bool,

    /// What a second publisher of a stream meets [default: if-stale].
    #[arg(long, value_name = "WHEN")]
    pub takeover: Option<Takeover>,

    /// Keep viewers this long when a publisher is lost without a word [default: 10s].
    #[arg(long, value_name = "TIME", value_parser = checked_duration)]
    pub hold: Option<Duration>,

    /// Be an edge: pull streams that nobody publishes here from this server when somebody plays them;
    /// may be repeated, in order of preference, such as rtmp://origin.example:1935.
    #[arg(long, value_name = "URL")]
    pub origin: Vec<String>,

    /// TCP congestion control, such as bbr [default: the system's].
    #[arg(long, value_name = "NAME")]
    pub congestion: Option<String>,

    /// Write every connection's bytes to files in DIR, keys masked; see `millstream inspect`.
    #[arg(long, value_name = "DIR")]
    pub capture: Option<PathBuf>,

    /// Log level or filter, such as debug or info,millstream=trace [default: info].
    #[arg(long, value_name = "FILTER")]
    pub log: Option<String>,

    /// How log lines are written [default: text].
    #[arg(long, value_name = "FORMAT")]
    pub log_format: Option<LogFormat>,
}

impl ServeArgs {
    /// Reads the configuration with these options on top. `env` is `std::env::vars_os()`.
    pub fn load(
        &self,
        env: impl IntoIterator<Item = (std::ffi::OsString, std::ffi::OsString)>,
    ) -> Result<Config, ConfigError> {
        load(self.config.as_deref(), env, self.overrides())
    }

    /// What was said here, as the top layer of the configuration.
    fn overrides(&self) -> Overrides {
        let mut set = Overrides::default();
        let mut text = |key: &str, value: Option<String>| {
            if let Some(value) = value {
                set.set(key, value);
            }
        };
        text("http", self.http.as_ref().map(ToString::to_string));
        text("cores", self.cores.as_ref().map(ToString::to_string));
        text("latency_budget", self.latency_budget.map(|budget| budget.to_string()));
        text("chunk_size", self.chunk_size.map(|size| size.to_string()));
        text("takeover", self.takeover.map(value_name));
        text("hold", self.hold.map(crate::config::format_duration));
        text("congestion", self.congestion.clone());
        text("capture", self.capture.as_ref().map(|dir| dir.to_string_lossy().into_owned()));
        text("log", self.log.clone());
        text("log_format", self.log_format.map(value_name));
        if !self.rtmp.is_empty() {
            set.set("rtmp", self.rtmp.iter().map(ToString::to_string).collect::<Vec<_>>());
        }
        if !self.origin.is_empty() {
            set.set("origin", self.origin.clone());
        }
        if self.open {
            set.set("open", true);
        }
        for key in &self.key {
            set.add_key(&key.name, &key.secret);
        }
        set
    }
}

/// A `--key NAME=SECRET`.
#[derive(Debug, Clone)]
pub struct KeyArg {
    /// `cam1`, or `app/cam1`.
    pub name: String,
    /// What its publisher must show.
    pub secret: Secret,
}

/// Options of `inspect`.
#[derive(Debug, Args)]
#[command(after_help = "\
Exits with 1 if the connection breaks the protocol, naming the first offence by its offset.
Example: millstream inspect wire/1795365082-000001.millcap --json | jq .")]
pub struct InspectArgs {
    /// A file written by --capture, or a bare dump of one direction, with or without the handshake.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// Write one JSON object for each message instead of a table.
    #[arg(long)]
    pub json: bool,

    /// Show so many bytes of each audio and video message, from its beginning, in hexadecimal.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub bytes: usize,

    /// Stop after each message until Enter is pressed; q ends.
    #[arg(long, conflicts_with = "json")]
    pub step: bool,
}

/// Names and secrets are judged with the whole configuration; here only the form.
fn parse_key(text: &str) -> Result<KeyArg, KeyArgError> {
    match text.split_once('=') {
        Some((name, secret)) if !name.is_empty() && !secret.is_empty() => {
            Ok(KeyArg { name: name.to_owned(), secret: Secret::new(secret) })
        }
        _ => Err(KeyArgError),
    }
}

#[derive(Debug)]
struct KeyArgError;

impl std::fmt::Display for KeyArgError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("expected NAME=SECRET, such as cam1=correct-horse-battery")
    }
}

impl std::error::Error for KeyArgError {}

fn checked_duration(text: &str) -> Result<Duration, UnitError> {
    parse_duration(text)
}

/// The spelling of an enumerated option, the same on the command line and in the file.
fn value_name(value: impl clap::ValueEnum) -> String {
    value.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

/// The host that stands in URLs for this address: a wildcard is shown as a placeholder.
fn url_host(addr: SocketAddr) -> String {
    match addr.ip() {
        ip if ip.is_unspecified() => "HOST".into(),
        std::net::IpAddr::V6(ip) => format!("[{ip}]"),
        std::net::IpAddr::V4(ip) => ip.to_string(),
    }
}

#[cfg(test)]
mod tests;
