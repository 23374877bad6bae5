//! The mark that each frame carries in band, so that whoever plays it knows what it should be.
//!
//! ```text
//!   magic (16 bytes) | stream 5 | sequence 5 | length 5 | scheduled 10 | check 5     = 46 bytes
//! ```
//! The magic is the UUID of an H.264 SEI message "user data unregistered" (ISO/IEC 14496-10, D.1.6).
//! Numbers are written seven bits to a byte, the top bit always set: so the mark holds no zero byte
//! and needs no emulation prevention (7.4.1), and a server that re-escapes NAL units leaves it as
//! it is. `scheduled` is the time at which the frame *should* have been sent, in nanoseconds of the
//! monotonic clock of this machine: a publisher that falls behind does not hide the delay.

/// What a frame says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Number of the stream.
    pub stream: u32,
    /// Number of the frame in its track of the stream, from 0.
    pub sequence: u32,
    /// Bytes of the whole message payload.
    pub length: u32,
    /// When it should have been sent: nanoseconds of the monotonic clock.
    pub scheduled_ns: u64,
}

/// Bytes that a mark takes.
pub const MARK_BYTES: usize = 46;

const MAGIC: [u8; 16] = [
    0xa7, 0x5e, 0x1c, 0x93, 0xd4, 0x68, 0x4b, 0xf2, 0x9e, 0x37, 0xc1, 0x85, 0x6d, 0xfa, 0x29, 0xb6,
];

impl Mark {
    /// Appends the mark.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&MAGIC);
        put(u64::from(self.stream), 5, out);
        put(u64::from(self.sequence), 5, out);
        put(u64::from(self.length), 5, out);
        put(self.scheduled_ns, 10, out);
        put(u64::from(self.check()), 5, out);
    }

    /// Reads the mark that begins at `at`; nothing if none does, or one that was damaged.
    pub fn read_at(payload: &[u8], at: usize) -> Option<Self> {
        let bytes = payload.get(at..at.checked_add(MARK_BYTES)?)?;
        let (magic, numbers) = bytes.split_at(MAGIC.len());
        if magic != MAGIC {
            return None;
        }
        let mark = Self {
            stream: u32::try_from(take(&numbers[..5])?).ok()?,
            sequence: u32::try_from(take(&numbers[5..10])?).ok()?,
            length: u32::try_from(take(&numbers[10..15])?).ok()?,
            scheduled_ns: take(&numbers[15..25])?,
        };
        (take(&numbers[25..30])? == u64::from(mark.check())).then_some(mark)
    }

    /// Finds the mark at its usual place, or else near the front: a server may put parameter sets
    /// or a delimiter before it.
    pub fn find(payload: &[u8], usual: usize) -> Option<Self> {
        Self::read_at(payload, usual).or_else(|| {
            let near = &payload[..payload.len().min(SEARCHED)];
            let at = near.windows(MAGIC.len()).position(|window| window == MAGIC)?;
            Self::read_at(payload, at)
        })
    }

    fn check(&self) -> u32 {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for word in [
            u64::from(self.stream) << 32 | u64::from(self.sequence),
            u64::from(self.length),
            self.scheduled_ns,
        ] {
            hash = (hash ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            hash ^= hash >> 29;
        }
        // The high bits must count too: there the top of a number ends up.
        (hash ^ (hash >> 32)) as u32
    }
}

/// Where a mark is looked for at most, in bytes.
const SEARCHED: usize = 1024;

fn put(mut value: u64, bytes: usize, out: &mut Vec<u8>) {
    for _ in 0..bytes {
        out.push(0x80 | (value & 0x7f) as u8);
        value >>= 7;
    }
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
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_mark_comes_back(stream: u32, sequence: u32, length: u32, scheduled_ns: u64,
            front in proptest::collection::vec(any::<u8>(), 0..40)) {
            let mark = Mark { stream, sequence, length, scheduled_ns };
            let mut bytes = front.clone();
            mark.write(&mut bytes);
            prop_assert_eq!(bytes.len(), front.len() + MARK_BYTES);
            prop_assert!(!bytes[front.len()..].contains(&0));
            prop_assert_eq!(Mark::read_at(&bytes, front.len()), Some(mark));
            prop_assert_eq!(Mark::find(&bytes, 0), Some(mark));
        }

        #[test]
        fn a_damaged_mark_is_none(at in 0..MARK_BYTES, bit in 0_u8..8) {
            let mark = Mark { stream: 7, sequence: 99, length: 4000, scheduled_ns: 1 << 60 };
            let mut bytes = Vec::new();
            mark.write(&mut bytes);
            bytes[at] ^= 1_u8 << bit;
            prop_assert_eq!(Mark::read_at(&bytes, 0), None);
        }

        #[test]
        fn anything_can_be_searched(bytes in proptest::collection::vec(any::<u8>(), 0..200), at: usize) {
            let _ = Mark::find(&bytes, at);
        }
    }
}
