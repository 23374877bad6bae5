//! What the tests of the wire layer share: ways to feed a reader, a sender that can speak every
//! dialect, and generators.

use bytes::Bytes;
use millstream_rtmp::chunk::{ChunkError, ChunkLimits, ChunkReader};
use millstream_rtmp::control::Control;
use millstream_rtmp::message::{Message, MessageType};
use proptest::collection::vec;
use proptest::prelude::*;

/// A message with a payload whose bytes tell their place.
pub fn message(csid: u32, timestamp: u32, kind: u8, stream_id: u32, len: usize) -> Message {
    Message {
        chunk_stream_id: csid,
        timestamp,
        kind: MessageType(kind),
        stream_id,
        payload: (0..len).map(|at| (at ^ (at >> 8)) as u8).collect::<Vec<_>>().into(),
    }
}

/// What a reader made of some bytes: its messages, and the error it stopped at.
#[derive(Debug, PartialEq)]
pub struct Outcome {
    pub messages: Vec<Message>,
    pub error: Option<ChunkError>,
}

impl Outcome {
    pub fn whole(self) -> Vec<Message> {
        assert_eq!(self.error, None);
        self.messages
    }
}

/// Feeds `pieces` one after the other, acts on chunk sizes and aborts as a connection does, and
/// checks after each step what must always hold.
pub fn feed<'a>(limits: ChunkLimits, pieces: impl IntoIterator<Item = &'a [u8]>) -> Outcome {
    let mut reader = ChunkReader::new(limits);
    let mut messages = Vec::new();
    let mut fed = 0;
    for mut piece in pieces {
        fed += piece.len() as u64;
        loop {
            let step = reader.read(&mut piece).and_then(|message| {
                let Some(message) = message else { return Ok(false) };
                match Control::decode(&message) {
                    Ok(Some(Control::SetChunkSize(size))) => reader.set_chunk_size(size)?,
                    Ok(Some(Control::Abort { chunk_stream_id })) => reader.abort(chunk_stream_id),
                    _ => {}
                }
                messages.push(message);
                Ok(true)
            });
            assert!(reader.reassembly_bytes() <= limits.reassembly_bytes_max);
            assert_eq!(reader.bytes_read(), fed - piece.len() as u64);
            match step {
                Ok(true) => {}
                Ok(false) => break assert!(piece.is_empty(), "None leaves no input"),
                Err(error) => {
                    assert_eq!(reader.read(&mut piece), Err(error), "errors are final");
                    return Outcome { messages, error: Some(error) };
                }
            }
        }
    }
    Outcome { messages, error: None }
}

/// Cuts `bytes` at each of the given places, taken modulo the length.
pub fn cut<'a>(bytes: &'a [u8], places: &[usize]) -> Vec<&'a [u8]> {
    let mut places: Vec<_> = places.iter().map(|place| place % (bytes.len() + 1)).collect();
    places.extend([0, bytes.len()]);
    places.sort_unstable();
    places.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect()
}

/// Feeds whole, byte by byte, and in a few uneven pieces; all must agree. In errors, the bytes
/// shown depend on what had arrived: they are compared as far as both go.
pub fn feed_all_ways(limits: ChunkLimits, bytes: &[u8]) -> Outcome {
    let whole = feed(limits, [bytes]);
    let places: Vec<_> = (1..24).map(|n: usize| n.wrapping_mul(2_654_435_761)).collect();
    for other in [feed(limits, bytes.chunks(1)), feed(limits, cut(bytes, &places))] {
        assert_same(&whole, &other);
    }
    whole
}

pub fn assert_same(a: &Outcome, b: &Outcome) {
    assert_eq!(a.messages, b.messages);
    let place = |error: &ChunkError| (error.kind, error.offset, error.chunk_stream_id);
    assert_eq!(a.error.as_ref().map(place), b.error.as_ref().map(place));
    if let (Some(a), Some(b)) = (&a.error, &b.error) {
        let shared = a.bytes().len().min(b.bytes().len());
        assert_eq!(a.bytes()[..shared], b.bytes()[..shared]);
    }
}

/// How a sender writes what the specification leaves open.
#[derive(Clone, Copy, Debug)]
pub struct Dialect {
    /// The extended timestamp is repeated on type 3.
    pub repeats_time: bool,
    /// Chunk stream ids from 64 on take three bytes.
    pub long_ids: bool,
}

/// The chunks of a message, each apart, the first with a full header.
pub fn chunks_of(message: &Message, chunk_size: usize, dialect: Dialect) -> Vec<Vec<u8>> {
    let id = message.chunk_stream_id;
    let basic = |fmt: u8| match id {
        ..64 => vec![fmt << 6 | id as u8],
        64..320 if !dialect.long_ids => vec![fmt << 6, (id - 64) as u8],
        _ => vec![fmt << 6 | 1, ((id - 64) % 256) as u8, ((id - 64) / 256) as u8],
    };
    let extended = if message.timestamp >= 0xff_ffff {
        message.timestamp.to_be_bytes().to_vec()
    } else {
        Vec::new()
    };
    let mut header = basic(0);
    header.extend(&message.timestamp.min(0xff_ffff).to_be_bytes()[1..]);
    header.extend(&(message.payload.len() as u32).to_be_bytes()[1..]);
    header.push(message.kind.0);
    header.extend(message.stream_id.to_le_bytes());
    header.extend(&extended);
    let mut again = basic(3);
    if dialect.repeats_time {
        again.extend(&extended);
    }
    let mut parts = message.payload.chunks(chunk_size);
    let mut chunks = vec![[&header[..], parts.next().unwrap_or_default()].concat()];
    chunks.extend(parts.map(|part| [&again[..], part].concat()));
    chunks
}

pub fn any_chunk_stream_id() -> impl Strategy<Value = u32> {
    prop_oneof![
        4 => 3u32..9,
        1 => prop::sample::select(vec![63u32, 64, 65, 319, 320, 65_599]),
        1 => 3u32..=65_599,
    ]
}

pub fn any_timestamp() -> impl Strategy<Value = u32> {
    prop_oneof![
        2 => 0u32..200,
        1 => 0xff_fff0u32..0x100_0010,
        1 => prop::sample::select(vec![0xff_fffe, 0xff_ffff, 0x100_0000, 0x8000_0000, u32::MAX]),
        1 => any::<u32>(),
    ]
}

/// Any message but those that a connection acts on (types 1 and 2).
pub fn any_message(len_max: usize) -> impl Strategy<Value = Message> {
    let len = prop_oneof![3 => 0..len_max / 20 + 1, 1 => 0..len_max + 1];
    let payload = len.prop_flat_map(|len| vec(any::<u8>(), len));
    let kind = prop::sample::select(vec![8u8, 9, 18, 20, 22, 0, 255]);
    (any_chunk_stream_id(), any_timestamp(), kind, 0u32..3, payload).prop_map(
        |(chunk_stream_id, timestamp, kind, stream_id, payload)| Message {
            chunk_stream_id,
            timestamp,
            kind: MessageType(kind),
            stream_id,
            payload: Bytes::from(payload),
        },
    )
}
