//! The commands as people run them: the real binary on loopback. What the parts do by themselves is
//! tested beside them.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

#[path = "../transcripts/captured.rs"]
mod captured;
mod captures;
mod encrypted;
mod figures;
mod live_sources;
mod narrow_uplink;
mod publish_and_play;
mod relay;
mod support;
#[path = "../transcripts/transcript.rs"]
mod transcript;
mod what_goes_wrong;
