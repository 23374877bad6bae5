//! What a message says: the words of the table, and the fields of the JSON objects.

use millstream_amf0::{Limits, Value};
use millstream_flv::{AudioHeader, AudioPacketType, FrameType, VideoHeader, VideoPacketType};
use millstream_rtmp::message::{Message, MessageType};
use millstream_rtmp::values::Values;
use std::fmt::Write as _;

/// What stands in a message that is neither a command nor a control message.
pub(super) enum Meaning {
    Audio(AudioHeader),
    Video(VideoHeader),
    /// The values, and what is wrong behind them.
    Data(Vec<Value>, Option<String>),
    /// A header that cannot be read, and why. The server passes it on.
    Unreadable(String),
    /// Nothing that is known here.
    Unknown,
}

impl Meaning {
    pub(super) fn of(message: &Message) -> Self {
        let unreadable = |error: &dyn std::fmt::Display| Self::Unreadable(error.to_string());
        match message.kind {
            MessageType::AUDIO if message.payload.is_empty() => unreadable(&"empty"),
            MessageType::VIDEO if message.payload.is_empty() => unreadable(&"empty"),
            MessageType::AUDIO => AudioHeader::parse(&message.payload)
                .map_or_else(|error| unreadable(&error), Self::Audio),
            MessageType::VIDEO => VideoHeader::parse(&message.payload)
                .map_or_else(|error| unreadable(&error), Self::Video),
            MessageType::DATA_AMF0 => data(&message.payload),
            // One byte before the values, which some encoders leave out.
            MessageType::DATA_AMF3 if message.payload.first() == Some(&0) => {
                data(&message.payload[1..])
            }
            MessageType::DATA_AMF3 => data(&message.payload),
            _ => Self::Unknown,
        }
    }
}

/// The first bytes of audio and video in hexadecimal, at most so many; nothing of other messages.
pub(super) fn first_bytes(message: &Message, at_most: usize) -> Option<String> {
    let is_media = matches!(message.kind, MessageType::AUDIO | MessageType::VIDEO);
    let shown = &message.payload[..message.payload.len().min(at_most)];
    (is_media && at_most > 0).then(|| {
        let mut digits = String::with_capacity(3 * shown.len());
        for (at, byte) in shown.iter().enumerate() {
            let gap = if at == 0 { "" } else { " " };
            // Writing into a string does not fail.
            let _ = write!(digits, "{gap}{byte:02x}");
        }
        digits
    })
}

fn data(payload: &[u8]) -> Meaning {
    let mut reader = Values::new(payload, Limits::default());
    let mut values = Vec::new();
    loop {
        match reader.next() {
            Ok(Some(value)) => values.push(value),
            Ok(None) => return Meaning::Data(values, None),
            Err(fault) => return Meaning::Data(values, Some(fault.to_string())),
        }
    }
}

/// The name of a message type.
pub(super) fn type_name(kind: MessageType) -> &'static str {
    match kind {
        MessageType::SET_CHUNK_SIZE => "set chunk size",
        MessageType::ABORT => "abort",
        MessageType::ACKNOWLEDGEMENT => "acknowledgement",
        MessageType::USER_CONTROL => "user control",
        MessageType::WINDOW_ACK_SIZE => "window ack size",
        MessageType::SET_PEER_BANDWIDTH => "set peer bandwidth",
        MessageType::AUDIO => "audio",
        MessageType::VIDEO => "video",
        MessageType::DATA_AMF0 => "data",
        MessageType::DATA_AMF3 => "data amf3",
        MessageType::COMMAND_AMF0 => "command",
        MessageType::COMMAND_AMF3 => "command amf3",
        MessageType::SHARED_OBJECT_AMF0 => "shared object",
        MessageType::SHARED_OBJECT_AMF3 => "shared object amf3",
        MessageType::AGGREGATE => "aggregate",
        _ => "unknown",
    }
}

/// The codec of a video message.
pub(super) fn video_codec(header: &VideoHeader) -> String {
    header.codec.codec().map_or_else(|| "none".to_owned(), |codec| codec.to_string())
}

/// What a video message holds, in one or two words.
pub(super) fn video_packet(header: &VideoHeader) -> String {
    match header.packet_type {
        VideoPacketType::SequenceStart | VideoPacketType::Mpeg2TsSequenceStart => {
            "sequence header".to_owned()
        }
        VideoPacketType::SequenceEnd => "sequence end".to_owned(),
        VideoPacketType::Metadata => "metadata".to_owned(),
        VideoPacketType::Command(number) => format!("command {number}"),
        VideoPacketType::Other(number) => format!("packet type {number}"),
        VideoPacketType::CodedFrames | VideoPacketType::CodedFramesX => match header.frame_type {
            FrameType::Key | FrameType::GeneratedKey => "key frame".to_owned(),
            FrameType::Inter => "frame".to_owned(),
            FrameType::DisposableInter => "disposable frame".to_owned(),
            FrameType::Command => "command".to_owned(),
            FrameType::Reserved(number) => format!("frame type {number}"),
        },
    }
}

/// What an audio message holds, in one or two words.
pub(super) fn audio_packet(header: &AudioHeader) -> String {
    match header.packet_type {
        AudioPacketType::SequenceStart => "sequence header".to_owned(),
        AudioPacketType::CodedFrames => "frame".to_owned(),
        AudioPacketType::SequenceEnd => "sequence end".to_owned(),
        AudioPacketType::MultichannelConfig => "channel order".to_owned(),
        AudioPacketType::Other(number) => format!("packet type {number}"),
    }
}
