//! What the media formats share: frames, tracks, timestamps, codec configurations, and the one
//! timeline that the times of a source are put on.
//!
//! Nothing here reads a container or a protocol; `millstream-flv` and its siblings do, and speak
//! of what they read in these types.
//!
//! [`Timeline`] has a rule to keep: hand it every frame of a stream, in the order of arrival, and
//! call [`Timeline::resume`] when another source goes on with the stream.
//!
//! ```
//! use millstream_media::{Timeline, TrackKind};
//!
//! let mut timeline = Timeline::new(0);
//! assert_eq!(timeline.place(TrackKind::Video, 4_294_967_280).ms, 0);
//! // 32-bit time has wrapped; the timeline goes on.
//! assert_eq!(timeline.place(TrackKind::Video, 24).ms, 40);
//! // The encoder was restarted: its time begins anew, and the timeline still goes on.
//! assert_eq!(timeline.place(TrackKind::Audio, 30).ms, 46);
//! let placed = timeline.place(TrackKind::Video, 9_000_000);
//! assert!(placed.jumped);
//! assert_eq!(placed.ms, 80);
//! // The sound follows by the same amount, so both stay as far apart as they were.
//! assert_eq!(timeline.place(TrackKind::Audio, 9_000_010).ms, 90);
//! ```
//!
//! The configurations ([`AvcConfig`], [`AacConfig`]) are read from bytes of strangers: lengths are
//! checked against what is there, loops are bounded by the formats' own maxima, and arithmetic
//! does not overflow.
//!
//! # What this crate does not do
//!
//! It decodes no pictures and no sound, reads no slice headers, and writes no configurations. A
//! codec it does not know is a value like any other ([`Codec::FourCc`]), never an error.
#![forbid(unsafe_code)]

mod aac;
mod avc;
mod bits;
mod frame;
mod timeline;
mod timestamp;
mod track;

pub use aac::{AacConfig, AacError};
pub use avc::{AvcConfig, AvcError, Sps, SpsError};
pub use frame::Frame;
pub use timeline::{JUMP_MS, LAG_MS_MAX, Placed, Timeline};
pub use timestamp::Timestamp;
pub use track::{Codec, FourCc, Track, TrackKind};

/// The example of the README is compiled and run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
