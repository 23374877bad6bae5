//! What a run measured, before anybody judges or shows it.
//!
//! ```text
//!   Record
//!   ├─ settings, groups      what was asked for
//!   ├─ moments               the time series: every sample of the run
//!   ├─ stretches             the steps of the plan, each from when all played
//!   └─ counts, times         the whole run
//! ```

use crate::account::tally::Counts;
use crate::account::times::{Percentiles, Time, Times};
use crate::host::process::Usage;
use crate::host::watch::Shard;

/// A run.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// What it is called.
    pub title: String,
    /// What was asked for and what it ran on, name by name, in the order to show.
    pub settings: Vec<(&'static str, String)>,
    /// When it began, milliseconds since 1970.
    pub began_unix_ms: u64,
    /// The groups of players, in the order of [`Counts::groups`].
    pub groups: Vec<GroupLabel>,
    /// The time series.
    pub moments: Vec<Moment>,
    /// The steps.
    pub stretches: Vec<Stretch>,
    /// Counters of the whole run.
    pub counts: Counts,
    /// Times of the whole run, joins and the generator's own ones included; delays only of frames
    /// that were sent after their player had asked.
    pub times: Times,
    /// Whether publishers come and go by plan, so that some of them are always away.
    pub publishers_come_and_go: bool,
    /// Publishers wanted, players wanted at the end.
    pub wanted: (u64, u64),
    /// Server memory before the first player, bytes, where it is known.
    pub resident_before: Option<u64>,
    /// Whether the run was broken off before its end.
    pub interrupted: bool,
}

/// How a group of players is called and judged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupLabel {
    /// Its name.
    pub name: String,
    /// Whether every frame must have come. Players that do not read are not owed any.
    pub judged: bool,
    /// Whether its players come and go by plan, so that some of them are always away.
    pub comes_and_goes: bool,
}

/// One sample of the time series.
#[derive(Clone, Debug, Default)]
pub struct Moment {
    /// Seconds since the run began, at its end.
    pub at_s: f64,
    /// How long it was, seconds.
    pub seconds: f64,
    /// Number of the step, from 1.
    pub step: usize,
    /// Publishers that publish at its end.
    pub publishing: u64,
    /// Players wanted at its end.
    pub wanted: u64,
    /// Players that play at its end.
    pub playing: u64,
    /// Players that joined meanwhile.
    pub joined: u64,
    /// Bytes received meanwhile.
    pub bytes: u64,
    /// Frames with which something was found wrong meanwhile, in groups that are judged.
    pub faults: u64,
    /// Times meanwhile, by [`Time::ALL`].
    pub times: [Percentiles; Time::ALL.len()],
    /// The busiest worker's share of its core.
    pub own_core: f64,
    /// What the server used meanwhile (processor time, switches) and holds at the end (memory).
    pub server: Option<Usage>,
    /// What the server says of its shards, if it is millstream.
    pub shards: Option<Vec<Shard>>,
}

/// One step, from when all its players played.
#[derive(Clone, Debug, Default)]
pub struct Stretch {
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
    /// Bytes of payload sent by publishers meanwhile.
    pub published: u64,
    /// Times meanwhile, by [`Time::ALL`].
    pub times: [Percentiles; Time::ALL.len()],
    /// Each worker's share of its core.
    pub own_cores: Vec<f64>,
    /// What the server used meanwhile (processor time, switches) and holds at the end (memory).
    pub server: Option<Usage>,
    /// Changes of the server's pacing window, if it is millstream.
    pub window_changes: Option<u64>,
}

/// Who looks on while a run goes on.
pub trait Observer: Send {
    /// A sample was taken, with these times in it.
    fn moment(&mut self, moment: &Moment, times: &Times);

    /// What the run is about to do, in a few words: progress between samples.
    fn phase(&mut self, what: &str);

    /// Whether the run shall be broken off.
    fn wants_to_stop(&self) -> bool {
        false
    }
}

/// Nobody looks on.
impl Observer for () {
    fn moment(&mut self, _: &Moment, _: &Times) {}

    fn phase(&mut self, _: &str) {}
}
