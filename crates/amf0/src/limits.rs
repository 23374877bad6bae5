//! What one decoder may be made to do, with the reason of each default.

/// Bounds of one [`Decoder`](crate::Decoder), over all values it reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many objects and arrays may stand within each other; [`Limits::DEPTH_MAX`] at most.
    ///
    /// 32 by default: the deepest metadata seen in files has four levels.
    pub depth: u32,
    /// How many values may be read, those within objects and arrays included.
    ///
    /// 65,536 by default: a marker of one byte becomes a [`Value`](crate::Value) of 56 bytes at
    /// most, so this bounds memory to a few megabytes. Files that list each key frame in their
    /// metadata stay below it for several hours of video.
    pub values: u32,
    /// How many bytes of the input may be looked at.
    ///
    /// 1 MiB by default, several times the largest honest metadata.
    pub bytes: usize,
}

impl Limits {
    /// The most that [`Limits::depth`] can ask for; more is taken as this.
    ///
    /// Reading, writing and dropping a value take stack in proportion to its nesting.
    pub const DEPTH_MAX: u32 = 128;
}

impl Default for Limits {
    fn default() -> Self {
        Self { depth: 32, values: 65_536, bytes: 1 << 20 }
    }
}
