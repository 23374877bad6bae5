//! What is known of a stream by its messages: what it is, how much comes, and when against its own
//! timestamps. How that is shown stands in `snapshot`.

use millstream_flv::{AudioHeader, AudioPacketType, ScriptData, Tag, TagKind, VideoHeader};
use millstream_media::{AacConfig, AvcConfig, Codec};
use std::time::{Duration, Instant};

/// A step in a track's timestamps beyond this is counted as a gap.
const GAP_MS: u32 = 1_000;

/// What has been seen of a stream.
#[derive(Debug)]
pub(super) struct Monitor {
    /// When it was asked for.
    pub(super) asked: Instant,
    /// When the first sound or picture came.
    pub(super) first: Option<Instant>,
    /// When the first key frame came.
    pub(super) first_key: Option<Instant>,
    pub(super) bytes: u64,
    pub(super) gaps: u64,
    pub(super) video: Video,
    pub(super) audio: Audio,
    pub(super) arrival: Arrival,
}

#[derive(Debug, Default)]
pub(super) struct Video {
    pub(super) codec: Option<Codec>,
    pub(super) size: Option<(u32, u32)>,
    pub(super) frames: u64,
    pub(super) keys: u64,
    /// From the last key frame but one to the last, in milliseconds.
    pub(super) key_interval_ms: Option<u32>,
    last_key: Option<u32>,
    last: Option<u32>,
}

#[derive(Debug, Default)]
pub(super) struct Audio {
    pub(super) codec: Option<Codec>,
    /// In Hz.
    pub(super) sample_rate: Option<u32>,
    pub(super) channels: Option<u8>,
    pub(super) frames: u64,
    last: Option<u32>,
}

/// When messages come against their timestamps. The one that was soonest is the measure: only
/// differences are known, for the sender's clock is not ours.
#[derive(Debug, Default)]
pub(super) struct Arrival {
    /// The first message: where both clocks begin.
    began: Option<(Instant, u32)>,
    least_ms: f64,
    /// How much later the last message came than the soonest did, in milliseconds.
    pub(super) delay_ms: f64,
    pub(super) delay_ms_max: f64,
    /// The smoothed change of that from message to message (RFC 3550, section 6.4.1), in milliseconds.
    pub(super) jitter_ms: f64,
    last_transit_ms: Option<f64>,
}

impl Monitor {
    pub(super) fn new(asked: Instant) -> Self {
        Self {
            asked,
            first: None,
            first_key: None,
            bytes: 0,
            gaps: 0,
            video: Video::default(),
            audio: Audio::default(),
            arrival: Arrival::default(),
        }
    }

    /// Takes a message into account that came, or went, now.
    pub(super) fn tag(&mut self, tag: &Tag, now: Instant) {
        self.bytes += tag.payload.len() as u64;
        let last = match tag.kind {
            TagKind::Script => return self.script(&tag.payload),
            TagKind::Video => {
                if self.video.message(tag) {
                    self.first_key.get_or_insert(now);
                }
                self.video.last.replace(tag.timestamp)
            }
            TagKind::Audio => {
                self.audio.message(tag);
                self.audio.last.replace(tag.timestamp)
            }
        };
        self.first.get_or_insert(now);
        // Taken as signed, the difference crosses the wrap in both directions.
        let step = last.map_or(0, |last| tag.timestamp.wrapping_sub(last) as i32);
        if step.unsigned_abs() > GAP_MS {
            self.gaps += 1;
            self.arrival.began = None;
        }
        self.arrival.message(tag.timestamp, now);
    }

    /// How long the first picture took, or the first sound while there is no picture.
    pub(super) fn first_frame(&self) -> Option<Duration> {
        Some(self.first_key.or(self.first)?.duration_since(self.asked))
    }

    /// Metadata says what the headers of newer codecs, which are not read here, would.
    fn script(&mut self, payload: &[u8]) {
        let Ok(script) = ScriptData::parse(payload, millstream_amf0::Limits::default()) else {
            return;
        };
        let Some(metadata) = script.metadata() else { return };
        let number = |name| metadata.get_number(name).filter(|n| (1.0..1e6).contains(n));
        if let (None, Some(width), Some(height)) =
            (self.video.size, number("width"), number("height"))
        {
            self.video.size = Some((width as u32, height as u32));
        }
        if self.audio.sample_rate.is_none() {
            self.audio.sample_rate = number("audiosamplerate").map(|rate| rate as u32);
        }
    }
}

impl Video {
    /// Whether it is a key frame.
    fn message(&mut self, tag: &Tag) -> bool {
        let Ok(header) = VideoHeader::parse(&tag.payload) else { return false };
        self.codec = header.codec.codec().or(self.codec);
        if header.is_sequence_start() && self.codec == Some(Codec::Avc) {
            let config = AvcConfig::parse(&tag.payload[header.header_len..]);
            self.size = config.ok().and_then(|config| config.size()).or(self.size);
        }
        self.frames += u64::from(header.is_coded());
        let is_key = header.is_key_frame();
        if is_key {
            self.keys += 1;
            if let Some(last) = self.last_key.replace(tag.timestamp) {
                self.key_interval_ms = Some(tag.timestamp.wrapping_sub(last));
            }
        }
        is_key
    }
}

impl Audio {
    fn message(&mut self, tag: &Tag) {
        let Ok(header) = AudioHeader::parse(&tag.payload) else { return };
        self.codec = Some(header.codec.codec());
        self.frames += u64::from(header.is_coded());
        if self.codec != Some(Codec::Aac) {
            self.sample_rate = header.sample_rate.or(self.sample_rate);
            self.channels = header.channels.or(self.channels);
        } else if header.packet_type == AudioPacketType::SequenceStart
            && let Ok(config) = AacConfig::parse(&tag.payload[header.header_len..])
        {
            self.sample_rate = Some(config.output_sample_rate);
            self.channels = config.output_channels();
        }
    }
}

impl Arrival {
    fn message(&mut self, timestamp: u32, now: Instant) {
        let (began, first) = *self.began.get_or_insert_with(|| {
            (self.least_ms, self.last_transit_ms) = (0.0, None);
            (now, timestamp)
        });
        let media_ms = f64::from(timestamp.wrapping_sub(first) as i32);
        let transit_ms = now.duration_since(began).as_secs_f64() * 1e3 - media_ms;
        self.least_ms = self.least_ms.min(transit_ms);
        self.delay_ms = transit_ms - self.least_ms;
        self.delay_ms_max = self.delay_ms_max.max(self.delay_ms);
        if let Some(last) = self.last_transit_ms.replace(transit_ms) {
            self.jitter_ms += ((transit_ms - last).abs() - self.jitter_ms) / 16.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn tag(kind: TagKind, timestamp: u32, payload: &'static [u8]) -> Tag {
        Tag { kind, timestamp, payload: Bytes::from_static(payload) }
    }

    #[test]
    fn frames_and_key_frames_are_counted_and_described() {
        let start = Instant::now();
        let mut monitor = Monitor::new(start);
        let at = |ms: u64| start + Duration::from_millis(ms);
        monitor.tag(&tag(TagKind::Audio, 0, b"\xaf\0\x12\x10"), at(5));
        monitor.tag(&tag(TagKind::Audio, 0, b"\xaf\x01x"), at(6));
        monitor.tag(&tag(TagKind::Video, 0, b"\x17\x01\0\0\0x"), at(7));
        monitor.tag(&tag(TagKind::Video, 40, b"\x27\x01\0\0\0x"), at(47));
        monitor.tag(&tag(TagKind::Video, 2_000, b"\x17\x01\0\0\0x"), at(2_007));
        assert_eq!((monitor.video.frames, monitor.video.keys, monitor.audio.frames), (3, 2, 1));
        assert_eq!(monitor.video.codec, Some(Codec::Avc));
        assert_eq!(monitor.video.key_interval_ms, Some(2_000));
        assert_eq!(
            (monitor.audio.codec, monitor.audio.sample_rate),
            (Some(Codec::Aac), Some(44_100))
        );
        assert_eq!((monitor.audio.channels, monitor.gaps), (Some(2), 1));
        assert_eq!(monitor.first_frame(), Some(Duration::from_millis(7)));
    }

    #[test]
    fn delay_is_against_the_soonest_and_crosses_the_wrap() {
        let (start, mut arrival) = (Instant::now(), Arrival::default());
        let first = u32::MAX - 50;
        // Media by its timestamp, arrival: even, 30 ms late, 10 ms sooner than the first, even again.
        for (media, came, delay) in
            [(0, 100, 0.0), (40, 170, 30.0), (80, 170, 0.0), (120, 220, 10.0)]
        {
            arrival.message(first.wrapping_add(media), start + Duration::from_millis(came));
            assert!((arrival.delay_ms - delay).abs() < 0.001, "{media}: {}", arrival.delay_ms);
        }
        assert!((arrival.delay_ms_max - 30.0).abs() < 0.001);
        assert!(arrival.jitter_ms > 0.0 && arrival.jitter_ms < 10.0);
    }
}
