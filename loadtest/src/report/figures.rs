//! The parts of a report: plain figures, as they stand in the JSON. How they come about is in
//! [`build`](super::build).

use crate::account::times::{Percentiles, Time};
use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How often something happened, by its name.
pub type Kinds = BTreeMap<String, u64>;

/// The whole run in a few sums.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Totals {
    /// Players wanted at the end.
    pub players_wanted: u64,
    /// Bytes that players received, RTMP and all.
    pub received_bytes: u64,
    /// Payload that publishers sent.
    pub published_bytes: u64,
    /// Payload that judged players were owed: what came and what was lost.
    pub expected_bytes: u64,
    /// Payload that judged players got.
    pub delivered_bytes: u64,
    /// Length of all steps, seconds.
    pub measured_s: f64,
}

impl Totals {
    /// The share of the payload owed that was delivered; `None` if none was owed.
    pub fn delivered(&self) -> Option<f64> {
        (self.expected_bytes > 0).then(|| self.delivered_bytes as f64 / self.expected_bytes as f64)
    }
}

/// A group of players.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Whether every frame must have come.
    pub judged: bool,
    /// Whether its players come and go by plan, so that some are always away.
    pub comes_and_goes: bool,
    /// Bytes received, RTMP and all.
    pub bytes: u64,
    /// Video.
    pub video: Track,
    /// Audio.
    pub audio: Track,
    /// Frames compared byte by byte.
    pub compared: u64,
    /// Connections begun.
    pub begun: u64,
    /// Connections that came to a first frame.
    pub joined: u64,
    /// Players that played at the end.
    pub playing: u64,
    /// Connections that ended as the plan wanted.
    pub left: u64,
    /// Connections that ended in a way that the plan allows for.
    pub allowed: Kinds,
    /// Connections that ended otherwise.
    pub errors: Kinds,
}

/// One track of a group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Track {
    /// Frames received and checked.
    pub frames: u64,
    /// Their payload, bytes.
    pub payload_bytes: u64,
    /// Of the frames, sent before the player asked.
    pub backlog: u64,
    /// Of the frames, slower than the run's limit.
    pub late: u64,
    /// Never came.
    pub lost: u64,
    /// Their payload, bytes, where it is known.
    pub lost_bytes: u64,
    /// Came again.
    pub duplicated: u64,
    /// Came after a later one.
    pub reordered: u64,
    /// Not what was sent.
    pub corrupt: u64,
    /// Without a readable mark.
    pub unmarked: u64,
    /// With a timestamp that moved against the schedule.
    pub mistimed: u64,
    /// From a publisher that another one had already replaced.
    pub mixed: u64,
    /// Never came because their publisher was cut off; nobody's loss.
    pub cut: u64,
}

impl Track {
    /// What can be wrong with a frame, and how often it was.
    pub fn faults(&self) -> [(&'static str, u64); 7] {
        [
            ("lost", self.lost),
            ("duplicated", self.duplicated),
            ("reordered", self.reordered),
            ("corrupt", self.corrupt),
            ("unmarked", self.unmarked),
            ("mistimed", self.mistimed),
            ("mixed", self.mixed),
        ]
    }

    /// Adds another's counters. What comes from files may be absurd: sums stay at their limit.
    pub fn add(&mut self, other: &Self) {
        for (own, other) in [
            (&mut self.frames, other.frames),
            (&mut self.payload_bytes, other.payload_bytes),
            (&mut self.backlog, other.backlog),
            (&mut self.late, other.late),
            (&mut self.lost, other.lost),
            (&mut self.lost_bytes, other.lost_bytes),
            (&mut self.duplicated, other.duplicated),
            (&mut self.reordered, other.reordered),
            (&mut self.corrupt, other.corrupt),
            (&mut self.unmarked, other.unmarked),
            (&mut self.mistimed, other.mistimed),
            (&mut self.mixed, other.mixed),
            (&mut self.cut, other.cut),
        ] {
            *own = own.saturating_add(other);
        }
    }
}

/// The publishers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Publishers {
    /// How many were wanted.
    pub wanted: u64,
    /// Whether they come and go by plan, so that some are always away.
    pub come_and_go: bool,
    /// Connections begun.
    pub begun: u64,
    /// How often one was accepted.
    pub accepted: u64,
    /// How many published at the end.
    pub publishing: u64,
    /// Frames sent.
    pub frames: u64,
    /// Connections that ended as the plan wanted.
    pub left: u64,
    /// Connections that ended in a way that the plan allows for.
    pub allowed: Kinds,
    /// Connections that ended otherwise.
    pub errors: Kinds,
}

/// One of the times, over the whole run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Delay {
    /// [`Time::name`].
    pub time: String,
    /// The usual percentiles, milliseconds.
    pub percentiles: Percentiles,
    /// Quantile (0 to 1) and milliseconds, at even steps of the number of nines.
    #[serde(default)]
    pub curve: Vec<(f64, f64)>,
    /// All of it, microseconds: what lets reports of several hosts be added exactly. In the JSON
    /// in HdrHistogram's V2 encoding, deflated, in base64.
    #[serde(with = "super::packed::serialized", default = "crate::account::times::empty")]
    pub histogram: Histogram<u64>,
}

/// What the server used in a while.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Server {
    /// Processor time, seconds.
    pub cpu_s: f64,
    /// The same as a share of one core.
    pub cores: f64,
    /// Processor seconds per gigabyte (10^9 bytes) that players received, if they did.
    pub cpu_s_per_gb: Option<f64>,
    /// Without players: processor seconds per gigabyte of payload taken in from publishers.
    pub cpu_s_per_gb_in: Option<f64>,
    /// Context switches per second.
    pub switches_s: f64,
    /// Resident memory at the end, bytes.
    pub resident_bytes: u64,
    /// What each player cost of memory, where that before the first one is known; of several
    /// steps, in the one with most players.
    pub bytes_per_player: Option<f64>,
}

/// What the generator itself used.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Own {
    /// Each worker's highest share of its core in any step.
    pub cores: Vec<f64>,
    /// Processor time of all workers over the whole run, seconds.
    pub cpu_s: f64,
    /// The same per gigabyte (10^9 bytes) that it received and checked, if it did.
    pub cpu_s_per_gb: Option<f64>,
}

/// Percentiles of each of the times, milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct ByTime {
    /// [`Time::Video`].
    pub video: Percentiles,
    /// [`Time::Audio`].
    pub audio: Percentiles,
    /// [`Time::Connect`].
    pub connect: Percentiles,
    /// [`Time::Handshake`].
    pub handshake: Percentiles,
    /// [`Time::FirstByte`].
    pub first_byte: Percentiles,
    /// [`Time::FirstFrame`].
    pub first_frame: Percentiles,
    /// [`Time::Lag`].
    pub own_lag: Percentiles,
    /// [`Time::Round`].
    pub own_round: Percentiles,
}

impl ByTime {
    /// From the order of [`Time::ALL`].
    pub fn of(times: &[Percentiles; Time::ALL.len()]) -> Self {
        let [video, audio, connect, handshake, first_byte, first_frame, own_lag, own_round] =
            *times;
        Self { video, audio, connect, handshake, first_byte, first_frame, own_lag, own_round }
    }
}

/// One step, from when all its players played.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Step {
    /// Players wanted.
    pub wanted: u64,
    /// Players that played at its end.
    pub playing: u64,
    /// How long it took until all of them played, seconds.
    pub joining_s: f64,
    /// How long it was measured, seconds.
    pub seconds: f64,
    /// Bytes received meanwhile.
    pub bytes: u64,
    /// Bytes of payload that publishers sent meanwhile.
    pub published_bytes: u64,
    /// Times meanwhile.
    pub times: ByTime,
    /// Each worker's share of its core.
    pub own_cores: Vec<f64>,
    /// What the server used, where it is known.
    pub server: Option<Server>,
    /// Changes of the server's pacing window, if it is millstream.
    pub window_changes: Option<u64>,
}

impl Step {
    /// The busiest worker's share of its core.
    pub fn own_core(&self) -> f64 {
        self.own_cores.iter().copied().fold(0.0, f64::max)
    }
}

/// One sample of the time series.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Moment {
    /// Seconds since the run began, at its end.
    pub at_s: f64,
    /// How long it was, seconds.
    pub seconds: f64,
    /// Number of the step, from 1.
    pub step: usize,
    /// Publishers that publish.
    pub publishing: u64,
    /// Players wanted.
    pub wanted: u64,
    /// Players that play.
    pub playing: u64,
    /// Players that joined meanwhile.
    pub joined: u64,
    /// Megabits per second received.
    pub mbit_s: f64,
    /// Frames at fault meanwhile, in groups that are judged.
    pub faults: u64,
    /// Video delay meanwhile.
    pub video: Percentiles,
    /// Audio delay meanwhile.
    pub audio: Percentiles,
    /// From asking to the first frame, of players that joined meanwhile.
    pub first_frame: Percentiles,
    /// The busiest worker's share of its core.
    pub own_core: f64,
    /// How late the generator's own timers were, p99.
    pub own_lag_p99: f64,
    /// What the server used meanwhile, as a share of one core.
    pub server_cores: Option<f64>,
    /// Its context switches per second.
    pub server_switches_s: Option<f64>,
    /// Its resident memory, bytes.
    pub server_resident_bytes: Option<u64>,
    /// The widest pacing window of the server's shards, milliseconds, if it is millstream.
    pub window_ms: Option<u64>,
    /// The busiest of the server's shards, share of its time, if it is millstream.
    pub shard_busy: Option<f64>,
}
