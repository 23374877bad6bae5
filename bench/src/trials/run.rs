//! One run: a program is started, loaded, and asked what it used. What several runs say together is
//! `summary`'s business.

use super::program::{Served, two_cores};
use super::{Cores, Load, Programs, Variant};
use loadtest::media::shape::Shape;
use loadtest::media::source::Source;
use loadtest::plan::{Plan, Publishers, Target};
use loadtest::report::{Report, Verdict};
use loadtest::swarm::director;
use serde::Serialize;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// From the last publisher's acceptance until the first player comes. The programs compared show a
/// stream the moment that it is published, so it need not be long.
const LEAD: Duration = Duration::from_millis(300);
/// Pictures per second of each stream.
const PICTURES: u32 = 30;

/// What a run came to. Bytes are bytes, shares are of one core.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Run {
    /// The trial.
    pub trial: String,
    /// Number of the case in its trial, from 0.
    pub case: usize,
    /// The variant.
    pub variant: String,
    /// Number of the round, from 1.
    pub round: usize,
    /// What the load generator thinks of it. Only what passed is compared.
    pub verdict: Verdict,
    /// Why, unless it passed.
    pub reasons: Vec<String>,
    /// User and system time of the program, seconds for each 10^9 bytes: of those that the players
    /// received, or of those that the publishers sent, whichever were more.
    pub cpu_s_per_gb: Option<f64>,
    /// The same time as a share of a core.
    pub cores: f64,
    /// Delay of video from its scheduled send to the player's read, milliseconds.
    pub p50_ms: f64,
    /// Its 99th percentile.
    pub p99_ms: f64,
    /// Resident memory of the program at the end.
    pub resident_bytes: u64,
    /// Of that, what is in huge pages.
    pub huge_bytes: u64,
    /// The share of its core that the load generator used.
    pub own_core: f64,
    /// Frames that players received.
    pub frames: u64,
    /// Frames of which every byte was compared.
    pub compared: u64,
    /// Frames that were lost, damaged, or out of their order.
    pub faults: u64,
}

/// Why there was no run.
#[derive(Debug)]
pub enum RunError {
    /// The program could not be started.
    Program(io::Error),
    /// The load generator could not run.
    Load(io::Error),
    /// The program said of itself where nobody can connect to.
    Url(String),
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Program(error) => write!(f, "the program: {error}"),
            Self::Load(error) => write!(f, "the load generator: {error}"),
            Self::Url(url) => write!(f, "the program: it announced {url}"),
        }
    }
}

impl std::error::Error for RunError {}

/// Loads a variant for so long.
///
/// # Errors
/// If it cannot be started, or not be loaded. What it does wrong under load is in its [`Run`].
pub fn run(
    programs: &Programs,
    variant: &Variant,
    load: Load,
    length: Duration,
) -> Result<Run, RunError> {
    let (own, loads) = two_cores();
    let cores = match variant.cores {
        Cores::Own => vec![own],
        Cores::Shared if own == loads => vec![own],
        Cores::Shared => vec![own, loads],
    };
    let served = Served::start(programs, variant.program, &variant.arguments, &cores)
        .map_err(RunError::Program)?;
    let report = load_with(&served, load, length, loads)?;
    let huge_bytes = huge(served.pid());
    Ok(Run { variant: variant.label.to_owned(), huge_bytes, ..entered(&report) })
}

fn load_with(
    served: &Served,
    load: Load,
    length: Duration,
    core: usize,
) -> Result<Report, RunError> {
    let url = format!("{}trial", served.url());
    let target = Target::from_url(&url, load.publishers > 1, false)
        .map_err(|_| RunError::Url(url.clone()))?;
    let shape = Shape::new(load.bits_per_second, PICTURES);
    // Hundreds of publishers that all begin at once are a peak that a server meets when it was
    // started anew, and then no more.
    let over = Duration::from_millis(u64::from(load.publishers / 100) * 200);
    let speed = f64::from(load.speed_percent) / 100.0;
    let plan = Plan {
        publishers: Publishers { over, speed, ..Publishers::steady(load.publishers) },
        played: load.played,
        sources: vec![Arc::new(Source::Generated(shape))],
        cores: vec![core],
        lead: LEAD,
        pid: Some(served.pid()),
        ..Plan::steady(target, load.players, length)
    };
    Ok(Report::of(&director::run(&plan, &mut ()).map_err(RunError::Load)?, &[]))
}

/// What a report says of the step in which all played.
fn entered(report: &Report) -> Run {
    let step = report.steps.first().cloned().unwrap_or_default();
    let used = step.server.unwrap_or_default();
    let carried = step.bytes.max(step.published_bytes) as f64 / 1e9;
    let judged = report.judged();
    Run {
        verdict: report.verdict,
        reasons: report.reasons.clone(),
        cpu_s_per_gb: (carried > 0.0).then(|| used.cpu_s / carried),
        cores: used.cores,
        p50_ms: step.times.video.p50,
        p99_ms: step.times.video.p99,
        resident_bytes: used.resident_bytes,
        own_core: step.own_core(),
        frames: judged.frames,
        compared: report.groups.iter().map(|group| group.compared).sum(),
        faults: judged.faults().iter().map(|(_, count)| count).sum(),
        ..Run::default()
    }
}

/// What a process has in huge pages: `AnonHugePages` of `/proc/PID/smaps_rollup` (proc(5)), and
/// nothing where a kernel does not tell.
fn huge(pid: u32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("AnonHugePages:"));
    let kilobytes = line.and_then(|line| line.split_ascii_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1024
}

#[cfg(test)]
mod tests {
    use super::*;
    use loadtest::report::figures::{Server, Step};

    #[test]
    fn the_cost_is_that_of_the_way_most_went() {
        let server = Some(Server { cpu_s: 3.0, cores: 0.5, ..Server::default() });
        let step = Step { bytes: 2_000_000_000, published_bytes: 1_000, server, ..Step::default() };
        let of = |step: &Step| entered(&Report { steps: vec![step.clone()], ..Report::default() });
        assert_eq!(of(&step).cpu_s_per_gb, Some(1.5));
        let ingest = Step { published_bytes: 3_000_000_000, ..step };
        assert_eq!(of(&ingest).cpu_s_per_gb, Some(1.0));
        assert_eq!(entered(&Report::default()).cpu_s_per_gb, None);
    }
}
