//! The proxy as a command: its arguments, and what it prints.

use super::{Fault, Proxy};
use std::collections::BTreeMap;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::time::{Duration, Instant};

/// How often it looks whether something was done.
const LOOK: Duration = Duration::from_millis(200);

/// Stands between players and an RTMP server and damages single frames, so that you can see that it
/// is noticed. Runs until it is killed.
#[derive(Clone, Debug, clap::Args)]
pub struct ProxyArgs {
    /// The server, as HOST:PORT.
    target: String,
    /// Where players connect to; port 0 takes any that is free.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// What to damage, as KIND[:TRACK]@NTH[/EVERY]: the NTH frame of each connection, and after it
    /// each EVERYth. TRACK is video or audio [default: both]. KIND is drop, swap, duplicate,
    /// corrupt, truncate, extend, strip, cross, delay=MS, garbage, close or stall. May be repeated;
    /// of several faults at one frame the first is applied.
    #[arg(long, value_name = "FAULT", required = true)]
    fault: Vec<Fault>,
    /// End after so many seconds.
    #[arg(long)]
    seconds: Option<u64>,
}

/// Runs the command. Prints where it listens, and each fault as it is applied.
///
/// # Errors
/// If the server's host has no address, or the proxy cannot listen.
pub fn run(args: &ProxyArgs) -> io::Result<()> {
    let target = args.target.to_socket_addrs()?.next();
    let target = target.ok_or_else(|| io::Error::other("the host has no address"))?;
    let proxy = Proxy::start(args.listen, target, &args.fault)?;
    println!("listening on {}, before {target}", proxy.address());
    let began = Instant::now();
    let mut told = BTreeMap::new();
    while args.seconds.is_none_or(|seconds| began.elapsed() < Duration::from_secs(seconds)) {
        std::thread::sleep(LOOK);
        let applied = proxy.applied();
        for (kind, count) in &applied {
            if told.get(kind) != Some(count) {
                println!("{:.1} s  {kind}: {count} so far", began.elapsed().as_secs_f64());
            }
        }
        told = applied;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Cli {
        #[command(flatten)]
        args: ProxyArgs,
    }

    fn parse(line: &str) -> Result<ProxyArgs, clap::Error> {
        Cli::try_parse_from(line.split(' ')).map(|cli| cli.args)
    }

    #[test]
    fn arguments_are_read() {
        let args = parse("proxy --fault drop:video@9 --fault delay=5@1/2 127.0.0.1:1935").unwrap();
        assert_eq!((args.fault.len(), args.target.as_str()), (2, "127.0.0.1:1935"));
        assert_eq!(args.listen.port(), 0);
        assert!(parse("proxy 127.0.0.1:1935").is_err(), "without a fault");
        let error = parse("proxy --fault lose@3 127.0.0.1:1935").unwrap_err().to_string();
        assert!(error.contains("duplicate"), "it does not say what is possible: {error}");
    }

    #[test]
    fn it_runs_for_the_time_it_is_given() {
        let args = parse("proxy --seconds 0 --fault drop@1 127.0.0.1:9").unwrap();
        run(&args).unwrap();
    }
}
