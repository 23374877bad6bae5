//! millstream: a thread-per-core live ingest and fan-out server.
//!
//! ```text
//!   encoder -> net -> ingest -> stream (the log) -> egress -> net -> viewers
//!                                  control: API, metrics, status page
//! ```
//! `ARCHITECTURE.md` has the drawing and the ownership rules. The library installs no allocator, no
//! signal handler and no log subscriber: the binary does.

// The model checker compiles the log and the mailbox only (`tests/loom/model.rs`).
pub mod limits;
pub mod moment;
#[cfg(not(millstream_loom))]
mod planted;
pub mod shard;
pub mod stream;
mod weak;

#[cfg(all(test, millstream_loom))]
extern crate self as millstream;
#[cfg(all(test, millstream_loom))]
#[path = "../tests/loom/model.rs"]
mod model;

#[cfg(not(millstream_loom))]
pub mod capture;
#[cfg(all(feature = "cli", not(millstream_loom)))]
pub mod cli;
#[cfg(all(feature = "cli", not(millstream_loom)))]
pub mod client;
#[cfg(not(millstream_loom))]
pub mod config;
#[cfg(all(feature = "http", not(millstream_loom)))]
pub mod control;
#[cfg(not(millstream_loom))]
pub mod egress;
#[cfg(not(millstream_loom))]
pub mod helper;
#[cfg(not(millstream_loom))]
pub mod hook;
#[cfg(not(millstream_loom))]
pub mod ingest;
#[cfg(all(feature = "cli", not(millstream_loom)))]
pub mod inspect;
#[cfg(not(millstream_loom))]
pub mod name;
#[cfg(not(millstream_loom))]
pub mod net;
#[cfg(not(millstream_loom))]
pub mod outbound;
#[cfg(all(feature = "cli", not(millstream_loom)))]
pub mod proxy;
#[cfg(not(millstream_loom))]
pub mod pull;
pub mod role;
#[cfg(not(millstream_loom))]
pub mod rules;
#[cfg(not(millstream_loom))]
pub mod server;
#[cfg(not(millstream_loom))]
pub mod slate;
#[cfg(not(millstream_loom))]
pub mod slots;
#[cfg(not(millstream_loom))]
pub mod stats;
