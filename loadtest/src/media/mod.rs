//! What publishers send and by what players know it again.
//!
//! ```text
//!   source ── shape  a generated stream  ┐ whose frames get    mark   what a frame says of itself
//!          └─ clip   a recording, looped ┘ a mark by `form`    seen   what a player sees of it
//! ```
//! A mark stands where each codec has room for data that decoders pass over, so a marked stream is
//! a valid stream, and a server that handles the codec rightly keeps the mark. No socket, no clock
//! and no player here.

pub mod clip;
mod form;
pub mod mark;
mod metadata;
pub mod seen;
pub mod shape;
pub mod source;

/// One track of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Track {
    /// Pictures.
    Video,
    /// Sound.
    Audio,
}

impl Track {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Video, Self::Audio];
}
