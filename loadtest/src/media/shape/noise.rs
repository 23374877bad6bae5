//! What fills frames: noise without zero bytes, which needs no emulation prevention and never looks
//! like a start code.

/// The longest message that can be filled.
pub(super) const NOISE_BYTES: usize = 1 << 21;

/// Noise for all frames of all streams.
#[derive(Debug)]
pub(super) struct Well(Vec<u8>);

/// Noise for one frame.
#[derive(Clone, Copy)]
pub(super) struct Noise<'a>(&'a [u8]);

impl Well {
    pub(super) fn new() -> Self {
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        let mut byte = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            ((state >> 32) as u8).max(1)
        };
        Self((0..NOISE_BYTES).map(|_| byte()).collect())
    }

    /// So many bytes, [`NOISE_BYTES`] at most, other ones for each frame of each stream.
    pub(super) fn of(&self, stream: u32, sequence: u32, bytes: usize) -> Noise<'_> {
        let seed = u64::from(stream) << 32 | u64::from(sequence);
        let last = self.0.len() - bytes;
        let from = (seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as usize % (last + 1);
        Noise(&self.0[from..from + bytes])
    }
}

impl<'a> Noise<'a> {
    /// A piece of it.
    pub(super) fn piece(self, at: usize, bytes: usize) -> &'a [u8] {
        &self.0[at..at + bytes]
    }
}
