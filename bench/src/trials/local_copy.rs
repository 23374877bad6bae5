//! A copy of the log for each shard.
//!
//! Question: a shard sends bytes that another core has written. The first send of them fetches them
//! out of that core's cache, and so does every later one that finds them gone again. Would it be
//! cheaper to copy them once into memory of the shard, and to send the copy?
//!
//! Compared: the bare sender whose log is written by a thread on the other core, sending what was
//! written, and sending a copy that it makes of it; and for a measure of what there is to be had at
//! all, writing the log itself. With 1,000 players one copy is made for a thousand sends. Measured:
//! CPU per GB delivered, the writer's included, delay of video.

use super::program::two_cores;
use super::{Case, Load, Trial, Variant};

/// The trial.
pub fn trial() -> Trial {
    // That of the load, which is where a second shard would be.
    let writer = two_cores().1.to_string();
    let variants = vec![
        Variant::bare("written elsewhere", &["--policy", "ride", "--writer-core", &writer]),
        Variant::bare(
            "written elsewhere, copied",
            &["--policy", "ride", "--writer-core", &writer, "--local-copy"],
        ),
        Variant::bare("written where it is sent", &["--policy", "ride"]),
    ];
    Trial {
        name: "local-copy",
        question: "Does it pay to copy what another core has written before it is sent to many?",
        cases: vec![Case { load: Load::fan_out(1_000), variants }],
    }
}
