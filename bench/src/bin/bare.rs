//! The command line of the bare sender.

use bench::bare::{
    Medium, Options, Policy, Sender, Sends, Setup, SocketOptions, ThreadedSender, Waits, pin_to,
};
use clap::{Parser, ValueEnum};
use signal_hook::consts::{SIGINT, SIGTERM};
use std::error::Error;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// Sends RTMP streams to their players with as little as possible between the bytes and the socket.
///
/// Publish to it and play from it with loadtest, to learn what a server adds. It prints its URL when
/// it listens, and on standard error what it did when it ends: by a signal, or by itself.
#[derive(Debug, Parser)]
#[command(name = "bare", version)]
struct Cli {
    /// Where to listen; port 0 takes one that is free.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Run on this core, or on several, such as 0,1 [default: any].
    #[arg(long, value_name = "CORE,...", value_delimiter = ',')]
    core: Vec<usize>,
    /// When players are sent what is there.
    #[arg(long, value_enum, default_value_t = When::AtOnce)]
    policy: When,
    /// With --policy window: how often, such as 100ms.
    #[arg(long, value_name = "TIME", default_value = "100ms", value_parser = time)]
    window: Duration,
    /// With --policy window: serve the players of a stream in so many groups, one after the other and
    /// evenly spread over the window.
    #[arg(long, value_name = "COUNT", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    phases: u16,
    /// By which way bytes go to the sockets.
    #[arg(long, value_enum, default_value_t = Way::Direct)]
    sends: Way,
    /// Leave Nagle's algorithm on.
    #[arg(long)]
    nagle: bool,
    /// Keep the streams in files in memory and send with sendfile.
    #[arg(long, conflicts_with_all = ["sends", "wait"])]
    sendfile: bool,
    /// Keep the streams in mappings whose pages are of this size.
    #[arg(long, value_enum, conflicts_with = "sendfile")]
    pages: Option<Size>,
    /// Let a thread on this core write the streams' logs.
    #[arg(long, value_name = "CORE", conflicts_with_all = ["sendfile", "pages"])]
    writer_core: Option<usize>,
    /// With --writer-core: copy what was written, once, and send the copy.
    #[arg(long, requires = "writer_core")]
    local_copy: bool,
    /// How it is learned that a connection can be read.
    #[arg(long, value_enum, default_value_t = Wait::Epoll)]
    wait: Wait,
    /// With --wait ready or held: the flags that io_uring is set up with.
    #[arg(long, value_enum, default_value_t = Flags::Coop, requires = "wait")]
    setup: Flags,
    /// Be three threads, for sockets, protocol and sessions, joined by channels; audio rides on
    /// video.
    #[arg(long, conflicts_with_all = [
        "policy", "window", "phases", "sends", "sendfile", "pages", "writer_core", "wait",
    ])]
    threads: bool,
    /// Congestion control of each connection, such as cubic [default: the system's].
    #[arg(long, value_name = "NAME")]
    congestion: Option<String>,
    /// End after so many seconds.
    #[arg(long = "for", value_name = "SECONDS", default_value_t = 600)]
    seconds: u64,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum When {
    /// Every message the moment it arrived.
    AtOnce,
    /// Audio waits for the next video frame.
    Ride,
    /// Everything due, each window.
    Window,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Way {
    /// A system call for each player.
    Direct,
    /// One io_uring submission for all players of a stream.
    Uring,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Size {
    /// The usual one.
    Small,
    /// Huge, as far as the system has some to give.
    Huge,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Wait {
    /// By one epoll loop.
    Epoll,
    /// By a task for each, through io_uring, until it is readable.
    Ready,
    /// By a task for each, through io_uring, with a buffer of its own held ready.
    Held,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Flags {
    /// None.
    None,
    /// Cooperative task running.
    Coop,
    /// The same, with a flag that says that there is something to run.
    CoopFlag,
    /// Cooperative task running, single issuer.
    SingleIssuer,
    /// The same, with deferred task running.
    Defer,
}

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bare: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(cli: Cli) -> Result<(), Box<dyn Error>> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&stop))?;
    }
    loadtest::raise_descriptors();
    if !cli.core.is_empty() {
        pin_to(&cli.core)?;
    }
    let policy = match cli.policy {
        When::AtOnce => Policy::AtOnce,
        When::Ride => Policy::Ride,
        When::Window => Policy::Window(cli.window),
    };
    let medium = match (cli.pages, cli.writer_core) {
        _ if cli.sendfile => Medium::File,
        (Some(size), _) => Medium::Pages { huge: matches!(size, Size::Huge) },
        (None, Some(core)) => Medium::Elsewhere { core, copied: cli.local_copy },
        (None, None) => Medium::Memory,
    };
    let socket = SocketOptions { nagle: cli.nagle, congestion: cli.congestion };
    let phases = cli.phases.into();
    let sends = match cli.sends {
        Way::Direct => Sends::Direct,
        Way::Uring => Sends::Ring,
    };
    if cli.threads {
        let sender = ThreadedSender::listen(cli.listen, socket)?;
        announce(sender.address(), "audio rides on video, three threads")?;
        eprintln!("{}", sender.run(&stop, Duration::from_secs(cli.seconds))?);
        return Ok(());
    }
    let setup = match cli.setup {
        Flags::None => Setup::Plain,
        Flags::Coop => Setup::Coop,
        Flags::CoopFlag => Setup::CoopFlag,
        Flags::SingleIssuer => Setup::SingleIssuer,
        Flags::Defer => Setup::Defer,
    };
    let waits = match cli.wait {
        Wait::Epoll => Waits::Epoll,
        Wait::Ready => Waits::Ready(setup),
        Wait::Held => Waits::Held(setup),
    };
    let options = Options { policy, medium, socket, phases, sends, waits };
    let sender = Sender::listen(cli.listen, options)?;
    announce(sender.address(), &policy.to_string())?;
    eprintln!("{}", sender.run(&stop, Duration::from_secs(cli.seconds))?);
    Ok(())
}

/// Says where it listens, and how it sends.
fn announce(address: SocketAddr, how: &str) -> io::Result<()> {
    writeln!(io::stdout(), "rtmp://{address}/live/NAME {how}")?;
    // Or whoever reads it from a pipe waits for ever.
    io::stdout().flush()
}

/// Reads a time with its unit.
fn time(text: &str) -> Result<Duration, &'static str> {
    let (number, unit) =
        text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let number: u32 = number.parse().map_err(|_| "expected a time, such as 100ms")?;
    match unit {
        "ms" if number > 0 => Ok(Duration::from_millis(number.into())),
        "s" if number > 0 => Ok(Duration::from_secs(number.into())),
        _ => Err("expected a time in ms or s, more than none"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        assert_eq!(time("350ms"), Ok(Duration::from_millis(350)));
        assert_eq!(time("2s"), Ok(Duration::from_secs(2)));
        for wrong in ["", "100", "ms", "0ms", "-1s", "1.5s", "5 s"] {
            assert!(time(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_command_line_is_well_formed() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }
}
