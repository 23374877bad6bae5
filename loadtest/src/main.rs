//! Placeholder page, to be written.
fn main() {}
