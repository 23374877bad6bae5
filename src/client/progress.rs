//! The line of live figures on standard error, where that is a terminal, and how figures are
//! written. Which figures they are is the commands'.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

/// How often the line is written anew.
const EVERY: Duration = Duration::from_millis(500);

pub(super) struct Progress {
    shown: bool,
    last: Instant,
    /// Bytes at the last line, for the rate.
    bytes: u64,
    /// Frames at the last line.
    frames: u64,
}

/// What moved since the last line, by the second.
pub(super) struct Rates {
    pub(super) bits: f64,
    pub(super) frames: f64,
}

impl Progress {
    pub(super) fn new() -> Self {
        let shown = std::io::stderr().is_terminal();
        Self { shown, last: Instant::now(), bytes: 0, frames: 0 }
    }

    /// Writes the line, if it is time.
    pub(super) fn show(&mut self, bytes: u64, frames: u64, line: impl FnOnce(Rates) -> String) {
        let passed = self.last.elapsed();
        if !self.shown || passed < EVERY {
            return;
        }
        let seconds = passed.as_secs_f64();
        let rates = Rates {
            bits: bytes.saturating_sub(self.bytes) as f64 * 8.0 / seconds,
            frames: frames.saturating_sub(self.frames) as f64 / seconds,
        };
        (self.last, self.bytes, self.frames) = (Instant::now(), bytes, frames);
        // A line that cannot be written is no reason to end a stream.
        let _ = write!(std::io::stderr(), "\r\x1b[K{}", line(rates));
    }

    /// Takes the line away.
    pub(super) fn end(&self) {
        if self.shown {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}

/// `1:02:03`, or `02:03`.
pub(super) fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes:02}:{seconds:02}")
    }
}

/// `2.41 Mbit/s`, or `96 kbit/s`.
pub(super) fn bit_rate(bits_per_second: f64) -> String {
    if bits_per_second >= 1e6 {
        format!("{:.2} Mbit/s", bits_per_second / 1e6)
    } else {
        format!("{:.0} kbit/s", bits_per_second / 1e3)
    }
}

/// The mean rate of so many bytes in such a time.
pub(super) fn mean_rate(bytes: u64, time: Duration) -> String {
    bit_rate(bytes as f64 * 8.0 / time.as_secs_f64().max(0.001))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short() {
        assert_eq!(clock(Duration::from_millis(83_900)), "01:23");
        assert_eq!(clock(Duration::from_secs(36_061)), "10:01:01");
        assert_eq!(bit_rate(95_600.0), "96 kbit/s");
        assert_eq!(bit_rate(2_414_000.0), "2.41 Mbit/s");
        assert_eq!(mean_rate(1_000_000, Duration::from_secs(4)), "2.00 Mbit/s");
        assert!(mean_rate(1, Duration::ZERO).ends_with("kbit/s"));
    }
}
