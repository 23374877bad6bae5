//! The options of `publish` and `play`.

use super::checked_duration;
use clap::{Args, ValueEnum};
use std::path::PathBuf;
use std::time::Duration;

/// Options of `publish`.
#[derive(Debug, Args)]
#[command(after_help = concat_help(
    "Examples:
  millstream publish film.flv rtmp://127.0.0.1/live/film --loop
  ffmpeg -i rtsp://CAMERA -c copy -f flv - | millstream publish - rtmps://HOST/live/cam
  millstream publish --follow recording.flv rtmp://127.0.0.1/live/cam --json"
))]
pub struct PublishArgs {
    /// The FLV file to send; - for standard input.
    #[arg(value_name = "FILE.flv")]
    pub file: PathBuf,

    /// Where to, as rtmp://HOST[:PORT]/APP/NAME[?key=SECRET], or rtmps://.
    #[arg(value_name = "URL")]
    pub url: String,

    /// Begin again at the end of the file, with timestamps that go on, until interrupted.
    #[arg(long = "loop", conflicts_with = "follow")]
    pub repeat: bool,

    /// Go on at the end of the file with what is appended to it, as tail -f does, until interrupted.
    /// Begins with its newest key frame.
    #[arg(long)]
    pub follow: bool,

    /// With --follow: begin at the start of the file.
    #[arg(long, requires = "follow")]
    pub from_start: bool,

    /// What the server is asked to do with the stream.
    #[arg(long = "type", value_name = "TYPE", default_value = "live")]
    pub publish_type: PublishType,

    /// When the way up is too narrow, fall behind. Without it, pictures are left out up to the next
    /// key frame.
    #[arg(long)]
    pub wait: bool,

    /// What is shown.
    #[command(flatten)]
    pub show: ShowArgs,

    /// How to connect.
    #[command(flatten)]
    pub connect: ConnectArgs,
}

/// The type argument of RTMP's publish.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PublishType {
    /// Not kept.
    Live,
    /// Kept in a new file, by servers that do.
    Record,
    /// Kept at the end of the file, by servers that do.
    Append,
}

/// Options of `play`.
#[derive(Debug, Args)]
#[command(after_help = concat_help(
    "Examples:
  millstream play rtmp://127.0.0.1/live/film -o copy.flv --duration 10s
  millstream play rtmps://HOST/live/film --stats
  millstream play rtmp://127.0.0.1/live/film -o - | ffplay -"
))]
pub struct PlayArgs {
    /// Where from, as rtmp://HOST[:PORT]/APP/NAME, or rtmps://.
    #[arg(value_name = "URL")]
    pub url: String,

    /// Write what arrives, timestamps included, to this FLV file, - for standard output; without it,
    /// it is only counted.
    #[arg(short, long, value_name = "FILE.flv")]
    pub output: Option<PathBuf>,

    /// Stop after this time, such as 10s or 5m; without it, at the end of the stream.
    #[arg(long, value_name = "TIME", value_parser = checked_duration)]
    pub duration: Option<Duration>,

    /// Tell the server that we buffer so much [default: 3s].
    #[arg(long, value_name = "TIME", value_parser = checked_duration)]
    pub buffer: Option<Duration>,

    /// What is shown.
    #[command(flatten)]
    pub show: ShowArgs,

    /// How to connect.
    #[command(flatten)]
    pub connect: ConnectArgs,
}

/// Options of `relay`.
#[derive(Debug, Args)]
#[command(after_help = concat_help(
    "Examples:
  millstream relay rtmp://127.0.0.1/live/cam rtmp://a.rtmp.youtube.com/live2/KEY \\
      rtmp://live.twitch.tv/app/KEY
  millstream relay rtmp://HOST/live/cam rtmps://OTHER/live/cam --stats
Other users of this machine can see keys in the process list: the [[push]] tables of a server's
configuration show them to nobody."
))]
pub struct RelayArgs {
    /// Where from, as rtmp://HOST[:PORT]/APP/NAME, or rtmps://.
    #[arg(value_name = "SRC")]
    pub source: String,

    /// Where to, as rtmp://HOST[:PORT]/APP/NAME[?key=SECRET], or rtmps://. Each fares by itself: one that
    /// fails is tried again, and holds up no other.
    #[arg(value_name = "DST", required = true)]
    pub targets: Vec<String>,

    /// What is shown.
    #[command(flatten)]
    pub show: ShowArgs,

    /// How to connect.
    #[command(flatten)]
    pub connect: ConnectArgs,
}

/// What `publish`, `play` and `relay` show while they run.
#[derive(Debug, Default, Args)]
pub struct ShowArgs {
    /// Show a panel of figures: rates, codecs, resolution, key frames, delay and jitter of arrival, gaps,
    /// what was left out. Where standard error is no terminal, one each second.
    #[arg(long, conflicts_with = "json")]
    pub stats: bool,

    /// Write the same figures to standard output, one JSON object each second and one at the end. Ends
    /// when nobody reads them any more.
    #[arg(long)]
    pub json: bool,
}

/// How `publish`, `play` and `relay` connect.
#[derive(Debug, Default, Args)]
pub struct ConnectArgs {
    /// For rtmps://, trust the root certificates in this PEM file too.
    #[arg(long, value_name = "FILE.pem")]
    pub ca: Option<PathBuf>,

    /// Call ourselves so [default: as OBS does].
    #[arg(long, value_name = "TEXT")]
    pub flash_ver: Option<String>,
}

/// Examples, and what the exit codes mean.
fn concat_help(examples: &str) -> String {
    format!("{examples}\n\n{}", crate::client::EXIT_CODES)
}
