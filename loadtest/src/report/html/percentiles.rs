//! Percentile plots: how long the best, the usual and the worst took, run over run.

use super::axis::{Axis, Scale};
use super::plot::{Line, Plot};
use crate::account::times::Time;
use crate::report::figures::Delay;
use crate::report::{Report, curve, tables};

/// The times that a page plots.
pub const PLOTTED: [Time; 3] = [Time::Video, Time::Audio, Time::FirstFrame];

/// The plot of one of the times; `None` if no run has any of it.
pub fn plot(reports: &[Report], time: Time, scale: Scale) -> Option<Plot> {
    let lines: Vec<Line> = reports
        .iter()
        .enumerate()
        .filter_map(|(run, report)| {
            let points = points(report.delay(time)?);
            let several = reports.len() > 1;
            let name = if several { tables::letter(run) } else { tables::called(time).to_owned() };
            (!points.is_empty()).then(|| Line { run, name, dot: true, points, ..Line::default() })
        })
        .collect();
    if lines.is_empty() {
        return None;
    }
    let all = || lines.iter().flat_map(|line| &line.points).flatten();
    let most = all().map(|(nines, _)| *nines).fold(1.0, f64::max);
    Some(Plot {
        title: format!("{}, ms", tables::called(time)),
        note: "by percentile, ● worst".to_owned(),
        x: Axis::nines(most),
        x_unit: "percentile",
        y: Axis::of(scale, all().map(|(_, ms)| *ms)),
        marks: Vec::new(),
        lines,
    })
}

fn points(delay: &Delay) -> Vec<Option<(f64, f64)>> {
    let count = delay.percentiles.count;
    let nines = |quantile| curve::nines(quantile, count);
    delay.curve.iter().map(|(quantile, ms)| Some((nines(*quantile), *ms))).collect()
}
