//! Chunks, as a library reads and writes them: the same bytes to the same messages, the same messages
//! to bytes. What is timed or counted stands in the benches.
//!
//! No library is asked for more than another. What a socket's read does, putting bytes where the
//! library wants them, is one copy for each; where a library copies them once more, that is its own
//! doing. What is written is handed on message by message, as a server hands it to a socket.

use bytes::{Bytes, BytesMut};
use millstream_rtmp::chunk::{ChunkLimits, ChunkReader, ChunkWriter};
use millstream_rtmp::message::{Message, MessageType};

/// What a library handed out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Got<P> {
    /// The message's type id.
    pub kind: u8,
    /// Its time in milliseconds.
    pub timestamp: u32,
    /// Its stream.
    pub stream_id: u32,
    /// Its payload.
    pub payload: P,
}

/// A library that reads and writes chunks.
pub trait Library {
    /// The name of its package.
    const NAME: &'static str;
    /// Whether it reads the times of all messages right.
    const TELLS_TIME: bool = true;
    /// A message as it wants to be given it.
    type Message;

    /// Prepares a message for [`write`](Self::write). Not timed.
    fn message(message: &Message) -> Self::Message;

    /// Reads a connection's bytes, of which every read of the socket returns `read_bytes`.
    fn read(wire: &[u8], read_bytes: usize, chunk_size: u32, each: impl FnMut(Got<&[u8]>));

    /// Writes messages on a new connection, and hands on the bytes of each.
    fn write(messages: &[Self::Message], chunk_size: u32, send: impl FnMut(&[u8]));
}

/// This project's.
pub struct Millstream;

impl Library for Millstream {
    const NAME: &'static str = "millstream-rtmp";
    type Message = Message;

    fn message(message: &Message) -> Message {
        message.clone()
    }

    fn read(wire: &[u8], read_bytes: usize, chunk_size: u32, mut each: impl FnMut(Got<&[u8]>)) {
        let mut reader = ChunkReader::new(ChunkLimits::default());
        reader.set_chunk_size(chunk_size).expect("the benches' sizes are allowed");
        let mut received = Vec::with_capacity(read_bytes.min(wire.len()));
        for piece in wire.chunks(read_bytes) {
            received.clear();
            received.extend_from_slice(piece);
            let mut bytes = &received[..];
            while let Some(message) = reader.read(&mut bytes).expect("the wire is valid") {
                let Message { kind, timestamp, stream_id, payload, .. } = &message;
                let (timestamp, stream_id) = (*timestamp, *stream_id);
                each(Got { kind: kind.0, timestamp, stream_id, payload });
            }
        }
    }

    fn write(messages: &[Message], chunk_size: u32, mut send: impl FnMut(&[u8])) {
        let mut writer = ChunkWriter::new(chunk_size);
        let mut out = BytesMut::new();
        for message in messages {
            out.clear();
            writer.write(message, &mut out);
            send(&out);
        }
    }
}

/// The messages as an encoder's bytes.
pub fn wire(messages: &[Message], chunk_size: u32) -> Bytes {
    let mut wire = BytesMut::new();
    let mut writer = ChunkWriter::new(chunk_size);
    messages.iter().for_each(|message| writer.write(message, &mut wire));
    wire.freeze()
}

/// Sees that a library does the whole work: that it reads the messages that were sent, and that
/// what it writes is read as these messages.
///
/// # Panics
/// If it does not. Its figures would be worth nothing.
pub fn check<L: Library>(sent: &[Message], read_bytes: usize, chunk_size: u32) {
    let expected: Vec<_> = sent.iter().map(got).collect();
    let mut read = Vec::new();
    L::read(&wire(sent, chunk_size), read_bytes, chunk_size, |message| read.push(owned(message)));
    if !L::TELLS_TIME {
        assert!(read.iter().zip(&expected).any(|(read, sent)| read.timestamp != sent.timestamp));
        read.iter_mut().zip(&expected).for_each(|(read, sent)| read.timestamp = sent.timestamp);
    }
    compare(&read, &expected, L::NAME, "read");

    let messages: Vec<_> = sent.iter().map(L::message).collect();
    let (mut written, mut read) = (Vec::new(), Vec::new());
    L::write(&messages, chunk_size, |bytes| written.extend_from_slice(bytes));
    Millstream::read(&written, usize::MAX, chunk_size, |message| read.push(owned(message)));
    compare(&read, &expected, L::NAME, "written");
}

fn got(
    Message { kind: MessageType(kind), timestamp, stream_id, payload, .. }: &Message,
) -> Got<Vec<u8>> {
    Got { kind: *kind, timestamp: *timestamp, stream_id: *stream_id, payload: payload.to_vec() }
}

fn owned(Got { kind, timestamp, stream_id, payload }: Got<&[u8]>) -> Got<Vec<u8>> {
    Got { kind, timestamp, stream_id, payload: payload.to_vec() }
}

fn compare(found: &[Got<Vec<u8>>], expected: &[Got<Vec<u8>>], library: &str, what: &str) {
    assert_eq!(found.len(), expected.len(), "messages {what} by {library}");
    for (at, (found, expected)) in found.iter().zip(expected).enumerate() {
        let head = |got: &Got<Vec<u8>>| (got.kind, got.timestamp, got.stream_id, got.payload.len());
        assert_eq!(head(found), head(expected), "message {at} {what} by {library}");
        assert!(found.payload == expected.payload, "payload {at} {what} by {library}");
    }
}
