//! The memory orderings that the log and the mailbox stand on, by name, so that the model checker
//! can weaken one of them and must then fail: it is how the model is shown to be able to fail
//! (`tests/loom.sh`). In every other build an ordering is what its place says.

use std::sync::atomic::Ordering;

/// A place whose ordering matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spot {
    /// The store of a slab's end.
    Publish,
    /// The swap that hangs a segment behind another.
    Link,
    /// Setting a dirty bit.
    Mark,
    /// The fence between a dirty bit and the look at the sleeper.
    Ring,
    /// The fence between falling asleep and the look at the dirty bits.
    Sleep,
}

/// The ordering to use at `spot`: `strong`, unless the model checker was told to weaken it.
#[cfg(not(millstream_loom))]
#[inline(always)]
pub const fn ordering(_spot: Spot, strong: Ordering) -> Ordering {
    strong
}

/// The ordering to use at `spot`: `strong`, unless `MILLSTREAM_WEAK` names the spot.
#[cfg(millstream_loom)]
pub fn ordering(spot: Spot, strong: Ordering) -> Ordering {
    use std::sync::OnceLock;
    static WEAK: OnceLock<Option<Spot>> = OnceLock::new();
    let weak = WEAK.get_or_init(|| {
        let name = std::env::var("MILLSTREAM_WEAK").ok()?;
        let spot = match name.as_str() {
            "publish" => Spot::Publish,
            "link" => Spot::Link,
            "mark" => Spot::Mark,
            "ring" => Spot::Ring,
            "sleep" => Spot::Sleep,
            other => panic!("MILLSTREAM_WEAK={other} is no spot"),
        };
        Some(spot)
    });
    match spot {
        _ if *weak != Some(spot) => strong,
        // A fence cannot be relaxed; without sequential consistency it does not order a store
        // before a later load, which is all that these two are for.
        Spot::Ring | Spot::Sleep => Ordering::AcqRel,
        Spot::Publish | Spot::Link | Spot::Mark => Ordering::Relaxed,
    }
}
