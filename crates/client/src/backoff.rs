//! How long to wait between attempts: longer each time, never twice the same, and not for ever. No
//! clock and no system randomness: both come from the caller.

use std::time::Duration;

/// Exponential back-off with jitter. Each wait is between half and all of a ceiling that grows by a
/// factor from attempt to attempt, so that clients that lost the same server do not come back together.
#[derive(Clone, Debug, PartialEq)]
pub struct Backoff {
    first: Duration,
    max: Duration,
    factor: f64,
    attempts_max: Option<u32>,
    elapsed_max: Option<Duration>,
    attempts: u32,
    ceiling: Duration,
    /// State of an xorshift generator; never 0.
    random: u64,
}

impl Backoff {
    /// Waits of at most `first`, then twice as long each time, up to `max`, without end. The seed shall
    /// differ from client to client.
    pub fn new(first: Duration, max: Duration, seed: u64) -> Self {
        Self {
            first,
            max,
            factor: 2.0,
            attempts_max: None,
            elapsed_max: None,
            attempts: 0,
            ceiling: first.min(max),
            // An odd multiplier spreads small seeds over all bits (that of splitmix64).
            random: seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
        }
    }

    /// The same with another factor; below 1 it counts as 1.
    pub fn with_factor(mut self, factor: f64) -> Self {
        self.factor = if factor.is_finite() { factor.max(1.0) } else { 2.0 };
        self
    }

    /// The same, giving up after so many waits.
    pub fn with_attempts_max(mut self, attempts: u32) -> Self {
        self.attempts_max = Some(attempts);
        self
    }

    /// The same, giving up when a wait would end later than this after the first failure.
    pub fn with_elapsed_max(mut self, elapsed: Duration) -> Self {
        self.elapsed_max = Some(elapsed);
        self
    }

    /// How long to wait now; nothing to give up. `elapsed` is the time since the first failure.
    pub fn next(&mut self, elapsed: Duration) -> Option<Duration> {
        if self.attempts_max.is_some_and(|max| self.attempts >= max) {
            return None;
        }
        let half = self.ceiling / 2;
        // 53 random bits make a fraction below 1.
        let fraction = (self.random() >> 11) as f64 / (1_u64 << 53) as f64;
        let wait = half + half.mul_f64(fraction);
        if self.elapsed_max.is_some_and(|max| elapsed.saturating_add(wait) > max) {
            return None;
        }
        self.attempts += 1;
        let grown = self.ceiling.as_secs_f64() * self.factor;
        self.ceiling = Duration::try_from_secs_f64(grown).unwrap_or(self.max).min(self.max);
        Some(wait)
    }

    /// Begins anew, after a success.
    pub fn reset(&mut self) {
        self.attempts = 0;
        self.ceiling = self.first.min(self.max);
    }

    /// Waits since the beginning, or since [`Backoff::reset`].
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    fn random(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn waits_grow_within_their_bounds(
            first in 0..10_000_u64, max in 0..1_000_000_u64, factor in 0.0..10.0_f64, seed: u64,
        ) {
            let (first, max) = (Duration::from_millis(first), Duration::from_millis(max));
            let mut backoff = Backoff::new(first, max, seed).with_factor(factor);
            let mut ceiling = first.min(max);
            for _ in 0..100 {
                let wait = backoff.next(Duration::MAX).unwrap();
                prop_assert!(wait >= ceiling / 2 && wait <= ceiling, "{wait:?} of {ceiling:?}");
                ceiling = ceiling.mul_f64(factor.max(1.0)).min(max);
                // Rounding of the two ways to multiply may differ by nanoseconds.
                prop_assert!(backoff.ceiling.abs_diff(ceiling) < Duration::from_micros(1));
                ceiling = backoff.ceiling;
            }
        }

        #[test]
        fn it_gives_up_where_it_was_told(attempts in 0..20_u32, seed: u64, limit in 0..100_000_u64) {
            let (first, max) = (Duration::from_millis(100), Duration::from_secs(5));
            let mut backoff = Backoff::new(first, max, seed).with_attempts_max(attempts);
            let mut waits = 0;
            while backoff.next(Duration::ZERO).is_some() {
                waits += 1;
            }
            prop_assert_eq!((waits, backoff.attempts()), (attempts, attempts));
            backoff.reset();
            prop_assert_eq!(backoff.next(Duration::ZERO).is_some(), attempts > 0);

            let limit = Duration::from_millis(limit);
            let mut backoff = Backoff::new(first, max, seed).with_elapsed_max(limit);
            let mut elapsed = Duration::ZERO;
            while let Some(wait) = backoff.next(elapsed) {
                elapsed += wait;
                prop_assert!(elapsed <= limit);
            }
            prop_assert!(elapsed + max >= limit);
        }
    }

    #[test]
    fn clients_do_not_come_back_together() {
        let waits = (0..100).map(|seed| {
            let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(60), seed);
            backoff.next(Duration::ZERO).unwrap()
        });
        let mut waits: Vec<_> = waits.collect();
        waits.sort();
        waits.dedup_by(|one, other| one.abs_diff(*other) < Duration::from_micros(10));
        assert!(waits.len() > 90, "{}", waits.len());
    }
}
