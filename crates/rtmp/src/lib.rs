//! Placeholder page, to be written.
#![forbid(unsafe_code)]

pub mod message;
