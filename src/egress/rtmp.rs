//! The wire form of a stream in RTMP: one message with a full header, the same bytes for all readers of
//! a form.
//!
//! Each message has a type 0 chunk header with an absolute time and goes out on a chunk stream that
//! the connection itself never uses (RTMP 1.0, section 5.3.1), so it depends on nothing that was
//! sent before. To players the chunk size is the one announced to every player at `connect`; to servers
//! that a stream is published to it is [`limits::PUSH_CHUNK_SIZE`], and metadata goes as
//! `@setDataFrame`.

use super::own::Formats;
use crate::limits;
use crate::stream::headers::Carrier;
use crate::stream::log::Framing;
use crate::stream::projection::{Form, MakeFraming, Projection};
use crate::stream::segment::{Entry, Kind};
use millstream_rtmp::chunk::{standalone_payload, write_standalone, write_standalone_head};
use millstream_rtmp::message::MessageType;
use std::sync::Arc;

/// The AMF0 strings that make metadata of a data message, for the server that gets it; the second
/// one is what it is recognised by.
const SET_DATA_FRAME: &[u8] = b"\x02\x00\x0d@setDataFrame";
const ON_META_DATA: &[u8] = b"\x02\x00\x0aonMetaData";

/// Offset of the message stream id in a type 0 chunk with a one-byte basic header.
const STREAM_ID_AT: usize = 8;

/// Makes framings for RTMP; players are told this chunk size.
pub fn framings(chunk_size: u32) -> MakeFraming {
    framings_with(chunk_size, Formats::default())
}

/// The same, and those of an application's own.
pub fn framings_with(chunk_size: u32, formats: Formats) -> MakeFraming {
    Arc::new(move |projection| {
        let (publishes, to) = match projection.form {
            Form::Play => (false, chunk_size),
            Form::Publish => (true, limits::PUSH_CHUNK_SIZE),
            Form::Own(format) => return formats.framing(format, projection, chunk_size),
        };
        let source_chunk_size = chunk_size;
        Box::new(RtmpFraming { projection, publishes, source_chunk_size, chunk_size: to })
    })
}

struct RtmpFraming {
    projection: Projection,
    /// Readers are servers that the stream is published to.
    publishes: bool,
    /// That of the stream's main log.
    source_chunk_size: u32,
    chunk_size: u32,
}

impl RtmpFraming {
    /// Whether a message goes out behind `@setDataFrame`.
    fn is_set(&self, carrier: Carrier, payload: &[u8]) -> bool {
        self.publishes && carrier == Carrier::Data && payload.starts_with(ON_META_DATA)
    }
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

/// The kind of message that an entry was.
pub(super) fn carrier_of(kind: Kind) -> Carrier {
    match kind {
        kind if kind.is_audio() => Carrier::Audio,
        kind if kind.is_video() => Carrier::Video,
        _ => Carrier::Data,
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
        let timestamp = timestamp as u32; // RTMP counts modulo 2^32
        let (stream_id, size) = (self.projection.stream_id, self.chunk_size);
        if self.is_set(carrier, payload) {
            let payload = [SET_DATA_FRAME, payload].concat();
            write_standalone(kind, chunk_stream_id, timestamp, stream_id, &payload, size, out);
        } else {
            write_standalone(kind, chunk_stream_id, timestamp, stream_id, payload, size, out);
        }
    }

    fn head(
        &self,
        carrier: Carrier,
        timestamp: u64,
        payload_len: usize,
        out: &mut Vec<u8>,
    ) -> bool {
        let as_it_is = !self.publishes || carrier != Carrier::Data;
        let whole = as_it_is && payload_len <= self.chunk_size as usize;
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

    fn adapt(&self, entry: &Entry, main: &[u8], out: &mut Vec<u8>) {
        if self.publishes {
            let payload = standalone_payload(main, self.source_chunk_size);
            self.frame(carrier_of(entry.kind), entry.timestamp, &payload, out);
        } else {
            let from = out.len() + STREAM_ID_AT;
            out.extend_from_slice(main);
            out[from..from + 4].copy_from_slice(&self.projection.stream_id.to_le_bytes());
        }
    }

    fn takes(&self, kind: Kind) -> bool {
        self.projection.takes(kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn entry(kind: Kind, timestamp: u64) -> Entry {
        Entry { kind, timestamp, order: 0, gop: 0, end: 0 }
    }

    proptest! {
        #[test]
        fn what_is_adapted_is_what_is_framed(
            length in 0_usize..10_000,
            timestamp in prop_oneof![0_u64..100_000, 0xff_fff0..0x100_000f_u64, Just(0x1_0000_0007)],
            chunk_size in prop_oneof![128_u32..5000, Just(1 << 20)],
            stream_id in 1_u32..5,
            kind in prop_oneof![Just(Kind::Audio), Just(Kind::Video), Just(Kind::Data)],
            publish: bool,
        ) {
            let make = framings(chunk_size);
            let form = if publish { Form::Publish } else { Form::Play };
            let main = make(Projection::WHOLE);
            let derived = make(Projection { stream_id, form, ..Projection::WHOLE });
            let mut payload: Vec<u8> = (0..length).map(|at| at as u8).collect();
            let carrier = match kind {
                Kind::Audio => Carrier::Audio,
                Kind::Video => Carrier::Video,
                _ => {
                    payload.splice(0..0, ON_META_DATA.iter().copied());
                    Carrier::Data
                }
            };
            let (mut of_main, mut adapted, mut framed) = (Vec::new(), Vec::new(), Vec::new());
            main.frame(carrier, timestamp, &payload, &mut of_main);
            derived.adapt(&entry(kind, timestamp), &of_main, &mut adapted);
            derived.frame(carrier, timestamp, &payload, &mut framed);
            prop_assert_eq!(&adapted, &framed);
            let mut headed = Vec::new();
            if derived.head(carrier, timestamp, payload.len(), &mut headed) {
                headed.extend_from_slice(&payload);
                prop_assert_eq!(headed, framed);
            }
        }
    }

    #[test]
    fn metadata_is_set_where_a_stream_is_published() {
        let make = framings(4096);
        let framing = make(Projection { form: Form::Publish, ..Projection::WHOLE });
        for (payload, is_set) in [(ON_META_DATA, true), (&b"\x02\x00\x0aonTextData"[..], false)] {
            let mut out = Vec::new();
            framing.frame(Carrier::Data, 0, payload, &mut out);
            let begins_so =
                standalone_payload(&out, limits::PUSH_CHUNK_SIZE).starts_with(SET_DATA_FRAME);
            assert_eq!(begins_so, is_set);
        }
    }
}
