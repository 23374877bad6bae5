//! What one player got of one track, against what it should have got: order, gaps, repetitions.
//!
//! The first frame begins the account. From there on every number must come once, in order, up to
//! the last that was published. A frame that comes late, within the last 64, was reordered and not
//! lost. The bytes of frames are looked at elsewhere (`shape`).

/// What went wrong, in frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// Never came, so far.
    pub lost: u64,
    /// Came again.
    pub duplicated: u64,
    /// Came after a later one.
    pub reordered: u64,
}

/// The account of one track.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ledger {
    /// The next number; `None` before the first frame.
    next: Option<u32>,
    /// Which of the 64 numbers before `next` came; bit 0 is `next - 1`.
    seen: u64,
    /// Numbers before this one are none of this player's business.
    first: u32,
}

impl Ledger {
    /// Enters a frame. Returns what it changes.
    pub fn enter(&mut self, sequence: u32, faults: &mut Faults) {
        let Some(next) = self.next else {
            *self = Self { next: Some(sequence.wrapping_add(1)), seen: 1, first: sequence };
            return;
        };
        if sequence >= next {
            let gap = sequence - next;
            faults.lost += u64::from(gap);
            self.seen = self.seen.checked_shl(gap.saturating_add(1)).unwrap_or(0) | 1;
            self.next = Some(sequence.wrapping_add(1));
            return;
        }
        let back = next - 1 - sequence;
        let bit = 1_u64.checked_shl(back).unwrap_or(0);
        if sequence >= self.first && bit != 0 && self.seen & bit == 0 {
            self.seen |= bit;
            faults.reordered += 1;
            faults.lost = faults.lost.saturating_sub(1);
        } else if sequence < self.first {
            // Older than where this player began: late, and not a repetition.
            faults.reordered += 1;
        } else {
            faults.duplicated += 1;
        }
    }

    /// Whether any frame came.
    pub fn has_begun(&self) -> bool {
        self.next.is_some()
    }

    /// Frames missing at the end, of a track that has published so many.
    pub fn missing(&self, published: u32) -> u64 {
        self.next.map_or(0, |next| u64::from(published.saturating_sub(next)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn enter(sequences: &[u32]) -> (Ledger, Faults) {
        let (mut ledger, mut faults) = Default::default();
        for sequence in sequences {
            Ledger::enter(&mut ledger, *sequence, &mut faults);
        }
        (ledger, faults)
    }

    #[test]
    fn in_order_nothing_is_wrong() {
        let (ledger, faults) = enter(&[60, 61, 62, 63]);
        assert_eq!(faults, Faults::default());
        assert_eq!((ledger.missing(64), ledger.missing(70)), (0, 6));
    }

    #[test]
    fn each_fault_is_told_from_the_others() {
        assert_eq!(enter(&[5, 6, 9]).1, Faults { lost: 2, ..Faults::default() });
        assert_eq!(enter(&[5, 6, 6, 7]).1, Faults { duplicated: 1, ..Faults::default() });
        assert_eq!(enter(&[5, 7, 6, 8]).1, Faults { reordered: 1, ..Faults::default() });
        assert_eq!(enter(&[5, 7, 6, 6]).1, Faults { reordered: 1, duplicated: 1, lost: 0 });
        assert_eq!(enter(&[5, 4, 6]).1, Faults { reordered: 1, ..Faults::default() });
    }

    #[test]
    fn great_gaps_and_the_last_number_do_no_harm() {
        assert_eq!(enter(&[0, 1000, 1001]).1.lost, 999);
        assert_eq!(enter(&[0, 64, 0]).1, Faults { lost: 63, duplicated: 1, reordered: 0 });
        assert_eq!(enter(&[u32::MAX - 1, u32::MAX, 0]).1, Faults::default());
    }
}
