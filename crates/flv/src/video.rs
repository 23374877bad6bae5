//! The header of a video message (FLV 10.1, E.4.3.1; Enhanced RTMP v2, "Enhanced Video"). What
//! the extended headers share with sound stands in `ex`.
//!
//! ```text
//! legacy    0fff cccc | command (8)                          frame type 5
//!                     | packet type (8) | composition (24)   codecs 7 and 12
//! extended  1fff tttt | see `ex` | [composition (24)]        coded frames of H.264, H.265, H.266
//! ```

use millstream_media::Codec;

use crate::{
    HeaderError, Multitrack,
    cursor::Cursor,
    ex::{Prefix, TrackPart, read_modifiers},
};

/// What can be known of a video message without looking into its frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VideoHeader {
    /// What the frame depends on.
    pub frame_type: FrameType,
    /// How it is coded; of the first track, if there are several.
    pub codec: VideoCodec,
    /// What the message holds.
    pub packet_type: VideoPacketType,
    /// How many milliseconds after its decoding the frame is shown; 0 if the message holds none,
    /// or does not say. Of the first track, if there are several.
    pub composition_time: i32,
    /// Nanoseconds to be added to the time of the message, less than 2^24; 0 if not said.
    pub timestamp_offset_ns: u32,
    /// How tracks are laid out, if the message numbers them.
    pub multitrack: Option<Multitrack>,
    /// The number of the track, the first one if there are several; 0 if the message has none.
    pub track_id: u8,
    /// How many bytes stand before the body; that of the first track, if there are several.
    pub header_len: usize,
}

/// The frame type. Encoders mark sequence starts as key frames, so ask the methods of
/// [`VideoHeader`] instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameType {
    /// Can be decoded alone.
    Key,
    /// Needs others.
    Inter,
    /// Needs others and is needed by none; of H.263 only by the specification.
    DisposableInter,
    /// A key frame made by a server.
    GeneratedKey,
    /// No frame but a command.
    Command,
    /// 0, 6 and 7, which are reserved.
    Reserved(u8),
}

/// How the frames are coded, by the names of the wire. [`VideoCodec::codec`] tells which of these
/// are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VideoCodec {
    /// Number 7: H.264.
    Avc,
    /// Number 12, which encoders in China agreed on for H.265 before there was Enhanced RTMP.
    HevcLegacy,
    /// Another number.
    Other(u8),
    /// A four-character code of Enhanced RTMP.
    FourCc([u8; 4]),
    /// None: a command frame of Enhanced RTMP.
    Absent,
}

/// What a message holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VideoPacketType {
    /// The decoder configuration.
    SequenceStart,
    /// Frames, with a composition time if the codec has one.
    CodedFrames,
    /// Nothing; the sequence ends.
    SequenceEnd,
    /// Frames whose composition time is 0.
    CodedFramesX,
    /// AMF0 about the pictures, such as `colorInfo`; the frame type means nothing.
    Metadata,
    /// The decoder configuration as a descriptor of an MPEG-2 transport stream.
    Mpeg2TsSequenceStart,
    /// A command: 0 begins and 1 ends the frames of a seek.
    Command(u8),
    /// Reserved.
    Other(u8),
}

/// One track of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VideoTrack<'a> {
    /// Its number.
    pub id: u8,
    /// How it is coded.
    pub codec: VideoCodec,
    /// As [`VideoHeader::composition_time`].
    pub composition_time: i32,
    /// What follows the header: frames, a configuration, or metadata.
    pub body: &'a [u8],
}

/// The packet type of Enhanced RTMP that says that tracks are numbered.
const MULTITRACK: u8 = 6;

impl VideoHeader {
    /// Reads the header of a whole message.
    ///
    /// # Errors
    ///
    /// The header is cut short or contradicts itself; [`HeaderError`] says which.
    pub fn parse(message: &[u8]) -> Result<Self, HeaderError> {
        let mut cursor = Cursor::new(message);
        match Start::read(&mut cursor)? {
            Start::Complete(header) => Ok(header),
            Start::Extended(frame_type, prefix) => {
                let packet_type = VideoPacketType::from_wire(prefix.packet_type);
                let part = prefix.next_track(&mut cursor, true)?.ok_or(HeaderError::Truncated)?;
                let track = VideoTrack::read(part, packet_type)?;
                Ok(Self {
                    frame_type,
                    codec: track.codec,
                    packet_type,
                    composition_time: track.composition_time,
                    timestamp_offset_ns: prefix.timestamp_offset_ns,
                    multitrack: prefix.multitrack,
                    track_id: track.id,
                    header_len: part.offset + part.data.len() - track.body.len(),
                })
            }
        }
    }

    /// Whether the message holds a frame at which decoding can begin. A sequence start, which
    /// is marked as a key frame too, is none.
    pub fn is_key_frame(&self) -> bool {
        matches!(self.frame_type, FrameType::Key | FrameType::GeneratedKey) && self.is_coded()
    }

    /// Whether the message holds frames.
    pub fn is_coded(&self) -> bool {
        matches!(self.packet_type, VideoPacketType::CodedFrames | VideoPacketType::CodedFramesX)
    }

    /// Whether the message holds the decoder configuration.
    pub fn is_sequence_start(&self) -> bool {
        use VideoPacketType::{Mpeg2TsSequenceStart, SequenceStart};
        matches!(self.packet_type, SequenceStart | Mpeg2TsSequenceStart)
    }

    /// Whether the message ends the sequence.
    pub fn is_sequence_end(&self) -> bool {
        self.packet_type == VideoPacketType::SequenceEnd
    }

    /// Whether the message holds metadata in AMF0.
    pub fn is_metadata(&self) -> bool {
        self.packet_type == VideoPacketType::Metadata
    }

    /// Whether the message is a command and holds no frame.
    pub fn is_command_frame(&self) -> bool {
        matches!(self.packet_type, VideoPacketType::Command(_))
    }

    /// Whether the message holds a frame that no other one needs.
    pub fn is_disposable(&self) -> bool {
        self.frame_type == FrameType::DisposableInter && self.is_coded()
    }
}

/// The tracks of a message, each with its body; one of number 0 if the message does not number
/// them.
///
/// Tracks may have equal numbers, and there may be as many as the message has room for. After an
/// error there are no more.
///
/// # Errors
///
/// The message has no readable header; then there is no track at all.
pub fn tracks(
    message: &[u8],
) -> Result<impl Iterator<Item = Result<VideoTrack<'_>, HeaderError>>, HeaderError> {
    let mut cursor = Cursor::new(message);
    let mut start = Some(Start::read(&mut cursor)?);
    let mut first = true;
    Ok(std::iter::from_fn(move || match start.take()? {
        Start::Complete(header) => Some(Ok(VideoTrack {
            id: 0,
            codec: header.codec,
            composition_time: header.composition_time,
            body: cursor.rest(),
        })),
        Start::Extended(frame_type, prefix) => {
            let packet_type = VideoPacketType::from_wire(prefix.packet_type);
            let part = prefix.next_track(&mut cursor, std::mem::take(&mut first));
            let track = match part.transpose()? {
                Ok(part) => VideoTrack::read(part, packet_type),
                Err(error) => Err(error),
            };
            if track.is_ok() {
                start = Some(Start::Extended(frame_type, prefix));
            }
            Some(track)
        }
    }))
}

/// What stands before the tracks.
enum Start {
    /// All of the header: a legacy one, or a command.
    Complete(VideoHeader),
    Extended(FrameType, Prefix),
}

impl Start {
    fn read(cursor: &mut Cursor<'_>) -> Result<Self, HeaderError> {
        let byte = cursor.u8()?;
        let frame_type = FrameType::from_wire(byte >> 4 & 7);
        let low = byte & 0x0f;
        let (codec, packet_type, timestamp_offset_ns) = if byte & 0x80 == 0 {
            let codec = VideoCodec::from_wire(low);
            (codec, VideoPacketType::read_legacy(cursor, frame_type, codec)?, 0)
        } else {
            let modified = read_modifiers(cursor, low)?;
            let metadata = VideoPacketType::from_wire(modified.0) == VideoPacketType::Metadata;
            if frame_type != FrameType::Command || metadata {
                let prefix = Prefix::read(cursor, modified, MULTITRACK)?;
                return Ok(Self::Extended(frame_type, prefix));
            }
            (VideoCodec::Absent, VideoPacketType::Command(cursor.u8()?), modified.1)
        };
        let composition_time = read_legacy_composition(cursor, codec, packet_type)?;
        Ok(Self::Complete(VideoHeader {
            frame_type,
            codec,
            packet_type,
            composition_time,
            timestamp_offset_ns,
            multitrack: None,
            track_id: 0,
            header_len: cursor.position(),
        }))
    }
}

/// The three bytes that all packets of H.264 and H.265 have and that mean something for frames
/// only; writers are known to leave them out at the end of a sequence.
fn read_legacy_composition(
    cursor: &mut Cursor<'_>,
    codec: VideoCodec,
    packet_type: VideoPacketType,
) -> Result<i32, HeaderError> {
    match (codec, packet_type) {
        (VideoCodec::Avc | VideoCodec::HevcLegacy, VideoPacketType::CodedFrames) => cursor.i24(),
        (_, VideoPacketType::Command(_)) => Ok(0),
        (VideoCodec::Avc | VideoCodec::HevcLegacy, _) => {
            cursor.take(cursor.rest().len().min(3))?;
            Ok(0)
        }
        _ => Ok(0),
    }
}

impl<'a> VideoTrack<'a> {
    fn read(part: TrackPart<'a>, packet_type: VideoPacketType) -> Result<Self, HeaderError> {
        let mut cursor = Cursor::new(part.data);
        let composed = matches!(&part.four_cc, b"avc1" | b"hvc1" | b"vvc1");
        let composition_time = match packet_type {
            VideoPacketType::CodedFrames if composed => cursor.i24()?,
            _ => 0,
        };
        let codec = VideoCodec::FourCc(part.four_cc);
        Ok(Self { id: part.id, codec, composition_time, body: cursor.rest() })
    }
}

impl FrameType {
    fn from_wire(number: u8) -> Self {
        match number {
            1 => Self::Key,
            2 => Self::Inter,
            3 => Self::DisposableInter,
            4 => Self::GeneratedKey,
            5 => Self::Command,
            reserved => Self::Reserved(reserved),
        }
    }
}

impl VideoCodec {
    /// The codec behind the name; `None` if there is none.
    pub fn codec(self) -> Option<Codec> {
        match self {
            Self::Avc => Some(Codec::Avc),
            Self::HevcLegacy => Some(Codec::Hevc),
            Self::Other(number) => Some(Codec::FlvVideo(number)),
            Self::FourCc(code) => Some(Codec::from_four_cc(code)),
            Self::Absent => None,
        }
    }

    fn from_wire(number: u8) -> Self {
        match number {
            7 => Self::Avc,
            12 => Self::HevcLegacy,
            other => Self::Other(other),
        }
    }
}

impl VideoPacketType {
    /// A packet type of Enhanced RTMP; that of H.264 has the same first three.
    fn from_wire(number: u8) -> Self {
        match number {
            0 => Self::SequenceStart,
            1 => Self::CodedFrames,
            2 => Self::SequenceEnd,
            3 => Self::CodedFramesX,
            4 => Self::Metadata,
            5 => Self::Mpeg2TsSequenceStart,
            other => Self::Other(other),
        }
    }

    fn read_legacy(
        cursor: &mut Cursor<'_>,
        frame_type: FrameType,
        codec: VideoCodec,
    ) -> Result<Self, HeaderError> {
        if frame_type == FrameType::Command {
            return cursor.u8().map(Self::Command);
        }
        match codec {
            VideoCodec::Avc | VideoCodec::HevcLegacy => Ok(match cursor.u8()? {
                number @ 0..=2 => Self::from_wire(number),
                other => Self::Other(other),
            }),
            // The older codecs have frames and nothing else.
            _ => Ok(Self::CodedFrames),
        }
    }
}
