//! Bugs planted on purpose, to see that the simulation finds them (`tests/sim.sh`). They exist only
//! under `--cfg millstream_planted`, and then one at a time, named by `MILLSTREAM_PLANTED`. In every
//! other build the question is the constant `false` and the compiler drops the branch.

/// A bug that can be planted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// A viewer that skips goes on at the live edge, key frame or not.
    SkipToNonKey,
    /// A viewer that skips is not sent the headers that changed meanwhile.
    ForgetHeaders,
    /// The rest of a message begun is lost when its segment leaves the ring.
    CutMessage,
    /// Data messages are skipped like frames.
    DropData,
    /// A second publisher is told that it owns the stream while the first goes on.
    TwoOwners,
    /// A dirty bit is lost now and then.
    LoseDirtyBit,
    /// A name whose publisher was lost is never free again.
    HoldForever,
}

/// Whether a bug is planted.
#[cfg(not(millstream_planted))]
#[inline(always)]
pub const fn is(_bug: Bug) -> bool {
    false
}

/// Whether a bug is planted.
#[cfg(millstream_planted)]
pub fn is(bug: Bug) -> bool {
    use std::sync::OnceLock;
    static PLANTED: OnceLock<Option<Bug>> = OnceLock::new();
    let planted = PLANTED.get_or_init(|| {
        let name = std::env::var("MILLSTREAM_PLANTED").ok()?;
        let bug = match name.as_str() {
            "skip-to-non-key" => Bug::SkipToNonKey,
            "forget-headers" => Bug::ForgetHeaders,
            "cut-message" => Bug::CutMessage,
            "drop-data" => Bug::DropData,
            "two-owners" => Bug::TwoOwners,
            "lose-dirty-bit" => Bug::LoseDirtyBit,
            "hold-forever" => Bug::HoldForever,
            other => panic!("MILLSTREAM_PLANTED={other} is no bug"),
        };
        Some(bug)
    });
    *planted == Some(bug)
}
