//! Placeholder page, to be written.
#![forbid(unsafe_code)]
