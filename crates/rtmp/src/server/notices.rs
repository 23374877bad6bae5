//! What the caller says to the peer unasked: beginnings, ends, statuses, pings.
//!
//! Answers to requests stand in `answers`.

use super::ServerSession;
use super::commands::information;
use super::streams::StreamState;
use crate::command::Command;
use crate::control::{Control, UserControl};
use crate::session::{AnswerError, Level, Rejection};
use millstream_amf0::Value;

impl ServerSession {
    /// Tells a player that its publisher ended and that no more will come for now:
    /// `NetStream.Play.UnpublishNotify`. [`ServerSession::stream_eof`] is to follow, but not at
    /// once: GStreamer's rtmp2src throws away the message it holds when that arrives. The player
    /// stays and may be given another publisher with [`ServerSession::publish_notify`]; ffmpeg and
    /// librtmp hang up by themselves.
    ///
    /// # Errors
    /// [`AnswerError::WrongState`] when nothing plays on this message stream.
    pub fn unpublish_notify(&mut self, stream_id: u32) -> Result<(), AnswerError> {
        self.require_player(stream_id)?;
        let text = "The publisher has gone.";
        let code = "NetStream.Play.UnpublishNotify";
        self.push_status(stream_id, information(Level::Status, code, text));
        Ok(())
    }

    /// Tells a player that a publisher has come.
    ///
    /// # Errors
    /// [`AnswerError::WrongState`] when nothing plays on this message stream.
    pub fn publish_notify(&mut self, stream_id: u32) -> Result<(), AnswerError> {
        self.require_player(stream_id)?;
        self.push_user(UserControl::StreamBegin(stream_id));
        let text = "A publisher has come.";
        let code = "NetStream.Play.PublishNotify";
        self.push_status(stream_id, information(Level::Status, code, text));
        Ok(())
    }

    /// Ends a player: stream end and `NetStream.Play.Stop`. Its message stream is idle again.
    ///
    /// # Errors
    /// [`AnswerError::WrongState`] when nothing plays on this message stream.
    pub fn stop_play(&mut self, stream_id: u32) -> Result<(), AnswerError> {
        self.require_player(stream_id)?;
        if let Some(stream) = self.streams.get_mut(stream_id) {
            stream.state = StreamState::Idle;
        }
        self.push_user(UserControl::StreamEof(stream_id));
        let (code, text) = ("NetStream.Play.Stop", "Stopped playing.");
        self.push_status(stream_id, information(Level::Status, code, text));
        Ok(())
    }

    /// Ends a publisher from our side, with the status given. Its message stream is idle again,
    /// and what it still sends is dropped.
    ///
    /// # Errors
    /// [`AnswerError::WrongState`] when nothing publishes on this message stream,
    /// [`AnswerError::NotEncodable`].
    pub fn stop_publish(
        &mut self,
        stream_id: u32,
        rejection: &Rejection<'_>,
    ) -> Result<(), AnswerError> {
        match self.streams.get(stream_id).map(|stream| &stream.state) {
            Some(StreamState::Publishing { .. }) => {
                self.refuse_stream_request(stream_id, rejection)
            }
            _ => Err(AnswerError::WrongState),
        }
    }

    /// Sends `onStatus` on a message stream (0 is the connection).
    ///
    /// # Errors
    /// [`AnswerError::NotEncodable`].
    pub fn status(
        &mut self,
        stream_id: u32,
        level: Level,
        code: &str,
        description: &str,
    ) -> Result<(), AnswerError> {
        let information = information(level, code, description);
        self.send_command(stream_id, "onStatus", 0.0, vec![information.into()])
    }

    /// Asks the peer to connect again, to another URL or to the same (Enhanced RTMP v2,
    /// `NetConnection.Connect.ReconnectRequest`). Only for peers whose [`caps_ex`] says that they
    /// understand it.
    ///
    /// [`caps_ex`]: super::Connect::caps_ex
    ///
    /// # Errors
    /// [`AnswerError::NotEncodable`].
    pub fn request_reconnect(
        &mut self,
        tc_url: Option<&str>,
        description: &str,
    ) -> Result<(), AnswerError> {
        let code = "NetConnection.Connect.ReconnectRequest";
        let mut information = information(Level::Status, code, description);
        if let Some(url) = tc_url {
            information.insert("tcUrl", url);
        }
        self.send_command(0, "onStatus", 0.0, vec![information.into()])
    }

    /// Sends any command: null for the command object, then the arguments.
    ///
    /// # Errors
    /// [`AnswerError::NotEncodable`].
    pub fn send_command(
        &mut self,
        stream_id: u32,
        name: &str,
        transaction: f64,
        arguments: Vec<Value>,
    ) -> Result<(), AnswerError> {
        self.outgoing.push_back(Command::new(stream_id, name, transaction, arguments).encode()?);
        Ok(())
    }

    /// Sends stream begin.
    pub fn stream_begin(&mut self, stream_id: u32) {
        self.push_user(UserControl::StreamBegin(stream_id));
    }

    /// Sends stream end.
    pub fn stream_eof(&mut self, stream_id: u32) {
        self.push_user(UserControl::StreamEof(stream_id));
    }

    /// Sends stream is recorded.
    pub fn stream_is_recorded(&mut self, stream_id: u32) {
        self.push_user(UserControl::StreamIsRecorded(stream_id));
    }

    /// Sends a ping; [`ServerEvent::Pong`](super::ServerEvent::Pong) brings the timestamp back.
    pub fn ping(&mut self, timestamp: u32) {
        self.push_user(UserControl::PingRequest(timestamp));
    }

    pub(super) fn push_user(&mut self, control: UserControl) {
        self.outgoing.push_back(Control::User(control).encode());
    }

    fn require_player(&self, stream_id: u32) -> Result<(), AnswerError> {
        match self.streams.get(stream_id).map(|stream| &stream.state) {
            Some(StreamState::Playing) => Ok(()),
            _ => Err(AnswerError::WrongState),
        }
    }
}
