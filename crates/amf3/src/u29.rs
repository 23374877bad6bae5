//! Integers of 29 bits in one to four bytes (AMF3 specification, section 1.3.1). What their bits
//! mean in front of a text or an object stands in `decode` and `encode`.
//!
//! ```text
//! 0xxxxxxx                                  7 bits
//! 1xxxxxxx 0xxxxxxx                        14 bits
//! 1xxxxxxx 1xxxxxxx 0xxxxxxx               21 bits
//! 1xxxxxxx 1xxxxxxx 1xxxxxxx xxxxxxxx      29 bits: the last byte gives all of its eight
//! ```

/// The largest number that fits.
pub(crate) const MAX: u32 = (1 << 29) - 1;

/// The number that `input` begins with and how many bytes it has; `None` if they are not all there.
/// A number written in more bytes than it needs is read as well.
pub(crate) fn read(input: &[u8]) -> Option<(u32, usize)> {
    let mut number = 0;
    for (index, &byte) in input.iter().take(4).enumerate() {
        if index == 3 {
            return Some((number << 8 | u32::from(byte), 4));
        }
        number = number << 7 | u32::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((number, index + 1));
        }
    }
    None
}

/// Appends a number of at most [`MAX`], in as few bytes as it needs.
pub(crate) fn write(number: u32, out: &mut Vec<u8>) {
    debug_assert!(number <= MAX);
    let more = |shift: u32| (number >> shift) as u8 | 0x80;
    let last = (number & 0x7f) as u8;
    match number {
        0..0x80 => out.push(last),
        0x80..0x4000 => out.extend([more(7), last]),
        0x4000..0x20_0000 => out.extend([more(14), more(7), last]),
        _ => out.extend([more(22), more(15), more(8), number as u8]),
    }
}

/// The 29 bits as a two's complement number (section 3.6).
pub(crate) fn to_signed(number: u32) -> i32 {
    ((number << 3) as i32) >> 3
}

/// The 29 bits of a signed number; `None` if it needs more.
pub(crate) fn from_signed(number: i32) -> Option<u32> {
    let bits = number as u32 & MAX;
    (to_signed(bits) == number).then_some(bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_borders_of_each_length() {
        let borders: [(u32, &[u8]); 8] = [
            (0, &[0]),
            (0x7f, &[0x7f]),
            (0x80, &[0x81, 0]),
            (0x3fff, &[0xff, 0x7f]),
            (0x4000, &[0x81, 0x80, 0]),
            (0x1f_ffff, &[0xff, 0xff, 0x7f]),
            (0x20_0000, &[0x80, 0xc0, 0x80, 0]),
            (MAX, &[0xff, 0xff, 0xff, 0xff]),
        ];
        for (number, bytes) in borders {
            let mut out = Vec::new();
            write(number, &mut out);
            assert_eq!(out, bytes, "{number:#x}");
            assert_eq!(read(bytes), Some((number, bytes.len())));
            assert_eq!(read(&[bytes, &[0xff]].concat()), Some((number, bytes.len())));
            for cut in 0..bytes.len() {
                assert_eq!(read(&bytes[..cut]), None);
            }
        }
        assert_eq!(read(&[0x80, 0x80, 0x01]), Some((1, 3)), "longer than it needs to be");
    }

    #[test]
    fn the_borders_of_signed_numbers() {
        let (least, most) = (-(1 << 28), (1 << 28) - 1);
        for number in [0, 1, -1, least, most] {
            assert_eq!(from_signed(number).map(to_signed), Some(number));
        }
        assert_eq!(from_signed(-1), Some(MAX));
        for number in [least - 1, most + 1, i32::MIN, i32::MAX] {
            assert_eq!(from_signed(number), None);
        }
    }
}
