//! What the caller wants of the server.

use super::streams::{Aim, Stage, Stream};
use super::{ClientSession, Phase, PlayOptions};
use crate::chunk::{CHUNK_SIZE_MAX, MESSAGE_BYTES_MAX};
use crate::command::{Command, payload_of};
use crate::control::{Control, UserControl};
use crate::limits::CALLS_MAX;
use crate::message::{Message, MessageType};
use crate::session::{AnswerError, PublishMode, RequestId};
use bytes::Bytes;
use millstream_amf0::Value;

/// Chunk streams of what a publisher sends: each has headers of its own to be short against.
const AUDIO_CHUNK_STREAM: u32 = 4;
const DATA_CHUNK_STREAM: u32 = 5;
const VIDEO_CHUNK_STREAM: u32 = 6;

impl ClientSession {
    /// Sends Set Chunk Size and `connect`. A connection does so by itself after the handshake.
    ///
    /// # Errors
    /// [`AnswerError::WrongState`] when it was called before, [`AnswerError::NotEncodable`].
    pub fn connect(&mut self) -> Result<(), AnswerError> {
        if self.phase != Phase::New {
            return Err(AnswerError::WrongState);
        }
        let mut arguments = vec![Value::from(self.options.command_object())];
        arguments.extend(self.options.arguments.iter().cloned());
        let name = "connect".to_owned();
        let connect = Command { stream_id: 0, name, transaction: 1.0, arguments }.encode()?;
        self.transactions = 1;
        self.phase = Phase::Connecting;
        let chunk_size = self.options.chunk_size.clamp(1, CHUNK_SIZE_MAX);
        self.outgoing.push_back(Control::SetChunkSize(chunk_size).encode());
        self.outgoing.push_back(connect);
        Ok(())
    }

    /// Publishes under a name, query and all. The answer is an event with this request.
    ///
    /// # Errors
    /// [`AnswerError::WrongState`] when the session is closed or has as many streams as it may
    /// ([`MESSAGE_STREAMS_MAX`](crate::limits::MESSAGE_STREAMS_MAX)).
    pub fn publish(&mut self, name: &str, mode: PublishMode) -> Result<RequestId, AnswerError> {
        self.ask(name, Aim::Publish(mode))
    }

    /// Plays a name, query and all. The answer is an event with this request.
    ///
    /// # Errors
    /// As [`ClientSession::publish`].
    pub fn play(&mut self, name: &str, options: PlayOptions) -> Result<RequestId, AnswerError> {
        self.ask(name, Aim::Play(options))
    }

    /// Ends a publish or play, or takes the request back.
    ///
    /// # Errors
    /// [`AnswerError::NotOpen`] when it has ended before.
    pub fn close(&mut self, request: RequestId) -> Result<(), AnswerError> {
        let stream = self.streams.remove(request).ok_or(AnswerError::NotOpen)?;
        let Some(stream_id) = stream.stream_id() else {
            return Ok(());
        };
        if let Aim::Publish(_) = stream.aim {
            self.say("FCUnpublish", 0, vec![Value::from(&*stream.name)])?;
        }
        self.say("deleteStream", 0, vec![Value::from(stream_id)])?;
        Ok(())
    }

    /// Pauses a play or goes on, at a time in milliseconds.
    ///
    /// # Errors
    /// [`AnswerError::NotOpen`] when nothing plays under this request.
    pub fn pause(&mut self, request: RequestId, paused: bool, ms: f64) -> Result<(), AnswerError> {
        let stream = self.streams.find(|stream| stream.request == request);
        let stream_id = stream.and_then(|stream| stream.stream_id()).ok_or(AnswerError::NotOpen)?;
        self.say("pause", stream_id, vec![paused.into(), ms.into()]).map(drop)
    }

    /// Tells how much we buffer of a play, in milliseconds (RTMP 1.0, section 7.1.7).
    ///
    /// # Errors
    /// [`AnswerError::NotOpen`] when nothing plays under this request yet, or any more.
    pub fn set_buffer_length(&mut self, request: RequestId, ms: u32) -> Result<(), AnswerError> {
        let stream = self.streams.find(|stream| stream.request == request);
        let stream = stream.filter(|stream| matches!(stream.aim, Aim::Play(_)));
        let stream_id = stream.and_then(|stream| stream.stream_id()).ok_or(AnswerError::NotOpen)?;
        let buffer = Control::User(UserControl::SetBufferLength { stream_id, ms });
        self.outgoing.push_back(buffer.encode());
        Ok(())
    }

    /// Queues audio, video or data of the first publisher.
    ///
    /// # Errors
    /// [`AnswerError::WrongState`] when nothing is published,
    /// [`AnswerError::NotEncodable`] for a payload of 16 MiB or more.
    pub fn send_media(
        &mut self,
        kind: MessageType,
        timestamp: u32,
        payload: Bytes,
    ) -> Result<(), AnswerError> {
        let message = self.media_message(None, kind, timestamp, payload)?;
        self.outgoing.push_back(message);
        Ok(())
    }

    /// Queues audio, video or data of the publisher on this message stream.
    ///
    /// # Errors
    /// As [`ClientSession::send_media`].
    pub fn send_media_on(
        &mut self,
        stream_id: u32,
        kind: MessageType,
        timestamp: u32,
        payload: Bytes,
    ) -> Result<(), AnswerError> {
        let message = self.media_message(Some(stream_id), kind, timestamp, payload)?;
        self.outgoing.push_back(message);
        Ok(())
    }

    /// Queues `@setDataFrame` of the first publisher: `onMetaData` with these values.
    ///
    /// # Errors
    /// As [`ClientSession::send_media`].
    pub fn send_metadata(&mut self, timestamp: u32, metadata: Value) -> Result<(), AnswerError> {
        let payload = payload_of(&["@setDataFrame".into(), "onMetaData".into(), metadata])?;
        self.send_media(MessageType::DATA_AMF0, timestamp, payload)
    }

    /// Sends any command: null for the command object, then the arguments. Returns its
    /// transaction id. A `_result` or `_error` for it comes as [`ClientEvent::Command`], unless
    /// [`CALLS_MAX`] newer ones wait for theirs.
    ///
    /// [`ClientEvent::Command`]: super::ClientEvent::Command
    ///
    /// # Errors
    /// [`AnswerError::NotEncodable`].
    pub fn send_command(
        &mut self,
        stream_id: u32,
        name: &str,
        arguments: Vec<Value>,
    ) -> Result<u32, AnswerError> {
        let transaction = self.say(name, stream_id, arguments)?;
        if self.calls.len() >= CALLS_MAX {
            self.calls.pop_front();
        }
        self.calls.push_back(transaction);
        Ok(transaction)
    }

    /// Sends a ping.
    pub fn ping(&mut self, timestamp: u32) {
        let ping = Control::User(UserControl::PingRequest(timestamp));
        self.outgoing.push_back(ping.encode());
    }

    pub(crate) fn media_message(
        &self,
        stream_id: Option<u32>,
        kind: MessageType,
        timestamp: u32,
        payload: Bytes,
    ) -> Result<Message, AnswerError> {
        let stream_id = match stream_id {
            Some(id) => self.streams.is_publishing(id).then_some(id),
            None => self.streams.first_publishing(),
        };
        let stream_id = stream_id.ok_or(AnswerError::WrongState)?;
        if payload.len() > MESSAGE_BYTES_MAX as usize {
            return Err(AnswerError::NotEncodable);
        }
        let chunk_stream_id = match kind {
            MessageType::AUDIO => AUDIO_CHUNK_STREAM,
            MessageType::VIDEO => VIDEO_CHUNK_STREAM,
            _ => DATA_CHUNK_STREAM,
        };
        Ok(Message { chunk_stream_id, timestamp, kind, stream_id, payload })
    }

    fn ask(&mut self, name: &str, aim: Aim) -> Result<RequestId, AnswerError> {
        self.requests = self.requests.wrapping_add(1);
        let request = RequestId(self.requests);
        let stream = Stream { request, name: name.into(), aim, stage: Stage::Waiting };
        if self.phase == Phase::Closed || !self.streams.push(stream) {
            return Err(AnswerError::WrongState);
        }
        if self.phase == Phase::Connected {
            self.create(request)?;
        }
        Ok(request)
    }

    /// Asks for the message stream of a waiting request, as OBS does.
    pub(super) fn create(&mut self, request: RequestId) -> Result<(), AnswerError> {
        let Some(stream) = self.streams.find(|stream| stream.request == request) else {
            return Ok(());
        };
        let (name, aim) = (Value::from(&*stream.name), stream.aim);
        match aim {
            Aim::Publish(_) => {
                self.say("releaseStream", 0, vec![name.clone()])?;
                self.say("FCPublish", 0, vec![name])?;
            }
            Aim::Play(_) if self.window_told => {}
            Aim::Play(_) => {
                self.window_told = true;
                let window = Control::WindowAckSize(self.options.window_ack_size);
                self.outgoing.push_back(window.encode());
            }
        }
        let transaction = self.say("createStream", 0, vec![])?;
        if let Some(stream) = self.streams.find(|stream| stream.request == request) {
            stream.stage = Stage::Creating { transaction };
        }
        Ok(())
    }

    /// The message stream is there: `publish` or `play` on it.
    pub(super) fn start(&mut self, request: RequestId, stream_id: u32) -> Result<(), AnswerError> {
        let Some(stream) = self.streams.find(|stream| stream.request == request) else {
            return Ok(());
        };
        let (name, aim) = (Value::from(&*stream.name), stream.aim);
        let transaction = match aim {
            Aim::Publish(mode) => self.say("publish", stream_id, vec![name, mode.name().into()])?,
            Aim::Play(play) => {
                let mut arguments = vec![name, play.start.into()];
                // The defaults are left out, as ffmpeg and librtmp do.
                if play.duration != -1.0 || !play.reset {
                    arguments.extend([play.duration.into(), play.reset.into()]);
                }
                let transaction = self.say("play", stream_id, arguments)?;
                let ms = play.buffer_ms;
                let buffer = Control::User(UserControl::SetBufferLength { stream_id, ms });
                self.outgoing.push_back(buffer.encode());
                transaction
            }
        };
        if let Some(stream) = self.streams.find(|stream| stream.request == request) {
            stream.stage = Stage::Asked { stream_id, transaction };
        }
        Ok(())
    }

    fn say(
        &mut self,
        name: &str,
        stream_id: u32,
        arguments: Vec<Value>,
    ) -> Result<u32, AnswerError> {
        let transaction = self.transaction();
        let command = Command::new(stream_id, name, f64::from(transaction), arguments);
        self.outgoing.push_back(command.encode()?);
        Ok(transaction)
    }
}
