//! What publishers send: streams, and the marks by which their frames are known again.
//!
//! No socket, no clock and no player here.

pub mod mark;
pub mod shape;
