//! How wide a shard's sending window is: nothing at low load, wider as the core fills.
//!
//! The number of sends is what fan-out costs, and a window of W halves it when W doubles. So the
//! window is the price of load, in delay: the shard pays none while its core is mostly idle, and
//! widens step by step up to the budget. `observe` is a pure function of the load it is told; the
//! shard measures it (`load`).
//!
//! Only passes get cheaper by a wider window. A core that is full of something else, a thousand
//! publishers for example, would have its viewers pay for nothing: so the passes must be a good part
//! of the load for the window to widen, and when they are no longer it narrows.
//!
//! What keeps it from swinging: it narrows only when the load at the narrower step is foreseen to
//! stay below where it would widen again, and each time that this proves wrong it waits twice as
//! long before it tries again. Foreseen is by the number of sends, or by what the last widening
//! really saved, if that was more: streams of 60 or more pictures a second ride far more often
//! than every 30 ms.

use super::load::Busy;
use crate::config::LatencyBudget;
use crate::moment::Moment;
use std::time::Duration;

/// The steps, in milliseconds. Zero sends when a stream flushes, audio riding on video; the first
/// steps are about two and four frames of video. A window of 10 ms would cost more than riding. At
/// the last one a core carries as many viewers as it can: its passes follow each other without a
/// pause, and what a wider one would save shows as delay only.
const STEPS_MS: [u64; 5] = [0, 50, 100, 150, 250];

/// Busy share, in thousandths, above which the window widens.
const WIDEN_ABOVE: u32 = 700;
/// Busy share that the narrower step may be foreseen to have at most.
const NARROW_BELOW: u32 = 550;
/// The passes' share from which on widening is worth its delay: it frees half of it at best.
const PASSES_WORTH: u32 = 200;
/// The passes' share that the narrower step may be foreseen to have at most, if the load is to be
/// called something else's.
const PASSES_NOT_WORTH: u32 = 150;
/// How long the load must be above before the window widens: with the first look after a change, a
/// second, which holds several passes at any window.
const WIDEN_AFTER: Duration = Duration::from_millis(750);
/// How long the load must be low before the window narrows, at first and at most.
const NARROW_AFTER: Duration = Duration::from_secs(3);
const NARROW_AFTER_MAX: Duration = Duration::from_secs(300);

/// When a widening shows what it saved.
const SAVED_AFTER: Duration = Duration::from_secs(1);
/// How long what it saved is believed: streams and viewers change.
const SAVED_FOR: Duration = NARROW_AFTER_MAX;

/// What widening to a step saved.
#[derive(Clone, Copy, Debug)]
struct Saved {
    at: Moment,
    /// The load before it.
    before: Busy,
    /// The load after it, once it has shown.
    after: Option<Busy>,
}

/// The window of one shard.
#[derive(Debug)]
pub struct Pacer {
    budget: LatencyBudget,
    step: usize,
    /// By the step that was widened to.
    saved: [Option<Saved>; STEPS_MS.len()],
    high_since: Option<Moment>,
    low_since: Option<Moment>,
    narrow_after: Duration,
    narrowed_at: Option<Moment>,
}

impl Pacer {
    /// A shard under this budget.
    pub fn new(budget: LatencyBudget) -> Self {
        Self {
            budget,
            step: 0,
            saved: [None; STEPS_MS.len()],
            high_since: None,
            low_since: None,
            narrow_after: NARROW_AFTER,
            narrowed_at: None,
        }
    }

    /// The window now; zero sends at once.
    pub fn window(&self) -> Duration {
        match self.budget {
            LatencyBudget::Auto => Duration::from_millis(STEPS_MS[self.step]),
            LatencyBudget::Fixed(window) => window,
        }
    }

    /// Takes in how busy the shard was in the last second, or since the window changed.
    pub fn observe(&mut self, busy: Busy, now: Moment) {
        if self.budget != LatencyBudget::Auto {
            return;
        }
        if let Some(saved) = &mut self.saved[self.step]
            && saved.after.is_none()
            && now.since(saved.at) >= SAVED_AFTER
        {
            saved.after = Some(busy);
        }
        if busy.all > WIDEN_ABOVE && busy.passes >= PASSES_WORTH {
            self.low_since = None;
            let since = *self.high_since.get_or_insert(now);
            if now.since(since) >= WIDEN_AFTER && self.step + 1 < STEPS_MS.len() {
                self.widen(busy, now);
            }
        } else if self.step > 0 && self.may_narrow(busy, now) {
            self.high_since = None;
            let since = *self.low_since.get_or_insert(now);
            if now.since(since) >= self.narrow_after {
                self.step -= 1;
                self.low_since = None;
                self.narrowed_at = Some(now);
            }
        } else {
            self.high_since = None;
            self.low_since = None;
        }
        // A minute of peace after narrowing: the doubt is spent.
        if self.narrowed_at.is_some_and(|at| now.since(at) > Duration::from_secs(60)) {
            self.narrow_after = NARROW_AFTER;
            self.narrowed_at = None;
        }
    }

    fn widen(&mut self, busy: Busy, now: Moment) {
        self.step += 1;
        self.saved[self.step] = Some(Saved { at: now, before: busy, after: None });
        self.high_since = None;
        // Widening soon after narrowing means that narrowing was wrong.
        if self.narrowed_at.take().is_some() {
            self.narrow_after = (self.narrow_after * 2).min(NARROW_AFTER_MAX);
        }
    }

    /// Whether one step narrower the core is foreseen to have rest, or the passes to be too little
    /// of its load to matter.
    fn may_narrow(&self, busy: Busy, now: Moment) -> bool {
        let foreseen = self.foreseen(busy, now);
        foreseen.all < NARROW_BELOW || foreseen.passes < PASSES_NOT_WORTH
    }

    /// What the load would be one step narrower.
    fn foreseen(&self, busy: Busy, now: Moment) -> Busy {
        // If all of a pass were sends. From 50 ms to riding: about one send per video frame instead
        // of one per window.
        let here = STEPS_MS[self.step].max(1);
        let there = STEPS_MS[self.step - 1].max(30);
        let by_sends = scaled(busy.passes, here, there);
        let all = busy.all.saturating_sub(busy.passes).saturating_add(by_sends);
        let experience = self.saved[self.step]
            .filter(|saved| now.since(saved.at) < SAVED_FOR)
            .and_then(|Saved { before, after, .. }| after.map(|after| (before, after)));
        let Some((before, after)) = experience else { return Busy { all, passes: by_sends } };
        let again = |now: u32, before: u32, after: u32| {
            scaled(now, u64::from(before), u64::from(after.max(1)))
        };
        Busy {
            all: all.max(again(busy.all, before.all, after.all)),
            passes: by_sends.max(again(busy.passes, before.passes, after.passes)),
        }
    }
}

fn scaled(share: u32, by: u64, of: u64) -> u32 {
    u32::try_from(u64::from(share) * by / of).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the tests' shards do besides passes, in thousandths.
    const OTHER: u32 = 100;

    /// A shard whose load depends on the window.
    fn run(pacer: &mut Pacer, from: u64, seconds: u64, load: impl Fn(u64) -> u32) -> Vec<u64> {
        run_with(pacer, from, seconds, |window| {
            let all = load(window);
            Busy { all, passes: all.saturating_sub(OTHER) }
        })
    }

    fn run_with(
        pacer: &mut Pacer,
        from: u64,
        seconds: u64,
        load: impl Fn(u64) -> Busy,
    ) -> Vec<u64> {
        let mut windows = Vec::new();
        for quarter in from * 4..(from + seconds) * 4 {
            let window = pacer.window().as_millis() as u64;
            pacer.observe(load(window), Moment::from_ms(quarter * 250));
            windows.push(pacer.window().as_millis() as u64);
        }
        windows
    }

    /// Load that is inversely proportional to the window, on a fixed floor.
    fn sends(at_riding: u32) -> impl Fn(u64) -> u32 {
        move |window| (OTHER + at_riding * 33 / (window.max(33) as u32)).min(1000)
    }

    #[test]
    fn a_core_full_of_something_else_does_not_widen() {
        let mut pacer = Pacer::new(LatencyBudget::Auto);
        let windows = run_with(&mut pacer, 0, 60, |_| Busy { all: 950, passes: 100 });
        assert!(windows.iter().all(|window| *window == 0), "{windows:?}");
    }

    #[test]
    fn viewers_who_remain_on_a_full_core_do_not_keep_the_window_of_the_crowd() {
        let mut pacer = Pacer::new(LatencyBudget::Auto);
        run(&mut pacer, 0, 30, sends(4000));
        assert!(pacer.window().as_millis() >= 100);
        // The crowd goes, a thousand publishers come.
        let few = |window: u64| Busy { all: 800, passes: 40 * 33 / window.max(33) as u32 };
        let windows = run_with(&mut pacer, 30, 60, few);
        assert_eq!(*windows.last().unwrap(), 0, "{windows:?}");
    }

    #[test]
    fn a_load_step_widens_the_window_and_it_returns() {
        let mut pacer = Pacer::new(LatencyBudget::Auto);
        assert!(run(&mut pacer, 0, 10, sends(300)).iter().all(|window| *window == 0));
        let busy = run(&mut pacer, 10, 20, sends(2000));
        assert!(*busy.last().unwrap() >= 100, "{busy:?}");
        let calm = run(&mut pacer, 30, 60, sends(200));
        assert_eq!(*calm.last().unwrap(), 0, "{calm:?}");
    }

    #[test]
    fn steady_load_of_any_size_does_not_swing() {
        for at_riding in (100..4000).step_by(50) {
            let mut pacer = Pacer::new(LatencyBudget::Auto);
            run(&mut pacer, 0, 60, sends(at_riding));
            let minute = run(&mut pacer, 60, 60, sends(at_riding));
            let changes = minute.windows(2).filter(|pair| pair[0] != pair[1]).count();
            assert!(changes <= 2, "load {at_riding}: {changes} changes");
        }
    }

    #[test]
    fn streams_of_many_pictures_do_not_make_it_swing() {
        // 240 pictures a second: riding sends twelve times as often as a window of 50 ms does.
        let load = |window: u64| if window == 0 { 1000 } else { 12_500 / window as u32 };
        let mut pacer = Pacer::new(LatencyBudget::Auto);
        run(&mut pacer, 0, 30, load);
        let minutes = run(&mut pacer, 30, 240, load);
        assert!(minutes.iter().all(|window| *window == 50), "{minutes:?}");
        let calm = run(&mut pacer, 270, 30, |_| 20);
        assert_eq!(*calm.last().unwrap(), 0, "{calm:?}");
    }

    #[test]
    fn a_fixed_budget_is_always_the_window() {
        let mut pacer = Pacer::new(LatencyBudget::Fixed(Duration::from_millis(120)));
        for busy in [0, 1000, 0] {
            pacer.observe(Busy { all: busy, passes: busy }, Moment::from_ms(1000));
            assert_eq!(pacer.window().as_millis(), 120);
        }
    }
}
