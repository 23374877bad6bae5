//! The commands that look at what runs left behind: `report` and `merge`.

use super::condition::{self, Condition};
use super::file::FileError;
use super::merge::{MergeError, Merged};
use super::{Report, file, html, merge as merging, series, tables};
use crate::account::times::Time;
use clap::{Args, ValueEnum};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Show reports that runs wrote with --json, each alone or several over one another.
///
/// Prints the report of one run, or the tables of several one below the other. With --html, writes
/// one page that overlays them: percentile curves, time series, settings with their differences. The
/// page is one file without anything from elsewhere; it can be mailed and opened years later.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Example: loadtest report before.json after.json --html compare.html

Exit codes: 0, or with --fail-if that of the worst of the reports: 1 FAIL, 3 INVALID; 2 usage.")]
pub struct ReportArgs {
    /// Reports, as --json wrote them.
    #[arg(required = true, value_name = "FILE.json")]
    files: Vec<PathBuf>,
    /// Write a page that overlays the runs to this file.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Write the percentile plot of the first run as an SVG to this file.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Which time --svg plots.
    #[arg(long, value_enum, default_value_t = Plotted::Video, value_name = "TIME")]
    time: Plotted,
    /// Write the time series of the first run to this file: Markdown if it ends in .md, else CSV.
    #[arg(long, value_name = "FILE")]
    series: Option<PathBuf>,
    /// Judge the runs anew: FAIL if one of these holds, such as 'p99>50ms' or 'lost>0'.
    #[arg(long, value_name = "CONDITION", value_delimiter = ',', long_help = condition::help())]
    fail_if: Vec<Condition>,
}

/// Times of which there is a plot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Plotted {
    /// From the scheduled send of video to its arrival.
    Video,
    /// The same of audio.
    Audio,
    /// From asking for a connection to the first frame.
    FirstFrame,
}

impl Plotted {
    fn time(self) -> Time {
        match self {
            Self::Video => Time::Video,
            Self::Audio => Time::Audio,
            Self::FirstFrame => Time::FirstFrame,
        }
    }
}

/// Put together what several hosts measured of one run.
///
/// Takes either reports (JSON) or HdrHistogram interval logs. Counters are added, and so are the
/// histograms that both kinds of file hold, so that the percentiles are those of all values; the
/// steps and samples of merged reports show the worst of the hosts instead.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Example: loadtest merge east.json west.json --json both.json --hdr-log both.hlog

Exit codes: those of a run, if reports are merged: 0 PASS, 1 FAIL, 3 INVALID; 2 usage.")]
pub struct MergeArgs {
    /// Reports (JSON) or interval logs, one of each host.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Write the merged report to this file; of reports only.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write the merged interval log to this file.
    #[arg(long, value_name = "FILE")]
    hdr_log: Option<PathBuf>,
    /// FAIL if one of these holds, such as 'p99>50ms' [default: if anything is wrong].
    #[arg(long, value_name = "CONDITION", value_delimiter = ',', long_help = condition::help())]
    fail_if: Vec<Condition>,
}

/// A command could not do what it was asked for.
#[derive(Debug)]
pub enum CliError {
    /// A report cannot be read.
    Read(PathBuf, FileError),
    /// A file cannot be written.
    Write(PathBuf, io::Error),
    /// Files cannot be merged.
    Merge(MergeError),
    /// A report was to be made of logs.
    NoReport,
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(path, error) => write!(f, "{}: {error}", path.display()),
            Self::Write(path, error) => write!(f, "{}: {error}", path.display()),
            Self::Merge(error) => error.fmt(f),
            Self::NoReport => f.write_str(
                "interval logs have no counters: merge reports to get a report (--json)",
            ),
        }
    }
}

impl std::error::Error for CliError {}

fn write(path: &Path, text: &str) -> Result<(), CliError> {
    std::fs::write(path, text).map_err(|error| CliError::Write(path.to_owned(), error))
}

/// Does `loadtest report`. Returns the exit code.
///
/// # Errors
/// If a file cannot be read or written.
pub fn report(args: &ReportArgs) -> Result<u8, CliError> {
    let mut reports = Vec::new();
    for path in &args.files {
        let report = file::bytes(path).and_then(|bytes| file::parse(&bytes));
        let mut report = report.map_err(|error| CliError::Read(path.clone(), error))?;
        if report.title.is_empty() {
            report.title = path.display().to_string();
        }
        if !args.fail_if.is_empty() {
            report.judge(&args.fail_if);
        }
        reports.push(report);
    }
    if let Some(path) = &args.html {
        write(path, &html::page(&reports))?;
    }
    // clap wants at least one file.
    if let Some(first) = reports.first() {
        if let Some(path) = &args.svg {
            write(path, &html::svg(first, args.time.time()))?;
        }
        if let Some(path) = &args.series {
            write(path, &series::for_file(first, path))?;
        }
    }
    print(&reports);
    let worst = reports.iter().map(Report::exit_code).max().unwrap_or(0);
    Ok(if args.fail_if.is_empty() { 0 } else { worst })
}

fn print(reports: &[Report]) {
    if let [report] = reports {
        println!("{report}");
        return;
    }
    for (at, report) in reports.iter().enumerate() {
        println!("{}  {}  {}", tables::letter(at), report.verdict.name(), report.title);
        report.reasons.iter().for_each(|reason| println!("   - {reason}"));
    }
    for table in [
        tables::steps(reports),
        tables::costs(reports),
        tables::times(reports, &tables::JOIN_TIMES),
        tables::times(reports, &tables::DELAY_TIMES),
        tables::times(reports, &tables::OWN_TIMES),
        tables::frames(reports),
        tables::ends(reports),
    ] {
        if !table.is_empty() {
            print!("\n{table}");
        }
    }
}

/// Does `loadtest merge`. Returns the exit code.
///
/// # Errors
/// If a file cannot be read or written, or files cannot be merged.
pub fn merge(args: &MergeArgs) -> Result<u8, CliError> {
    let merged = merging::merge(&args.files, &args.fail_if).map_err(CliError::Merge)?;
    if let Some(path) = &args.json {
        let Merged::Report(report) = &merged else { return Err(CliError::NoReport) };
        file::write(report, path).map_err(|error| CliError::Write(path.clone(), error))?;
    }
    if let Some(path) = &args.hdr_log {
        merged.write_log(path).map_err(|error| CliError::Write(path.clone(), error))?;
    }
    match &merged {
        Merged::Logs(logs) => print!("{logs}"),
        Merged::Report(report) => println!("{report}"),
    }
    Ok(match &merged {
        Merged::Logs(_) => 0,
        Merged::Report(report) => report.exit_code(),
    })
}

#[cfg(test)]
mod tests;
