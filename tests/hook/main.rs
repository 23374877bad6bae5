//! The application hook over real sockets, with the server embedded: what it decides, what it hears,
//! what it sends through the handles of its sessions, and what its own faults do.

mod client;
mod decisions;
mod faults;
mod handles;
mod hearing;
mod listener;
mod own_formats;
mod totals;
mod within;
