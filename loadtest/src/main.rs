//! The command line of the load generator.

use clap::Parser;
use loadtest::host::server::{self, Server};
use loadtest::plan::{Plan, Step};
use loadtest::report::Sample;
use loadtest::swarm::director;
use loadtest::swarm::peer::Target;
use std::error::Error;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// Loads an RTMP server with publishers and players and checks every frame.
///
/// Without a URL it starts millstream on the cores that it does not use itself. Exit codes: 0 every
/// frame came, 1 something is wrong, 2 usage, 3 the generator was the bottleneck itself (INVALID).
#[derive(Debug, Parser)]
#[command(name = "loadtest", version)]
struct Cli {
    /// Load this server, as rtmp://HOST[:PORT]/APP/NAME[?QUERY]; with several publishers a number
    /// is appended to NAME. Publishers and players use the same URL.
    url: Option<String>,
    /// Publishers, each with a stream of its own.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    publishers: u32,
    /// Players, in all.
    #[arg(long, default_value_t = 1000)]
    players: usize,
    /// How long to measure once all players play.
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// Instead of --players and --seconds: several stretches, such as 50:10,1500:60,50:30.
    #[arg(long, value_name = "PLAYERS:SECONDS,...", value_delimiter = ',')]
    steps: Vec<Step>,
    /// Spread the players over this many of the streams [default: all].
    #[arg(long)]
    streams: Option<u32>,
    /// Megabits per second of one stream.
    #[arg(long, default_value_t = 2.63, value_name = "MBIT")]
    bitrate: f64,
    /// Pictures per second of one stream.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=1000))]
    fps: u32,
    /// Run a thread of the generator on each of these cores [default: the last one].
    #[arg(long, value_delimiter = ',')]
    cores: Vec<usize>,
    /// Milliseconds to rest between rounds; 0 reads everything the moment it arrives.
    #[arg(long, default_value_t = 2.0, value_name = "MS")]
    nap: f64,
    /// Milliseconds between two samples.
    #[arg(long, default_value_t = 1000, value_name = "MS")]
    sample: u64,
    /// Write the report as JSON to this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write the time series as a Markdown table to this file.
    #[arg(long, value_name = "FILE")]
    series: Option<PathBuf>,
    /// Let URL be another machine.
    #[arg(long)]
    remote: bool,
    /// The process id of the server at URL, to measure what it uses.
    #[arg(long)]
    pid: Option<u32>,
    /// HOST:PORT of the status page of the server at URL, if it is millstream.
    #[arg(long, value_name = "ADDR")]
    http: Option<String>,
    /// The server to start [default: millstream beside this program].
    #[arg(long, value_name = "FILE")]
    server: Option<PathBuf>,
    /// Cores of the server that is started [default: the others].
    #[arg(long, value_name = "LIST")]
    server_cores: Option<String>,
    /// Further arguments of the server that is started, such as --server-arg=--latency-budget=0.
    #[arg(long, value_name = "ARG")]
    server_arg: Vec<String>,
}

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("loadtest: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(cli: Cli) -> Result<u8, Box<dyn Error>> {
    let descriptors = loadtest::raise_descriptors();
    let steps = if cli.steps.is_empty() {
        vec![Step { players: cli.players, length: Duration::from_secs(cli.seconds) }]
    } else {
        cli.steps.clone()
    };
    let players = steps.iter().map(|step| step.players).max().unwrap_or(0) as u64;
    if players + u64::from(cli.publishers) + 64 > descriptors {
        return Err(format!("only {descriptors} files may be open: raise `ulimit -n`").into());
    }
    let all = std::thread::available_parallelism()?.get();
    let cores = if cli.cores.is_empty() { vec![all - 1] } else { cli.cores.clone() };
    let numbered = cli.publishers > 1;
    let (server, url) = match &cli.url {
        Some(url) => (None, url.clone()),
        None => {
            let others: Vec<String> = (0..all)
                .filter(|core| !cores.contains(core))
                .map(|core| core.to_string())
                .collect();
            // A machine of one core shares it.
            let others = if others.is_empty() { "0".to_owned() } else { others.join(",") };
            let program = server::program(cli.server.clone())?;
            let server_cores = cli.server_cores.as_deref().unwrap_or(&others);
            let server = Server::start(&program, server_cores, &cli.server_arg)?;
            let url = format!("rtmp://{}/live/load", server.rtmp);
            (Some(server), url)
        }
    };
    let plan = Plan {
        target: Target::from_url(&url, numbered, cli.remote)?,
        publishers: cli.publishers,
        played: cli.streams.unwrap_or(cli.publishers).clamp(1, cli.publishers),
        bitrate: (cli.bitrate * 1e6) as u64,
        fps: cli.fps,
        cores,
        nap: Duration::from_secs_f64((cli.nap / 1000.0).clamp(0.0, 0.5)),
        steps,
        pid: server.as_ref().map(Server::pid).or(cli.pid),
        http: server.as_ref().map(|server| server.http.clone()).or(cli.http),
        sample: Duration::from_millis(cli.sample.clamp(50, 60_000)),
    };
    let report = director::run(&plan, &mut live_line(players))?;
    drop(server);
    if let Some(path) = &cli.json {
        std::fs::write(path, serde_json::to_vec_pretty(&report)?)?;
    }
    if let Some(path) = &cli.series {
        std::fs::write(path, report.series())?;
    }
    println!("{report}");
    Ok(report.exit_code())
}

/// Shows each sample, on a terminal always in the same line.
fn live_line(wanted: u64) -> impl FnMut(&Sample) {
    let terminal = std::io::stderr().is_terminal();
    move |sample| {
        let window = sample.window_ms.map_or_else(String::new, |ms| format!("  window {ms} ms"));
        let busy =
            sample.busy_permille.map_or_else(String::new, |busy| format!("  busy {} %", busy / 10));
        let line = format!(
            "{:6.1} s  {}/{wanted} players  {:.0} Mbit/s  video p50 {:.1} p99 {:.1} ms{window}{busy}",
            sample.at_s, sample.playing, sample.mbit_s, sample.p50_ms, sample.p99_ms,
        );
        let mut out = std::io::stderr().lock();
        // Nobody reads it: the report still counts.
        let _ = if terminal { write!(out, "\r\x1b[2K{line}") } else { writeln!(out, "{line}") };
    }
}
