//! The targets, as data: what is compared with what, and how much it may be. How they are judged
//! is in [`judge`](super::judge).

use super::plan::MOST;

/// A figure of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// Processor seconds per gigabyte that players received.
    Cpu,
    /// Processor seconds per gigabyte taken in.
    CpuIn,
    /// Video delay, half of the frames.
    VideoP50,
    /// Video delay, all but one frame of a hundred.
    VideoP99,
}

/// Which runs of a group.
#[derive(Clone, Copy, Debug)]
pub struct Pick {
    /// Of this subject.
    pub subject: &'static str,
    /// With players who do not read beside the others.
    pub stuck: bool,
}

/// How a target is judged.
#[derive(Clone, Copy, Debug)]
pub enum Test {
    /// The median, over the rounds, of one figure by another of the same round.
    Ratio {
        /// The figure.
        metric: Metric,
        /// Of whom.
        of: Pick,
        /// By whom.
        to: Pick,
        /// At most so much.
        at_most: f64,
    },
    /// The most viewers of a climb that were carried.
    Most {
        /// Of whom.
        of: &'static str,
        /// At least so many.
        at_least: u32,
    },
    /// That no other's setting costs less and is sooner, beyond the spread.
    Undominated {
        /// Of whom.
        of: &'static str,
        /// At this many players.
        players: u32,
    },
    /// The memory that viewers added, between two stretches of a run.
    PerViewer {
        /// Of whom.
        of: &'static str,
        /// Bytes, at most.
        at_most: f64,
    },
    /// The memory that publishers added, logs of their streams included.
    PerPublisher {
        /// Of whom.
        of: &'static str,
        /// Bytes, at most.
        at_most: f64,
    },
}

/// One line of the table.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// What is looked at; lines that belong together say the same.
    pub what: &'static str,
    /// Against what.
    pub against: &'static str,
    /// The group of runs.
    pub group: &'static str,
    /// How.
    pub test: Test,
}

const fn healthy(subject: &'static str) -> Pick {
    Pick { subject, stuck: false }
}

const fn ratio(
    what: &'static str,
    against: &'static str,
    group: &'static str,
    metric: Metric,
    [of, to]: [&'static str; 2],
    at_most: f64,
) -> Target {
    let test = Test::Ratio { metric, of: healthy(of), to: healthy(to), at_most };
    Target { what, against, group, test }
}

const fn undominated(against: &'static str, players: u32) -> Target {
    let test = Test::Undominated { of: "millstream", players };
    Target { what: PACING, against, group: "climb", test }
}

const RIDE: &str = "CPU per GB, sent at once, audio riding on video";
const AT_100: &str = "CPU per GB, latency budget 100 ms";
const AT_350: &str = "CPU per GB, latency budget 350 ms";
const DELAY: &str = "delay of video, sent at once";
const PACING: &str = "adaptive pacing: no setting of another is cheaper and sooner";
const INTAKE: &str = "CPU per GB in, 1,000 publishers of 1.3 Mbit/s";

/// The table.
pub const TARGETS: &[Target] = &[
    ratio(RIDE, "bare sender", "ride", Metric::Cpu, ["millstream", "bare"], 1.10),
    ratio(RIDE, "nginx-rtmp", "ride", Metric::Cpu, ["millstream", "nginx"], 0.60),
    ratio(RIDE, "nginx-rtmp's p99", "ride", Metric::VideoP99, ["millstream", "nginx"], 1.0),
    ratio(RIDE, "SRS, low delay", "ride", Metric::Cpu, ["millstream", "srs-low-delay"], 0.45),
    ratio(
        RIDE,
        "SRS's p99, low delay",
        "ride",
        Metric::VideoP99,
        ["millstream", "srs-low-delay"],
        1.0,
    ),
    ratio(AT_100, "bare sender", "100ms", Metric::Cpu, ["millstream-100ms", "bare-100ms"], 1.10),
    ratio(
        AT_100,
        "Node-Media-Server 2.7",
        "100ms",
        Metric::Cpu,
        ["millstream-100ms", "nms-2"],
        0.66,
    ),
    ratio(AT_350, "bare sender", "350ms", Metric::Cpu, ["millstream-350ms", "bare-350ms"], 1.10),
    ratio(
        AT_350,
        "bare with sendfile, ours from memory",
        "350ms",
        Metric::Cpu,
        ["millstream-350ms", "bare-350ms-sendfile"],
        1.10,
    ),
    ratio(AT_350, "SRS, defaults", "350ms", Metric::Cpu, ["millstream-350ms", "srs"], 0.45),
    ratio(
        "CPU per GB, 2,000 players over 1,000 streams, 100 ms",
        "bare sender",
        "streams",
        Metric::Cpu,
        ["millstream-100ms", "bare-100ms"],
        1.20,
    ),
    Target {
        what: "most viewers on one core, p99 within 400 ms",
        against: "",
        group: "climb",
        test: Test::Most { of: MOST, at_least: 16_000 },
    },
    ratio(DELAY, "bare sender's p50", "ride", Metric::VideoP50, ["millstream", "bare"], 1.15),
    ratio(DELAY, "bare sender's p99", "ride", Metric::VideoP99, ["millstream", "bare"], 1.15),
    undominated("at 500 players", 500),
    undominated("at 2,000 players", 2000),
    undominated("at 8,000 players", 8000),
    Target {
        what: "memory per added viewer",
        against: "",
        group: "memory",
        test: Test::PerViewer { of: "millstream", at_most: 2000.0 },
    },
    ratio(INTAKE, "bare receiver", "ingest", Metric::CpuIn, ["millstream", "bare"], 1.20),
    ratio(INTAKE, "nginx-rtmp", "ingest", Metric::CpuIn, ["millstream", "nginx"], 1.0),
    Target {
        what: "memory per publisher at rest, with its log",
        against: "",
        group: "publishers",
        test: Test::PerPublisher { of: "millstream", at_most: 64_000.0 },
    },
    ratio(
        "CPU per GB, 300 + 300 players on two shards",
        "one shard",
        "shards",
        Metric::Cpu,
        ["millstream-2-shards", "millstream"],
        1.10,
    ),
    Target {
        what: "p99 of healthy players beside stuck ones",
        against: "without them",
        group: "stuck",
        test: Test::Ratio {
            metric: Metric::VideoP99,
            of: Pick { subject: "millstream", stuck: true },
            to: healthy("millstream"),
            at_most: 1.20,
        },
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::plan::Extent;

    #[test]
    fn every_target_is_run() {
        let extent = Extent { full: false, players: 1000, seconds: None, rounds: None };
        let groups = extent.groups();
        for target in TARGETS {
            let group = groups.iter().find(|group| group.name == target.group);
            let entries = &group.unwrap_or_else(|| panic!("{target:?}")).entries;
            let runs = |id: &str, stuck: bool| {
                let found = entries
                    .iter()
                    .find(|entry| entry.subject.id == id && (entry.scene.stuck > 0) == stuck);
                found.map_or(0, |entry| entry.rounds)
            };
            match target.test {
                Test::Ratio { of, to, .. } => {
                    assert!(runs(of.subject, of.stuck) >= 3, "{target:?}");
                    let wanted = if to.subject.starts_with("bare") { 5 } else { 3 };
                    assert!(runs(to.subject, to.stuck) >= wanted, "{target:?}");
                }
                Test::Undominated { of, players } => {
                    assert!(
                        entries.iter().any(|entry| entry.subject.id == of
                            && entry.scene.players() == players)
                    );
                }
                Test::Most { of, .. }
                | Test::PerViewer { of, .. }
                | Test::PerPublisher { of, .. } => assert!(runs(of, false) >= 1, "{target:?}"),
            }
        }
    }
}
