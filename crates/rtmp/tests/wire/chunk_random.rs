//! Bytes that nobody would send: the reader must not panic, stay in its budget, and say the same
//! however they are cut. Where a slow reader that sees all bytes at once is obviously right, it
//! must agree with that too.

use std::collections::HashMap;

use millstream_rtmp::chunk::ChunkLimits;
use millstream_rtmp::message::{Message, MessageType};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::support::*;

/// Bytes that often are headers: few chunk streams, short lengths, all types, many extended times.
fn any_wire() -> impl Strategy<Value = Vec<u8>> {
    let time = prop_oneof![
        3 => (0u32..50).prop_map(|time| time.to_be_bytes()[1..].to_vec()),
        1 => (0xff_fff0u32..0x100_0004).prop_map(|time| {
            [&[0xff; 3][..], &time.to_be_bytes()].concat()
        }),
    ];
    let chunk =
        (0u8..4, 2u8..6, time, 0u8..200, prop::sample::select(vec![1u8, 2, 8, 9]), 0usize..140);
    let header = chunk.prop_map(|(chunk_type, id, time, length, kind, payload)| {
        let (field, extended) = time.split_at(3);
        let mut bytes = vec![chunk_type << 6 | id];
        let rest = [field, &[0, 0, length, kind, 1, 0, 0, 0]].concat();
        bytes.extend(&rest[..[11, 7, 3, 0][usize::from(chunk_type)]]);
        if chunk_type < 3 || payload % 2 == 0 {
            bytes.extend(extended);
        }
        bytes.extend((0..payload).map(|at| at as u8));
        bytes
    });
    let noise = vec(any::<u8>(), 0..20);
    vec(prop_oneof![8 => header, 1 => noise], 1..12).prop_map(|chunks| chunks.concat())
}

/// Reads as the specification has it, extended timestamps always repeated, until the bytes end or
/// are not as they should be. It takes the whole input and keeps everything.
fn reference(bytes: &[u8]) -> Vec<Message> {
    #[derive(Default)]
    struct Stream {
        timestamp: u32,
        field: u32,
        extended: bool,
        length: usize,
        kind: u8,
        stream_id: u32,
        payload: Vec<u8>,
    }
    fn number(bytes: &[u8]) -> u32 {
        bytes.iter().fold(0, |sum, &byte| sum << 8 | u32::from(byte))
    }
    let mut at = 0;
    let mut take = |count: usize| {
        let taken = bytes.get(at..at + count);
        at += count;
        taken
    };
    let mut streams = HashMap::<u32, Stream>::new();
    let mut messages = Vec::new();
    let mut step = || -> Option<()> {
        let first = take(1)?[0];
        let id = match first & 63 {
            0 => 64 + u32::from(take(1)?[0]),
            1 => 64 + take(2).map(|b| u32::from(b[0]) + 256 * u32::from(b[1]))?,
            id => u32::from(id),
        };
        let stream = streams.entry(id).or_default();
        let begins = stream.payload.is_empty();
        let chunk_type = first >> 6;
        if chunk_type < 3 {
            stream.field = number(take(3)?);
        }
        if chunk_type < 2 {
            stream.length = number(take(3)?) as usize;
            stream.kind = take(1)?[0];
        }
        if chunk_type < 1 {
            let id = take(4)?;
            stream.stream_id = u32::from_le_bytes([id[0], id[1], id[2], id[3]]);
        }
        if chunk_type < 3 {
            stream.extended = stream.field == 0xff_ffff;
        }
        if stream.extended {
            stream.field = number(take(4)?);
        }
        if begins {
            let base = if chunk_type == 0 { 0 } else { stream.timestamp };
            stream.timestamp = base.wrapping_add(stream.field);
        }
        let left = stream.length - stream.payload.len();
        stream.payload.extend(take(left.min(128))?);
        if stream.payload.len() == stream.length {
            messages.push(Message {
                chunk_stream_id: id,
                timestamp: stream.timestamp,
                kind: MessageType(stream.kind),
                stream_id: stream.stream_id,
                payload: std::mem::take(&mut stream.payload).into(),
            });
        }
        Some(())
    };
    while step().is_some() {}
    messages
}

/// One chunk of a legal sequence, chosen when it is known what may come.
#[derive(Clone, Debug)]
struct Choice {
    chunk_type: u8,
    stream: usize,
    time: u32,
    length: usize,
    kind: u8,
}

fn any_choice() -> impl Strategy<Value = Choice> {
    let time = prop_oneof![3 => 0u32..50, 1 => 0xff_fff0u32..0x100_0004, 1 => any::<u32>()];
    (0u8..4, 0usize..4, time, 0usize..400, 8u8..10).prop_map(
        |(chunk_type, stream, time, length, kind)| Choice {
            chunk_type,
            stream,
            time,
            length,
            kind,
        },
    )
}

/// A legal sequence of chunks of 128 bytes: continuations by type 3, now and then by type 2.
fn legal(choices: &[Choice]) -> Vec<u8> {
    // Per chunk stream: length and what is left of it, and the time field if it was extended.
    let mut states: [Option<(usize, usize, Option<u32>)>; 4] = [None; 4];
    let mut wire = Vec::new();
    for (n, choice) in choices.iter().enumerate() {
        let state = &mut states[choice.stream];
        let in_message = state.is_some_and(|(_, left, _)| left > 0);
        let chunk_type = match (&state, in_message) {
            (None, _) => 0,
            (_, true) if choice.chunk_type == 2 => 2,
            (_, true) => 3,
            (_, false) => choice.chunk_type,
        };
        let (mut length, mut left, mut extended) = state.unwrap_or_default();
        if !in_message {
            length = if chunk_type < 2 { choice.length } else { length };
            left = length;
        }
        if chunk_type < 3 {
            extended = (choice.time >= 0xff_ffff).then_some(choice.time);
        }
        wire.push(chunk_type << 6 | (choice.stream as u8 + 3));
        if chunk_type < 3 {
            wire.extend(&choice.time.min(0xff_ffff).to_be_bytes()[1..]);
        }
        if chunk_type < 2 {
            wire.extend(&(length as u32).to_be_bytes()[1..]);
            wire.push(choice.kind);
        }
        if chunk_type < 1 {
            wire.extend([1, 0, 0, 0]);
        }
        wire.extend(
            extended
                .map(u32::to_be_bytes)
                .unwrap_or_default()
                .iter()
                .filter(|_| extended.is_some()),
        );
        let count = left.min(128);
        wire.extend((0..count).map(|at| (at + n) as u8));
        *state = Some((length, left - count, extended));
    }
    wire
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn random_bytes(bytes in vec(any::<u8>(), 0..400), places in vec(any::<usize>(), 0..9)) {
        check(&bytes, &places);
    }

    #[test]
    fn random_chunks(bytes in any_wire(), places in vec(any::<usize>(), 0..9)) {
        check(&bytes, &places);
    }

    #[test]
    fn legal_chunks_as_the_reference_reads_them(
        choices in vec(any_choice(), 1..40),
        places in vec(any::<usize>(), 0..9),
    ) {
        let wire = legal(&choices);
        let outcome = feed(ChunkLimits::default(), cut(&wire, &places));
        prop_assert_eq!(outcome.whole(), reference(&wire));
    }
}

/// Roomy and tight limits; under the tight ones, what fits depends on how buffers grew, but never
/// the budget, which `feed` checks at each step.
fn check(bytes: &[u8], places: &[usize]) {
    let roomy = ChunkLimits { reassembly_bytes_max: 1 << 30, ..Default::default() };
    let whole = feed_all_ways(roomy, bytes);
    assert_same(&whole, &feed(roomy, cut(bytes, places)));
    let tight = ChunkLimits {
        message_bytes_max: 150,
        reassembly_bytes_max: 200,
        chunk_streams_max: 3,
        tiny_chunk_debt_max: 100,
    };
    feed(tight, bytes.chunks(1));
    feed(tight, cut(bytes, places));
}
