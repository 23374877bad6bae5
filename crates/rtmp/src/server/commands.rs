//! Which command does what, and the answers that need no decision of the caller.
//!
//! `connect`, `publish` and `play` stand in `requests`. Optional commands of Flash Media Server
//! (`releaseStream`, `FCPublish` ...) are answered when they carry a transaction id: ffmpeg and
//! OBS go on without, Flash Media Live Encoder waits for `onFCPublish`. None of them is ever
//! answered with `_error`, which ffmpeg takes for the end.

use super::streams::StreamState;
use super::{EndReason, ServerEvent, ServerSession, UnknownCommand};
use crate::command::Command;
use crate::session::{Early, Level, SessionError};
use millstream_amf0::{Object, Value};

type Outcome = Result<Option<ServerEvent>, SessionError>;

impl ServerSession {
    pub(super) fn command(&mut self, command: Command) -> Outcome {
        if command.name == "connect" {
            return self.connect(command);
        }
        self.require_connected(match command.name.as_str() {
            "publish" => Early::Publish,
            "play" => Early::Play,
            _ => Early::Command,
        })?;
        match command.name.as_str() {
            "createStream" => self.create_stream(&command),
            "publish" => self.publish(&command),
            "play" => self.play(&command),
            "play2" => self.play2(&command),
            "closeStream" => Ok(self.close_stream(command.stream_id, EndReason::CloseStream)),
            "deleteStream" => Ok(self.delete_stream(&command)),
            "FCPublish" => Ok(self.fc_publish(&command)),
            "FCUnpublish" => Ok(self.fc_unpublish(&command)),
            "FCSubscribe" => Ok(self.fc_subscribe(&command)),
            "releaseStream" | "_checkbw" | "FCUnsubscribe" => {
                self.answer(&command, Value::Undefined);
                Ok(None)
            }
            "checkBandwidth" => {
                self.answer(&command, Value::Undefined);
                self.push(&Command::new(0, "onBWDone", 0.0, vec![]));
                Ok(None)
            }
            "getStreamLength" => {
                // A live stream has no length; ffmpeg then shows none.
                self.answer(&command, Value::Number(0.0));
                Ok(None)
            }
            "pause" | "pauseRaw" => Ok(self.player(&command, |stream_id| ServerEvent::Pause {
                stream_id,
                paused: flag(command.argument(1)),
                ms: number(command.argument(2)),
            })),
            "seek" => Ok(self.player(&command, |stream_id| ServerEvent::Seek {
                stream_id,
                ms: number(command.argument(1)),
            })),
            "receiveAudio" => Ok(self.player(&command, |stream_id| ServerEvent::ReceiveAudio {
                stream_id,
                on: flag(command.argument(1)),
            })),
            "receiveVideo" => Ok(self.player(&command, |stream_id| ServerEvent::ReceiveVideo {
                stream_id,
                on: flag(command.argument(1)),
            })),
            // Answers to what a caller asked with `send_command`, and notices: nothing to do.
            "_result" | "_error" | "onStatus" => Ok(None),
            _ => Ok(Some(ServerEvent::UnknownCommand(Box::new(UnknownCommand {
                stream_id: command.stream_id,
                name: command.name,
                transaction: command.transaction,
                arguments: command.arguments,
            })))),
        }
    }

    /// The answer carries the transaction id as sent, whatever it is: without an answer, the peer
    /// cannot go on.
    fn create_stream(&mut self, command: &Command) -> Outcome {
        match self.streams.create() {
            Some(id) => {
                let result = vec![Value::from(id)];
                self.push(&Command::new(0, "_result", command.transaction, result));
                Ok(None)
            }
            None => {
                let information = information(
                    Level::Error,
                    "NetConnection.Call.Failed",
                    "Too many message streams.",
                );
                let error = vec![information.into()];
                self.push(&Command::new(0, "_error", command.transaction, error));
                self.count_refusal()?;
                Ok(None)
            }
        }
    }

    fn play2(&mut self, command: &Command) -> Outcome {
        let information =
            information(Level::Error, "NetStream.Play.Failed", "play2 is not supported.");
        self.push_status(command.stream_id, information);
        self.count_refusal()?;
        Ok(None)
    }

    /// The stream stays, idle; what it did ends.
    pub(super) fn close_stream(
        &mut self,
        stream_id: u32,
        reason: EndReason,
    ) -> Option<ServerEvent> {
        let stream = self.streams.get_mut(stream_id)?;
        let ended = std::mem::replace(&mut stream.state, StreamState::Idle);
        let event = ended_event(stream_id, &ended, reason);
        if matches!(ended, StreamState::Publishing { .. }) {
            let (code, text) = ("NetStream.Unpublish.Success", "Stream is now unpublished.");
            self.push_status(stream_id, information(Level::Status, code, text));
        }
        event
    }

    /// `deleteStream` comes on stream 0 with the id as an argument; where that is missing, the
    /// stream it came on is meant.
    fn delete_stream(&mut self, command: &Command) -> Option<ServerEvent> {
        let id = command.argument(1).as_number().map_or(command.stream_id, |id| id as u32);
        let stream = self.streams.remove(id)?;
        ended_event(id, &stream.state, EndReason::DeleteStream)
    }

    fn fc_publish(&mut self, command: &Command) -> Option<ServerEvent> {
        self.answer(command, Value::Undefined);
        self.push_notice("onFCPublish", "NetStream.Publish.Start", command);
        None
    }

    fn fc_subscribe(&mut self, command: &Command) -> Option<ServerEvent> {
        self.push_notice("onFCSubscribe", "NetStream.Play.Start", command);
        None
    }

    fn fc_unpublish(&mut self, command: &Command) -> Option<ServerEvent> {
        self.answer(command, Value::Undefined);
        self.push_notice("onFCUnpublish", "NetStream.Unpublish.Success", command);
        let id = self.streams.publisher_named(command.argument(1).as_str()?)?;
        self.close_stream(id, EndReason::FcUnpublish)
    }

    /// An event about a player; nothing when the stream does not play.
    fn player(
        &mut self,
        command: &Command,
        event: impl FnOnce(u32) -> ServerEvent,
    ) -> Option<ServerEvent> {
        let stream = self.streams.get(command.stream_id)?;
        let plays = matches!(stream.state, StreamState::Playing | StreamState::PlayAsked(_));
        plays.then(|| event(command.stream_id))
    }

    /// `_result` with one value, if the peer waits for one. GStreamer sends 0 and does not.
    fn answer(&mut self, command: &Command, value: Value) {
        if let Some(transaction) = command.answer_to() {
            self.push(&Command::new(0, "_result", transaction, vec![value]));
        }
    }

    /// One of the `onFC...` notices, whose description is the stream's name. The peer sent that
    /// name in a command, so that it can be sent back in one.
    fn push_notice(&mut self, notice: &str, code: &str, command: &Command) {
        let name = command.argument(1).as_str().unwrap_or_default();
        let information = Object::new().with("code", code).with("description", name);
        self.push(&Command::new(0, notice, 0.0, vec![information.into()]));
    }

    /// Appends an answer made of our own words and of names out of a command.
    pub(super) fn push(&mut self, command: &Command) {
        let message = command
            .encode()
            .expect("short texts and flat objects of our own are always within AMF0's bounds");
        self.outgoing.push_back(message);
    }

    /// Appends an `onStatus` of our own words.
    pub(super) fn push_status(&mut self, stream_id: u32, information: Object) {
        self.push(&Command::new(stream_id, "onStatus", 0.0, vec![information.into()]));
    }
}

/// The end of what a stream was doing, as an event.
fn ended_event(stream_id: u32, ended: &StreamState, reason: EndReason) -> Option<ServerEvent> {
    match ended {
        StreamState::Idle => None,
        StreamState::Publishing { .. } | StreamState::PublishAsked(_) => {
            Some(ServerEvent::Unpublish { stream_id, reason })
        }
        StreamState::Playing | StreamState::PlayAsked(_) => {
            Some(ServerEvent::StopPlay { stream_id, reason })
        }
    }
}

/// An information object (7.2.2).
pub(super) fn information(level: Level, code: &str, description: &str) -> Object {
    Object::new().with("level", level.name()).with("code", code).with("description", description)
}

/// A boolean argument; numbers count as in ActionScript.
pub(super) fn flag(value: &Value) -> bool {
    match value {
        Value::Boolean(on) => *on,
        Value::Number(number) => *number != 0.0,
        _ => false,
    }
}

/// A number argument, 0 for anything else and for NaN.
pub(super) fn number(value: &Value) -> f64 {
    value.as_number().filter(|number| number.is_finite()).unwrap_or(0.0)
}
