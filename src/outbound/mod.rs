//! Connections that the server makes itself: where to, for what, and how each of them fares.
//!
//! ```text
//!   config, API --> Targets --(Order, by mail)--> shard: one connection per order
//!                      |                             |  phases, trouble, counters
//!                      +---------- Status <----------+
//! ```
//! - `targets`: who is pushed where, by the configuration or the API; `rule` is one of these.
//! - `place`: a URL and a key, taken apart as services expect.
//! - `order`: what a shard is asked to keep connected, and the role that the connection plays.
//! - `status`: in which phase it is, what went wrong last, what it has sent: written by its shard, read
//!   by control.
//! - `resolver`: names to addresses, away from the shards, which never wait.
//!
//! The connections themselves, their sockets and what they say stand in `shard`, the encryption in `net`.

mod order;
mod place;
mod resolver;
mod rule;
mod status;
mod targets;

pub use order::{Order, OrderId, Role};
pub use place::{Place, PlaceError};
pub(crate) use resolver::{Inquiry, Resolver};
pub use rule::{Rule, RuleError};
pub use status::{Phase, Status, StatusSnapshot, Trouble};
pub use targets::{PushSnapshot, Source, TargetError, TargetSnapshot, Targets};
