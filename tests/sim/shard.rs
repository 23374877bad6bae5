//! One simulated shard: what `src/shard` does with mail, dirty bits and bells, step by step.

use super::line::Line;
use super::player::Player;
use super::random::Random;
use super::truth::Stream;
use millstream::egress::fanout::Fanout;
use millstream::egress::outlet::{OutletId, Sent, Sink};
use millstream::moment::Moment;
use millstream::stream::registry::ClaimId;
use millstream::stream::tenure::Tenure;
use std::collections::{HashMap, VecDeque};

/// What one shard tells another.
#[derive(Debug)]
pub enum Mail {
    Seal(ClaimId),
    Inherit(ClaimId),
}

/// A claim with its encoder, until that is lost.
pub struct Publishing {
    pub tenure: Tenure,
    pub encoder: Option<usize>,
    /// What it sent while it waited.
    pub line: Line,
}

pub struct Shard {
    pub fanout: Fanout,
    pub publishing: HashMap<ClaimId, Publishing>,
    pub inbox: VecDeque<Mail>,
    pub marked: Vec<bool>,
    pub asleep: bool,
    pub bell: bool,
    pub due: bool,
    /// A pass was left in the middle.
    pub passing: bool,
}

/// All players' sockets, as one shard's fan-out sees them.
pub struct Sockets<'a> {
    pub shard: usize,
    pub players: &'a mut [Player],
    pub by_outlet: &'a HashMap<(usize, OutletId), usize>,
    pub streams: &'a [Stream],
    pub random: &'a mut Random,
    pub now: Moment,
}

impl Sink for Sockets<'_> {
    fn send(&mut self, outlet: OutletId, bytes: &[u8]) -> Sent {
        let at = self.by_outlet[&(self.shard, outlet)];
        self.players[at].offer(bytes, self.streams, self.random, self.now)
    }
}
