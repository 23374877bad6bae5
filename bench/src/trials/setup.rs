//! Flags that the runtime's io_uring is set up with.
//!
//! Question: without flags the kernel interrupts the thread whenever a socket becomes readable;
//! cooperative task running lets it wait until the thread enters the kernel by itself. Does a single
//! issuer, deferred task running, or a flag in the ring that says that there is work, add to that?
//!
//! Compared: the bare sender as a receiver of 1,000 publishers, on the runtime of the server, with
//! the flags that the server sets today (cooperative task running), with none, and with more.
//! Measured: CPU per GB taken in; the delay of ten streams that are played.

use super::{Case, Load, Trial, Variant};

/// The trial.
pub fn trial() -> Trial {
    let variant = |label, setup| {
        Variant::bare(label, &["--policy", "ride", "--wait", "ready", "--setup", setup])
    };
    Trial {
        name: "setup-flags",
        question: "Which set-up flags of io_uring make taking in cheaper?",
        cases: vec![Case {
            load: Load::ingest(1_000),
            variants: vec![
                variant("cooperative", "coop"),
                variant("none", "none"),
                variant("cooperative, flag in the ring", "coop-flag"),
                variant("cooperative, single issuer", "single-issuer"),
                variant("cooperative, single issuer, deferred", "defer"),
            ],
        }],
    }
}
