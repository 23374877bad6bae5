//! A synthetic stream: what a publisher sends, with marks by which a player knows each frame.
//!
//! ```text
//! FLV audio or video header | magic | stream | generation | order | number | source ms
//!                           | sent at (ns) | length | hash of all but itself | filler
//! ```
//! `order` counts the frames of a generation, `number` those of one track. Data messages count on
//! over generations, so that a missing one shows. What a player makes of it stands in `checker`.

use bytes::{BufMut, Bytes, BytesMut};
use millstream_rtmp::message::MessageType;
use std::hash::{DefaultHasher, Hasher};
use std::sync::OnceLock;
use std::time::Instant;

const MAGIC: u32 = 0x6d69_6c6c;
const MARK_BYTES: usize = 4 + 4 + 4 + 8 + 8 + 4 + 8 + 4 + 8;

/// The name of the numbered data messages.
pub const DATA_NAME: &str = "onTextData";

/// The codec a stream claims to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    /// H.264 in the old framing.
    Avc,
    /// HEVC in the framing of Enhanced RTMP.
    Hevc,
}

/// What a stream is made of. Sizes in bytes.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    pub codec: Codec,
    pub video: bool,
    pub audio: bool,
    pub frame_ms: u32,
    /// Video frames from one key frame to the next.
    pub gop: u64,
    pub key_bytes: usize,
    pub frame_bytes: usize,
    /// A numbered data message before each so manieth frame; 0 for none.
    pub data_every: u64,
}

impl Default for Shape {
    fn default() -> Self {
        Self {
            codec: Codec::Avc,
            video: true,
            audio: true,
            frame_ms: 40,
            gop: 25,
            key_bytes: 8_000,
            frame_bytes: 1_500,
            data_every: 10,
        }
    }
}

/// One message to send.
#[derive(Clone, Debug)]
pub struct Outgoing {
    pub kind: MessageType,
    pub timestamp: u32,
    pub payload: Bytes,
}

/// The stream on its way out.
#[derive(Clone, Debug)]
pub struct Source {
    pub stream: u32,
    pub generation: u32,
    pub shape: Shape,
    pub at_ms: u32,
    /// Frames of either kind made in this generation.
    pub frames: u64,
    pub video_frames: u64,
    pub audio_frames: u64,
    /// Data messages made in all generations.
    pub data: u64,
}

impl Source {
    pub fn new(stream: u32, shape: Shape) -> Self {
        Self {
            stream,
            generation: 1,
            shape,
            at_ms: 0,
            frames: 0,
            video_frames: 0,
            audio_frames: 0,
            data: 0,
        }
    }

    /// The encoder starts anew: another generation, from its own time zero.
    pub fn again(&self) -> Self {
        Self {
            generation: self.generation + 1,
            data: self.data,
            ..Self::new(self.stream, self.shape)
        }
    }

    /// Metadata and sequence headers, each naming its generation.
    pub fn headers(&self) -> Vec<Outgoing> {
        let mut out = vec![Outgoing {
            kind: MessageType::DATA_AMF0,
            timestamp: self.at_ms,
            payload: data_payload("onMetaData", f64::from(self.generation)),
        }];
        if self.shape.video {
            let prefix: &[u8] = match self.shape.codec {
                Codec::Avc => &[0x17, 0, 0, 0, 0],
                Codec::Hevc => b"\x90hvc1",
            };
            out.push(self.header(MessageType::VIDEO, prefix));
        }
        if self.shape.audio {
            out.push(self.header(MessageType::AUDIO, &[0xaf, 0]));
        }
        out
    }

    fn header(&self, kind: MessageType, prefix: &[u8]) -> Outgoing {
        let mut payload = BytesMut::from(prefix);
        payload.put_u32(MAGIC);
        payload.put_u32(self.stream);
        payload.put_u32(self.generation);
        Outgoing { kind, timestamp: self.at_ms, payload: payload.freeze() }
    }

    /// What belongs to the next frame's time: data now and then, video, audio.
    pub fn next(&mut self, out: &mut Vec<Outgoing>) {
        let shape = self.shape;
        let tick = if shape.video { self.video_frames } else { self.audio_frames };
        if shape.data_every > 0 && tick % shape.data_every == shape.data_every - 1 {
            self.data += 1;
            out.push(Outgoing {
                kind: MessageType::DATA_AMF0,
                timestamp: self.at_ms,
                payload: data_payload(DATA_NAME, self.data as f64),
            });
        }
        if shape.video {
            let key = shape.gop > 0 && self.video_frames.is_multiple_of(shape.gop);
            let (first, bytes) = if key { (1, shape.key_bytes) } else { (2, shape.frame_bytes) };
            let prefix: &[u8] = match shape.codec {
                Codec::Avc => &[first << 4 | 7, 1, 0, 0, 0],
                Codec::Hevc => &[0x80 | first << 4 | 3, b'h', b'v', b'c', b'1'],
            };
            self.video_frames += 1;
            out.push(self.frame(MessageType::VIDEO, prefix, self.video_frames, bytes));
        }
        if shape.audio {
            self.audio_frames += 1;
            out.push(self.frame(MessageType::AUDIO, &[0xaf, 1], self.audio_frames, 200));
        }
        self.at_ms = self.at_ms.wrapping_add(shape.frame_ms);
    }

    fn frame(&mut self, kind: MessageType, prefix: &[u8], number: u64, bytes: usize) -> Outgoing {
        self.frames += 1;
        let filler = bytes.saturating_sub(prefix.len() + MARK_BYTES);
        let mut payload = BytesMut::with_capacity(prefix.len() + MARK_BYTES + filler);
        payload.put_slice(prefix);
        payload.put_u32(MAGIC);
        payload.put_u32(self.stream);
        payload.put_u32(self.generation);
        payload.put_u64(self.frames);
        payload.put_u64(number);
        payload.put_u32(self.at_ms);
        payload.put_u64(now_ns());
        payload.put_u32((prefix.len() + MARK_BYTES + filler) as u32);
        let hash_at = payload.len();
        payload.put_u64(0);
        put_filler(&mut payload, self.frames as usize * 37, filler);
        let hash = hash_of(&payload, hash_at);
        payload[hash_at..hash_at + 8].copy_from_slice(&hash.to_be_bytes());
        Outgoing { kind, timestamp: self.at_ms, payload: payload.freeze() }
    }
}

/// What a payload turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    Header { stream: u32, generation: u32 },
    Frame(Mark),
}

/// The marks of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    pub stream: u32,
    pub generation: u32,
    pub order: u64,
    pub number: u64,
    pub source_ms: u32,
    pub sent_ns: u64,
    pub key: bool,
}

/// Reads the marks of an audio or video payload, and checks its length and hash.
pub fn read(kind: MessageType, payload: &[u8]) -> Result<Seen, &'static str> {
    let first = *payload.first().ok_or("empty payload")?;
    let (prefix, header) = if kind == MessageType::AUDIO {
        (2, payload.get(1) == Some(&0))
    } else if first & 0x80 != 0 {
        (5, first & 0x0f == 0)
    } else {
        (5, payload.get(1) == Some(&0))
    };
    let u32_at = |at: usize| {
        let bytes = payload.get(prefix + at..prefix + at + 4)?;
        Some(u32::from_be_bytes(bytes.try_into().ok()?))
    };
    let u64_at = |at: usize| {
        let bytes = payload.get(prefix + at..prefix + at + 8)?;
        Some(u64::from_be_bytes(bytes.try_into().ok()?))
    };
    if u32_at(0) != Some(MAGIC) {
        return Err("no magic: not what was published");
    }
    let stream = u32_at(4).ok_or("cut short")?;
    let generation = u32_at(8).ok_or("cut short")?;
    if header {
        return Ok(Seen::Header { stream, generation });
    }
    let length = u32_at(40).ok_or("cut short")?;
    if length as usize != payload.len() {
        return Err("another length than was published");
    }
    if u64_at(44) != Some(hash_of(payload, prefix + 44)) {
        return Err("another hash than was published");
    }
    Ok(Seen::Frame(Mark {
        stream,
        generation,
        order: u64_at(12).ok_or("cut short")?,
        number: u64_at(20).ok_or("cut short")?,
        source_ms: u32_at(28).ok_or("cut short")?,
        sent_ns: u64_at(32).ok_or("cut short")?,
        key: kind == MessageType::VIDEO && (first >> 4) & 7 == 1,
    }))
}

/// The number in a data message of ours.
pub fn data_number(payload: &[u8]) -> Option<u64> {
    let tail = payload.len().checked_sub(9)?;
    (payload[tail] == 0).then_some(())?;
    Some(f64::from_be_bytes(payload[tail + 1..].try_into().ok()?) as u64)
}

fn data_payload(name: &str, number: f64) -> Bytes {
    let mut payload = BytesMut::new();
    payload.put_u8(2); // AMF0 string
    payload.put_u16(name.len() as u16);
    payload.put_slice(name.as_bytes());
    payload.put_u8(0); // AMF0 number
    payload.put_f64(number);
    payload.freeze()
}

/// Nanoseconds since the first call in this process.
pub fn now_ns() -> u64 {
    static BEGAN: OnceLock<Instant> = OnceLock::new();
    BEGAN.get_or_init(Instant::now).elapsed().as_nanos() as u64
}

fn hash_of(payload: &[u8], hash_at: usize) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(&payload[..hash_at]);
    hasher.write(&payload[hash_at + 8..]);
    hasher.finish()
}

/// Bytes without a pattern that a shift would leave unchanged.
fn put_filler(out: &mut BytesMut, from: usize, bytes: usize) {
    static BLOCK: OnceLock<Vec<u8>> = OnceLock::new();
    let block = BLOCK.get_or_init(|| {
        let mut state = 1_u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 56) as u8
        };
        (0..1 << 16).map(|_| next()).collect()
    });
    let mut left = bytes;
    let mut at = from % block.len();
    while left > 0 {
        let part = left.min(block.len() - at);
        out.put_slice(&block[at..at + part]);
        left -= part;
        at = 0;
    }
}
