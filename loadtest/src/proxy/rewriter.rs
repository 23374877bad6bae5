//! The bytes of a server on their way to one client: read into messages, damaged where a fault
//! says so, and written again. No sockets, no clock: what is a matter of time is returned.
//!
//! The handshake passes as it is (RTMP 1.0, section 5.2). Behind it every message is taken out of
//! its chunks and put into new ones (section 5.3), Set Chunk Size in its place among them, so the
//! client reads the same messages in the same order, in fewer bytes of headers.

use super::counters::{Counters, Newest, track_place};
use super::damage;
use super::fault::{Fault, FaultKind};
use crate::media::Track;
use bytes::{Bytes, BytesMut};
use millstream_flv::{AudioHeader, VideoHeader};
use millstream_rtmp::chunk::{
    CHUNK_SIZE_DEFAULT, ChunkError, ChunkLimits, ChunkReader, ChunkWriter, MESSAGE_BYTES_MAX,
};
use millstream_rtmp::control::Control;
use millstream_rtmp::handshake::HANDSHAKE_BYTES;
use millstream_rtmp::message::{Message, MessageType};
use std::sync::Arc;
use std::time::Duration;

/// What `garbage` inserts: chunk headers of type 3 on a chunk stream (63) that no program uses, so
/// that every reader must stumble at the first of them.
const GARBAGE: [u8; 64] = [0xff; 64];

/// What connections have in common.
#[derive(Debug, Default)]
pub(super) struct Common {
    /// What was applied.
    pub counters: Counters,
    /// What `cross` draws from.
    pub newest: Newest,
}

/// What is to be done once the output is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// Read on: the input is used up.
    More,
    /// Call again after this time.
    Wait(Duration),
    /// Close the connection.
    Close,
    /// Send nothing more.
    Stall,
}

/// The way from a server to one client.
#[derive(Debug)]
pub(super) struct Rewriter {
    /// Bytes of the handshake that are still to come.
    handshake: usize,
    reader: ChunkReader,
    writer: ChunkWriter,
    faults: Vec<Counted>,
    /// Whether frames are kept for `cross`.
    crosses: bool,
    /// Frames that `swap` holds until the next of their track.
    held: [Option<Message>; 2],
    /// The frame that `delay` holds.
    delayed: Option<Message>,
    common: Arc<Common>,
}

/// A fault, and the frames it has seen on this connection.
#[derive(Debug)]
struct Counted {
    fault: Fault,
    seen: u64,
}

impl Rewriter {
    /// At the beginning of a connection.
    pub fn new(faults: &[Fault], common: Arc<Common>) -> Self {
        // As lenient as the format: what is too much is for the client to say.
        let limits = ChunkLimits {
            message_bytes_max: MESSAGE_BYTES_MAX,
            reassembly_bytes_max: 4 * MESSAGE_BYTES_MAX as usize,
            tiny_chunk_debt_max: u32::MAX,
            ..ChunkLimits::default()
        };
        Self {
            handshake: HANDSHAKE_BYTES as usize,
            reader: ChunkReader::new(limits),
            writer: ChunkWriter::new(CHUNK_SIZE_DEFAULT),
            faults: faults.iter().map(|&fault| Counted { fault, seen: 0 }).collect(),
            crosses: faults.iter().any(|fault| fault.kind == FaultKind::Cross),
            held: [None, None],
            delayed: None,
            common,
        }
    }

    /// Takes bytes from the front of `input` and appends what the client is to get, until there is
    /// something else to do. After [`Then::Wait`], call again with what is left, even if nothing is.
    ///
    /// # Errors
    /// If the server's bytes are no chunks. What came before stands in `out`.
    pub fn receive(&mut self, input: &mut &[u8], out: &mut BytesMut) -> Result<Then, ChunkError> {
        if let Some(message) = self.delayed.take() {
            self.writer.write(&message, out);
        }
        let raw = input.len().min(self.handshake);
        out.extend_from_slice(&input[..raw]);
        *input = &input[raw..];
        self.handshake -= raw;
        if self.handshake > 0 {
            return Ok(Then::More);
        }
        while let Some(message) = self.reader.read(input)? {
            let then = match message.kind {
                MessageType::VIDEO | MessageType::AUDIO => self.media(message, out),
                _ => self.control(message, out).map(|()| Then::More)?,
            };
            if then != Then::More {
                return Ok(then);
            }
        }
        Ok(Then::More)
    }

    /// The server sends no more: what was held comes after all.
    pub fn end(&mut self, out: &mut BytesMut) {
        for message in self.held.iter_mut().filter_map(Option::take) {
            self.writer.write(&message, out);
        }
    }

    fn control(&mut self, message: Message, out: &mut BytesMut) -> Result<(), ChunkError> {
        // One that cannot be decoded means nothing here, but may to the client.
        match Control::decode(&message) {
            Ok(Some(Control::SetChunkSize(size))) => {
                self.writer.write(&message, out);
                self.reader.set_chunk_size(size)?;
                self.writer.set_chunk_size(size);
            }
            // The client has seen nothing of a message that was not whole.
            Ok(Some(Control::Abort { chunk_stream_id })) => self.reader.abort(chunk_stream_id),
            _ => self.writer.write(&message, out),
        }
        Ok(())
    }

    fn media(&mut self, message: Message, out: &mut BytesMut) -> Then {
        let Some(track) = track_of_frame(&message) else {
            self.writer.write(&message, out);
            return Then::More;
        };
        if self.crosses
            && let Some(stream) = damage::stream(&message.payload)
        {
            self.common.newest.enter(track, stream, &message.payload);
        }
        let due = self.due(track);
        if let Some(held) = self.held[track_place(track)].take() {
            self.writer.write(&message, out);
            self.writer.write(&held, out);
            self.common.counters.count(FaultKind::Swap);
            return Then::More;
        }
        match due {
            Some(kind) => self.apply(kind, track, message, out),
            None => {
                self.writer.write(&message, out);
                Then::More
            }
        }
    }

    /// The fault that hits the next frame of a track, the first one if several do.
    fn due(&mut self, track: Track) -> Option<FaultKind> {
        let mut due = None;
        for Counted { fault, seen } in &mut self.faults {
            if fault.track.is_none_or(|only| only == track) {
                *seen += 1;
                due = due.or_else(|| fault.hits(*seen).then_some(fault.kind));
            }
        }
        due
    }

    fn apply(
        &mut self,
        kind: FaultKind,
        track: Track,
        message: Message,
        out: &mut BytesMut,
    ) -> Then {
        let mut then = Then::More;
        let applied = match kind {
            FaultKind::Drop => true,
            FaultKind::Swap => {
                self.held[track_place(track)] = Some(message);
                // It counts when the next frame has come.
                false
            }
            FaultKind::Duplicate => {
                self.writer.write(&message, out);
                self.writer.write(&message, out);
                true
            }
            FaultKind::Corrupt => self.change(damage::corrupt, message, out),
            FaultKind::Truncate => self.change(damage::truncate, message, out),
            FaultKind::Extend => self.change(|payload| Some(damage::extend(payload)), message, out),
            FaultKind::Strip => self.change(damage::strip, message, out),
            FaultKind::Cross => self.cross(track, message, out),
            FaultKind::Delay(time) => {
                self.delayed = Some(message);
                then = Then::Wait(time);
                true
            }
            FaultKind::Garbage => {
                out.extend_from_slice(&GARBAGE);
                self.writer.write(&message, out);
                true
            }
            FaultKind::Close => {
                let before = out.len();
                self.writer.write(&message, out);
                out.truncate(before + (out.len() - before) / 2);
                then = Then::Close;
                true
            }
            FaultKind::Stall => {
                then = Then::Stall;
                true
            }
        };
        if applied {
            self.common.counters.count(kind);
        }
        then
    }

    /// Writes a frame with another payload. One that offers nothing to be damaged passes unchanged,
    /// and the answer is false.
    fn change(
        &mut self,
        damage: impl FnOnce(&Bytes) -> Option<Bytes>,
        message: Message,
        out: &mut BytesMut,
    ) -> bool {
        let damaged = damage(&message.payload);
        let applied = damaged.is_some();
        let payload = damaged.unwrap_or(message.payload);
        self.writer.write(&Message { payload, ..message }, out);
        applied
    }

    /// Writes a frame behind one of another stream, if there is one so far.
    fn cross(&mut self, track: Track, message: Message, out: &mut BytesMut) -> bool {
        let own = damage::stream(&message.payload);
        let other = own.and_then(|own| self.common.newest.other(track, own));
        let applied = other.is_some();
        if let Some(payload) = other {
            self.writer.write(&Message { payload, ..message.clone() }, out);
        }
        self.writer.write(&message, out);
        applied
    }
}

/// The track of a message that holds a frame: neither a configuration nor the end of a sequence, as
/// far as its header can be read.
fn track_of_frame(message: &Message) -> Option<Track> {
    match message.kind {
        MessageType::VIDEO => {
            let header = VideoHeader::parse(&message.payload).ok()?;
            header.is_coded().then_some(Track::Video)
        }
        MessageType::AUDIO => {
            let header = AudioHeader::parse(&message.payload).ok()?;
            header.is_coded().then_some(Track::Audio)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
