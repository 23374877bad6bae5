//! This machine: its clock, its cores, its processes, the server started on it.

pub mod clock;
pub mod cores;
pub mod process;
pub mod server;
pub mod watch;
