//! Placeholder page, to be written.

pub mod cli;
pub mod config;
pub mod control;
pub mod limits;
pub mod name;
pub mod stats;
