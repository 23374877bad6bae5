//! Bytes in, messages out: the order in which headers and payload are taken, whatever the cuts, and
//! the memory of unfinished messages. What a header means stands in `opener`.

use bytes::Bytes;

use super::error::{ChunkError, ChunkErrorKind};
use super::header::{Basic, HEADER_BYTES_MAX};
use super::limits::ChunkLimits;
use super::opener::{NotOpened, Opened, Opener};
use super::{CHUNK_SIZE_MAX, MESSAGE_BYTES_MAX};
use crate::message::{Message, MessageType};

/// Puts messages together from the bytes that follow the handshake (RTMP 1.0, section 5.3).
///
/// It starts at a chunk size of 128 and does not act on control messages itself: they are handed
/// out like any other, and the caller calls [`set_chunk_size`](Self::set_chunk_size) or
/// [`abort`](Self::abort) before it reads on.
///
/// Between messages a reader holds the last header of each chunk stream and nothing else.
#[derive(Debug)]
pub struct ChunkReader {
    opener: Opener,
    /// Capacity of all partial messages together, at most `reassembly_bytes_max` of the limits.
    reassembly_bytes: usize,
    /// Bytes taken from the caller; the last `stash.len` of them are still to be interpreted.
    bytes_read: u64,
    /// The chunk whose payload is being read; `None` when a header comes next.
    chunk: Option<Chunk>,
    stash: Stash,
    /// Offset of the first chunk of the message handed out last.
    message_offset: u64,
    /// The error the reader stopped at.
    failed: Option<Box<ChunkError>>,
}

/// What the next byte of the input is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Part of a chunk's header.
    Header,
    /// Payload of a chunk, as are those behind it.
    Payload {
        /// The chunk stream.
        chunk_stream_id: u32,
        /// What the message is.
        kind: MessageType,
        /// How many bytes, at least one, the chunk still has.
        left: u32,
    },
    /// Nothing: reading has ended with an error.
    Nothing,
}

/// Payload that is still to come of the current chunk: at least one byte.
#[derive(Clone, Copy, Debug)]
struct Chunk {
    /// Slot of its chunk stream; `None` when the message was aborted and the rest is skipped.
    slot: Option<usize>,
    left: u32,
    /// Offset of its header, for errors.
    offset: u64,
}

/// Bytes of an unfinished header, taken from the caller so that nothing has to be fed twice.
///
/// Up to three bytes at its end may turn out to be payload, when they looked like the beginning of
/// a repeated extended timestamp; so both header and payload are taken from here first.
#[derive(Debug, Default)]
struct Stash {
    bytes: [u8; HEADER_BYTES_MAX],
    len: u8,
}

impl Stash {
    fn drop_front(&mut self, count: usize) {
        self.bytes.copy_within(count..usize::from(self.len), 0);
        self.len -= count as u8;
    }
}

impl ChunkReader {
    /// A reader at the beginning of a connection, right after the handshake. Allocates nothing.
    pub fn new(limits: ChunkLimits) -> Self {
        Self {
            opener: Opener::new(limits),
            reassembly_bytes: 0,
            bytes_read: 0,
            chunk: None,
            stash: Stash::default(),
            message_offset: 0,
            failed: None,
        }
    }

    /// Takes bytes from the front of `input` until a message is whole.
    ///
    /// Returns `None` when `input` is used up; call it until it does, because a few bytes held
    /// back earlier may hold a message of their own. A message that lies in `input` within one
    /// chunk is copied once; others are copied once into a buffer that grows with them.
    ///
    /// # Errors
    ///
    /// Every error is final: the reader takes nothing more and returns the same error again.
    pub fn read(&mut self, input: &mut &[u8]) -> Result<Option<Message>, ChunkError> {
        if let Some(error) = &self.failed {
            return Err(**error);
        }
        loop {
            let message = match self.chunk {
                Some(chunk) => self.take_payload(chunk, input)?,
                None => match self.take_header(input)? {
                    true => self.take_empty_message(),
                    false => return Ok(None),
                },
            };
            if message.is_some() {
                return Ok(message);
            }
            // Payload is still missing and nothing is left to take it from. (At a header the next
            // round says so, after it has looked at the stash.)
            if self.chunk.is_some() && input.is_empty() && self.stash.len == 0 {
                return Ok(None);
            }
        }
    }

    /// Sets the size of the chunks to come, as the peer's Set Chunk Size announced it (5.4.1). A
    /// chunk that is half read keeps its size.
    ///
    /// # Errors
    ///
    /// 0 and sizes with bit 31 set are refused, and nothing can be read after that. Sizes beyond
    /// the longest message mean no cutting.
    pub fn set_chunk_size(&mut self, size: u32) -> Result<(), ChunkError> {
        if size == 0 || size > CHUNK_SIZE_MAX {
            let kind = ChunkErrorKind::InvalidChunkSize { size };
            return Err(self.fail(kind, self.header_offset(), 2, &[]));
        }
        self.opener.chunk_size = size.min(MESSAGE_BYTES_MAX);
        Ok(())
    }

    /// Drops the unfinished message of a chunk stream, as the peer's Abort Message asks (5.4.2).
    /// Without one, or on a chunk stream never used, nothing happens.
    pub fn abort(&mut self, chunk_stream_id: u32) {
        let Some(slot) = self.opener.streams.find(chunk_stream_id) else { return };
        let partial = core::mem::take(&mut self.opener.streams.get_mut(slot).partial);
        self.reassembly_bytes -= partial.capacity();
        if let Some(chunk) = &mut self.chunk
            && chunk.slot == Some(slot)
        {
            chunk.slot = None;
        }
    }

    /// Bytes taken so far, which is what an Acknowledgement counts (5.4.3) after the handshake.
    pub fn bytes_read(&self) -> u64 {
        self.bytes_read
    }

    /// What the next byte will be taken for, after [`read`](Self::read) has returned `None`. With it
    /// a program that shows or alters bytes on their way knows which of them are payload.
    pub fn expected(&self) -> Expected {
        match self.chunk {
            _ if self.failed.is_some() => Expected::Nothing,
            Some(Chunk { slot: Some(slot), left, .. }) => {
                let stream = self.opener.streams.get(slot);
                let kind = MessageType(stream.kind);
                Expected::Payload { chunk_stream_id: stream.id, kind, left }
            }
            // What is left of an aborted message belongs to none.
            Some(_) | None => Expected::Header,
        }
    }

    /// Offset of the first byte of the first chunk of the message that was returned last, counted
    /// as [`ChunkError::offset`] is.
    pub fn message_offset(&self) -> u64 {
        self.message_offset
    }

    /// Whether every message that was begun has been handed out or aborted, and nothing of another
    /// one has come: whether the bytes may end here.
    pub fn is_between_messages(&self) -> bool {
        self.chunk.is_none() && self.stash.len == 0 && self.reassembly_bytes == 0
    }

    /// Memory held for unfinished messages, in bytes of capacity. Never more than
    /// [`ChunkLimits::reassembly_bytes_max`].
    pub fn reassembly_bytes(&self) -> usize {
        self.reassembly_bytes
    }

    /// The size of the chunks to come, in bytes; at most [`MESSAGE_BYTES_MAX`].
    pub fn chunk_size(&self) -> u32 {
        self.opener.chunk_size
    }

    /// Takes one chunk header; false when it is not there whole and `input` is used up.
    fn take_header(&mut self, input: &mut &[u8]) -> Result<bool, ChunkError> {
        let stashed = usize::from(self.stash.len);
        let opened = if stashed == 0 {
            self.opener.open(input)
        } else {
            // What was held back and what follows it, side by side: one header at most.
            let mut window = self.stash.bytes;
            let fresh = input.len().min(window.len() - stashed);
            window[stashed..stashed + fresh].copy_from_slice(&input[..fresh]);
            self.opener.open(&window[..stashed + fresh])
        };
        match opened {
            Ok(Opened { header_len, slot, payload }) => {
                let offset = self.header_offset();
                self.chunk = Some(Chunk { slot: Some(slot), left: payload, offset });
                let stream = self.opener.streams.get_mut(slot);
                if !stream.in_message() {
                    stream.offset = offset;
                }
                if header_len < stashed {
                    self.stash.drop_front(header_len);
                } else {
                    self.stash.len = 0;
                    self.advance(input, header_len - stashed);
                }
                Ok(true)
            }
            Err(NotOpened::NeedMore) => {
                // Fewer bytes than the longest header, or it would have been whole.
                self.stash.bytes[stashed..stashed + input.len()].copy_from_slice(input);
                self.stash.len += input.len() as u8;
                self.advance(input, input.len());
                Ok(false)
            }
            Err(NotOpened::Refused(kind)) => {
                let mut at = self.stash.bytes;
                let fresh = input.len().min(at.len() - stashed);
                at[stashed..stashed + fresh].copy_from_slice(&input[..fresh]);
                let id = Basic::parse(&at).map_or(0, |basic| basic.chunk_stream_id);
                Err(self.fail(kind, self.header_offset(), id, &at[..stashed + fresh]))
            }
        }
    }

    /// A message of length 0 is whole with its header.
    fn take_empty_message(&mut self) -> Option<Message> {
        let Some(Chunk { slot: Some(slot), left: 0, .. }) = self.chunk else { return None };
        self.chunk = None;
        Some(self.message(slot, Bytes::new()))
    }

    /// Takes payload of the current chunk from the stash or, when that is empty, from `input`.
    fn take_payload(
        &mut self,
        chunk: Chunk,
        input: &mut &[u8],
    ) -> Result<Option<Message>, ChunkError> {
        let stash = self.stash.bytes;
        let stashed = usize::from(self.stash.len);
        let source = if stashed > 0 { &stash[..stashed] } else { *input };
        let count = source.len().min(chunk.left as usize);
        let payload = &source[..count];

        let left = chunk.left - count as u32;
        let whole = match chunk.slot {
            Some(slot) => self.collect(slot, payload, chunk.offset)?,
            None => None,
        };
        self.chunk = (left > 0).then_some(Chunk { left, ..chunk });
        if stashed > 0 {
            self.stash.drop_front(count);
        } else {
            self.advance(input, count);
        }
        Ok(whole)
    }

    /// Adds payload to the message of a chunk stream; the message when it is whole.
    fn collect(
        &mut self,
        slot: usize,
        payload: &[u8],
        offset: u64,
    ) -> Result<Option<Message>, ChunkError> {
        let stream = self.opener.streams.get_mut(slot);
        let length = stream.length as usize;
        if payload.len() == length {
            return Ok(Some(self.message(slot, Bytes::copy_from_slice(payload))));
        }
        let partial = &mut stream.partial;
        let needed = partial.len() + payload.len();
        if needed > partial.capacity() {
            // Grows twofold, so that copying stays linear, but never past the message nor, while
            // that is enough, past the budget.
            let before = partial.capacity();
            let max = self.opener.limits.reassembly_bytes_max;
            let room = before + max.saturating_sub(self.reassembly_bytes);
            if needed > room {
                let (kind, id) = (ChunkErrorKind::ReassemblyFull { max }, stream.id);
                return Err(self.fail(kind, offset, id, &[]));
            }
            let capacity = (2 * before).min(length).min(room).max(needed);
            partial.reserve_exact(capacity - partial.len());
            self.reassembly_bytes = self.reassembly_bytes - before + partial.capacity();
        }
        partial.extend_from_slice(payload);
        if partial.len() < length {
            return Ok(None);
        }
        let whole = core::mem::take(partial);
        self.reassembly_bytes -= whole.capacity();
        Ok(Some(self.message(slot, Bytes::from(whole))))
    }

    fn message(&mut self, slot: usize, payload: Bytes) -> Message {
        let stream = self.opener.streams.get(slot);
        self.message_offset = stream.offset;
        Message {
            chunk_stream_id: stream.id,
            timestamp: stream.timestamp,
            kind: MessageType(stream.kind),
            stream_id: stream.stream_id,
            payload,
        }
    }

    fn advance(&mut self, input: &mut &[u8], count: usize) {
        *input = &input[count..];
        self.bytes_read += count as u64;
    }

    /// Where the bytes that come next began: those in the stash were taken already.
    fn header_offset(&self) -> u64 {
        self.bytes_read - u64::from(self.stash.len)
    }

    fn fail(&mut self, kind: ChunkErrorKind, offset: u64, id: u32, at: &[u8]) -> ChunkError {
        let error = ChunkError::new(kind, offset, id, at);
        self.failed = Some(Box::new(error));
        error
    }
}
