//! The command line: what to run, and what becomes of its report.
//!
//! What a run is, and how a report looks, stands elsewhere.

mod load;
mod observers;
mod stop;

use crate::plan::Options;
use crate::proxy::{self, cli::ProxyArgs};
use crate::report::{
    self,
    cli::{MergeArgs, ReportArgs},
};
use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

const EXAMPLES: &str = "\
Examples:
  loadtest
      start millstream on the other cores, find how many players fit, and run with them
  loadtest rtmp://127.0.0.1/live/test --players 500 --pid $(pidof nginx | cut -d' ' -f1)
      500 players against a server that runs already, with what it uses
  loadtest --publishers 1000 --streams 50 --players 50 --seconds 20
      1,000 publishers, 50 of them played
  loadtest --profile join-storm --players 2000 --html report.html
      2,000 players at the same moment, and a page with the plots
  loadtest --scenario perf/scenarios/ramp.toml --fail-if 'p99>50ms' --fail-if 'lost>0'
      a scenario file, and what the exit code shall depend on

Exit codes: 0 every frame came (or no condition held), 1 something is wrong, 2 usage, 3 INVALID: the
generator was the bottleneck itself, and nothing it measured counts.

Ctrl-C ends the run early, with a report and exit code 1. A second one ends it at once, with the server
that it started and without a report: 130.";

/// Loads an RTMP server with publishers and players, and checks every frame.
///
/// Publishers send a stream with the shape of a real one, or a file, and mark each frame in band
/// with its number and the time at which it should have been sent. Players account for every frame
/// and enter its delay into histograms. Without a URL it starts millstream on the cores that it
/// does not use itself and finds how many players fit.
#[derive(Debug, Parser)]
#[command(name = "loadtest", version, args_conflicts_with_subcommands = true)]
#[command(after_help = EXAMPLES, max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    load: Load,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    Report(ReportArgs),
    Merge(MergeArgs),
    Proxy(ProxyArgs),
}

/// A run of load.
#[derive(Debug, clap::Args)]
struct Load {
    /// Load this server, as rtmp://HOST[:PORT]/APP/NAME[?QUERY]; with several streams a number
    /// stands where NAME or QUERY has {}, or else behind NAME. Publishers and players use the same
    /// URL. Another machine needs --remote.
    url: Option<String>,
    /// Take what the options do not say from this file (TOML); its keys are the long options, and
    /// the tables [publishing] and [[group]] say how publishers and players behave.
    #[arg(long, value_name = "FILE")]
    scenario: Option<PathBuf>,
    #[command(flatten)]
    options: Options,
    #[command(flatten)]
    server: ServerOptions,
    #[command(flatten)]
    output: Output,
}

/// The server under test.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Server")]
struct ServerOptions {
    /// Let URL be another machine. Load only what is yours.
    #[arg(long)]
    remote: bool,
    /// The process id of the server at URL, to measure its processor time, memory and switches; of
    /// no use without URL.
    #[arg(long)]
    pid: Option<u32>,
    /// HOST:PORT of the status page of the server at URL, if it is millstream.
    #[arg(long, value_name = "ADDR")]
    http: Option<String>,
    /// The millstream to start if there is no URL [default: the one beside this program, which
    /// `cargo run` builds if it is missing].
    #[arg(long, value_name = "FILE")]
    server: Option<PathBuf>,
    /// Cores of the server that is started [default: the others].
    #[arg(long, value_name = "LIST")]
    server_cores: Option<String>,
    /// Further arguments of the server that is started, such as --server-arg=--latency-budget=0.
    #[arg(long, value_name = "ARG")]
    server_arg: Vec<String>,
}

/// Where the report goes.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Report")]
struct Output {
    /// Write the report as JSON to this file, to be read by `report` and `merge`.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write the report as one HTML page with plots to this file.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Write the histograms sample by sample to this file (HdrHistogram interval log).
    #[arg(long, value_name = "FILE")]
    hdr_log: Option<PathBuf>,
    /// Write the time series to this file, as CSV or, if it ends in .md, as a Markdown table.
    #[arg(long, value_name = "FILE")]
    series: Option<PathBuf>,
    /// Show no progress.
    #[arg(long, short)]
    quiet: bool,
}

/// Runs the program.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = match cli.command {
        None => load::run(&cli.load),
        Some(Command::Report(args)) => report::cli::report(&args).map_err(Into::into),
        Some(Command::Merge(args)) => report::cli::merge(&args).map_err(Into::into),
        Some(Command::Proxy(args)) => proxy::cli::run(&args).map(|()| 0).map_err(Into::into),
    };
    match result {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("loadtest: {error}");
            ExitCode::from(2)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}
