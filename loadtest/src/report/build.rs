//! From the record of a run to the figures of its report. Whether they are good is not asked here.

use super::figures::{
    ByTime, Delay, Group, Kinds, Moment, Own, Publishers, Server, Step, Totals, Track,
};
use super::{FORMAT, Report, curve};
use crate::account::record::{self, GroupLabel, Record, Stretch};
use crate::account::tally::{self, GroupCounts, TrackCounts};
use crate::account::times::{Percentiles, Time};
use crate::host::process::Usage;

/// The report of a run that nobody has judged.
pub fn unjudged(record: &Record) -> Report {
    let counts = &record.counts;
    let labels = record.groups.iter().map(Some).chain(std::iter::repeat(None));
    let groups: Vec<Group> = counts
        .groups
        .iter()
        .zip(labels)
        .enumerate()
        .map(|(at, (counts, label))| {
            // Counted without a label: a caller of the library forgot it, and is strict with it.
            let unnamed = || GroupLabel {
                name: format!("group {}", at + 1),
                judged: true,
                comes_and_goes: false,
            };
            group(counts, label.cloned().unwrap_or_else(unnamed))
        })
        .collect();
    let steps: Vec<Step> =
        record.stretches.iter().map(|stretch| step(stretch, record.resident_before)).collect();
    let mut report = Report {
        format: FORMAT,
        title: record.title.clone(),
        settings: record
            .settings
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect(),
        began_unix_ms: record.began_unix_ms,
        interrupted: record.interrupted,
        publishers: Publishers {
            wanted: record.wanted.0,
            come_and_go: record.publishers_come_and_go,
            ..publishers(&counts.publishers)
        },
        delays: delays(record),
        server: server_of(&record.stretches, record.resident_before),
        own: own(record),
        moments: record.moments.iter().map(moment).collect(),
        groups,
        steps,
        ..Report::default()
    };
    let owed = report.judged();
    report.totals = Totals {
        players_wanted: record.wanted.1,
        received_bytes: counts.groups.iter().map(|group| group.bytes).sum(),
        published_bytes: counts.publishers.payload,
        expected_bytes: owed.payload_bytes.saturating_add(owed.lost_bytes),
        delivered_bytes: owed.payload_bytes,
        measured_s: record.stretches.iter().map(|stretch| finite(stretch.seconds)).sum(),
    };
    leave_out_intake(&mut report);
    report
}

/// In a run that is mostly fan-out, a pause without players says nothing of what taking streams in
/// costs.
pub(super) fn leave_out_intake(report: &mut Report) {
    if report.totals.received_bytes > report.totals.published_bytes {
        let servers = report.steps.iter_mut().filter_map(|step| step.server.as_mut());
        servers.chain(&mut report.server).for_each(|server| server.cpu_s_per_gb_in = None);
    }
}

/// JSON has no word for what is no number.
fn finite(value: f64) -> f64 {
    if value.is_finite() { value } else { 0.0 }
}

/// `None` if nothing was there to divide by.
pub(super) fn ratio(value: f64, by: f64) -> Option<f64> {
    (by > 0.0).then(|| value / by).filter(|ratio| ratio.is_finite())
}

fn kinds(kinds: &tally::Kinds) -> Kinds {
    kinds.iter().map(|(kind, count)| ((*kind).to_owned(), *count)).collect()
}

fn group(counts: &GroupCounts, label: GroupLabel) -> Group {
    Group {
        name: label.name,
        judged: label.judged,
        comes_and_goes: label.comes_and_goes,
        bytes: counts.bytes,
        video: track(&counts.video),
        audio: track(&counts.audio),
        compared: counts.compared,
        begun: counts.begun,
        joined: counts.joined,
        playing: counts.playing,
        left: counts.left,
        allowed: kinds(&counts.allowed),
        errors: kinds(&counts.errors),
    }
}

fn track(counts: &TrackCounts) -> Track {
    Track {
        frames: counts.frames,
        payload_bytes: counts.payload,
        backlog: counts.backlog,
        late: counts.late,
        lost: counts.faults.lost,
        lost_bytes: counts.lost_payload,
        duplicated: counts.faults.duplicated,
        reordered: counts.faults.reordered,
        corrupt: counts.corrupt,
        unmarked: counts.unmarked,
        mistimed: counts.mistimed,
        mixed: counts.mixed,
        cut: counts.cut,
    }
}

fn publishers(counts: &tally::PublisherCounts) -> Publishers {
    Publishers {
        begun: counts.begun,
        accepted: counts.accepted,
        publishing: counts.publishing,
        frames: counts.frames,
        left: counts.left,
        allowed: kinds(&counts.allowed),
        errors: kinds(&counts.errors),
        ..Publishers::default()
    }
}

fn delays(record: &Record) -> Vec<Delay> {
    Time::ALL
        .into_iter()
        .map(|time| {
            let histogram = record.times.of(time).clone();
            Delay {
                time: time.name().to_owned(),
                percentiles: Percentiles::of(&histogram),
                curve: curve::of(&histogram),
                histogram,
            }
        })
        .collect()
}

/// What the server used in `seconds`, in which so much came and went.
#[derive(Clone, Copy)]
struct While<'a> {
    usage: &'a Usage,
    seconds: f64,
    bytes: u64,
    published: u64,
    playing: u64,
    before: Option<u64>,
}

/// Processor seconds per gigabyte to players, or per gigabyte taken in where a run is mostly that: of
/// 1,000 publishers and 50 players, the players are not what cost.
pub(super) fn costs(cpu_s: f64, bytes: u64, published: u64) -> (Option<f64>, Option<f64>) {
    let per = |bytes: u64| ratio(cpu_s, bytes as f64 / 1e9);
    if published > bytes { (None, per(published)) } else { (per(bytes), None) }
}

fn server(of: &While<'_>) -> Server {
    let Usage { cpu_s, resident_bytes, switches } = *of.usage;
    let cpu_s = finite(cpu_s);
    let (cpu_s_per_gb, cpu_s_per_gb_in) = costs(cpu_s, of.bytes, of.published);
    let grown = of.before.map(|before| resident_bytes.saturating_sub(before) as f64);
    Server {
        cpu_s,
        cores: ratio(cpu_s, of.seconds).unwrap_or(0.0),
        cpu_s_per_gb,
        cpu_s_per_gb_in,
        switches_s: ratio(switches as f64, of.seconds).unwrap_or(0.0),
        resident_bytes,
        bytes_per_player: grown.and_then(|grown| ratio(grown, of.playing as f64)),
    }
}

/// All steps together. Memory is that of the step in which it was highest; what a player costs is
/// told by the last of the steps with most of them, where the server's own share counts least.
fn server_of(stretches: &[Stretch], before: Option<u64>) -> Option<Server> {
    let mut usage = Usage::default();
    let (mut seconds, mut bytes, mut published) = (0.0, 0_u64, 0_u64);
    for (stretch, used) in measured(stretches) {
        usage.cpu_s += finite(used.cpu_s);
        usage.switches += used.switches;
        usage.resident_bytes = usage.resident_bytes.max(used.resident_bytes);
        seconds += finite(stretch.seconds);
        bytes += stretch.bytes;
        published += stretch.published;
    }
    let (most, used) = measured(stretches).max_by_key(|(stretch, _)| stretch.playing)?;
    let all = While { usage: &usage, seconds, bytes, published, playing: 0, before };
    let fullest = While { usage: used, playing: most.playing, ..all };
    Some(Server { bytes_per_player: server(&fullest).bytes_per_player, ..server(&all) })
}

fn measured(stretches: &[Stretch]) -> impl Iterator<Item = (&Stretch, &Usage)> {
    stretches.iter().filter_map(|stretch| Some((stretch, stretch.server.as_ref()?)))
}

fn own(record: &Record) -> Own {
    let mut cores: Vec<f64> = Vec::new();
    for stretch in &record.stretches {
        cores.resize(cores.len().max(stretch.own_cores.len()), 0.0);
        for (highest, share) in cores.iter_mut().zip(&stretch.own_cores) {
            *highest = highest.max(finite(*share));
        }
    }
    let cpu_s = record.counts.cpu_ns.iter().sum::<u64>() as f64 / 1e9;
    let bytes: u64 = record.counts.groups.iter().map(|group| group.bytes).sum();
    Own { cores, cpu_s, cpu_s_per_gb: ratio(cpu_s, bytes as f64 / 1e9) }
}

fn step(stretch: &Stretch, before: Option<u64>) -> Step {
    Step {
        wanted: stretch.wanted,
        playing: stretch.playing,
        joining_s: finite(stretch.joining_s),
        seconds: finite(stretch.seconds),
        bytes: stretch.bytes,
        published_bytes: stretch.published,
        times: ByTime::of(&stretch.times),
        own_cores: stretch.own_cores.iter().copied().map(finite).collect(),
        server: stretch.server.as_ref().map(|usage| {
            server(&While {
                usage,
                seconds: stretch.seconds,
                bytes: stretch.bytes,
                published: stretch.published,
                playing: stretch.playing,
                before,
            })
        }),
        window_changes: stretch.window_changes,
    }
}

pub(super) fn moment(moment: &record::Moment) -> Moment {
    let times = ByTime::of(&moment.times);
    let per_second = |value: f64| ratio(value, moment.seconds);
    let shards = moment.shards.as_deref();
    Moment {
        at_s: finite(moment.at_s),
        seconds: finite(moment.seconds),
        step: moment.step,
        publishing: moment.publishing,
        wanted: moment.wanted,
        playing: moment.playing,
        joined: moment.joined,
        mbit_s: per_second(moment.bytes as f64 * 8.0 / 1e6).unwrap_or(0.0),
        faults: moment.faults,
        video: times.video,
        audio: times.audio,
        first_frame: times.first_frame,
        own_core: finite(moment.own_core),
        own_lag_p99: times.own_lag.p99,
        server_cores: moment.server.and_then(|used| per_second(used.cpu_s)),
        server_switches_s: moment.server.and_then(|used| per_second(used.switches as f64)),
        server_resident_bytes: moment.server.map(|used| used.resident_bytes),
        window_ms: shards.and_then(|all| all.iter().map(|shard| shard.pacing_window_ms).max()),
        shard_busy: shards
            .and_then(|all| all.iter().map(|shard| shard.busy_permille).max())
            .map(|busy| busy as f64 / 1000.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::record::{GroupLabel, Moment};
    use crate::account::tally::Counts;

    fn stretch(playing: u64, cpu_s: f64, resident_bytes: u64) -> Stretch {
        Stretch {
            wanted: playing,
            playing,
            seconds: 10.0,
            bytes: playing * 10_000_000,
            published: 500_000_000,
            own_cores: vec![0.1, cpu_s / 10.0],
            server: Some(Usage { cpu_s, resident_bytes, switches: 1000 }),
            ..Stretch::default()
        }
    }

    fn near(one: Option<f64>, other: f64) {
        assert!(one.is_some_and(|one| (one - other).abs() < 1e-9), "{one:?} is not {other}");
    }

    #[test]
    fn costs_are_held_against_what_was_done() {
        let record = Record {
            stretches: vec![stretch(100, 2.0, 50_000_000), stretch(300, 4.0, 40_000_000)],
            resident_before: Some(10_000_000),
            ..Record::default()
        };
        let report = unjudged(&record);
        let server = report.server.unwrap();
        near(server.cpu_s_per_gb, 6.0 / 4.0);
        near(Some(server.cores), 0.3);
        near(Some(server.switches_s), 100.0);
        assert_eq!((server.resident_bytes, server.cpu_s_per_gb_in), (50_000_000, None));
        // Of the step with most players, not of the one with most memory.
        near(server.bytes_per_player, 100_000.0);
        near(report.steps[0].server.unwrap().bytes_per_player, 400_000.0);
        near(report.steps[1].server.unwrap().cpu_s_per_gb, 4.0 / 3.0);
        assert_eq!(report.own.cores, [0.1, 0.4]);
    }

    #[test]
    fn without_players_costs_are_held_against_what_came_in() {
        let record = Record {
            stretches: vec![stretch(0, 2.0, 50_000_000)],
            resident_before: Some(60_000_000),
            ..Record::default()
        };
        let server = unjudged(&record).server.unwrap();
        near(server.cpu_s_per_gb_in, 4.0);
        assert_eq!((server.cpu_s_per_gb, server.bytes_per_player), (None, None));
    }

    #[test]
    fn payload_owed_is_what_came_and_what_was_lost_to_judged_players() {
        let label = |judged| GroupLabel { name: "x".to_owned(), judged, comes_and_goes: false };
        let mut counts = Counts::new(3);
        for group in &mut counts.groups {
            (group.video.payload, group.audio.payload) = (900, 50);
            group.video.lost_payload = 50;
        }
        let record =
            Record { groups: vec![label(true), label(false)], counts, ..Record::default() };
        let report = unjudged(&record);
        let totals = &report.totals;
        assert_eq!((totals.expected_bytes, totals.delivered_bytes), (2000, 1900));
        near(totals.delivered(), 0.95);
        assert_eq!((report.groups[2].name.as_str(), report.groups[2].judged), ("group 3", true));
    }

    #[test]
    fn what_is_no_number_is_nothing() {
        let moment = moment(&Moment {
            at_s: f64::NAN,
            bytes: 5,
            own_core: f64::INFINITY,
            server: Some(Usage::default()),
            ..Moment::default()
        });
        assert_eq!((moment.at_s, moment.mbit_s, moment.own_core), (0.0, 0.0, 0.0));
        assert_eq!(moment.server_cores, None);
    }
}
