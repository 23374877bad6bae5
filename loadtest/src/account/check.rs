//! How a player's frames are judged: number, order, length, times, and on a sample every byte.

use crate::account::epoch::{Epoch, Epochs};
use crate::account::ledger::{Faults, Ledger};
use crate::account::tally::{GroupCounts, TrackCounts};
use crate::account::times::{Time, Times};
use crate::media::Track;
use crate::media::mark::Mark;
use crate::media::source::Source;
use std::sync::Arc;

/// A timestamp may differ by rounding from the schedule, milliseconds, at either of two frames.
const ROUNDING_MS: i64 = 3;

/// One player's account.
#[derive(Debug, Default)]
pub struct Account {
    /// Number of the stream.
    pub stream: u32,
    /// Every byte of its frames is compared.
    pub compares: bool,
    /// When the player asked, nanoseconds: what was sent before is backlog.
    pub began_ns: u64,
    /// Whose frames it gets.
    epoch: Option<Current>,
    video: Line,
    audio: Line,
}

/// The epoch of the frames that come.
#[derive(Debug)]
struct Current {
    number: u32,
    /// How far it has come; nothing if another program publishes.
    progress: Option<Arc<Epoch>>,
}

/// The account of one track in one epoch.
#[derive(Clone, Copy, Debug, Default)]
struct Line {
    ledger: Ledger,
    /// Timestamp in milliseconds and schedule in nanoseconds of the latest frame.
    last: Option<(u32, u64)>,
}

/// A frame that arrived.
pub struct Arrival<'a> {
    /// Its track.
    pub track: Track,
    /// Its mark and where that begins, if it has one.
    pub mark: Option<(usize, Mark)>,
    /// The message's payload.
    pub payload: &'a [u8],
    /// The message's timestamp, milliseconds.
    pub timestamp: u32,
    /// When, nanoseconds.
    pub now_ns: u64,
}

/// What all accounts are held against.
pub struct Rules {
    /// What is sent: stream n sends source n modulo their count.
    pub sources: Vec<Arc<Source>>,
    /// A frame that takes longer is late, nanoseconds.
    pub late_ns: u64,
    /// Media seconds per second.
    pub speed: f64,
}

impl Rules {
    fn source(&self, stream: u32) -> &Source {
        &self.sources[stream as usize % self.sources.len()]
    }
}

impl Account {
    /// Enters a frame. Times are entered where `times` are given.
    pub fn enter(
        &mut self,
        arrival: &Arrival<'_>,
        epochs: &Epochs,
        rules: &Rules,
        counts: &mut GroupCounts,
        times: Option<&mut Times>,
    ) {
        let tally = counts.track(arrival.track);
        tally.frames += 1;
        tally.payload += arrival.payload.len() as u64;
        let Some((at, mark)) = &arrival.mark else {
            tally.unmarked += 1;
            return;
        };
        let right = mark.stream == self.stream && mark.is_whole(arrival.payload, *at);
        if !right || self.compares && !mark.is_intact(arrival.payload, *at) {
            tally.corrupt += 1;
        }
        counts.compared += u64::from(self.compares);
        if mark.stream != self.stream {
            // Another stream's number says nothing about this one's.
            return;
        }
        match &self.epoch {
            Some(current) if mark.epoch < current.number => {
                // A publisher that was replaced is heard again.
                counts.track(arrival.track).faults.reordered += 1;
                return;
            }
            Some(current) if mark.epoch == current.number => {}
            _ => {
                self.close(rules, counts);
                let progress = epochs.find(mark.epoch);
                self.epoch = Some(Current { number: mark.epoch, progress });
                (self.video, self.audio) = Default::default();
            }
        }
        let source = rules.source(self.stream);
        let tally = counts.track(arrival.track);
        let line = match arrival.track {
            Track::Video => &mut self.video,
            Track::Audio => &mut self.audio,
        };
        line.enter(arrival, mark, source, rules.speed, tally);
        if mark.scheduled_ns < self.began_ns {
            // It was over before the player asked; its age says nothing of the server.
            tally.backlog += 1;
            return;
        }
        let delay = arrival.now_ns.saturating_sub(mark.scheduled_ns);
        tally.late += u64::from(delay > rules.late_ns);
        if let Some(times) = times {
            let time = match arrival.track {
                Track::Video => Time::Video,
                Track::Audio => Time::Audio,
            };
            times.enter(time, delay);
        }
    }

    /// Ends the account of the present epoch: what was published in it and never came is lost, or
    /// cut where the publisher itself was cut off.
    pub fn close(&mut self, rules: &Rules, counts: &mut GroupCounts) {
        let Some(Current { progress: Some(epoch), .. }) = self.epoch.take() else { return };
        let source = rules.source(self.stream);
        for (track, line) in [(Track::Video, &self.video), (Track::Audio, &self.audio)] {
            let published = epoch.published(track);
            let missing = line.ledger.missing(published);
            let tally = counts.track(track);
            if epoch.is_cut() {
                tally.cut += missing;
            } else if missing > 0 {
                tally.faults.lost += missing;
                tally.lost_payload += payload(source, track, published, missing);
            }
        }
    }

    /// Frames that are still to come of what was published so far.
    pub fn behind(&self) -> u64 {
        let Some(Current { progress: Some(epoch), .. }) = &self.epoch else { return 0 };
        if epoch.is_cut() {
            return 0;
        }
        self.video.ledger.missing(epoch.published(Track::Video))
            + self.audio.ledger.missing(epoch.published(Track::Audio))
    }
}

impl Line {
    fn enter(
        &mut self,
        arrival: &Arrival<'_>,
        mark: &Mark,
        source: &Source,
        speed: f64,
        tally: &mut TrackCounts,
    ) {
        let Faults { lost, .. } = tally.faults;
        self.ledger.enter(mark.sequence, &mut tally.faults);
        if tally.faults.lost > lost {
            let gap = tally.faults.lost - lost;
            tally.lost_payload += payload(source, arrival.track, mark.sequence, gap);
        } else if tally.faults.lost < lost {
            // It was taken for lost and is only late.
            let late = payload(source, arrival.track, mark.sequence.saturating_add(1), 1);
            tally.lost_payload = tally.lost_payload.saturating_sub(late);
        }
        if let Some((timestamp, scheduled_ns)) = self.last {
            let scheduled_ns = mark.scheduled_ns.wrapping_sub(scheduled_ns) as i64;
            // Timestamps wrap at 2^32 ms (RTMP 1.0, 3).
            let moved_ms = i64::from(arrival.timestamp.wrapping_sub(timestamp) as i32);
            let due_ms = (scheduled_ns as f64 * speed / 1e6) as i64;
            tally.mistimed += u64::from(moved_ms.abs_diff(due_ms) > ROUNDING_MS as u64);
        }
        self.last = Some((arrival.timestamp, mark.scheduled_ns));
    }
}

/// Payload of the so many frames before frame `until`.
fn payload(source: &Source, track: Track, until: u32, frames: u64) -> u64 {
    let from = until.saturating_sub(u32::try_from(frames).unwrap_or(u32::MAX));
    source.payload_before(track, until).saturating_sub(source.payload_before(track, from))
}
