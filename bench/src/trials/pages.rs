//! Huge pages.
//!
//! Question: a send reads its bytes through the page tables. In pages of 2 MB a log takes one entry
//! of the translation cache instead of hundreds; does that show beside the work of the send?
//!
//! Compared: the bare sender with its log in a mapping of pages of 4 KB and of 2 MB (`madvise`; the
//! table says how much memory came in huge pages), at a window of 100 ms. Measured: CPU per GB
//! delivered, delay of video, resident memory.

use super::{Case, Load, Trial, Variant};

/// The trial.
pub fn trial() -> Trial {
    let variant = |label, size| {
        Variant::bare(label, &["--policy", "window", "--window", "100ms", "--pages", size])
    };
    Trial {
        name: "huge-pages",
        question: "Does a log in huge pages cost less to send?",
        cases: vec![Case {
            load: Load::fan_out(1_000),
            variants: vec![variant("pages of 4 KB", "small"), variant("pages of 2 MB", "huge")],
        }],
    }
}
