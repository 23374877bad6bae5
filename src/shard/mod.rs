//! One pinned thread per core: runtime, connections, fan-out, inbox, wake, timers.
//!
//! ```text
//!   accept ---> intake task: found -> read -> protocol -> publisher -> log
//!                                                 |          | dirty bits, one bell
//!   inbox  ---> decisions, seals, inheritances    v          v
//!   tick   ---> deadlines, pacing, lost viewers      outlets <- fan-out task: pass
//! ```
//! All state of a shard is behind one `RefCell`, borrowed for single steps and never across a
//! wait. Other shards reach it by its mailbox (dirty bits) and its inbox (control) only.

pub mod mailbox;

#[cfg(not(millstream_loom))]
mod application;
#[cfg(not(millstream_loom))]
pub mod bell;
#[cfg(not(millstream_loom))]
mod connection;
#[cfg(not(millstream_loom))]
pub(crate) mod inbox;
#[cfg(not(millstream_loom))]
mod intake;
#[cfg(not(millstream_loom))]
mod load;
#[cfg(not(millstream_loom))]
mod outbound;
#[cfg(not(millstream_loom))]
mod outbound_link;
#[cfg(not(millstream_loom))]
pub mod pacing;
#[cfg(not(millstream_loom))]
mod playing;
#[cfg(not(millstream_loom))]
mod publishing;
#[cfg(not(millstream_loom))]
mod pulled;
#[cfg(not(millstream_loom))]
mod pulling;
#[cfg(not(millstream_loom))]
mod pushing;
#[cfg(not(millstream_loom))]
pub mod runtime;
#[cfg(not(millstream_loom))]
mod slates;
#[cfg(not(millstream_loom))]
mod spouts;
#[cfg(not(millstream_loom))]
mod standing_by;
#[cfg(not(millstream_loom))]
mod state;
#[cfg(not(millstream_loom))]
mod tasks;
#[cfg(not(millstream_loom))]
mod tick;

#[cfg(not(millstream_loom))]
pub use tasks::{Common, Seat, run};
