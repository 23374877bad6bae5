//! Chunks read the same in any pieces and hold no more than allowed; the messages, written with
//! compressed or with full headers, read as the same again.

#![no_main]

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use millstream_rtmp::{
    aggregate::split_aggregate,
    chunk::{ChunkLimits, ChunkReader, ChunkWriter, standalone_len, write_standalone},
    control::Control,
    message::{Message, MessageType},
};

/// Small, so that inputs reach them.
const LIMITS: ChunkLimits = ChunkLimits {
    message_bytes_max: 8 << 10,
    reassembly_bytes_max: 16 << 10,
    chunk_streams_max: 32,
    tiny_chunk_debt_max: 64 << 10,
};

fuzz_target!(|data: &[u8]| {
    let Some((&piece, data)) = data.split_first() else { return };
    let messages = read(data, data.len().max(1));
    assert_eq!(read(data, usize::from(piece) + 1), messages);
    for message in &messages {
        check_content(message);
    }

    let chunk_size = 1 + u32::from(piece) * 16;
    let mut wire = BytesMut::new();
    let mut writer = ChunkWriter::new(chunk_size);
    for message in &messages {
        writer.write(message, &mut wire);
    }
    assert_eq!(read_back(&wire, chunk_size), messages);

    wire.clear();
    for message in &messages {
        let Message { chunk_stream_id, timestamp, kind, stream_id, payload } = message;
        let length = standalone_len(*chunk_stream_id, *timestamp, payload.len(), chunk_size);
        let before = wire.len();
        let written = write_standalone(
            *kind,
            *chunk_stream_id,
            *timestamp,
            *stream_id,
            payload,
            chunk_size,
            &mut wire,
        );
        assert_eq!((written, wire.len() - before), (length, length));
    }
    assert_eq!(read_back(&wire, chunk_size), messages);
});

/// The messages up to the end or the first fault. Chunk size and aborts are obeyed.
fn read(data: &[u8], piece: usize) -> Vec<Message> {
    let mut reader = ChunkReader::new(LIMITS);
    let mut messages = Vec::new();
    for mut input in data.chunks(piece) {
        loop {
            match reader.read(&mut input) {
                Ok(Some(message)) => {
                    assert!(message.payload.len() <= LIMITS.message_bytes_max as usize);
                    let obeyed = obey(&mut reader, &message);
                    messages.push(message);
                    if !obeyed {
                        return messages;
                    }
                }
                Ok(None) => break,
                Err(_) => return messages,
            }
            assert!(reader.reassembly_bytes() <= LIMITS.reassembly_bytes_max);
        }
        assert!(input.is_empty());
    }
    messages
}

fn obey(reader: &mut ChunkReader, message: &Message) -> bool {
    match Control::decode(message) {
        Ok(Some(Control::SetChunkSize(size))) => reader.set_chunk_size(size).is_ok(),
        Ok(Some(Control::Abort { chunk_stream_id })) => {
            reader.abort(chunk_stream_id);
            true
        }
        _ => true,
    }
}

fn read_back(wire: &[u8], chunk_size: u32) -> Vec<Message> {
    let limits = ChunkLimits { tiny_chunk_debt_max: u32::MAX, ..LIMITS };
    let mut reader = ChunkReader::new(limits);
    reader.set_chunk_size(chunk_size).expect("the size is legal");
    let mut input = wire;
    let mut messages = Vec::new();
    while let Some(message) = reader.read(&mut input).expect("what was written can be read") {
        messages.push(message);
    }
    assert!(input.is_empty() && reader.reassembly_bytes() == 0);
    messages
}

fn check_content(message: &Message) {
    if let Ok(Some(control)) = Control::decode(message) {
        let encoded = control.encode();
        assert_eq!(Control::decode(&encoded), Ok(Some(control)));
    }
    if message.kind == MessageType::AGGREGATE
        && let Ok(parts) = split_aggregate(message)
    {
        let bytes: usize = parts.flatten().map(|part| part.payload.len() + 11).sum();
        assert!(bytes <= message.payload.len());
    }
}
