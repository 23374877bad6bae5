//! Frames to bytes: what readers of a stream are sent, and when each of them is.
//!
//! `fanout` holds the readers of one shard and decides whose turn it is; `turn` is what one of them
//! is sent, `place` where it goes on when it does not simply read on; `outlet` is one connection's
//! way out; `rtmp` gives the wire form, `own` those of an application. Sockets are behind a `Sink`.
//! HTTP-FLV and other readers come as further files here.

pub mod fanout;
pub mod outlet;
pub mod own;
pub mod place;
pub mod rtmp;
pub mod turn;
