//! A readiness wait instead of a held read buffer.
//!
//! Question: io_uring can read into a buffer before anything has come, which spares the second step
//! of a wait for readiness followed by a read. Every connection then holds a buffer, however idle it
//! is. What does the step cost that is spared, and what do the buffers?
//!
//! Compared: the bare sender as a receiver of 1,000 publishers, on the runtime of the server, whose
//! tasks wait until a connection is readable and read it into one buffer for all, and whose tasks
//! have a read of 16 KB under way; beside them one epoll loop. Measured: CPU per GB taken in, and
//! resident memory. The delay is that of ten streams that are played to see that they are whole.

use super::{Case, Load, Trial, Variant};

/// The trial.
pub fn trial() -> Trial {
    Trial {
        name: "wait",
        question: "Does a wait for readiness cost more than a read that holds its buffer?",
        cases: vec![Case {
            load: Load::ingest(1_000),
            variants: vec![
                Variant::bare("held read buffer", &["--policy", "ride", "--wait", "held"]),
                Variant::bare("readiness, then recv", &["--policy", "ride", "--wait", "ready"]),
                Variant::bare("epoll, then recv", &["--policy", "ride"]),
            ],
        }],
    }
}
