//! What hostile or odd peers may make a reader hold and do.

use bytes::BytesMut;
use millstream_rtmp::chunk::{
    ChunkErrorKind, ChunkLimits, ChunkReader, ChunkWriter, Fault, MESSAGE_BYTES_MAX,
};
use millstream_rtmp::control::Control;

use crate::support::*;

const PLAIN: Dialect = Dialect { repeats_time: true, long_ids: false };

fn set_chunk_size(size: u32) -> Vec<u8> {
    chunks_of(&Control::SetChunkSize(size).encode(), 128, PLAIN).concat()
}

#[test]
fn idle_reader_is_small() {
    assert!(size_of::<ChunkReader>() <= 200, "{} bytes", size_of::<ChunkReader>());
    let mut reader = ChunkReader::new(ChunkLimits::default());
    let sent = message(6, 40, 9, 1, 100_000);
    let mut held_max = 0;
    for chunk in chunks_of(&sent, 128, PLAIN) {
        let mut input = &chunk[..];
        while reader.read(&mut input).unwrap().is_some() {}
        held_max = held_max.max(reader.reassembly_bytes());
    }
    assert!((99_000..=100_000).contains(&held_max), "grows to the message, not past it");
    assert_eq!(reader.reassembly_bytes(), 0, "nothing is held between messages");
}

/// Memory follows what arrived, whatever length was announced.
#[test]
fn announced_length_allocates_nothing() {
    let limits = ChunkLimits {
        message_bytes_max: MESSAGE_BYTES_MAX,
        reassembly_bytes_max: 1 << 20,
        chunk_streams_max: 65_598,
        ..Default::default()
    };
    let mut reader = ChunkReader::new(limits);
    let dialect = Dialect { repeats_time: true, long_ids: true };
    let long = |id| message(id, 0, 9, 1, 0xff_ffff);
    let template = chunks_of(&long(64), 128, dialect).swap_remove(0);
    let mut arrived = 0;
    let error = (64..=65_599u32).find_map(|id| {
        let mut chunk = template.clone();
        chunk[1..3].copy_from_slice(&(id as u16 - 64).to_le_bytes());
        arrived += 128;
        let result = reader.read(&mut &chunk[..]);
        assert!(reader.reassembly_bytes() <= arrived.min(1 << 20));
        result.err()
    });
    let error = error.expect("the budget ends before the ids");
    assert_eq!(error.kind, ChunkErrorKind::ReassemblyFull { max: 1 << 20 });
    assert_eq!(error.kind.fault(), Fault::Limit);
    assert_eq!(error.chunk_stream_id, 64 + (1 << 20) / 128);
}

#[test]
fn one_byte_on_each_chunk_stream() {
    let limits = ChunkLimits { chunk_streams_max: 45, ..Default::default() };
    let mut wire = Vec::new();
    for id in (3..48).rev() {
        wire.extend(chunks_of(&message(id, id, 8, 1, 1), 128, PLAIN).concat());
    }
    assert_eq!(feed_all_ways(limits, &wire).whole().len(), 45);
    wire.extend(chunks_of(&message(48, 0, 8, 1, 1), 128, PLAIN).concat());
    let error = feed_all_ways(limits, &wire).error.expect("one too many");
    assert_eq!(error.kind, ChunkErrorKind::TooManyChunkStreams { max: 45 });
}

#[test]
fn message_length_limit_is_exact() {
    let limits = ChunkLimits { message_bytes_max: 1000, ..Default::default() };
    let wire = |len| chunks_of(&message(6, 0, 9, 1, len), 128, PLAIN).concat();
    assert_eq!(feed_all_ways(limits, &wire(1000)).whole().len(), 1);
    let error = feed_all_ways(limits, &wire(1001)).error.expect("one byte too long");
    assert_eq!(error.kind, ChunkErrorKind::MessageTooLong { length: 1001, max: 1000 });
    assert_eq!(error.offset, 0);
}

/// The budget is enough for exactly as much as it says, although buffers grow twofold.
#[test]
fn reassembly_budget_is_exact() {
    let limits = ChunkLimits { reassembly_bytes_max: 1000, ..Default::default() };
    let wire = |len| chunks_of(&message(6, 0, 9, 1, len), 128, PLAIN).concat();
    assert_eq!(feed_all_ways(limits, &wire(1000)).whole().len(), 1);
    let error = feed_all_ways(limits, &wire(1001)).error.expect("one byte too much");
    assert_eq!(error.kind, ChunkErrorKind::ReassemblyFull { max: 1000 });
}

#[test]
fn chunk_sizes_refused() {
    for size in [0, 0x8000_0000, u32::MAX] {
        let error = feed_all_ways(ChunkLimits::default(), &set_chunk_size(size)).error;
        assert_eq!(error.expect("refused").kind, ChunkErrorKind::InvalidChunkSize { size });
    }
}

#[test]
fn chunk_sizes_at_both_ends_work() {
    for size in [1, 2, 0x7fff_ffff] {
        let sent: Vec<_> = [0, 1, 2, 3000].map(|len| message(6, 40, 9, 1, len)).into();
        let mut wire = set_chunk_size(size);
        for message in &sent {
            wire.extend(chunks_of(message, size as usize, PLAIN).concat());
        }
        assert_eq!(feed_all_ways(ChunkLimits::default(), &wire).whole()[1..], sent);
    }
}

/// Chunks of one byte are cut off where the account says, and not before.
#[test]
fn tiny_chunks_run_out_of_credit() {
    let limits = ChunkLimits { tiny_chunk_debt_max: 31_000, ..Default::default() };
    let mut wire = set_chunk_size(1);
    wire.extend(chunks_of(&message(6, 40, 9, 1, 2000), 1, PLAIN).concat());
    let error = feed_all_ways(limits, &wire).error.expect("a thousand chunks too many");
    assert_eq!(error.kind, ChunkErrorKind::TinyChunks { chunk_size: 1, max: 31_000 });
    let before = set_chunk_size(1).len() as u64 + 13;
    assert_eq!(error.offset, before + 2 * 1000, "the message's first chunk and 1000 more pass");
}

/// From 32 bytes on, chunks pay for themselves however long it goes on; so do short messages.
#[test]
fn small_chunks_never_run_out_of_credit() {
    let limits = ChunkLimits { tiny_chunk_debt_max: 32, ..Default::default() };
    for (size, len) in [(32, 33), (32, 6400), (128, 129), (128, 1), (1, 1)] {
        let mut wire = set_chunk_size(size);
        let chunks = chunks_of(&message(6, 40, 9, 1, len), size as usize, PLAIN).concat();
        for _ in 0..2000 {
            wire.extend(&chunks);
        }
        assert_eq!(feed(limits, [&wire[..]]).whole().len(), 2001);
    }
}

#[test]
fn writer_takes_the_longest_message() {
    let longest = message(6, u32::MAX, 9, 1, 0xff_ffff);
    let limits = ChunkLimits { message_bytes_max: MESSAGE_BYTES_MAX, ..Default::default() };
    let mut wire = BytesMut::new();
    ChunkWriter::new(65_536).write(&longest, &mut wire);
    let mut reader = ChunkReader::new(limits);
    reader.set_chunk_size(65_536).unwrap();
    let read = reader.read(&mut &wire[..]).unwrap().expect("one message");
    assert!(read == longest);
}
