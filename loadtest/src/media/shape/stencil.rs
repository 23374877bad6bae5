//! Pictures that are made once: writing one costs 7 us, copying it less than 1, and a thousand
//! publishers send 30,000 a second.
//!
//! Every picture of a group is there in several variants, which differ in every byte that may, so
//! that a server which mixes streams or groups up does not go unnoticed.

use super::noise::Well;
use super::picture::Canvas;
use crate::media::mark::{MARK_BYTES, hash};

/// Bytes that all variants of all pictures may take.
const BYTES_MAX: u64 = 16 << 20;
/// Variants of each picture, if there is room.
const VARIANTS_MAX: u64 = 13;

/// A picture without its mark.
#[derive(Debug)]
pub(super) struct Stencil {
    /// The message's payload, with room for the mark.
    pub(super) payload: Box<[u8]>,
    /// Where the mark stands.
    pub(super) mark_at: usize,
    /// The hash of what stands behind the mark.
    pub(super) hash: u32,
}

/// All pictures of a group in all variants.
#[derive(Debug)]
pub(super) struct Stencils {
    variants: u32,
    pictures: u32,
    stencils: Vec<Stencil>,
}

impl Stencils {
    /// Of a group of pictures of these lengths.
    pub(super) fn new(canvas: Canvas, lengths: &[u32], well: &Well) -> Self {
        let group: u64 = lengths.iter().map(|length| u64::from(*length)).sum();
        // Two at the least: the groups before and behind must differ.
        let variants = (BYTES_MAX / group.max(1)).clamp(2, VARIANTS_MAX) as u32;
        let mut stencils = Vec::with_capacity(variants as usize * lengths.len());
        for variant in 0..variants {
            for (number, &length) in (0..).zip(lengths) {
                let length = length as usize;
                let mut payload = Vec::with_capacity(length);
                let noise = well.of(variant, number, length);
                let mark_at = canvas.write(number, length, noise, &mut payload);
                let hash = hash(&[&payload[mark_at + MARK_BYTES..]]);
                stencils.push(Stencil { payload: payload.into(), mark_at, hash });
            }
        }
        Self { variants, pictures: lengths.len() as u32, stencils }
    }

    /// That of a frame.
    pub(super) fn of(&self, stream: u32, sequence: u32) -> &Stencil {
        let (group, number) = (sequence / self.pictures, sequence % self.pictures);
        let variant = stream.wrapping_add(group) % self.variants;
        &self.stencils[(variant * self.pictures + number) as usize]
    }
}
