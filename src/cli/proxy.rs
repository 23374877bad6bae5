//! The options of `proxy`.

use super::{KeyArg, checked_duration, parse_key};
use crate::config::ListenAddr;
use crate::limits;
use crate::proxy::{EXIT_CODES, Rename};
use clap::Args;
use std::path::PathBuf;
use std::time::Duration;

const EXAMPLES: &str = "\
Examples:
  millstream proxy rtmp://origin.example.com
      take streams on this machine and pass them on as they are named
  millstream proxy --listen 0.0.0.0:1935 --keys proxy.toml rtmps://HOST/live2
      ask publishers for keys of our own, and encrypt the way to the service
  millstream proxy --no-publish --rename 'tv/*=live/*' rtmp://origin
      players only, of streams that are called otherwise there

A file for --keys (docs/proxy.md):
  target = \"rtmps://HOST/APP\"
  [keys]
  cam1 = \"what its publisher shows\"
  [rename]
  cam1 = \"the-stream-key-of-the-service\"";

/// Options of `proxy`.
#[derive(Debug, Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
pub struct ProxyArgs {
    /// Where to, as rtmp://HOST[:PORT][/APP[/NAME]], or rtmps://. What it names replaces what clients
    /// name; what it leaves out is passed on.
    #[arg(value_name = "TARGET")]
    pub target: Option<String>,

    /// Take connections here.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:1935")]
    pub listen: ListenAddr,

    /// Read keys, renames and the target from this TOML file.
    #[arg(long, value_name = "FILE")]
    pub keys: Option<PathBuf>,

    /// Let only holders of SECRET publish NAME (live/NAME to players); may be repeated. Other users of
    /// this machine can see it in the process list: prefer --keys.
    #[arg(long, value_name = "NAME=SECRET", value_parser = parse_key)]
    pub key: Vec<KeyArg>,

    /// Call a stream otherwise at the target: NAME or APP/NAME on either side, one * for anything; may
    /// be repeated.
    #[arg(long, value_name = "FROM=TO", value_parser = Rename::parse)]
    pub rename: Vec<Rename>,

    /// Let nobody play.
    #[arg(long, conflicts_with = "no_publish")]
    pub no_play: bool,

    /// Let nobody publish.
    #[arg(long)]
    pub no_publish: bool,

    /// Take publishers without keys on addresses that other machines can reach.
    #[arg(long)]
    pub open: bool,

    /// How long a target may stay away before its clients are told.
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = checked_duration)]
    pub give_up: Duration,

    /// How many clients are served at one time.
    #[arg(
        long, value_name = "COUNT", default_value_t = limits::PROXY_CONNECTIONS,
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    pub connections: u32,

    /// For rtmps:// targets, trust the root certificates in this PEM file too.
    #[arg(long, value_name = "FILE.pem")]
    pub ca: Option<PathBuf>,

    /// Show figures on standard error each second.
    #[arg(long, conflicts_with = "json")]
    pub stats: bool,

    /// Write the figures to standard output as JSON objects: each second, for each session that ends,
    /// and at the end. Ends when nobody reads them any more.
    #[arg(long)]
    pub json: bool,

    /// Log level or filter, such as debug.
    #[arg(long, value_name = "FILTER", default_value = "info")]
    pub log: String,
}
