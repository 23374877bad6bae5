//! Placeholder page, to be written.

pub mod cli;
pub mod config;
pub mod limits;
pub mod name;
pub mod stats;
