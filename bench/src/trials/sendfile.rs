//! Logs in files in memory, sent with `sendfile`.
//!
//! Question: `send` copies the bytes once for every player; `sendfile` from a `memfd` hands the
//! socket references to the pages instead. That has a price for each page, so it may pay where much
//! goes out at a time: at which windows does it?
//!
//! Compared: the bare sender with logs in memory and in files, at a narrow and at a wide window.
//! Measured: CPU per GB delivered, delay of video.

use super::{Case, Load, Trial, Variant};

/// The trial.
pub fn trial() -> Trial {
    let narrow = ["--policy", "window", "--window", "50ms"];
    let wide = ["--policy", "window", "--window", "350ms"];
    let case = |window: [&'static str; 4], labels: [&'static str; 2]| {
        let filed: Vec<_> = window.into_iter().chain(["--sendfile"]).collect();
        let variants = vec![Variant::bare(labels[0], &window), Variant::bare(labels[1], &filed)];
        Case { load: Load::fan_out(1_000), variants }
    };
    Trial {
        name: "sendfile",
        question: "From which window on does sendfile from a file in memory cost less than send?",
        cases: vec![
            case(narrow, ["50 ms, send", "50 ms, sendfile"]),
            case(wide, ["350 ms, send", "350 ms, sendfile"]),
        ],
    }
}
