//! Small damages to a stream, each of which the comparison must notice. They are done to FLV
//! files, so that a damaged stream can be published and go through server and player like a
//! whole one.

use crate::flv::{Content, File};
use crate::packets::Kind;

/// One damage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutilation {
    /// A video packet is left out.
    DropPacket,
    /// Two neighbouring video packets change places, their times stay in order.
    SwapPackets,
    /// One bit of one byte of an audio packet is changed.
    FlipByte,
    /// All audio comes a millisecond late.
    ShiftAudio,
    /// The last video packet is left out.
    DropLast,
}

impl Mutilation {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::DropPacket, Self::SwapPackets, Self::FlipByte, Self::ShiftAudio, Self::DropLast];

    /// Does the damage, late enough in the file for a joining player to see it. The file has
    /// audio and video and at least a few dozen packets of each.
    pub fn apply(self, file: &mut File) {
        let video = frames(file, Kind::Video);
        let audio = frames(file, Kind::Audio);
        // Three quarters in, and not beside a key frame where it can be helped.
        let late = |indices: &[usize]| indices.len() * 3 / 4 + 3;
        match self {
            Self::DropPacket => _ = file.tags.remove(video[late(&video)]),
            Self::SwapPackets => {
                let (a, b) = (video[late(&video)], video[late(&video) + 1]);
                file.tags.swap(a, b);
                let time_ms = file.tags[a].time_ms;
                file.tags[a].time_ms = file.tags[b].time_ms;
                file.tags[b].time_ms = time_ms;
            }
            Self::FlipByte => {
                let body = &mut file.tags[audio[late(&audio)]].body;
                let middle = body.len() / 2;
                body[middle] ^= 0x10;
            }
            Self::ShiftAudio => {
                for index in audio {
                    file.tags[index].time_ms += 1;
                }
            }
            Self::DropLast => _ = file.tags.remove(video[video.len() - 1]),
        }
    }
}

/// Indices of the tags that hold frames of this medium.
fn frames(file: &File, kind: Kind) -> Vec<usize> {
    let is_frame = |index: &usize| {
        file.tags[*index]
            .units()
            .unwrap_or_default()
            .iter()
            .any(|unit| unit.kind == kind && matches!(unit.content, Content::Frame { .. }))
    };
    (0..file.tags.len()).filter(is_frame).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::compare;
    use crate::flv::Tag;

    /// Video every 40 ms with a key frame every second, audio beside it.
    fn file() -> File {
        let tags = (0..100_u8).flat_map(|index| {
            let time_ms = i32::from(index) * 40;
            let frame_type = if index % 25 == 0 { 0x17 } else { 0x27 };
            let video = vec![frame_type, 1, 0, 0, 80, index, 0xaa];
            let audio = vec![0xaf, 1, index, 0xbb];
            [Tag { kind: 9, time_ms, body: video }, Tag { kind: 8, time_ms, body: audio }]
        });
        File::from_tags(tags.collect())
    }

    #[test]
    fn every_damage_differs_from_the_source_and_is_the_only_one() {
        let source = file().recording().unwrap();
        compare(&source, &source).unwrap();
        let mut seen = Vec::new();
        for damage in Mutilation::ALL {
            let mut damaged = file();
            damage.apply(&mut damaged);
            let mismatch = compare(&source, &damaged.recording().unwrap()).unwrap_err();
            assert!(!seen.contains(&mismatch), "{damage:?} looks like another: {mismatch}");
            seen.push(mismatch);
        }
    }
}
