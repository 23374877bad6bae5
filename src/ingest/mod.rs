//! Bytes to frames: what a publisher's message is to the stream. One file per protocol.
//!
//! Nothing is refused here for its codec: what is not understood is relayed.

pub mod describe;
pub mod rtmp;
