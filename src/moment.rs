//! The time that the sans-IO parts are given: microseconds since the process (or a simulation) began.
//!
//! No clock is read here; `shard` reads the real one, a simulation counts its own.

use std::ops::{Add, Sub};
use std::time::Duration;

/// A point in monotonic time, in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(pub u64);

impl Moment {
    /// The moment `ms` milliseconds after the beginning.
    pub const fn from_ms(ms: u64) -> Self {
        Self(ms * 1000)
    }

    /// Whole milliseconds since the beginning.
    pub const fn as_ms(self) -> u64 {
        self.0 / 1000
    }

    /// How long ago `earlier` was; zero if it lies ahead.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Moment {
    type Output = Self;

    fn add(self, length: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(length.as_micros()).unwrap_or(u64::MAX)))
    }
}

impl Sub<Duration> for Moment {
    type Output = Self;

    fn sub(self, length: Duration) -> Self {
        Self(self.0.saturating_sub(u64::try_from(length.as_micros()).unwrap_or(u64::MAX)))
    }
}
