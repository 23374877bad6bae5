//! What a worker counts. Counters only grow, and are copied out whole.

use crate::account::ledger::Faults;
use crate::media::Track;
use std::collections::BTreeMap;

/// How often something happened, by its name.
pub type Kinds = BTreeMap<&'static str, u64>;

/// Counters of one track, over the players of a group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TrackCounts {
    /// Frames received, each checked.
    pub frames: u64,
    /// Their payload, bytes.
    pub payload: u64,
    /// Of the frames, sent before the player asked: what the server gives to begin with.
    pub backlog: u64,
    /// Frames that took longer than the run's limit of lateness.
    pub late: u64,
    /// Frames whose length, stream or bytes are not what was sent.
    pub corrupt: u64,
    /// Frames without a readable mark.
    pub unmarked: u64,
    /// Frames whose timestamp moved against the schedule they were sent on.
    pub mistimed: u64,
    /// Frames of a publisher that another one had already replaced.
    pub mixed: u64,
    /// Frames that never came because their publisher was cut off before the server had them:
    /// nobody's loss, as far as can be known.
    pub cut: u64,
    /// Lost, duplicated, reordered.
    pub faults: Faults,
    /// Payload of the frames lost, bytes, where it is known.
    pub lost_payload: u64,
}

impl TrackCounts {
    /// Frames with which something is wrong.
    pub fn wrong(&self) -> u64 {
        let Faults { lost, duplicated, reordered } = self.faults;
        lost + duplicated + reordered + self.corrupt + self.unmarked + self.mistimed + self.mixed
    }

    fn add(&mut self, other: &Self) {
        self.frames += other.frames;
        self.payload += other.payload;
        self.backlog += other.backlog;
        self.late += other.late;
        self.corrupt += other.corrupt;
        self.unmarked += other.unmarked;
        self.mistimed += other.mistimed;
        self.mixed += other.mixed;
        self.cut += other.cut;
        self.faults.lost += other.faults.lost;
        self.faults.duplicated += other.faults.duplicated;
        self.faults.reordered += other.faults.reordered;
        self.lost_payload += other.lost_payload;
    }
}

/// Counters of a group of players.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupCounts {
    /// Bytes received, RTMP and all.
    pub bytes: u64,
    /// Video.
    pub video: TrackCounts,
    /// Audio.
    pub audio: TrackCounts,
    /// Frames compared byte by byte.
    pub compared: u64,
    /// Connections begun.
    pub begun: u64,
    /// Connections that came to a first frame.
    pub joined: u64,
    /// Of these, how many play now.
    pub playing: u64,
    /// Players that are away now and come again.
    pub away: u64,
    /// Players that failed and do not come again, of those wanted now.
    pub given_up: u64,
    /// Connections that ended as the plan wanted.
    pub left: u64,
    /// Connections that ended or failed in a way that the plan allows for, by kind.
    pub allowed: Kinds,
    /// Connections that ended or failed otherwise, by kind.
    pub errors: Kinds,
}

impl GroupCounts {
    /// The counters of a track.
    pub fn track(&mut self, track: Track) -> &mut TrackCounts {
        match track {
            Track::Video => &mut self.video,
            Track::Audio => &mut self.audio,
        }
    }

    /// Adds another worker's counters, or another group's.
    pub fn add(&mut self, other: &Self) {
        self.bytes += other.bytes;
        self.video.add(&other.video);
        self.audio.add(&other.audio);
        self.compared += other.compared;
        self.begun += other.begun;
        self.joined += other.joined;
        self.playing += other.playing;
        self.away += other.away;
        self.given_up += other.given_up;
        self.left += other.left;
        add_kinds(&mut self.allowed, &other.allowed);
        add_kinds(&mut self.errors, &other.errors);
    }
}

/// Counters of the publishers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PublisherCounts {
    /// Connections begun.
    pub begun: u64,
    /// How often one was accepted.
    pub accepted: u64,
    /// How many publish now.
    pub publishing: u64,
    /// Frames sent.
    pub frames: u64,
    /// Their payload, bytes.
    pub payload: u64,
    /// Connections that ended as the plan wanted.
    pub left: u64,
    /// Connections that ended or failed in a way that the plan allows for, by kind.
    pub allowed: Kinds,
    /// Connections that ended or failed otherwise, by kind.
    pub errors: Kinds,
}

/// Counters of a worker since it began, or of several.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// The publishers.
    pub publishers: PublisherCounts,
    /// The players, by group.
    pub groups: Vec<GroupCounts>,
    /// Processor time of each worker's thread, nanoseconds.
    pub cpu_ns: Vec<u64>,
}

impl Counts {
    /// Counters of so many groups.
    pub fn new(groups: usize) -> Self {
        Self { groups: vec![GroupCounts::default(); groups], ..Self::default() }
    }

    /// Adds another worker's counters.
    pub fn add(&mut self, other: &Self) {
        let (own, others) = (&mut self.publishers, &other.publishers);
        own.begun += others.begun;
        own.accepted += others.accepted;
        own.publishing += others.publishing;
        own.frames += others.frames;
        own.payload += others.payload;
        own.left += others.left;
        add_kinds(&mut own.allowed, &others.allowed);
        add_kinds(&mut own.errors, &others.errors);
        for (own, other) in self.groups.iter_mut().zip(&other.groups) {
            own.add(other);
        }
        self.cpu_ns.extend(&other.cpu_ns);
    }

    /// All groups together.
    pub fn players(&self) -> GroupCounts {
        let mut all = GroupCounts::default();
        self.groups.iter().for_each(|group| all.add(group));
        all
    }
}

/// Counts one of a kind.
pub fn count(kinds: &mut Kinds, kind: &'static str) {
    *kinds.entry(kind).or_default() += 1;
}

fn add_kinds(own: &mut Kinds, other: &Kinds) {
    for (kind, count) in other {
        *own.entry(kind).or_default() += count;
    }
}
