//! `millstream proxy` as people run it: the real binary between real programs, and between bad ones.
//! What single messages become is tested beside the code, in memory.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod encrypted;
mod fake;
mod hostile_clients;
mod hostile_targets;
mod passes;
mod restarts;
mod rules;
mod support;
