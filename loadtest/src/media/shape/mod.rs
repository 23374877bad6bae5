//! The generated stream: when which frame of which size is due, and what stands in it.
//!
//! The sizes are those of a real group of pictures: 1280x720 at 30 frames a second, key frame every
//! 2 s, x264 `veryfast`, no B-frames; uniform frames would flatter servers, which then never see a
//! key frame seven times the size of the others. Audio is AAC at 48 kHz: 1,024 samples a frame, so
//! 46.875 frames a second.
//!
//! What fills the messages decodes without an error: noise at the bottom of the pictures
//! (`picture`), and silence (`sound`). How marks are put in stands in `form`.

mod noise;
mod picture;
mod sound;
mod stencil;

use crate::media::Track;
use crate::media::mark::{MARK_BYTES, Mark, hash};
use crate::media::metadata::set_data_frame;
use bytes::Bytes;
use millstream_amf0::Object;
use millstream_rtmp::message::MessageType;
use noise::{NOISE_BYTES, Well};
use picture::Canvas;
use stencil::Stencils;

/// Sizes of the coded pictures of one group at 2.5 Mbit/s, in bytes; the first is the key frame.
const PICTURES: [u32; 60] = [
    41910, 5795, 5827, 5846, 6240, 7123, 4236, 5889, 6078, 8017, 7487, 8452, 9116, 8930, 9650,
    11915, 9931, 8285, 8999, 10948, 9986, 10512, 11216, 10497, 10437, 9511, 9494, 10478, 10678,
    10653, 10790, 10492, 10377, 10201, 10201, 9247, 8717, 10078, 9615, 9684, 8990, 10272, 10702,
    9657, 9756, 9530, 10052, 9235, 9014, 8216, 10834, 10868, 9640, 9223, 9210, 9399, 9884, 9956,
    9882, 8899,
];
/// Bytes of one group of [`PICTURES`].
const PICTURES_BYTES: u64 = 586_757;
/// Bytes of one audio message at 128 kbit/s, with its two bytes of header.
const SOUND_BYTES: u32 = 343;
/// Samples of one audio frame, and samples per second.
const SAMPLES: (u64, u64) = (1024, 48_000);

/// A stream of one bitrate, from which any number of publishers draw.
#[derive(Debug)]
pub struct Shape {
    /// Pictures per second.
    rate: u64,
    /// Bytes of the messages of one group.
    pictures: Vec<u32>,
    /// Bytes of the pictures of a group before each, and of all of them.
    before: Vec<u64>,
    /// Bytes of one audio message.
    sound: u32,
    canvas: Canvas,
    stencils: Stencils,
    well: Well,
    opening: Vec<(MessageType, Bytes)>,
}

impl Shape {
    /// A stream of about so many bits per second, audio included. Audio takes 128 kbit/s of it, but
    /// never more than a fifth. A group has 60 pictures at any rate.
    pub fn new(bits_per_second: u64, pictures_per_second: u32) -> Self {
        let rate = u64::from(pictures_per_second.max(1));
        let bytes_per_second = bits_per_second / 8;
        let sound_rate = (u64::from(SOUND_BYTES) * SAMPLES.1 / SAMPLES.0).min(bytes_per_second / 5);
        let sound = scaled(sound_rate, SAMPLES.0, SAMPLES.1, sound::LEAST);
        let canvas = Canvas::fit(bits_per_second);
        let group = (bytes_per_second - sound_rate) * PICTURES.len() as u64 / rate;
        let sizes = PICTURES.iter().enumerate();
        let pictures: Vec<u32> = sizes
            .map(|(at, size)| {
                scaled(u64::from(*size), group, PICTURES_BYTES, canvas.least(at == 0))
            })
            .collect();
        let mut before = vec![0];
        before.extend(pictures.iter().scan(0, |sum, size| {
            *sum += u64::from(*size);
            Some(*sum)
        }));
        let (well, opening) = (Well::new(), Vec::new());
        let stencils = Stencils::new(canvas, &pictures, &well);
        let mut shape = Self { rate, pictures, before, sound, canvas, stencils, well, opening };
        shape.opening = vec![
            (MessageType::DATA_AMF0, shape.metadata()),
            (MessageType::VIDEO, canvas.sequence_header().into()),
            (MessageType::AUDIO, Bytes::from_static(&sound::SEQUENCE_HEADER)),
        ];
        shape
    }

    /// What is sent first: metadata and the configurations of the decoders.
    pub fn opening(&self) -> &[(MessageType, Bytes)] {
        &self.opening
    }

    /// The time of a frame from the start of its stream, in nanoseconds.
    pub fn due_ns(&self, track: Track, sequence: u32) -> u64 {
        let sequence = u64::from(sequence);
        match track {
            Track::Video => sequence * 1_000_000_000 / self.rate,
            Track::Audio => sequence * SAMPLES.0 * 1_000_000_000 / SAMPLES.1,
        }
    }

    /// Bytes of a frame's message payload.
    pub fn length(&self, track: Track, sequence: u32) -> usize {
        match track {
            Track::Video => self.pictures[sequence as usize % self.pictures.len()] as usize,
            Track::Audio => self.sound as usize,
        }
    }

    /// Payload bytes of all frames of a track before this one.
    pub fn payload_before(&self, track: Track, sequence: u32) -> u64 {
        match track {
            Track::Video => {
                let (sequence, group) = (sequence as usize, self.pictures.len());
                let (groups, picture) = (sequence / group, sequence % group);
                groups as u64 * self.before[group] + self.before[picture]
            }
            Track::Audio => u64::from(sequence) * u64::from(self.sound),
        }
    }

    /// Bytes of one second, payload only.
    pub fn bytes_per_second(&self) -> u64 {
        self.before[self.pictures.len()] * self.rate / self.pictures.len() as u64
            + u64::from(self.sound) * SAMPLES.1 / SAMPLES.0
    }

    /// The stream in one line.
    pub fn describe(&self) -> String {
        let (width, height) = self.canvas.size();
        format!(
            "generated: H.264 {width}x{height} at {} frames/s, key frame every {:.2} s, AAC 48000 Hz, {:.2} Mbit/s",
            self.rate,
            self.pictures.len() as f64 / self.rate as f64,
            self.bytes_per_second() as f64 * 8.0 / 1e6,
        )
    }

    /// A frame of a stream as a message payload.
    pub fn frame(
        &self,
        track: Track,
        stream: u32,
        epoch: u32,
        sequence: u32,
        scheduled_ns: u64,
    ) -> Bytes {
        let (mut out, mark_at, hash) = match track {
            Track::Video => {
                let stencil = self.stencils.of(stream, sequence);
                (stencil.payload.to_vec(), stencil.mark_at, stencil.hash)
            }
            Track::Audio => {
                let length = self.sound as usize;
                let mut out = Vec::with_capacity(length);
                let mark_at =
                    sound::write(length, self.well.of(stream, sequence, length), &mut out);
                let hash = hash(&[&out[mark_at + MARK_BYTES..]]);
                (out, mark_at, hash)
            }
        };
        let tail = (out.len() - mark_at) as u32;
        let mark = Mark { stream, epoch, sequence, lead: 0, tail, hash, scheduled_ns };
        out[mark_at..mark_at + MARK_BYTES].copy_from_slice(&mark.to_bytes());
        out.into()
    }

    fn metadata(&self) -> Bytes {
        let (width, height) = self.canvas.size();
        let values = Object::new()
            .with("width", f64::from(width))
            .with("height", f64::from(height))
            .with("framerate", self.rate as f64)
            .with("videocodecid", 7.0)
            .with("audiocodecid", 10.0)
            .with("audiosamplerate", SAMPLES.1 as f64)
            .with("stereo", true);
        set_data_frame(values).expect("seven short names with numbers can always be written")
    }
}

fn scaled(size: u64, by: u64, of: u64, least: usize) -> u32 {
    let bytes = u32::try_from(size * by / of).unwrap_or(u32::MAX);
    bytes.clamp(least as u32, NOISE_BYTES as u32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::seen::{Seen, look};

    #[test]
    fn the_bitrate_is_what_was_asked() {
        for (bits, rate) in [(300_000, 30), (1_000_000, 60), (2_630_000, 30), (10_000_000, 25)] {
            let got = Shape::new(bits, rate).bytes_per_second() * 8;
            assert!(got.abs_diff(bits) < bits / 50, "{bits}: {got}");
        }
    }

    #[test]
    fn two_seconds_are_sixty_pictures_and_ninety_four_sounds() {
        let shape = Shape::new(2_630_000, 30);
        let within =
            |track| (0..).take_while(|at| shape.due_ns(track, *at) < 2_000_000_000).count();
        assert_eq!((within(Track::Video), within(Track::Audio)), (60, 94));
    }

    #[test]
    fn a_frame_says_what_it_is_and_is_checked() {
        for bits in [1000, 2_630_000, 50_000_000] {
            let shape = Shape::new(bits, 30);
            for (of, sequence) in [(Track::Video, 0), (Track::Video, 61), (Track::Audio, 5)] {
                let frame = shape.frame(of, 3, 2, sequence, 77);
                assert_eq!(frame.len(), shape.length(of, sequence));
                let kind = MessageType(if of == Track::Video { 9 } else { 8 });
                let Seen::Frame { track, key, mark: Some((at, mark)) } = look(kind, &frame) else {
                    panic!("no mark");
                };
                assert_eq!((track, key), (of, sequence == 0));
                assert_eq!((mark.stream, mark.epoch, mark.sequence), (3, 2, sequence));
                assert_eq!(mark.scheduled_ns, 77);
                assert!(mark.is_whole(&frame, at) && mark.is_intact(&frame, at));
                let mut changed = frame.to_vec();
                *changed.last_mut().unwrap() ^= 1;
                assert!(!mark.is_intact(&changed, at));
            }
        }
    }

    #[test]
    fn what_went_before_is_the_sum_of_lengths() {
        let shape = Shape::new(2_630_000, 30);
        for track in Track::ALL {
            let mut sum = 0;
            for sequence in 0..200 {
                assert_eq!(shape.payload_before(track, sequence), sum);
                sum += shape.length(track, sequence) as u64;
            }
        }
    }

    #[test]
    fn the_opening_configures_both_decoders() {
        let shape = Shape::new(2_630_000, 30);
        let seen: Vec<Seen> =
            shape.opening().iter().map(|(kind, payload)| look(*kind, payload)).collect();
        assert_eq!(seen, [Seen::Other, Seen::Header(Track::Video), Seen::Header(Track::Audio)]);
    }
}
