//! The answers of [`ServerSession`](crate::server::ServerSession), written to the output at once.

use super::server::ServerConnection;
use crate::session::{AnswerError, Level, Rejection, RequestId};
use millstream_amf0::Value;

/// Each method does what the method of the same name of
/// [`ServerSession`](crate::server::ServerSession) does, fails as it does, and appends whole
/// messages to the output.
impl ServerConnection {
    /// Lets the peer in.
    ///
    /// # Errors
    /// As the session's.
    pub fn accept_connect(&mut self, request: RequestId) -> Result<(), AnswerError> {
        let result = self.session.accept_connect(request);
        self.drain();
        result
    }

    /// Refuses the peer. Send the output, then close.
    ///
    /// # Errors
    /// As the session's.
    pub fn reject_connect(
        &mut self,
        request: RequestId,
        rejection: &Rejection<'_>,
    ) -> Result<(), AnswerError> {
        let result = self.session.reject_connect(request, rejection);
        self.drain();
        result
    }

    /// Refuses the peer and names the URL to connect to instead. Send the output, then close.
    ///
    /// # Errors
    /// As the session's.
    pub fn redirect_connect(&mut self, request: RequestId, url: &str) -> Result<(), AnswerError> {
        let result = self.session.redirect_connect(request, url);
        self.drain();
        result
    }

    /// Starts the publisher.
    ///
    /// # Errors
    /// As the session's.
    pub fn accept_publish(&mut self, request: RequestId) -> Result<(), AnswerError> {
        let result = self.session.accept_publish(request);
        self.drain();
        result
    }

    /// Refuses the publisher.
    ///
    /// # Errors
    /// As the session's.
    pub fn reject_publish(
        &mut self,
        request: RequestId,
        rejection: &Rejection<'_>,
    ) -> Result<(), AnswerError> {
        let result = self.session.reject_publish(request, rejection);
        self.drain();
        result
    }

    /// Starts the player.
    ///
    /// # Errors
    /// As the session's.
    pub fn accept_play(&mut self, request: RequestId) -> Result<(), AnswerError> {
        let result = self.session.accept_play(request);
        self.drain();
        result
    }

    /// Refuses the player.
    ///
    /// # Errors
    /// As the session's.
    pub fn reject_play(
        &mut self,
        request: RequestId,
        rejection: &Rejection<'_>,
    ) -> Result<(), AnswerError> {
        let result = self.session.reject_play(request, rejection);
        self.drain();
        result
    }

    /// Tells a player that its publisher ended.
    ///
    /// # Errors
    /// As the session's.
    pub fn unpublish_notify(&mut self, stream_id: u32) -> Result<(), AnswerError> {
        let result = self.session.unpublish_notify(stream_id);
        self.drain();
        result
    }

    /// Tells a player that a publisher has come.
    ///
    /// # Errors
    /// As the session's.
    pub fn publish_notify(&mut self, stream_id: u32) -> Result<(), AnswerError> {
        let result = self.session.publish_notify(stream_id);
        self.drain();
        result
    }

    /// Ends a player.
    ///
    /// # Errors
    /// As the session's.
    pub fn stop_play(&mut self, stream_id: u32) -> Result<(), AnswerError> {
        let result = self.session.stop_play(stream_id);
        self.drain();
        result
    }

    /// Ends a publisher from our side.
    ///
    /// # Errors
    /// As the session's.
    pub fn stop_publish(
        &mut self,
        stream_id: u32,
        rejection: &Rejection<'_>,
    ) -> Result<(), AnswerError> {
        let result = self.session.stop_publish(stream_id, rejection);
        self.drain();
        result
    }

    /// Sends `onStatus` on a message stream (0 is the connection).
    ///
    /// # Errors
    /// As the session's.
    pub fn status(
        &mut self,
        stream_id: u32,
        level: Level,
        code: &str,
        description: &str,
    ) -> Result<(), AnswerError> {
        let result = self.session.status(stream_id, level, code, description);
        self.drain();
        result
    }

    /// Asks the peer to connect again, to another URL or to the same.
    ///
    /// # Errors
    /// As the session's.
    pub fn request_reconnect(
        &mut self,
        tc_url: Option<&str>,
        description: &str,
    ) -> Result<(), AnswerError> {
        let result = self.session.request_reconnect(tc_url, description);
        self.drain();
        result
    }

    /// Sends any command.
    ///
    /// # Errors
    /// As the session's.
    pub fn send_command(
        &mut self,
        stream_id: u32,
        name: &str,
        transaction: f64,
        arguments: Vec<Value>,
    ) -> Result<(), AnswerError> {
        let result = self.session.send_command(stream_id, name, transaction, arguments);
        self.drain();
        result
    }

    /// Sends stream begin.
    pub fn stream_begin(&mut self, stream_id: u32) {
        self.session.stream_begin(stream_id);
        self.drain();
    }

    /// Sends stream end.
    pub fn stream_eof(&mut self, stream_id: u32) {
        self.session.stream_eof(stream_id);
        self.drain();
    }

    /// Sends stream is recorded.
    pub fn stream_is_recorded(&mut self, stream_id: u32) {
        self.session.stream_is_recorded(stream_id);
        self.drain();
    }

    /// Sends a ping.
    pub fn ping(&mut self, timestamp: u32) {
        self.session.ping(timestamp);
        self.drain();
    }
}
