//! What the director and the workers have in common: wishes down, counters up.

use crate::account::epoch::Epochs;
use crate::account::tally::Counts;
use crate::account::times::Times;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize};
use std::sync::{Mutex, PoisonError};

/// What all threads see.
#[derive(Debug)]
pub struct Shared {
    /// The streams.
    pub streams: Vec<Epochs>,
    /// How many of them shall be published by now.
    pub published: AtomicU32,
    /// How many players there shall be, of each group.
    pub wanted: Vec<AtomicUsize>,
    /// Accounts are closing: nobody comes or goes, and frames sent from now on are not owed.
    /// Publishers go on, since a server may keep a batch until more comes.
    pub closing: AtomicBool,
    /// The run is over.
    pub over: AtomicBool,
    reports: Vec<Mutex<Report>>,
}

#[derive(Debug)]
struct Report {
    counts: Counts,
    times: Times,
    /// The times were collected; what is in their place is empty.
    collected: bool,
    behind: u64,
}

impl Shared {
    /// A run with so many workers, streams and groups of players.
    pub fn new(workers: usize, streams: u32, groups: usize) -> Self {
        let report = || Report {
            counts: Counts::new(groups),
            times: Times::default(),
            collected: true,
            behind: 0,
        };
        Self {
            streams: (0..streams).map(|_| Epochs::default()).collect(),
            published: AtomicU32::new(0),
            wanted: (0..groups).map(|_| AtomicUsize::new(0)).collect(),
            closing: AtomicBool::new(false),
            over: AtomicBool::new(false),
            reports: (0..workers).map(|_| Mutex::new(report())).collect(),
        }
    }

    /// A worker's counters as they stand, and its times since the last time, which are taken over.
    pub fn hand_over(&self, worker: usize, counts: &Counts, times: &mut Times, behind: u64) {
        let mut report = lock(&self.reports[worker]);
        report.counts.clone_from(counts);
        report.behind = behind;
        if report.collected {
            // The worker's time is dear: nothing is added that can be exchanged.
            std::mem::swap(&mut report.times, times);
            report.collected = false;
        } else {
            report.times.add(times);
        }
        drop(report);
        times.clear();
    }

    /// All counters as they stand, the frames still under way, and the times since the last call,
    /// which are added to `times`.
    pub fn collect(&self, times: &mut Times) -> (Counts, u64) {
        let (mut counts, mut behind) = (Counts::new(self.wanted.len()), 0);
        for report in &self.reports {
            let mut taken = Times::default();
            let mut report = lock(report);
            counts.add(&report.counts);
            behind += report.behind;
            if !report.collected {
                std::mem::swap(&mut report.times, &mut taken);
                report.collected = true;
            }
            drop(report);
            times.add(&taken);
        }
        (counts, behind)
    }
}

fn lock(report: &Mutex<Report>) -> std::sync::MutexGuard<'_, Report> {
    // Nothing that can panic happens under this lock.
    report.lock().unwrap_or_else(PoisonError::into_inner)
}
