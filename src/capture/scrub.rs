//! One direction of a connection on its way into a file: bytes are held back while they may belong
//! to a secret that has not arrived whole, and masked in their place, so that the file keeps the
//! length and the chunks of what was on the wire.
//!
//! Secrets travel in commands and data, whose payload may be cut by chunk headers. So the chunks are
//! followed with the reader that the server itself uses, and each message is searched as a whole
//! once it is there. Sound, pictures and the fixed-length control messages are not searched. What is
//! no RTMP, or follows a gap, is searched as it stands.

use super::mask::{MASK, Secrets};
use millstream_rtmp::chunk::{ChunkLimits, ChunkReader, Expected};
use millstream_rtmp::control::Control;
use millstream_rtmp::handshake::HANDSHAKE_BYTES;
use millstream_rtmp::message::{Message, MessageType};
use std::collections::{HashMap, VecDeque};
use std::ops::Range;
use std::sync::Arc;

/// Bytes that are held back at most; of longer commands and data nothing but the length is kept.
const HELD_MAX: usize = 256 * 1024;

/// The RTMP version, with which each direction begins.
const VERSION: u8 = 3;

pub(super) struct Scrubber {
    secrets: Arc<Secrets>,
    stage: Stage,
    /// What is held back.
    held: Vec<u8>,
    /// Where `held` begins, in bytes of this direction.
    start: u64,
    /// The pieces in `held`: time and length.
    pieces: VecDeque<(u64, usize)>,
}

enum Stage {
    Handshake { left: u64 },
    Chunks(Box<Chunks>),
    Raw { searched: u64, in_value: bool },
}

struct Chunks {
    reader: ChunkReader,
    /// Messages that are to be searched and are not whole, by their chunk streams.
    open: HashMap<u32, Open>,
}

#[derive(Default)]
struct Open {
    /// Where the payload stands, in bytes of this direction.
    parts: Vec<Range<u64>>,
    /// It became too long: all of it is masked as it comes.
    blank: bool,
}

impl Open {
    fn add(&mut self, part: Range<u64>) {
        match self.parts.last_mut() {
            Some(last) if last.end == part.start => last.end = part.end,
            _ => self.parts.push(part),
        }
    }
}

impl Scrubber {
    pub(super) fn new(secrets: Arc<Secrets>) -> Self {
        let stage = Stage::Handshake { left: HANDSHAKE_BYTES };
        Self { secrets, stage, held: Vec::new(), start: 0, pieces: VecDeque::new() }
    }

    /// Takes bytes, and hands out to `write` what is known to be clean, in pieces with their times.
    pub(super) fn feed(&mut self, time_us: u64, bytes: &[u8], write: &mut dyn FnMut(u64, &[u8])) {
        let mut at = self.end();
        self.held.extend_from_slice(bytes);
        self.pieces.push_back((time_us, bytes.len()));
        while at < self.end() {
            at = self.step(at);
        }
        if self.held.len() > HELD_MAX {
            self.blank();
        }
        self.release(self.clean(), write);
    }

    /// Bytes are missing here: the chunks cannot be followed any more.
    pub(super) fn gap(&mut self, write: &mut dyn FnMut(u64, &[u8])) {
        self.finish(write);
        self.stage = Stage::Raw { searched: self.end(), in_value: false };
    }

    /// Hands out what is left.
    pub(super) fn finish(&mut self, write: &mut dyn FnMut(u64, &[u8])) {
        self.cut_open();
        let end = self.end();
        if let Stage::Raw { searched, in_value } = &mut self.stage {
            let from = (*searched).max(self.start).min(end) - self.start;
            let tail = &mut self.held[from as usize..];
            self.secrets.mask_until(tail, 0, tail.len(), in_value);
            *searched = end;
        }
        self.release(end, write);
    }

    fn end(&self) -> u64 {
        self.start + self.held.len() as u64
    }

    /// Goes on from a place; returns how far it went.
    fn step(&mut self, at: u64) -> u64 {
        let end = self.end();
        let offset = (at - self.start) as usize;
        match &mut self.stage {
            Stage::Handshake { left }
                if *left == HANDSHAKE_BYTES && self.held[offset] != VERSION =>
            {
                self.stage = Stage::Raw { searched: at, in_value: false };
                at
            }
            Stage::Handshake { left } => {
                let passed = (*left).min(end - at);
                *left -= passed;
                if *left == 0 {
                    let reader = ChunkReader::new(ChunkLimits::default());
                    self.stage = Stage::Chunks(Box::new(Chunks { reader, open: HashMap::new() }));
                }
                at + passed
            }
            Stage::Chunks(chunks) => {
                let length = match chunks.reader.expected() {
                    // Byte by byte, so that the first byte of payload is not missed.
                    Expected::Header => 1,
                    Expected::Payload { chunk_stream_id, kind, left } => {
                        let length = u64::from(left).min(end - at);
                        if is_searched(kind) {
                            let open = chunks.open.entry(chunk_stream_id).or_default();
                            if open.blank {
                                self.held[offset..offset + length as usize].fill(MASK);
                            } else {
                                open.add(at..at + length);
                            }
                        }
                        length
                    }
                    Expected::Nothing => {
                        self.cut_open();
                        self.stage = Stage::Raw { searched: at, in_value: false };
                        return at;
                    }
                };
                // The reader follows the masked bytes of a message that is not read further.
                self.follow(offset..offset + length as usize);
                at + length
            }
            Stage::Raw { searched, in_value } => {
                let from = (*searched - self.start) as usize;
                let until = self.held.len().saturating_sub(self.secrets.len_max()).max(from);
                let reached = self.secrets.mask_until(&mut self.held, from, until, in_value);
                *searched = self.start + reached as u64;
                end
            }
        }
    }

    /// Hands bytes to the reader, and searches the messages that they end.
    fn follow(&mut self, range: Range<usize>) {
        let Stage::Chunks(chunks) = &mut self.stage else { return };
        let mut at = range.start;
        loop {
            let mut input = &self.held[at..range.end];
            let message = chunks.reader.read(&mut input);
            at = range.end - input.len();
            // An error shows itself in what the reader expects next: nothing.
            let Ok(Some(message)) = message else { return };
            let aborted = obey(&mut chunks.reader, &message);
            if let Some(open) = aborted.and_then(|id| chunks.open.remove(&id)) {
                mask_parts(&mut self.held, self.start, &open, |part| self.secrets.mask_cut(part));
            }
            if is_searched(message.kind)
                && let Some(open) = chunks.open.remove(&message.chunk_stream_id)
            {
                mask_parts(&mut self.held, self.start, &open, |whole| {
                    // Up to three bytes that looked like a repeated extended timestamp may turn out
                    // to be payload. What is not known whole is not shown.
                    if whole.len() == message.payload.len() {
                        self.secrets.mask(whole);
                    } else {
                        whole.fill(MASK);
                    }
                });
            }
        }
    }

    /// Messages that will not become whole are searched as far as they came.
    fn cut_open(&mut self) {
        let Stage::Chunks(chunks) = &mut self.stage else { return };
        for (_, open) in chunks.open.drain() {
            mask_parts(&mut self.held, self.start, &open, |payload| self.secrets.mask_cut(payload));
        }
    }

    /// Too much is held back: masks what is not whole from end to end.
    fn blank(&mut self) {
        let Stage::Chunks(chunks) = &mut self.stage else { return };
        for open in chunks.open.values_mut() {
            mask_parts(&mut self.held, self.start, open, |payload| payload.fill(MASK));
            *open = Open { parts: Vec::new(), blank: true };
        }
    }

    /// Up to where nothing has to be held back.
    fn clean(&self) -> u64 {
        match &self.stage {
            Stage::Handshake { .. } => self.end(),
            Stage::Chunks(chunks) => {
                let begun = chunks.open.values().filter_map(|open| open.parts.first());
                begun.map(|part| part.start).min().unwrap_or(self.end())
            }
            Stage::Raw { searched, .. } => *searched,
        }
    }

    fn release(&mut self, clean: u64, write: &mut dyn FnMut(u64, &[u8])) {
        let mut at = 0;
        let mut left = (clean - self.start) as usize;
        while left > 0
            && let Some((time_us, length)) = self.pieces.front_mut()
        {
            let taken = left.min(*length);
            write(*time_us, &self.held[at..at + taken]);
            at += taken;
            left -= taken;
            *length -= taken;
            if *length == 0 {
                self.pieces.pop_front();
            }
        }
        self.held.drain(..at);
        self.start += at as u64;
        if self.held.is_empty() {
            // A connection that streams holds nothing back, and keeps no buffer for it.
            self.held = Vec::new();
        }
    }
}

/// Sound, pictures, aggregates of both, and control messages hold no names.
fn is_searched(kind: MessageType) -> bool {
    !matches!(kind, MessageType::AUDIO | MessageType::VIDEO | MessageType::AGGREGATE)
        && kind.0 > MessageType::SET_PEER_BANDWIDTH.0
}

/// What a connection does between two messages. Returns the chunk stream whose message was aborted.
fn obey(reader: &mut ChunkReader, message: &Message) -> Option<u32> {
    match Control::decode(message) {
        Ok(Some(Control::SetChunkSize(size))) => {
            // A size that is refused shows itself in what the reader expects next.
            let _ = reader.set_chunk_size(size);
            None
        }
        Ok(Some(Control::Abort { chunk_stream_id })) => {
            reader.abort(chunk_stream_id);
            Some(chunk_stream_id)
        }
        _ => None,
    }
}

/// Puts the parts of a payload together, masks it, and puts it back.
fn mask_parts(held: &mut [u8], start: u64, open: &Open, mask: impl FnOnce(&mut [u8])) {
    let places =
        || open.parts.iter().map(|part| (part.start - start) as usize..(part.end - start) as usize);
    let mut payload: Vec<u8> = Vec::new();
    places().for_each(|place| payload.extend_from_slice(&held[place]));
    mask(&mut payload);
    let mut rest = &payload[..];
    for place in places() {
        let (part, behind) = rest.split_at(place.len());
        held[place].copy_from_slice(part);
        rest = behind;
    }
}
