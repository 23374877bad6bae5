//! Trials: what might make the server cheaper, each held against what it does now.
//!
//! A [`Trial`] is a question with one or several [`Case`]s; a case is a load and the programs that
//! carry it in turns, the first of which is what the others are compared with. Each trial has a
//! file, which says what is asked and what is measured. The programs are the [bare](crate::bare)
//! sender with one option more or less, and where the question is about the server, the server.
//!
//! ```text
//!   nagle, sendfile ... ─► Trial ─► rounds: variants in turns ─► run: one program under one load
//!                                      └► summary: medians and ratios ─► table: Markdown
//! ```
//! The load is `loadtest`'s, which looks at every frame: a variant that delivers anything but the
//! right bytes has failed, whatever it costs. Nothing here decides whether a variant is kept.

mod allocator;
mod local_copy;
mod nagle;
mod pages;
mod phases;
mod program;
mod rounds;
mod run;
mod sendfile;
mod setup;
mod summary;
mod table;
mod threads;
mod uring;
mod wait;

pub use program::{Program, Programs};
pub use rounds::{Scale, rounds};
pub use run::{Run, RunError};
pub use summary::{Row, Spread, rows};
pub use table::markdown;

/// A question, and what is compared to answer it.
#[derive(Clone, Debug)]
pub struct Trial {
    /// Its name on the command line and in reports.
    pub name: &'static str,
    /// What is asked, in a sentence.
    pub question: &'static str,
    /// What is compared.
    pub cases: Vec<Case>,
}

/// Variants under one load.
#[derive(Clone, Debug)]
pub struct Case {
    /// The load.
    pub load: Load,
    /// What carries it: first what the others are compared with.
    pub variants: Vec<Variant>,
}

/// A load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    /// Streams, each with its publisher.
    pub publishers: u32,
    /// The players are spread over so many of the streams, the first ones.
    pub played: u32,
    /// Players in all.
    pub players: usize,
    /// Bits per second of each stream.
    pub bits_per_second: u64,
    /// How fast the streams are sent, in per cent of real time: more streams fit slow than fast.
    pub speed_percent: u8,
}

impl Load {
    /// One stream of 2.63 Mbit/s, which so many play.
    pub const fn fan_out(players: usize) -> Self {
        Self {
            publishers: 1,
            played: 1,
            players,
            bits_per_second: crate::BITRATE,
            speed_percent: 100,
        }
    }

    /// So many publishers of 2.63 Mbit/s. Ten streams are played, to see that they are whole.
    pub const fn ingest(publishers: u32) -> Self {
        Self {
            publishers,
            played: 10,
            players: 10,
            bits_per_second: crate::BITRATE,
            speed_percent: 100,
        }
    }
}

/// One of the programs compared.
#[derive(Clone, Debug)]
pub struct Variant {
    /// What it is called in tables.
    pub label: &'static str,
    /// The program.
    pub program: Program,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// The cores that it may use.
    pub cores: Cores,
}

impl Variant {
    /// The bare sender with these options, on its core.
    pub fn bare(label: &'static str, arguments: &[&str]) -> Self {
        let arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        Self { label, program: Program::Bare, arguments, cores: Cores::Own }
    }
}

/// The cores that a program may use. The load always has the last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cores {
    /// The first one.
    Own,
    /// The first one and that of the load.
    Shared,
}

/// All trials, in the order in which they run.
pub fn all() -> Vec<Trial> {
    vec![
        uring::trial(),
        local_copy::trial(),
        sendfile::trial(),
        nagle::trial(),
        phases::trial(),
        wait::trial(),
        pages::trial(),
        setup::trial(),
        allocator::trial(),
        threads::trial(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_trial_has_a_name_of_its_own_and_something_to_compare() {
        let trials = all();
        let names: BTreeSet<_> = trials.iter().map(|trial| trial.name).collect();
        assert_eq!(names.len(), trials.len());
        for trial in &trials {
            assert!(trial.question.ends_with('?') && !trial.cases.is_empty(), "{}", trial.name);
            for case in &trial.cases {
                let labels: BTreeSet<_> = case.variants.iter().map(|one| one.label).collect();
                assert!(labels.len() == case.variants.len() && labels.len() > 1, "{}", trial.name);
                let Load { publishers, played, players, .. } = case.load;
                assert!((1..=publishers).contains(&played) && players >= played as usize);
            }
        }
    }
}
