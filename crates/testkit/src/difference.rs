//! How a recording can differ from its source, in terms that lead to the packet. Finding the
//! first difference is the business of [`crate::compare()`].

use std::fmt;

use crate::packets::{Kind, Packet};

/// The first difference between a recording and its source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// The track's medium.
    pub kind: Kind,
    /// The track's number within its medium.
    pub track: u8,
    /// What differs; boxed, because it holds packets and is rare.
    pub difference: Box<Difference>,
}

/// What differs between a recording's track and the source's. Indices count packets from 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// The source has the track, the recording does not.
    TrackMissing,
    /// The recording has the track (or the track in that codec), the source does not.
    TrackUnknown,
    /// The recording has the track, but no packet of it.
    NoPackets,
    /// The sequence headers are not those of the source.
    Headers {
        /// How many different ones the source has.
        expected: usize,
        /// How many different ones were received.
        received: usize,
    },
    /// The first packet received is not in the source at all.
    FirstUnknown {
        /// That packet.
        received: Packet,
    },
    /// The first video packet received is not a key frame.
    FirstNotKey {
        /// That packet.
        received: Packet,
    },
    /// A payload is not the source's next one.
    Payload {
        /// Index in the recording.
        index: usize,
        /// What the source has at this place.
        expected: Packet,
        /// What was received instead.
        received: Packet,
        /// By how many places in the source the payload is too early (negative) or too late
        /// (positive: so many packets are missing), if it is one of the source's at all.
        displaced: Option<isize>,
    },
    /// A payload is right, its key flag is not.
    KeyFlag {
        /// Index in the recording.
        index: usize,
        /// What was received.
        received: Packet,
    },
    /// A payload is right, its time is not.
    Time {
        /// Index in the recording.
        index: usize,
        /// What the source's times are, moved by the common offset.
        expected: Packet,
        /// What was received.
        received: Packet,
    },
    /// The recording ends before the source does.
    TailMissing {
        /// How many packets are missing.
        count: usize,
    },
    /// The recording goes on after the source's last packet.
    BeyondEnd {
        /// Index in the recording.
        index: usize,
        /// The first packet too many.
        received: Packet,
    },
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} track {}: ", self.kind, self.track)?;
        match &*self.difference {
            Difference::TrackMissing => f.write_str("not received at all"),
            Difference::TrackUnknown => f.write_str("received, but not in the source"),
            Difference::NoPackets => f.write_str("announced, but no packet received"),
            Difference::Headers { expected, received } => write!(
                f,
                "sequence headers differ ({received} distinct received, {expected} in the source)"
            ),
            Difference::FirstUnknown { received } => {
                write!(f, "the first packet ({received}) is not in the source")
            }
            Difference::FirstNotKey { received } => {
                write!(f, "the first packet ({received}) is not a key frame")
            }
            Difference::Payload { index, expected, received, displaced } => {
                write!(f, "packet {index} should be ({expected}), was ({received})")?;
                match displaced {
                    None => f.write_str(": a payload that is not in the source"),
                    Some(places @ 1..) => write!(f, ": {places} source packets left out"),
                    Some(places) => write!(f, ": {} source packets back", -places),
                }
            }
            Difference::KeyFlag { index, received } => {
                write!(f, "packet {index} ({received}) has the wrong key flag")
            }
            Difference::Time { index, expected, received } => {
                write!(f, "packet {index} should be at ({expected}), was at ({received})")
            }
            Difference::TailMissing { count } => {
                write!(f, "the last {count} packets of the source are missing")
            }
            Difference::BeyondEnd { index, received } => {
                write!(f, "packet {index} ({received}) comes after the end of the source")
            }
        }
    }
}

impl std::error::Error for Mismatch {}
