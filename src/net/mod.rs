//! Sockets and bytes: listeners, accepted sockets, who may have how many.
//!
//! Together with `shard` the only part that knows the runtime. What bytes mean is for others.

pub mod addresses;
pub mod arrivals;
mod holder;
pub mod listener;
pub mod secure;
pub mod socket;
