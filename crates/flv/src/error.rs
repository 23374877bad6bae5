//! Why the header of an audio or video message cannot be read. A message whose header cannot be
//! read may still be relayed.

use std::fmt;

/// What is wrong with a header. An unknown codec or packet type is nothing wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HeaderError {
    /// The message ends within its header, or within a track whose length it gives. Encoders
    /// also send messages of no bytes at all.
    Truncated,
    /// More than [`MOD_EX_MAX`](crate::MOD_EX_MAX) modifiers in a row.
    TooManyModifiers,
    /// Multitrack or a modifier within multitrack, which the specification forbids.
    NestedMultitrack,
    /// A layout of tracks that is reserved.
    ReservedMultitrack(u8),
}

impl fmt::Display for HeaderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated => f.write_str("media message ends within its header"),
            Self::TooManyModifiers => f.write_str("media message has too many modifiers"),
            Self::NestedMultitrack => f.write_str("media message nests tracks within tracks"),
            Self::ReservedMultitrack(layout) => {
                write!(f, "media message has tracks of reserved layout {layout}")
            }
        }
    }
}

impl std::error::Error for HeaderError {}
