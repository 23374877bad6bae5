//! What the director and the workers have in common: wishes down, counters up.

use crate::account::tally::{Counts, Delays};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize};
use std::sync::{Mutex, PoisonError};

/// How far a stream's publisher has come.
#[derive(Debug, Default)]
pub struct Slot {
    /// Video frames published.
    pub video: AtomicU32,
    /// Audio frames published.
    pub audio: AtomicU32,
}

/// What all threads see.
#[derive(Debug)]
pub struct Shared {
    /// The streams, by number.
    pub streams: Vec<Slot>,
    /// Players are spread over this many streams, the first ones.
    pub played: u32,
    /// How many players there shall be.
    pub players: AtomicUsize,
    /// Publishers send no more.
    pub quiet: AtomicBool,
    /// The run is over.
    pub over: AtomicBool,
    reports: Vec<Mutex<Report>>,
}

#[derive(Debug, Default)]
struct Report {
    counts: Counts,
    delays: Delays,
    behind: u64,
}

impl Shared {
    /// A run with so many workers and streams.
    pub fn new(workers: usize, streams: u32, played: u32) -> Self {
        Self {
            streams: (0..streams).map(|_| Slot::default()).collect(),
            played,
            players: AtomicUsize::new(0),
            quiet: AtomicBool::new(false),
            over: AtomicBool::new(false),
            reports: (0..workers).map(|_| Mutex::default()).collect(),
        }
    }

    /// A worker's counters as they stand, and its delays since the last time, which are taken over.
    pub fn hand_over(&self, worker: usize, counts: &Counts, delays: &mut Delays, behind: u64) {
        let mut report = lock(&self.reports[worker]);
        report.counts.clone_from(counts);
        report.delays.add(delays);
        report.behind = behind;
        delays.clear();
    }

    /// All counters as they stand, the frames still under way, and the delays since the last call.
    pub fn collect(&self, delays: &mut Delays) -> (Counts, u64) {
        let (mut counts, mut behind) = (Counts::default(), 0);
        for report in &self.reports {
            let mut report = lock(report);
            counts.add(&report.counts);
            behind += report.behind;
            delays.add(&report.delays);
            report.delays.clear();
        }
        (counts, behind)
    }
}

fn lock(report: &Mutex<Report>) -> std::sync::MutexGuard<'_, Report> {
    // Nothing that can panic happens under this lock.
    report.lock().unwrap_or_else(PoisonError::into_inner)
}
