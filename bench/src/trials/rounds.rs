//! Runs a trial: round by round, the variants of a case one after the other, forwards and backwards
//! in turns, so that what a machine does meanwhile meets all of them.

use super::run::run;
use super::{Load, Programs, Run, RunError, Trial};
use std::time::Duration;

/// How much of a trial is done. What is not said is as the trial has it.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    /// Players of every case.
    pub players: Option<usize>,
    /// Publishers of every case.
    pub publishers: Option<u32>,
    /// How long each run is measured.
    pub length: Duration,
    /// How often each variant runs.
    pub rounds: usize,
}

impl Scale {
    /// A load as it is to be. More streams than there are publishers or players are not played.
    fn of(&self, load: Load) -> Load {
        let players = self.players.unwrap_or(load.players).max(1);
        let publishers = self.publishers.unwrap_or(load.publishers).max(1);
        let most = publishers.min(u32::try_from(players).unwrap_or(u32::MAX));
        Load { players, publishers, played: load.played.min(most), ..load }
    }
}

/// Runs a trial, and tells of each run.
///
/// # Errors
/// If a variant could not be run at all.
pub fn rounds(
    trial: &Trial,
    programs: &Programs,
    scale: &Scale,
    tell: &mut dyn FnMut(&Run),
) -> Result<Vec<Run>, RunError> {
    let mut runs = Vec::new();
    for (number, case) in trial.cases.iter().enumerate() {
        for round in 1..=scale.rounds {
            for at in order(case.variants.len(), round) {
                let made = run(programs, &case.variants[at], scale.of(case.load), scale.length)?;
                let trial = trial.name.to_owned();
                let made = Run { trial, case: number, round, ..made };
                tell(&made);
                runs.push(made);
            }
        }
    }
    Ok(runs)
}

/// The places of so many variants, as they run in a round.
fn order(variants: usize, round: usize) -> Vec<usize> {
    let forwards = 0..variants;
    if round % 2 == 1 { forwards.collect() } else { forwards.rev().collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_turns_from_round_to_round() {
        assert_eq!(order(3, 1), [0, 1, 2]);
        assert_eq!(order(3, 2), [2, 1, 0]);
    }

    #[test]
    fn a_small_scale_plays_no_more_streams_than_there_are() {
        let (length, rounds) = (Duration::from_secs(1), 1);
        let scale = Scale { players: Some(2), publishers: Some(3), length, rounds };
        let load = scale.of(Load::ingest(1_000));
        assert_eq!((load.players, load.publishers, load.played), (2, 3, 2));
        let whole = Scale { players: None, publishers: None, ..scale };
        assert_eq!(whole.of(Load::ingest(1_000)), Load::ingest(1_000));
    }
}
