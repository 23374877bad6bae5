//! Flush phases.
//!
//! Question: where a window's worth of bytes goes to thousands of players, all of them in one turn,
//! the last one waits for all others, and the receivers' cores and queues idle and flood by turns. If
//! the players are divided into groups whose windows end one after the other, does the delay of the
//! slowest shrink, and what does it cost?
//!
//! Compared: the bare sender with a window of 350 ms, in one, four and sixteen phases, with 4,000 and
//! with 8,000 players. Measured: the delay of video above all (a joiner's phase is chance, so the
//! median stays about half a window), and CPU per GB delivered.

use super::{Case, Load, Trial, Variant};

/// The trial.
pub fn trial() -> Trial {
    let window = ["--policy", "window", "--window", "350ms", "--phases"];
    let variant = |label, phases: &'static str| {
        let arguments: Vec<_> = window.into_iter().chain([phases]).collect();
        Variant::bare(label, &arguments)
    };
    let case = |players, variants| Case { load: Load::fan_out(players), variants };
    let (one, four) = (variant("one phase", "1"), variant("4 phases", "4"));
    Trial {
        name: "phases",
        question: "Do groups of players whose windows end one after the other wait less at the 99th percentile?",
        cases: vec![
            case(4_000, vec![one.clone(), four.clone()]),
            case(8_000, vec![one, four, variant("16 phases", "16")]),
        ],
    }
}
