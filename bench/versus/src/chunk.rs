//! Chunks, by the other libraries. What each is asked for stands in [`bench_codec::chunk`].

use bench_codec::chunk::{Got, Library};
use bytes::BytesMut;
use millstream_rtmp::message::Message;
use oxideav_rtmp::chunk as oxideav;
use rml_rtmp::chunk_io as rml;
use rml_rtmp::time::RtmpTimestamp;
use rtmp_rs::protocol::chunk as rtmp_rs_chunk;
use scuffle_rtmp::chunk as scuffle;
use std::io::{self, Read};

/// `rml_rtmp`, whose writer makes one buffer of each message.
pub struct Rml;

impl Library for Rml {
    const NAME: &'static str = "rml_rtmp";
    type Message = rml_rtmp::messages::MessagePayload;

    fn message(message: &Message) -> Self::Message {
        rml_rtmp::messages::MessagePayload {
            timestamp: RtmpTimestamp::new(message.timestamp),
            type_id: message.kind.0,
            message_stream_id: message.stream_id,
            data: message.payload.clone(),
        }
    }

    fn read(wire: &[u8], read_bytes: usize, chunk_size: u32, mut each: impl FnMut(Got<&[u8]>)) {
        let mut reader = rml::ChunkDeserializer::new();
        reader.set_max_chunk_size(chunk_size as usize).expect("the benches' sizes are allowed");
        let mut received = Vec::with_capacity(read_bytes.min(wire.len()));
        for piece in wire.chunks(read_bytes) {
            received.clear();
            received.extend_from_slice(piece);
            let mut bytes = &received[..];
            while let Some(message) = reader.get_next_message(bytes).expect("the wire is valid") {
                bytes = &[];
                each(Got {
                    kind: message.type_id,
                    timestamp: message.timestamp.value,
                    stream_id: message.message_stream_id,
                    payload: &message.data,
                });
            }
        }
    }

    fn write(messages: &[Self::Message], chunk_size: u32, mut send: impl FnMut(&[u8])) {
        let mut writer = rml::ChunkSerializer::new();
        // Comes with the message that announces it, which is not one of those to be written.
        writer
            .set_max_chunk_size(chunk_size, RtmpTimestamp::new(0))
            .expect("the benches' sizes are allowed");
        for message in messages {
            send(&writer.serialize(message, false, false).expect("it can be written").bytes);
        }
    }
}

/// `scuffle-rtmp`, whose writer puts a full header before every message, and whose reader takes a
/// message that repeats the whole header before it (type 3) for one of the same time.
pub struct Scuffle;

impl Library for Scuffle {
    const NAME: &'static str = "scuffle-rtmp";
    const TELLS_TIME: bool = false;
    type Message = scuffle::Chunk;

    fn message(message: &Message) -> Self::Message {
        scuffle::Chunk::new(
            message.chunk_stream_id,
            message.timestamp,
            message.kind.0.into(),
            message.stream_id,
            message.payload.clone(),
        )
    }

    fn read(wire: &[u8], read_bytes: usize, chunk_size: u32, mut each: impl FnMut(Got<&[u8]>)) {
        let mut reader = scuffle::reader::ChunkReader::default();
        assert!(reader.update_max_chunk_size(chunk_size as usize), "it takes up to 65,536");
        let mut received = BytesMut::new();
        for piece in wire.chunks(read_bytes) {
            received.extend_from_slice(piece);
            while let Some(message) = reader.read_chunk(&mut received).expect("the wire is valid") {
                each(Got {
                    kind: message.message_header.msg_type_id.0,
                    timestamp: message.message_header.timestamp,
                    stream_id: message.message_header.msg_stream_id,
                    payload: &message.payload,
                });
            }
        }
    }

    fn write(messages: &[Self::Message], chunk_size: u32, mut send: impl FnMut(&[u8])) {
        let mut writer = scuffle::writer::ChunkWriter::default();
        writer.set_chunk_size(chunk_size as usize);
        let mut out = Vec::new();
        for message in messages {
            out.clear();
            writer.write_chunk(&mut out, message.clone()).expect("a vector takes everything");
            send(&out);
        }
    }
}

/// `rtmp-rs`, whose reader returns after every chunk, whether a message is whole or not.
pub struct RtmpRs;

impl Library for RtmpRs {
    const NAME: &'static str = "rtmp-rs";
    type Message = rtmp_rs_chunk::RtmpChunk;

    fn message(message: &Message) -> Self::Message {
        rtmp_rs_chunk::RtmpChunk {
            csid: message.chunk_stream_id,
            timestamp: message.timestamp,
            message_type: message.kind.0,
            stream_id: message.stream_id,
            payload: message.payload.clone(),
        }
    }

    fn read(wire: &[u8], read_bytes: usize, chunk_size: u32, mut each: impl FnMut(Got<&[u8]>)) {
        let mut reader = rtmp_rs_chunk::ChunkDecoder::new();
        reader.set_chunk_size(chunk_size);
        let mut received = BytesMut::new();
        for piece in wire.chunks(read_bytes) {
            received.extend_from_slice(piece);
            loop {
                let before = received.len();
                match reader.decode(&mut received).expect("the wire is valid") {
                    Some(message) => each(Got {
                        kind: message.message_type,
                        timestamp: message.timestamp,
                        stream_id: message.stream_id,
                        payload: &message.payload,
                    }),
                    None if received.len() == before => break,
                    None => {}
                }
            }
        }
    }

    fn write(messages: &[Self::Message], chunk_size: u32, mut send: impl FnMut(&[u8])) {
        let mut writer = rtmp_rs_chunk::ChunkEncoder::new();
        writer.set_chunk_size(chunk_size);
        let mut out = BytesMut::new();
        for message in messages {
            out.clear();
            writer.encode(message, &mut out);
            send(&out);
        }
    }
}

/// `oxideav-rtmp`, which reads its socket itself.
pub struct Oxideav;

/// A socket on which so many bytes arrive at a time.
struct Arriving<'a> {
    pieces: std::slice::Chunks<'a, u8>,
    piece: &'a [u8],
}

impl Read for Arriving<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.piece.is_empty() {
            self.piece = self.pieces.next().unwrap_or_default();
        }
        self.piece.read(into)
    }
}

impl Library for Oxideav {
    const NAME: &'static str = "oxideav-rtmp";
    type Message = (u32, oxideav::Message);

    fn message(message: &Message) -> Self::Message {
        let theirs = oxideav::Message {
            msg_type_id: message.kind.0,
            msg_stream_id: message.stream_id,
            timestamp: message.timestamp,
            payload: message.payload.to_vec(),
        };
        (message.chunk_stream_id, theirs)
    }

    fn read(wire: &[u8], read_bytes: usize, chunk_size: u32, mut each: impl FnMut(Got<&[u8]>)) {
        let socket = Arriving { pieces: wire.chunks(read_bytes), piece: &[] };
        let mut reader = oxideav::ChunkReader::new(socket);
        reader.set_chunk_size(chunk_size as usize);
        // Its end is an error like any other; `check` sees whether it came too early.
        while let Ok(message) = reader.read_message() {
            each(Got {
                kind: message.msg_type_id,
                timestamp: message.timestamp,
                stream_id: message.msg_stream_id,
                payload: &message.payload,
            });
        }
    }

    fn write(messages: &[Self::Message], chunk_size: u32, mut send: impl FnMut(&[u8])) {
        let mut writer = oxideav::ChunkWriter::new(Vec::new());
        writer.set_chunk_size(chunk_size as usize);
        for (chunk_stream_id, message) in messages {
            writer.inner_mut().clear();
            writer.write_message(*chunk_stream_id, message).expect("a vector takes everything");
            send(writer.inner_mut());
        }
    }
}
