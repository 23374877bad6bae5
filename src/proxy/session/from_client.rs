//! What the client does, and what of it goes on to the target.

use super::resume::{Resume, Step, whole};
use super::route::{Aim, Route};
use super::upstream::{State, Upstream, UpstreamId};
use super::{Call, Session};
use crate::limits;
use crate::proxy::policy::{Asked, Passage, Turned};
use bytes::Bytes;
use millstream_amf0::{Object, Value};
use millstream_rtmp::client::{ClientOptions, PlayOptions};
use millstream_rtmp::message::MessageType;
use millstream_rtmp::server::{Connect, Play, Publish, ServerEvent, UnknownCommand};
use millstream_rtmp::session::{Rejection, RequestId};
use std::time::Instant;

/// Properties of `connect` that say where to, and what only concerns the two ends of a connection.
const OF_THIS_HOP: [&str; 4] = ["app", "tcUrl", "swfUrl", "objectEncoding"];

impl Session {
    pub(super) fn client_event(&mut self, event: ServerEvent, now: Instant) {
        match event {
            ServerEvent::Connect(connect) => {
                // The target's own answer is given to the publishes and plays.
                let _ = self.client.accept_connect(connect.request);
                self.hello = Some(connect);
            }
            ServerEvent::Publish(publish) => self.publish(&publish, now),
            ServerEvent::Play(play) => self.play(&play, now),
            ServerEvent::Media(message) => {
                let (kind, payload) = (message.kind, message.payload.clone());
                let decide = |resume: &mut Resume| resume.media(&message, now);
                self.send(message.stream_id, kind, message.timestamp, payload, decide);
            }
            ServerEvent::Data(data) => {
                let payload = whole(&data);
                let decide = |resume: &mut Resume| resume.data(&data, &payload, now);
                let kind = MessageType::DATA_AMF0;
                self.send(data.stream_id, kind, data.timestamp, payload.clone(), decide);
            }
            ServerEvent::Unpublish { stream_id, .. } | ServerEvent::StopPlay { stream_id, .. } => {
                if let Some(route) = self.routes.remove(stream_id) {
                    self.leave_target(&route);
                    tracing::info!(session = self.id, to = %route.url, "ended by the client");
                }
            }
            ServerEvent::Pause { stream_id, paused, ms } => {
                self.say(stream_id, "pause", vec![paused.into(), ms.into()]);
            }
            ServerEvent::Seek { stream_id, ms } => self.say(stream_id, "seek", vec![ms.into()]),
            ServerEvent::ReceiveAudio { stream_id, on } => {
                self.say(stream_id, "receiveAudio", vec![on.into()]);
            }
            ServerEvent::ReceiveVideo { stream_id, on } => {
                self.say(stream_id, "receiveVideo", vec![on.into()]);
            }
            ServerEvent::BufferLength { stream_id, ms } => self.buffer_length(stream_id, ms),
            ServerEvent::UnknownCommand(command) => self.pass_on(*command),
            _ => {}
        }
        self.collect_client();
    }

    fn publish(&mut self, publish: &Publish, now: Instant) {
        let (name, query) = (publish.name.as_str(), publish.query.as_deref());
        let aim = Aim::Publish { mode: publish.mode, resume: Resume::new() };
        match self.policy.publish(self.asked(name, query)) {
            Ok(passage) => self.begin(publish.stream_id, publish.request, passage, aim, now),
            Err(turned) => {
                let words = turned.to_string();
                self.count_turned(turned, "publish");
                let _ = self.client.reject_publish(publish.request, &turned.to_publisher(&words));
            }
        }
    }

    fn play(&mut self, play: &Play, now: Instant) {
        let (name, query) = (play.name.as_str(), play.query.as_deref());
        let options = PlayOptions {
            start: play.start,
            duration: play.duration,
            reset: play.reset,
            ..PlayOptions::default()
        };
        match self.policy.play(self.asked(name, query)) {
            Ok(passage) => {
                self.begin(play.stream_id, play.request, passage, Aim::Play(options), now);
            }
            Err(turned) => {
                let words = turned.to_string();
                self.count_turned(turned, "play");
                let _ = self.client.reject_play(play.request, &Rejection::play_failed(&words));
            }
        }
    }

    fn asked<'a>(&'a self, name: &'a str, query: Option<&'a str>) -> Asked<'a> {
        let (app, app_query) = match &self.hello {
            Some(hello) => (hello.app.as_str(), hello.app_query.as_deref()),
            None => ("", None),
        };
        Asked { app, app_query, name, query }
    }

    fn count_turned(&self, turned: Turned, what: &str) {
        self.figures.refused.add(1);
        // The name is not shown: it may be a mistyped key.
        tracing::warn!(session = self.id, reason = turned.name(), "{what} refused: {turned}");
    }

    /// A request that may pass: it is asked of the target, as soon as there is a connection.
    fn begin(
        &mut self,
        stream_id: u32,
        request: RequestId,
        passage: Passage,
        aim: Aim,
        now: Instant,
    ) {
        let Passage { url, app_query } = passage;
        let upstream = self.upstream_to(&url, app_query.as_deref(), now);
        let asked = Some((request, now));
        let (request, running, stopped) = (None, None, false);
        self.routes.push(Route { stream_id, upstream, url, aim, asked, request, running, stopped });
        self.ask_all(upstream);
    }

    /// The connection to the application of a URL; a new one if there is none.
    fn upstream_to(
        &mut self,
        url: &millstream_client::RtmpUrl,
        app_query: Option<&str>,
        now: Instant,
    ) -> UpstreamId {
        if let Some(known) = self.upstreams.iter().find(|known| known.url.server() == url.server())
        {
            return known.id;
        }
        if self.upstreams.len() >= limits::PROXY_TARGETS_MAX {
            // The one that has had no stream for longest; where all have one, routes are bounded.
            let routes = &mut self.routes;
            let unused = |to: &Upstream| routes.on(to.id).next().is_none();
            if let Some(at) = self.upstreams.iter().position(unused) {
                self.upstreams.remove(at);
            }
        }
        let id = self.next_upstream;
        self.next_upstream = self.next_upstream.wrapping_add(1);
        let mut options = url.options();
        if let Some(hello) = &self.hello {
            introduce(&mut options, hello, app_query);
        }
        self.upstreams.push(Upstream::new(id, url.clone(), options, now));
        id
    }

    /// Asks a connection for all that it was not asked for.
    pub(super) fn ask_all(&mut self, id: UpstreamId) {
        let Some(upstream) = self.upstreams.iter_mut().find(|to| to.id == id) else { return };
        let State::Open { wire, .. } = &mut upstream.state else { return };
        for route in self.routes.on(id).filter(|route| route.request.is_none()) {
            let asked = match &route.aim {
                Aim::Publish { mode, .. } => wire.publish(&route.url.name(), *mode),
                Aim::Play(options) => wire.play(&route.url.name(), *options),
            };
            // It fails for a connection at its end, which is lost in the same round; the name came
            // in a command and can be sent in one.
            route.request = asked.ok();
        }
        upstream.collect();
    }

    /// Sends what a client publishes, or leaves it out while there is nobody to send it to.
    fn send(
        &mut self,
        stream_id: u32,
        kind: MessageType,
        timestamp: u32,
        payload: Bytes,
        decide: impl FnOnce(&mut Resume) -> Step,
    ) {
        let Some(route) = self.routes.of_client(stream_id) else { return };
        let Aim::Publish { resume, .. } = &mut route.aim else { return };
        let step = decide(resume);
        let upstream = self.upstreams.iter_mut().find(|to| to.id == route.upstream);
        let (Some(to), Some(upstream)) = (route.running, upstream) else {
            return self.figures.left_out.count(payload.len());
        };
        let Some(wire) = upstream.wire() else {
            return self.figures.left_out.count(payload.len());
        };
        if step == Step::Leave {
            return self.figures.left_out.count(payload.len());
        }
        if step == Step::Begin {
            for (kind, header) in resume.headers() {
                // As below.
                let _ = wire.send_media_on(to, kind, timestamp, header);
            }
        }
        self.figures.up.count(payload.len());
        // It runs, and its message came within the limits of the client's connection, which are the same.
        let _ = wire.send_media_on(to, kind, timestamp, payload);
        upstream.collect();
    }

    /// Ends a publish or play at the target.
    pub(super) fn leave_target(&mut self, route: &Route) {
        let (Some(request), Some(upstream)) = (route.request, self.upstream(route.upstream)) else {
            return;
        };
        if let Some(wire) = upstream.wire() {
            // It may have ended there at the same time.
            let _ = wire.close(request);
        }
        upstream.collect();
    }

    /// Says something about what the client plays.
    fn say(&mut self, stream_id: u32, name: &str, arguments: Vec<Value>) {
        let Some(route) = self.routes.of_client(stream_id) else { return };
        let (id, Some(running)) = (route.upstream, route.running) else { return };
        let Some(upstream) = self.upstream(id) else { return };
        if let Some(wire) = upstream.wire() {
            // Short texts and numbers can be encoded.
            let _ = wire.send_command(running, name, arguments);
        }
        upstream.collect();
    }

    fn buffer_length(&mut self, stream_id: u32, ms: u32) {
        let Some(route) = self.routes.of_client(stream_id) else { return };
        let Aim::Play(options) = &mut route.aim else { return };
        options.buffer_ms = ms;
        let (id, Some(request)) = (route.upstream, route.request) else { return };
        let Some(upstream) = self.upstream(id) else { return };
        if let Some(wire) = upstream.wire() {
            // Before the answer it cannot be said; it is when the answer comes.
            let _ = wire.set_buffer_length(request, ms);
        }
        upstream.collect();
    }

    /// Passes on a command that only the target may understand: to the connection of the stream it came
    /// on, or else to the first one. Without any, the client is told so.
    fn pass_on(&mut self, command: UnknownCommand) {
        let UnknownCommand { stream_id, name, transaction, mut arguments } = command;
        let route = self.routes.of_client(stream_id);
        let of_stream = route.and_then(|route| Some((route.upstream, route.running?)));
        let first = self.upstreams.iter().find(|to| to.is_open()).map(|to| (to.id, 0));
        let found = of_stream.or(first);
        let answer = (transaction.is_finite() && transaction > 0.0).then_some(transaction);
        let sent = found.and_then(|(id, target_stream)| {
            if !arguments.is_empty() {
                // The command object, in whose place ours is put.
                arguments.remove(0);
            }
            let upstream = self.upstreams.iter_mut().find(|to| to.id == id)?;
            let sent = upstream.wire()?.send_command(target_stream, &name, arguments).ok()?;
            upstream.collect();
            Some((id, sent))
        });
        match (sent, answer) {
            (Some((upstream, transaction)), Some(of_client)) => {
                if self.calls.len() >= limits::PROXY_CALLS_MAX {
                    self.calls.remove(0);
                }
                self.calls.push(Call { upstream, transaction, of_client });
            }
            (None, Some(of_client)) => {
                let information = Object::new()
                    .with("level", "error")
                    .with("code", "NetConnection.Call.Failed")
                    .with("description", "There is no connection to the server behind this proxy.");
                let arguments = vec![information.into()];
                let _ = self.client.send_command(0, "_error", of_client, arguments);
            }
            (_, None) => {}
        }
    }
}

/// Says to the target what the client said of itself.
fn introduce(options: &mut ClientOptions, hello: &Connect, app_query: Option<&str>) {
    if let Some(query) = app_query {
        options.app = format!("{}?{query}", options.app);
        options.tc_url = format!("{}?{query}", options.tc_url);
    }
    // Encoders put the URL of the server there.
    let is_server = !hello.swf_url.is_empty() && hello.swf_url == hello.tc_url;
    options.swf_url = if is_server { options.tc_url.clone() } else { hello.swf_url.clone() };
    // What it can and which codecs it knows is said by the client, or by nobody.
    options.as_player = false;
    options.four_cc_list = Vec::new();
    for (name, value) in hello.properties.iter().filter(|(name, _)| !OF_THIS_HOP.contains(name)) {
        options.properties.insert(name, value.clone());
    }
    options.arguments = hello.arguments.clone();
}
