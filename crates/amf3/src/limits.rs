//! What one decoder may be made to do, with the reason of each default.

/// Bounds of one [`Decoder`](crate::Decoder), over all values it reads.
///
/// A reference costs what it stands for, as if that was written out once more: a short message
/// cannot unfold into a value that takes for ever to walk through or to copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many arrays, objects, vectors of objects and dictionaries may stand within each other,
    /// over references too; [`Limits::DEPTH_MAX`] at most.
    ///
    /// 32 by default, as for AMF0.
    pub depth: u32,
    /// How many values may be read: those within others, the elements of vectors of numbers and
    /// the names that traits declare included.
    ///
    /// 65,536 by default: an empty object with a name and traits of its own is seven bytes and
    /// takes 350 bytes of memory, so this bounds it to some 22 megabytes at the very worst.
    pub values: u32,
    /// How many bytes may be read.
    ///
    /// 1 MiB by default, several times the largest honest message.
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
