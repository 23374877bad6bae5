//! One thread for all, or three in a row.
//!
//! Question: a server can be cut by its layers: a thread for the sockets, one for the protocol, one
//! for the sessions, joined by channels. Each is simple, and together they may use three cores. What
//! does it cost against one thread that takes a message from its socket to its players' sockets, on
//! one core, and with a second one?
//!
//! Compared: the bare sender, and the bare sender as three threads joined by crossbeam channels
//! (`bare::threads` says what was done to make that as good as it can be), on the same core, and
//! allowed both cores, of which the load has one. 1,000 publishers of a low bit rate, two players
//! each, audio riding on video, at half the speed of real time: at full speed the load asks too much
//! of its own core. Measured: CPU per GB delivered, of all threads; delay of video.

use super::{Case, Cores, Load, Trial, Variant};

/// The trial.
pub fn trial() -> Trial {
    let three = |label| Variant::bare(label, &["--threads"]);
    Trial {
        name: "threads",
        question: "What do a socket, a protocol and a session thread cost against one for all?",
        cases: vec![Case {
            load: Load {
                publishers: 1_000,
                played: 1_000,
                players: 2_000,
                bits_per_second: 200_000,
                speed_percent: 50,
            },
            variants: vec![
                Variant::bare("one thread", &["--policy", "ride"]),
                three("three threads, one core"),
                Variant { cores: Cores::Shared, ..three("three threads, both cores") },
            ],
        }],
    }
}
