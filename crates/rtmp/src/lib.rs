//! Placeholder page, to be written.
#![forbid(unsafe_code)]

pub mod aggregate;
pub mod chunk;
pub mod client;
pub mod command;
pub mod connection;
pub mod control;
pub mod handshake;
pub mod limits;
pub mod message;
pub mod server;
pub mod session;
