//! The commands as people run them: the real binary on loopback. What the parts do by themselves is
//! tested beside them.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod captures;
mod encrypted;
mod figures;
mod live_sources;
mod narrow_uplink;
mod publish_and_play;
mod relay;
mod support;
mod what_goes_wrong;
