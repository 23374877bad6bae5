//! Audio, video, data and aggregates on their way up.
//!
//! The bytes are handed on as the chunk reader made them. Media that no publisher owns is dropped
//! and counted.

use super::streams::StreamState;
use super::{ServerEvent, ServerSession};
use crate::aggregate::split_aggregate;
use crate::limits::{AGGREGATE_PARTS_MAX, STRAY_MESSAGES_MAX};
use crate::message::Message;
use crate::session::{Early, SessionError, open_data};

impl ServerSession {
    pub(super) fn media(&mut self, message: Message) -> Result<Option<ServerEvent>, SessionError> {
        Ok(self.owned(message)?.map(ServerEvent::Media))
    }

    pub(super) fn data(&mut self, message: Message) -> Result<Option<ServerEvent>, SessionError> {
        let bytes_max = self.settings.data_bytes_max;
        if message.payload.len() > bytes_max as usize {
            return Err(SessionError::DataTooLong { bytes: message.payload.len() });
        }
        Ok(self.owned(message)?.map(|message| ServerEvent::Data(open_data(&message, bytes_max))))
    }

    /// The parts of an aggregate are events of their own (7.1.6).
    pub(super) fn aggregate(
        &mut self,
        message: &Message,
    ) -> Result<Option<ServerEvent>, SessionError> {
        self.require_connected(Early::Media)?;
        for (index, part) in split_aggregate(message)?.enumerate() {
            if index >= AGGREGATE_PARTS_MAX {
                return Err(SessionError::AggregateTooLong);
            }
            if let Some(event) = self.step(part?)? {
                self.events.push_back(event);
            }
        }
        Ok(None)
    }

    /// The message with its publisher's stream id, if it is an accepted one; held for one that
    /// waits for its answer.
    fn owned(&mut self, mut message: Message) -> Result<Option<Message>, SessionError> {
        self.require_connected(Early::Media)?;
        let Some(stream) = self.streams.publisher_of(message.stream_id) else {
            self.strays += 1;
            if self.strays > STRAY_MESSAGES_MAX {
                return Err(SessionError::TooMuchStrayMedia);
            }
            return Ok(None);
        };
        message.stream_id = stream.id;
        if let StreamState::PublishAsked(asked) = &mut stream.state {
            asked.held.push(message, self.settings.held_bytes_max)?;
            return Ok(None);
        }
        Ok(Some(message))
    }
}
