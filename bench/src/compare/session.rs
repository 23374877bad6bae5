//! A whole comparison: goes through the schedule, keeps what came of it, says how it goes.

use super::error::Error;
use super::judge::{obstacle, why};
use super::measured::Measured;
use super::plan::Step;
use super::run::Bench;
use super::state::{Run, State};
use super::stats::number;
use std::sync::atomic::Ordering;
use std::time::Instant;

/// Goes through the schedule. What is in the state already is not run again.
///
/// A run that does not come to anything is noted with its reason; the others go on.
///
/// # Errors
/// If the state cannot be written, or all is to end.
pub fn go(bench: &Bench, steps: &[Step], state: &mut State, noisy: bool) -> Result<(), Error> {
    let began = Instant::now();
    let mut pace = Pace::default();
    for (at, step) in steps.iter().enumerate() {
        if bench.stop.load(Ordering::Relaxed) {
            return Err(Error::Stopped);
        }
        if found(state, step).is_some() {
            continue;
        }
        let name = format!("[{}/{}] {}: {}", at + 1, steps.len(), step.group, step.scene);
        let name = format!("{name}, {}, round {}", step.subject.id, step.round);
        if step.climbs && is_beyond(state, step) {
            eprintln!("{name}: spared, fewer players were too many");
            continue;
        }
        let run_began = Instant::now();
        let outcome = bench.run(step);
        if let Err(Error::Stopped) = outcome {
            return Err(Error::Stopped);
        }
        let run = Run {
            group: step.group.to_owned(),
            scene: step.scene.clone(),
            subject: step.subject.id.to_owned(),
            round: step.round,
            outcome: outcome.map_err(|error| error.to_string()),
            took_s: run_began.elapsed().as_secs_f64(),
        };
        pace.enter(step, run.took_s);
        let left = steps[at + 1..]
            .iter()
            .filter(|step| found(state, step).is_none())
            .filter(|step| !(step.climbs && is_beyond(state, step)));
        let left: f64 = left.map(|step| step.takes_s()).sum::<f64>() * pace.factor();
        eprintln!("{name}: {}, {} left", in_short(&run, noisy), minutes(left));
        state.add(run)?;
    }
    eprintln!("{} runs in {}", state.runs.len(), minutes(began.elapsed().as_secs_f64()));
    Ok(())
}

fn found<'a>(state: &'a State, step: &Step) -> Option<&'a Run> {
    state.found(step.group, &step.scene, step.subject.id, step.round)
}

/// Whether a smaller scene of the same climb was too much already.
fn is_beyond(state: &State, step: &Step) -> bool {
    let size = |scene: &super::scene::Scene| scene.players() + scene.publishers;
    state.runs.iter().any(|run| {
        run.group == step.group
            && run.subject == step.subject.id
            && run.round == step.round
            && size(&run.scene) < size(&step.scene)
            && obstacle(run).is_some()
    })
}

/// How long runs take, by what was expected.
#[derive(Default)]
struct Pace {
    expected_s: f64,
    took_s: f64,
}

impl Pace {
    fn enter(&mut self, step: &Step, took_s: f64) {
        self.expected_s += step.takes_s();
        self.took_s += took_s;
    }

    fn factor(&self) -> f64 {
        if self.expected_s > 0.0 { self.took_s / self.expected_s } else { 1.0 }
    }
}

/// What came of a run, in some words.
fn in_short(run: &Run, noisy: bool) -> String {
    match run.counted(noisy) {
        Some(measured) => figures(measured),
        None => format!("does not count: {}", why(run)),
    }
}

fn figures(measured: &Measured) -> String {
    let mut parts = Vec::new();
    if let Some(cpu) = measured.cpu_per_gb {
        parts.push(format!("{} CPU s/GB", number(cpu)));
    }
    if let Some(cpu) = measured.cpu_per_gb_in {
        parts.push(format!("{} CPU s/GB in", number(cpu)));
    }
    if let Some([p50, p99, _]) = measured.video {
        parts.push(format!("{} / {} ms", number(p50), number(p99)));
    }
    parts.join(", ")
}

/// Seconds as people say them.
pub fn minutes(seconds: f64) -> String {
    let seconds = seconds.max(0.0).round() as u64;
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds:02} s"),
        (hours, minutes, _) => format!("{hours} h {minutes:02} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_said_in_units() {
        let said = [0.4, 59.0, 61.0, 3700.0].map(minutes);
        assert_eq!(said, ["0 s", "59 s", "1 min 01 s", "1 h 01 min"]);
    }
}
