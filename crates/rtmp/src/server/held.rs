//! Messages of a peer that went on before its request was answered.

use crate::limits::HELD_MESSAGES_MAX;
use crate::message::Message;
use crate::session::SessionError;

/// Messages in order, bounded in bytes and number.
#[derive(Debug, Default)]
pub(super) struct Held {
    messages: Vec<Message>,
    bytes: usize,
}

impl Held {
    pub(super) fn push(&mut self, message: Message, bytes_max: u32) -> Result<(), SessionError> {
        let bytes = self.bytes + message.payload.len();
        if bytes > bytes_max as usize || self.messages.len() >= HELD_MESSAGES_MAX {
            return Err(SessionError::HeldTooMuch { bytes });
        }
        self.bytes = bytes;
        self.messages.push(message);
        Ok(())
    }

    pub(super) fn into_messages(self) -> Vec<Message> {
        self.messages
    }
}
