//! Medians of each server under each load, over all rounds and groups in which it was run.

use super::table::Table;
use crate::compare::judge::{Judge, per_viewer};
use crate::compare::measured::Measured;
use crate::compare::scene::Scene;
use crate::compare::state::Run;
use crate::compare::stats::{Spread, number};
use serde::Serialize;

/// One server under one load.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figures {
    /// The load.
    pub scene: Scene,
    /// The server.
    pub subject: String,
    /// Runs that count, of those that were made.
    pub rounds: (usize, usize),
    /// Processor seconds per gigabyte to players; taken in where nobody plays.
    pub cpu: Option<Spread>,
    /// Share of the core.
    pub cores: Option<Spread>,
    /// Video delay, ms: p50, p99, p99.9.
    pub video: [Option<Spread>; 3],
    /// From asking to the first frame, ms: p50, p99.
    pub join: [Option<Spread>; 2],
    /// Bytes per added viewer, where it was measured.
    pub per_viewer: Option<Spread>,
}

/// All of them, in the order of the loads.
pub fn all(judge: &Judge<'_>) -> Vec<Figures> {
    let mut found: Vec<(&Scene, &str)> = Vec::new();
    for run in judge.runs {
        let key = (&run.scene, run.subject.as_str());
        if !found.contains(&key) {
            found.push(key);
        }
    }
    let size = |scene: &Scene| (scene.nap_ms, scene.publishers, scene.players());
    found.sort_by(|one, other| {
        let network = |scene: &Scene| scene.network as u8;
        network(one.0).cmp(&network(other.0)).then(size(one.0).cmp(&size(other.0)))
    });
    found.into_iter().map(|(scene, subject)| of(judge, scene, subject)).collect()
}

fn of(judge: &Judge<'_>, scene: &Scene, subject: &str) -> Figures {
    let runs: Vec<&Run> =
        judge.runs.iter().filter(|run| run.scene == *scene && run.subject == subject).collect();
    let counted: Vec<(&Run, &Measured)> =
        runs.iter().filter_map(|run| Some((*run, run.counted(judge.noisy)?))).collect();
    let spread = |value: &dyn Fn(&Run, &Measured) -> Option<f64>| {
        Spread::of(counted.iter().filter_map(|(run, measured)| value(run, measured)))
    };
    Figures {
        scene: scene.clone(),
        subject: subject.to_owned(),
        rounds: (counted.len(), runs.len()),
        cpu: spread(&|_, measured| measured.cpu_per_gb.or(measured.cpu_per_gb_in)),
        cores: spread(&|_, measured| measured.cores),
        video: [0, 1, 2].map(|at| spread(&|_, measured| Some(measured.video?[at]))),
        join: [0, 1].map(|at| spread(&|_, measured| Some(measured.join?[at]))),
        per_viewer: spread(&|run, measured| per_viewer(run, measured)),
    }
}

/// As a table.
pub fn table(figures: &[Figures]) -> Table {
    let mut table = Table::new(&[
        "load",
        "server",
        ">CPU s/GB",
        ">of a core",
        ">video p50 / p99 / p99.9",
        ">join p50 / p99",
        ">KB a viewer",
        ">runs",
    ]);
    let median = |spread: &Option<Spread>| {
        spread.map_or_else(|| "-".to_owned(), |spread| number(spread.median))
    };
    for row in figures {
        let several =
            |spreads: &[Option<Spread>]| spreads.iter().map(median).collect::<Vec<_>>().join(" / ");
        let kilobytes = row.per_viewer.map(|spread| number(spread.median / 1e3));
        table.push([
            row.scene.to_string(),
            row.subject.clone(),
            median(&row.cpu),
            row.cores.map_or_else(|| "-".to_owned(), |s| format!("{:.0} %", s.median * 100.0)),
            several(&row.video),
            several(&row.join),
            kilobytes.unwrap_or_default(),
            format!("{} of {}", row.rounds.0, row.rounds.1),
        ]);
    }
    table
}

/// A run's cells in the table of all runs.
pub fn of_run(measured: &Measured) -> [String; 5] {
    let dash = || "-".to_owned();
    let softirqs: Vec<String> = measured.net_rx.iter().map(u64::to_string).collect();
    [
        measured.cpu_per_gb.or(measured.cpu_per_gb_in).map_or_else(dash, number),
        measured.cores.map_or_else(dash, |cores| format!("{:.0} %", cores * 100.0)),
        measured.video.map_or_else(dash, |video| video.map(number).join(" / ")),
        format!("{:.0} %", measured.own_core * 100.0),
        softirqs.join(" / "),
    ]
}
