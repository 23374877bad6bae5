//! The header of an audio message (FLV 10.1, E.4.2.1; Enhanced RTMP v2, "Enhanced Audio"). What
//! the extended headers share with pictures stands in `ex`.
//!
//! ```text
//! legacy    ffff rr s c | packet type (8)   sound format 10, AAC
//! extended  1001 tttt   | see `ex`
//! ```

use millstream_media::Codec;

use crate::{
    HeaderError, Multitrack,
    cursor::Cursor,
    ex::{Prefix, read_modifiers},
};

/// What can be known of an audio message without looking into its frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AudioHeader {
    /// How the sound is coded; of the first track, if there are several.
    pub codec: AudioCodec,
    /// What the message holds.
    pub packet_type: AudioPacketType,
    /// Hz, by the header: for AAC and Speex it means nothing. `None` in Enhanced RTMP.
    pub sample_rate: Option<u32>,
    /// Bits of a sample, by the header: it matters for PCM. `None` in Enhanced RTMP.
    pub sample_bits: Option<u8>,
    /// 1 or 2, by the header: for AAC it means nothing. `None` in Enhanced RTMP.
    pub channels: Option<u8>,
    /// Nanoseconds to be added to the time of the message, less than 2^24; 0 if not said.
    pub timestamp_offset_ns: u32,
    /// How tracks are laid out, if the message numbers them.
    pub multitrack: Option<Multitrack>,
    /// The number of the track, the first one if there are several; 0 if the message has none.
    pub track_id: u8,
    /// How many bytes stand before the body; that of the first track, if there are several.
    pub header_len: usize,
}

/// How the sound is coded, by the names of the wire. [`AudioCodec::codec`] tells which of these
/// are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AudioCodec {
    /// Number 10.
    Aac,
    /// Number 2.
    Mp3,
    /// Number 14: MP3 at 8 kHz.
    Mp3At8Khz,
    /// Another number.
    Other(u8),
    /// A four-character code of Enhanced RTMP.
    FourCc([u8; 4]),
}

/// What a message holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AudioPacketType {
    /// The decoder configuration.
    SequenceStart,
    /// Frames.
    CodedFrames,
    /// Nothing; the sequence ends.
    SequenceEnd,
    /// The order of the channels.
    MultichannelConfig,
    /// Reserved.
    Other(u8),
}

/// One track of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AudioTrack<'a> {
    /// Its number.
    pub id: u8,
    /// How it is coded.
    pub codec: AudioCodec,
    /// What follows the header: frames or a configuration.
    pub body: &'a [u8],
}

/// The sound format that says that the header is extended.
const EX_HEADER: u8 = 9;

/// The packet type of Enhanced RTMP that says that tracks are numbered.
const MULTITRACK: u8 = 5;

impl AudioHeader {
    /// Reads the header of a whole message.
    ///
    /// # Errors
    ///
    /// The header is cut short or contradicts itself; [`HeaderError`] says which.
    pub fn parse(message: &[u8]) -> Result<Self, HeaderError> {
        let mut cursor = Cursor::new(message);
        match Start::read(&mut cursor)? {
            Start::Legacy(header) => Ok(header),
            Start::Extended(prefix) => {
                let part = prefix.next_track(&mut cursor, true)?.ok_or(HeaderError::Truncated)?;
                Ok(Self {
                    codec: AudioCodec::FourCc(part.four_cc),
                    packet_type: AudioPacketType::from_wire(prefix.packet_type),
                    sample_rate: None,
                    sample_bits: None,
                    channels: None,
                    timestamp_offset_ns: prefix.timestamp_offset_ns,
                    multitrack: prefix.multitrack,
                    track_id: part.id,
                    header_len: part.offset,
                })
            }
        }
    }

    /// Whether the message holds frames.
    pub fn is_coded(&self) -> bool {
        self.packet_type == AudioPacketType::CodedFrames
    }

    /// Whether the message holds the decoder configuration.
    pub fn is_sequence_start(&self) -> bool {
        self.packet_type == AudioPacketType::SequenceStart
    }

    /// Whether the message ends the sequence, which is also a way to say silence.
    pub fn is_sequence_end(&self) -> bool {
        self.packet_type == AudioPacketType::SequenceEnd
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
) -> Result<impl Iterator<Item = Result<AudioTrack<'_>, HeaderError>>, HeaderError> {
    let mut cursor = Cursor::new(message);
    let mut start = Some(Start::read(&mut cursor)?);
    let mut first = true;
    Ok(std::iter::from_fn(move || match start.take()? {
        Start::Legacy(header) => {
            Some(Ok(AudioTrack { id: 0, codec: header.codec, body: cursor.rest() }))
        }
        Start::Extended(prefix) => {
            let part = prefix.next_track(&mut cursor, std::mem::take(&mut first));
            let track = part.transpose()?.map(|part| AudioTrack {
                id: part.id,
                codec: AudioCodec::FourCc(part.four_cc),
                body: part.data,
            });
            if track.is_ok() {
                start = Some(Start::Extended(prefix));
            }
            Some(track)
        }
    }))
}

/// What stands before the tracks.
enum Start {
    Legacy(AudioHeader),
    Extended(Prefix),
}

impl Start {
    fn read(cursor: &mut Cursor<'_>) -> Result<Self, HeaderError> {
        let byte = cursor.u8()?;
        let format = byte >> 4;
        if format == EX_HEADER {
            let modified = read_modifiers(cursor, byte & 0x0f)?;
            return Prefix::read(cursor, modified, MULTITRACK).map(Self::Extended);
        }
        let codec = AudioCodec::from_wire(format);
        let packet_type = match codec {
            AudioCodec::Aac => match cursor.u8()? {
                0 => AudioPacketType::SequenceStart,
                1 => AudioPacketType::CodedFrames,
                other => AudioPacketType::Other(other),
            },
            _ => AudioPacketType::CodedFrames,
        };
        Ok(Self::Legacy(AudioHeader {
            codec,
            packet_type,
            sample_rate: Some(legacy_sample_rate(byte)),
            sample_bits: Some(if byte & 2 == 0 { 8 } else { 16 }),
            // Both Nellymoser formats with a rate in their name are mono by it.
            channels: Some(if byte & 1 == 0 || matches!(format, 4 | 5) { 1 } else { 2 }),
            timestamp_offset_ns: 0,
            multitrack: None,
            track_id: 0,
            header_len: cursor.position(),
        }))
    }
}

/// The rate by its two bits, unless the format has only one.
fn legacy_sample_rate(byte: u8) -> u32 {
    match (byte >> 4, byte >> 2 & 3) {
        (4, _) => 16_000,
        (5 | 7 | 8 | 14, _) => 8_000,
        (_, 0) => 5_512,
        (_, 1) => 11_025,
        (_, 2) => 22_050,
        _ => 44_100,
    }
}

impl AudioCodec {
    /// The codec behind the name.
    pub fn codec(self) -> Codec {
        match self {
            Self::Aac => Codec::Aac,
            Self::Mp3 | Self::Mp3At8Khz => Codec::Mp3,
            Self::Other(number) => Codec::FlvAudio(number),
            Self::FourCc(code) => Codec::from_four_cc(code),
        }
    }

    fn from_wire(number: u8) -> Self {
        match number {
            2 => Self::Mp3,
            10 => Self::Aac,
            14 => Self::Mp3At8Khz,
            other => Self::Other(other),
        }
    }
}

impl AudioPacketType {
    fn from_wire(number: u8) -> Self {
        match number {
            0 => Self::SequenceStart,
            1 => Self::CodedFrames,
            2 => Self::SequenceEnd,
            4 => Self::MultichannelConfig,
            other => Self::Other(other),
        }
    }
}
