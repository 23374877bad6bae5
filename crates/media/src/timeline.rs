//! One 64-bit timeline per stream, from the 32-bit times of its sources, without look-ahead.
//! The wire form of a time stands in `timestamp`.
//!
//! ```text
//! source   ..., 9960, 10000 | 0, 40, 80, ...        the encoder was restarted
//! timeline ..., 9960, 10000 | 10040, 10080, ...     offset 0, then offset 10040
//! ```
//!
//! A run of frames with one offset is a source epoch. Each track has an anchor: its furthest frame,
//! by source time and by time on the line. A frame fits an anchor when it is at most [`JUMP_MS`]
//! away from it in source time, and then gets the anchor's offset. It is tried in this order:
//!
//! 1. the anchor of its own track, so that time is relayed untouched;
//! 2. the anchors of sound and pictures of the other track, so that a track joins the epoch that
//!    the other one opened, and both stay as far apart as the source has them;
//! 3. nothing fits: the frame opens an epoch and lands just after all that was placed.
//!
//! When both anchors fit and differ, the nearer one is right: a track that switches by a little
//! more than the other is otherwise mistaken for one that goes on.

use crate::TrackKind;

/// A step in source time beyond this is a jump, in either direction.
pub const JUMP_MS: u64 = 3_000;

/// How far behind the end of the line a track may go on by its own time. A track that lags more
/// has stopped and come back with a clock that stood still.
pub const LAG_MS_MAX: u64 = 30_000;

/// The step assumed behind the last frame of a track when its next one jumps, at most.
const STEP_MS_MAX: i64 = 1_000;

/// Puts the frames of a stream on one timeline.
///
/// Wraps of 32-bit time are crossed; jumps of more than [`JUMP_MS`] are taken out, for all tracks
/// by the same amount; smaller steps, backward ones too, are left as they are.
#[derive(Clone, Debug)]
pub struct Timeline {
    /// The furthest time placed; before the first frame, where that will land.
    last: i64,
    /// Whether a frame has been placed at all.
    begun: bool,
    /// By [`TrackKind`]: sound, pictures, data.
    anchors: [Option<Anchor>; 3],
}

/// Where a frame stands on the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed {
    /// Milliseconds on the timeline.
    pub ms: u64,
    /// Whether the offset between source and timeline is another one than that of the frame
    /// before it on its track. False for the first frame of a track.
    pub jumped: bool,
}

/// The furthest frame of a track within its epoch.
#[derive(Clone, Copy, Debug)]
struct Anchor {
    source: u32,
    /// Its time on the line; negative if it should have come before the start.
    ms: i64,
    /// How far it was from the one before, for a guess at the next; 1 to [`STEP_MS_MAX`].
    step: i64,
}

/// A place that an anchor offers to a frame.
#[derive(Clone, Copy)]
struct Fit {
    anchor: Anchor,
    /// The signed distance from the anchor, in source time.
    distance: i64,
}

impl Timeline {
    /// A line on which the first frame lands at `first`, in milliseconds.
    ///
    /// A frame whose time is before that of the first one lands before `first`, but never below
    /// zero.
    pub fn new(first: u64) -> Self {
        let last = i64::try_from(first).unwrap_or(i64::MAX);
        Self { last, begun: false, anchors: [None; 3] }
    }

    /// Places the next frame to arrive, by its track and its time in the source.
    pub fn place(&mut self, track: TrackKind, source_ms: u32) -> Placed {
        let index = index_of(track);
        let own = self.anchors[index];
        let own_fit = own.and_then(|anchor| self.fit(anchor, source_ms, LAG_MS_MAX));
        let other_fit = self.other_fit(track, source_ms);
        let chosen = match (own_fit, other_fit) {
            (Some(own), Some(other)) if other.is_nearer_than(own) => Some(other),
            (Some(own), _) => Some(own),
            (None, other) => other,
        };
        let ms = chosen.map_or_else(|| self.landing(own), Fit::ms);
        let placed = Anchor { source: source_ms, ms, step: own.map_or(1, |anchor| anchor.step) };
        let jumped = own.is_some_and(|anchor| !anchor.same_epoch(placed));
        self.anchors[index] = Some(match own_fit {
            // A frame behind the furthest one leaves the anchor, so that many small steps
            // backward add up to a jump.
            Some(own) if !jumped && own.distance <= 0 => own.anchor,
            Some(own) if !jumped => Anchor { step: own.distance.clamp(1, STEP_MS_MAX), ..placed },
            _ => placed,
        });
        self.last = self.last.max(ms);
        self.begun = true;
        Placed { ms: line_ms(ms), jumped }
    }

    /// Another source goes on with the stream: its first frame, of whichever track, lands just
    /// after the last one placed, and the other tracks follow with the same offset.
    pub fn resume(&mut self) {
        self.anchors = [None; 3];
    }

    /// The furthest time placed, in milliseconds; before the first frame, where that will land.
    pub fn last(&self) -> u64 {
        line_ms(self.last)
    }

    /// Where the frame that opens an epoch lands.
    fn landing(&self, own: Option<Anchor>) -> i64 {
        if !self.begun {
            return self.last;
        }
        let after_all = self.last.saturating_add(1);
        own.map_or(after_all, |anchor| after_all.max(anchor.ms.saturating_add(anchor.step)))
    }

    /// The nearest fit among the anchors of the other tracks. Data follows sound and pictures and
    /// leads neither: its messages often carry time 0 throughout.
    fn other_fit(&self, track: TrackKind, source_ms: u32) -> Option<Fit> {
        [TrackKind::Audio, TrackKind::Video]
            .into_iter()
            .filter(|&other| other != track)
            .filter_map(|other| self.anchors[index_of(other)])
            .filter_map(|anchor| self.fit(anchor, source_ms, JUMP_MS))
            .min_by_key(|fit| fit.distance.abs())
    }

    fn fit(&self, anchor: Anchor, source_ms: u32, lag_ms_max: u64) -> Option<Fit> {
        // The difference modulo 2^32, taken as signed, crosses the wrap in both directions.
        let distance = i64::from(source_ms.wrapping_sub(anchor.source) as i32);
        let fit = Fit { anchor, distance };
        let near = distance.unsigned_abs() <= JUMP_MS;
        let recent = fit.ms() >= self.last.saturating_sub_unsigned(lag_ms_max);
        (near && recent).then_some(fit)
    }
}

impl Anchor {
    /// Whether both have the same offset. Epochs whose offsets are 2^32 ms apart are one, which
    /// is what a wrap is.
    fn same_epoch(self, other: Self) -> bool {
        let between = other.source.wrapping_sub(self.source) as i32;
        other.ms == self.ms.saturating_add(i64::from(between))
    }
}

impl Fit {
    fn ms(self) -> i64 {
        self.anchor.ms.saturating_add(self.distance)
    }

    fn is_nearer_than(self, own: Self) -> bool {
        self.ms() != own.ms() && self.distance.abs() < own.distance.abs()
    }
}

fn index_of(track: TrackKind) -> usize {
    match track {
        TrackKind::Audio => 0,
        TrackKind::Video => 1,
        TrackKind::Data => 2,
    }
}

/// Time before the start of the line is shown as its start.
fn line_ms(ms: i64) -> u64 {
    u64::try_from(ms).unwrap_or(0)
}
