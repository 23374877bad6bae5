//! What a client says to a server, as text: one line for each message but media, whose frames are one
//! line for all that follow each other. Acknowledgements and answers to pings are left out, for they
//! come when they come; hosts and ports are `HOST`, whatever they were.
//!
//! ```text
//! 3/0 connect 1 {app: "live", ...}      chunk stream 3, message stream 0, transaction 1
//! 4/1 data "@setDataFrame" ...
//! 4/1 video sequence header
//! media
//! ```

use millstream_amf0::{Decoder, Limits, Object, Value};
use millstream_flv::{AudioHeader, VideoHeader};
use millstream_rtmp::chunk::{ChunkLimits, ChunkReader};
use millstream_rtmp::command::Command;
use millstream_rtmp::control::Control;
use millstream_rtmp::handshake::HANDSHAKE_BYTES;
use millstream_rtmp::message::{Message, MessageType};

/// The transcript of all bytes that a client has sent, its handshake included.
pub fn transcript(bytes: &[u8]) -> String {
    let (handshake, mut input) = bytes.split_at(HANDSHAKE_BYTES as usize);
    let digest = handshake[5..9] != [0; 4];
    let mut lines = vec![format!(
        "handshake version {}, {}",
        handshake[0],
        if digest { "with digest" } else { "simple" }
    )];
    let mut reader = ChunkReader::new(ChunkLimits::default());
    while let Some(message) = reader.read(&mut input).unwrap() {
        if let Ok(Some(Control::SetChunkSize(size))) = Control::decode(&message) {
            reader.set_chunk_size(size).unwrap();
        }
        let Some(said) = said(&message) else { continue };
        if lines.last() != Some(&said) {
            lines.push(said);
        }
    }
    lines.join("\n") + "\n"
}

fn said(message: &Message) -> Option<String> {
    let place = format!("{}/{}", message.chunk_stream_id, message.stream_id);
    let payload = &message.payload[..];
    let header = |is_header: bool, kind: &str| match is_header {
        true => format!("{place} {kind} sequence header"),
        false => "media".to_owned(),
    };
    match message.kind {
        MessageType::COMMAND_AMF0 => {
            let Command { name, transaction, arguments, .. } = Command::decode(message).unwrap();
            let arguments: String =
                arguments.iter().map(|value| format!(" {}", shown(value))).collect();
            Some(format!("{place} {name} {transaction}{arguments}"))
        }
        MessageType::DATA_AMF0 => {
            let mut decoder = Decoder::new(payload, Limits::default());
            let mut values = String::new();
            while let Some(value) = decoder.next().unwrap() {
                values.push_str(&format!(" {}", shown(&value)));
            }
            Some(format!("{place} data{values}"))
        }
        MessageType::AUDIO => {
            let header_of = AudioHeader::parse(payload);
            Some(header(header_of.is_ok_and(|audio| audio.is_sequence_start()), "audio"))
        }
        MessageType::VIDEO => {
            let header_of = VideoHeader::parse(payload);
            Some(header(header_of.is_ok_and(|video| video.is_sequence_start()), "video"))
        }
        _ => match Control::decode(message).unwrap() {
            Some(Control::SetChunkSize(size)) => Some(format!("{place} set chunk size {size}")),
            Some(Control::WindowAckSize(size)) => Some(format!("{place} window size {size}")),
            _ => None,
        },
    }
}

/// A value as it would stand in a program.
fn shown(value: &Value) -> String {
    match value {
        Value::Number(number) => number.to_string(),
        Value::Boolean(truth) => truth.to_string(),
        Value::String(text) => format!("{:?}", without_host(text)),
        Value::Object(object) => fields(object),
        Value::EcmaArray(object) => format!("array {}", fields(object)),
        Value::StrictArray(values) => {
            format!("[{}]", values.iter().map(shown).collect::<Vec<_>>().join(", "))
        }
        Value::Null => "null".to_owned(),
        other => format!("{other:?}"),
    }
}

fn fields(object: &Object) -> String {
    let field = |(name, value): (&str, &Value)| format!("{name}: {}", shown(value));
    format!("{{{}}}", object.iter().map(field).collect::<Vec<_>>().join(", "))
}

/// A URL without its host and port; any other text as it is.
fn without_host(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let path = rest.find('/').map_or("", |at| &rest[at..]);
    format!("{scheme}://HOST{path}")
}
