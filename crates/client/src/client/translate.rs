//! What the session's events are to a caller who thinks in publishes and plays, not in message
//! streams. Statuses become what they mean; words are cleared of secrets.

use super::{Client, Event, Stop, Stream};
use crate::error::{Aim, Refusal};
use millstream_flv::{Tag, TagKind};
use millstream_rtmp::client::{ClientEvent, Status};
use millstream_rtmp::message::{Message, MessageType};
use millstream_rtmp::session::{Level, RequestId};

impl Client {
    /// Turns an event of the session into what is reported.
    pub(super) fn translate(&mut self, event: ClientEvent) {
        let event = match event {
            ClientEvent::Connected(connected) => {
                self.was_connected = true;
                Event::Connected(connected)
            }
            ClientEvent::ConnectRefused(told) => {
                self.end_all();
                let (aim, redirect) = (Aim::Connect, told.redirect);
                self.refusal(None, aim, &told.code, &told.description, redirect)
            }
            ClientEvent::Publishing { request, stream_id } => {
                self.uplink.open(request, stream_id);
                Event::Publishing(request)
            }
            ClientEvent::Playing { request, .. } => Event::Playing(request),
            ClientEvent::Refused(told) => {
                let aim = self.forget(told.request);
                self.refusal(Some(told.request), aim, &told.code, &told.description, None)
            }
            ClientEvent::Media(message) => {
                let stream = self.play_on(message.stream_id);
                Event::Media { stream: stream.map(|stream| stream.id), tag: tag_of(message) }
            }
            ClientEvent::Data(data) => {
                let stream = self.play_on(data.stream_id);
                Event::Data { stream: stream.map(|stream| stream.id), data }
            }
            ClientEvent::Status(status) => self.status(status),
            ClientEvent::StreamBegin { stream_id } => {
                match self.play_on(stream_id) {
                    Some(stream) => Event::Begun(stream.id),
                    // Servers begin message stream 0 on each connection.
                    None => return,
                }
            }
            ClientEvent::StreamEof { stream_id } => match self.play_on(stream_id) {
                Some(stream) => Event::Stopped { stream: stream.id, why: Stop::Eof },
                None => return,
            },
            ClientEvent::Reconnect(mut told) => {
                told.description = self.secrets.redact(&told.description);
                Event::Reconnect(told)
            }
            ClientEvent::Pong { timestamp } => Event::Pong { timestamp },
            ClientEvent::Acknowledged { bytes } => Event::Acknowledged { bytes },
            ClientEvent::Closed => {
                self.closed_while = Some(self.aim());
                self.end_all();
                // Nothing is sent any more, ends of publishes neither.
                self.uplink.clear();
                Event::Closed
            }
            ClientEvent::Command(command) => Event::Command(command),
            _ => return,
        };
        self.events.push_back(event);
    }

    fn status(&mut self, mut status: Box<Status>) -> Event {
        let is_error = status.level == Level::Error;
        // Servers that mean the only stream of a connection name message stream 0, and some that refuse it
        // any other.
        let open = self.on(status.stream_id).or_else(|| match &self.streams[..] {
            [only] if status.stream_id == 0 || is_error => Some(*only),
            _ => None,
        });
        if is_error && (open.is_some() || status.stream_id == 0) {
            let aim = open.map_or(Aim::Connect, |stream| stream.aim);
            match open {
                Some(stream) => {
                    self.forget(stream.id);
                    // The server may have freed it already, which is all the same.
                    let _ = self.wire.close(stream.id);
                }
                None => self.end_all(),
            }
            let (code, description) = (&status.code, &status.description);
            return self.refusal(open.map(|stream| stream.id), aim, code, description, None);
        }
        if let Some(Stream { id: stream, aim: Aim::Play, .. }) = open {
            let stopped = |why| Event::Stopped { stream, why };
            match status.code.as_str() {
                "NetStream.Play.Reset" => return Event::Reset(stream),
                "NetStream.Play.PublishNotify" => return Event::Begun(stream),
                "NetStream.Play.UnpublishNotify" => return stopped(Stop::Unpublished),
                "NetStream.Play.Stop" => return stopped(Stop::Stopped),
                "NetStream.Play.Complete" => return stopped(Stop::Complete),
                _ => {}
            }
        }
        status.code = self.secrets.redact(&status.code);
        status.description = self.secrets.redact(&status.description);
        Event::Status { stream: open.map(|stream| stream.id), status }
    }

    fn refusal(
        &self,
        stream: Option<RequestId>,
        aim: Aim,
        code: &str,
        description: &str,
        redirect: Option<String>,
    ) -> Event {
        let (code, description) = (self.secrets.redact(code), self.secrets.redact(description));
        Event::Refused(Box::new(Refusal { stream, aim, code, description, redirect }))
    }

    fn on(&self, message_stream: u32) -> Option<Stream> {
        let id = self.wire.request_on(message_stream)?;
        self.streams.iter().find(|stream| stream.id == id).copied()
    }

    fn play_on(&self, message_stream: u32) -> Option<Stream> {
        self.on(message_stream).filter(|stream| stream.aim == Aim::Play)
    }

    /// A stream has ended by the server's will.
    fn forget(&mut self, id: RequestId) -> Aim {
        self.uplink.forget(id);
        match self.streams.iter().position(|stream| stream.id == id) {
            Some(at) => self.streams.remove(at).aim,
            None => Aim::Connect,
        }
    }

    fn end_all(&mut self) {
        for stream in std::mem::take(&mut self.streams) {
            self.uplink.forget(stream.id);
        }
    }
}

fn tag_of(message: Message) -> Tag {
    let Message { kind, timestamp, payload, .. } = message;
    let kind = if kind == MessageType::AUDIO { TagKind::Audio } else { TagKind::Video };
    Tag { kind, timestamp, payload }
}
