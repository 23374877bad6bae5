//! The wire form of a stream for RTMP players: one message with a full header, the same bytes for
//! all of them.
//!
//! Each message has a type 0 chunk header with an absolute time and goes out on a chunk stream that
//! the connection itself never uses (RTMP 1.0, section 5.3.1), so it depends on nothing that was
//! sent before. The chunk size is the one announced to every player at `connect`.

use crate::stream::headers::Carrier;
use crate::stream::log::Framing;
use crate::stream::projection::{MakeFraming, Projection};
use crate::stream::segment::{Entry, Kind};
use millstream_rtmp::chunk::{write_standalone, write_standalone_head};
use millstream_rtmp::message::MessageType;
use std::sync::Arc;

/// Offset of the message stream id in a type 0 chunk with a one-byte basic header.
const STREAM_ID_AT: usize = 8;

/// Makes framings for RTMP players, all of whom are told this chunk size.
pub fn framings(chunk_size: u32) -> MakeFraming {
    Arc::new(move |projection| Box::new(RtmpFraming { projection, chunk_size }))
}

struct RtmpFraming {
    projection: Projection,
    chunk_size: u32,
}

/// The message type and the chunk stream of a message: chunk streams as most servers use them,
/// because some players pick their decoder by them.
fn travels_as(carrier: Carrier) -> (MessageType, u32) {
    match carrier {
        Carrier::Audio => (MessageType::AUDIO, 4),
        Carrier::Data => (MessageType::DATA_AMF0, 5),
        Carrier::Video => (MessageType::VIDEO, 6),
    }
}

/// One message for one player, in the form of those of the log, so that it may stand between them.
pub fn message(
    carrier: Carrier,
    timestamp: u32,
    stream_id: u32,
    payload: &[u8],
    chunk_size: u32,
) -> Vec<u8> {
    let (kind, chunk_stream_id) = travels_as(carrier);
    let mut out = Vec::new();
    write_standalone(kind, chunk_stream_id, timestamp, stream_id, payload, chunk_size, &mut out);
    out
}

impl Framing for RtmpFraming {
    fn frame(&self, carrier: Carrier, timestamp: u64, payload: &[u8], out: &mut Vec<u8>) {
        let (kind, chunk_stream_id) = travels_as(carrier);
        write_standalone(
            kind,
            chunk_stream_id,
            timestamp as u32, // RTMP counts modulo 2^32
            self.projection.stream_id,
            payload,
            self.chunk_size,
            out,
        );
    }

    fn head(
        &self,
        carrier: Carrier,
        timestamp: u64,
        payload_len: usize,
        out: &mut Vec<u8>,
    ) -> bool {
        let whole = payload_len <= self.chunk_size as usize;
        if whole {
            let (kind, chunk_stream_id) = travels_as(carrier);
            let stream_id = self.projection.stream_id;
            write_standalone_head(
                kind,
                chunk_stream_id,
                timestamp as u32,
                stream_id,
                payload_len,
                out,
            );
        }
        whole
    }

    fn adapt(&self, _entry: &Entry, main: &[u8], out: &mut Vec<u8>) {
        let from = out.len() + STREAM_ID_AT;
        out.extend_from_slice(main);
        out[from..from + 4].copy_from_slice(&self.projection.stream_id.to_le_bytes());
    }

    fn takes(&self, kind: Kind) -> bool {
        self.projection.takes(kind)
    }
}
