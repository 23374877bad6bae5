//! mimalloc or the system's allocator.
//!
//! Question: nothing is allocated for a frame and a viewer, but connections, messages of publishers
//! and segments of logs are. Does the allocator matter to what the server costs, or to what it holds?
//!
//! Compared: the server as it is, and built with the feature `system-allocator`, with 1,000 players
//! of one stream and with 1,000 publishers. Measured: CPU per GB delivered or taken in, delay of
//! video, resident memory.

use super::{Case, Cores, Load, Program, Trial, Variant};

/// The trial.
pub fn trial() -> Trial {
    let variant =
        |label, program| Variant { label, program, arguments: Vec::new(), cores: Cores::Own };
    let variants = vec![
        variant("mimalloc", Program::Millstream),
        variant("the system's", Program::MillstreamSystemAllocator),
    ];
    let case = |load| Case { load, variants: variants.clone() };
    Trial {
        name: "allocator",
        question: "Does mimalloc make the server cheaper or smaller than the system's allocator does?",
        cases: vec![case(Load::fan_out(1_000)), case(Load::ingest(1_000))],
    }
}
