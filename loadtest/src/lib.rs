//! A load generator for RTMP servers that checks every frame.
//!
//! Publishers send a generated stream of a real stream's shape, or a recording ([`media`]), each
//! frame marked in band ([`media::mark`]) with its number and the time at which it should have been
//! sent; players account for every frame ([`account`]) and enter its delay into histograms. A pinned
//! thread ([`swarm`]) carries thousands of connections; the [`swarm::director`] goes through the
//! steps of a [`plan`], and what was measured becomes a [`report`] with a verdict, which is INVALID
//! if the generator was the bottleneck itself. A [`proxy`] damages single frames on purpose, to see
//! that the checks find it.
//!
//! ```text
//!   cli ─► plan ─► swarm::director ─► swarm::worker ─► swarm::link ─► a server
//!                        │                 │  media: what is sent
//!                        │                 └► account: what came of it
//!                        └► account::record ─► report: text, JSON, HTML, logs
//! ```
//! It speaks RTMP through `millstream-rtmp` and knows nothing of the server but, where it is
//! millstream, its counters ([`host::watch`]).

#![forbid(unsafe_code)]

pub mod account;
pub mod cli;
pub mod host;
pub mod limits;
pub mod media;
pub mod plan;
pub mod proxy;
pub mod report;
pub mod swarm;

/// Raises the soft limit of open files to the hard one, and returns it.
pub fn raise_descriptors() -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    // Refused, the old limit stays; who runs out of descriptors is told so.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}
