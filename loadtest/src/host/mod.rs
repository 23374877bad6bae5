//! This machine: its clock, its processes, the server started on it.

pub mod clock;
pub mod process;
pub mod server;
pub mod watch;
