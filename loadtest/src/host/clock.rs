//! Time as the generator counts it: nanoseconds of the machine's monotonic clock, which all
//! processes of a machine share.

use rustix::thread::{NanosleepRelativeResult, nanosleep};
use rustix::time::{ClockId, Timespec, clock_gettime};

/// Now.
pub fn now_ns() -> u64 {
    nanoseconds(clock_gettime(ClockId::Monotonic))
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
