//! Pulling: a stream that somebody wants and nobody publishes here is fetched from another server.
//!
//! ```text
//!   registry --standing--> orders --by shard--> course: which origin, since when, what next
//!                            ^                      | Do: dial, hang up, finish
//!   players that are edges --+ route                v
//!                                       shard::pulling: sockets, and the stream's publisher
//! ```
//! Nothing here knows a socket or a clock. A stream's pull lives on one shard, chosen by its name. What
//! it fetches becomes a stream of this server like any other, and gives way to whoever publishes it.
//!
//! - `orders`: what is wanted, told to the shard that has to fetch it.
//! - `course`: the decisions of one pull.
//! - `route`: through which servers a request has come, so that no two wait for each other.

pub mod course;
pub mod orders;
pub mod route;
