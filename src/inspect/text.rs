//! The list as a table for people: one line for each message.

use super::input::Input;
use super::meaning::{Meaning, audio_packet, first_bytes, type_name, video_codec, video_packet};
use super::side::{Offence, Spoken};
use super::{Listed, Lister};
use crate::capture::format::Direction;
use millstream_amf0::{Object, Value};
use std::fmt::Write as _;
use std::io::{self, Write};

/// Characters of AMF0 in one line.
const VALUES_MAX: usize = 600;

pub(super) struct Text {
    /// Bytes of media to show.
    pub(super) bytes: usize,
}

impl Lister for Text {
    fn begin(&self, input: &Input, out: &mut dyn Write) -> io::Result<()> {
        if let Some(header) = input.header() {
            writeln!(
                out,
                "connection {} of {}, begun {}.{:06} s after 1970",
                header.connection,
                header.peer,
                header.began_us / 1_000_000,
                header.began_us % 1_000_000
            )?;
            write!(out, "{:>11} {:<3} ", "seconds", "dir")?;
        }
        writeln!(
            out,
            "{:>10} {:>5} {:>4} {:>10} {:>6} {:>8}  meaning",
            "offset", "chunk", "type", "timestamp", "stream", "length"
        )
    }

    fn message(&self, listed: &Listed<'_>, out: &mut dyn Write) -> io::Result<()> {
        if let Some(time_us) = listed.time_us {
            write!(out, "{:>11.6} ", time_us as f64 / 1e6)?;
        }
        if let Some(direction) = listed.direction {
            write!(out, "{:<3} ", direction.name())?;
        }
        let message = &listed.found.message;
        let said = match &listed.found.spoken {
            Spoken::Command(command) => {
                let name = escaped(&command.name);
                let mut said = format!("{name} #{}", command.transaction);
                values(&command.arguments, &mut said);
                said
            }
            Spoken::Control(control) => format!("{control:?}"),
            Spoken::Aggregate(parts) => format!("aggregate of {parts} messages"),
            Spoken::Other => {
                let said = meaning(&Meaning::of(message), message.kind);
                match first_bytes(message, self.bytes) {
                    Some(bytes) => format!("{said}  {bytes}"),
                    None => said,
                }
            }
        };
        writeln!(
            out,
            "{:>10} {:>5} {:>4} {:>10} {:>6} {:>8}  {said}",
            listed.found.offset,
            message.chunk_stream_id,
            message.kind.0,
            message.timestamp,
            message.stream_id,
            message.payload.len(),
        )
    }

    fn note(&self, note: &str, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "-- {note}")
    }

    fn offence(
        &self,
        direction: Option<Direction>,
        offence: &Offence,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        match direction {
            Some(direction) => writeln!(out, "!! {}, {offence}", direction.name()),
            None => writeln!(out, "!! {offence}"),
        }
    }
}

fn meaning(meaning: &Meaning, kind: millstream_rtmp::message::MessageType) -> String {
    let mut said = String::new();
    match meaning {
        Meaning::Audio(header) => {
            let codec = header.codec.codec();
            said.push_str(&format!("audio {codec} {}", audio_packet(header)));
            track(header.multitrack.is_some(), header.track_id, &mut said);
        }
        Meaning::Video(header) => {
            said.push_str(&format!("video {} {}", video_codec(header), video_packet(header)));
            if header.is_coded() && header.composition_time != 0 {
                said.push_str(&format!(" shown {:+} ms", header.composition_time));
            }
            track(header.multitrack.is_some(), header.track_id, &mut said);
        }
        Meaning::Data(found, fault) => {
            said.push_str("data");
            values(found, &mut said);
            if let Some(fault) = fault {
                said.push_str(&format!(" (then: {fault})"));
            }
        }
        Meaning::Unreadable(why) => said = format!("{}, unreadable: {why}", type_name(kind)),
        Meaning::Unknown => type_name(kind).clone_into(&mut said),
    }
    said
}

fn track(numbered: bool, id: u8, said: &mut String) {
    if numbered {
        said.push_str(&format!(" track {id}"));
    }
}

/// The values, as far as they fit a line.
fn values(values: &[Value], said: &mut String) {
    for value in values {
        said.push(' ');
        show(value, said);
        if said.len() > VALUES_MAX {
            return;
        }
    }
}

fn show(value: &Value, said: &mut String) {
    if said.len() > VALUES_MAX {
        if !said.ends_with('…') {
            said.push('…');
        }
        return;
    }
    match value {
        Value::Number(number) => said.push_str(&number.to_string()),
        Value::Boolean(truth) => said.push_str(if *truth { "true" } else { "false" }),
        Value::String(text) | Value::LongString(text) | Value::XmlDocument(text) => {
            said.push('"');
            said.push_str(&escaped(text));
            said.push('"');
        }
        Value::Object(object) => properties("", object, said),
        Value::EcmaArray(object) => properties("array ", object, said),
        Value::TypedObject { class, properties: object } => {
            properties(&format!("{} ", escaped(class)), object, said);
        }
        Value::StrictArray(list) => {
            said.push('[');
            for (index, value) in list.iter().enumerate() {
                if said.len() > VALUES_MAX {
                    break;
                }
                said.push_str(if index > 0 { ", " } else { "" });
                show(value, said);
            }
            said.push(']');
        }
        Value::Null => said.push_str("null"),
        Value::Undefined => said.push_str("undefined"),
        Value::Reference(number) => said.push_str(&format!("reference {number}")),
        Value::Date { ms, zone } => said.push_str(&format!("date {ms} zone {zone}")),
        Value::Unsupported => said.push_str("unsupported"),
        Value::AvmPlus => said.push_str("amf3 ..."),
    }
}

fn properties(class: &str, object: &Object, said: &mut String) {
    said.push_str(class);
    said.push('{');
    for (index, (name, value)) in object.iter().enumerate() {
        if said.len() > VALUES_MAX {
            said.push('…');
            break;
        }
        said.push_str(if index > 0 { ", " } else { "" });
        said.push_str(&escaped(name));
        said.push_str(": ");
        show(value, said);
    }
    said.push('}');
}

/// A text as one line of a terminal, cut where it becomes long.
fn escaped(text: &str) -> String {
    let mut shown = String::new();
    for (index, c) in text.chars().enumerate() {
        if index >= VALUES_MAX / 2 {
            shown.push('…');
            break;
        }
        if c.is_control() || c == '"' || c == '\\' {
            // Writing to a string does not fail.
            let _ = write!(shown, "{}", c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}
