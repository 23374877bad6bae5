//! The mark that each frame carries in band, so that whoever plays it knows what it should be.
//!
//! ```text
//!   magic (16 bytes) | stream 5 | epoch 5 | sequence 5 | lead 5 | tail 5 | hash 5
//!                    | scheduled 10 | check 5                             = 61 bytes
//! ```
//! The magic is the UUID of an H.264 SEI message "user data unregistered" (ISO/IEC 14496-10, D.1.6).
//! Numbers are written seven bits to a byte, the top bit always set: so the mark holds no zero byte
//! and needs no emulation prevention (7.4.1), and a server that re-escapes NAL units leaves it as
//! it is. `scheduled` is the time at which the frame *should* have been sent, in nanoseconds of the
//! monotonic clock of this machine: a publisher that falls behind does not hide the delay.
//!
//! `tail` reaches from the mark to the end of the message, so a server may put parameter sets or a
//! delimiter in front of the mark without being accused. Where it stands in a frame of which codec
//! is the business of `form`.

use crc32fast::Hasher;

/// What a frame says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Number of the stream.
    pub stream: u32,
    /// Which publisher of the stream: counts up whenever somebody begins to publish it.
    pub epoch: u32,
    /// Number of the frame in its track of the stream, from 0.
    pub sequence: u32,
    /// Bytes just before the mark that `hash` covers; none but where a mark can only stand last.
    pub lead: u32,
    /// Bytes from the first of the mark to the end of the message's payload.
    pub tail: u32,
    /// CRC-32 (ISO/IEC 13239) of the `lead` bytes before the mark and all bytes behind it.
    pub hash: u32,
    /// When it should have been sent: nanoseconds of the monotonic clock.
    pub scheduled_ns: u64,
}

/// Bytes that a mark takes.
pub const MARK_BYTES: usize = 61;

const MAGIC: [u8; 16] = [
    0xa7, 0x5e, 0x1c, 0x93, 0xd4, 0x68, 0x4b, 0xf2, 0x9e, 0x37, 0xc1, 0x85, 0x6d, 0xfa, 0x29, 0xb6,
];

impl Mark {
    /// The mark as it stands in a frame.
    pub fn to_bytes(&self) -> [u8; MARK_BYTES] {
        let mut out = [0; MARK_BYTES];
        let (magic, mut numbers) = out.split_at_mut(MAGIC.len());
        magic.copy_from_slice(&MAGIC);
        for number in self.numbers() {
            numbers = put(u64::from(number), 5, numbers);
        }
        numbers = put(self.scheduled_ns, 10, numbers);
        put(u64::from(self.check()), 5, numbers);
        out
    }

    /// Reads the mark that begins at `at`; nothing if none does, or one that was damaged.
    pub fn read_at(payload: &[u8], at: usize) -> Option<Self> {
        let bytes = payload.get(at..at.checked_add(MARK_BYTES)?)?;
        let (magic, numbers) = bytes.split_at(MAGIC.len());
        if magic != MAGIC {
            return None;
        }
        let number = |place: usize| u32::try_from(take(&numbers[5 * place..5 * place + 5])?).ok();
        let mark = Self {
            stream: number(0)?,
            epoch: number(1)?,
            sequence: number(2)?,
            lead: number(3)?,
            tail: number(4)?,
            hash: number(5)?,
            scheduled_ns: take(&numbers[30..40])?,
        };
        (number(8)? == mark.check()).then_some(mark)
    }

    /// Finds the mark, and where it begins: at its usual place, or else near the front, for a
    /// server may put parameter sets or a delimiter before it.
    pub fn find(payload: &[u8], usual: usize) -> Option<(usize, Self)> {
        if let Some(mark) = Self::read_at(payload, usual) {
            return Some((usual, mark));
        }
        let near = &payload[..payload.len().min(SEARCHED_BYTES)];
        let at = near.windows(MAGIC.len()).position(|window| window == MAGIC)?;
        Some((at, Self::read_at(payload, at)?))
    }

    /// Whether the payload, in which the mark was found at `at`, is as long as it was sent.
    pub fn is_whole(&self, payload: &[u8], at: usize) -> bool {
        at >= self.lead as usize && payload.len().checked_sub(at) == Some(self.tail as usize)
    }

    /// Whether what the mark answers for has the bytes it was sent with. This reads all of them.
    pub fn is_intact(&self, payload: &[u8], at: usize) -> bool {
        let before = at.checked_sub(self.lead as usize).and_then(|from| payload.get(from..at));
        let behind = at.checked_add(MARK_BYTES).and_then(|from| payload.get(from..));
        let (Some(before), Some(behind)) = (before, behind) else { return false };
        self.is_whole(payload, at) && hash(&[before, behind]) == self.hash
    }

    fn numbers(&self) -> [u32; 6] {
        [self.stream, self.epoch, self.sequence, self.lead, self.tail, self.hash]
    }

    fn check(&self) -> u32 {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        let [stream, epoch, sequence, lead, tail, content] = self.numbers().map(u64::from);
        for word in
            [stream << 32 | epoch, sequence << 32 | lead, tail << 32 | content, self.scheduled_ns]
        {
            hash = (hash ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            hash ^= hash >> 29;
        }
        // The high bits must count too: there the top of a number ends up.
        (hash ^ (hash >> 32)) as u32
    }
}

/// The hash of a frame's bytes, given in pieces.
pub(super) fn hash(pieces: &[&[u8]]) -> u32 {
    let mut hasher = Hasher::new();
    for piece in pieces {
        hasher.update(piece);
    }
    hasher.finalize()
}

/// Where a mark begins at most, in bytes from the front of a message, unless it stands last.
pub(super) const SEARCHED_BYTES: usize = 1024;

/// Writes a number, and returns what is left to write to.
fn put(value: u64, bytes: usize, out: &mut [u8]) -> &mut [u8] {
    let (out, rest) = out.split_at_mut(bytes);
    for (place, byte) in out.iter_mut().enumerate() {
        *byte = 0x80 | (value >> (7 * place) & 0x7f) as u8;
    }
    rest
}

fn take(bytes: &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for (place, &byte) in bytes.iter().enumerate() {
        let bits = u64::from(byte & 0x7f);
        // The tenth byte holds the one bit that is left of 64.
        if byte & 0x80 == 0 || (place == 9 && bits > 1) {
            return None;
        }
        value |= bits << (7 * place);
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn any_mark() -> impl Strategy<Value = Mark> {
        (any::<[u32; 6]>(), any::<u64>()).prop_map(|(numbers, scheduled_ns)| {
            let [stream, epoch, sequence, lead, tail, hash] = numbers;
            Mark { stream, epoch, sequence, lead, tail, hash, scheduled_ns }
        })
    }

    /// A payload with a mark that answers for `lead` bytes before and all bytes behind it.
    fn marked(front: &[u8], lead: usize, behind: &[u8]) -> Vec<u8> {
        let mark = Mark {
            stream: 7,
            epoch: 1,
            sequence: 99,
            lead: lead as u32,
            tail: (MARK_BYTES + behind.len()) as u32,
            hash: hash(&[&front[front.len() - lead..], behind]),
            scheduled_ns: 1 << 60,
        };
        let mut bytes = front.to_vec();
        bytes.extend_from_slice(&mark.to_bytes());
        bytes.extend_from_slice(behind);
        bytes
    }

    proptest! {
        #[test]
        fn a_mark_comes_back(mark in any_mark(), front in vec(any::<u8>(), 0..40)) {
            let mut bytes = front.clone();
            bytes.extend_from_slice(&mark.to_bytes());
            prop_assert_eq!(bytes.len(), front.len() + MARK_BYTES);
            prop_assert!(!bytes[front.len()..].contains(&0));
            prop_assert_eq!(Mark::read_at(&bytes, front.len()), Some(mark));
            prop_assert_eq!(Mark::find(&bytes, 0), Some((front.len(), mark)));
        }

        #[test]
        fn a_damaged_mark_is_none(mark in any_mark(), at in 0..MARK_BYTES, bit in 0_u8..8) {
            let mut bytes = mark.to_bytes();
            bytes[at] ^= 1_u8 << bit;
            prop_assert_eq!(Mark::read_at(&bytes, 0), None);
        }

        #[test]
        fn every_change_of_what_a_mark_answers_for_is_seen(
            front in vec(any::<u8>(), 0..40),
            lead in any::<proptest::sample::Index>(),
            behind in vec(any::<u8>(), 0..80),
            at in any::<proptest::sample::Index>(),
            bit in 0_u8..8,
        ) {
            let lead = lead.index(front.len() + 1);
            let bytes = marked(&front, lead, &behind);
            let (place, mark) = Mark::find(&bytes, 0).unwrap();
            prop_assert!(mark.is_whole(&bytes, place) && mark.is_intact(&bytes, place));
            let mut changed = bytes.clone();
            let at = at.index(bytes.len());
            changed[at] ^= 1_u8 << bit;
            let answered = at >= place - lead && !(place..place + MARK_BYTES).contains(&at);
            prop_assert!(mark.is_whole(&changed, place));
            prop_assert_eq!(mark.is_intact(&changed, place), !answered);
        }

        #[test]
        fn a_shorter_or_longer_message_is_not_whole(
            front in vec(any::<u8>(), 0..40),
            behind in vec(any::<u8>(), 1..80),
            cut in any::<proptest::sample::Index>(),
            more in vec(any::<u8>(), 1..9),
        ) {
            let bytes = marked(&front, 0, &behind);
            let (place, mark) = Mark::find(&bytes, front.len()).unwrap();
            let cut = &bytes[..cut.index(bytes.len())];
            let longer = [&bytes[..], &more[..]].concat();
            for other in [cut, &longer] {
                prop_assert!(!mark.is_whole(other, place) && !mark.is_intact(other, place));
            }
            // What stands in front is the server's business.
            let preceded = [&more[..], &bytes[..]].concat();
            prop_assert!(mark.is_intact(&preceded, place + more.len()));
        }

        #[test]
        fn anything_can_be_searched_and_held_against_any_mark(
            bytes in vec(any::<u8>(), 0..200), at: usize, mark in any_mark(),
        ) {
            let _ = Mark::find(&bytes, at);
            let _ = mark.is_whole(&bytes, at);
            prop_assert!(!mark.is_intact(&bytes, at) || mark.is_whole(&bytes, at));
        }
    }

    #[test]
    fn a_mark_beyond_the_front_is_not_looked_for() {
        let bytes = marked(&[1; SEARCHED_BYTES], 0, &[2]);
        assert_eq!(Mark::find(&bytes, 0), None);
        assert!(Mark::find(&bytes, SEARCHED_BYTES).is_some());
    }
}
