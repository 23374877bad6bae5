//! The 1536-byte packets of the handshake: collecting one as it arrives, skipping one, and making
//! random bytes for one. Digests stand in `digest`.

use sha2::{Digest, Sha256};

/// The size of C1, S1, C2 and S2 (RTMP 1.0, sections 5.2.3 and 5.2.4).
pub(super) const PACKET_BYTES: usize = 1536;

/// C1, S1, C2 or S2.
pub(super) type Packet = [u8; PACKET_BYTES];

/// Takes one byte from the front of `input`, unless `check` refuses it: then it stays there.
pub(super) fn take_version<E>(
    input: &mut &[u8],
    check: impl FnOnce(u8) -> Result<(), E>,
) -> Result<bool, E> {
    let Some((&version, rest)) = input.split_first() else { return Ok(false) };
    check(version)?;
    *input = rest;
    Ok(true)
}

/// A packet on its way in. Holds what has arrived; nothing if it arrives at once.
#[derive(Debug, Default)]
pub(super) struct Incoming(Vec<u8>);

impl Incoming {
    /// Takes bytes from the front of `input`; the packet when it is whole.
    pub fn take(&mut self, input: &mut &[u8]) -> Option<Packet> {
        let count = input.len().min(PACKET_BYTES - self.0.len());
        let (taken, rest) = input.split_at(count);
        *input = rest;
        if self.0.is_empty()
            && let Ok(packet) = taken.try_into()
        {
            return Some(packet);
        }
        self.0.extend_from_slice(taken);
        self.0.as_slice().try_into().ok()
    }
}

/// A packet whose content does not matter: the number of its bytes still to come.
#[derive(Debug)]
pub(super) struct Skipped(usize);

impl Skipped {
    pub fn new() -> Self {
        Self(PACKET_BYTES)
    }

    /// Takes bytes from the front of `input`; true when the packet is over.
    pub fn take(&mut self, input: &mut &[u8]) -> bool {
        let count = input.len().min(self.0);
        *input = &input[count..];
        self.0 -= count;
        self.0 == 0
    }
}

/// Which packet random bytes are for, so that no two packets share them.
#[derive(Clone, Copy, Debug)]
pub(super) enum Purpose {
    First = 1,
    Second = 2,
}

/// Fills `out` with bytes expanded from `entropy`: SHA-256 of entropy, purpose and a counter.
pub(super) fn fill(entropy: &[u8; 32], purpose: Purpose, out: &mut [u8]) {
    for (counter, block) in (0u32..).zip(out.chunks_mut(32)) {
        let hash = Sha256::new()
            .chain_update(entropy)
            .chain_update([purpose as u8])
            .chain_update(counter.to_be_bytes())
            .finalize();
        block.copy_from_slice(&hash[..block.len()]);
    }
}
