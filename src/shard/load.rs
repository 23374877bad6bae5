//! How busy a shard's core is with it, and with fan-out passes: the measure behind `pacing`.
//!
//! Busy is the share of the time in which the thread could have run that it did run, over the last
//! second. The time in which it was ready and something else had the core is left out of account:
//! a shard that gets a fifth of its core, and never rests, is full at a fifth. A second is longer
//! than any window, so that it holds several passes however the two fall; the bursts of single
//! passes and of key frames would otherwise be taken for changes of load.

use crate::limits;
use crate::moment::Moment;
use std::collections::VecDeque;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::time::Duration;

/// What a thread has had of its core since it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// It ran.
    pub ran: Duration,
    /// It was ready to run and did not.
    pub waited: Duration,
    /// It was in fan-out passes, by the clock on the wall.
    pub passed: Duration,
}

/// How busy a shard was, in thousandths of what it could have been.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Busy {
    /// With everything.
    pub all: u32,
    /// With fan-out passes alone, at most.
    pub passes: u32,
}

/// The load over the last second.
#[derive(Debug, Default)]
pub struct Load {
    marks: VecDeque<(Moment, Share)>,
}

impl Load {
    /// Forgets what was before the last observation: the load of another window says nothing of
    /// this one.
    pub fn restart(&mut self) {
        let kept = self.marks.len().saturating_sub(1);
        self.marks.drain(..kept);
    }

    /// Takes in what the thread has had until now. Returns how busy it was.
    pub fn observe(&mut self, share: Share, now: Moment) -> Busy {
        let (since, before) = *self.marks.front().unwrap_or(&(now, share));
        if self.marks.len() >= limits::TICKS_PER_SECOND as usize {
            self.marks.pop_front();
        }
        self.marks.push_back((now, share));
        let ran = share.ran.saturating_sub(before.ran);
        let waited = share.waited.saturating_sub(before.waited);
        let available = now.since(since).saturating_sub(waited).max(ran);
        let permille = |part: Duration| {
            let permille = part.as_micros() * 1000 / available.as_micros().max(1);
            u32::try_from(permille).unwrap_or(1000).min(1000)
        };
        let all = permille(ran);
        // Within a pass the thread may have waited for the core, too.
        let passes = permille(share.passed.saturating_sub(before.passed)).min(all);
        Busy { all, passes }
    }
}

/// Where the calling thread's share is read.
#[derive(Debug)]
pub struct Meter {
    /// Held open: a read of it costs two microseconds.
    schedule: Option<File>,
}

impl Meter {
    /// A meter of the calling thread.
    pub fn new() -> Self {
        // Not every kernel keeps the account (CONFIG_SCHED_INFO); waiting then counts as rest.
        Self { schedule: File::open("/proc/thread-self/schedstat").ok() }
    }

    /// What the thread has had so far; what of it was in passes is the shard's to add. To be called
    /// on that thread.
    pub fn read(&self) -> Share {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        let ran =
            Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0));
        Share { ran, waited: self.waited().unwrap_or_default(), passed: Duration::ZERO }
    }

    fn waited(&self) -> Option<Duration> {
        let mut text = [0; 96];
        let length = self.schedule.as_ref()?.read_at(&mut text, 0).ok()?;
        let text = std::str::from_utf8(&text[..length]).ok()?;
        // Nanoseconds run, nanoseconds waited, time slices.
        text.split_ascii_whitespace().nth(1)?.parse().ok().map(Duration::from_nanos)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(ran_ms: u64, waited_ms: u64) -> Share {
        let (ran, waited) = (Duration::from_millis(ran_ms), Duration::from_millis(waited_ms));
        Share { ran, waited, passed: Duration::ZERO }
    }

    #[test]
    fn passes_are_a_part_of_what_was_run() {
        let passed = |ran_ms, waited_ms, passed_ms| Share {
            passed: Duration::from_millis(passed_ms),
            ..share(ran_ms, waited_ms)
        };
        let mut load = Load::default();
        load.observe(passed(0, 0, 0), Moment::from_ms(0));
        let busy = load.observe(passed(150, 0, 50), Moment::from_ms(250));
        assert_eq!(busy, Busy { all: 600, passes: 200 });
        // The wall's clock went on while the thread waited.
        let mut load = Load::default();
        load.observe(passed(0, 0, 0), Moment::from_ms(0));
        let busy = load.observe(passed(50, 100, 120), Moment::from_ms(250));
        assert_eq!(busy, Busy { all: 333, passes: 333 });
    }

    #[test]
    fn load_is_what_was_run_of_what_could_be() {
        let mut load = Load::default();
        load.observe(share(0, 0), Moment::from_ms(0));
        assert_eq!(load.observe(share(50, 0), Moment::from_ms(250)).all, 200);
        // It got a fifth of the core, and rested in none of the remaining time.
        let mut load = Load::default();
        load.observe(share(0, 0), Moment::from_ms(0));
        assert_eq!(load.observe(share(50, 200), Moment::from_ms(250)).all, 1000);
        assert_eq!(load.observe(share(60, 240), Moment::from_ms(500)).all, 60 * 1000 / 260);
    }

    #[test]
    fn a_pass_in_every_other_tick_is_no_swing() {
        let mut load = Load::default();
        let mut seen = Vec::new();
        for tick in 0..40 {
            // 350 ms between passes of 150 ms each.
            let ran = tick * 250 / 350 * 150;
            seen.push(load.observe(share(ran, 0), Moment::from_ms(tick * 250)).all);
        }
        let steady = &seen[8..];
        let (least, most) = (steady.iter().min().unwrap(), steady.iter().max().unwrap());
        assert!(*least >= 300 && *most <= 600, "{steady:?}");
    }

    #[test]
    fn what_was_before_a_restart_is_forgotten() {
        let mut load = Load::default();
        for tick in 0..8 {
            load.observe(share(tick * 250, 0), Moment::from_ms(tick * 250));
        }
        load.restart();
        assert_eq!(load.observe(share(7 * 250 + 25, 0), Moment::from_ms(8 * 250)).all, 100);
    }

    #[test]
    fn clocks_that_disagree_do_no_harm() {
        let mut load = Load::default();
        assert_eq!(load.observe(share(5, 5), Moment::from_ms(0)).all, 0);
        assert_eq!(load.observe(share(500, 900), Moment::from_ms(1)).all, 1000);
        assert_eq!(load.observe(share(0, 0), Moment::from_ms(0)).all, 0);
    }

    #[test]
    fn work_is_metered() {
        let meter = Meter::new();
        let before = meter.read();
        while meter.read().ran < before.ran + Duration::from_millis(5) {
            std::hint::spin_loop();
        }
        assert!(meter.read().waited >= before.waited);
    }
}
