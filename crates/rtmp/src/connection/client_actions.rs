//! The actions of [`ClientSession`](crate::client::ClientSession), written to the output at once.

use super::client::ClientConnection;
use crate::client::PlayOptions;
use crate::message::MessageType;
use crate::session::{AnswerError, PublishMode, RequestId};
use bytes::Bytes;
use millstream_amf0::Value;

/// Each method does what the method of the same name of
/// [`ClientSession`](crate::client::ClientSession) does, fails as it does, and appends whole
/// messages to the output.
impl ClientConnection {
    /// Publishes under a name, query and all. The answer is an event with this request.
    ///
    /// # Errors
    /// As the session's.
    pub fn publish(&mut self, name: &str, mode: PublishMode) -> Result<RequestId, AnswerError> {
        let result = self.session.publish(name, mode);
        self.drain();
        result
    }

    /// Plays a name, query and all. The answer is an event with this request.
    ///
    /// # Errors
    /// As the session's.
    pub fn play(&mut self, name: &str, options: PlayOptions) -> Result<RequestId, AnswerError> {
        let result = self.session.play(name, options);
        self.drain();
        result
    }

    /// Ends a publish or play, or takes the request back.
    ///
    /// # Errors
    /// As the session's.
    pub fn close(&mut self, request: RequestId) -> Result<(), AnswerError> {
        let result = self.session.close(request);
        self.drain();
        result
    }

    /// Pauses a play or goes on.
    ///
    /// # Errors
    /// As the session's.
    pub fn pause(&mut self, request: RequestId, paused: bool, ms: f64) -> Result<(), AnswerError> {
        let result = self.session.pause(request, paused, ms);
        self.drain();
        result
    }

    /// Tells how much we buffer of a play, in milliseconds.
    ///
    /// # Errors
    /// As the session's.
    pub fn set_buffer_length(&mut self, request: RequestId, ms: u32) -> Result<(), AnswerError> {
        let result = self.session.set_buffer_length(request, ms);
        self.drain();
        result
    }

    /// Sends audio, video or data of the first publisher.
    ///
    /// # Errors
    /// As the session's.
    pub fn send_media(
        &mut self,
        kind: MessageType,
        timestamp: u32,
        payload: Bytes,
    ) -> Result<(), AnswerError> {
        let message = self.session.media_message(None, kind, timestamp, payload)?;
        self.link.write(&message);
        Ok(())
    }

    /// Sends audio, video or data of the publisher on this message stream.
    ///
    /// # Errors
    /// As the session's.
    pub fn send_media_on(
        &mut self,
        stream_id: u32,
        kind: MessageType,
        timestamp: u32,
        payload: Bytes,
    ) -> Result<(), AnswerError> {
        let message = self.session.media_message(Some(stream_id), kind, timestamp, payload)?;
        self.link.write(&message);
        Ok(())
    }

    /// Sends `@setDataFrame` of the first publisher: `onMetaData` with these values.
    ///
    /// # Errors
    /// As the session's.
    pub fn send_metadata(&mut self, timestamp: u32, metadata: Value) -> Result<(), AnswerError> {
        let result = self.session.send_metadata(timestamp, metadata);
        self.drain();
        result
    }

    /// Sends any command. Returns its transaction id.
    ///
    /// # Errors
    /// As the session's.
    pub fn send_command(
        &mut self,
        stream_id: u32,
        name: &str,
        arguments: Vec<Value>,
    ) -> Result<u32, AnswerError> {
        let result = self.session.send_command(stream_id, name, arguments);
        self.drain();
        result
    }

    /// Sends a ping.
    pub fn ping(&mut self, timestamp: u32) {
        self.session.ping(timestamp);
        self.drain();
    }
}
