//! The generator against what can go wrong: frames that are damaged on purpose, and servers that
//! refuse, stall, lie or vanish. Each must show in its own counter or under its own name, nothing
//! else may show, and every run must end.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod comings;
mod frames;

mod servers;
mod support;
