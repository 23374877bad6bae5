//! The times that a run measures, as histograms of microseconds.
//!
//! Workers enter them frame by frame, the director takes them away stretch by stretch. What a
//! report says of them is `report`'s business.

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Time {
    /// From the scheduled send of a video frame to its arrival at a player.
    Video,
    /// The same for audio.
    Audio,
    /// From asking for a connection to having it.
    Connect,
    /// From the connection to the end of the RTMP handshake.
    Handshake,
    /// From asking for a connection to the first byte of media.
    FirstByte,
    /// From asking for a connection to the first frame that a decoder can begin with.
    FirstFrame,
    /// How late the generator's own timers were.
    Lag,
    /// How long its rounds were: what arrives at the beginning of one is seen after its end.
    Round,
}

impl Time {
    /// All of them, in the order in which reports show them.
    pub const ALL: [Self; 8] = [
        Self::Video,
        Self::Audio,
        Self::Connect,
        Self::Handshake,
        Self::FirstByte,
        Self::FirstFrame,
        Self::Lag,
        Self::Round,
    ];

    /// As conditions, logs and JSON name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Video => "video",
            Self::Audio => "audio",
            Self::Connect => "connect",
            Self::Handshake => "handshake",
            Self::FirstByte => "first-byte",
            Self::FirstFrame => "first-frame",
            Self::Lag => "own-lag",
            Self::Round => "own-round",
        }
    }
}

/// A histogram of each.
#[derive(Clone, Debug)]
pub struct Times([Histogram<u64>; Time::ALL.len()]);

impl Default for Times {
    fn default() -> Self {
        Self(std::array::from_fn(|_| empty()))
    }
}

impl Times {
    /// Enters nanoseconds.
    pub fn enter(&mut self, time: Time, ns: u64) {
        // An hour is more than any run waits; beyond it nothing is told apart.
        self.0[time as usize]
            .record((ns / 1000).min(3_600_000_000))
            .expect("a histogram that grows takes an hour of microseconds");
    }

    /// The histogram of one.
    pub fn of(&self, time: Time) -> &Histogram<u64> {
        &self.0[time as usize]
    }

    /// Enters what another stretch, worker or host had.
    pub fn add(&mut self, other: &Self) {
        for (own, other) in self.0.iter_mut().zip(&other.0) {
            own.add(other).expect("histograms of three digits that grow can be added");
        }
    }

    /// Forgets everything, keeping the memory.
    pub fn clear(&mut self) {
        self.0.iter_mut().for_each(Histogram::reset);
    }
}

/// A histogram as all are: three significant digits, growing with what is entered.
pub fn empty() -> Histogram<u64> {
    Histogram::new(3).expect("three significant digits are within 0 to 5")
}

/// Percentiles, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Percentiles {
    /// Half are below.
    pub p50: f64,
    /// Nine of ten are below.
    pub p90: f64,
    /// 99 of 100 are below.
    pub p99: f64,
    /// 999 of 1,000 are below.
    pub p999: f64,
    /// The worst.
    pub max: f64,
    /// How many there were.
    pub count: u64,
}

impl Percentiles {
    /// Of a histogram of microseconds.
    pub fn of(histogram: &Histogram<u64>) -> Self {
        let at = |quantile| histogram.value_at_quantile(quantile) as f64 / 1000.0;
        Self {
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p999: at(0.999),
            max: histogram.max() as f64 / 1000.0,
            count: histogram.len(),
        }
    }
}

impl fmt::Display for Percentiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { p50, p90, p99, p999, max, .. } = self;
        write!(f, "p50 {p50:.1}  p90 {p90:.1}  p99 {p99:.1}  p99.9 {p999:.1}  max {max:.1} ms")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_entered_is_found_in_its_place_only() {
        let mut times = Times::default();
        for (at, time) in Time::ALL.into_iter().enumerate() {
            times.enter(time, (at as u64 + 1) * 1_000_000);
        }
        let mut both = times.clone();
        both.add(&times);
        for (at, time) in Time::ALL.into_iter().enumerate() {
            let percentiles = Percentiles::of(both.of(time));
            assert_eq!(percentiles.count, 2, "{}", time.name());
            assert!((percentiles.p50 - (at as f64 + 1.0)).abs() < 0.01, "{}", time.name());
        }
        both.clear();
        assert_eq!(Percentiles::of(both.of(Time::Video)).count, 0);
        both.enter(Time::Video, u64::MAX);
    }
}
