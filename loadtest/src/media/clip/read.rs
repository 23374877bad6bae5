//! A file into a recording. What is done with a frame stands in `lane`.

use crate::media::Track;
use crate::media::clip::describe::describe;
use crate::media::clip::lane::Lane;
use crate::media::clip::{BYTES_MAX, Clip, ClipError};
use crate::media::metadata::set_data_frame;
use bytes::Bytes;
use millstream_amf0::{Limits, Object};
use millstream_flv::VideoHeader;
use millstream_flv::{AudioHeader, AudioPacketType, Item, Reader, ScriptData, Tag, TagKind};
use millstream_media::{Codec, Timeline, TrackKind};
use millstream_rtmp::message::MessageType;
use std::io::{ErrorKind, Read};

/// What one read takes.
const READ_BYTES: usize = 1 << 20;
/// Properties that say something of the file and not of the stream.
const OF_THE_FILE: [&str; 5] =
    ["duration", "filesize", "keyframes", "lasttimestamp", "lastkeyframetimestamp"];

/// Reads a whole file.
pub(super) fn read(mut file: impl Read) -> Result<Clip, ClipError> {
    let (mut reader, mut reading) = (Reader::new(), Reading::new());
    let (mut buffer, mut total) = (vec![0; READ_BYTES], 0);
    loop {
        let count = match file.read(&mut buffer) {
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error.into()),
        };
        total += count as u64;
        if total > BYTES_MAX {
            return Err(ClipError::TooLong);
        }
        if count == 0 {
            reader.finish();
        }
        let mut input = &buffer[..count];
        while let Some(item) = reader.read(&mut input)? {
            if let Item::Tag(tag) = item {
                reading.take(tag)?;
            }
        }
        if count == 0 {
            return reading.finish();
        }
    }
}

/// What has been read so far.
struct Reading {
    metadata: Option<Object>,
    /// Messages that are no frames and go with the sequence headers.
    others: Vec<(MessageType, Bytes)>,
    video: Option<Lane>,
    audio: Option<Lane>,
    timeline: Timeline,
    /// Where the first frame that is kept stands on the timeline.
    start_ms: Option<u64>,
    /// There are pictures.
    has_pictures: bool,
}

/// A message with frames or a configuration, as far as both kinds are alike.
struct Part {
    track: Track,
    codec: Codec,
    header_len: usize,
    message: Bytes,
}

impl Reading {
    fn new() -> Self {
        Self {
            metadata: None,
            others: Vec::new(),
            video: None,
            audio: None,
            timeline: Timeline::new(0),
            start_ms: None,
            has_pictures: false,
        }
    }

    fn take(&mut self, tag: Tag) -> Result<(), ClipError> {
        match tag.kind {
            TagKind::Script => self.take_script(&tag.payload),
            TagKind::Video if tag.payload.is_empty() => {}
            TagKind::Audio if tag.payload.is_empty() => {}
            TagKind::Video => self.take_video(tag)?,
            TagKind::Audio => self.take_audio(tag)?,
        }
        Ok(())
    }

    /// Script data that cannot be read is left out: players do without it.
    fn take_script(&mut self, payload: &[u8]) {
        let Ok(data) = ScriptData::parse(payload, Limits::default()) else { return };
        if let (None, Some(properties)) = (&self.metadata, data.metadata()) {
            let mut properties = properties.clone();
            for name in OF_THE_FILE {
                properties.remove(name);
            }
            self.metadata = Some(properties);
        }
    }

    fn take_video(&mut self, tag: Tag) -> Result<(), ClipError> {
        let track = Track::Video;
        let header = VideoHeader::parse(&tag.payload).map_err(|e| ClipError::Header(track, e))?;
        if header.multitrack.is_some() {
            return Err(ClipError::Multitrack(track));
        }
        let (is_key, header_len) = (header.is_key_frame(), header.header_len);
        if header.is_metadata() {
            self.keep(MessageType::VIDEO, tag.payload);
        } else if let Some(codec) = header.codec.codec() {
            let part = Part { track, codec, header_len, message: tag.payload };
            if header.is_sequence_start() {
                self.configure(part)?;
            } else if header.is_coded() && part.message.len() > header_len {
                let at = self.timeline.place(TrackKind::Video, tag.timestamp).ms;
                if self.begin_video(at, is_key) {
                    self.add(part, at)?;
                    self.video.as_mut().expect("a frame was added").key_frames += u32::from(is_key);
                }
            }
        }
        Ok(())
    }

    /// Whether a picture is kept: the first key frame is, and what follows it.
    fn begin_video(&mut self, at_ms: u64, is_key: bool) -> bool {
        let is_first = !std::mem::replace(&mut self.has_pictures, true);
        if is_first && !is_key {
            // Sound goes with the pictures that are left out.
            self.start_ms = None;
            self.audio.iter_mut().for_each(Lane::clear);
        }
        if is_key {
            self.start_ms.get_or_insert(at_ms);
        }
        self.start_ms.is_some()
    }

    fn take_audio(&mut self, tag: Tag) -> Result<(), ClipError> {
        let track = Track::Audio;
        let header = AudioHeader::parse(&tag.payload).map_err(|e| ClipError::Header(track, e))?;
        if header.multitrack.is_some() {
            return Err(ClipError::Multitrack(track));
        }
        let (codec, header_len) = (header.codec.codec(), header.header_len);
        let part = Part { track, codec, header_len, message: tag.payload };
        if header.packet_type == AudioPacketType::MultichannelConfig {
            self.keep(MessageType::AUDIO, part.message);
        } else if header.is_sequence_start() {
            self.configure(part)?;
        } else if header.is_coded() && part.message.len() > header_len {
            let at = self.timeline.place(TrackKind::Audio, tag.timestamp).ms;
            if self.has_pictures && self.start_ms.is_none() {
                return Ok(());
            }
            self.start_ms.get_or_insert(at);
            self.add(part, at)?;
        }
        Ok(())
    }

    fn configure(&mut self, part: Part) -> Result<(), ClipError> {
        let Part { track, codec, header_len, message } = part;
        match self.lane(track) {
            Some(lane) if *lane.header() == message => {}
            // ffmpeg sends an empty one of AV1 first, if the encoder has told it nothing yet.
            Some(lane) if lane.len() > 0 => return Err(ClipError::Changes(track)),
            lane => *lane = Some(Lane::new(track, codec, message, header_len)?),
        }
        Ok(())
    }

    fn add(&mut self, part: Part, at_ms: u64) -> Result<(), ClipError> {
        let ms = at_ms.saturating_sub(self.start_ms.unwrap_or(0));
        match self.lane(part.track) {
            Some(lane) if lane.codec() == part.codec => {
                lane.add(ms, &part.message, part.header_len)
            }
            Some(_) => Err(ClipError::Changes(part.track)),
            // Codecs that cannot be marked have no configuration, or may lack it.
            None => Err(match Lane::new(part.track, part.codec, Bytes::new(), 0) {
                Err(error @ ClipError::Codec(_)) => error,
                _ => ClipError::NoConfiguration(part.track),
            }),
        }
    }

    /// Keeps a message that is no frame, the first of each kind.
    fn keep(&mut self, kind: MessageType, message: Bytes) {
        if self.others.iter().all(|(other, _)| *other != kind) {
            self.others.push((kind, message));
        }
    }

    fn finish(mut self) -> Result<Clip, ClipError> {
        if self.has_pictures && self.start_ms.is_none() {
            return Err(ClipError::NoKeyFrame);
        }
        // A configuration without frames is no track.
        let video = self.video.take_if(|lane| lane.len() > 0);
        let audio = self.audio.take_if(|lane| lane.len() > 0);
        let period_ms = [&video, &audio].into_iter().flatten().filter_map(Lane::end_ms).max();
        let period_ms = period_ms.ok_or(ClipError::Empty)?;
        let describe = describe(video.as_ref(), audio.as_ref(), self.metadata.as_ref(), period_ms);
        let mut opening = Vec::new();
        if let Some(payload) = self.metadata.and_then(|values| set_data_frame(values).ok()) {
            opening.push((MessageType::DATA_AMF0, payload));
        }
        for (kind, lane) in [(MessageType::VIDEO, &video), (MessageType::AUDIO, &audio)] {
            opening.extend(lane.iter().map(|lane| (kind, lane.header().clone())));
        }
        opening.append(&mut self.others);
        Ok(Clip { opening, video, audio, period_ms, describe })
    }

    fn lane(&mut self, track: Track) -> &mut Option<Lane> {
        match track {
            Track::Video => &mut self.video,
            Track::Audio => &mut self.audio,
        }
    }
}
