//! What is printed at start: where to publish and play, exactly as it must be typed, and on what
//! the server runs. Never a publishing secret; the access token only if it was made up just now,
//! for then this is the only place to learn it.

use std::fmt::Write as _;
use std::net::SocketAddr;

use super::url_host;
use crate::config::{Config, DEFAULT_APP, RTMP_PORT, Secret, format_cores};

/// What is known once everything is open.
#[derive(Debug)]
pub struct Startup<'a> {
    /// The settings.
    pub config: &'a Config,
    /// The RTMP addresses that are open.
    pub rtmp: &'a [SocketAddr],
    /// The HTTP address that is open.
    pub http: SocketAddr,
    /// The token of the HTTP side, if it was made up at this start.
    pub fresh_token: Option<&'a Secret>,
    /// The I/O driver, `io_uring` or `epoll`.
    pub driver: &'a str,
    /// The cores with a shard.
    pub cores: &'a [usize],
    /// File descriptors.
    pub descriptors: Descriptors,
    /// The congestion control that the RTMP sockets have.
    pub congestion: &'a str,
}

/// The limit of file descriptors, after raising the soft one.
#[derive(Debug, Clone, Copy)]
pub struct Descriptors {
    /// The limit that holds.
    pub soft: u64,
    /// The limit up to which it could be raised.
    pub hard: u64,
}

/// The banner, several lines with a newline at the end.
pub fn banner(startup: &Startup<'_>) -> String {
    let mut text = format!("millstream {}\n\n", env!("CARGO_PKG_VERSION"));
    let mut line = |label: &str, value: &str| {
        writeln!(text, "  {label:<12} {value}").expect("writing to a string cannot fail");
    };
    let example = startup.config.keys.streams().find(|stream| stream.app() == DEFAULT_APP);
    let example = example.or_else(|| startup.config.keys.streams().next());
    let (app, name) = example.map_or((DEFAULT_APP, "NAME"), |stream| (stream.app(), stream.name()));
    let query = if example.is_some() { "?key=SECRET" } else { "" };

    for (index, &addr) in startup.rtmp.iter().enumerate() {
        let label = if index == 0 { "Publish to" } else { "" };
        line(label, &format!("{}/{app}/{name}{query}", rtmp_base(addr)));
    }
    if let Some(&addr) = startup.rtmp.first() {
        line("", &format!("OBS: server {}/{app}, stream key {name}{query}", rtmp_base(addr)));
    }
    for (index, &addr) in startup.rtmp.iter().enumerate() {
        let label = if index == 0 { "Play from" } else { "" };
        line(label, &format!("{}/{app}/{name}", rtmp_base(addr)));
    }
    line("Status", &format!("http://{}:{}/", url_host(startup.http), startup.http.port()));
    if let Some(token) = startup.fresh_token {
        let use_it = match startup.http.ip().is_loopback() {
            true => "for changes by the API; looking needs none",
            false => "any user name, this as the password",
        };
        line("Token", &format!("{} ({use_it})", token.reveal()));
    }
    match startup.config.keys.streams().count() {
        0 => line("Keys", "none: whoever can connect may publish"),
        1 => line("Keys", "1 stream"),
        count => line("Keys", &format!("{count} streams")),
    }
    match startup.config.push.len() {
        0 => {}
        1 => line("Pushes", "to 1 target"),
        count => line("Pushes", &format!("to {count} targets")),
    }
    let edge_of = startup.config.origin.iter().map(ToString::to_string).collect::<Vec<_>>();
    if !edge_of.is_empty() {
        line("Edge of", &edge_of.join(", "));
    }
    match startup.config.pull.len() {
        0 => {}
        1 => line("Pulls", "by 1 rule"),
        count => line("Pulls", &format!("by {count} rules")),
    }
    for stream in startup.config.keys.weak() {
        line("", &format!("the secret of {stream} is short enough to be guessed"));
    }
    write!(text, "\n  {}\n", summary(startup)).expect("writing to a string cannot fail");
    text
}

/// The start-up line, for the banner and the log: driver, cores, descriptors, congestion control, latency budget.
pub fn summary(startup: &Startup<'_>) -> String {
    let Startup { driver, cores, descriptors, congestion, config, .. } = startup;
    format!(
        "driver {driver} | cores {} | descriptors {}/{} | congestion control {congestion} | latency budget {}",
        format_cores(cores),
        descriptors.soft,
        descriptors.hard,
        config.latency_budget,
    )
}

/// `rtmp://host`, with the port unless it is the usual one.
fn rtmp_base(addr: SocketAddr) -> String {
    match addr.port() {
        RTMP_PORT => format!("rtmp://{}", url_host(addr)),
        port => format!("rtmp://{}:{port}", url_host(addr)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(config: &Config, rtmp: &[&str], token: Option<&Secret>) -> String {
        let rtmp: Vec<SocketAddr> = rtmp.iter().map(|addr| addr.parse().unwrap()).collect();
        banner(&Startup {
            config,
            rtmp: &rtmp,
            http: "127.0.0.1:8080".parse().unwrap(),
            fresh_token: token,
            driver: "io_uring",
            cores: &[0, 1, 2, 5],
            descriptors: Descriptors { soft: 20_000, hard: 20_000 },
            congestion: "cubic",
        })
    }

    #[test]
    fn urls_can_be_typed_as_they_stand() {
        let text = show(&Config::default(), &["127.0.0.1:1935", "[::1]:1936"], None);
        for part in [
            "Publish to   rtmp://127.0.0.1/live/NAME\n",
            "             rtmp://[::1]:1936/live/NAME\n",
            "OBS: server rtmp://127.0.0.1/live, stream key NAME\n",
            "Play from    rtmp://127.0.0.1/live/NAME\n",
            "Status       http://127.0.0.1:8080/\n",
            "  driver io_uring | cores 0-2,5 | descriptors 20000/20000 | congestion control cubic | latency budget auto\n",
        ] {
            assert!(text.contains(part), "{part:?} is missing in:\n{text}");
        }
        assert!(!text.contains("Token"));
    }

    #[test]
    fn keys_are_announced_and_never_shown() {
        let mut config = Config::default();
        config.keys.insert("cam1", Secret::new("hunter2hunter2")).unwrap();
        let text = show(&config, &["0.0.0.0:1935"], Some(&Secret::new("0123456789abcdef")));
        assert!(text.contains("stream key cam1?key=SECRET\n"), "{text}");
        assert!(text.contains("Play from    rtmp://HOST/live/cam1\n"), "{text}");
        assert!(text.contains("Token        0123456789abcdef"), "{text}");
        assert!(!text.contains("hunter2") && !text.contains("guessed"), "{text}");
        config.keys.insert("cam2", Secret::new("abc")).unwrap();
        let text = show(&config, &["0.0.0.0:1935"], None);
        assert!(text.contains("the secret of live/cam2 is short"), "{text}");
    }
}
