//! A bit rate estimate that needs no clock of its own.

/// Estimates bits per second from a byte total that is looked at now and then.
///
/// Owned by whoever appends to the stream; the result goes into
/// [`super::PublisherStats::bitrate`].
#[derive(Debug, Default)]
pub struct Rate {
    since_ms: u64,
    bytes: u64,
    bps: u64,
}

/// Shortest time over which a rate is taken; shorter ones would show the frames, not the rate.
const WINDOW_MS: u64 = 1000;

impl Rate {
    /// Takes the total so far and the time in milliseconds of a clock that does not go back, and
    /// gives the estimate: the mean of the last window, smoothed by half.
    pub fn update(&mut self, now_ms: u64, bytes_total: u64) -> u64 {
        let elapsed = now_ms.saturating_sub(self.since_ms);
        if elapsed >= WINDOW_MS {
            let bits = u128::from(bytes_total.saturating_sub(self.bytes)) * 8;
            let bps = u64::try_from(bits * 1000 / u128::from(elapsed)).unwrap_or(u64::MAX);
            self.bps = if self.bps == 0 { bps } else { self.bps / 2 + bps / 2 };
            (self.since_ms, self.bytes) = (now_ms, bytes_total);
        }
        self.bps
    }

    /// Starts anew at this time and total, as when a publisher returns.
    pub fn restart(&mut self, now_ms: u64, bytes_total: u64) {
        *self = Rate { since_ms: now_ms, bytes: bytes_total, bps: 0 };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_stream_gives_its_rate() {
        let mut rate = Rate::default();
        rate.restart(5000, 0);
        let mut bps = 0;
        for frame in 1..=100 {
            bps = rate.update(5000 + frame * 40, frame * 5000);
        }
        assert_eq!(bps, 1_000_000);
    }

    #[test]
    fn odd_clocks_and_totals_do_no_harm() {
        let mut rate = Rate::default();
        rate.update(u64::MAX, u64::MAX);
        rate.update(0, 0);
        assert!(rate.update(5000, 0) < u64::MAX);
    }
}
