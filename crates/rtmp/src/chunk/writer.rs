//! Messages in, bytes out, for one connection: each header as short as the one before allows. For
//! bytes that many connections share, see `standalone`.

use bytes::{BufMut, BytesMut};

use super::header::{EXTENDED, put_basic, put_be24};
use super::standalone::{check, put_payload, standalone_len};
use crate::message::{Message, MessageType};

/// Cuts the messages of one connection into chunks and leaves out what the receiver knows already
/// (RTMP 1.0, section 5.3.1.2).
///
/// Messages are written whole, one after the other. The writer remembers one header for each chunk
/// stream it was used with (24 bytes), and allocates for that alone.
#[derive(Debug)]
pub struct ChunkWriter {
    chunk_size: u32,
    /// In order of first use; a connection has a handful.
    sent: Vec<Sent>,
}

/// The last header on a chunk stream, which later ones may refer to.
#[derive(Debug)]
struct Sent {
    chunk_stream_id: u32,
    timestamp: u32,
    /// The delta that a type 3 header would repeat; `None` where receivers disagree on it.
    delta: Option<u32>,
    length: u32,
    stream_id: u32,
    kind: MessageType,
}

impl ChunkWriter {
    /// A writer for a new connection; [`CHUNK_SIZE_DEFAULT`](super::CHUNK_SIZE_DEFAULT) is what
    /// the peer expects until it is told otherwise.
    ///
    /// # Panics
    ///
    /// If the chunk size is 0 or has bit 31 set.
    pub fn new(chunk_size: u32) -> Self {
        check(2, 0, chunk_size);
        Self { chunk_size, sent: Vec::new() }
    }

    /// Sets the size of the chunks to come: call it right after the Set Chunk Size message that
    /// says so was written.
    ///
    /// # Panics
    ///
    /// If the chunk size is 0 or has bit 31 set.
    pub fn set_chunk_size(&mut self, chunk_size: u32) {
        check(2, 0, chunk_size);
        self.chunk_size = chunk_size;
    }

    /// The size of the chunks to come, in bytes.
    pub fn chunk_size(&self) -> u32 {
        self.chunk_size
    }

    /// Appends one message.
    ///
    /// # Panics
    ///
    /// If its chunk stream id or the length of its payload is not one that the format can say (2
    /// to 65,599; at most [`MESSAGE_BYTES_MAX`](super::MESSAGE_BYTES_MAX)). Messages from a
    /// [`ChunkReader`](super::ChunkReader) always can be written.
    pub fn write(&mut self, message: &Message, out: &mut BytesMut) {
        let Message { chunk_stream_id, timestamp, kind, stream_id, ref payload } = *message;
        check(chunk_stream_id, payload.len(), self.chunk_size);
        // The longest form, so that `out` grows at most once.
        out.reserve(standalone_len(chunk_stream_id, u32::MAX, payload.len(), self.chunk_size));

        let length = payload.len() as u32;
        let found = self.sent.iter().position(|sent| sent.chunk_stream_id == chunk_stream_id);
        let (chunk_type, time) =
            found.map_or((0, timestamp), |slot| header_type(&self.sent[slot], message));
        put_basic(chunk_type, chunk_stream_id, out);
        if chunk_type < 3 {
            put_be24(time.min(EXTENDED), out);
        }
        if chunk_type < 2 {
            put_be24(length, out);
            out.put_u8(kind.0);
        }
        if chunk_type < 1 {
            out.put_u32_le(stream_id);
        }
        // Types 3 that begin a message never stand for an extended delta here.
        let extended = (time >= EXTENDED).then_some(time);
        if let Some(time) = extended {
            out.put_u32(time);
        }
        put_payload(chunk_stream_id, extended, payload, self.chunk_size, out);

        // After type 0, the specification repeats its timestamp as the delta, others repeat zero:
        // both mean the same only if it is zero.
        let delta = if chunk_type == 0 { (time == 0).then_some(0) } else { Some(time) };
        let sent = Sent { chunk_stream_id, timestamp, delta, length, stream_id, kind };
        match found {
            Some(slot) => self.sent[slot] = sent,
            None => {
                // A connection has a handful, and keeps them: room for more would stay empty.
                self.sent.reserve_exact(1);
                self.sent.push(sent);
            }
        }
    }
}

/// The shortest header that says the message after `sent`, and the time it carries.
fn header_type(sent: &Sent, message: &Message) -> (u8, u32) {
    // Time that runs backward, or around 2^32, is said absolutely: a delta that wraps is right for
    // this reader, but others are known to add in 64 bits.
    if sent.stream_id != message.stream_id || message.timestamp < sent.timestamp {
        return (0, message.timestamp);
    }
    let delta = message.timestamp - sent.timestamp;
    if (sent.length, sent.kind) != (message.payload.len() as u32, message.kind) {
        (1, delta)
    } else if sent.delta != Some(delta) || delta >= EXTENDED {
        (2, delta)
    } else {
        (3, delta)
    }
}
