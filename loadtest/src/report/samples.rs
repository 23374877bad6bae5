//! Made-up runs for tests: records as a director would hand them over. The figures are invented,
//! and of the sizes that real ones have.

use super::Report;
use crate::account::record::{GroupLabel, Moment, Record, Stretch};
use crate::account::tally::{Counts, count};
use crate::account::times::{Percentiles, Time, Times};
use crate::host::process::Usage;
use crate::host::watch::Shard;

/// Numbers that look random and are the same in every run (a linear congruence, Knuth's factor).
struct Dice(u64);

impl Dice {
    /// From 0 to 1.
    fn roll(&mut self) -> f64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A delay with a long tail, milliseconds: rarely many times the usual.
    fn delay(&mut self, usual: f64) -> f64 {
        usual * (0.4 + 0.9 * self.roll()) / self.roll().max(1e-7).powf(0.22)
    }
}

/// What a made-up run is made of.
struct Shape {
    title: &'static str,
    /// Players and seconds.
    steps: &'static [(u64, u64)],
    /// The usual delay with a thousand players, milliseconds.
    usual: f64,
    cpu_per_gb: f64,
    seed: u64,
    server: bool,
}

/// One step of 1,500 players, without a fault.
pub fn record() -> Record {
    make(&Shape {
        title: "1,500 players, two cores",
        steps: &[(1500, 30)],
        usual: 9.0,
        cpu_per_gb: 0.62,
        seed: 1,
        server: true,
    })
}

/// Three steps and several hundred moments, without a fault.
pub fn long() -> Record {
    make(&Shape {
        title: "wave, latency budget 50 ms",
        steps: &[(200, 120), (2500, 180), (600, 120)],
        usual: 14.0,
        cpu_per_gb: 0.55,
        seed: 2,
        server: true,
    })
}

/// The same, faster and dearer, from a server that is not millstream.
pub fn other() -> Record {
    let mut record = make(&Shape {
        title: "wave, no budget <&\"'>",
        steps: &[(200, 120), (2500, 180), (600, 120)],
        usual: 5.0,
        cpu_per_gb: 0.83,
        seed: 3,
        server: true,
    });
    record.settings[3].1 = "other 5.0 <script>alert(1)</script>".to_owned();
    record.moments.iter_mut().for_each(|moment| moment.shards = None);
    record.stretches.iter_mut().for_each(|stretch| stretch.window_changes = None);
    record
}

/// A run in which all sorts of things went wrong, of a server far away.
pub fn rough() -> Record {
    let mut record = make(&Shape {
        title: "phones on bad networks",
        steps: &[(100, 20), (400, 20)],
        usual: 60.0,
        cpu_per_gb: 0.0,
        seed: 4,
        server: false,
    });
    record.groups.push(GroupLabel { name: "mute".to_owned(), judged: false, comes_and_goes: true });
    let mut mute = record.counts.groups[0].clone();
    mute.video.faults.lost = 100_000;
    record.counts.groups.push(mute);
    let group = &mut record.counts.groups[0];
    group.video.faults.lost = 12;
    group.video.lost_payload = 90_000;
    group.video.late = 420;
    group.audio.faults.reordered = 1;
    for (kind, times) in [("stalled", 3), ("connection-reset", 17), ("unheard-of", 1)] {
        (0..times).for_each(|_| count(&mut group.errors, kind));
    }
    (0..50).for_each(|_| count(&mut group.allowed, "closed"));
    count(&mut record.counts.publishers.errors, "publisher-stalled");
    record.stretches[1].playing = 393;
    for (at, moment) in record.moments.iter_mut().enumerate() {
        moment.faults = u64::from(at % 9 == 8);
    }
    record.interrupted = true;
    record
}

/// Only publishers.
pub fn publishers() -> Record {
    let mut record = record();
    record.title = "40 publishers".to_owned();
    record.wanted.1 = 0;
    record.counts.groups.clear();
    record.groups.clear();
    record.times = Times::default();
    for stretch in &mut record.stretches {
        (stretch.wanted, stretch.playing, stretch.bytes) = (0, 0, 0);
        stretch.times = Default::default();
    }
    for moment in &mut record.moments {
        (moment.wanted, moment.playing, moment.bytes) = (0, 0, 0);
        moment.times = Default::default();
    }
    record
}

/// The report of [`record`], judged without conditions.
pub fn report() -> Report {
    Report::of(&record(), &[])
}

/// All of them, and one of nothing at all.
pub fn all() -> Vec<Report> {
    [record(), long(), other(), rough(), publishers(), Record::default()]
        .iter()
        .map(|record| Report::of(record, &[]))
        .collect()
}

const PUBLISHERS: u64 = 4;
const BITS_PER_SECOND: u64 = 2_630_000;
const RESIDENT_BEFORE: u64 = 14_000_000;

fn make(shape: &Shape) -> Record {
    let mut dice = Dice(shape.seed);
    let mut record = Record {
        title: shape.title.to_owned(),
        settings: settings(shape),
        began_unix_ms: 1_780_000_000_000,
        groups: vec![GroupLabel {
            name: "players".to_owned(),
            judged: true,
            comes_and_goes: false,
        }],
        counts: Counts::new(1),
        wanted: (PUBLISHERS, shape.steps.last().map_or(0, |step| step.0)),
        resident_before: shape.server.then_some(RESIDENT_BEFORE),
        ..Record::default()
    };
    let mut at_s = 0.0;
    for (number, (players, seconds)) in shape.steps.iter().enumerate() {
        let mut of_step = Times::default();
        let mut stretch = Stretch {
            wanted: *players,
            playing: *players,
            joining_s: *players as f64 / 900.0,
            own_cores: vec![0.08 + *players as f64 / 6000.0],
            server: shape.server.then(Usage::default),
            window_changes: shape.server.then_some(seconds / 15),
            ..Stretch::default()
        };
        for second in 0..*seconds {
            at_s += 1.0;
            let playing = if second == 0 { players / 2 } else { *players };
            let times = times(&mut dice, shape.usual * (0.4 + playing as f64 / 1700.0), second);
            let mut moment = moment(&mut dice, shape, playing, second);
            (moment.at_s, moment.step, moment.wanted) = (at_s, number + 1, *players);
            moment.times = percentiles(&times);
            record.times.add(&times);
            of_step.add(&times);
            stretch.seconds += 1.0;
            stretch.bytes += moment.bytes;
            stretch.published += PUBLISHERS * BITS_PER_SECOND / 8;
            if let (Some(all), Some(some)) = (&mut stretch.server, &moment.server) {
                all.cpu_s += some.cpu_s;
                all.switches += some.switches;
                all.resident_bytes = some.resident_bytes;
            }
            record.moments.push(moment);
        }
        stretch.times = percentiles(&of_step);
        record.stretches.push(stretch);
    }
    totals(&mut record);
    record
}

fn settings(shape: &Shape) -> Vec<(&'static str, String)> {
    let steps: Vec<String> =
        shape.steps.iter().map(|(players, seconds)| format!("{players}:{seconds}")).collect();
    vec![
        ("publishers", PUBLISHERS.to_string()),
        ("steps", steps.join(",")),
        ("stream", "2.63 Mbit/s, 30 fps".to_owned()),
        ("server", "millstream 0.1.0".to_owned()),
        ("machine", "2 cores, Linux 6.12".to_owned()),
    ]
}

fn times(dice: &mut Dice, usual: f64, second: u64) -> Times {
    let mut times = Times::default();
    let ns = |ms: f64| (ms * 1e6) as u64;
    for _ in 0..400 {
        times.enter(Time::Video, ns(dice.delay(usual)));
        times.enter(Time::Audio, ns(dice.delay(usual * 0.7)));
        times.enter(Time::Lag, ns(dice.delay(0.05).min(2.0)));
        times.enter(Time::Round, ns(dice.delay(0.4)));
    }
    if second == 0 {
        for _ in 0..200 {
            times.enter(Time::Connect, ns(dice.delay(0.6)));
            times.enter(Time::Handshake, ns(dice.delay(2.0)));
            times.enter(Time::FirstByte, ns(dice.delay(6.0)));
            times.enter(Time::FirstFrame, ns(dice.delay(usual + 8.0)));
        }
    }
    times
}

fn moment(dice: &mut Dice, shape: &Shape, playing: u64, second: u64) -> Moment {
    let bytes = (playing as f64 * BITS_PER_SECOND as f64 / 8.0 * (0.95 + 0.1 * dice.roll())) as u64;
    let usage = Usage {
        cpu_s: bytes as f64 / 1e9 * shape.cpu_per_gb * (0.9 + 0.2 * dice.roll()) + 0.01,
        resident_bytes: RESIDENT_BEFORE + playing * 11_500,
        switches: 1800 + (dice.roll() * 400.0) as u64,
    };
    let window = if playing > 1000 { 40 } else { 8 } + second % 30 / 10 * 4;
    let shard = Shard { pacing_window_ms: window, busy_permille: playing / 4, sends: bytes / 9000 };
    Moment {
        seconds: 1.0,
        publishing: PUBLISHERS,
        playing,
        joined: if second == 0 { playing } else { 0 },
        bytes,
        own_core: 0.08 + playing as f64 / 6000.0 + 0.03 * dice.roll(),
        server: shape.server.then_some(usage),
        shards: shape.server.then(|| vec![shard, Shard::default()]),
        ..Moment::default()
    }
}

fn percentiles(times: &Times) -> [Percentiles; Time::ALL.len()] {
    Time::ALL.map(|time| Percentiles::of(times.of(time)))
}

/// Counters that fit to what the moments say.
fn totals(record: &mut Record) {
    let bytes: u64 = record.moments.iter().map(|moment| moment.bytes).sum();
    let seconds = record.moments.len() as u64;
    let counts = &mut record.counts;
    let group = &mut counts.groups[0];
    group.bytes = bytes;
    group.video.payload = bytes / 100 * 93;
    group.video.frames = bytes / 10_400;
    group.video.backlog = group.video.frames / 40;
    group.audio.payload = bytes / 100 * 5;
    group.audio.frames = bytes / 7300;
    group.compared = group.video.frames / 50;
    group.begun = record.wanted.1;
    group.joined = record.wanted.1;
    group.playing = record.wanted.1;
    counts.cpu_ns = vec![seconds * 300_000_000];
    counts.publishers.begun = PUBLISHERS;
    counts.publishers.accepted = PUBLISHERS;
    counts.publishers.publishing = PUBLISHERS;
    counts.publishers.frames = PUBLISHERS * seconds * 73;
    counts.publishers.payload = PUBLISHERS * seconds * BITS_PER_SECOND / 8;
}
