//! One direction of a connection: bytes in, messages with their offsets out, until the first
//! offence.

use bytes::BytesMut;
use millstream_rtmp::aggregate::split_aggregate;
use millstream_rtmp::chunk::{ChunkLimits, ChunkReader};
use millstream_rtmp::command::Command;
use millstream_rtmp::connection::{ConnectionError, ConnectionErrorKind};
use millstream_rtmp::control::Control;
use millstream_rtmp::handshake::{HANDSHAKE_BYTES, Progress, ServerHandshake};
use millstream_rtmp::limits::DATA_BYTES_MAX;
use millstream_rtmp::message::{Message, MessageType};
use millstream_rtmp::session::SessionError;
use std::fmt;

pub(super) struct Side {
    /// Until the handshake is over.
    handshake: Option<Box<ServerHandshake>>,
    /// Bytes of the handshake that have passed.
    begun: u64,
    reader: ChunkReader,
    /// Nothing more is read: after an offence, or after a gap.
    stopped: bool,
}

/// A message.
pub(super) struct Found {
    /// Where its first chunk begins, in bytes of this direction, handshake included if there is one.
    pub(super) offset: u64,
    pub(super) message: Message,
    /// What it says, for commands and control messages, which have to be readable.
    pub(super) spoken: Spoken,
}

pub(super) enum Spoken {
    Command(Command),
    Control(Control),
    /// So many messages in one.
    Aggregate(usize),
    /// Media, data, and what has no meaning here.
    Other,
}

/// What a server ends a connection for.
#[derive(Debug)]
pub(super) struct Offence {
    /// The name, as in the server's log.
    pub(super) name: &'static str,
    /// Where, in bytes of this direction, handshake included if there is one.
    pub(super) offset: u64,
    pub(super) text: String,
}

impl fmt::Display for Offence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "offence at byte {}: {}: {}", self.offset, self.name, self.text)
    }
}

impl Side {
    pub(super) fn new(handshake: bool) -> Self {
        Self {
            // Both sides send the same lengths, so the server's machine takes either.
            handshake: handshake.then(|| Box::new(ServerHandshake::new([0; 32]))),
            begun: 0,
            reader: ChunkReader::new(ChunkLimits::default()),
            stopped: false,
        }
    }

    /// Reads nothing more.
    pub(super) fn stop(&mut self) {
        self.stopped = true;
    }

    /// The next message in `input`; nothing when that is used up.
    pub(super) fn read(&mut self, input: &mut &[u8]) -> Result<Option<Found>, Offence> {
        if self.stopped {
            return Ok(None);
        }
        let found = self.advance(input);
        self.stopped |= found.is_err();
        found
    }

    /// What is missing where the bytes end.
    pub(super) fn unfinished(&self) -> Option<Offence> {
        if self.stopped {
            return None;
        }
        let offset = self.begun + self.reader.bytes_read();
        let text = if self.handshake.is_some() {
            if self.begun == 0 {
                return None;
            }
            format!("the handshake has {HANDSHAKE_BYTES} bytes")
        } else if self.reader.is_between_messages() {
            return None;
        } else {
            "the last message is not whole".to_owned()
        };
        Some(Offence { name: "truncated", offset, text })
    }

    fn advance(&mut self, input: &mut &[u8]) -> Result<Option<Found>, Offence> {
        if let Some(handshake) = &mut self.handshake {
            let before = input.len();
            // What a server would answer goes nowhere.
            let progress = handshake.receive(input, &mut BytesMut::new());
            self.begun += (before - input.len()) as u64;
            match progress {
                Ok(Progress::Done) => self.handshake = None,
                Ok(Progress::NeedMore) => return Ok(None),
                Err(error) => {
                    return Err(offence(ConnectionErrorKind::Handshake(error), self.begun));
                }
            }
        }
        let message = self.reader.read(input).map_err(|error| {
            let offset = self.begun + error.offset;
            offence(ConnectionErrorKind::Chunk(error), offset)
        })?;
        let Some(message) = message else { return Ok(None) };
        let offset = self.begun + self.reader.message_offset();
        let refused = |error| offence(ConnectionErrorKind::Session(error), offset);
        let spoken = match message.kind {
            MessageType::COMMAND_AMF0 | MessageType::COMMAND_AMF3 => {
                let command = Command::decode(&message);
                Spoken::Command(command.map_err(|e| refused(SessionError::Command(e)))?)
            }
            MessageType::DATA_AMF0 | MessageType::DATA_AMF3
                if message.payload.len() > DATA_BYTES_MAX =>
            {
                return Err(refused(SessionError::DataTooLong { bytes: message.payload.len() }));
            }
            MessageType::AGGREGATE => {
                let parts = split_aggregate(&message)
                    .and_then(|mut parts| parts.try_fold(0, |count, part| part.map(|_| count + 1)));
                Spoken::Aggregate(parts.map_err(|e| refused(SessionError::Aggregate(e)))?)
            }
            _ => match Control::decode(&message).map_err(|e| refused(SessionError::Control(e)))? {
                Some(control) => Spoken::Control(control),
                None => Spoken::Other,
            },
        };
        match &spoken {
            Spoken::Control(Control::SetChunkSize(size)) => {
                let set = self.reader.set_chunk_size(*size);
                set.map_err(|error| offence(ConnectionErrorKind::Chunk(error), offset))?;
            }
            Spoken::Control(Control::Abort { chunk_stream_id }) => {
                self.reader.abort(*chunk_stream_id);
            }
            _ => {}
        }
        Ok(Some(Found { offset, message, spoken }))
    }
}

fn offence(kind: ConnectionErrorKind, offset: u64) -> Offence {
    let error = ConnectionError { at: offset, kind };
    let text = match &error.kind {
        // Its own words count from the end of the handshake.
        ConnectionErrorKind::Chunk(chunk) => {
            let bytes: Vec<_> = chunk.bytes().iter().map(|byte| format!("{byte:02x}")).collect();
            let mut text = format!("{} (chunk stream {}", chunk.kind, chunk.chunk_stream_id);
            if !bytes.is_empty() {
                text.push_str(&format!(": {}", bytes.join(" ")));
            }
            text.push(')');
            text
        }
        ConnectionErrorKind::Handshake(error) => error.to_string(),
        ConnectionErrorKind::Session(error) => error.to_string(),
        _ => error.to_string(),
    };
    Offence { name: error.name(), offset, text }
}
