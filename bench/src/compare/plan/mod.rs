//! What is run, and in which order: groups of scenes and subjects, round by round.
//!
//! Within a group and round everything runs right after one another, in an order that is reversed
//! from round to round, so that what drifts on the machine does not favour one side.

use super::scene::{Network, Scene, Stretch};
use super::subject::{Family, SUBJECTS, Subject, find};

/// Players for whom a step of the climb is carried with a p99 of no more than this, ms.
pub const CARRIED_P99_MS: f64 = 400.0;
/// The setting that is asked how many viewers it carries.
pub const MOST: &str = "millstream";
/// Publishers of a group that measures intake.
const MANY: u32 = 1000;
/// How fast they publish, where what they cost is measured: 1.3 Mbit/s each.
pub const INTAKE_SPEED: f64 = 0.5;

/// How much is run.
#[derive(Clone, Debug)]
pub struct Extent {
    /// Everything, instead of what the targets need.
    pub full: bool,
    /// The number of players where the targets say 1,000.
    pub players: u32,
    /// Seconds that a stretch is measured, where given.
    pub seconds: Option<f64>,
    /// Rounds, where given.
    pub rounds: Option<u32>,
}

/// One subject under one scene.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The load.
    pub scene: Scene,
    /// The server.
    pub subject: &'static Subject,
    /// In so many of the group's rounds.
    pub rounds: u32,
}

/// What is run together.
#[derive(Clone, Debug)]
pub struct Group {
    /// Its name, for `--only` and in reports.
    pub name: &'static str,
    /// What it is there for.
    pub about: &'static str,
    /// Whether a subject that did not carry one scene is spared the following, larger ones.
    pub climbs: bool,
    /// What is run, in the order of odd rounds.
    pub entries: Vec<Entry>,
}

/// One run to be made.
#[derive(Clone, Debug)]
pub struct Step {
    /// The group's name.
    pub group: &'static str,
    /// Whether it is spared if a smaller scene was too much.
    pub climbs: bool,
    /// The load.
    pub scene: Scene,
    /// The server.
    pub subject: &'static Subject,
    /// From 1.
    pub round: u32,
}

impl Step {
    /// How long it takes, about, seconds.
    pub fn takes_s(&self) -> f64 {
        self.scene.takes_s(self.subject.family.joining())
    }

    /// How long it may take, seconds. In a climb another server that lets its players wait is given up
    /// sooner: that is how most climbs end, and the answer is the same.
    pub fn limit_s(&self) -> f64 {
        let takes_s = self.takes_s();
        if self.climbs && self.subject.family.is_peer() {
            takes_s * 1.2 + 5.0
        } else {
            takes_s * 2.0 + 15.0
        }
    }
}

impl Extent {
    /// The given time, or as many seconds as usual; a full run takes twice as long.
    fn seconds(&self, usual: f64) -> f64 {
        self.seconds.unwrap_or(if self.full { usual * 2.0 } else { usual })
    }

    fn rounds(&self, quick: u32) -> u32 {
        self.rounds.unwrap_or(if self.full { quick.max(5) } else { quick })
    }

    fn entry(&self, scene: &Scene, id: &str, quick: u32) -> Entry {
        let subject = find(id).unwrap_or_else(|| unreachable!("the table names {id}"));
        Entry { scene: scene.clone(), subject, rounds: self.rounds(quick) }
    }

    fn group(
        &self,
        name: &'static str,
        about: &'static str,
        scene: &Scene,
        subjects: &[(&str, u32)],
    ) -> Group {
        let entry = |(id, rounds): &(&str, u32)| self.entry(scene, id, *rounds);
        Group { name, about, climbs: false, entries: subjects.iter().map(entry).collect() }
    }

    /// All groups, in the order to run.
    pub fn groups(&self) -> Vec<Group> {
        let fan_out = Scene::fan_out(self.players, self.seconds(3.0));
        // A wide window has few flushes in a stretch: one more or less must not count.
        let wide = Scene::fan_out(self.players, self.seconds(5.0));
        let streams = Scene {
            publishers: self.players,
            streams: self.players,
            bitrate: 0.8,
            // Without a rest between rounds a thousand publishers leave the load no time to read.
            nap_ms: 5,
            ..Scene::fan_out(self.players * 2, self.seconds(3.0))
        };
        // At full speed a thousand publishers ask more of the load's core than of the server's, and it
        // is late by more than it may be; the rests let it send in rounds. Four seconds are then one
        // group of pictures of each stream.
        // In the first stretch each stream's log grows to the size that it then has.
        let beginning = Stretch { players: 0, seconds: self.seconds(2.0) };
        let ingest = Scene {
            speed: INTAKE_SPEED,
            nap_ms: 5,
            stretches: vec![beginning; 2],
            ..Scene::ingest(MANY.min(self.players), 0.0)
        };
        let resting =
            Scene { bitrate: 0.1, ..Scene::ingest(MANY.min(self.players), self.seconds(2.0)) };
        let halves = Scene {
            publishers: 2,
            streams: 2,
            ..Scene::fan_out(self.players * 6 / 10, self.seconds(2.0))
        };
        let stuck = Scene { stuck: self.players / 10, ..fan_out.clone() };
        let mut groups = vec![
            self.group(
                "ride",
                "1,000 players, audio riding on video",
                &fan_out,
                &[("bare", 5), ("millstream", 5), ("nginx", 3), ("srs-low-delay", 3)],
            ),
            self.group(
                "100ms",
                "1,000 players, 100 ms",
                &fan_out,
                &[("bare-100ms", 5), ("millstream-100ms", 5), ("nms-2", 3)],
            ),
            self.group(
                "350ms",
                "1,000 players, 350 ms",
                &wide,
                &[
                    ("bare-350ms", 5),
                    ("millstream-350ms", 5),
                    ("bare-350ms-sendfile", 5),
                    ("srs", 3),
                ],
            ),
            self.group(
                "streams",
                "2,000 players over 1,000 streams, 100 ms",
                &streams,
                &[("bare-100ms", 5), ("millstream-100ms", 5)],
            ),
            self.group(
                "ingest",
                "1,000 publishers, nobody plays",
                &ingest,
                &[("bare", 5), ("millstream", 5), ("nginx", 3), ("srs", 1), ("zlmediakit", 1)],
            ),
            self.group(
                "publishers",
                "memory per publisher at rest",
                &resting,
                &[("millstream", 2), ("nginx", 1), ("srs", 1), ("zlmediakit", 1)],
            ),
            self.memory(),
            self.group(
                "shards",
                "two shards against one, 300 + 300 players",
                &halves,
                &[("millstream", 3), ("millstream-2-shards", 3)],
            ),
            Group {
                name: "stuck",
                about: "100 stuck players beside 1,000 healthy ones",
                climbs: false,
                entries: vec![
                    self.entry(&fan_out, "millstream", 3),
                    self.entry(&stuck, "millstream", 3),
                ],
            },
            self.climb(),
        ];
        if self.full {
            groups.extend(self.matrices());
        }
        groups
    }

    fn memory(&self) -> Group {
        let seconds = self.seconds(2.0);
        // The first stretch is long enough for the stream's log to have its final size.
        let stretches = vec![
            Stretch { players: self.players / 2, seconds: seconds * 3.0 },
            Stretch { players: self.players / 2 * 5, seconds },
        ];
        // At a low bitrate, so that neither what waits in a server for its players nor the stream's log,
        // which all share, is taken for what a viewer costs.
        let scene = Scene { stretches, bitrate: 0.5, nap_ms: 5, ..Scene::fan_out(0, 0.0) };
        let peers = ["nginx", "nms-2", "srs", "zlmediakit", "mediamtx"];
        let peers = peers.map(|id| (id, 1));
        let subjects = [&[("millstream", 2), ("bare", 1)][..], &peers].concat();
        self.group("memory", "memory per added viewer", &scene, &subjects)
    }

    /// More and more players for each setting, until it carries no more.
    fn climb(&self) -> Group {
        let counts: &[u32] = if self.full { &COUNTS } else { &[500, 2000, 4000, 8000, 16_000] };
        let rounds = if self.full { 3 } else { 1 };
        let all = SUBJECTS.iter().filter(|subject| {
            subject.family.is_peer()
                || subject.id == "millstream"
                || (self.full && subject.id == "bare")
        });
        let about = "most viewers, and who is better at what";
        let mut climb = self.ladder("climb", about, counts, all, rounds, |_| {});
        if !self.full {
            // How far other settings than the defaults get is for the full run; here they are asked at
            // the numbers where the lines of the table that compare settings have them carry.
            climb.entries.retain(|entry| {
                entry.scene.players() <= self.players * 2 || entry.subject.is_default()
            });
        }
        climb
    }

    fn ladder(
        &self,
        name: &'static str,
        about: &'static str,
        counts: &[u32],
        subjects: impl Iterator<Item = &'static Subject>,
        rounds: u32,
        change: impl Fn(&mut Scene),
    ) -> Group {
        let scale = |count: &u32| (u64::from(*count) * u64::from(self.players) / 1000) as u32;
        let entries = subjects
            .flat_map(|subject| counts.iter().map(scale).map(move |players| (subject, players)));
        let entries = entries.map(|(subject, players)| {
            let mut scene = Scene::fan_out(players, self.seconds(3.0));
            change(&mut scene);
            Entry { scene, subject, rounds: self.rounds.unwrap_or(rounds) }
        });
        Group { name, about, climbs: true, entries: entries.collect() }
    }

    /// What no target asks for: every count, both kinds of receivers, a network.
    fn matrices(&self) -> Vec<Group> {
        let one_core = || SUBJECTS.iter().filter(|subject| subject.cores.len() == 1);
        let about = "every setting at every number of players";
        let at_once = self.ladder("players", about, &COUNTS, one_core(), 3, |_| {});
        let about = "the same with receivers that rest 5 ms between rounds";
        let resting =
            self.ladder("players-nap", about, &COUNTS, one_core(), 3, |scene| scene.nap_ms = 5);
        let about = "the same over a veth pair";
        let veth = self.ladder("players-veth", about, &COUNTS, one_core(), 3, |scene| {
            scene.network = Network::Veth;
        });
        let publishers = [1, 10, 100, 500, 1000, 2000];
        let defaults = one_core().filter(|subject| {
            subject.id == "bare"
                || subject.family == Family::Millstream
                || (subject.family.is_peer() && subject.is_default())
        });
        let entries = defaults.flat_map(|subject| {
            publishers.iter().map(move |count| {
                let scene = Scene::ingest(*count, self.seconds(3.0));
                Entry { scene, subject, rounds: self.rounds.unwrap_or(3) }
            })
        });
        let about = "every default at every number of publishers";
        let intake =
            Group { name: "publishers-all", about, climbs: true, entries: entries.collect() };
        vec![at_once, resting, intake, veth]
    }
}

/// Numbers of players of a full run.
const COUNTS: [u32; 8] = [100, 500, 1000, 2000, 4000, 8000, 12_000, 16_000];

/// All runs of these groups with the subjects that are there, in order.
pub fn schedule(groups: &[Group], there: impl Fn(&Subject) -> bool) -> Vec<Step> {
    let rounds = groups.iter().flat_map(|group| &group.entries).map(|entry| entry.rounds).max();
    let mut steps = Vec::new();
    for round in 1..=rounds.unwrap_or(0) {
        for group in groups {
            let mut entries: Vec<&Entry> = group
                .entries
                .iter()
                .filter(|entry| entry.rounds >= round && there(entry.subject))
                .collect();
            // A climb goes up in every round.
            if round % 2 == 0 && !group.climbs {
                entries.reverse();
            }
            steps.extend(entries.into_iter().map(|entry| Step {
                group: group.name,
                climbs: group.climbs,
                scene: entry.scene.clone(),
                subject: entry.subject,
                round,
            }));
        }
    }
    steps
}

#[cfg(test)]
mod tests;
