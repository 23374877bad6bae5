//! The generated stream: when which frame of which size is due, and what stands in it.
//!
//! The sizes are those of a real group of pictures: 1280x720 at 30 frames a second, key frame every
//! 2 s, x264 `veryfast`, no B-frames; uniform frames would flatter servers, which then never see a
//! key frame seven times the size of the others. Audio is AAC at 48 kHz: 1,024 samples a frame, so
//! 93.75 frames a second. How frames are marked stands in `mark`; no clock and no socket here.

use crate::media::mark::{MARK_BYTES, Mark};
use bytes::Bytes;

/// One track of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Track {
    /// H.264.
    Video,
    /// AAC.
    Audio,
}

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

/// Before the mark in video: FLV header 5, NAL length 4, NAL header 1, SEI type 1, SEI size 1.
const VIDEO_MARK_AT: usize = 12;
/// Before the mark in audio: FLV header 2.
const AUDIO_MARK_AT: usize = 2;
/// NAL length, NAL header, SEI type and size, mark, stop bit.
const SEI_BYTES: usize = 4 + 1 + 2 + MARK_BYTES + 1;

/// AVCDecoderConfigurationRecord (ISO/IEC 14496-15, 5.3.3.1): Main, level 3.1, 1280x720.
const AVC_CONFIG: [u8; 38] = [
    0x01, 0x4d, 0x40, 0x1f, 0xff, 0xe1, 0x00, 0x17, 0x67, 0x4d, 0x40, 0x1f, 0xda, 0x01, 0x40, 0x16,
    0xec, 0x04, 0x40, 0x00, 0x00, 0x03, 0x00, 0x40, 0x00, 0x00, 0x0f, 0x03, 0xc6, 0x0c, 0xa8, 0x01,
    0x00, 0x04, 0x68, 0xef, 0x0f, 0xc8,
];
/// AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1): AAC-LC, 48 kHz, stereo.
const AAC_CONFIG: [u8; 2] = [0x11, 0x90];

/// A stream of one bitrate, from which any number of publishers draw.
#[derive(Debug)]
pub struct Shape {
    /// Pictures per second.
    rate: u64,
    pictures: Vec<u32>,
    sound: u32,
    noise: Vec<u8>,
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
        let pictures =
            PICTURES.iter().map(|size| scaled(u64::from(*size), group, PICTURES_BYTES)).collect();
        Self { rate, pictures, sound, noise: noise() }
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

    /// Bytes of one second, payload only.
    pub fn bytes_per_second(&self) -> u64 {
        let pictures: u64 = self.pictures.iter().map(|size| u64::from(*size)).sum();
        pictures * self.rate / self.pictures.len() as u64
            + u64::from(self.sound) * SAMPLES.1 / SAMPLES.0
    }

    /// The message that configures the decoder of a track.
    pub fn configuration(track: Track) -> Bytes {
        let mut out = Vec::new();
        match track {
            Track::Video => {
                out.extend_from_slice(&[0x17, 0, 0, 0, 0]);
                out.extend_from_slice(&AVC_CONFIG);
            }
            Track::Audio => {
                out.extend_from_slice(&[0xaf, 0]);
                out.extend_from_slice(&AAC_CONFIG);
            }
        }
        out.into()
    }

    /// A frame of a stream as a message payload.
    pub fn frame(&self, track: Track, stream: u32, sequence: u32, scheduled_ns: u64) -> Bytes {
        let length = self.length(track, sequence);
        let mark = Mark { stream, sequence, length: length as u32, scheduled_ns };
        let mut out = Vec::with_capacity(length);
        match track {
            Track::Video => {
                let key = (sequence as usize).is_multiple_of(self.pictures.len());
                out.extend_from_slice(&[if key { 0x17 } else { 0x27 }, 1, 0, 0, 0]);
                put_length(SEI_BYTES - 4, &mut out);
                // NAL unit type 6 is SEI; its payload type 5 is user data unregistered.
                out.extend_from_slice(&[0x06, 0x05, MARK_BYTES as u8]);
                mark.write(&mut out);
                out.push(0x80);
                put_length(length - out.len() - 4, &mut out);
                // A slice of an IDR picture, or of one that others refer to.
                out.push(if key { 0x65 } else { 0x61 });
            }
            Track::Audio => {
                out.extend_from_slice(&[0xaf, 1]);
                mark.write(&mut out);
            }
        }
        out.extend_from_slice(self.filling(stream, sequence, length - out.len()));
        out.into()
    }

    /// The mark of a frame that was received, if it has one.
    pub fn mark(track: Track, payload: &[u8]) -> Option<Mark> {
        let usual = match track {
            Track::Video => VIDEO_MARK_AT,
            Track::Audio => AUDIO_MARK_AT,
        };
        Mark::find(payload, usual)
    }

    /// Whether a frame that came through unchanged in length has the bytes it was sent with.
    pub fn is_intact(&self, track: Track, mark: &Mark, payload: &[u8]) -> bool {
        let head = match track {
            Track::Video => VIDEO_MARK_AT + MARK_BYTES + 1 + 5,
            Track::Audio => AUDIO_MARK_AT + MARK_BYTES,
        };
        payload.len() >= head
            && payload[head..] == *self.filling(mark.stream, mark.sequence, payload.len() - head)
    }

    /// What fills a frame: a piece of noise that differs from frame to frame and stream to stream.
    fn filling(&self, stream: u32, sequence: u32, length: usize) -> &[u8] {
        let seed = u64::from(stream) << 32 | u64::from(sequence);
        let last = self.noise.len() - length.min(self.noise.len());
        let from = (seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as usize % (last + 1);
        &self.noise[from..from + length]
    }
}

/// Whether a media payload is one frame, rather than a configuration or the end of a sequence.
pub fn is_frame(payload: &[u8]) -> bool {
    payload.get(1) == Some(&1)
}

fn scaled(size: u64, by: u64, of: u64) -> u32 {
    let bytes = u32::try_from(size * by / of).unwrap_or(u32::MAX);
    bytes.clamp(MESSAGE_BYTES_MIN, NOISE_BYTES as u32)
}

fn put_length(length: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(&(length as u32).to_be_bytes());
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
            for (track, sequence) in [(Track::Video, 0), (Track::Video, 61), (Track::Audio, 5)] {
                let frame = shape.frame(track, 3, sequence, 77);
                assert_eq!(frame.len(), shape.length(track, sequence));
                let mark = Shape::mark(track, &frame).unwrap();
                let length = frame.len() as u32;
                assert_eq!(mark, Mark { stream: 3, sequence, length, scheduled_ns: 77 });
                assert!(is_frame(&frame) && shape.is_intact(track, &mark, &frame));
                let mut changed = frame.to_vec();
                *changed.last_mut().unwrap() ^= 1;
                assert!(!shape.is_intact(track, &mark, &changed));
            }
        }
    }

    #[test]
    fn nal_units_fill_a_picture_exactly() {
        let frame = Shape::new(2_630_000, 30).frame(Track::Video, 0, 0, 0);
        let (mut at, mut kinds) = (5, Vec::new());
        while at < frame.len() {
            let length = u32::from_be_bytes(frame[at..at + 4].try_into().unwrap()) as usize;
            kinds.push(frame[at + 4] & 0x1f);
            at += 4 + length;
        }
        assert_eq!((at, kinds), (frame.len(), vec![6, 5]));
    }

    #[test]
    fn configurations_are_no_frames() {
        assert!(!is_frame(&Shape::configuration(Track::Video)));
        assert!(!is_frame(&Shape::configuration(Track::Audio)));
        assert!(!is_frame(&[]));
    }
}
