//! What is done to a payload, byte for byte. Which payload has its turn is the `rewriter`'s business.

use crate::media::mark::{MARK_BYTES, Mark};
use bytes::Bytes;

/// Bytes in front that [`corrupt`] leaves alone, if the frame is longer: headers and the mark stand
/// there, and without them nobody could say which frame is wrong.
const FRONT: usize = 200;
/// Bytes that [`extend`] appends.
const TAIL: [u8; 64] = [0x5a; 64];
/// How far from the front a mark is looked for.
const SEARCHED: usize = 1024;

/// Flips every other bit of one byte in the middle. An empty payload has none.
pub(super) fn corrupt(payload: &Bytes) -> Option<Bytes> {
    let last = payload.len().checked_sub(1)?;
    let mut damaged = payload.to_vec();
    damaged[(payload.len() / 2).max(FRONT).min(last)] ^= 0x55;
    Some(damaged.into())
}

/// Takes the last quarter away, at least one byte. An empty payload has none.
pub(super) fn truncate(payload: &Bytes) -> Option<Bytes> {
    let last = payload.len().checked_sub(1)?;
    Some(payload.slice(..last - payload.len() / 4))
}

/// Appends bytes that were never sent.
pub(super) fn extend(payload: &Bytes) -> Bytes {
    [payload, &TAIL[..]].concat().into()
}

/// Overwrites the mark, so that the length and all else stay as they were; nothing if there is none.
pub(super) fn strip(payload: &Bytes) -> Option<Bytes> {
    let last = payload.len().min(SEARCHED);
    let at = (0..last).find(|at| Mark::read_at(payload, *at).is_some())?;
    let mut damaged = payload.to_vec();
    damaged[at..at + MARK_BYTES].fill(0x80);
    Some(damaged.into())
}

/// The number of the stream that a frame says it belongs to.
pub(super) fn stream(payload: &Bytes) -> Option<u32> {
    Mark::find(payload, 0).map(|(_, mark)| mark.stream)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(length: usize) -> (Mark, Bytes) {
        let mark = Mark {
            stream: 3,
            epoch: 0,
            sequence: 9,
            lead: 0,
            tail: length as u32 - 12,
            hash: 0,
            scheduled_ns: 77,
        };
        let mut bytes = vec![0x17; 12];
        bytes.extend_from_slice(&mark.to_bytes());
        bytes.resize(length, 0xee);
        (mark, bytes.into())
    }

    #[test]
    fn damage_behind_the_mark_leaves_it_readable() {
        for length in [160, 201, 343, 9000] {
            let (mark, payload) = marked(length);
            let corrupted = corrupt(&payload).unwrap();
            let differ = payload.iter().zip(&corrupted).filter(|(a, b)| a != b).count();
            assert_eq!((corrupted.len(), differ), (length, 1));
            let truncated = truncate(&payload).unwrap();
            assert!(truncated.len() < length && payload.starts_with(&truncated));
            let extended = extend(&payload);
            assert!(extended.len() > length && extended.starts_with(&payload));
            for damaged in [corrupted, truncated, extended] {
                assert_eq!(Mark::find(&damaged, 12), Some((12, mark)));
                assert_eq!(stream(&damaged), Some(3));
            }
        }
    }

    #[test]
    fn a_mark_is_overwritten_and_nothing_else() {
        let (_, payload) = marked(500);
        let stripped = strip(&payload).unwrap();
        assert_eq!((Mark::find(&stripped, 12), stripped.len()), (None, 500));
        assert_eq!(stripped[..12], payload[..12]);
        assert_eq!(stripped[12 + MARK_BYTES..], payload[12 + MARK_BYTES..]);
        assert_eq!(strip(&stripped), None);
    }

    #[test]
    fn short_payloads_are_no_trouble() {
        let empty = Bytes::new();
        assert_eq!((corrupt(&empty), truncate(&empty), strip(&empty)), (None, None, None));
        let one = Bytes::from_static(&[7]);
        assert_eq!(truncate(&one), Some(empty));
        assert_eq!(corrupt(&one).unwrap()[0], 7 ^ 0x55);
    }
}
