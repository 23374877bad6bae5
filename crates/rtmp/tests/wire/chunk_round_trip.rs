//! What the writers write, the reader reads, whatever the chunk sizes, times and cuts.

use bytes::BytesMut;
use millstream_rtmp::chunk::{
    CHUNK_SIZE_DEFAULT, ChunkLimits, ChunkReader, ChunkWriter, Expected, standalone_len,
    write_standalone,
};
use millstream_rtmp::control::Control;
use millstream_rtmp::message::{Message, MessageType};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::support::*;

fn any_chunk_size() -> impl Strategy<Value = u32> {
    prop_oneof![1u32..8, 1u32..300, Just(4096), Just(0x7fff_ffff)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn writer_to_reader(
        script in vec((any_message(2000), prop::option::weighted(0.2, any_chunk_size())), 1..30),
        places in vec(any::<usize>(), 0..20),
    ) {
        let mut writer = ChunkWriter::new(128);
        let mut wire = BytesMut::new();
        let mut sent = Vec::new();
        for (message, chunk_size) in script {
            if let Some(size) = chunk_size {
                let announcement = Control::SetChunkSize(size).encode();
                writer.write(&announcement, &mut wire);
                writer.set_chunk_size(size);
                sent.push(announcement);
            }
            writer.write(&message, &mut wire);
            sent.push(message);
        }
        let outcome = feed(ChunkLimits::default(), cut(&wire, &places));
        prop_assert_eq!(outcome.whole(), sent);
    }

    #[test]
    fn standalone_to_reader(
        messages in vec(any_message(2000), 1..12),
        chunk_size in any_chunk_size(),
        places in vec(any::<usize>(), 0..20),
    ) {
        let mut wire = BytesMut::new();
        write_set_chunk_size(chunk_size, &mut wire);
        for m in &messages {
            let before = wire.len();
            let len = write_standalone(
                m.kind, m.chunk_stream_id, m.timestamp, m.stream_id, &m.payload, chunk_size,
                &mut wire,
            );
            prop_assert_eq!(len, wire.len() - before);
            let told = standalone_len(m.chunk_stream_id, m.timestamp, m.payload.len(), chunk_size);
            prop_assert_eq!(len, told);
        }
        let outcome = feed(ChunkLimits::default(), cut(&wire, &places));
        prop_assert_eq!(&outcome.whole()[1..], messages);
    }

    /// Chunks of different chunk streams in any order, in both dialects of extended timestamps.
    #[test]
    fn interleaved_sender_to_reader(
        queues in vec(vec(any_message(600), 1..4), 1..6),
        picks in vec(any::<prop::sample::Index>(), 200),
        places in vec(any::<usize>(), 0..20),
        chunk_size in 1usize..200,
        repeats_time: bool,
        long_ids: bool,
    ) {
        let dialect = Dialect { repeats_time, long_ids };
        let mut wire = BytesMut::new();
        write_set_chunk_size(chunk_size as u32, &mut wire);
        // One queue per chunk stream, so that a message is never begun within another of its own.
        let mut queues: Vec<_> = (0u32..).zip(queues).map(|(n, messages)| {
            let chunk_stream_id = [4, 63, 64, 319, 320, 65_599][n as usize];
            messages.into_iter().flat_map(|message| {
                let message = Message { chunk_stream_id, ..message };
                let chunks = chunks_of(&message, chunk_size, dialect);
                let last = chunks.len() - 1;
                (0..).zip(chunks).map(move |(n, chunk)| (chunk, (n == last).then(|| message.clone())))
            }).collect::<std::collections::VecDeque<_>>()
        }).collect();
        let mut picks = picks.into_iter().cycle();
        let mut sent = Vec::new();
        while !queues.is_empty() {
            let at = picks.next().map_or(0, |pick: prop::sample::Index| pick.index(queues.len()));
            match queues[at].pop_front() {
                Some((chunk, whole)) => {
                    wire.extend_from_slice(&chunk);
                    sent.extend(whole);
                }
                None => drop(queues.remove(at)),
            }
        }
        // A last chunk that looks like an extended timestamp is only decided by what follows it.
        let last = message(3, 0, 20, 0, 0);
        wire.extend_from_slice(&chunks_of(&last, chunk_size, dialect).concat());
        sent.push(last);
        let outcome = feed(ChunkLimits::default(), cut(&wire, &places));
        prop_assert_eq!(&outcome.whole()[1..], sent);
    }
}

fn write_set_chunk_size(size: u32, out: &mut BytesMut) {
    let payload = size.to_be_bytes();
    write_standalone(MessageType::SET_CHUNK_SIZE, 2, 0, 0, &payload, 128, out);
}

/// The writer leaves out what it can: header lengths of a steady stream, byte for byte.
#[test]
fn writer_shortens_headers() {
    let mut writer = ChunkWriter::new(128);
    let mut header_len = |message: &Message| {
        let mut out = BytesMut::new();
        writer.write(message, &mut out);
        out.len() - message.payload.len()
    };
    assert_eq!(header_len(&message(4, 1000, 8, 1, 20)), 12, "type 0 first");
    assert_eq!(header_len(&message(4, 1020, 8, 1, 21)), 8, "type 1: another length");
    assert_eq!(header_len(&message(4, 1041, 8, 1, 21)), 4, "type 2: another delta");
    assert_eq!(header_len(&message(4, 1062, 8, 1, 21)), 1, "type 3: all the same");
    assert_eq!(header_len(&message(4, 1083, 9, 1, 21)), 8, "type 1: another type");
    assert_eq!(header_len(&message(4, 1082, 9, 1, 21)), 12, "type 0: backward");
    assert_eq!(header_len(&message(4, 2164, 9, 1, 21)), 4, "type 2: receivers disagree on type 3");
    assert_eq!(header_len(&message(4, 3246, 9, 2, 21)), 12, "type 0: another message stream");
    assert_eq!(header_len(&message(64, 0, 9, 2, 21)), 13, "type 0, two-byte id");
    assert_eq!(header_len(&message(64, 0, 9, 2, 21)), 2, "type 3 after a time of zero");
    assert_eq!(header_len(&message(320, u32::MAX, 9, 2, 129)), 18 + 7, "extended, repeated");
    assert_eq!(header_len(&message(320, 0, 9, 2, 0)), 14, "wrapped: absolute");
    for step in 1..=3 {
        // Two extended deltas alike: type 2 again, since senders differ on repeating it in type 3.
        let len = header_len(&message(320, step * 0x0100_0000, 9, 2, 0));
        assert_eq!(len, 3 + 3 + 4);
    }
}

#[test]
fn continuations_repeat_the_extended_timestamp() {
    let mut wire = BytesMut::new();
    write_standalone(MessageType(9), 6, 0x0102_0304, 1, &[0xaa; 3], 2, &mut wire);
    let expected = [
        0x06, 0xff, 0xff, 0xff, 0, 0, 3, 9, 1, 0, 0, 0, 1, 2, 3, 4, 0xaa, 0xaa, //
        0xc6, 1, 2, 3, 4, 0xaa,
    ];
    assert_eq!(wire[..], expected);
}

#[test]
fn the_reader_tells_headers_from_payload_and_where_messages_began() {
    let message = |chunk_stream_id, length| Message {
        chunk_stream_id,
        timestamp: 0,
        kind: MessageType::COMMAND_AMF0,
        stream_id: 0,
        payload: vec![chunk_stream_id as u8; length].into(),
    };
    let mut wire = BytesMut::new();
    let mut writer = ChunkWriter::new(CHUNK_SIZE_DEFAULT);
    let lengths = [(3, 1), (4, 300), (3, 128), (4, 0), (5, 129)];
    let offsets: Vec<u64> = lengths
        .iter()
        .map(|&(id, length)| {
            let offset = wire.len() as u64;
            writer.write(&message(id, length), &mut wire);
            offset
        })
        .collect();

    let mut reader = ChunkReader::new(ChunkLimits::default());
    let (mut began, mut payload) = (Vec::new(), Vec::new());
    for byte in &wire {
        if let Expected::Payload { chunk_stream_id, kind, left } = reader.expected() {
            assert!((1..=CHUNK_SIZE_DEFAULT).contains(&left));
            assert_eq!(kind, MessageType::COMMAND_AMF0);
            assert_eq!(chunk_stream_id, u32::from(*byte));
            payload.push(*byte);
        }
        let mut input = std::slice::from_ref(byte);
        while reader.read(&mut input).unwrap().is_some() {
            began.push(reader.message_offset());
        }
    }
    assert_eq!(began, offsets);
    assert_eq!(payload.len(), lengths.iter().map(|(_, length)| length).sum::<usize>());
    reader.set_chunk_size(0).unwrap_err();
    assert_eq!(reader.expected(), Expected::Nothing);
}

#[test]
fn the_reader_knows_when_bytes_may_end() {
    let mut wire = BytesMut::new();
    let mut writer = ChunkWriter::new(CHUNK_SIZE_DEFAULT);
    writer.write(&Control::WindowAckSize(1).encode(), &mut wire);
    let short = wire.len();
    let mut long = Control::WindowAckSize(2).encode();
    long.payload = vec![0; 300].into();
    writer.write(&long, &mut wire);
    let mut reader = ChunkReader::new(ChunkLimits::default());
    let between: Vec<usize> = (0..=wire.len())
        .filter(|&end| {
            let fresh = end.checked_sub(1).map_or(&[][..], |at| &wire[at..end]);
            let mut input = fresh;
            while reader.read(&mut input).unwrap().is_some() {}
            reader.is_between_messages()
        })
        .collect();
    assert_eq!(between, [0, short, wire.len()]);
}
