//! What came of it: the account of every player's frames, the counters and the times.
//!
//! Nothing here knows of sockets, or of how a report looks.

pub mod check;
pub mod epoch;
pub mod ledger;
pub mod record;
pub mod tally;
pub mod times;
