//! How many players fit: short runs with more and more of them, until something gives way.
//!
//! Each trial is a run of its own with connections of its own, so that what an overloaded one left
//! behind does not count against the next.

use crate::account::record::{Moment, Observer, Record};
use crate::account::times::{Time, Times};
use crate::limits::{FIT_LENGTH, FIT_OWN_CORE_MAX, FIT_P99_MS_MAX, OWN_LAG_MS_MAX};
use crate::plan::{Group, Plan, Publishing, Step};
use crate::swarm::director;
use std::io;

/// What was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Fit {
    /// So many players fit.
    pub players: usize,
    /// What stood in the way of more.
    pub limit: String,
}

/// Finds how many players fit, no more than `most`.
///
/// # Errors
/// If the generator itself cannot run.
pub fn find(plan: &Plan, most: usize, observer: &mut dyn Observer) -> io::Result<Fit> {
    let (mut good, mut bad) = (0, None);
    let mut limit = "this program may not open more files (ulimit -n)".to_owned();
    let mut players = 250.min(most);
    loop {
        observer.phase(&format!("trying {players} players"));
        let mut trial = plan.clone();
        trial.steps = vec![Step::new(players, FIT_LENGTH)];
        // Who goes away by plan, or does not read, cannot show whether all of them fit.
        trial.groups = vec![Group::healthy()];
        trial.publishers.behaviour = Publishing::Steady;
        let record = director::run(&trial, &mut Quiet(observer))?;
        if observer.wants_to_stop() {
            break;
        }
        match obstacle(&record, players) {
            None => good = players,
            Some(why) => {
                observer.phase(&format!("{players} players are too many: {why}"));
                (bad, limit) = (Some(players), why);
            }
        }
        players = match bad {
            None if good >= most => break,
            None => (good * 2).min(most),
            // An eighth is near enough: the next run of the same differs by as much.
            Some(bad) if bad - good <= (bad / 8).max(1) => break,
            Some(bad) => good + (bad - good) / 2,
        };
    }
    Ok(Fit { players: good, limit })
}

/// What is wrong with a trial, if anything is.
fn obstacle(record: &Record, wanted: usize) -> Option<String> {
    let Some(stretch) = record.stretches.last() else {
        return Some("the publisher was not accepted".to_owned());
    };
    let p99 = |time: Time| stretch.times[time as usize].p99;
    let players = record.counts.players();
    let lost = players.video.wrong() + players.audio.wrong();
    let own_core = stretch.own_cores.iter().copied().fold(0.0, f64::max);
    // The generator comes first: what it is too slow for is not the server's doing.
    if own_core > FIT_OWN_CORE_MAX {
        Some(format!("the generator's own core is {:.0} % busy", own_core * 100.0))
    } else if p99(Time::Lag) > OWN_LAG_MS_MAX {
        Some(format!("the generator's own lag is {:.1} ms (p99)", p99(Time::Lag)))
    } else if stretch.playing < wanted as u64 {
        Some(format!("only {} of them came to play", stretch.playing))
    } else if lost > 0 {
        Some(format!("{lost} frames were not as they should be"))
    } else if p99(Time::Video) > FIT_P99_MS_MAX {
        Some(format!("video takes {:.0} ms (p99)", p99(Time::Video)))
    } else {
        None
    }
}

/// Passes on the wish to stop, and nothing else: trials are no part of the report.
struct Quiet<'a>(&'a mut dyn Observer);

impl Observer for Quiet<'_> {
    fn moment(&mut self, _: &Moment, _: &Times) {}

    fn phase(&mut self, _: &str) {}

    fn wants_to_stop(&self) -> bool {
        self.0.wants_to_stop()
    }
}
