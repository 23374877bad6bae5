//! What a run found: the figures, their JSON, the text for people, and the verdict.

use crate::account::tally::{Counts, Delays, TrackCounts};
use hdrhistogram::Histogram;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

/// Own core share above which nothing that was measured is believed.
pub const OWN_CORE_MAX: f64 = 0.85;
/// Own lag (p99) above which nothing that was measured is believed, in milliseconds.
pub const OWN_LAG_MS_MAX: f64 = 5.0;

/// Percentiles, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Percentiles {
    /// Half are below.
    pub p50: f64,
    /// Nine of ten are below.
    pub p90: f64,
    /// 99 of 100 are below.
    pub p99: f64,
    /// 999 of 1,000 are below.
    pub p999: f64,
    /// The worst.
    pub max: f64,
    /// How many there were.
    pub count: u64,
}

impl Percentiles {
    /// Of a histogram of microseconds.
    pub fn of(histogram: &Histogram<u64>) -> Self {
        let at = |quantile| histogram.value_at_quantile(quantile) as f64 / 1000.0;
        Self {
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p999: at(0.999),
            max: histogram.max() as f64 / 1000.0,
            count: histogram.len(),
        }
    }
}

impl fmt::Display for Percentiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { p50, p90, p99, p999, max, .. } = self;
        write!(f, "p50 {p50:.1}  p90 {p90:.1}  p99 {p99:.1}  p99.9 {p999:.1}  max {max:.1} ms")
    }
}

/// One track, over all players.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct TrackReport {
    /// Frames received and checked.
    pub frames: u64,
    /// Of these, from before the player joined.
    pub backlog: u64,
    /// Never came.
    pub lost: u64,
    /// Came again.
    pub duplicated: u64,
    /// Came after a later one.
    pub reordered: u64,
    /// Not what was sent.
    pub corrupt: u64,
    /// Without a readable mark.
    pub unmarked: u64,
}

impl TrackReport {
    /// Of a track's counters.
    pub fn of(counts: &TrackCounts) -> Self {
        Self {
            frames: counts.frames,
            backlog: counts.backlog,
            lost: counts.faults.lost,
            duplicated: counts.faults.duplicated,
            reordered: counts.faults.reordered,
            corrupt: counts.corrupt,
            unmarked: counts.unmarked,
        }
    }

    /// Frames with which something is wrong.
    pub fn faults(&self) -> u64 {
        self.lost + self.duplicated + self.reordered + self.corrupt + self.unmarked
    }
}

/// One sample of the time series.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Sample {
    /// Seconds since the first step began.
    pub at_s: f64,
    /// Which step.
    pub step: usize,
    /// Players that play.
    pub playing: u64,
    /// Megabits per second received.
    pub mbit_s: f64,
    /// Video delay since the last sample, median, milliseconds.
    pub p50_ms: f64,
    /// Video delay since the last sample, p99, milliseconds.
    pub p99_ms: f64,
    /// The widest pacing window of the server's shards, milliseconds, where it is known.
    pub window_ms: Option<u64>,
    /// The busiest share of the server's shards, in thousandths, where it is known.
    pub busy_permille: Option<u64>,
}

/// One step.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct StepReport {
    /// Players wanted.
    pub wanted: usize,
    /// Players that played at its end.
    pub playing: u64,
    /// How long it took until all of them played, seconds.
    pub joining_s: f64,
    /// How long it was measured, seconds.
    pub seconds: f64,
    /// Gigabytes (10^9) received meanwhile.
    pub gigabytes: f64,
    /// Video delay.
    pub video: Percentiles,
    /// Audio delay.
    pub audio: Percentiles,
    /// Processor time of the server per gigabyte, seconds, where it is known.
    pub server_cpu_s_per_gb: Option<f64>,
    /// Share of one core that the server used, where it is known.
    pub server_cores: Option<f64>,
    /// Server memory at the end, bytes, where it is known.
    pub server_resident_bytes: Option<u64>,
    /// Context switches of the server per second, where it is known.
    pub server_switches_s: Option<f64>,
    /// The busiest worker's share of its core, averaged over workers.
    pub own_core: f64,
    /// How late the generator's own timers were.
    pub own_lag: Percentiles,
    /// How long its rounds were: so long a frame may have waited for it.
    pub own_round: Percentiles,
    /// Changes of the server's pacing window during the step, where it is known.
    pub window_changes: Option<u64>,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Every frame came, once, in order and unchanged.
    Pass,
    /// Something did not.
    Fail,
    /// The generator was too slow itself.
    Invalid,
}

/// A run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// How it ended.
    pub verdict: Verdict,
    /// Why, unless it passed.
    pub reasons: Vec<String>,
    /// Publishers wanted.
    pub publishers: u32,
    /// Streams that were played.
    pub played: u32,
    /// Bits per second of one stream.
    pub bitrate: u64,
    /// Milliseconds between the generator's rounds.
    pub nap_ms: f64,
    /// Frames that publishers sent.
    pub sent_frames: u64,
    /// Bytes that players received.
    pub bytes: u64,
    /// Video.
    pub video: TrackReport,
    /// Audio.
    pub audio: TrackReport,
    /// Frames compared byte by byte.
    pub compared: u64,
    /// From connecting to the first video frame.
    pub join: Percentiles,
    /// What ended connections, by kind.
    pub errors: BTreeMap<&'static str, u64>,
    /// Server memory before the first player, where it is known, bytes.
    pub server_resident_before: Option<u64>,
    /// The steps.
    pub steps: Vec<StepReport>,
    /// The time series.
    pub samples: Vec<Sample>,
}

impl Report {
    /// Enters the totals and judges.
    pub fn conclude(mut self, counts: &Counts, delays: &Delays) -> Self {
        self.sent_frames = counts.sent_frames;
        self.bytes = counts.bytes;
        self.video = TrackReport::of(&counts.video);
        self.audio = TrackReport::of(&counts.audio);
        self.compared = counts.compared;
        self.join = Percentiles::of(&delays.join);
        self.errors.clone_from(&counts.errors);
        let mut reasons = Vec::new();
        if counts.publishing < u64::from(self.publishers) {
            reasons
                .push(format!("{} of {} publishers published", counts.publishing, self.publishers));
        }
        for (at, step) in self.steps.iter().enumerate() {
            if step.playing < step.wanted as u64 {
                let (playing, wanted) = (step.playing, step.wanted);
                reasons.push(format!("step {}: {playing} of {wanted} players played", at + 1));
            }
        }
        for (name, track) in [("video", &self.video), ("audio", &self.audio)] {
            if track.faults() > 0 {
                reasons.push(format!("{} {name} frames at fault", track.faults()));
            }
        }
        if !self.errors.is_empty() {
            reasons.push(format!("{} errors", self.errors.values().sum::<u64>()));
        }
        self.verdict = if reasons.is_empty() { Verdict::Pass } else { Verdict::Fail };
        for (at, step) in self.steps.iter().enumerate() {
            if step.own_core > OWN_CORE_MAX || step.own_lag.p99 > OWN_LAG_MS_MAX {
                self.verdict = Verdict::Invalid;
                reasons.push(format!(
                    "step {}: the generator was the bottleneck: {:.0} % of its core, p99 of its own lag {:.1} ms",
                    at + 1,
                    step.own_core * 100.0,
                    step.own_lag.p99
                ));
            }
        }
        self.reasons = reasons;
        self
    }

    /// The time series as a Markdown table.
    pub fn series(&self) -> String {
        let mut text = String::from(
            "| s | step | players | Mbit/s | video p50 ms | p99 ms | window ms | busy per mille |\n\
             | --: | --: | --: | --: | --: | --: | --: | --: |\n",
        );
        let known =
            |value: Option<u64>| value.map_or_else(|| "-".into(), |value| value.to_string());
        for sample in &self.samples {
            let Sample { at_s, step, playing, mbit_s, p50_ms, p99_ms, .. } = sample;
            let (window, busy) = (known(sample.window_ms), known(sample.busy_permille));
            writeln!(
                text,
                "| {at_s:.1} | {step} | {playing} | {mbit_s:.0} | {p50_ms:.1} | {p99_ms:.1} | {window} | {busy} |"
            )
            .expect("writing to a string cannot fail");
        }
        text
    }

    /// The exit code of a program that ran it.
    pub fn exit_code(&self) -> u8 {
        match self.verdict {
            Verdict::Pass => 0,
            Verdict::Fail => 1,
            Verdict::Invalid => 3,
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.steps.iter().enumerate() {
            writeln!(
                f,
                "step {}: {} of {} players for {:.1} s, {:.3} GB ({:.0} Mbit/s), joined in {:.1} s",
                at + 1,
                step.playing,
                step.wanted,
                step.seconds,
                step.gigabytes,
                step.gigabytes * 8000.0 / step.seconds.max(0.001),
                step.joining_s,
            )?;
            writeln!(f, "  video delay  {}", step.video)?;
            writeln!(f, "  audio delay  {}", step.audio)?;
            let mut server = String::new();
            if let (Some(per_gb), Some(cores)) = (step.server_cpu_s_per_gb, step.server_cores) {
                write!(server, "{per_gb:.3} CPU s/GB, {:.0} % of a core", cores * 100.0)?;
            }
            if let Some(resident) = step.server_resident_bytes {
                write!(server, ", {:.1} MB resident", resident as f64 / 1e6)?;
                if let Some(before) = self.server_resident_before.filter(|_| step.playing > 0) {
                    let per_player = resident.saturating_sub(before) as f64 / step.playing as f64;
                    write!(server, " ({:.1} KB a player)", per_player / 1e3)?;
                }
            }
            if let Some(changes) = step.window_changes {
                write!(server, ", window changed {changes} times")?;
            }
            if !server.is_empty() {
                writeln!(f, "  server       {server}")?;
            }
            writeln!(
                f,
                "  generator    {:.0} % of its core, own lag p99 {:.2} ms, rounds p99 {:.2} ms",
                step.own_core * 100.0,
                step.own_lag.p99,
                step.own_round.p99
            )?;
        }
        writeln!(f, "join (first video frame)  {}", self.join)?;
        for (name, track) in [("video", &self.video), ("audio", &self.audio)] {
            writeln!(
                f,
                "{name}: {} frames checked ({} of them backlog), lost {}, duplicated {}, reordered {}, corrupt {}, unmarked {}",
                track.frames,
                track.backlog,
                track.lost,
                track.duplicated,
                track.reordered,
                track.corrupt,
                track.unmarked
            )?;
        }
        writeln!(
            f,
            "{} frames compared byte by byte (one player in {})",
            self.compared,
            crate::swarm::worker::COMPARED_OF
        )?;
        for (kind, count) in &self.errors {
            writeln!(f, "error {kind}: {count}")?;
        }
        for reason in &self.reasons {
            writeln!(f, "- {reason}")?;
        }
        let verdict = match self.verdict {
            Verdict::Pass => "PASS",
            Verdict::Fail => "FAIL",
            Verdict::Invalid => "INVALID",
        };
        write!(f, "{verdict}")
    }
}
