//! The connections: who publishes and plays when, on which core.
//!
//! What is sent is `media`'s business, what is received is judged in `account`.

mod settings;

pub mod director;
pub mod fit;
pub mod link;
pub mod peer;
pub mod shared;
pub mod socket;
pub mod worker;
