//! The three commands that the caller answers: `connect`, `publish` and `play`.

use super::commands::{flag, information};
use super::held::Held;
use super::streams::{PlayAsked, PublishAsked, StreamState};
use super::{Connect, Connecting, EndReason, Phase, Play, Publish, ServerEvent, ServerSession};
use crate::command::Command;
use crate::limits::NAME_BYTES_MAX;
use crate::session::{Level, PublishMode, SessionError, split_query};
use millstream_amf0::Value;

type Outcome = Result<Option<ServerEvent>, SessionError>;

impl ServerSession {
    pub(super) fn connect(&mut self, command: Command) -> Outcome {
        if !matches!(self.phase, Phase::New) {
            return Err(SessionError::ConnectTwice);
        }
        // The transaction id of connect is 1 by the specification; what is no number gets that.
        let transaction = command.answer_to().unwrap_or(1.0);
        let request = self.open_request();
        let connect = Connect::read(request, command)?;
        let held = Held::default();
        self.phase = Phase::Connecting(Box::new(Connecting { request, transaction, held }));
        Ok(Some(ServerEvent::Connect(Box::new(connect))))
    }

    pub(super) fn publish(&mut self, command: &Command) -> Outcome {
        let stream_id = command.stream_id;
        if let Value::Boolean(false) = command.argument(1) {
            return Ok(self.close_stream(stream_id, EndReason::CloseStream));
        }
        let sent = name_argument(command)?;
        let request = self.open_request();
        let Some(stream) = self.streams.get_or_insert(stream_id) else {
            return self.refuse_stream(stream_id, "NetStream.Publish.BadName");
        };
        if !matches!(stream.state, StreamState::Idle) {
            return Err(SessionError::StreamBusy { stream_id });
        }
        let (name, held) = (Box::from(sent), Held::default());
        stream.state = StreamState::PublishAsked(Box::new(PublishAsked { request, name, held }));
        let (name, query) = split_query(sent);
        Ok(Some(ServerEvent::Publish(Box::new(Publish {
            request,
            stream_id,
            name: name.to_owned(),
            query: query.map(str::to_owned),
            mode: command.argument(2).as_str().map_or(PublishMode::Live, PublishMode::from_name),
        }))))
    }

    pub(super) fn play(&mut self, command: &Command) -> Outcome {
        let stream_id = command.stream_id;
        if let Value::Boolean(false) = command.argument(1) {
            return Ok(self.close_stream(stream_id, EndReason::CloseStream));
        }
        let sent = name_argument(command)?;
        let request = self.open_request();
        let Some(stream) = self.streams.get_or_insert(stream_id) else {
            return self.refuse_stream(stream_id, "NetStream.Play.Failed");
        };
        let replaces = match &stream.state {
            StreamState::Idle => false,
            // A Flash player switches streams by another play on the same message stream.
            StreamState::Playing | StreamState::PlayAsked(_) => true,
            StreamState::Publishing { .. } | StreamState::PublishAsked(_) => {
                return Err(SessionError::StreamBusy { stream_id });
            }
        };
        // Absent, false and 0 apart, any value resets; 2 and 3 are Flash's variants of it.
        let reset = matches!(command.argument(4), Value::Undefined | Value::Null)
            || flag(command.argument(4));
        stream.state =
            StreamState::PlayAsked(Box::new(PlayAsked { request, name: sent.into(), reset }));
        let (name, query) = split_query(sent);
        let time = |index: usize, absent: f64| {
            command.argument(index).as_number().filter(|time| time.is_finite()).unwrap_or(absent)
        };
        let play = ServerEvent::Play(Box::new(Play {
            request,
            stream_id,
            name: name.to_owned(),
            query: query.map(str::to_owned),
            start: time(2, -2.0),
            duration: time(3, -1.0),
            reset,
        }));
        if !replaces {
            return Ok(Some(play));
        }
        self.events.push_back(ServerEvent::StopPlay { stream_id, reason: EndReason::Replaced });
        self.events.push_back(play);
        Ok(None)
    }

    /// Too many message streams used without `createStream`.
    fn refuse_stream(&mut self, stream_id: u32, code: &str) -> Outcome {
        self.push_status(stream_id, information(Level::Error, code, "Too many message streams."));
        self.count_refusal()?;
        Ok(None)
    }
}

/// The stream's name, empty when it is no string.
fn name_argument(command: &Command) -> Result<&str, SessionError> {
    let name = command.argument(1).as_str().unwrap_or_default();
    if name.len() > NAME_BYTES_MAX {
        return Err(SessionError::NameTooLong { bytes: name.len() });
    }
    Ok(name)
}
