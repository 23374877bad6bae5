//! What measurements are held against: the [`bare`] sender, the [`trials`] made with it, for the
//! micro benches two seconds of a real stream's shape as messages and what a library does with them
//! ([`bench_codec`]), and [`compare`], which holds servers against each other. And what profiles of
//! servers say ([`flame`]).
//!
//! Measurements over sockets are `loadtest`'s business.

// `bare::ring` alone has some.
#![deny(unsafe_code)]

pub mod bare;
pub mod compare;
pub mod flame;
pub mod trials;

pub use bench_codec::BITRATE;

use bytes::{Bytes, BytesMut};
use millstream_rtmp::chunk::write_standalone;
use millstream_rtmp::message::Message;

/// Messages as a player is sent them: each with a full header, cut at `chunk_size`.
pub fn standalone(messages: &[Message], chunk_size: u32) -> Bytes {
    let mut out = BytesMut::new();
    for message in messages {
        let Message { chunk_stream_id, timestamp, kind, stream_id, payload } = message;
        write_standalone(
            *kind,
            *chunk_stream_id,
            *timestamp,
            *stream_id,
            payload,
            chunk_size,
            &mut out,
        );
    }
    out.freeze()
}
