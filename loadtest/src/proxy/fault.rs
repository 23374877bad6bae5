//! What is to be damaged, how and when: the text of a fault, and its reading.
//!
//! ```text
//! KIND[:TRACK]@NTH[/EVERY]      drop:video@30    corrupt@100/50    delay=400:audio@20
//! ```
//! How the damage is done stands in `damage` and `rewriter`.

use crate::media::Track;
use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;
use std::time::Duration;

/// What is done to a frame, or in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// It does not come.
    Drop,
    /// It comes behind the next frame of its track.
    Swap,
    /// It comes twice.
    Duplicate,
    /// A few of its bits are flipped, behind what says which frame it is.
    Corrupt,
    /// The last quarter of it is missing.
    Truncate,
    /// It is longer than it was.
    Extend,
    /// Its mark is overwritten.
    Strip,
    /// A frame of another stream comes before it.
    Cross,
    /// It comes later, and so does everything behind it.
    Delay(Duration),
    /// Bytes that are no RTMP come before it.
    Garbage,
    /// The connection is closed in the middle of it.
    Close,
    /// It does not come, nor anything behind it; the connection stays open.
    Stall,
}

/// The names of the kinds, in the order of [`FaultKind`].
pub const KINDS: [&str; 12] = [
    "drop",
    "swap",
    "duplicate",
    "corrupt",
    "truncate",
    "extend",
    "strip",
    "cross",
    "delay",
    "garbage",
    "close",
    "stall",
];

impl FaultKind {
    /// Its name in a fault's text and in what the proxy counts.
    pub fn name(self) -> &'static str {
        KINDS[self.place()]
    }

    /// Its place in [`KINDS`].
    pub(super) fn place(self) -> usize {
        match self {
            Self::Drop => 0,
            Self::Swap => 1,
            Self::Duplicate => 2,
            Self::Corrupt => 3,
            Self::Truncate => 4,
            Self::Extend => 5,
            Self::Strip => 6,
            Self::Cross => 7,
            Self::Delay(_) => 8,
            Self::Garbage => 9,
            Self::Close => 10,
            Self::Stall => 11,
        }
    }
}

/// A fault and the frames it hits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What is done.
    pub kind: FaultKind,
    /// Frames of this track alone are counted and hit; of both if there is none.
    pub track: Option<Track>,
    /// The first frame that is hit: 1 is the first of a connection.
    pub nth: NonZeroU64,
    /// After it each so manieth; only the first if there is none.
    pub every: Option<NonZeroU64>,
}

impl Fault {
    /// Whether it hits the frame of this number, counted from 1.
    pub fn hits(&self, number: u64) -> bool {
        match number.checked_sub(self.nth.get()) {
            None => false,
            Some(0) => true,
            Some(behind) => self.every.is_some_and(|every| behind.is_multiple_of(every.get())),
        }
    }
}

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        let (what, when) = text.split_once('@').ok_or(FaultError::Form)?;
        let (kind, track) = match what.split_once(':') {
            Some((kind, track)) => (kind, Some(track_named(track)?)),
            None => (what, None),
        };
        let (nth, every) = match when.split_once('/') {
            Some((nth, every)) => (nth, Some(number(every)?)),
            None => (when, None),
        };
        Ok(Self { kind: kind_named(kind)?, track, nth: number(nth)?, every })
    }
}

fn kind_named(text: &str) -> Result<FaultKind, FaultError> {
    if let Some(ms) = text.strip_prefix("delay=") {
        let ms = ms.parse().map_err(|_| FaultError::Delay)?;
        return Ok(FaultKind::Delay(Duration::from_millis(ms)));
    }
    Ok(match text {
        "drop" => FaultKind::Drop,
        "swap" => FaultKind::Swap,
        "duplicate" => FaultKind::Duplicate,
        "corrupt" => FaultKind::Corrupt,
        "truncate" => FaultKind::Truncate,
        "extend" => FaultKind::Extend,
        "strip" => FaultKind::Strip,
        "cross" => FaultKind::Cross,
        "garbage" => FaultKind::Garbage,
        "close" => FaultKind::Close,
        "stall" => FaultKind::Stall,
        "delay" => return Err(FaultError::Delay),
        _ => return Err(FaultError::Kind),
    })
}

fn track_named(text: &str) -> Result<Track, FaultError> {
    match text {
        "video" => Ok(Track::Video),
        "audio" => Ok(Track::Audio),
        _ => Err(FaultError::Track),
    }
}

fn number(text: &str) -> Result<NonZeroU64, FaultError> {
    text.parse().map_err(|_| FaultError::Number)
}

/// Why a text is no fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultError {
    /// Not `KIND[:TRACK]@NTH[/EVERY]`.
    Form,
    /// No such kind.
    Kind,
    /// Neither `video` nor `audio`.
    Track,
    /// No number of a frame.
    Number,
    /// A delay without its milliseconds.
    Delay,
}

impl fmt::Display for FaultError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form => f.write_str("expected KIND[:TRACK]@NTH[/EVERY], such as drop:video@30"),
            Self::Kind => {
                let kinds = KINDS.map(|kind| if kind == "delay" { "delay=MS" } else { kind });
                write!(f, "expected one of these kinds: {}", kinds.join(", "))
            }
            Self::Track => f.write_str("expected video or audio behind the colon"),
            Self::Number => f.write_str("expected the number of a frame, from 1"),
            Self::Delay => f.write_str("expected the milliseconds, such as delay=400@30"),
        }
    }
}

impl std::error::Error for FaultError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> Fault {
        text.parse().unwrap()
    }

    #[test]
    fn every_kind_is_read_by_its_name() {
        for name in KINDS {
            let text = if name == "delay" { "delay=250@7" } else { &format!("{name}@7") };
            let fault = fault(text);
            assert_eq!((fault.kind.name(), fault.nth.get()), (name, 7));
            assert_eq!((fault.track, fault.every), (None, None));
        }
        assert_eq!(fault("delay=250@7").kind, FaultKind::Delay(Duration::from_millis(250)));
    }

    #[test]
    fn tracks_and_repetitions_are_read() {
        let fault = fault("swap:audio@3/10");
        assert_eq!((fault.kind, fault.track), (FaultKind::Swap, Some(Track::Audio)));
        let hit: Vec<u64> = (0..30).filter(|number| fault.hits(*number)).collect();
        assert_eq!(hit, [3, 13, 23]);
        assert_eq!("drop:video@5".parse::<Fault>().unwrap().track, Some(Track::Video));
    }

    #[test]
    fn without_a_repetition_one_frame_is_hit() {
        let hit: Vec<u64> = (0..100).filter(|number| fault("drop@1").hits(*number)).collect();
        assert_eq!(hit, [1]);
    }

    #[test]
    fn what_is_wrong_is_told() {
        for (text, error) in [
            ("", FaultError::Form),
            ("drop", FaultError::Form),
            ("lose@3", FaultError::Kind),
            ("delay@3", FaultError::Delay),
            ("delay=x@3", FaultError::Delay),
            ("drop:text@3", FaultError::Track),
            ("drop@0", FaultError::Number),
            ("drop@3/0", FaultError::Number),
            ("drop@-3", FaultError::Number),
        ] {
            assert_eq!(text.parse::<Fault>(), Err(error), "{text}");
        }
        let told = FaultError::Kind.to_string();
        assert!(KINDS.iter().all(|kind| told.contains(kind)), "{told}");
    }
}
