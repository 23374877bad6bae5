//! Nagle's algorithm left on.
//!
//! Question: a sender that hands each message to the socket the moment it came makes many small
//! segments. With `TCP_NODELAY` unset the kernel holds a small one back while others are
//! unacknowledged, and merges; does that save more than it delays?
//!
//! Compared: the bare sender with every message at once and with audio riding on video, each with
//! Nagle's algorithm off and on. Measured: CPU per GB delivered, delay of video.

use super::{Case, Load, Trial, Variant};

/// The trial.
pub fn trial() -> Trial {
    let case = |policy: &'static str| Case {
        load: Load::fan_out(1_000),
        variants: vec![
            Variant::bare(
                if policy == "ride" { "audio rides, no delay" } else { "at once, no delay" },
                &["--policy", policy],
            ),
            Variant::bare(
                if policy == "ride" { "audio rides, Nagle on" } else { "at once, Nagle on" },
                &["--policy", policy, "--nagle"],
            ),
        ],
    };
    Trial {
        name: "nagle",
        question: "Does Nagle's algorithm save more than it delays where messages are sent at once?",
        cases: vec![case("at-once"), case("ride")],
    }
}
