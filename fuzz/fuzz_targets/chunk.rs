//! Any bytes into the chunk reader. The oracles: nothing panics; memory stays in the budget at each
//! step; messages and errors do not depend on how the bytes are cut; and what was read comes back
//! from the chunk writer and the stateless writer unchanged.
//!
//! The first two bytes choose cuts and chunk sizes, the rest is the wire.
#![no_main]

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use millstream_rtmp::chunk::{
    ChunkError, ChunkErrorKind, ChunkLimits, ChunkReader, ChunkWriter, write_standalone,
};
use millstream_rtmp::control::Control;
use millstream_rtmp::message::Message;

fuzz_target!(|data: &[u8]| {
    let [cuts, size, wire @ ..] = data else { return };
    let roomy = ChunkLimits { reassembly_bytes_max: 1 << 30, ..ChunkLimits::default() };
    let whole = read(roomy, [wire]);
    same(&whole, &read(roomy, wire.chunks(1)));
    same(&whole, &read(roomy, wire.chunks(usize::from(*cuts) + 1)));

    // Under tight limits, what fits depends on how buffers grew; the budget itself never does.
    let tight = ChunkLimits {
        message_bytes_max: 1000,
        reassembly_bytes_max: 1500,
        chunk_streams_max: 4,
        tiny_chunk_debt_max: 200,
    };
    read(tight, [wire]);
    read(tight, wire.chunks(usize::from(*cuts) + 1));

    write_and_read(&whole.0, u32::from(*size) * u32::from(*size) + 1);
});

type Outcome = (Vec<Message>, Option<ChunkError>);

/// Feeds pieces and acts on chunk sizes and aborts as a connection does.
fn read<'a>(limits: ChunkLimits, pieces: impl IntoIterator<Item = &'a [u8]>) -> Outcome {
    let mut reader = ChunkReader::new(limits);
    let mut messages = Vec::new();
    for mut piece in pieces {
        loop {
            let result = reader.read(&mut piece);
            assert!(reader.reassembly_bytes() <= limits.reassembly_bytes_max);
            let message = match result {
                Ok(Some(message)) => message,
                Ok(None) => break assert!(piece.is_empty()),
                Err(error) => return (messages, Some(error)),
            };
            match Control::decode(&message) {
                Ok(Some(Control::SetChunkSize(size))) => {
                    if let Err(error) = reader.set_chunk_size(size) {
                        return (messages, Some(error));
                    }
                }
                Ok(Some(Control::Abort { chunk_stream_id })) => reader.abort(chunk_stream_id),
                _ => {}
            }
            messages.push(message);
        }
    }
    (messages, None)
}

fn same(a: &Outcome, b: &Outcome) {
    assert_eq!(a.0, b.0);
    let place = |error: &ChunkError| (error.kind, error.offset, error.chunk_stream_id);
    assert_eq!(a.1.as_ref().map(place), b.1.as_ref().map(place));
}

/// Both writers, one after the other, at one chunk size.
fn write_and_read(messages: &[Message], chunk_size: u32) {
    let mut wire = BytesMut::new();
    let mut writer = ChunkWriter::new(chunk_size);
    for message in messages {
        writer.write(message, &mut wire);
    }
    check(messages, chunk_size, &wire);
    wire.clear();
    for m in messages {
        let (id, time) = (m.chunk_stream_id, m.timestamp);
        write_standalone(m.kind, id, time, m.stream_id, &m.payload, chunk_size, &mut wire);
    }
    check(messages, chunk_size, &wire);
}

fn check(messages: &[Message], chunk_size: u32, wire: &[u8]) {
    let mut reader = ChunkReader::new(ChunkLimits::default());
    reader.set_chunk_size(chunk_size).expect("between 1 and 65,026");
    let mut input = wire;
    for message in messages {
        match reader.read(&mut input) {
            Ok(read) => assert_eq!(read.as_ref(), Some(message)),
            // Chunks of a few bytes may rightly run out of credit.
            Err(error) => return assert!(matches!(error.kind, ChunkErrorKind::TinyChunks { .. })),
        }
    }
    assert_eq!(reader.read(&mut input), Ok(None));
}
