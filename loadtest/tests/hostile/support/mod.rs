//! What the tests share: servers good and bad, runs against them, and what was found.

pub mod dialogue;
pub mod found;
pub mod good;
pub mod plan;
pub mod run;
pub mod scripts;
