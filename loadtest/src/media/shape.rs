//! The generated stream: when which frame of which size is due, and what stands in it.
//!
//! The sizes are those of a real group of pictures: 1280x720 at 30 frames a second, key frame every
//! 2 s, x264 `veryfast`, no B-frames; uniform frames would flatter servers, which then never see a
//! key frame seven times the size of the others. Audio is AAC at 48 kHz: 1,024 samples a frame, so
//! 93.75 frames a second.
//!
//! ```text
//! picture  header 5 | SEI: mark | slice: noise
//! sound    header 2 | data stream element: mark | data stream elements: noise | silence
//! ```
//! The sound is valid AAC, of which decoders make silence. The pictures are not: their slices are
//! noise, so the stream goes through servers that relay, and not through those that transcode; for
//! these there are recordings (`clip`). How marks are put in stands in `form`.

use crate::media::Track;
use crate::media::form::{DATA_ELEMENT, ELEMENT_HEADER_BYTES};
use crate::media::mark::{MARK_BYTES, Mark, hash};
use crate::media::metadata::set_data_frame;
use bytes::{BufMut, Bytes};
use millstream_amf0::Object;
use millstream_rtmp::message::MessageType;

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
/// The least that a message can be made: headers, mark and something behind it.
const MESSAGE_BYTES_MIN: u32 = 96;
/// Bytes of noise that frames are filled from.
const NOISE_BYTES: usize = 1 << 21;

/// NAL header, SEI type and size, mark, stop bit.
const SEI_BYTES: usize = 1 + 2 + MARK_BYTES + 1;

/// AVCDecoderConfigurationRecord (ISO/IEC 14496-15, 5.3.3.1): Main, level 3.1, 1280x720.
const AVC_CONFIG: [u8; 38] = [
    0x01, 0x4d, 0x40, 0x1f, 0xff, 0xe1, 0x00, 0x17, 0x67, 0x4d, 0x40, 0x1f, 0xda, 0x01, 0x40, 0x16,
    0xec, 0x04, 0x40, 0x00, 0x00, 0x03, 0x00, 0x40, 0x00, 0x00, 0x0f, 0x03, 0xc6, 0x0c, 0xa8, 0x01,
    0x00, 0x04, 0x68, 0xef, 0x0f, 0xc8,
];
/// AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1): AAC-LC, 48 kHz, stereo.
const AAC_CONFIG: [u8; 2] = [0x11, 0x90];
/// The end of a raw data block (ISO/IEC 14496-3, tables 4.3 and 4.5) in bits: a channel pair element without
/// a single band, which is silence, and ID_END.
const SILENCE: [u8; 6] = [0x21, 0x10, 0x04, 0x60, 0x8c, 0x1c];

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
    noise: Vec<u8>,
    opening: Vec<(MessageType, Bytes)>,
}

impl Shape {
    /// A stream of about so many bits per second, audio included. Audio takes 128 kbit/s of it, but
    /// never more than a fifth. A group has 60 pictures at any rate.
    pub fn new(bits_per_second: u64, pictures_per_second: u32) -> Self {
        let rate = u64::from(pictures_per_second.max(1));
        let bytes_per_second = bits_per_second / 8;
        let sound_rate = (u64::from(SOUND_BYTES) * SAMPLES.1 / SAMPLES.0).min(bytes_per_second / 5);
        let sound = scaled(sound_rate, SAMPLES.0, SAMPLES.1);
        let group = (bytes_per_second - sound_rate) * PICTURES.len() as u64 / rate;
        let pictures: Vec<u32> =
            PICTURES.iter().map(|size| scaled(u64::from(*size), group, PICTURES_BYTES)).collect();
        let mut before = vec![0];
        before.extend(pictures.iter().scan(0, |sum, size| {
            *sum += u64::from(*size);
            Some(*sum)
        }));
        let mut shape = Self { rate, pictures, before, sound, noise: noise(), opening: Vec::new() };
        shape.opening = vec![
            (MessageType::DATA_AMF0, shape.metadata()),
            (MessageType::VIDEO, [&[0x17, 0, 0, 0, 0], &AVC_CONFIG[..]].concat().into()),
            (MessageType::AUDIO, [&[0xaf, 0], &AAC_CONFIG[..]].concat().into()),
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
        format!(
            "generated: H.264 1280x720 at {} frames/s, key frame every {:.2} s, AAC 48 kHz, {:.2} Mbit/s",
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
        let length = self.length(track, sequence);
        let noise = self.noise_of(stream, sequence, length);
        let mut out = Vec::with_capacity(length);
        let mark_at = match track {
            Track::Video => self.picture(sequence, length, noise, &mut out),
            Track::Audio => sound(length, noise, &mut out),
        };
        let mark = Mark {
            stream,
            epoch,
            sequence,
            lead: 0,
            tail: (length - mark_at) as u32,
            hash: hash(&[&out[mark_at + MARK_BYTES..]]),
            scheduled_ns,
        };
        out[mark_at..mark_at + MARK_BYTES].copy_from_slice(&mark.to_bytes());
        out.into()
    }

    /// Writes a picture with room for a mark, and returns where that is.
    fn picture(&self, sequence: u32, length: usize, noise: &[u8], out: &mut Vec<u8>) -> usize {
        let key = (sequence as usize).is_multiple_of(self.pictures.len());
        out.extend_from_slice(&[if key { 0x17 } else { 0x27 }, 1, 0, 0, 0]);
        out.put_u32(SEI_BYTES as u32);
        // NAL unit type 6 is SEI; its payload type 5 is user data unregistered.
        out.extend_from_slice(&[0x06, 0x05, MARK_BYTES as u8]);
        let mark_at = out.len();
        out.extend_from_slice(&[0; MARK_BYTES]);
        out.push(0x80);
        let left = length - out.len() - 4;
        out.put_u32(left as u32);
        // A slice of an IDR picture, or of one that others refer to.
        out.push(if key { 0x65 } else { 0x61 });
        out.extend_from_slice(&noise[..left - 1]);
        mark_at
    }

    fn metadata(&self) -> Bytes {
        let values = Object::new()
            .with("width", 1280.0)
            .with("height", 720.0)
            .with("framerate", self.rate as f64)
            .with("videocodecid", 7.0)
            .with("audiocodecid", 10.0)
            .with("audiosamplerate", SAMPLES.1 as f64)
            .with("stereo", true);
        set_data_frame(values).expect("seven short names with numbers can always be written")
    }

    /// A piece of noise that differs from frame to frame and stream to stream.
    fn noise_of(&self, stream: u32, sequence: u32, length: usize) -> &[u8] {
        let seed = u64::from(stream) << 32 | u64::from(sequence);
        let last = self.noise.len() - length.min(self.noise.len());
        let from = (seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as usize % (last + 1);
        &self.noise[from..from + length]
    }
}

/// Writes an audio frame with room for a mark, and returns where that is.
fn sound(length: usize, noise: &[u8], out: &mut Vec<u8>) -> usize {
    out.extend_from_slice(&[0xaf, 1]);
    out.extend_from_slice(&[DATA_ELEMENT, MARK_BYTES as u8]);
    let mark_at = out.len();
    out.extend_from_slice(&[0; MARK_BYTES]);
    let mut left = length - out.len() - SILENCE.len();
    while left > 0 {
        // An element of 254 bytes is the longest with one byte of count; one of 256 bytes in all
        // must not leave a single byte, which would be no element.
        let element = if left == 257 { 255 } else { left.min(256) };
        out.extend_from_slice(&[DATA_ELEMENT, (element - ELEMENT_HEADER_BYTES) as u8]);
        out.extend_from_slice(&noise[left - element..left - ELEMENT_HEADER_BYTES]);
        left -= element;
    }
    out.extend_from_slice(&SILENCE);
    mark_at
}

fn scaled(size: u64, by: u64, of: u64) -> u32 {
    let bytes = u32::try_from(size * by / of).unwrap_or(u32::MAX);
    bytes.clamp(MESSAGE_BYTES_MIN, NOISE_BYTES as u32)
}

/// Noise without zero bytes: it never needs emulation prevention, and never looks like a start code.
fn noise() -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut byte = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        ((state >> 32) as u8).max(1)
    };
    (0..NOISE_BYTES).map(|_| byte()).collect()
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
    fn nal_units_fill_a_picture_exactly() {
        let frame = Shape::new(2_630_000, 30).frame(Track::Video, 0, 0, 0, 0);
        let (mut at, mut kinds) = (5, Vec::new());
        while at < frame.len() {
            let length = u32::from_be_bytes(frame[at..at + 4].try_into().unwrap()) as usize;
            kinds.push(frame[at + 4] & 0x1f);
            at += 4 + length;
        }
        assert_eq!((at, kinds), (frame.len(), vec![6, 5]));
    }

    #[test]
    fn elements_fill_a_sound_exactly_at_any_length() {
        let noise = noise();
        for length in MESSAGE_BYTES_MIN as usize..1500 {
            let mut frame = Vec::new();
            sound(length, &noise, &mut frame);
            assert_eq!(frame.len(), length);
            let mut at = 2;
            while frame[at] == DATA_ELEMENT {
                at += ELEMENT_HEADER_BYTES + usize::from(frame[at + 1]);
            }
            assert_eq!(frame[at..], SILENCE);
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
