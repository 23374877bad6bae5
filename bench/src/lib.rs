//! What measurements are held against: the [`bare`] sender, and for the micro benches two seconds
//! of a real stream's shape as messages and what a library does with them ([`bench_codec`]). And what
//! profiles of servers say ([`flame`]). Measurements over sockets are `loadtest`'s business.

#![forbid(unsafe_code)]

pub mod bare;
pub mod flame;

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
