//! A point on the timeline of a stream. How a source's time gets there stands in `timeline`.

use std::fmt;

/// Milliseconds since the start of a stream, in 64 bits: it does not wrap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The start of a stream.
    pub const ZERO: Self = Self(0);

    /// So many milliseconds after the start.
    pub const fn from_ms(ms: u64) -> Self {
        Self(ms)
    }

    /// The milliseconds since the start.
    pub const fn ms(self) -> u64 {
        self.0
    }

    /// The milliseconds modulo 2^32, as RTMP and FLV carry them.
    pub const fn wire(self) -> u32 {
        self.0 as u32
    }

    /// The time whose last 32 bits are these and which is nearest to `self`, never before the
    /// start.
    pub fn nearest(self, wire: u32) -> Self {
        let step = i64::from(wire.wrapping_sub(self.wire()) as i32);
        match self.0.checked_add_signed(step) {
            Some(ms) => Self(ms),
            // Before the start there is nothing, and past the end only the half below.
            None if step < 0 => Self(u64::from(wire)),
            None => Self(self.0.wrapping_add_signed(step - (1 << 32))),
        }
    }

    /// The milliseconds from `earlier` to here; zero if `earlier` is later.
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The time so many milliseconds later, or earlier; held at both ends of the range.
    pub const fn offset_by(self, ms: i64) -> Self {
        Self(self.0.saturating_add_signed(ms))
    }
}

impl fmt::Display for Timestamp {
    /// Hours, minutes, seconds and milliseconds: `1:02:03.004`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, ms) = (self.0 / 1000, self.0 % 1000);
        let (minutes, hours) = (seconds / 60 % 60, seconds / 3600);
        write!(f, "{hours}:{minutes:02}:{:02}.{ms:03}", seconds % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_time_crosses_the_wrap_both_ways() {
        let wrap = 1u64 << 32;
        let before = Timestamp::from_ms(wrap - 10);
        assert_eq!(before.nearest(5), Timestamp::from_ms(wrap + 5));
        assert_eq!(Timestamp::from_ms(wrap + 5).nearest(u32::MAX - 9), before);
        assert_eq!(before.nearest(before.wire()), before);
    }

    #[test]
    fn the_nearest_time_stays_within_the_range() {
        assert_eq!(Timestamp::ZERO.nearest(u32::MAX), Timestamp::from_ms(u64::from(u32::MAX)));
        let end = Timestamp::from_ms(u64::MAX);
        assert_eq!(end.nearest(0), Timestamp::from_ms(u64::MAX - u64::from(u32::MAX)));
    }

    #[test]
    fn differences_and_offsets_are_held_at_the_ends() {
        let (a, b) = (Timestamp::from_ms(5), Timestamp::from_ms(7));
        assert_eq!((b.since(a), a.since(b)), (2, 0));
        assert_eq!(a.offset_by(-6), Timestamp::ZERO);
        assert_eq!(a.offset_by(2), b);
    }

    #[test]
    fn it_reads_as_a_clock() {
        assert_eq!(Timestamp::from_ms(3_723_004).to_string(), "1:02:03.004");
    }
}
