//! The four kinds of number. All accesses are relaxed: a number orders nothing but itself.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A number that only grows, **written by one thread**, read by any.
///
/// Adding is a load and a store, not a locked instruction: with one writer nothing can be lost,
/// and it costs what a plain addition does. With two writers counts would be lost, never more.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds `count`. Only the owning thread may call this.
    pub fn add(&self, count: u64) {
        self.0.store(self.0.load(Relaxed).wrapping_add(count), Relaxed);
    }

    /// The present value.
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// A number that goes up and down, **written by one thread**, read by any.
#[derive(Debug, Default)]
pub struct Gauge(AtomicU64);

impl Gauge {
    /// Replaces the value. Only the owning thread may call this.
    pub fn set(&self, value: u64) {
        self.0.store(value, Relaxed);
    }

    /// Adds `count`. Only the owning thread may call this.
    pub fn add(&self, count: u64) {
        self.set(self.get().wrapping_add(count));
    }

    /// Takes `count` away, stopping at zero. Only the owning thread may call this.
    pub fn sub(&self, count: u64) {
        let value = self.get();
        debug_assert!(value >= count, "a gauge counts what exists, so it cannot fall below zero");
        self.set(value.saturating_sub(count));
    }

    /// The present value.
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// A number that only grows, written by any thread with a locked addition: sum up first, and add
/// once a pass.
#[derive(Debug, Default)]
pub struct SharedCounter(AtomicU64);

impl SharedCounter {
    /// Adds `count`.
    pub fn add(&self, count: u64) {
        if count > 0 {
            self.0.fetch_add(count, Relaxed);
        }
    }

    /// The present value.
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// A number that goes up and down, written by any thread.
#[derive(Debug, Default)]
pub struct SharedGauge(AtomicU64);

impl SharedGauge {
    /// Adds one.
    pub fn increment(&self) {
        self.0.fetch_add(1, Relaxed);
    }

    /// Takes one away. Each call answers one [`SharedGauge::increment`].
    pub fn decrement(&self) {
        let before = self.0.fetch_sub(1, Relaxed);
        debug_assert!(before > 0, "each decrement answers one increment");
    }

    /// The present value.
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_numbers_lose_nothing_between_threads() {
        let (counter, gauge) = (SharedCounter::default(), SharedGauge::default());
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..1000 {
                        counter.add(3);
                        gauge.increment();
                        gauge.increment();
                        gauge.decrement();
                    }
                });
            }
        });
        assert_eq!((counter.get(), gauge.get()), (12_000, 4000));
    }

    #[test]
    fn single_writer_numbers_count() {
        let (counter, gauge) = (Counter::default(), Gauge::default());
        counter.add(2);
        counter.add(3);
        gauge.set(10);
        gauge.add(1);
        gauge.sub(4);
        assert_eq!((counter.get(), gauge.get()), (5, 7));
    }
}
