//! The connections: who publishes and plays when, on which core.
//!
//! What is sent is `media`'s business, what is received is judged in `account`.

pub mod director;
pub mod peer;
pub mod shared;
pub mod worker;
