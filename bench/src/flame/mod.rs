//! What a profile says: sampled stacks as a drawing, and by what they were doing as a table.
//!
//! `stacks` reads what `perf script` prints, `svg` draws it, `groups` sorts it by `rules`. How the samples are
//! taken stands in `perf/scenarios/flame.sh`.

pub mod groups;
pub mod rules;
pub mod stacks;
pub mod svg;
