//! What conditions can look at, and where in a report each stands.

use crate::account::times::Time;
use crate::report::Report;
use crate::report::figures::Track;
use std::fmt;

/// A unit of a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A mere number.
    None,
    /// Hundredths.
    Percent,
    /// Microseconds.
    Microseconds,
    /// Milliseconds.
    Milliseconds,
    /// Seconds.
    Seconds,
    /// Bytes.
    Bytes,
    /// 10^3 bytes.
    Kilobytes,
    /// 10^6 bytes.
    Megabytes,
    /// 10^9 bytes.
    Gigabytes,
}

impl Unit {
    /// As it is written.
    pub fn text(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Percent => "%",
            Self::Microseconds => "us",
            Self::Milliseconds => "ms",
            Self::Seconds => "s",
            Self::Bytes => "B",
            Self::Kilobytes => "KB",
            Self::Megabytes => "MB",
            Self::Gigabytes => "GB",
        }
    }

    /// How many of what reports hold it is: numbers, milliseconds, bytes.
    pub(super) fn factor(self) -> f64 {
        match self {
            Self::None | Self::Milliseconds | Self::Bytes => 1.0,
            Self::Percent => 0.01,
            Self::Microseconds => 0.001,
            Self::Seconds | Self::Kilobytes => 1e3,
            Self::Megabytes => 1e6,
            Self::Gigabytes => 1e9,
        }
    }
}

const NUMBER: &[Unit] = &[Unit::None];
const SHARE: &[Unit] = &[Unit::Percent];
const DURATION: &[Unit] = &[Unit::Milliseconds, Unit::Seconds, Unit::Microseconds];
const SIZE: &[Unit] = &[Unit::Kilobytes, Unit::Megabytes, Unit::Gigabytes, Unit::Bytes];

/// The times of which percentiles can be asked for, as conditions name them: as everywhere, and
/// `join`, as people call the first frame.
pub const TIMES: [(&str, Time); 9] = [
    ("video", Time::Video),
    ("audio", Time::Audio),
    ("connect", Time::Connect),
    ("handshake", Time::Handshake),
    ("first-byte", Time::FirstByte),
    ("first-frame", Time::FirstFrame),
    ("join", Time::FirstFrame),
    ("own-lag", Time::Lag),
    ("own-round", Time::Round),
];

/// A percentile or the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantile {
    /// Thousandths of a percent: 99,900 is p99.9.
    At(u32),
    /// The worst.
    Max,
}

impl Quantile {
    /// Of what stands behind the `p`.
    pub fn of_percentage(text: &str) -> Option<Self> {
        let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(decimals) || whole.len() > 2 || decimals.len() > 3 {
            return None;
        }
        let whole: u32 = whole.parse().ok()?;
        let decimals: u32 = format!("{decimals:0<3}").parse().ok()?;
        let thousandths = whole * 1000 + decimals;
        (thousandths > 0).then_some(Self::At(thousandths))
    }
}

impl fmt::Display for Quantile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Max => f.write_str("max"),
            Self::At(thousandths) => {
                write!(f, "p{}", thousandths / 1000)?;
                match thousandths % 1000 {
                    0 => Ok(()),
                    rest => write!(f, ".{}", format!("{rest:03}").trim_end_matches('0')),
                }
            }
        }
    }
}

/// Something that reports have one value of.
#[derive(Debug)]
pub struct Known {
    /// As conditions name it.
    pub name: &'static str,
    /// What it is, for the help text.
    pub meaning: &'static str,
    /// The units that it can be given in.
    pub units: &'static [Unit],
    /// Its value, if it was measured.
    measure: fn(&Report) -> Option<f64>,
}

/// What a condition looks at.
#[derive(Clone, Copy, Debug)]
pub enum Metric {
    /// A percentile of a time, over the whole run.
    Time(Time, Quantile),
    /// One of [`METRICS`].
    Known(&'static Known),
}

impl PartialEq for Metric {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Time(time, at), Self::Time(other_time, other_at)) => {
                time == other_time && at == other_at
            }
            (Self::Known(known), Self::Known(other)) => known.name == other.name,
            _ => false,
        }
    }
}

impl Metric {
    /// Whether it is about what joining took.
    pub fn is_of_joins(&self) -> bool {
        let joins = [Time::Connect, Time::Handshake, Time::FirstByte, Time::FirstFrame];
        matches!(self, Self::Time(time, _) if joins.contains(time))
    }

    /// The units that it can be given in.
    pub fn units(&self) -> &'static [Unit] {
        match self {
            Self::Time(..) => DURATION,
            Self::Known(known) => known.units,
        }
    }

    /// Its value in numbers, milliseconds or bytes, if it was measured.
    pub fn measure(&self, report: &Report) -> Option<f64> {
        match self {
            Self::Known(known) => (known.measure)(report),
            Self::Time(time, quantile) => {
                let delay = report.delay(*time)?;
                if *quantile == Quantile::Max {
                    return Some(delay.percentiles.max);
                }
                let Quantile::At(thousandths) = quantile else { return None };
                // A report may come from a file without its histogram.
                (!delay.histogram.is_empty()).then(|| {
                    let quantile = f64::from(*thousandths) / 100_000.0;
                    delay.histogram.value_at_quantile(quantile) as f64 / 1000.0
                })
            }
        }
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(known) => f.write_str(known.name),
            Self::Time(Time::Video, quantile) => quantile.fmt(f),
            Self::Time(time, quantile) => write!(f, "{}.{quantile}", time.name()),
        }
    }
}

/// Counted over frames: without any frame, nothing was.
fn frames(report: &Report, count: impl Fn(&Track) -> u64) -> Option<f64> {
    let track = report.judged();
    (track.frames > 0 || track.lost > 0).then(|| count(&track) as f64)
}

/// Everything but percentiles.
pub static METRICS: [Known; 17] = [
    Known {
        name: "lost",
        meaning: "frames that never came",
        units: NUMBER,
        measure: |report| frames(report, |track| track.lost),
    },
    Known {
        name: "duplicated",
        meaning: "frames that came again",
        units: NUMBER,
        measure: |report| frames(report, |track| track.duplicated),
    },
    Known {
        name: "reordered",
        meaning: "frames that came after a later one",
        units: NUMBER,
        measure: |report| frames(report, |track| track.reordered),
    },
    Known {
        name: "corrupt",
        meaning: "frames that are not what was sent",
        units: NUMBER,
        measure: |report| frames(report, |track| track.corrupt),
    },
    Known {
        name: "unmarked",
        meaning: "frames without a readable mark",
        units: NUMBER,
        measure: |report| frames(report, |track| track.unmarked),
    },
    Known {
        name: "mistimed",
        meaning: "frames whose timestamp moved against the schedule",
        units: NUMBER,
        measure: |report| frames(report, |track| track.mistimed),
    },
    Known {
        name: "mixed",
        meaning: "frames of a publisher that another one had already replaced",
        units: NUMBER,
        measure: |report| frames(report, |track| track.mixed),
    },
    Known {
        name: "late",
        meaning: "frames slower than the run's limit",
        units: NUMBER,
        measure: |report| frames(report, |track| track.late),
    },
    Known {
        name: "cut",
        meaning: "frames that went down with their publisher",
        units: NUMBER,
        measure: |report| frames(report, |track| track.cut),
    },
    Known {
        name: "delivered",
        meaning: "share of the payload owed to players that came",
        units: SHARE,
        measure: |report| report.totals.delivered(),
    },
    Known {
        name: "errors",
        meaning: "connections that ended or failed otherwise than planned",
        units: NUMBER,
        measure: |report| {
            let begun = report
                .groups
                .iter()
                .fold(report.publishers.begun, |sum, group| sum.saturating_add(group.begun));
            (begun > 0 || report.errors() > 0).then(|| report.errors() as f64)
        },
    },
    Known {
        name: "playing",
        meaning: "players that play at the end of the last step",
        units: NUMBER,
        measure: |report| report.steps.last().map(|step| step.playing as f64),
    },
    Known {
        name: "cpu_per_gb",
        meaning: "processor seconds of the server per gigabyte to players (where more was published: taken in)",
        units: NUMBER,
        measure: |report| {
            let server = report.server.as_ref()?;
            server.cpu_s_per_gb.or(server.cpu_s_per_gb_in)
        },
    },
    Known {
        name: "server_cores",
        meaning: "cores' worth of processor time that the server used, in its busiest step",
        units: NUMBER,
        measure: |report| {
            let servers = report.steps.iter().filter_map(|step| step.server.as_ref());
            servers.map(|server| server.cores).reduce(f64::max)
        },
    },
    Known {
        name: "resident",
        meaning: "resident memory of the server, at the end of the step where it was highest",
        units: SIZE,
        measure: |report| report.server.as_ref().map(|server| server.resident_bytes as f64),
    },
    Known {
        name: "per_player",
        meaning: "memory that each player cost the server, in the step with most of them",
        units: SIZE,
        measure: |report| report.server.as_ref()?.bytes_per_player,
    },
    Known {
        name: "switches",
        meaning: "context switches of the server per second, over all steps",
        units: NUMBER,
        measure: |report| report.server.as_ref().map(|server| server.switches_s),
    },
];
