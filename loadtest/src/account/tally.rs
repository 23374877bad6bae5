//! What a worker counts, and how the director reads it while the worker runs.
//!
//! Counters only grow and are copied out whole; delays are histograms that the director takes away.
//! Nothing here is on the path of a single frame but [`Delays::record`].

use crate::account::ledger::Faults;
use crate::media::Track;
use hdrhistogram::Histogram;
use std::collections::BTreeMap;

/// Counters of one track, over all players.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TrackCounts {
    /// Frames received, each checked.
    pub frames: u64,
    /// Of these, sent before the player asked: what the server gives to begin with.
    pub backlog: u64,
    /// Frames whose length, stream or bytes are not what was sent.
    pub corrupt: u64,
    /// Frames without a readable mark.
    pub unmarked: u64,
    /// Lost, duplicated, reordered.
    pub faults: Faults,
}

/// Counters of one worker since it began.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    /// Bytes received by players, RTMP and all.
    pub bytes: u64,
    /// Video.
    pub video: TrackCounts,
    /// Audio.
    pub audio: TrackCounts,
    /// Frames compared byte by byte.
    pub compared: u64,
    /// Publishers whose stream is accepted.
    pub publishing: u64,
    /// Players that play now: they had a first frame.
    pub playing: u64,
    /// Frames that publishers sent.
    pub sent_frames: u64,
    /// Processor time of the worker's thread, nanoseconds.
    pub cpu_ns: u64,
    /// What ended connections, by kind.
    pub errors: BTreeMap<&'static str, u64>,
}

impl Counts {
    /// The counters of a track.
    pub fn track(&mut self, track: Track) -> &mut TrackCounts {
        match track {
            Track::Video => &mut self.video,
            Track::Audio => &mut self.audio,
        }
    }

    /// Counts an error.
    pub fn error(&mut self, kind: &'static str) {
        *self.errors.entry(kind).or_default() += 1;
    }

    /// Adds another worker's counters.
    pub fn add(&mut self, other: &Self) {
        self.bytes += other.bytes;
        for (own, other) in [(&mut self.video, other.video), (&mut self.audio, other.audio)] {
            own.frames += other.frames;
            own.backlog += other.backlog;
            own.corrupt += other.corrupt;
            own.unmarked += other.unmarked;
            own.faults.lost += other.faults.lost;
            own.faults.duplicated += other.faults.duplicated;
            own.faults.reordered += other.faults.reordered;
        }
        self.compared += other.compared;
        self.publishing += other.publishing;
        self.playing += other.playing;
        self.sent_frames += other.sent_frames;
        self.cpu_ns += other.cpu_ns;
        for (kind, count) in &other.errors {
            *self.errors.entry(kind).or_default() += count;
        }
    }
}

/// Times of one stretch of a run, in microseconds.
#[derive(Clone, Debug)]
pub struct Delays {
    /// From the scheduled send of a video frame to its arrival at a player.
    pub video: Histogram<u64>,
    /// The same for audio.
    pub audio: Histogram<u64>,
    /// From connecting to the first video frame.
    pub join: Histogram<u64>,
    /// How late the generator's own timers were.
    pub lag: Histogram<u64>,
    /// How long its rounds were: what arrives at the beginning of one is seen after its end.
    pub round: Histogram<u64>,
}

impl Default for Delays {
    fn default() -> Self {
        // Three digits, growing with what is entered: the constructor cannot fail for 3.
        let empty = || Histogram::new(3).expect("three significant digits are within 0 to 5");
        Self { video: empty(), audio: empty(), join: empty(), lag: empty(), round: empty() }
    }
}

impl Delays {
    /// Enters the delay of a frame.
    pub fn record(&mut self, track: Track, delay_ns: u64) {
        enter(
            match track {
                Track::Video => &mut self.video,
                Track::Audio => &mut self.audio,
            },
            delay_ns,
        );
    }

    /// Enters what another stretch or worker had.
    pub fn add(&mut self, other: &Self) {
        for (own, other) in [
            (&mut self.video, &other.video),
            (&mut self.audio, &other.audio),
            (&mut self.join, &other.join),
            (&mut self.lag, &other.lag),
            (&mut self.round, &other.round),
        ] {
            own.add(other).expect("histograms of three digits that grow can be added");
        }
    }

    /// Forgets everything, keeping the memory.
    pub fn clear(&mut self) {
        for histogram in
            [&mut self.video, &mut self.audio, &mut self.join, &mut self.lag, &mut self.round]
        {
            histogram.reset();
        }
    }
}

/// Enters nanoseconds into a histogram of microseconds.
pub fn enter(histogram: &mut Histogram<u64>, ns: u64) {
    // An hour is more than any run waits; beyond it nothing is told apart. The histogram grows with
    // what is entered, so it takes everything.
    histogram
        .record((ns / 1000).min(3_600_000_000))
        .expect("a histogram that grows takes an hour of microseconds");
}
