//! Aggregates: taken apart as they were put together, and cut short anywhere.

use bytes::Bytes;
use millstream_rtmp::aggregate::*;
use millstream_rtmp::message::{Message, MessageType};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::support::message;

/// A part as an FLV tag with its back pointer.
fn part(kind: u8, timestamp: u32, payload: &[u8]) -> Vec<u8> {
    let [t3, t2, t1, t0] = timestamp.to_be_bytes();
    let length = payload.len() as u32;
    let mut out = vec![kind];
    out.extend(&length.to_be_bytes()[1..]);
    out.extend([t2, t1, t0, t3, 9, 9, 9]);
    out.extend(payload);
    out.extend((length + 11).to_be_bytes());
    out
}

fn aggregate(timestamp: u32, payload: Vec<u8>) -> Message {
    Message { payload: Bytes::from(payload), ..message(5, timestamp, 22, 7, 0) }
}

fn split(message: &Message) -> Vec<Result<Message, AggregateError>> {
    split_aggregate(message).unwrap().collect()
}

#[test]
fn times_move_with_the_first_part() {
    let parts = [part(8, 100, b"a"), part(9, 140, b"bcd"), part(18, 90, b"")].concat();
    let messages: Vec<_> = split(&aggregate(5000, parts)).into_iter().map(Result::unwrap).collect();
    let seen: Vec<_> = messages.iter().map(|m| (m.kind.0, m.timestamp, &m.payload[..])).collect();
    assert_eq!(seen, [(8, 5000, &b"a"[..]), (9, 5040, b"bcd"), (18, 4990, b"")]);
    assert!(messages.iter().all(|m| (m.chunk_stream_id, m.stream_id) == (5, 7)));
}

#[test]
fn times_wrap() {
    let parts = [part(8, u32::MAX, b"a"), part(8, 4, b"b")].concat();
    let times: Vec<_> =
        split(&aggregate(10, parts)).iter().map(|m| m.as_ref().unwrap().timestamp).collect();
    assert_eq!(times, [10, 15]);
}

#[test]
fn back_pointers_do_not_matter() {
    let mut parts = [part(8, 0, b"a"), part(8, 1, b"b")].concat();
    parts[12..16].fill(0xff);
    for missing in 0..=4 {
        let cut = parts[..parts.len() - missing].to_vec();
        assert!(split(&aggregate(0, cut)).iter().all(Result::is_ok));
    }
}

#[test]
fn cut_short_is_an_error_after_the_whole_parts() {
    let first = part(8, 0, b"a");
    let parts = [first.clone(), part(9, 1, b"bcd")].concat();
    for len in first.len() + 1..first.len() + 14 {
        let result = split(&aggregate(0, parts[..len].to_vec()));
        assert_eq!(result.len(), 2);
        assert!(result[0].is_ok());
        assert_eq!(result[1], Err(AggregateError::Truncated { offset: first.len() }));
    }
}

#[test]
fn empty_nested_and_none() {
    assert_eq!(split(&aggregate(0, Vec::new())), []);
    let nested = part(22, 0, &part(8, 0, b"a"));
    assert_eq!(split(&aggregate(0, nested)), [Err(AggregateError::Nested { offset: 0 })]);
    let error = split_aggregate(&message(5, 0, 9, 1, 3)).unwrap_err();
    assert_eq!(error, AggregateError::NotAnAggregate { kind: MessageType::VIDEO });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn put_together_and_taken_apart(
        timestamp: u32,
        parts in vec((8u8..10, any::<u32>(), vec(any::<u8>(), 0..50)), 0..8),
    ) {
        let wire: Vec<_> = parts.iter().flat_map(|(k, t, p)| part(*k, *t, p)).collect();
        let messages = split(&aggregate(timestamp, wire));
        prop_assert_eq!(messages.len(), parts.len());
        for (message, (kind, time, payload)) in messages.into_iter().zip(&parts) {
            let message = message.unwrap();
            let expected = time.wrapping_sub(parts[0].1).wrapping_add(timestamp);
            prop_assert_eq!((message.kind.0, message.timestamp), (*kind, expected));
            prop_assert_eq!(&message.payload[..], &payload[..]);
        }
    }

    /// Random bytes end, with one error at most, and never give more than they hold.
    #[test]
    fn random_bytes(bytes in vec(prop_oneof![Just(0u8), any::<u8>()], 0..200)) {
        let len = bytes.len();
        let result = split(&aggregate(0, bytes));
        let payload: usize = result.iter().flatten().map(|m| m.payload.len() + 11).sum();
        prop_assert!(payload <= len);
        prop_assert!(result.iter().rev().skip(1).all(Result::is_ok));
    }
}
