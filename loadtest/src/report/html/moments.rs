//! Time series plots: what the run was like from second to second.

use super::axis::{Axis, Scale};
use super::plot::{Line, Plot};
use crate::report::figures::Moment;
use crate::report::{Report, tables};

/// Points of a line at most; beyond them, the worst of several neighbours stands for all.
const POINTS_MAX: usize = 400;

/// A sample shorter than this share of the usual is not shown: its rates are noise.
const SHORT: f64 = 0.25;
/// What is counted in whole numbers.
const PLAYERS: &str = "players";
/// The same.
const PUBLISHERS: &str = "publishers";

/// One of several lines in a plot: what hovering calls it, and its value.
type Shown = (&'static str, fn(&Moment) -> Option<f64>);

/// The plots, and what each shows; thin lines after the first.
const PLOTS: [(&str, &[Shown]); 9] = [
    (
        "video delay, ms",
        &[
            ("p99", |moment| (moment.video.count > 0).then_some(moment.video.p99)),
            ("p50", |moment| (moment.video.count > 0).then_some(moment.video.p50)),
        ],
    ),
    (
        "audio delay, ms",
        &[
            ("p99", |moment| (moment.audio.count > 0).then_some(moment.audio.p99)),
            ("p50", |moment| (moment.audio.count > 0).then_some(moment.audio.p50)),
        ],
    ),
    ("Mbit/s to players", &[("", |moment| Some(moment.mbit_s))]),
    (PLAYERS, &[("", |moment| Some(moment.playing as f64))]),
    (PUBLISHERS, &[("", |moment| Some(moment.publishing as f64))]),
    ("server, cores", &[("", |moment| moment.server_cores)]),
    ("server memory, MB", &[("", |moment| Some(moment.server_resident_bytes? as f64 / 1e6))]),
    ("pacing window, ms", &[("", |moment| Some(moment.window_ms? as f64))]),
    ("generator, busiest core, %", &[("", |moment| Some(moment.own_core * 100.0))]),
];

/// All plots in which there is something other than nothing to see.
pub fn plots(reports: &[Report]) -> Vec<Plot> {
    PLOTS.iter().filter_map(|(title, shown)| plot(reports, title, shown)).collect()
}

fn plot(reports: &[Report], title: &str, shown: &[Shown]) -> Option<Plot> {
    let mut lines = Vec::new();
    for (run, report) in reports.iter().enumerate() {
        for (at, (name, value)) in shown.iter().enumerate() {
            let points = thinned(&report.moments, *value);
            let letter = if reports.len() > 1 { tables::letter(run) } else { String::new() };
            let name = format!("{letter} {name}").trim().to_owned();
            lines.push(Line { run, name, thin: at > 0, dot: false, points });
        }
    }
    let values = || lines.iter().flat_map(|line| &line.points).flatten().map(|(_, y)| *y);
    if !values().any(|value| value > 0.0) {
        return None;
    }
    let ends = reports.iter().filter_map(|report| report.moments.last()).map(|last| last.at_s);
    let scale = if [PLAYERS, PUBLISHERS].contains(&title) { Scale::Whole } else { Scale::Linear };
    let y = Axis::of(scale, values());
    Some(Plot {
        title: title.to_owned(),
        note: if shown.len() > 1 { "p99 and p50 (thin)".to_owned() } else { String::new() },
        x: Axis::time(ends.fold(0.0, f64::max), 6.0),
        x_unit: "s",
        y,
        marks: steps(reports),
        lines,
    })
}

/// Where steps begin, if all runs agree on it within a second.
fn steps(reports: &[Report]) -> Vec<f64> {
    let begins = |report: &Report| -> Vec<f64> {
        let pairs = report.moments.windows(2).filter(|two| two[0].step != two[1].step);
        pairs.map(|two| two[0].at_s).take(100).collect()
    };
    let first = reports.first().map(begins).unwrap_or_default();
    let same = |other: Vec<f64>| {
        other.len() == first.len()
            && other.iter().zip(&first).all(|(one, other)| (one - other).abs() <= 1.0)
    };
    if reports.iter().all(|report| same(begins(report))) { first } else { Vec::new() }
}

fn thinned(moments: &[Moment], value: fn(&Moment) -> Option<f64>) -> Vec<Option<(f64, f64)>> {
    let mut lengths: Vec<f64> = moments.iter().map(|moment| moment.seconds).collect();
    lengths.sort_by(f64::total_cmp);
    let least = lengths.get(lengths.len() / 2).map_or(0.0, |usual| usual * SHORT);
    let moments: Vec<&Moment> = moments.iter().filter(|moment| moment.seconds >= least).collect();
    let neighbours = moments.len().div_ceil(POINTS_MAX).max(1);
    let worst = |moments: &[&Moment]| {
        let values = moments.iter().filter_map(|moment| Some((moment.at_s, value(moment)?)));
        values.reduce(|one, other| if other.1 > one.1 { other } else { one })
    };
    moments.chunks(neighbours).map(worst).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    #[test]
    fn long_runs_are_thinned_and_keep_their_worst() {
        let mut report = Report::of(&samples::long(), &[]);
        report.moments[211].mbit_s = 1e6;
        let points = thinned(&report.moments, |moment| Some(moment.mbit_s));
        assert!(points.len() <= POINTS_MAX);
        assert!(points.contains(&Some((212.0, 1e6))), "{points:?}");
    }

    #[test]
    fn what_is_too_short_to_have_a_rate_is_not_shown() {
        let mut report = samples::report();
        let whole = report.moments.len();
        let short = Moment { at_s: 30.01, seconds: 0.01, mbit_s: 1e5, ..Moment::default() };
        report.moments.push(short);
        assert_eq!(thinned(&report.moments, |moment| Some(moment.mbit_s)).len(), whole);
    }

    #[test]
    fn only_what_was_measured_has_a_plot() {
        let titles = |report: Report| -> Vec<String> {
            plots(&[report]).into_iter().map(|plot| plot.title).collect()
        };
        let of = titles(samples::report());
        assert!(of.contains(&"pacing window, ms".to_owned()) && of.len() == 9, "{of:?}");
        let of = titles(Report::of(&samples::rough(), &[]));
        assert!(!of.contains(&"pacing window, ms".to_owned()), "{of:?}");
        assert!(titles(Report::default()).is_empty());
    }

    #[test]
    fn steps_are_marked_where_runs_agree() {
        let long = Report::of(&samples::long(), &[]);
        let other = Report::of(&samples::other(), &[]);
        assert_eq!(steps(&[long.clone(), other]), [120.0, 300.0]);
        assert!(steps(&[long, samples::report()]).is_empty());
    }
}
