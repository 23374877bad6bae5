//! The caller's answers to `connect`, `publish` and `play`.
//!
//! Nothing here fails for the peer's fault: an [`AnswerError`] means that there is nobody to
//! answer any more, or that the caller mistook a stream.

use super::commands::information;
use super::connect::accepted;
use super::streams::StreamState;
use super::{Phase, ServerSession};
use crate::command::{COMMAND_CHUNK_STREAM, Command, payload_of};
use crate::control::{BandwidthLimit, Control, UserControl};
use crate::message::{Message, MessageType};
use crate::session::{AnswerError, Level, Rejection, RequestId};
use millstream_amf0::{EncodeError, Object, Value};

impl ServerSession {
    /// Lets the peer in: windows, the chunk size and `_result`. What the peer sent meanwhile is
    /// released: look for events again.
    ///
    /// # Errors
    /// [`AnswerError::NotOpen`].
    pub fn accept_connect(&mut self, request: RequestId) -> Result<(), AnswerError> {
        let (transaction, held) = self.close_connect(request, Phase::Connected)?;
        let settings = self.settings;
        for control in [
            Control::WindowAckSize(settings.window_ack_size),
            Control::SetPeerBandwidth {
                size: settings.peer_bandwidth,
                limit: BandwidthLimit::Dynamic,
            },
            Control::SetChunkSize(settings.chunk_size),
        ] {
            self.outgoing.push_back(control.encode());
        }
        self.push(&Command {
            stream_id: 0,
            name: "_result".to_owned(),
            transaction,
            arguments: accepted(&self.fms_ver, settings.caps_ex).into(),
        });
        self.release(held);
        Ok(())
    }

    /// Refuses the peer. Send the output, then close.
    ///
    /// # Errors
    /// [`AnswerError::NotOpen`], [`AnswerError::NotEncodable`].
    pub fn reject_connect(
        &mut self,
        request: RequestId,
        rejection: &Rejection<'_>,
    ) -> Result<(), AnswerError> {
        let information = information(Level::Error, rejection.code, rejection.description);
        self.refuse_connect(request, information)
    }

    /// Refuses the peer and names the URL to connect to instead. Send the output, then close.
    /// librtmp and ffmpeg do not follow it; Flash, Larix and this crate's client report it.
    ///
    /// # Errors
    /// [`AnswerError::NotOpen`], [`AnswerError::NotEncodable`].
    pub fn redirect_connect(&mut self, request: RequestId, url: &str) -> Result<(), AnswerError> {
        let rejection = Rejection::connect("Connect elsewhere.");
        let extra = Object::new().with("code", 302.0).with("redirect", url);
        let information = information(Level::Error, rejection.code, rejection.description);
        self.refuse_connect(request, information.with("ex", extra))
    }

    /// Starts the publisher. What it sent meanwhile is released: look for events again.
    ///
    /// # Errors
    /// [`AnswerError::NotOpen`] when the peer withdrew it, or it was answered before.
    pub fn accept_publish(&mut self, request: RequestId) -> Result<(), AnswerError> {
        let stream = self.streams.publish_asked(request).ok_or(AnswerError::NotOpen)?;
        let stream_id = stream.id;
        let StreamState::PublishAsked(asked) =
            std::mem::replace(&mut stream.state, StreamState::Idle)
        else {
            return Err(AnswerError::NotOpen);
        };
        let description = format!("{} is now published.", asked.name);
        stream.state = StreamState::Publishing { name: asked.name };
        self.push_user(UserControl::StreamBegin(stream_id));
        let code = "NetStream.Publish.Start";
        self.push_status(stream_id, information(Level::Status, code, &description));
        self.release(asked.held.into_messages());
        Ok(())
    }

    /// Refuses the publisher; its message stream is idle again and may try another name. After too
    /// many refusals, the next `receive` ends the session.
    ///
    /// # Errors
    /// [`AnswerError::NotOpen`], [`AnswerError::NotEncodable`].
    pub fn reject_publish(
        &mut self,
        request: RequestId,
        rejection: &Rejection<'_>,
    ) -> Result<(), AnswerError> {
        let stream_id = self.streams.publish_asked(request).ok_or(AnswerError::NotOpen)?.id;
        self.refuse_stream_request(stream_id, rejection)?;
        self.count_rejection();
        Ok(())
    }

    /// Starts the player: stream begin, `NetStream.Play.Reset` (if it asked for that),
    /// `NetStream.Play.Start`, and what [`flash_data`](super::ServerOptions::flash_data) adds.
    /// Media may follow on the player's message stream.
    ///
    /// # Errors
    /// [`AnswerError::NotOpen`] when the peer withdrew it, or it was answered before.
    pub fn accept_play(&mut self, request: RequestId) -> Result<(), AnswerError> {
        let stream = self.streams.play_asked(request).ok_or(AnswerError::NotOpen)?;
        let stream_id = stream.id;
        let StreamState::PlayAsked(asked) =
            std::mem::replace(&mut stream.state, StreamState::Playing)
        else {
            return Err(AnswerError::NotOpen);
        };
        self.push_user(UserControl::StreamBegin(stream_id));
        let mut statuses =
            vec![("NetStream.Play.Start", format!("Started playing {}.", asked.name))];
        if asked.reset {
            let description = format!("Playing and resetting {}.", asked.name);
            statuses.insert(0, ("NetStream.Play.Reset", description));
        }
        for (code, description) in statuses {
            let details = Value::from(&*asked.name);
            let information = information(Level::Status, code, &description);
            self.push_status(stream_id, information.with("details", details));
        }
        if self.settings.flash_data {
            self.push_flash_data(stream_id);
        }
        Ok(())
    }

    fn push_flash_data(&mut self, stream_id: u32) {
        let access = ["|RtmpSampleAccess".into(), true.into(), true.into()];
        let start = Object::new().with("code", "NetStream.Data.Start");
        let start = ["onStatus".into(), start.into()];
        for values in [&access[..], &start[..]] {
            let message = data_message(stream_id, values)
                .expect("fixed texts of our own are always within AMF0's bounds");
            self.outgoing.push_back(message);
        }
    }

    /// Refuses the player; its message stream is idle again. After too many refusals, the next
    /// `receive` ends the session.
    ///
    /// # Errors
    /// [`AnswerError::NotOpen`], [`AnswerError::NotEncodable`].
    pub fn reject_play(
        &mut self,
        request: RequestId,
        rejection: &Rejection<'_>,
    ) -> Result<(), AnswerError> {
        let stream_id = self.streams.play_asked(request).ok_or(AnswerError::NotOpen)?.id;
        self.refuse_stream_request(stream_id, rejection)?;
        self.count_rejection();
        Ok(())
    }

    /// A rejection by the caller counts as any other: a peer in a loop would cost the caller a
    /// decision, and a line of its log, for ever. The error waits for the next `receive`.
    fn count_rejection(&mut self) {
        if let Err(error) = self.count_refusal() {
            self.fault = Some(Box::new(error));
        }
    }

    pub(super) fn refuse_stream_request(
        &mut self,
        stream_id: u32,
        rejection: &Rejection<'_>,
    ) -> Result<(), AnswerError> {
        self.status(stream_id, Level::Error, rejection.code, rejection.description)?;
        if let Some(stream) = self.streams.get_mut(stream_id) {
            stream.state = StreamState::Idle;
        }
        Ok(())
    }

    fn refuse_connect(
        &mut self,
        request: RequestId,
        information: Object,
    ) -> Result<(), AnswerError> {
        let Phase::Connecting(connecting) = &self.phase else {
            return Err(AnswerError::NotOpen);
        };
        let transaction = connecting.transaction;
        let message = Command::new(0, "_error", transaction, vec![information.into()]).encode()?;
        self.close_connect(request, Phase::Refused)?;
        self.outgoing.push_back(message);
        Ok(())
    }

    /// Ends the phase of connecting: the transaction to answer, and what was held.
    fn close_connect(
        &mut self,
        request: RequestId,
        next: Phase,
    ) -> Result<(f64, Vec<Message>), AnswerError> {
        match std::mem::replace(&mut self.phase, next) {
            Phase::Connecting(connecting) if connecting.request == request => {
                Ok((connecting.transaction, connecting.held.into_messages()))
            }
            other => {
                self.phase = other;
                Err(AnswerError::NotOpen)
            }
        }
    }

    /// Takes in what was held. An error is the peer's, not the answering caller's, so that it
    /// waits for the next `receive`.
    fn release(&mut self, held: Vec<Message>) {
        for message in held {
            match self.step(message) {
                Ok(event) => event.into_iter().for_each(|event| self.events.push_back(event)),
                Err(error) => {
                    self.fault = Some(Box::new(error));
                    return;
                }
            }
        }
    }
}

/// A data message of our own.
fn data_message(stream_id: u32, values: &[Value]) -> Result<Message, EncodeError> {
    Ok(Message {
        chunk_stream_id: COMMAND_CHUNK_STREAM,
        timestamp: 0,
        kind: MessageType::DATA_AMF0,
        stream_id,
        payload: payload_of(values)?,
    })
}
