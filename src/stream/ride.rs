//! When to tell readers that there is something: audio rides on the next video frame.
//!
//! The number of sends is what fan-out costs, so an audio frame waits for the video frame behind
//! it, but not for long; an audio-only stream gathers a few frames. Video is never delayed. How
//! wide a busy shard's own window is on top of that is `shard::pacing`'s business.

use crate::limits;
use crate::moment::Moment;
use std::time::Duration;

/// How eagerly readers are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Eagerness {
    /// Audio rides on video.
    #[default]
    Riding,
    /// Every message at once.
    EveryMessage,
}

/// The flush decision of one stream.
#[derive(Debug, Default)]
pub struct Ride {
    eagerness: Eagerness,
    last_video: Option<Moment>,
    video_interval: Option<Duration>,
    due: Option<Moment>,
}

impl Ride {
    /// A stream whose readers are told as `eagerness` says.
    pub fn new(eagerness: Eagerness) -> Self {
        Self { eagerness, ..Self::default() }
    }

    /// A message was appended. Returns when readers are to be told: `now`, or later.
    ///
    /// Without any reader (`read`) it is `now`, and costs no timer; whoever began to read in this
    /// very moment is told then.
    pub fn appended(&mut self, is_audio: bool, is_video: bool, read: bool, now: Moment) -> Moment {
        if is_video {
            if let Some(last) = self.last_video {
                let interval = now.since(last).min(Duration::from_secs(1));
                // Half old, half new: follows a change of frame rate within a few frames, and a
                // burst of frames in one read does not make the ride shorter than it should be.
                self.video_interval =
                    Some(self.video_interval.map_or(interval, |held| (held + interval) / 2));
            }
            self.last_video = Some(now);
        }
        let due = if !is_audio || !read || self.eagerness == Eagerness::EveryMessage {
            now
        } else {
            now + self.wait(now)
        };
        let due = self.due.map_or(due, |held| held.min(due));
        self.due = Some(due);
        due
    }

    /// Readers were told.
    pub fn flushed(&mut self) {
        self.due = None;
    }

    /// When readers are to be told of what they were not told yet.
    pub fn due(&self) -> Option<Moment> {
        self.due
    }

    fn wait(&self, now: Moment) -> Duration {
        match (self.last_video, self.video_interval) {
            (Some(last), _) if now.since(last) > limits::RIDE_VIDEO_GONE => limits::RIDE_AUDIO_ONLY,
            (Some(_), Some(interval)) => (interval * 6 / 5).min(limits::RIDE_MAX),
            (Some(_), None) => limits::RIDE_MAX,
            (None, _) => limits::RIDE_AUDIO_ONLY,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Moment {
        Moment::from_ms(ms)
    }

    #[test]
    fn video_flushes_at_once_and_audio_waits_for_it() {
        let mut ride = Ride::default();
        for frame in 0..10 {
            assert_eq!(ride.appended(false, true, true, ms(frame * 33)), ms(frame * 33));
            ride.flushed();
        }
        let due = ride.appended(true, false, true, ms(300));
        assert!(due > ms(330) && due <= ms(345), "{due:?}");
        // A second audio frame does not push the first one's time back.
        assert_eq!(ride.appended(true, false, true, ms(320)), due);
        assert_eq!(ride.appended(false, true, true, ms(330)), ms(330));
    }

    #[test]
    fn audio_waits_fifty_milliseconds_at_most() {
        let mut ride = Ride::default();
        for frame in 0..10 {
            ride.appended(false, true, true, ms(frame * 90));
            ride.flushed();
        }
        assert_eq!(ride.appended(true, false, true, ms(820)), ms(870));
    }

    #[test]
    fn audio_alone_gathers_a_few_frames() {
        let mut ride = Ride::default();
        assert_eq!(ride.appended(true, false, true, ms(0)), ms(25));
        ride.flushed();
        ride.appended(false, true, true, ms(30));
        ride.flushed();
        assert_eq!(ride.appended(true, false, true, ms(200)), ms(225));
    }

    #[test]
    fn every_message_at_once_is_at_once() {
        let mut ride = Ride::new(Eagerness::EveryMessage);
        assert_eq!(ride.appended(true, false, true, ms(5)), ms(5));
    }

    #[test]
    fn without_readers_nothing_waits() {
        let mut ride = Ride::default();
        ride.appended(false, true, true, ms(0));
        ride.flushed();
        assert_eq!(ride.appended(true, false, false, ms(5)), ms(5));
    }
}
