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
