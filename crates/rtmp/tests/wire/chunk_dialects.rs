//! Where senders differ or the specification leaves a choice, byte for byte: header types, chunk
//! stream ids, times, extended timestamps, headers in mid-message.

use millstream_rtmp::chunk::{ChunkErrorKind, ChunkLimits, ChunkReader, Fault};
use millstream_rtmp::control::Control;
use millstream_rtmp::message::{Message, MessageType};

use crate::support::*;

const REPEATS: Dialect = Dialect { repeats_time: true, long_ids: false };
const OMITS: Dialect = Dialect { repeats_time: false, long_ids: false };

fn read(parts: &[&[u8]]) -> Vec<Message> {
    feed_all_ways(ChunkLimits::default(), &parts.concat()).whole()
}

fn refused(parts: &[&[u8]]) -> ChunkErrorKind {
    let outcome = feed_all_ways(ChunkLimits::default(), &parts.concat());
    outcome.error.expect("to be refused").kind
}

fn times(messages: &[Message]) -> Vec<u32> {
    messages.iter().map(|message| message.timestamp).collect()
}

/// Type 0 on chunk stream 4: audio, stream 1, two bytes of payload.
const FIRST: &[u8] = &[0x04, 0, 0, 10, 0, 0, 2, 8, 1, 0, 0, 0, 0xa0, 0xa1];

#[test]
fn all_header_types() {
    let messages = read(&[
        FIRST,
        &[0x44, 0, 0, 20, 0, 0, 1, 9, 0xb0],
        &[0x84, 0, 0, 5, 0xc0],
        &[0xc4, 0xd0],
        &[0xc4, 0xe0],
    ]);
    let parts: Vec<_> = messages
        .iter()
        .map(|m| (m.chunk_stream_id, m.timestamp, m.kind.0, m.stream_id, &m.payload[..]))
        .collect();
    assert_eq!(
        parts,
        [
            (4, 10, 8, 1, &[0xa0, 0xa1][..]),
            (4, 30, 9, 1, &[0xb0]),
            (4, 35, 9, 1, &[0xc0]),
            (4, 40, 9, 1, &[0xd0]),
            (4, 45, 9, 1, &[0xe0]),
        ]
    );
}

#[test]
fn type_3_after_type_0_repeats_its_time_as_the_delta() {
    let messages = read(&[FIRST, &[0xc4, 0xb0, 0xb1], &[0xc4, 0xc0, 0xc1]]);
    assert_eq!(times(&messages), [10, 20, 30]);
}

#[test]
fn over_long_ids_name_the_same_chunk_stream() {
    let messages = read(&[
        &[0x00, 0, 0, 0, 10, 0, 0, 1, 8, 1, 0, 0, 0, 0xa0],
        &[0xc1, 0, 0, 0xb0],
        &[0xc0, 0, 0xc0],
        &[0x01, 0xff, 0xff, 0, 0, 7, 0, 0, 1, 8, 1, 0, 0, 0, 0xd0],
    ]);
    let ids: Vec<_> = messages.iter().map(|m| (m.chunk_stream_id, m.timestamp)).collect();
    assert_eq!(ids, [(64, 10), (64, 20), (64, 30), (65_599, 7)]);
}

#[test]
fn empty_messages() {
    let messages = read(&[&[0x04, 0, 0, 10, 0, 0, 0, 8, 1, 0, 0, 0], &[0xc4], &[0xc4], FIRST]);
    assert_eq!(times(&messages), [10, 20, 30, 10]);
    assert!(messages[..3].iter().all(|m| m.payload.is_empty()));
}

#[test]
fn times_wrap_modulo_2_to_the_32() {
    let messages = read(&[
        &[0x04, 0xff, 0xff, 0xff, 0, 0, 1, 8, 1, 0, 0, 0, 0xff, 0xff, 0xff, 0xf0, 0xa0],
        &[0x84, 0, 0, 0x20, 0xb0],
        &[0xc4, 0xc0],
    ]);
    assert_eq!(times(&messages), [0xffff_fff0, 0x10, 0x30]);
}

#[test]
fn time_runs_backward_by_type_0_and_by_a_delta_that_wraps() {
    let messages = read(&[
        FIRST,
        &[0x04, 0, 0, 3, 0, 0, 1, 8, 1, 0, 0, 0, 0xa0],
        &[0x84, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xb0],
    ]);
    assert_eq!(times(&messages), [10, 3, 2]);
}

#[test]
fn delta_of_exactly_0xffffff_is_extended() {
    let messages = read(&[
        FIRST,
        &[0x84, 0xff, 0xff, 0xfe, 0xa0, 0xa1],
        &[0x84, 0xff, 0xff, 0xff, 0x00, 0xff, 0xff, 0xff, 0xa0, 0xa1],
    ]);
    assert_eq!(times(&messages), [10, 0xff_fffe + 10, 0x1ff_fffd + 10]);
}

/// Continuations with and without the extended timestamp, at chunk sizes that leave ends of 1 to 4
/// bytes; then the dialect changes within the connection.
#[test]
fn extended_timestamp_repeated_or_not() {
    for len in 129..=133 {
        for timestamp in [0xff_ffff, 0x0102_0304, u32::MAX] {
            let messages: Vec<_> = [4, 5, 6].map(|id| message(id, timestamp, 9, 1, len)).into();
            let dialects = [REPEATS, OMITS, REPEATS];
            let wire: Vec<_> = messages
                .iter()
                .zip(dialects)
                .flat_map(|(message, dialect)| chunks_of(message, 128, dialect).concat())
                .collect();
            assert_eq!(read(&[&wire]), messages);
        }
    }
}

/// One byte of payload is left and it equals the first byte of the timestamp: only the next chunk
/// can tell, and what was held back then has to be read again as payload and header.
#[test]
fn payload_that_begins_like_the_timestamp() {
    for alike in 1..=3 {
        let mut sent = message(4, 0x0102_0304, 9, 1, 128 + alike);
        let mut payload = sent.payload.to_vec();
        payload[128..].copy_from_slice(&0x0102_0304u32.to_be_bytes()[..alike]);
        sent.payload = payload.into();
        let next = message(5, 7, 8, 1, 3);
        let mut wire = chunks_of(&sent, 128, OMITS).concat();
        wire.extend(chunks_of(&next, 128, OMITS).concat());
        assert_eq!(read(&[&wire]), [sent.clone(), next]);

        // The other dialect, with the same payload.
        let wire = chunks_of(&sent, 128, REPEATS).concat();
        assert_eq!(read(&[&wire]), [sent]);
    }
}

/// A last chunk that cannot be a timestamp is handed out at once, without waiting for four bytes.
#[test]
fn short_last_chunk_is_not_held_back() {
    let sent = message(4, 0x0102_0304, 9, 1, 129);
    let wire = chunks_of(&sent, 128, OMITS).concat();
    assert_ne!(sent.payload[128], 0x01);
    assert_eq!(read(&[&wire]), [sent]);
}

#[test]
fn extended_delta_repeated_as_delta_or_as_absolute_time() {
    let payload = [0xee; 130];
    for repeated in [0x0100_0000u32, 0x0100_0000 + 10] {
        let messages = read(&[
            FIRST,
            &[0x44, 0xff, 0xff, 0xff, 0, 0, 130, 9, 1, 0, 0, 0],
            &payload[..128],
            &[0xc4],
            &repeated.to_be_bytes(),
            &payload[128..],
        ]);
        assert_eq!(times(&messages), [10, 0x0100_000a]);
        assert_eq!(messages[1].payload, payload[..]);
    }
}

#[test]
fn type_3_begins_a_message_after_an_extended_delta() {
    let second = [0x84, 0xff, 0xff, 0xff, 1, 0, 0, 0, 0xb0, 0xb1];
    let omitted = read(&[FIRST, &second, &[0xc4, 0xc0, 0xc1], &[0xc4, 0xd0, 0xd1]]);
    let repeated =
        read(&[FIRST, &second, &[0xc4, 1, 0, 0, 0, 0xc0, 0xc1], &[0xc4, 1, 0, 0, 0, 0xd0, 0xd1]]);
    assert_eq!(omitted, repeated);
    assert_eq!(times(&omitted), [10, 0x0100_000a, 0x0200_000a, 0x0300_000a]);
}

/// FFmpeg chooses type 3 by the 24-bit field: once it is known to repeat, the value counts even if
/// it differs.
#[test]
fn type_3_begins_a_message_with_another_extended_delta() {
    let payload = [0xee; 129];
    let messages = read(&[
        &[0x04, 0, 0, 10, 0, 0, 129, 9, 1, 0, 0, 0],
        &payload[..128],
        &[0xc4, 0xee],
        &[0x84, 0xff, 0xff, 0xff, 1, 0, 0, 0],
        &payload[..128],
        &[0xc4, 1, 0, 0, 0, 0xee],
        &[0xc4, 1, 0, 0, 5],
        &payload[..128],
        &[0xc4, 1, 0, 0, 5, 0xee],
    ]);
    assert_eq!(times(&messages), [10, 0x0100_000a, 0x0200_000f]);
}

#[test]
fn other_chunk_streams_within_a_large_message() {
    let video = message(6, 40, 9, 1, 1000);
    let audio = message(4, 41, 8, 1, 300);
    let mut wire = Vec::new();
    let mut audio_chunks = chunks_of(&audio, 128, REPEATS).into_iter();
    for chunk in chunks_of(&video, 128, REPEATS) {
        wire.extend(chunk);
        wire.extend(audio_chunks.next().unwrap_or_default());
    }
    assert_eq!(read(&[&wire]), [audio, video]);
}

#[test]
fn chunk_size_changes_in_mid_message() {
    let sent = message(6, 40, 9, 1, 700);
    let first = chunks_of(&sent, 128, REPEATS);
    let control =
        |size, now| chunks_of(&Control::SetChunkSize(size).encode(), now, REPEATS).concat();
    let messages = read(&[
        &first[0],
        &control(1, 128),
        &[0xc6, sent.payload[128]],
        &control(0x7fff_ffff, 1),
        &[0xc6],
        &sent.payload[129..],
    ]);
    assert_eq!(messages[2], sent);
}

#[test]
fn abort_drops_what_has_arrived() {
    let lost = chunks_of(&message(6, 40, 9, 1, 300), 128, REPEATS);
    let abort = |chunk_stream_id| {
        chunks_of(&Control::Abort { chunk_stream_id }.encode(), 128, REPEATS).concat()
    };
    let next = message(6, 41, 9, 1, 200);
    let wire = [&lost[0][..], &lost[1], &abort(6), &abort(6), &abort(99)].concat();
    let messages = read(&[&wire, &chunks_of(&next, 128, REPEATS).concat()]);
    assert_eq!(messages[3], next);

    // A type 3 header after it begins a message.
    let again = chunks_of(&message(6, 40, 9, 1, 300), 128, REPEATS);
    let messages = read(&[&wire, &[0xc6], &again[0][12..], &again[1], &again[2]]);
    assert_eq!(messages[3], message(6, 80, 9, 1, 300));
}

/// An abort that our caller decides on need not fall between chunks: the rest of the chunk is
/// skipped, wherever the bytes are cut.
#[test]
fn abort_within_a_chunk_skips_its_rest() {
    let lost = chunks_of(&message(6, 40, 9, 1, 300), 128, REPEATS);
    let next = message(6, 41, 9, 1, 200);
    let wire = [&lost[0][..], &chunks_of(&next, 128, REPEATS).concat()].concat();
    for taken in 12..lost[0].len() {
        let mut reader = ChunkReader::new(ChunkLimits::default());
        assert_eq!(reader.read(&mut &wire[..taken]), Ok(None));
        reader.abort(6);
        assert_eq!(reader.reassembly_bytes(), 0);
        assert_eq!(reader.read(&mut &wire[taken..]), Ok(Some(next.clone())));
    }
}

#[test]
fn types_1_and_2_in_mid_message_continue_it() {
    let sent = message(6, 40, 9, 1, 300);
    let payload = &sent.payload;
    let messages = read(&[
        &chunks_of(&sent, 128, REPEATS)[0],
        &[0x46, 0, 0, 9, 0, 1, 44, 9],
        &payload[128..256],
        &[0x86, 0, 0, 7],
        &payload[256..],
        &[0xc6],
        &payload[..128],
        &[0xc6],
        &payload[128..256],
        &[0xc6],
        &payload[256..],
    ]);
    assert_eq!(messages[0], sent);
    assert_eq!(times(&messages), [40, 47], "the last delta is what type 3 repeats");
}

#[test]
fn other_headers_in_mid_message_are_refused() {
    let first = &chunks_of(&message(6, 40, 9, 1, 300), 128, REPEATS)[0];
    let interrupted = ChunkErrorKind::MessageInterrupted { received: 128, length: 300 };
    assert_eq!(refused(&[first, first]), interrupted);
    let longer = ChunkErrorKind::MessageChanged { length: 300, announced: 301 };
    assert_eq!(refused(&[first, &[0x46, 0, 0, 0, 0, 1, 45, 9]]), longer);
    let shorter = ChunkErrorKind::MessageChanged { length: 300, announced: 1 };
    assert_eq!(refused(&[first, &[0x46, 0, 0, 0, 0, 0, 1, 9]]), shorter);
    let kind = ChunkErrorKind::MessageChanged { length: 300, announced: 300 };
    assert_eq!(refused(&[first, &[0x46, 0, 0, 0, 0, 1, 44, 8]]), kind);
}

#[test]
fn types_1_2_and_3_need_a_predecessor() {
    for chunk_type in 1..=3u8 {
        let kind = ChunkErrorKind::NoPrecedingHeader { chunk_type };
        assert_eq!(refused(&[FIRST, &[chunk_type << 6 | 5, 0, 0, 0, 0, 0, 1, 8, 0]]), kind);
        assert_eq!(kind.fault(), Fault::Malformed);
    }
    for chunk_type in 2..=3u8 {
        let kind = ChunkErrorKind::NoPrecedingHeader { chunk_type };
        assert_eq!(refused(&[&[chunk_type << 6 | 2, 0, 0, 0, 0]]), kind);
    }
}

/// What librtmp sends when its first control message is the answer to a ping.
#[test]
fn type_1_first_on_chunk_stream_2() {
    let messages = read(&[&[0x42, 0, 0, 0, 0, 0, 6, 4, 0, 7, 0, 0, 0x0d, 0x0f]]);
    assert_eq!((messages[0].kind, messages[0].stream_id), (MessageType::USER_CONTROL, 0));
    assert_eq!(messages[0].payload[..], [0, 7, 0, 0, 0x0d, 0x0f]);
}

#[test]
fn errors_say_where() {
    let outcome = feed_all_ways(ChunkLimits::default(), &[FIRST, FIRST, &[0xc5, 1, 2]].concat());
    let error = outcome.error.expect("type 3 without predecessor");
    assert_eq!((error.offset, error.chunk_stream_id), (28, 5));
    assert_eq!(error.bytes()[0], 0xc5);
    assert!(error.to_string().contains("chunk stream 5, byte 28: c5"), "{error}");
}
