//! Bytes in, messages out: the order in which headers and payload are taken, and the limits on
//! all chunk streams together. Bytes of headers stand in `header`, the memory of one chunk stream
//! in `streams`.

use bytes::Bytes;

use super::error::{ChunkError, ChunkErrorKind};
use super::header::{Announced, Basic, Fields, HEADER_BYTES_MAX};
use super::limits::{CONTINUATION_COST, ChunkLimits};
use super::streams::{ChunkStreams, Repeated};
use super::{CHUNK_SIZE_DEFAULT, CHUNK_SIZE_MAX, MESSAGE_BYTES_MAX};
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
    limits: ChunkLimits,
    chunk_size: u32,
    /// Account of tiny chunks; see [`ChunkLimits::tiny_chunk_debt_max`].
    debt: u32,
    /// Capacity of all partial messages together, at most `limits.reassembly_bytes_max`.
    reassembly_bytes: usize,
    /// Bytes taken from the caller; the last `stash.len` of them are still to be interpreted.
    bytes_read: u64,
    /// The chunk whose payload is being read; `None` when a header comes next.
    chunk: Option<Chunk>,
    stash: Stash,
    /// Whether the last type 3 chunk that could tell did repeat its extended timestamp.
    repeats_time: bool,
    streams: ChunkStreams,
    /// The error the reader stopped at.
    failed: Option<Box<ChunkError>>,
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

/// A header that has been read: its bytes, and the chunk it opens.
struct Opened {
    header_len: usize,
    slot: usize,
    payload: u32,
}

/// Why no chunk could be opened: not all of the header is there, or it is refused.
enum NotOpened {
    NeedMore,
    Refused(ChunkErrorKind),
}

impl From<ChunkErrorKind> for NotOpened {
    fn from(kind: ChunkErrorKind) -> Self {
        Self::Refused(kind)
    }
}

impl ChunkReader {
    /// A reader at the beginning of a connection, right after the handshake. Allocates nothing.
    pub fn new(limits: ChunkLimits) -> Self {
        Self {
            limits,
            chunk_size: CHUNK_SIZE_DEFAULT,
            debt: 0,
            reassembly_bytes: 0,
            bytes_read: 0,
            chunk: None,
            stash: Stash::default(),
            repeats_time: false,
            streams: ChunkStreams::default(),
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
        self.chunk_size = size.min(MESSAGE_BYTES_MAX);
        Ok(())
    }

    /// Drops the unfinished message of a chunk stream, as the peer's Abort Message asks (5.4.2).
    /// Without one, or on a chunk stream never used, nothing happens.
    pub fn abort(&mut self, chunk_stream_id: u32) {
        let Some(slot) = self.streams.find(chunk_stream_id) else { return };
        let partial = core::mem::take(&mut self.streams.get_mut(slot).partial);
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

    /// Memory held for unfinished messages, in bytes of capacity. Never more than
    /// [`ChunkLimits::reassembly_bytes_max`].
    pub fn reassembly_bytes(&self) -> usize {
        self.reassembly_bytes
    }

    /// The size of the chunks to come, in bytes; at most [`MESSAGE_BYTES_MAX`].
    pub fn chunk_size(&self) -> u32 {
        self.chunk_size
    }

    /// Takes one chunk header; false when it is not there whole and `input` is used up.
    fn take_header(&mut self, input: &mut &[u8]) -> Result<bool, ChunkError> {
        let stashed = usize::from(self.stash.len);
        let opened = if stashed == 0 {
            self.open(input)
        } else {
            // What was held back and what follows it, side by side: one header at most.
            let mut window = self.stash.bytes;
            let fresh = input.len().min(window.len() - stashed);
            window[stashed..stashed + fresh].copy_from_slice(&input[..fresh]);
            self.open(&window[..stashed + fresh])
        };
        match opened {
            Ok(Opened { header_len, slot, payload }) => {
                let offset = self.header_offset();
                self.chunk = Some(Chunk { slot: Some(slot), left: payload, offset });
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

    /// Interprets the header at the front of `bytes` and takes over what it says.
    fn open(&mut self, bytes: &[u8]) -> Result<Opened, NotOpened> {
        let basic = Basic::parse(bytes).ok_or(NotOpened::NeedMore)?;
        let rest = &bytes[basic.len..];
        let slot = match self.streams.find(basic.chunk_stream_id) {
            Some(slot) => slot,
            None => return self.open_first(basic, rest),
        };
        let in_message = self.streams.get(slot).in_message();
        let header_len = match (basic.chunk_type, in_message) {
            (3, true) => self.continue_plainly(slot, rest)?,
            (3, false) => self.begin_again(slot, rest)?,
            (_, true) => self.continue_oddly(slot, basic.chunk_type, rest)?,
            (_, false) => {
                let fields = Fields::parse(basic.chunk_type, rest).ok_or(NotOpened::NeedMore)?;
                self.check_length(&fields)?;
                self.streams.get_mut(slot).begin(basic.chunk_type, &fields);
                fields.len
            }
        };
        self.account(slot, basic.len + header_len, in_message)
    }

    /// The first header on a chunk stream.
    fn open_first(&mut self, basic: Basic, rest: &[u8]) -> Result<Opened, NotOpened> {
        let Basic { chunk_type, chunk_stream_id, len } = basic;
        // librtmp answers a ping on chunk stream 2 with type 1, whether or not it used it before.
        if chunk_type != 0 && (chunk_type, chunk_stream_id) != (1, 2) {
            return Err(ChunkErrorKind::NoPrecedingHeader { chunk_type }.into());
        }
        let max = self.limits.chunk_streams_max;
        if self.streams.len() >= max as usize {
            return Err(ChunkErrorKind::TooManyChunkStreams { max }.into());
        }
        let fields = Fields::parse(chunk_type, rest).ok_or(NotOpened::NeedMore)?;
        self.check_length(&fields)?;
        let slot = self.streams.insert(chunk_stream_id);
        self.streams.get_mut(slot).begin(chunk_type, &fields);
        self.account(slot, len + fields.len, false)
    }

    /// Type 3 in mid-message. Returns the bytes after the basic header.
    fn continue_plainly(&mut self, slot: usize, rest: &[u8]) -> Result<usize, NotOpened> {
        let stream = self.streams.get(slot);
        if !stream.extended {
            return Ok(0);
        }
        match stream.repeated_time(rest, stream.timestamp) {
            Repeated::Undecided => Err(NotOpened::NeedMore),
            Repeated::Present => {
                self.repeats_time = true;
                Ok(4)
            }
            Repeated::Absent => {
                self.repeats_time = false;
                Ok(0)
            }
        }
    }

    /// Type 3 that begins a message like the last one. Returns the bytes after the basic header.
    fn begin_again(&mut self, slot: usize, rest: &[u8]) -> Result<usize, NotOpened> {
        let repeats_time = self.repeats_time;
        let stream = self.streams.get_mut(slot);
        let delta = stream.time_field;
        if !stream.extended {
            stream.begin_again(delta);
            return Ok(0);
        }
        let len = match stream.repeated_time(rest, stream.timestamp.wrapping_add(delta)) {
            Repeated::Undecided => return Err(NotOpened::NeedMore),
            Repeated::Present => 4,
            // FFmpeg compares 24-bit fields when it chooses type 3, so after one extended delta
            // another may follow whose value differs. A sender known to repeat is taken at its
            // word.
            Repeated::Absent if repeats_time => {
                let value = *rest.first_chunk().ok_or(NotOpened::NeedMore)?;
                stream.begin_again(u32::from_be_bytes(value));
                return Ok(4);
            }
            Repeated::Absent => 0,
        };
        stream.begin_again(delta);
        Ok(len)
    }

    /// Types 0, 1 and 2 in mid-message. Returns the bytes after the basic header.
    fn continue_oddly(
        &mut self,
        slot: usize,
        chunk_type: u8,
        rest: &[u8],
    ) -> Result<usize, NotOpened> {
        let stream = self.streams.get_mut(slot);
        if chunk_type == 0 {
            let received = stream.partial.len() as u32;
            let kind = ChunkErrorKind::MessageInterrupted { received, length: stream.length };
            return Err(kind.into());
        }
        let fields = Fields::parse(chunk_type, rest).ok_or(NotOpened::NeedMore)?;
        if let Some(Announced { length, kind, .. }) = fields.announced
            && (length, kind) != (stream.length, stream.kind)
        {
            let length_first = stream.length;
            let kind = ChunkErrorKind::MessageChanged { length: length_first, announced: length };
            return Err(kind.into());
        }
        stream.remember_time(&fields);
        Ok(fields.len)
    }

    fn check_length(&self, fields: &Fields) -> Result<(), ChunkErrorKind> {
        let max = self.limits.message_bytes_max;
        match fields.announced {
            Some(Announced { length, .. }) if length > max => {
                Err(ChunkErrorKind::MessageTooLong { length, max })
            }
            _ => Ok(()),
        }
    }

    /// Knows the payload of the chunk now, and charges for a chunk that brings little.
    fn account(
        &mut self,
        slot: usize,
        header_len: usize,
        continues: bool,
    ) -> Result<Opened, NotOpened> {
        let stream = self.streams.get(slot);
        let payload = (stream.length - stream.partial.len() as u32).min(self.chunk_size);
        let cost = if continues { CONTINUATION_COST } else { 0 };
        self.debt = self.debt.saturating_add(cost).saturating_sub(payload);
        let max = self.limits.tiny_chunk_debt_max;
        if self.debt > max {
            let chunk_size = self.chunk_size;
            return Err(ChunkErrorKind::TinyChunks { chunk_size, max }.into());
        }
        Ok(Opened { header_len, slot, payload })
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
        let stream = self.streams.get_mut(slot);
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
            let max = self.limits.reassembly_bytes_max;
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

    fn message(&self, slot: usize, payload: Bytes) -> Message {
        let stream = self.streams.get(slot);
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
