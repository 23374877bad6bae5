//! Placeholder page, to be written.
#![forbid(unsafe_code)]

pub mod aggregate;
pub mod chunk;
pub mod control;
pub mod handshake;
pub mod message;
