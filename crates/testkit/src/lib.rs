//! What the tests share: server processes, real clients, and the bit-exact comparison of what
//! they were sent.
//!
//! A scenario reads like this: start a [`Server`], make a [`clip`], let a [`publisher`] play it
//! out, let [`players`] record it, and hold every recording against the source with
//! [`compare()`]. Every process is a [`Process`]: its output is kept, it has a deadline, and it
//! dies with its guard. A tool that is not installed is an [`Error::ToolMissing`], never a
//! skipped test.
//!
//! The FLV reader in here is deliberately not the one of `millstream-flv`: a test must not
//! excuse a mistake with the same mistake.
//!
//! This crate holds no test scenarios (those are in `/tests`), nothing that generates load
//! (that is `/loadtest`), and nothing that the server links. It panics nowhere: scenarios
//! decide what a failure means.

#![forbid(unsafe_code)]

pub mod clip;
pub mod compare;
pub mod difference;
pub mod door;
pub mod error;
pub mod flv;
pub mod mutilate;
pub mod obs;
pub mod packets;
pub mod players;
pub mod ports;
pub mod probe;
pub mod process;
pub mod publisher;
pub mod scratch;
pub mod server;
pub mod tools;

pub use compare::{Match, compare};
pub use difference::{Difference, Mismatch};
pub use error::{Error, Result};
pub use packets::{Codec, Kind, Packet, Recording, Track};
pub use process::Process;
pub use scratch::Scratch;
pub use server::{Driver, Server, Target};
