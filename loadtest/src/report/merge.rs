//! Several hosts' parts of one run, put together: reports from JSON, or interval logs.
//!
//! Counters add; of percentiles no sum can be made, so the histograms behind them are added, which
//! both kinds of file hold whole. What reports hold no histogram of (single steps and samples) gets
//! the worst of the hosts: the percentile of all is never above it.

mod reports;

use super::condition::Condition;
use super::file::{self, FileError};
use super::hdrlog::{self, Log, LogError, LogWriter};
use super::packed::PackedError;
use super::table::{Cell, Column, Table};
use super::{Report, tables};
use crate::account::times::{Percentiles, Time, empty};
use hdrhistogram::Histogram;
use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

pub use reports::reports;

/// Tags at most; this program writes eight.
const TAGS_MAX: usize = 64;

/// What was merged.
#[derive(Clone, Debug)]
pub enum Merged {
    /// Reports; boxed, being much larger than the other.
    Report(Box<Report>),
    /// Logs.
    Logs(Logs),
}

/// Merged logs.
#[derive(Clone, Debug, Default)]
pub struct Logs {
    /// How many there were.
    pub logs: usize,
    /// When the first began, seconds since 1970.
    start_unix_s: f64,
    /// How long an interval of the merged log is, seconds.
    interval_s: f64,
    /// The intervals, still packed, by number and tag.
    intervals: BTreeMap<(u64, String), Vec<hdrlog::Interval>>,
    /// All of it, by tag.
    pub totals: BTreeMap<String, Histogram<u64>>,
}

/// Files cannot be merged.
#[derive(Debug)]
pub enum MergeError {
    /// One cannot be read, or is no report.
    File(PathBuf, FileError),
    /// One is no log.
    Log(PathBuf, LogError),
    /// One has a line whose histogram is none.
    Histogram(PathBuf, PackedError),
    /// There are logs and reports among them.
    Mixed,
    /// There are none.
    Nothing,
    /// The logs have more tags than anybody writes.
    Tags,
}

impl fmt::Display for MergeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path, error) => write!(f, "{}: {error}", path.display()),
            Self::Log(path, error) => write!(f, "{}: {error}", path.display()),
            Self::Histogram(path, error) => write!(f, "{}: {error}", path.display()),
            Self::Mixed => {
                f.write_str("merge reports (JSON) with reports, and interval logs with logs")
            }
            Self::Nothing => f.write_str("nothing to merge"),
            Self::Tags => write!(f, "the logs have more than {TAGS_MAX} tags"),
        }
    }
}

impl std::error::Error for MergeError {}

/// Merges reports or logs. A merged report is judged by the conditions, as a run of one host is.
///
/// # Errors
/// If a file cannot be used, or there are both kinds.
pub fn merge(paths: &[PathBuf], conditions: &[Condition]) -> Result<Merged, MergeError> {
    let (mut reports, mut logs) = (Vec::new(), Vec::new());
    for path in paths {
        let bytes = file::bytes(path).map_err(|error| MergeError::File(path.clone(), error))?;
        if bytes.trim_ascii_start().starts_with(b"{") {
            let report =
                file::parse(&bytes).map_err(|error| MergeError::File(path.clone(), error))?;
            reports.push(report);
        } else {
            let log = hdrlog::read(&bytes).map_err(|error| MergeError::Log(path.clone(), error))?;
            logs.push((path.clone(), log));
        }
    }
    match (reports.is_empty(), logs.is_empty()) {
        (true, true) => Err(MergeError::Nothing),
        (false, false) => Err(MergeError::Mixed),
        (true, false) => self::logs(logs).map(Merged::Logs),
        (false, true) => {
            let mut report = self::reports(&reports);
            report.judge(conditions);
            Ok(Merged::Report(Box::new(report)))
        }
    }
}

/// Merges logs.
///
/// # Errors
/// If a histogram in them is none.
pub fn logs(logs: Vec<(PathBuf, Log)>) -> Result<Logs, MergeError> {
    let starts = logs.iter().map(|(_, log)| log.start_unix_s);
    let stamps = logs.iter().flat_map(|(_, log)| &log.intervals).map(|i| i.start_unix_s);
    // Logs without a start time begin with their first interval, wherever that is.
    let start_unix_s =
        starts.filter(|start| *start > 0.0).chain(stamps).reduce(f64::min).unwrap_or(0.0);
    let interval_s = usual_length(&logs);
    let mut merged = Logs { logs: logs.len(), start_unix_s, interval_s, ..Logs::default() };
    for (path, log) in logs {
        for interval in log.intervals {
            let histogram =
                interval.histogram().map_err(|error| MergeError::Histogram(path.clone(), error))?;
            if !merged.totals.contains_key(&interval.tag) && merged.totals.len() == TAGS_MAX {
                return Err(MergeError::Tags);
            }
            let total = merged.totals.entry(interval.tag.clone()).or_insert_with(empty);
            total
                .add(&histogram)
                .map_err(|_| MergeError::Histogram(path.clone(), PackedError::Values))?;
            // To the nearest, because hosts do not sample at the same instant.
            let number = ((interval.start_unix_s - start_unix_s) / interval_s).round() as u64;
            merged.intervals.entry((number, interval.tag.clone())).or_default().push(interval);
        }
    }
    Ok(merged)
}

/// The median length of all intervals.
fn usual_length(logs: &[(PathBuf, Log)]) -> f64 {
    let intervals = logs.iter().flat_map(|(_, log)| &log.intervals);
    let mut lengths: Vec<f64> = intervals.map(|interval| interval.seconds).collect();
    lengths.sort_by(f64::total_cmp);
    lengths.get(lengths.len() / 2).map_or(1.0, |length| length.max(0.001))
}

impl Merged {
    /// Writes an interval log of it: of logs interval by interval; of reports, which know only the
    /// whole run, one interval.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write_log(&self, path: &Path) -> io::Result<()> {
        match self {
            Self::Logs(logs) => {
                let mut writer = LogWriter::create(path, &logs.title(), logs.start_unix_ms())?;
                logs.write(&mut writer)?;
                writer.finish()
            }
            Self::Report(report) => {
                let mut writer = LogWriter::create(path, &report.title, report.began_unix_ms)?;
                let length = report.moments.last().map_or(report.totals.measured_s, |m| m.at_s);
                for delay in report.delays.iter().filter(|delay| !delay.histogram.is_empty()) {
                    let tag: String =
                        delay.time.chars().filter(|c| !", \r\n".contains(*c)).collect();
                    writer.interval(&tag, 0.0, length, &delay.histogram)?;
                }
                writer.finish()
            }
        }
    }
}

impl Logs {
    fn title(&self) -> String {
        format!("{} logs merged", self.logs)
    }

    fn start_unix_ms(&self) -> u64 {
        (self.start_unix_s * 1000.0).round() as u64
    }

    fn write<W: Write>(&self, writer: &mut LogWriter<W>) -> io::Result<()> {
        for ((number, tag), intervals) in &self.intervals {
            let mut all = empty();
            for interval in intervals {
                // Read before, when the totals were made; the error can only be the memory's.
                let histogram = interval.histogram().map_err(io::Error::other)?;
                all.add(histogram).map_err(io::Error::other)?;
            }
            let start_s = *number as f64 * self.interval_s;
            writer.interval(tag, start_s, self.interval_s, &all)?;
        }
        Ok(())
    }
}

/// The percentiles of each tag.
impl fmt::Display for Logs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.title())?;
        let mut table = Table::new([
            Column::always("time, ms"),
            Column::always("count"),
            Column::always("p50"),
            Column::always("p90"),
            Column::always("p99"),
            Column::always("p99.9"),
            Column::always("max"),
        ]);
        let known = Time::ALL.map(Time::name);
        let place = |tag: &str| known.iter().position(|name| *name == tag).unwrap_or(known.len());
        let mut totals: Vec<_> = self.totals.iter().collect();
        totals.sort_by_key(|(tag, _)| place(tag));
        for (tag, histogram) in totals {
            let Percentiles { p50, p90, p99, p999, max, count } = Percentiles::of(histogram);
            let called =
                Time::ALL.get(place(tag)).map_or(tag.as_str(), |time| tables::called(*time));
            let mut row = vec![Cell::text(called), Cell::Count(count)];
            row.extend([p50, p90, p99, p999, max].map(Cell::Value));
            table.push(row);
        }
        write!(f, "{table}")
    }
}

#[cfg(test)]
mod tests;
