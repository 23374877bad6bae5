//! What the reader remembers of each chunk stream: the header fields that later chunks leave out,
//! and the part of a message that has arrived. Bytes of headers stand in `header`; what chunks do to
//! it, and the limits on all chunk streams together, stand in `opener`.

use super::header::{Announced, Fields};

/// One chunk stream. About 60 bytes; it lives as long as the connection.
#[derive(Debug)]
pub(super) struct ChunkStream {
    pub id: u32,
    /// Absolute time of the last message begun, in milliseconds modulo 2^32.
    pub timestamp: u32,
    /// The last timestamp or delta field: what a type 3 chunk that begins a message adds.
    pub time_field: u32,
    /// Whether that field was extended, so that type 3 chunks may repeat it.
    pub extended: bool,
    pub kind: u8,
    pub stream_id: u32,
    /// Announced length of the last message begun.
    pub length: u32,
    /// Where the first chunk of the last message begun begins, in bytes since the handshake.
    pub offset: u64,
    /// What has arrived of an unfinished message: empty, or shorter than `length`. It grows with
    /// what arrives and is handed out as the message's payload, so between messages it holds
    /// nothing.
    pub partial: Vec<u8>,
}

impl ChunkStream {
    pub fn new(id: u32) -> Self {
        Self {
            id,
            timestamp: 0,
            time_field: 0,
            extended: false,
            kind: 0,
            stream_id: 0,
            length: 0,
            offset: 0,
            partial: Vec::new(),
        }
    }

    /// Whether a message is unfinished. Asked between chunks only, when each chunk of it has
    /// brought at least one byte.
    pub fn in_message(&self) -> bool {
        !self.partial.is_empty()
    }

    /// Takes over a header of type 0, 1 or 2 that begins a message.
    pub fn begin(&mut self, chunk_type: u8, fields: &Fields) {
        self.timestamp = match chunk_type {
            0 => fields.time,
            _ => self.timestamp.wrapping_add(fields.time),
        };
        self.remember_time(fields);
        if let Some(Announced { length, kind, stream_id }) = fields.announced {
            self.length = length;
            self.kind = kind;
            self.stream_id = stream_id.unwrap_or(self.stream_id);
        }
    }

    /// Takes over a type 3 header that begins a message, with the delta it repeats.
    pub fn begin_again(&mut self, delta: u32) {
        self.time_field = delta;
        self.timestamp = self.timestamp.wrapping_add(delta);
    }

    /// Takes over the time of a type 1 or 2 header in mid-message.
    pub fn remember_time(&mut self, fields: &Fields) {
        self.time_field = fields.time;
        self.extended = fields.extended;
    }

    /// Looks for the extended timestamp at the front of what follows a type 3 basic header.
    ///
    /// The texts of 2009 and 2012 differ on whether it is repeated there, and both kinds of sender
    /// exist (FFmpeg repeats it, the librtmp of old releases does not), so the bytes have to say. What is repeated is the field as it was sent, but some senders repeat the message's
    /// absolute time after a delta: either counts. Payload equals one of the two by chance once in
    /// two thousand million chunks.
    ///
    /// Bytes that have not arrived count as equal: a chunk that carries fewer than four bytes is
    /// held back only as long as each of them could still belong to the timestamp.
    pub fn repeated_time(&self, bytes: &[u8], absolute: u32) -> Repeated {
        let bytes = &bytes[..bytes.len().min(4)];
        let mut could_be = false;
        for value in [self.time_field, absolute] {
            could_be |= value.to_be_bytes().starts_with(bytes);
        }
        match (could_be, bytes.len()) {
            (false, _) => Repeated::Absent,
            (true, 4) => Repeated::Present,
            (true, _) => Repeated::Undecided,
        }
    }
}

/// Whether a type 3 chunk repeats the extended timestamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repeated {
    Present,
    Absent,
    /// All bytes that have arrived agree, but there are fewer than four.
    Undecided,
}

/// The chunk streams in use, sorted by id. Empty and without memory until the first chunk.
#[derive(Debug, Default)]
pub(super) struct ChunkStreams(Vec<ChunkStream>);

impl ChunkStreams {
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The slot of a chunk stream; it stays valid until the next insertion.
    pub fn find(&self, id: u32) -> Option<usize> {
        self.0.binary_search_by_key(&id, |stream| stream.id).ok()
    }

    /// Adds a chunk stream that is not there yet.
    pub fn insert(&mut self, id: u32) -> usize {
        let slot = self.0.partition_point(|stream| stream.id < id);
        // A connection has two or three, and keeps them: room for more would stay empty.
        self.0.reserve_exact(1);
        self.0.insert(slot, ChunkStream::new(id));
        slot
    }

    pub fn get(&self, slot: usize) -> &ChunkStream {
        &self.0[slot]
    }

    pub fn get_mut(&mut self, slot: usize) -> &mut ChunkStream {
        &mut self.0[slot]
    }
}
