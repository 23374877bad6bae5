//! Reports of several hosts as the report of one.

use crate::account::times::{Percentiles, empty};
use crate::report::build::{costs, leave_out_intake, ratio};
use crate::report::figures::{
    ByTime, Delay, Group, Kinds, Moment, Own, Publishers, Server, Step, Totals,
};
use crate::report::{FORMAT, Report, curve};

/// Merges reports; the result is not judged yet.
///
/// Counters add, histograms add. The server is what the first host that measured it says, with what
/// it did for all hosts. In the time series, samples of the hosts are laid over one another by the
/// clock, so that a count may stand one sample beside where it happened.
pub fn reports(reports: &[Report]) -> Report {
    let mut merged = Report { format: FORMAT, ..Report::default() };
    let mut titles: Vec<&str> = reports.iter().map(|report| report.title.as_str()).collect();
    titles.dedup();
    merged.title = titles.join(" + ");
    merged.settings = settings(reports);
    let began = reports.iter().map(|report| report.began_unix_ms).filter(|began| *began > 0);
    merged.began_unix_ms = began.min().unwrap_or(0);
    merged.interrupted = reports.iter().any(|report| report.interrupted);
    for report in reports {
        add_totals(&mut merged.totals, &report.totals);
        add_publishers(&mut merged.publishers, &report.publishers);
        for group in &report.groups {
            match merged.groups.iter_mut().find(|own| own.name == group.name) {
                Some(own) => add_group(own, group),
                None => merged.groups.push(group.clone()),
            }
        }
        for delay in &report.delays {
            match merged.delays.iter_mut().find(|own| own.time == delay.time) {
                Some(own) => add_delay(own, delay),
                None => merged.delays.push(delay.clone()),
            }
        }
        for (at, step) in report.steps.iter().enumerate() {
            match merged.steps.get_mut(at) {
                Some(own) => add_step(own, step),
                None => merged.steps.push(step.clone()),
            }
        }
        merged.own.cores.extend(&report.own.cores);
        merged.own.cpu_s += report.own.cpu_s;
    }
    let Own { cpu_s, .. } = merged.own;
    merged.own.cpu_s_per_gb = ratio(cpu_s, merged.totals.received_bytes as f64 / 1e9);
    merged.server = server(reports, &merged.steps);
    merged.moments = moments(reports);
    leave_out_intake(&mut merged);
    merged
}

fn add(own: &mut u64, other: u64) {
    *own = own.saturating_add(other);
}

fn add_kinds(own: &mut Kinds, other: &Kinds) {
    other.iter().for_each(|(kind, count)| add(own.entry(kind.clone()).or_default(), *count));
}

/// What is the same everywhere stands once.
fn settings(reports: &[Report]) -> Vec<(String, String)> {
    let mut settings: Vec<(String, Vec<&str>)> = Vec::new();
    for (name, value) in reports.iter().flat_map(|report| &report.settings) {
        match settings.iter_mut().find(|(known, _)| known == name) {
            Some((_, values)) if values.contains(&value.as_str()) => {}
            Some((_, values)) => values.push(value),
            None => settings.push((name.clone(), vec![value])),
        }
    }
    let hosts = ("hosts".to_owned(), reports.len().to_string());
    let joined = settings.into_iter().map(|(name, values)| (name, values.join(" | ")));
    joined.filter(|(name, _)| name != "hosts").chain([hosts]).collect()
}

fn add_totals(own: &mut Totals, other: &Totals) {
    add(&mut own.players_wanted, other.players_wanted);
    add(&mut own.received_bytes, other.received_bytes);
    add(&mut own.published_bytes, other.published_bytes);
    add(&mut own.expected_bytes, other.expected_bytes);
    add(&mut own.delivered_bytes, other.delivered_bytes);
    own.measured_s = own.measured_s.max(other.measured_s);
}

fn add_publishers(own: &mut Publishers, other: &Publishers) {
    own.come_and_go |= other.come_and_go;
    add(&mut own.wanted, other.wanted);
    add(&mut own.begun, other.begun);
    add(&mut own.accepted, other.accepted);
    add(&mut own.publishing, other.publishing);
    add(&mut own.frames, other.frames);
    add(&mut own.left, other.left);
    add_kinds(&mut own.allowed, &other.allowed);
    add_kinds(&mut own.errors, &other.errors);
}

fn add_group(own: &mut Group, other: &Group) {
    own.judged |= other.judged;
    own.comes_and_goes |= other.comes_and_goes;
    add(&mut own.bytes, other.bytes);
    own.video.add(&other.video);
    own.audio.add(&other.audio);
    add(&mut own.compared, other.compared);
    add(&mut own.begun, other.begun);
    add(&mut own.joined, other.joined);
    add(&mut own.playing, other.playing);
    add(&mut own.left, other.left);
    add_kinds(&mut own.allowed, &other.allowed);
    add_kinds(&mut own.errors, &other.errors);
}

fn add_delay(own: &mut Delay, other: &Delay) {
    let whole = |delay: &Delay| delay.histogram.len() == delay.percentiles.count;
    if !whole(own) || !whole(other) || own.histogram.add(&other.histogram).is_err() {
        // Without its histogram nothing exact can be said, and the worst is no lie.
        own.percentiles = worst(&own.percentiles, &other.percentiles);
        (own.histogram, own.curve) = (empty(), Vec::new());
        return;
    }
    own.percentiles = Percentiles::of(&own.histogram);
    own.curve = curve::of(&own.histogram);
}

/// Of each percentile the worse: that of all values together is between the two.
fn worst(one: &Percentiles, other: &Percentiles) -> Percentiles {
    Percentiles {
        p50: one.p50.max(other.p50),
        p90: one.p90.max(other.p90),
        p99: one.p99.max(other.p99),
        p999: one.p999.max(other.p999),
        max: one.max.max(other.max),
        count: one.count.saturating_add(other.count),
    }
}

fn worst_of_all(one: &ByTime, other: &ByTime) -> ByTime {
    ByTime {
        video: worst(&one.video, &other.video),
        audio: worst(&one.audio, &other.audio),
        connect: worst(&one.connect, &other.connect),
        handshake: worst(&one.handshake, &other.handshake),
        first_byte: worst(&one.first_byte, &other.first_byte),
        first_frame: worst(&one.first_frame, &other.first_frame),
        own_lag: worst(&one.own_lag, &other.own_lag),
        own_round: worst(&one.own_round, &other.own_round),
    }
}

fn add_step(own: &mut Step, other: &Step) {
    let players = own.playing;
    add(&mut own.wanted, other.wanted);
    add(&mut own.playing, other.playing);
    own.joining_s = own.joining_s.max(other.joining_s);
    own.seconds = own.seconds.max(other.seconds);
    add(&mut own.bytes, other.bytes);
    add(&mut own.published_bytes, other.published_bytes);
    own.times = worst_of_all(&own.times, &other.times);
    own.own_cores.extend(&other.own_cores);
    own.window_changes = own.window_changes.max(other.window_changes);
    own.server = match (own.server, other.server) {
        (Some(server), _) => Some((server, players)),
        (None, Some(server)) => Some((server, other.playing)),
        (None, None) => None,
    }
    .map(|(server, players)| shared(server, own.bytes, own.published_bytes, players, own.playing));
}

/// What a host measured of the server while `players` were its own, of all that the server did.
fn shared(server: Server, bytes: u64, published: u64, players: u64, playing: u64) -> Server {
    let (cpu_s_per_gb, cpu_s_per_gb_in) = costs(server.cpu_s, bytes, published);
    Server {
        cpu_s_per_gb,
        cpu_s_per_gb_in,
        bytes_per_player: server
            .bytes_per_player
            .and_then(|bytes| ratio(bytes * players as f64, playing as f64)),
        ..server
    }
}

fn server(reports: &[Report], steps: &[Step]) -> Option<Server> {
    let report = reports.iter().find(|report| report.server.is_some())?;
    let sum =
        |of: fn(&Step) -> u64| steps.iter().fold(0_u64, |sum, step| sum.saturating_add(of(step)));
    let (bytes, published) = (sum(|step| step.bytes), sum(|step| step.published_bytes));
    let most = |steps: &[Step]| steps.iter().map(|step| step.playing).max().unwrap_or(0);
    Some(shared(report.server?, bytes, published, most(&report.steps), most(steps)))
}

/// The samples of the host that has most of them, each with those of the others at its time.
fn moments(reports: &[Report]) -> Vec<Moment> {
    let Some(most) = (0..reports.len()).max_by_key(|at| reports[*at].moments.len()) else {
        return Vec::new();
    };
    let mut moments = reports[most].moments.clone();
    for (_, other) in reports.iter().enumerate().filter(|(at, _)| *at != most) {
        let ahead_s = (other.began_unix_ms as f64 - reports[most].began_unix_ms as f64) / 1000.0;
        for moment in &mut moments {
            let middle = moment.at_s - moment.seconds / 2.0 - ahead_s;
            let next = other.moments.partition_point(|other| other.at_s < middle);
            let Some(found) = other.moments.get(next) else { continue };
            if middle >= found.at_s - found.seconds {
                add_moment(moment, found);
            }
        }
    }
    moments
}

fn add_moment(own: &mut Moment, other: &Moment) {
    add(&mut own.publishing, other.publishing);
    add(&mut own.wanted, other.wanted);
    add(&mut own.playing, other.playing);
    add(&mut own.joined, other.joined);
    add(&mut own.faults, other.faults);
    own.mbit_s += other.mbit_s;
    own.video = worst(&own.video, &other.video);
    own.audio = worst(&own.audio, &other.audio);
    own.first_frame = worst(&own.first_frame, &other.first_frame);
    own.own_core = own.own_core.max(other.own_core);
    own.own_lag_p99 = own.own_lag_p99.max(other.own_lag_p99);
    own.server_cores = own.server_cores.or(other.server_cores);
    own.server_switches_s = own.server_switches_s.or(other.server_switches_s);
    own.server_resident_bytes = own.server_resident_bytes.or(other.server_resident_bytes);
    own.window_ms = own.window_ms.max(other.window_ms);
    own.shard_busy = match (own.shard_busy, other.shard_busy) {
        (Some(one), Some(other)) => Some(one.max(other)),
        (one, other) => one.or(other),
    };
}
