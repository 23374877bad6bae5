//! The bytes of chunk headers, both ways (RTMP 1.0, section 5.3.1), without any memory of earlier
//! chunks: what a field means after another stands in `opener` and `writer`.
//!
//! ```text
//! basic     |fmt 2|  csid 6   |                            csid 2 to 63
//!           |fmt 2|  0        | csid - 64  8 |             64 to 319
//!           |fmt 2|  1        | csid - 64  16, low first | 64 to 65,599
//! type 0    | timestamp 24 | length 24 | type 8 | message stream 32, low first |
//! type 1    | delta 24     | length 24 | type 8 |
//! type 2    | delta 24     |
//! type 3
//! extended  | 32 |   if the 24-bit time above is 0xffffff
//! ```

use bytes::BufMut;

/// The 24-bit time that says that an extended timestamp follows.
pub(super) const EXTENDED: u32 = 0x00ff_ffff;

/// The longest header: basic 3, type 0 11, extended timestamp 4.
pub(super) const HEADER_BYTES_MAX: usize = 18;

/// The basic header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Basic {
    /// 0 to 3.
    pub chunk_type: u8,
    pub chunk_stream_id: u32,
    /// 1 to 3 bytes.
    pub len: usize,
}

impl Basic {
    /// Reads the basic header at the front; `None` if it is not there whole.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let first = *bytes.first()?;
        let chunk_type = first >> 6;
        let (chunk_stream_id, len) = match first & 0x3f {
            0 => (64 + u32::from(*bytes.get(1)?), 2),
            1 => (64 + u32::from(*bytes.get(1)?) + 256 * u32::from(*bytes.get(2)?), 3),
            id => (u32::from(id), 1),
        };
        Some(Self { chunk_type, chunk_stream_id, len })
    }
}

/// What a type 0 or 1 header says about a message beside its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Announced {
    pub length: u32,
    pub kind: u8,
    /// Only type 0 names it.
    pub stream_id: Option<u32>,
}

/// A message header of type 0, 1 or 2 with its extended timestamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fields {
    /// The timestamp (type 0) or delta (types 1 and 2), extended or not.
    pub time: u32,
    /// Whether `time` came in the extended field.
    pub extended: bool,
    /// Absent in type 2.
    pub announced: Option<Announced>,
    /// 3 to 15 bytes.
    pub len: usize,
}

impl Fields {
    /// Reads what follows the basic header of a chunk of type 0, 1 or 2; `None` if it is not there
    /// whole.
    pub fn parse(chunk_type: u8, bytes: &[u8]) -> Option<Self> {
        let time = be24(bytes)?;
        let (announced, short_len) = match chunk_type {
            0 => (Some(announced(bytes, true)?), 11),
            1 => (Some(announced(bytes, false)?), 7),
            _ => (None, 3),
        };
        if time < EXTENDED {
            return Some(Self { time, extended: false, announced, len: short_len });
        }
        let time = u32::from_be_bytes(*bytes.get(short_len..)?.first_chunk()?);
        Some(Self { time, extended: true, announced, len: short_len + 4 })
    }
}

fn announced(bytes: &[u8], with_stream_id: bool) -> Option<Announced> {
    let length = be24(bytes.get(3..)?)?;
    let kind = *bytes.get(6)?;
    let stream_id = if with_stream_id {
        Some(u32::from_le_bytes(*bytes.get(7..)?.first_chunk()?))
    } else {
        None
    };
    Some(Announced { length, kind, stream_id })
}

fn be24(bytes: &[u8]) -> Option<u32> {
    let [a, b, c] = *bytes.first_chunk()?;
    Some(u32::from_be_bytes([0, a, b, c]))
}

/// The length of the shortest basic header for a chunk stream.
pub(super) const fn basic_len(chunk_stream_id: u32) -> usize {
    match chunk_stream_id {
        0..64 => 1,
        64..320 => 2,
        _ => 3,
    }
}

/// Appends the shortest basic header. The caller has checked the id.
pub(super) fn put_basic(chunk_type: u8, chunk_stream_id: u32, out: &mut impl BufMut) {
    let fmt = chunk_type << 6;
    match basic_len(chunk_stream_id) {
        1 => out.put_u8(fmt | chunk_stream_id as u8),
        2 => out.put_slice(&[fmt, (chunk_stream_id - 64) as u8]),
        _ => {
            let [low, high, ..] = (chunk_stream_id - 64).to_le_bytes();
            out.put_slice(&[fmt | 1, low, high]);
        }
    }
}

/// Appends a 24-bit number, high byte first.
pub(super) fn put_be24(value: u32, out: &mut impl BufMut) {
    out.put_slice(&value.to_be_bytes()[1..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_headers_in_all_forms() {
        let cases: [(&[u8], u8, u32); 7] = [
            (&[0x02], 0, 2),
            (&[0xff], 3, 63),
            (&[0x40, 0], 1, 64),
            (&[0x80, 255], 2, 319),
            (&[0x01, 0, 0], 0, 64),
            (&[0xc1, 0, 1], 3, 320),
            (&[0x01, 255, 255], 0, 65_599),
        ];
        for (bytes, chunk_type, chunk_stream_id) in cases {
            let expected = Basic { chunk_type, chunk_stream_id, len: bytes.len() };
            assert_eq!(Basic::parse(bytes), Some(expected));
            for cut in 0..bytes.len() {
                assert_eq!(Basic::parse(&bytes[..cut]), None);
            }
        }
    }

    #[test]
    fn shortest_basic_header_reads_back() {
        for id in 2..=65_599 {
            let mut out = Vec::new();
            put_basic(1, id, &mut out);
            let expected = Basic { chunk_type: 1, chunk_stream_id: id, len: basic_len(id) };
            assert_eq!((Basic::parse(&out), out.len()), (Some(expected), basic_len(id)));
        }
    }

    #[test]
    fn message_headers_whole_and_cut() {
        let bytes = [0xff, 0xff, 0xff, 0, 1, 2, 9, 1, 0, 0, 0, 0x01, 0x02, 0x03, 0x04];
        let fields = Fields::parse(0, &bytes).unwrap();
        assert_eq!((fields.time, fields.extended, fields.len), (0x0102_0304, true, 15));
        let announced = Announced { length: 258, kind: 9, stream_id: Some(1) };
        assert_eq!(fields.announced, Some(announced));
        for cut in 0..bytes.len() {
            assert_eq!(Fields::parse(0, &bytes[..cut]), None);
        }
        let fields = Fields::parse(1, &[0, 0, 40, 0, 0, 7, 8]).unwrap();
        assert_eq!((fields.time, fields.extended, fields.len), (40, false, 7));
        let fields = Fields::parse(2, &[0xff, 0xff, 0xfe]).unwrap();
        assert_eq!((fields.time, fields.announced, fields.len), (0xff_fffe, None, 3));
    }
}
