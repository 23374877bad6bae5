//! `millstream proxy`: takes RTMP connections and passes what is published and played on them on to
//! another server, keeping nothing.
//!
//! ```text
//!   client ─▶ accept ─▶ thread of its own:  pump ⇄ session ⇄ pump ─▶ target
//!                                           (sockets) (protocol, policy)
//!                                             ▲
//!                                             └ dial (names and addresses, a thread at a time)
//! ```
//! A session is a thread that polls its client's socket and those of its targets. Sessions share
//! nothing but rules that do not change; what one does, a slow resolver or a panic included, cannot
//! hold up another; and a slow side needs no queue, it is just not read. The server's shards are for
//! one stream and thousands of viewers, and none of their machinery (hooks, log, fan-out) is passed
//! here. Some hundreds of sessions are meant, not tens of thousands: for those there are edges.

mod dial;
mod error;
mod link;
mod policy;
mod pump;
mod rename;
mod report;
mod serve;
mod session;
mod settings;
mod target;

pub use error::{EXIT_CODES, ProxyError};
pub use rename::{Rename, RenameError};
pub use serve::proxy;
