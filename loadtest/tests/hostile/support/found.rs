//! A report as a list of what is wrong, so that a test can say what it expects and with that that
//! nothing else was found.

use loadtest::report::{Report, TrackReport};
use std::collections::BTreeMap;

/// What was counted, by name, such as `video.lost` or `error.closed`; nothing that is zero.
pub type Found = BTreeMap<String, u64>;

/// What a report says is wrong.
pub fn found(report: &Report) -> Found {
    let tracks = [("video", &report.video), ("audio", &report.audio)];
    let faults = tracks.into_iter().flat_map(|(name, track)| {
        let TrackReport { lost, duplicated, reordered, corrupt, unmarked, .. } = *track;
        let counts = [
            ("lost", lost),
            ("duplicated", duplicated),
            ("reordered", reordered),
            ("corrupt", corrupt),
            ("unmarked", unmarked),
        ];
        counts.map(|(what, count)| (format!("{name}.{what}"), count))
    });
    let errors = report.errors.iter().map(|(kind, count)| (format!("error.{kind}"), *count));
    faults.chain(errors).filter(|(_, count)| *count > 0).collect()
}

/// What a test expects to find.
pub fn expected<const N: usize>(counts: [(&str, u64); N]) -> Found {
    counts.into_iter().map(|(what, count)| (what.to_owned(), count)).collect()
}

/// The names alone, where the number depends on the moment.
pub fn names(found: &Found) -> Vec<&str> {
    found.keys().map(String::as_str).collect()
}
