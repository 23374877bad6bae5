//! Huge pages.
//!
//! Question: a send reads its bytes through the page tables. In pages of 2 MB a log takes one entry
//! of the translation cache instead of hundreds; does that show beside the work of the send?
//!
//! Compared: the bare sender with its log in a mapping of pages of 4 KB and of 2 MB (`madvise`; the
//! table says how much memory came in huge pages), with audio riding on video and at a wide window.
//! Measured: CPU per GB delivered, delay of video, resident memory.

use super::{Case, Load, Trial, Variant};

/// The trial.
pub fn trial() -> Trial {
    let case = |labels: [&'static str; 2], policy: &[&'static str]| {
        let sized = |label, size| {
            let arguments: Vec<_> = policy.iter().copied().chain(["--pages", size]).collect();
            Variant::bare(label, &arguments)
        };
        let variants = vec![sized(labels[0], "small"), sized(labels[1], "huge")];
        Case { load: Load::fan_out(1_000), variants }
    };
    Trial {
        name: "huge-pages",
        question: "Does a log in huge pages cost less to send?",
        cases: vec![
            case(["audio rides, 4 KB", "audio rides, 2 MB"], &["--policy", "ride"]),
            case(["350 ms, 4 KB", "350 ms, 2 MB"], &["--policy", "window", "--window", "350ms"]),
        ],
    }
}
