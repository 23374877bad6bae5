//! The millstream binary: allocator, log, signals, and which command runs.

use clap::Parser;
use millstream::cli::{Cli, Command, Descriptors, ServeArgs, Startup, banner, summary};
use millstream::client::{self, ClientError};
use millstream::config::{Config, LogFormat};
use millstream::control::{self, About, Access, ControlState};
use millstream::helper::{self, Guardian, Helpers, Passes, Surroundings, Wishes};
use millstream::inspect::inspect;
use millstream::proxy::{ProxyError, proxy};
use millstream::rules::Rules;
use millstream::server::{Additions, Server, raise_descriptors, system_congestion};
use millstream::stream::demand::Observer;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::iterator::Signals;
use std::error::Error;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

#[cfg(not(feature = "system-allocator"))]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    helper::serve_if_asked();
    let (result, code) = match Cli::parse().into_command() {
        Command::Serve(args) => (serve(&args), 1),
        Command::Publish(args) => {
            until_stopped(|stop| client::publish(&args, stop), ClientError::exit_code)
        }
        Command::Play(args) => {
            until_stopped(|stop| client::play(&args, stop), ClientError::exit_code)
        }
        Command::Relay(args) => {
            until_stopped(|stop| client::relay(&args, stop), ClientError::exit_code)
        }
        Command::Proxy(args) => match start_log(&args.log, LogFormat::Text) {
            Ok(()) => until_stopped(|stop| proxy(&args, stop), ProxyError::exit_code),
            Err(error) => (Err(error), 2),
        },
        Command::Inspect(args) => (inspect(&args).map_err(Into::into), 1),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("millstream: {error}");
            ExitCode::from(code)
        }
    }
}

/// Runs a command with a flag that the first signal sets, so that it takes leave; the second one ends
/// the process. Returns the exit code of a failure too.
fn until_stopped<E: Error + 'static>(
    run: impl FnOnce(&AtomicBool) -> Result<(), E>,
    exit_code: impl FnOnce(&E) -> u8,
) -> (Result<(), Box<dyn Error>>, u8) {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        let end = flag::register_conditional_shutdown(signal, 1, Arc::clone(&stop));
        if let Err(error) = end.and_then(|_| flag::register(signal, Arc::clone(&stop))) {
            return (Err(error.into()), 1);
        }
    }
    match run(&stop) {
        Ok(()) => (Ok(()), 0),
        Err(error) => {
            let code = exit_code(&error);
            (Err(error.into()), code)
        }
    }
}

fn serve(args: &ServeArgs) -> Result<(), Box<dyn Error>> {
    let config = args.load(std::env::vars_os())?;
    start_log(&config.log, config.log_format)?;
    let started = Instant::now();
    let (soft, hard) = raise_descriptors();
    let bind = config.bind()?;
    let (access, fresh_token) = Access::choose(&config, &bind)?;
    // Before the first thread, so that every thread leaves the signals to this one.
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    let passes = Arc::new(Passes::default());
    let rules = Rules::new(config.keys.clone()).with_passes(Arc::clone(&passes));
    // Nobody is told where nobody listens.
    let wishes = if config.helper.is_empty() { None } else { Some(Arc::new(Wishes::new()?)) };
    let observers = wishes.iter().map(|wishes| Arc::clone(wishes) as Arc<dyn Observer>).collect();
    let additions = Additions { observers, ..Additions::default() };
    let server = Server::start_with(config.clone(), Arc::new(rules), additions)?;
    let helpers =
        match wishes.map(|wishes| start_helpers(&config, &server, wishes, passes)).transpose() {
            Ok(helpers) => helpers,
            Err(error) => {
                server.drain();
                server.join();
                return Err(error.into());
            }
        };
    let state = ControlState {
        directory: Arc::clone(server.directory()),
        targets: Arc::clone(server.targets()),
        about: About {
            driver: server.driver().name().into(),
            latency_budget: config.latency_budget.to_string(),
            rtmp: server.rtmp().to_vec(),
            keyed: !config.keys.is_empty(),
            hosts: config.http_hosts.clone(),
        },
        access,
        helpers: helpers.as_ref().map(Helpers::handle),
        writes: fresh_token.clone(),
        started,
    };
    let control = match control::start(bind.http, Arc::new(state)) {
        Ok(control) => control,
        Err(error) => {
            helpers.into_iter().for_each(Helpers::shutdown);
            server.drain();
            server.join();
            return Err(error.into());
        }
    };
    let congestion = config.congestion.clone().unwrap_or_else(system_congestion);
    let startup = Startup {
        config: &config,
        rtmp: server.rtmp(),
        http: control.addr(),
        fresh_token: fresh_token.as_ref(),
        driver: server.driver().name(),
        cores: server.cores(),
        descriptors: Descriptors { soft, hard },
        congestion: &congestion,
    };
    // Whoever closed standard output does not want the banner.
    let _ = std::io::stdout().write_all(banner(&startup).as_bytes());
    tracing::info!("{}", summary(&startup));

    let signal = signals.forever().next();
    tracing::info!(?signal, "stopping; a second signal stops at once");
    server.drain();
    std::thread::spawn(move || {
        if signals.forever().next().is_some() {
            std::process::exit(1);
        }
    });
    // While viewers get what is theirs.
    helpers.into_iter().for_each(Helpers::shutdown);
    server.join();
    control.shutdown();
    Ok(())
}

/// Starts the helpers.
fn start_helpers(
    config: &Config,
    server: &Server,
    wishes: Arc<Wishes>,
    passes: Arc<Passes>,
) -> Result<Helpers, helper::StartError> {
    let surroundings = Surroundings {
        guardian: Guardian::this_program(),
        rtmp: server.rtmp(),
        wishes,
        // Where anybody may publish, a secret would only be one more thing to see.
        passes: (!config.keys.is_empty()).then_some(passes),
    };
    helper::start(config.helper.clone(), surroundings)
}

fn start_log(filter: &str, format: LogFormat) -> Result<(), Box<dyn Error>> {
    let filter = tracing_subscriber::EnvFilter::try_new(filter)?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    match format {
        LogFormat::Text => log.with_target(false).init(),
        LogFormat::Json => log.json().init(),
    }
    Ok(())
}
