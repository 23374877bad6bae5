//! What headers mean one after the other: which message a chunk begins or continues, at what time,
//! and whether the limits allow it. Bytes of headers stand in `header`, what is remembered of one
//! chunk stream in `streams`; taking bytes and collecting payload is the `reader`'s.

use super::CHUNK_SIZE_DEFAULT;
use super::error::ChunkErrorKind;
use super::header::{Announced, Basic, Fields};
use super::limits::{CONTINUATION_COST, ChunkLimits};
use super::streams::{ChunkStreams, Repeated};

/// The chunk streams of a connection, and how its chunks are cut.
#[derive(Debug)]
pub(super) struct Opener {
    pub limits: ChunkLimits,
    /// Of the chunks to come; at least 1.
    pub chunk_size: u32,
    pub streams: ChunkStreams,
    /// Account of tiny chunks; see [`ChunkLimits::tiny_chunk_debt_max`].
    debt: u32,
    /// Whether the last type 3 chunk that could tell did repeat its extended timestamp.
    repeats_time: bool,
}

/// A header that has been read: its bytes, and the chunk it opens.
pub(super) struct Opened {
    pub header_len: usize,
    pub slot: usize,
    /// Payload of this chunk, in bytes; 0 only for a message of length 0.
    pub payload: u32,
}

/// Why no chunk could be opened: not all of the header is there, or it is refused.
pub(super) enum NotOpened {
    NeedMore,
    Refused(ChunkErrorKind),
}

impl From<ChunkErrorKind> for NotOpened {
    fn from(kind: ChunkErrorKind) -> Self {
        Self::Refused(kind)
    }
}

impl Opener {
    pub fn new(limits: ChunkLimits) -> Self {
        Self {
            limits,
            chunk_size: CHUNK_SIZE_DEFAULT,
            streams: ChunkStreams::default(),
            debt: 0,
            repeats_time: false,
        }
    }

    /// Interprets the header at the front of `bytes` and takes over what it says.
    pub fn open(&mut self, bytes: &[u8]) -> Result<Opened, NotOpened> {
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
}
