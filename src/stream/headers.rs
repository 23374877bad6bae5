//! What a decoder must have seen before a frame makes sense: metadata and codec configurations.
//!
//! A [`Headers`] value is immutable and shared; a change makes a new one with the next epoch. Each
//! segment of a log names the one that is valid in it, which is all a joiner or a skipper needs.
//! How a header becomes wire bytes is the framing's business (`egress`).

use super::segment::Kind;
use bytes::Bytes;

/// Which header a payload replaces: the kind of message and the track it speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HeaderSlot {
    /// The message kind that carries it. `Data` is metadata and sorts first.
    pub carrier: Carrier,
    /// Track id (Enhanced RTMP multitrack), 0 for the usual single track.
    pub track: u8,
    /// Tells apart headers of one track, such as its configuration and its colour metadata.
    pub part: u8,
}

/// The message kind on which a header travels, in the order in which joiners receive them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Carrier {
    /// A data message (`onMetaData`).
    Data,
    /// A video message (a sequence start).
    Video,
    /// An audio message (a sequence start).
    Audio,
}

impl Carrier {
    /// The kind of a log entry which holds such a header.
    pub fn kind(self) -> Kind {
        match self {
            Self::Data => Kind::Data,
            Self::Video => Kind::VideoHeader,
            Self::Audio => Kind::AudioHeader,
        }
    }
}

/// A set that segments share. The model checker has no part in it: it is fixed when published.
pub type SharedHeaders = std::sync::Arc<Headers>;

/// The set of headers valid at one place of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers {
    /// Counts changes; equal epochs of one log mean equal sets.
    pub epoch: u32,
    slots: Vec<(HeaderSlot, Bytes)>,
}

impl Headers {
    /// Whether putting `payload` into `slot` would change anything.
    pub fn holds(&self, slot: HeaderSlot, payload: &[u8]) -> bool {
        self.slots.iter().any(|(held, bytes)| *held == slot && bytes == payload)
    }

    /// The set with `payload` in `slot`, one epoch later. `None` if the number of slots or their
    /// bytes would pass the given bounds.
    pub fn with(
        &self,
        slot: HeaderSlot,
        payload: &[u8],
        slots_max: usize,
        bytes_max: usize,
    ) -> Option<Self> {
        let mut slots = self.slots.clone();
        // Copied, so that a header of a few bytes does not keep a receive buffer alive.
        let payload = Bytes::copy_from_slice(payload);
        match slots.binary_search_by_key(&slot, |(held, _)| *held) {
            Ok(at) => slots[at].1 = payload,
            Err(at) => slots.insert(at, (slot, payload)),
        }
        let bytes: usize = slots.iter().map(|(_, bytes)| bytes.len()).sum();
        (slots.len() <= slots_max && bytes <= bytes_max)
            .then_some(Self { epoch: self.epoch + 1, slots })
    }

    /// An empty set, one epoch later: what a new publisher starts with.
    pub fn cleared(&self) -> Self {
        Self { epoch: self.epoch + 1, slots: Vec::new() }
    }

    /// The headers in the order in which a joiner receives them.
    pub fn iter(&self) -> impl Iterator<Item = (HeaderSlot, &Bytes)> {
        self.slots.iter().map(|(slot, bytes)| (*slot, bytes))
    }

    /// Whether a video configuration is known.
    pub fn has_video(&self) -> bool {
        self.slots.iter().any(|(slot, _)| slot.carrier == Carrier::Video)
    }

    /// Bytes held.
    pub fn len(&self) -> usize {
        self.slots.iter().map(|(_, bytes)| bytes.len()).sum()
    }

    /// Whether no header is held.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VIDEO: HeaderSlot = HeaderSlot { carrier: Carrier::Video, track: 0, part: 0 };
    const META: HeaderSlot = HeaderSlot { carrier: Carrier::Data, track: 0, part: 0 };

    #[test]
    fn metadata_comes_first_and_each_change_is_an_epoch() {
        let first = Headers::default().with(VIDEO, b"avc", 8, 100).unwrap();
        let both = first.with(META, b"meta", 8, 100).unwrap();
        assert_eq!(both.iter().map(|(slot, _)| slot).collect::<Vec<_>>(), [META, VIDEO]);
        assert_eq!(both.epoch, 2);
        assert!(both.holds(VIDEO, b"avc") && !both.holds(VIDEO, b"avc2"));
        assert!(both.has_video() && !both.cleared().has_video());
    }

    #[test]
    fn bounds_refuse_a_growing_set() {
        let one = Headers::default().with(VIDEO, b"avc", 1, 100).unwrap();
        assert!(one.with(META, b"meta", 1, 100).is_none());
        assert!(one.with(VIDEO, &[0; 101], 1, 100).is_none());
    }
}
