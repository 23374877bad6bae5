//! The heart: streams, their logs, who writes them and where readers stand.
//!
//! ```text
//!   ingest -> publisher -> writer -> log (segments) ==read without a lock==> view -> egress
//!                 |                    ^
//!       registry, takeover, standby   hub: what shards share of one stream
//! ```
//! Nothing here knows a socket, a clock or the runtime: bytes and `now` come in. It knows `media`,
//! and of the shards only the mailbox in which a stream is marked dirty. The wire form is opaque: a
//! `Framing` is handed in.

pub mod headers;
pub mod log;
pub mod segment;
mod slab;
mod spare;

#[cfg(not(millstream_loom))]
pub mod demand;
#[cfg(not(millstream_loom))]
pub mod hub;
#[cfg(not(millstream_loom))]
pub mod projection;
#[cfg(not(millstream_loom))]
pub mod publisher;
#[cfg(not(millstream_loom))]
pub mod registry;
#[cfg(not(millstream_loom))]
pub mod ride;
#[cfg(not(millstream_loom))]
pub mod standby;
#[cfg(not(millstream_loom))]
pub mod takeover;
#[cfg(not(millstream_loom))]
pub mod tenure;
#[cfg(not(millstream_loom))]
pub mod view;
#[cfg(not(millstream_loom))]
pub mod writer;
