//! One track of a recording: its frames, each opened for a mark once and for all, and their times.

use crate::media::Track;
use crate::media::clip::{ClipError, FRAMES_MAX};
use crate::media::form::{Form, Opened, Refusal};
use crate::media::mark::{MARK_BYTES, Mark, hash};
use bytes::{Bytes, BytesMut};
use millstream_media::Codec;

/// A track.
#[derive(Debug)]
pub(super) struct Lane {
    track: Track,
    codec: Codec,
    form: Form,
    /// The message with the configuration of the decoder, and how many bytes of it are its header.
    header: Bytes,
    header_len: usize,
    frames: Vec<Frame>,
    /// Payload bytes of the frames before each, and of all of them.
    before: Vec<u64>,
    /// Frames at which decoding can begin.
    pub(super) key_frames: u32,
    /// What frames' heads are written to, before they are split off.
    heads: BytesMut,
}

/// A frame but for its mark, in the order in which it is put together.
#[derive(Debug)]
struct Frame {
    /// When it is decoded, in milliseconds from the start of the recording.
    ms: u64,
    head: Bytes,
    // Here stands the mark.
    stop: &'static [u8],
    rest: Bytes,
    /// What the mark says of these.
    lead: u32,
    hash: u32,
}

impl Frame {
    fn len(&self) -> usize {
        self.head.len() + MARK_BYTES + self.stop.len() + self.rest.len()
    }
}

impl Lane {
    /// A track by the message with its configuration, of which `header_len` bytes are the header.
    pub(super) fn new(
        track: Track,
        codec: Codec,
        header: Bytes,
        header_len: usize,
    ) -> Result<Self, ClipError> {
        let form = Form::of(codec, header.get(header_len..).unwrap_or_default());
        let form = form.map_err(|refusal| match refusal {
            Refusal::Codec => ClipError::Codec(codec),
            Refusal::Configuration => ClipError::Configuration(codec),
            Refusal::ObjectType(object_type) => ClipError::ObjectType(object_type),
            Refusal::ManyStreams => ClipError::ManyStreams,
        })?;
        let (frames, before, heads) = (Vec::new(), vec![0], BytesMut::new());
        Ok(Self { track, codec, form, header, header_len, frames, before, key_frames: 0, heads })
    }

    pub(super) fn codec(&self) -> Codec {
        self.codec
    }

    /// The message with the configuration of the decoder.
    pub(super) fn header(&self) -> &Bytes {
        &self.header
    }

    /// The configuration of the decoder.
    pub(super) fn configuration(&self) -> &[u8] {
        self.header.get(self.header_len..).unwrap_or_default()
    }

    pub(super) fn len(&self) -> usize {
        self.frames.len()
    }

    /// Adds a frame by its message, of which `header_len` bytes are the header. One that would be
    /// before the last is put at its time.
    pub(super) fn add(
        &mut self,
        ms: u64,
        message: &Bytes,
        header_len: usize,
    ) -> Result<(), ClipError> {
        if self.frames.len() == FRAMES_MAX {
            return Err(ClipError::TooManyFrames);
        }
        let body = message.slice(header_len..);
        self.heads.extend_from_slice(&message[..header_len]);
        let Some(Opened { taken, stop, lead }) = self.form.open(&body, &mut self.heads) else {
            return Err(ClipError::Frame(self.track, self.frames.len() as u32));
        };
        let head = self.heads.split().freeze();
        // An empty rest would keep the whole message in memory.
        let rest = if taken < body.len() { body.slice(taken..) } else { Bytes::new() };
        let hash = hash(&[&head[head.len() - lead..], stop, &rest]);
        let ms = self.frames.last().map_or(ms, |last| ms.max(last.ms));
        // A message has less than 2^24 bytes.
        let frame = Frame { ms, head, stop, rest, lead: lead as u32, hash };
        self.before.push(self.bytes() + frame.len() as u64);
        self.frames.push(frame);
        Ok(())
    }

    /// Forgets all frames so far.
    pub(super) fn clear(&mut self) {
        self.frames.clear();
        self.before.truncate(1);
        self.key_frames = 0;
    }

    /// Payload bytes of all frames.
    pub(super) fn bytes(&self) -> u64 {
        self.before.last().copied().unwrap_or(0)
    }

    /// The time at which the next frame would be due, were there one: the recording is as long as
    /// this. None if there is no frame.
    pub(super) fn end_ms(&self) -> Option<u64> {
        let (first, last) = (self.frames.first()?, self.frames.last()?);
        let steps = self.frames.len() as u64 - 1;
        let step = (last.ms - first.ms).checked_div(steps).unwrap_or(0);
        Some(last.ms + step.max(1))
    }

    /// The time of a frame that is repeated with all others every `period_ms`, in milliseconds.
    pub(super) fn due_ms(&self, sequence: u32, period_ms: u64) -> u64 {
        let (round, at) = self.place(sequence);
        (round as u64).saturating_mul(period_ms).saturating_add(self.frames[at].ms)
    }

    /// Payload bytes of all frames before this one.
    pub(super) fn payload_before(&self, sequence: u32) -> u64 {
        let (round, at) = self.place(sequence);
        round as u64 * self.bytes() + self.before[at]
    }

    /// A frame with its mark.
    pub(super) fn frame(&self, stream: u32, epoch: u32, sequence: u32, scheduled_ns: u64) -> Bytes {
        let frame = &self.frames[self.place(sequence).1];
        let tail = (frame.len() - frame.head.len()) as u32;
        let Frame { lead, hash, .. } = *frame;
        let mark = Mark { stream, epoch, sequence, lead, tail, hash, scheduled_ns };
        let mut out = Vec::with_capacity(frame.len());
        out.extend_from_slice(&frame.head);
        out.extend_from_slice(&mark.to_bytes());
        out.extend_from_slice(frame.stop);
        out.extend_from_slice(&frame.rest);
        out.into()
    }

    /// How often all frames came before this one, and which it is of them.
    fn place(&self, sequence: u32) -> (usize, usize) {
        (sequence as usize / self.frames.len(), sequence as usize % self.frames.len())
    }
}
