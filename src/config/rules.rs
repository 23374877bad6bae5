//! Ranges of single settings and relations between them. The form of a value is judged where it
//! is parsed; what follows from a setting is the affair of the part that it names.

use std::time::Duration;

use super::{CHUNK_SIZE_MAX, CHUNK_SIZE_MIN, Caps, Config, SlateConfig};

/// A rule that no single value breaks by its form: a range, or a relation between two settings.
struct Rule {
    key: &'static str,
    holds: bool,
    rule: &'static str,
}

impl Config {
    /// The first rule that does not hold, as its key and the rule in words.
    pub(super) fn first_offence(&self) -> Option<(&'static str, &'static str)> {
        let minute = Duration::from_secs(60);
        let hour = 60 * minute;
        let within =
            |duration: Duration, min: Duration, max: Duration| (min..=max).contains(&duration);
        let second = Duration::from_secs(1);
        let rules = [
            Rule { key: "rtmp", holds: !self.rtmp.is_empty(), rule: "give at least one address" },
            Rule {
                key: "chunk_size",
                holds: (CHUNK_SIZE_MIN..=CHUNK_SIZE_MAX).contains(&self.chunk_size),
                rule: "choose a size from 128 bytes to 10MiB",
            },
            Rule {
                key: "ack_window",
                holds: (10_000..=1 << 30).contains(&self.ack_window),
                rule: "choose a size from 10kB to 1024MiB",
            },
            Rule {
                key: "server_version",
                holds: is_version(&self.server_version),
                rule: "choose 1 to 64 printable characters, such as \"FMS/3,5,7,7009\"",
            },
            Rule { key: "hold", holds: self.hold <= hour, rule: "choose at most 1h" },
            Rule {
                key: "slate",
                holds: self.slate.iter().all(SlateConfig::holds),
                rule: "choose an `after` of at most 1m and a `max` from 1s to 24h",
            },
            Rule { key: "play_wait", holds: self.play_wait <= hour, rule: "choose at most 1h" },
            Rule {
                key: "http_token",
                holds: self.http_token.as_ref().is_none_or(|token| token.reveal().len() >= 16),
                rule: "choose 16 characters or more (openssl rand -hex 16 makes a good one)",
            },
            Rule {
                key: "congestion",
                holds: self.congestion.as_ref().is_none_or(|name| is_congestion_name(name)),
                rule: "expected a name such as \"cubic\" or \"bbr\" (sysctl net.ipv4.tcp_available_congestion_control lists them)",
            },
            Rule {
                key: "gop.span",
                holds: within(self.gop.span, second, 5 * minute),
                rule: "choose a time from 1s to 5m",
            },
            Rule {
                key: "gop.bytes",
                holds: (1 << 20..=1 << 30).contains(&self.gop.bytes),
                rule: "choose a size from 1MiB to 1024MiB",
            },
            Rule {
                key: "lag.skip",
                holds: within(self.lag.skip, Duration::from_millis(100), 5 * minute),
                rule: "choose a time from 100ms to 5m",
            },
            Rule {
                key: "lag.hang_up",
                holds: within(self.lag.hang_up, self.lag.skip, hour),
                rule: "choose a time from lag.skip to 1h",
            },
            Rule {
                key: "lag.skips_per_minute",
                holds: self.lag.skips_per_minute >= 1,
                rule: "choose 1 or more",
            },
            Rule {
                key: "timeouts.handshake",
                holds: within(self.timeouts.handshake, second, minute),
                rule: "choose a time from 1s to 1m",
            },
            Rule {
                key: "timeouts.idle",
                holds: within(self.timeouts.idle, second, hour),
                rule: "choose a time from 1s to 1h",
            },
            Rule {
                key: "timeouts.no_media",
                holds: within(self.timeouts.no_media, second, hour),
                rule: "choose a time from 1s to 1h",
            },
            Rule {
                key: "timeouts.player",
                holds: within(self.timeouts.player, self.lag.hang_up, hour),
                rule: "choose a time from lag.hang_up to 1h",
            },
            Rule {
                key: "caps",
                holds: self.caps.all().iter().all(|&cap| cap >= 1),
                rule: "every cap must be 1 or more",
            },
        ];
        let broken = rules.iter().find(|rule| !rule.holds).map(|rule| (rule.key, rule.rule));
        broken.or_else(|| self.pull_offence())
    }
}

impl Caps {
    fn all(&self) -> [u32; 5] {
        [
            self.connections,
            self.connections_per_address,
            self.half_open_per_address,
            self.streams,
            self.waiting_plays_per_address,
        ]
    }
}

/// The kernel's names are short and plain (TCP_CA_NAME_MAX is 16 with the final zero).
fn is_version(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|byte| (0x20..0x7f).contains(&byte))
}

fn is_congestion_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    (1..16).contains(&name.len()) && name.bytes().all(plain)
}
