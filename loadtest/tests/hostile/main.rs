//! The generator against what can go wrong: frames that are damaged on purpose. Each must show in
//! its own counter, nothing else may show, and every run must end.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod frames;

mod support;
