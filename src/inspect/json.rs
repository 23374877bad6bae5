//! The list as JSON lines for programs: one object for each message, note and offence.

use super::input::Input;
use super::meaning::{Meaning, audio_packet, first_bytes, type_name, video_codec, video_packet};
use super::side::{Offence, Spoken};
use super::{Listed, Lister};
use crate::capture::format::Direction;
use millstream_amf0::Value;
use millstream_rtmp::message::Message;
use serde_json::{Map, Value as Object, json};
use std::io::{self, Write};

pub(super) struct Json {
    /// Bytes of media to show.
    pub(super) bytes: usize,
}

impl Lister for Json {
    fn begin(&self, input: &Input, out: &mut dyn Write) -> io::Result<()> {
        let Some(header) = input.header() else { return Ok(()) };
        line(
            json!({
                "connection": header.connection,
                "peer": header.peer,
                "began": header.began_us as f64 / 1e6,
            }),
            out,
        )
    }

    fn message(&self, listed: &Listed<'_>, out: &mut dyn Write) -> io::Result<()> {
        let message = &listed.found.message;
        let mut object = json!({
            "time": listed.time_us.map(|time_us| time_us as f64 / 1e6),
            "direction": listed.direction.map(Direction::name),
            "offset": listed.found.offset,
            "chunk_stream": message.chunk_stream_id,
            "type": message.kind.0,
            "type_name": type_name(message.kind),
            "timestamp": message.timestamp,
            "stream": message.stream_id,
            "length": message.payload.len(),
        });
        match &listed.found.spoken {
            Spoken::Command(command) => {
                object["command"] = json!({
                    "name": command.name,
                    "transaction": command.transaction,
                    "arguments": command.arguments.iter().map(amf0).collect::<Vec<_>>(),
                });
            }
            Spoken::Control(control) => object["control"] = json!(format!("{control:?}")),
            Spoken::Aggregate(parts) => object["messages"] = json!(parts),
            Spoken::Other => {
                add_meaning(message, &mut object);
                if let Some(bytes) = first_bytes(message, self.bytes) {
                    object["bytes"] = json!(bytes);
                }
            }
        }
        line(object, out)
    }

    fn note(&self, note: &str, out: &mut dyn Write) -> io::Result<()> {
        line(json!({ "note": note }), out)
    }

    fn offence(
        &self,
        direction: Option<Direction>,
        offence: &Offence,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        line(
            json!({ "offence": {
                "direction": direction.map(Direction::name),
                "offset": offence.offset,
                "name": offence.name,
                "text": offence.text,
            } }),
            out,
        )
    }
}

fn line(object: Object, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{object}")
}

fn add_meaning(message: &Message, object: &mut Object) {
    match Meaning::of(message) {
        Meaning::Audio(header) => {
            object["audio"] = json!({
                "codec": header.codec.codec().to_string(),
                "packet": audio_packet(&header),
                "track": header.multitrack.map(|_| header.track_id),
            });
        }
        Meaning::Video(header) => {
            object["video"] = json!({
                "codec": video_codec(&header),
                "packet": video_packet(&header),
                "key_frame": header.is_key_frame(),
                "sequence_header": header.is_sequence_start(),
                "composition_time": header.composition_time,
                "track": header.multitrack.map(|_| header.track_id),
            });
        }
        Meaning::Data(values, fault) => {
            object["data"] = values.iter().map(amf0).collect();
            if let Some(fault) = fault {
                object["fault"] = json!(fault);
            }
        }
        Meaning::Unreadable(why) => object["fault"] = json!(why),
        Meaning::Unknown => {}
    }
}

/// AMF0 as JSON: numbers that JSON has not are null, and of equal names the last one counts.
fn amf0(value: &Value) -> Object {
    match value {
        Value::Number(number) => json!(number),
        Value::Boolean(truth) => json!(truth),
        Value::String(text) | Value::LongString(text) | Value::XmlDocument(text) => json!(text),
        Value::Object(object)
        | Value::EcmaArray(object)
        | Value::TypedObject { properties: object, .. } => {
            let pairs = object.iter().map(|(name, value)| (name.to_owned(), amf0(value)));
            Object::Object(pairs.collect::<Map<_, _>>())
        }
        Value::StrictArray(list) => list.iter().map(amf0).collect(),
        Value::Null | Value::Undefined | Value::Unsupported => Object::Null,
        Value::Reference(number) => json!({ "reference": number }),
        Value::Date { ms, zone } => json!({ "date_ms": ms, "zone": zone }),
        Value::AvmPlus => json!("amf3"),
    }
}
