//! A report as a list of what is wrong, so that a test can say what it expects and with that that
//! nothing else was found.

use loadtest::report::Report;
use std::collections::BTreeMap;

/// What was counted, by name, such as `video.lost` or `error.closed`; nothing that is zero.
pub type Found = BTreeMap<String, u64>;

/// What a report says is wrong.
pub fn found(report: &Report) -> Found {
    let players = &report.groups[0];
    let tracks = [("video", &players.video), ("audio", &players.audio)];
    let faults = tracks.into_iter().flat_map(|(name, track)| {
        track.faults().map(|(what, count)| (format!("{name}.{what}"), count))
    });
    let errors = report.publishers.errors.iter().chain(&players.errors);
    let mut found: Found = faults.filter(|(_, count)| *count > 0).collect();
    for (kind, count) in errors {
        *found.entry(format!("error.{kind}")).or_default() += count;
    }
    found
}

/// What a test expects to find.
pub fn expected<const N: usize>(counts: [(&str, u64); N]) -> Found {
    counts.into_iter().map(|(what, count)| (what.to_owned(), count)).collect()
}

/// The names alone, where the number depends on the moment.
pub fn names(found: &Found) -> Vec<&str> {
    found.keys().map(String::as_str).collect()
}
