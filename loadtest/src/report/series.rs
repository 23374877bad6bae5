//! The time series of a run as a table for other programs: CSV, or Markdown.

use super::Report;
use super::figures::Moment;
use std::fmt::Write as _;
use std::path::Path;

/// A column: its name, its decimals, its value if it was measured.
type Column = (&'static str, usize, fn(&Moment) -> Option<f64>);

const COLUMNS: [Column; 22] = [
    ("at_s", 1, |moment| Some(moment.at_s)),
    ("step", 0, |moment| Some(moment.step as f64)),
    ("publishing", 0, |moment| Some(moment.publishing as f64)),
    ("wanted", 0, |moment| Some(moment.wanted as f64)),
    ("playing", 0, |moment| Some(moment.playing as f64)),
    ("joined", 0, |moment| Some(moment.joined as f64)),
    ("mbit_s", 1, |moment| Some(moment.mbit_s)),
    ("faults", 0, |moment| Some(moment.faults as f64)),
    ("video_p50_ms", 2, |moment| (moment.video.count > 0).then_some(moment.video.p50)),
    ("video_p99_ms", 2, |moment| (moment.video.count > 0).then_some(moment.video.p99)),
    ("video_max_ms", 2, |moment| (moment.video.count > 0).then_some(moment.video.max)),
    ("audio_p50_ms", 2, |moment| (moment.audio.count > 0).then_some(moment.audio.p50)),
    ("audio_p99_ms", 2, |moment| (moment.audio.count > 0).then_some(moment.audio.p99)),
    ("audio_max_ms", 2, |moment| (moment.audio.count > 0).then_some(moment.audio.max)),
    ("first_frame_p50_ms", 2, |moment| {
        (moment.first_frame.count > 0).then_some(moment.first_frame.p50)
    }),
    ("first_frame_p99_ms", 2, |moment| {
        (moment.first_frame.count > 0).then_some(moment.first_frame.p99)
    }),
    ("server_cores", 3, |moment| moment.server_cores),
    ("server_switches_s", 0, |moment| moment.server_switches_s),
    ("server_resident_mb", 1, |moment| {
        moment.server_resident_bytes.map(|bytes| bytes as f64 / 1e6)
    }),
    ("window_ms", 0, |moment| moment.window_ms.map(|window| window as f64)),
    ("own_core", 3, |moment| Some(moment.own_core)),
    ("own_lag_p99_ms", 2, |moment| Some(moment.own_lag_p99)),
];

/// As a file of this name should hold it: Markdown if it ends in `.md`, CSV otherwise.
pub fn for_file(report: &Report, path: &Path) -> String {
    if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("md")) {
        markdown(report)
    } else {
        csv(report)
    }
}

/// As CSV (RFC 4180) with a line of names. What was not measured is empty.
pub fn csv(report: &Report) -> String {
    let mut text = COLUMNS.map(|(name, ..)| name).join(",") + "\r\n";
    for moment in &report.moments {
        for (at, (_, decimals, value)) in COLUMNS.iter().enumerate() {
            let comma = if at > 0 { "," } else { "" };
            match value(moment) {
                Some(value) => write!(text, "{comma}{value:.decimals$}"),
                None => write!(text, "{comma}"),
            }
            .expect("a string takes every text");
        }
        text.push_str("\r\n");
    }
    text
}

/// As a Markdown table, without the columns that were not measured.
pub fn markdown(report: &Report) -> String {
    let measured = COLUMNS.iter().filter(|(.., value)| {
        report.moments.is_empty() || report.moments.iter().any(|moment| value(moment).is_some())
    });
    let columns: Vec<&Column> = measured.collect();
    let mut text = String::from("|");
    for (name, ..) in &columns {
        write!(text, " {} |", name.replace('_', " ")).expect("a string takes every text");
    }
    text.push_str("\n|");
    text.push_str(&" --: |".repeat(columns.len()));
    for moment in &report.moments {
        text.push_str("\n|");
        for (_, decimals, value) in &columns {
            match value(moment) {
                Some(value) => write!(text, " {value:.decimals$} |"),
                None => write!(text, " – |"),
            }
            .expect("a string takes every text");
        }
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    #[test]
    fn every_line_has_every_column() {
        for report in samples::all() {
            let csv = csv(&report);
            assert_eq!(csv.lines().count(), report.moments.len() + 1);
            for line in csv.lines() {
                assert_eq!(line.split(',').count(), COLUMNS.len(), "{line}");
            }
            let markdown = markdown(&report);
            assert_eq!(markdown.lines().count(), report.moments.len() + 2);
            let bars = |line: &str| line.matches('|').count();
            let first = markdown.lines().next().map(bars);
            assert!(markdown.lines().all(|line| Some(bars(line)) == first));
            assert!(!csv.contains("NaN") && !markdown.contains("inf"));
        }
    }

    #[test]
    fn what_was_not_measured_is_empty_or_gone() {
        let report = Report::of(&samples::rough(), &[]);
        assert!(csv(&report).lines().nth(2).unwrap().contains(",,,,"));
        assert!(!for_file(&report, Path::new("x.MD")).contains("server cores"));
        assert!(for_file(&samples::report(), Path::new("x.md")).contains("server cores"));
        assert!(for_file(&report, Path::new("x.csv")).starts_with("at_s,step,"));
    }
}
