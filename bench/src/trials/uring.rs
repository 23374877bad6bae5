//! Sends through io_uring.
//!
//! Question: a flush is a system call for each player. Handed to the kernel as one submission they
//! are one call; does that save what matters, or does what costs stand behind the call?
//!
//! Compared: the bare sender with `send` for each player, and with one `IORING_OP_SEND` for each
//! player, all of a flush in one submission, with audio riding on video and at a window of 100 ms.
//! Measured: CPU per GB delivered, delay of video.

use super::{Case, Load, Trial, Variant};

/// The trial.
pub fn trial() -> Trial {
    let case = |labels: [&'static str; 2], policy: &[&'static str]| {
        let ring: Vec<_> = policy.iter().copied().chain(["--sends", "uring"]).collect();
        let variants = vec![Variant::bare(labels[0], policy), Variant::bare(labels[1], &ring)];
        Case { load: Load::fan_out(1_000), variants }
    };
    Trial {
        name: "uring-sends",
        question: "Do sends cost less if io_uring takes all those of a flush in one submission?",
        cases: vec![
            case(["audio rides, send", "audio rides, io_uring"], &["--policy", "ride"]),
            case(
                ["100 ms, send", "100 ms, io_uring"],
                &["--policy", "window", "--window", "100ms"],
            ),
        ],
    }
}
