//! The sessions driven as peers drive them: dialects named by product, and scenarios named for
//! what goes wrong. All in memory.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod common;
mod common_bytes;
mod dialects;
mod memory_of_idle_connections;
mod two_endpoints;
