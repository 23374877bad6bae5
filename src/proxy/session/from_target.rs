//! What the target does, and what of it goes on to the client.

use super::resume::whole;
use super::route::Aim;
use super::upstream::UpstreamId;
use super::{Loss, Session};
use millstream_rtmp::client::{ClientEvent, ServerCommand, Status};
use millstream_rtmp::message::MessageType;
use millstream_rtmp::session::{Level, RequestId};
use std::time::Instant;

impl Session {
    pub(super) fn target_event(&mut self, id: UpstreamId, event: ClientEvent, now: Instant) {
        match event {
            ClientEvent::Publishing { request, stream_id }
            | ClientEvent::Playing { request, stream_id } => {
                self.accepted(id, request, stream_id, now);
            }
            ClientEvent::Refused(refused) => {
                self.refused(id, refused.request, &refused.code, &refused.description, now);
            }
            ClientEvent::ConnectRefused(refused) => {
                self.connect_refused(id, &refused.code, &refused.description, now);
            }
            ClientEvent::Media(message) => {
                if let Some(stream_id) = self.player(id, message.stream_id) {
                    let (kind, payload) = (message.kind, &message.payload);
                    self.play_on(stream_id, kind, message.timestamp, payload);
                }
            }
            ClientEvent::Data(data) => {
                if let Some(stream_id) = self.player(id, data.stream_id) {
                    let kind = MessageType::DATA_AMF0;
                    self.play_on(stream_id, kind, data.timestamp, &whole(&data));
                }
            }
            ClientEvent::Status(status) => self.status(id, &status),
            ClientEvent::StreamBegin { stream_id } => {
                if let Some(stream_id) = self.player(id, stream_id) {
                    self.stopped(stream_id, false);
                    self.client.stream_begin(stream_id);
                }
            }
            ClientEvent::StreamEof { stream_id } => {
                if let Some(stream_id) = self.player(id, stream_id) {
                    self.stopped(stream_id, true);
                    self.client.stream_eof(stream_id);
                }
            }
            ClientEvent::Reconnect(_) => self.target_lost(id, Loss::Reconnect, now),
            ClientEvent::Closed => self.target_lost(id, Loss::Closed, now),
            ClientEvent::Command(command) => self.command(id, *command),
            // Connected: what was asked goes out by itself. Pongs and acknowledgements end here.
            _ => {}
        }
        self.collect_client();
    }

    /// The client's message stream of what is played there and has begun.
    fn player(&mut self, id: UpstreamId, target_stream: u32) -> Option<u32> {
        let route = self.routes.of_target(id, target_stream)?;
        matches!(route.aim, Aim::Play(_)).then_some(route.stream_id)
    }

    fn stopped(&mut self, stream_id: u32, stopped: bool) {
        if let Some(route) = self.routes.of_client(stream_id) {
            route.stopped = stopped;
        }
    }

    fn accepted(&mut self, id: UpstreamId, request: RequestId, target_stream: u32, now: Instant) {
        let Some(route) = self.routes.asked(id, request) else { return };
        route.running = Some(target_stream);
        let asked = route.asked.take().map(|(asked, _)| asked);
        let what = match &mut route.aim {
            Aim::Publish { resume, .. } => {
                if asked.is_none() {
                    resume.shut(now);
                }
                "publish"
            }
            Aim::Play(_) => "play",
        };
        let (publishes, buffer_ms) = match &route.aim {
            Aim::Publish { .. } => (true, None),
            Aim::Play(options) => (false, Some(options.buffer_ms)),
        };
        let url = route.url.clone();
        let mut away = None;
        if let Some(upstream) = self.upstreams.iter_mut().find(|to| to.id == id) {
            away = upstream.failing.as_ref().map(|(since, _)| now.duration_since(*since));
            upstream.succeeded(now);
            if let (Some(ms), Some(wire)) = (buffer_ms, upstream.wire()) {
                let _ = wire.set_buffer_length(request, ms);
            }
            upstream.collect();
        }
        let session = self.id;
        let Some(asked) = asked else {
            self.figures.returns.add(1);
            let away_s = away.unwrap_or_default().as_secs_f64();
            tracing::info!(session, to = %url, away_s, "{what} goes on: the target is back");
            return;
        };
        tracing::info!(session, to = %url, "{what} started");
        // Who has gone meanwhile has withdrawn its request before.
        if publishes {
            self.figures.publishes.add(1);
            let _ = self.client.accept_publish(asked);
        } else {
            self.figures.plays.add(1);
            let _ = self.client.accept_play(asked);
        }
        self.collect_client();
        // What the client sent ahead of the answer is released.
        self.ahead_bytes = 0;
        self.client_bytes(&[], now);
    }

    fn refused(
        &mut self,
        id: UpstreamId,
        request: RequestId,
        code: &str,
        description: &str,
        now: Instant,
    ) {
        let Some(route) = self.routes.asked(id, request) else { return };
        // A player is told at once, for the target is there and says no.
        let publishes = matches!(route.aim, Aim::Publish { .. });
        let (stream_id, returns) = (route.stream_id, publishes && route.asked.is_none());
        let description = route.url.redact(description);
        route.request = None;
        let url = route.url.clone();
        let alone = self.routes.on(id).all(|route| route.running.is_none());
        if returns && alone {
            // The target may hold its end of the lost connection for alive, and so the name for taken.
            let code = code.to_owned();
            return self.target_lost(id, Loss::Refused { code, description }, now);
        }
        tracing::warn!(session = self.id, to = %url, code, "refused by the target: {description}");
        if let Some(route) = self.routes.remove(stream_id) {
            self.turn_away(&route, Some(code), &description);
        }
    }

    /// The whole connection is refused: so is all that was asked of it. What has run before waits for
    /// another one.
    fn connect_refused(&mut self, id: UpstreamId, code: &str, description: &str, now: Instant) {
        let asked = self.routes.on(id).filter(|route| route.asked.is_some());
        for stream_id in asked.map(|route| route.stream_id).collect::<Vec<_>>() {
            let Some(route) = self.routes.remove(stream_id) else { continue };
            let words = route.url.redact(description);
            tracing::warn!(session = self.id, to = %route.url, code, "refused by the target: {words}");
            self.turn_away(&route, Some(code), &words);
        }
        let url = self.upstream(id).map(|upstream| upstream.url.clone());
        let description = url.map_or_else(String::new, |url| url.redact(description));
        self.target_lost(id, Loss::Refused { code: code.to_owned(), description }, now);
    }

    /// A status goes on to the stream it is about. An error ends a publish, as encoders take it.
    fn status(&mut self, id: UpstreamId, status: &Status) {
        if status.code.starts_with("NetConnection.") {
            let Some(upstream) = self.upstream(id) else { return };
            let description = upstream.url.redact(&status.description);
            let _ = self.client.status(0, status.level, &status.code, &description);
            return;
        }
        let Some(route) = self.routes.of_target(id, status.stream_id) else { return };
        let description = route.url.redact(&status.description);
        let stream_id = route.stream_id;
        if status.level == Level::Error && matches!(route.aim, Aim::Publish { .. }) {
            tracing::warn!(
                session = self.id, to = %route.url, code = status.code,
                "ended by the target: {description}"
            );
            if let Some(route) = self.routes.remove(stream_id) {
                self.leave_target(&route);
                self.turn_away(&route, Some(&status.code), &description);
            }
            return;
        }
        match status.code.as_str() {
            "NetStream.Play.UnpublishNotify"
            | "NetStream.Play.Stop"
            | "NetStream.Play.Complete" => {
                self.stopped(stream_id, true);
            }
            "NetStream.Play.PublishNotify" | "NetStream.Play.Start" => {
                self.stopped(stream_id, false);
            }
            _ => {}
        }
        // Short texts: the target sent them in a command.
        let _ = self.client.status(stream_id, status.level, &status.code, &description);
    }

    /// The answer to a command of the client, or one of the target's own.
    fn command(&mut self, id: UpstreamId, command: ServerCommand) {
        let ServerCommand { stream_id, name, transaction, mut arguments } = command;
        if name == "_result" || name == "_error" {
            let is_answer = |call: &super::Call| {
                call.upstream == id && f64::from(call.transaction) == transaction
            };
            let Some(at) = self.calls.iter().position(is_answer) else { return };
            let call = self.calls.remove(at);
            if !arguments.is_empty() {
                arguments.remove(0);
            }
            let _ = self.client.send_command(0, &name, call.of_client, arguments);
            return;
        }
        let stream_id = match stream_id {
            0 => 0,
            id_there => match self.routes.of_target(id, id_there) {
                Some(route) => route.stream_id,
                None => return,
            },
        };
        if !arguments.is_empty() {
            arguments.remove(0);
        }
        // Without a transaction: an answer would find no way back.
        let _ = self.client.send_command(stream_id, &name, 0.0, arguments);
    }
}
