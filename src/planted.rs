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
    /// A publisher gives its stream up for an heir that has gone meanwhile.
    OrphanStream,
    /// A shard that sleeps is not woken for a dirty bit.
    LoseWake,
    /// A name whose publisher was lost is never free again.
    HoldForever,
    /// A backup takes over with what follows its key frame, without that.
    BackupWithoutKey,
    /// A publisher that has to step back for a while is forgotten.
    ForgetWaiting,
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
            "orphan-stream" => Bug::OrphanStream,
            "lose-wake" => Bug::LoseWake,
            "hold-forever" => Bug::HoldForever,
            "backup-without-key" => Bug::BackupWithoutKey,
            "forget-waiting" => Bug::ForgetWaiting,
            other => panic!("MILLSTREAM_PLANTED={other} is no bug"),
        };
        Some(bug)
    });
    *planted == Some(bug)
}
