//! When the players of a stream are sent what is there. The number of sends is what it costs.

use std::fmt;
use std::time::{Duration, Instant};

/// How long audio waits for a video frame at most: streams may have none, or end.
pub const RIDE_MAX: Duration = Duration::from_millis(50);

/// When players are sent what is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// Every message the moment it was read. Messages of one read go out together.
    AtOnce,
    /// Audio waits for the next video frame.
    Ride,
    /// Everything that has gathered, so often; all streams at the same time.
    Window(Duration),
}

impl Policy {
    /// How long after the first of so many phases the given one has its turn: the phases of a window
    /// follow each other evenly. There is nothing to spread out where there is no window.
    pub fn shift(self, phase: usize, phases: usize) -> Duration {
        match self {
            Self::Window(window) => window.mul_f64(phase as f64 / phases.max(1) as f64),
            Self::AtOnce | Self::Ride => Duration::ZERO,
        }
    }

    /// When players are to be sent a message that came `now`. `held` is when they are to be sent
    /// what came before it, if that was not sent yet; windows are counted from `origin`.
    pub fn due(
        self,
        is_audio: bool,
        held: Option<Instant>,
        now: Instant,
        origin: Instant,
    ) -> Instant {
        let due = match self {
            Self::AtOnce => now,
            Self::Ride if is_audio => now + RIDE_MAX,
            Self::Ride => now,
            Self::Window(window) => {
                let (window, passed) = (window.as_nanos().max(1), (now - origin).as_nanos());
                let to_end = window - passed % window;
                now + Duration::from_nanos(u64::try_from(to_end).unwrap_or(u64::MAX))
            }
        };
        held.map_or(due, |held| held.min(due))
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtOnce => f.write_str("every message at once"),
            Self::Ride => f.write_str("audio rides on video"),
            Self::Window(window) => write!(f, "{window:?} window"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn every_message_is_due_at_once() {
        let now = Instant::now();
        assert_eq!(Policy::AtOnce.due(true, None, now, now), now);
        assert_eq!(Policy::AtOnce.due(false, None, now, now), now);
    }

    #[test]
    fn audio_waits_for_video_but_not_for_ever() {
        let began = Instant::now();
        let first = Policy::Ride.due(true, None, began, began);
        assert_eq!(first, began + 50 * MS);
        // A second one does not push the first one's time back; video takes both along.
        let second = Policy::Ride.due(true, Some(first), began + 20 * MS, began);
        assert_eq!(second, first);
        let video = Policy::Ride.due(false, Some(second), began + 30 * MS, began);
        assert_eq!(video, began + 30 * MS);
    }

    #[test]
    fn phases_follow_each_other_evenly() {
        let policy = Policy::Window(100 * MS);
        assert_eq!(
            [0, 1, 2, 3].map(|phase| policy.shift(phase, 4)),
            [0, 25, 50, 75].map(|n| n * MS)
        );
        assert_eq!(policy.shift(0, 1), Duration::ZERO);
        assert_eq!(Policy::Ride.shift(3, 4), Duration::ZERO);
        // Each has the whole window, from where its turn is.
        let origin = Instant::now();
        let due = policy.due(false, None, origin + 30 * MS, origin + policy.shift(1, 4));
        assert_eq!(due, origin + 125 * MS);
        let early = policy.due(false, None, origin, origin + policy.shift(1, 4));
        assert!(early > origin && early <= origin + 100 * MS, "before the first turn");
    }

    #[test]
    fn windows_end_at_the_same_times_for_all() {
        let origin = Instant::now();
        let policy = Policy::Window(100 * MS);
        for (now, due) in [(0, 100), (1, 100), (99, 100), (100, 200), (250, 300)] {
            assert_eq!(policy.due(false, None, origin + now * MS, origin), origin + due * MS);
        }
        // What was due and not sent yet stays due.
        let held = Some(origin + 100 * MS);
        assert_eq!(policy.due(true, held, origin + 130 * MS, origin), origin + 100 * MS);
    }
}
