//! The chunk layer of one connection: reader, writer, output, and the control messages that
//! concern these alone.

use super::error::ConnectionErrorKind;
use super::flow::Flow;
use crate::chunk::{CHUNK_SIZE_DEFAULT, ChunkLimits, ChunkReader, ChunkWriter};
use crate::control::Control;
use crate::limits::UNREAD_ANSWER_BYTES_MAX;
use crate::message::{Message, MessageType};
use crate::session::SessionError;
use bytes::BytesMut;

/// What remains for the session after the chunk layer has taken its own.
pub(super) enum Received {
    Message(Message),
    Acknowledged(u32),
}

#[derive(Debug)]
pub(super) struct Link {
    reader: ChunkReader,
    writer: ChunkWriter,
    pub(super) output: BytesMut,
    pub(super) flow: Flow,
    /// Bytes of answers in the output, at most.
    unread: usize,
    /// Messages received that were neither audio nor video.
    pub(super) other_messages: u64,
}

impl Link {
    pub(super) fn new(limits: ChunkLimits, window: u32) -> Self {
        Self {
            reader: ChunkReader::new(limits),
            writer: ChunkWriter::new(CHUNK_SIZE_DEFAULT),
            output: BytesMut::new(),
            flow: Flow::new(window),
            unread: 0,
            other_messages: 0,
        }
    }

    /// The next thing for the session; nothing when the input is used up.
    pub(super) fn read(
        &mut self,
        input: &mut &[u8],
    ) -> Result<Option<Received>, ConnectionErrorKind> {
        loop {
            let before = input.len();
            let message = self.reader.read(input);
            self.flow.count(before - input.len());
            let Some(message) = message? else {
                return Ok(None);
            };
            // Media, the common case, is not looked at further.
            if matches!(message.kind, MessageType::AUDIO | MessageType::VIDEO) {
                return Ok(Some(Received::Message(message)));
            }
            self.other_messages += 1;
            match Control::decode(&message).map_err(SessionError::Control)? {
                Some(Control::SetChunkSize(size)) => self.reader.set_chunk_size(size)?,
                Some(Control::Abort { chunk_stream_id }) => self.reader.abort(chunk_stream_id),
                Some(Control::Acknowledgement(bytes)) => {
                    return Ok(Some(Received::Acknowledged(bytes)));
                }
                Some(Control::WindowAckSize(bytes)) => self.flow.set_window(bytes),
                Some(Control::SetPeerBandwidth { size, limit }) => self.flow.limit(size, limit),
                Some(Control::User(_)) | None => return Ok(Some(Received::Message(message))),
            }
        }
    }

    /// Appends a message to the output. Set Chunk Size takes effect behind itself.
    pub(super) fn write(&mut self, message: &Message) {
        self.writer.write(message, &mut self.output);
        if message.kind == MessageType::SET_CHUNK_SIZE
            && let Ok(Some(Control::SetChunkSize(size))) = Control::decode(message)
        {
            self.writer.set_chunk_size(size);
        }
    }

    /// Appends a message that the peer made us send, and counts it.
    pub(super) fn answer(&mut self, message: &Message) {
        // What was taken out since cannot be unread.
        self.unread = self.unread.min(self.output.len());
        let before = self.output.len();
        self.write(message);
        self.unread += self.output.len() - before;
    }

    /// Writes what is owed, and asks whether the peer reads what it is sent.
    pub(super) fn settle(&mut self, pong: Option<Message>) -> Result<(), SessionError> {
        for control in self.flow.take_due() {
            self.answer(&control.encode());
        }
        if let Some(pong) = pong {
            self.answer(&pong);
        }
        if self.unread.min(self.output.len()) > UNREAD_ANSWER_BYTES_MAX {
            return Err(SessionError::AnswersUnread);
        }
        Ok(())
    }

    /// Bytes held of messages that have not arrived whole.
    pub(super) fn reassembly_bytes(&self) -> usize {
        self.reader.reassembly_bytes()
    }
}
