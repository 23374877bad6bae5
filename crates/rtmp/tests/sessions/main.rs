//! The sessions driven as peers drive them: dialects named by product, and scenarios named for
//! what goes wrong. All in memory.

mod common;
mod common_bytes;
mod dialects;
mod two_endpoints;
