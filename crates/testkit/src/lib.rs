//! Placeholder page, to be written.
