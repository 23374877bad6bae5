//! Helper processes around the real binary: cameras, filters, stubborn programs, and what is left of them
//! when they, or the server, are killed.

#![expect(clippy::unwrap_used, reason = "what fails here is a failed test")]

mod arguments;
mod camera;
mod documents;
mod embedded;
mod filters;
mod hls;
mod kills;
mod orders;
mod programs;
mod support;
