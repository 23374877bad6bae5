//! Reading bit by bit, with the variable-length codes of H.264 (ISO/IEC 14496-10, 9.1). What the
//! bits mean stands with the codecs.

/// The bits ended before the syntax did, or a code has more bits than any legal one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BitsEnded;

/// Bits of a byte slice, from the highest of each byte on.
#[derive(Clone)]
pub(crate) struct BitReader<'a> {
    bytes: &'a [u8],
    /// The next bit, counted from the first byte; at most `8 * bytes.len()`.
    position: usize,
}

impl<'a> BitReader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0 }
    }

    pub(crate) fn bit(&mut self) -> Result<bool, BitsEnded> {
        let byte = self.bytes.get(self.position / 8).ok_or(BitsEnded)?;
        let bit = byte >> (7 - self.position % 8) & 1;
        self.position += 1;
        Ok(bit == 1)
    }

    /// The next `count` bits, 32 at most, as an unsigned number: `u(n)`.
    pub(crate) fn bits(&mut self, count: u32) -> Result<u32, BitsEnded> {
        debug_assert!(count <= 32, "a caller asks for a fixed count");
        let mut value = 0;
        for _ in 0..count {
            value = value << 1 | u32::from(self.bit()?);
        }
        Ok(value)
    }

    /// The next byte's worth of bits.
    pub(crate) fn byte(&mut self) -> Result<u8, BitsEnded> {
        self.bits(8).map(|bits| bits as u8)
    }

    /// An unsigned Exp-Golomb code: `ue(v)`. Codes of more than 32 leading zeros are refused.
    pub(crate) fn unsigned(&mut self) -> Result<u32, BitsEnded> {
        let mut zeros = 0;
        while !self.bit()? {
            zeros += 1;
            if zeros == 32 {
                return Err(BitsEnded);
            }
        }
        // At most 2^31 - 1 plus as much again: the sum fits.
        Ok((1 << zeros) - 1 + self.bits(zeros)?)
    }

    /// A signed Exp-Golomb code: `se(v)`.
    pub(crate) fn signed(&mut self) -> Result<i64, BitsEnded> {
        let code = i64::from(self.unsigned()?);
        Ok(if code % 2 == 1 { (code + 1) / 2 } else { -(code / 2) })
    }

    pub(crate) fn skip(&mut self, count: usize) -> Result<(), BitsEnded> {
        if count > self.left() {
            return Err(BitsEnded);
        }
        self.position += count;
        Ok(())
    }

    /// Moves to the next byte boundary of the input, which always exists.
    pub(crate) fn align(&mut self) {
        self.position = self.position.next_multiple_of(8);
    }

    /// How many bits are left.
    pub(crate) fn left(&self) -> usize {
        self.bytes.len() * 8 - self.position
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_come_from_the_highest_on_and_end() {
        let mut reader = BitReader::new(&[0b1010_0000, 0xff]);
        assert_eq!(reader.bit(), Ok(true));
        assert_eq!(reader.bits(3), Ok(0b010));
        reader.align();
        assert_eq!(reader.left(), 8);
        assert_eq!(reader.skip(4), Ok(()));
        assert_eq!(reader.bits(5), Err(BitsEnded));
        assert_eq!(BitReader::new(&[0]).skip(9), Err(BitsEnded));
        assert_eq!(BitReader::new(&[0xff; 4]).bits(32), Ok(u32::MAX));
    }

    #[test]
    fn golomb_codes_of_table_9_2() {
        // 1, 010, 011, 00100, 00101 and padding.
        let mut reader = BitReader::new(&[0b1010_0110, 0b0100_0010, 0b1000_0000]);
        let codes: Vec<_> = (0..5).map(|_| reader.unsigned().unwrap()).collect();
        assert_eq!(codes, [0, 1, 2, 3, 4]);
        let mut reader = BitReader::new(&[0b1010_0110, 0b0100_0010, 0b1000_0000]);
        let codes: Vec<_> = (0..5).map(|_| reader.signed().unwrap()).collect();
        assert_eq!(codes, [0, 1, -1, 2, -2]);
    }

    #[test]
    fn the_longest_code_fits_and_a_longer_one_is_refused() {
        let longest = [0, 0, 0, 0b0000_0001, 0xff, 0xff, 0xff, 0xff];
        assert_eq!(BitReader::new(&longest).unsigned(), Ok(u32::MAX - 1));
        assert_eq!(BitReader::new(&longest).signed(), Ok(-i64::from(u32::MAX / 2)));
        assert_eq!(
            BitReader::new(&[0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]).unsigned(),
            Err(BitsEnded)
        );
        assert_eq!(BitReader::new(&[0; 100]).unsigned(), Err(BitsEnded));
    }
}
