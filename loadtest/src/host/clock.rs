//! Time as the generator counts it, in nanoseconds.

use rustix::thread::{NanosleepRelativeResult, nanosleep};
use rustix::time::{ClockId, Timespec, clock_gettime};

/// A clock that never goes back.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// What is added to the machine's monotonic clock.
    offset_ns: u64,
}

impl Clock {
    /// The monotonic clock of this machine, which all its processes share.
    pub fn monotonic() -> Self {
        Self { offset_ns: 0 }
    }

    /// The time of day as it is now, going on with the monotonic clock: what hosts share whose
    /// clocks are kept together (NTP, PTP), as well as they are.
    pub fn wall() -> Self {
        let wall = nanoseconds(clock_gettime(ClockId::Realtime));
        Self { offset_ns: wall.saturating_sub(nanoseconds(clock_gettime(ClockId::Monotonic))) }
    }

    /// Now.
    pub fn now_ns(self) -> u64 {
        nanoseconds(clock_gettime(ClockId::Monotonic)) + self.offset_ns
    }
}

/// What this thread has used of its core.
pub fn thread_cpu_ns() -> u64 {
    nanoseconds(clock_gettime(ClockId::ThreadCPUTime))
}

/// Sleeps, less than a second.
pub fn sleep_ns(ns: u64) {
    let time = Timespec { tv_sec: 0, tv_nsec: ns.min(999_999_999) as i64 };
    match nanosleep(&time) {
        // Interrupted, the round that follows is only early.
        NanosleepRelativeResult::Ok | NanosleepRelativeResult::Interrupted(_) => {}
        NanosleepRelativeResult::Err(_) => {}
    }
}

fn nanoseconds(time: Timespec) -> u64 {
    time.tv_sec.unsigned_abs() * 1_000_000_000 + time.tv_nsec.unsigned_abs()
}
