//! Frames that prove themselves: each says its number, time and length, and ends in a hash.

/// Bytes around the filler: header, number, time, length; hash.
const FRAME: usize = 5 + 12 + 8;

/// Which sort of message a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    Key,
    Video,
    Audio,
}

/// The payload of frame `number` at `ms`, with `filler` bytes of noise.
pub fn frame(sort: Sort, number: u32, ms: u32, filler: usize) -> Vec<u8> {
    let header: [u8; 5] = match sort {
        Sort::Key => [0x17, 1, 0, 0, 0],
        Sort::Video => [0x27, 1, 0, 0, 0],
        Sort::Audio => [0xaf, 1, 0, 0, 0],
    };
    let mut payload = header.to_vec();
    payload.extend_from_slice(&number.to_be_bytes());
    payload.extend_from_slice(&ms.to_be_bytes());
    payload.extend_from_slice(&((FRAME + filler) as u32).to_be_bytes());
    let mut noise = u64::from(number) + 1;
    payload.extend((0..filler).map(|_| {
        noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (noise >> 56) as u8
    }));
    payload.extend_from_slice(&hash(&payload).to_be_bytes());
    payload
}

/// The number and the time of a frame, checked to the last bit.
pub fn check(payload: &[u8]) -> (u32, u32) {
    let (body, end) = payload.split_at(payload.len() - 8);
    assert_eq!(u64::from_be_bytes(end.try_into().unwrap()), hash(body), "a frame is damaged");
    let word = |at: usize| u32::from_be_bytes(body[at..at + 4].try_into().unwrap());
    assert_eq!(word(13) as usize, payload.len(), "a frame was cut");
    (word(5), word(9))
}

/// A configuration of AVC as an encoder sends it.
pub const AVC: &[u8] = &[
    0x17, 0, 0, 0, 0, 1, 0x42, 0xc0, 0x1e, 0xff, 0xe1, 0, 10, 0x67, 0x42, 0xc0, 0x1e, 0xda, 0x02,
    0x80, 0xbf, 0xe5, 0xc0, 1, 0, 4, 0x68, 0xce, 0x3c, 0x80,
];

/// Whether a message is a configuration, not a frame.
pub fn is_header(payload: &[u8]) -> bool {
    payload.get(1) == Some(&0)
}

/// FNV-1a.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
