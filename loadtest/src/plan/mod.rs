//! What a run is to do.
//!
//! A plan is made of [`Options`], which come from the command line and from a scenario file and name
//! a [`Profile`], or by a caller of the library. Nothing here does anything.

mod behaviour;
mod options;
mod profile;
mod span;
mod step;
mod target;

pub use behaviour::{Group, Manner, Patience, Playing, Publishers, Publishing, Slow};
pub use options::{Options, OptionsError};
pub use profile::Profile;
pub use span::{Span, SpanError};
pub use step::{Step, StepError};
pub use target::{Target, UrlError};

use crate::limits;
use crate::media::shape::Shape;
use crate::media::source::Source;
use std::sync::Arc;
use std::time::Duration;

/// A run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What it is called in reports.
    pub title: String,
    /// Where to.
    pub target: Target,
    /// What publishers send: stream number n sends source n modulo their count. Never empty.
    pub sources: Vec<Arc<Source>>,
    /// The publishers.
    pub publishers: Publishers,
    /// Players are spread over so many of the streams, the first ones.
    pub played: u32,
    /// The groups that players are divided into, by their shares.
    pub groups: Vec<Group>,
    /// What to do, in order.
    pub steps: Vec<Step>,
    /// A worker on each of these cores.
    pub cores: Vec<usize>,
    /// The pause between a worker's rounds; zero reads everything the moment it arrives.
    pub nap: Duration,
    /// From when all publishers are accepted until the first player comes: some servers look at a
    /// stream for a while before they show it.
    pub lead: Duration,
    /// Connections under way at one time, of each worker.
    pub connecting_max: usize,
    /// Over so many addresses of 127.0.0.0/8 the connections are spread; 0 takes one for every
    /// [`limits::PLAYERS_PER_ADDRESS`].
    pub addresses: u32,
    /// The congestion control of the generator's sockets; the system's own if none.
    pub congestion: Option<String>,
    /// How long anything may take.
    pub patience: Patience,
    /// A frame that takes longer is counted as late.
    pub late: Duration,
    /// Of so many players, one has every byte of its frames compared.
    pub compared_of: u64,
    /// Marks carry the wall clock, so that players on another host can tell the delay.
    pub wall_clock: bool,
    /// The process under test, if it runs on this machine.
    pub pid: Option<u32>,
    /// Where its counters are, if it is millstream.
    pub http: Option<String>,
    /// How often a sample is taken.
    pub sample: Duration,
}

impl Plan {
    /// A steady run: one publisher of 2.63 Mbit/s, so many players, on the last core.
    pub fn steady(target: Target, players: usize, length: Duration) -> Self {
        let cores = crate::host::cores::allowed();
        Self {
            title: "steady".to_owned(),
            target,
            sources: vec![Arc::new(Source::Generated(Shape::new(2_630_000, 30)))],
            publishers: Publishers::steady(1),
            played: 1,
            groups: vec![Group::healthy()],
            steps: vec![Step::new(players, length)],
            cores: cores.last().copied().into_iter().collect(),
            nap: Duration::from_millis(2),
            lead: limits::LEAD,
            connecting_max: limits::CONNECTING_MAX,
            addresses: 0,
            congestion: None,
            patience: Patience::default(),
            late: Duration::from_secs(1),
            compared_of: 16,
            wall_clock: false,
            pid: None,
            http: None,
            sample: Duration::from_secs(1),
        }
    }

    /// The number of one of the run's streams, which count from 0: in its name, and in its marks,
    /// so that runs which share a server tell their streams apart.
    pub fn number(&self, stream: u32) -> u32 {
        self.publishers.first.saturating_add(stream)
    }

    /// What the publisher of one of the run's streams sends.
    pub fn source(&self, stream: u32) -> &Arc<Source> {
        &self.sources[self.number(stream) as usize % self.sources.len()]
    }

    /// Connections at a time, at most.
    pub fn connections(&self) -> u64 {
        let players = self.steps.iter().map(|step| step.players).max().unwrap_or(0) as u64;
        players + u64::from(self.publishers.count) * self.publishers.behaviour.rivals()
    }

    /// How many of so many players each group has, by its share.
    pub fn divide(&self, players: usize) -> Vec<usize> {
        let shares: u64 = self.groups.iter().map(|group| u64::from(group.share)).sum();
        let (mut sum, mut given) = (0, 0);
        let mut counts = Vec::with_capacity(self.groups.len());
        for group in &self.groups {
            sum += u64::from(group.share);
            let until = (players as u64 * sum / shares.max(1)) as usize;
            counts.push(until - given);
            given = until;
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn players_are_divided_by_shares_and_none_is_forgotten() {
        let target = Target::from_url("rtmp://127.0.0.1/live/cam", false, false).unwrap();
        let mut plan = Plan::steady(target, 1, Duration::from_secs(1));
        plan.groups = [7, 2, 1].map(|share| Group { share, ..Group::healthy() }).into();
        assert_eq!(plan.divide(100), [70, 20, 10]);
        for players in 0..200 {
            assert_eq!(plan.divide(players).iter().sum::<usize>(), players);
        }
    }
}
