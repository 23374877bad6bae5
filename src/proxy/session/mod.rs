//! One client and its connections to the target, as a machine without IO: bytes and `now` in; bytes,
//! wishes for connections and an end out. Sockets are the affair of `pump`.
//!
//! ```text
//!            from_client ─▶ policy ─▶ routes ─▶ upstreams ─▶
//!   client ◀── to_client ◀─────────── routes ◀─ from_target ◀─ target
//! ```
//! Nothing is kept but what waits for a socket, and the headers of what is published (`resume`).
//! How much may wait is held by whoever reads: see [`Session::takes_client`] and
//! [`Session::takes_target`].

mod end;
mod figures;
mod from_client;
mod from_target;
mod resume;
mod route;
#[cfg(test)]
mod tests;
mod time;
mod upstream;

pub(super) use end::{End, Loss};
pub(super) use figures::Figures;
pub use figures::Totals;
pub(super) use upstream::UpstreamId;

use super::policy::Policy;
use crate::limits;
use bytes::BytesMut;
use millstream_client::RtmpUrl;
use millstream_rtmp::chunk::write_standalone;
use millstream_rtmp::connection::{ClientConnection, ServerConnection};
use millstream_rtmp::limits::HELD_BYTES_MAX;
use millstream_rtmp::message::MessageType;
use millstream_rtmp::server::{Connect, ServerOptions};
use millstream_rtmp::session::Rejection;
use route::{Aim, Route, Routes};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;
use std::time::{Duration, Instant};
use upstream::{State, Upstream};

// A read of the client, and what came before it, fit into what its session holds.
const _: () = assert!(limits::PROXY_AHEAD_BYTES + limits::READ_BUFFER < HELD_BYTES_MAX as usize);

/// Chunk streams of what players are sent: each has headers of its own.
const AUDIO_CHUNK_STREAM: u32 = 4;
const DATA_CHUNK_STREAM: u32 = 5;
const VIDEO_CHUNK_STREAM: u32 = 6;

/// A client of the proxy, from its first byte on.
pub(super) struct Session {
    /// Its number in the log.
    id: u64,
    policy: Arc<Policy>,
    /// How long a target may stay away.
    give_up: Duration,
    figures: Arc<Figures>,
    client: ServerConnection,
    chunk_size: u32,
    to_client: BytesMut,
    /// What the client said of itself.
    hello: Option<Box<Connect>>,
    routes: Routes,
    upstreams: Vec<Upstream>,
    next_upstream: UpstreamId,
    /// Commands passed on whose answers are awaited: by connection and transaction, the client's.
    calls: Vec<Call>,
    since: Instant,
    /// Nothing was published or played since.
    idle_since: Instant,
    /// Bytes of the client that came while a request of it waited for its answer.
    ahead_bytes: usize,
    /// Messages that were not media, as counted at the last look, and when that was.
    other_messages: (u64, Instant),
    end: Option<End>,
}

/// A command of the client that the target may answer.
struct Call {
    upstream: UpstreamId,
    transaction: u32,
    of_client: f64,
}

impl Session {
    pub(super) fn new(
        id: u64,
        policy: Arc<Policy>,
        give_up: Duration,
        figures: Arc<Figures>,
        now: Instant,
    ) -> Self {
        let options = ServerOptions::default();
        Self {
            id,
            policy,
            give_up,
            figures,
            client: ServerConnection::new(&options, entropy()),
            chunk_size: options.chunk_size,
            to_client: BytesMut::new(),
            hello: None,
            routes: Routes::default(),
            upstreams: Vec::new(),
            next_upstream: 0,
            calls: Vec::new(),
            since: now,
            idle_since: now,
            ahead_bytes: 0,
            other_messages: (0, now),
            end: None,
        }
    }

    /// Takes bytes of the client in.
    pub(super) fn client_bytes(&mut self, mut input: &[u8], now: Instant) {
        self.ahead_bytes = if self.is_asking() { self.ahead_bytes + input.len() } else { 0 };
        while self.end.is_none() {
            let event = self.client.receive(&mut input);
            self.collect_client();
            match event {
                Ok(Some(event)) => self.client_event(event, now),
                Ok(None) => return,
                Err(error) => self.end = Some(End::Protocol(error)),
            }
        }
    }

    /// Takes bytes of the target in.
    pub(super) fn target_bytes(&mut self, id: UpstreamId, mut input: &[u8], now: Instant) {
        while let Some(upstream) = self.upstream(id) {
            match upstream.receive(&mut input) {
                Ok(Some(event)) => self.target_event(id, event, now),
                Ok(None) => return,
                Err(loss) => return self.target_lost(id, loss, now),
            }
        }
    }

    /// Whether more of the client may be read. A target that is slow slows the client down, and so does
    /// a request without an answer.
    pub(super) fn takes_client(&self) -> bool {
        let slow = self.upstreams.iter().any(|to| to.out.len() >= limits::PROXY_BACKLOG_BYTES);
        let ahead = self.is_asking() && self.ahead_bytes >= limits::PROXY_AHEAD_BYTES;
        !slow && !ahead && self.to_client.len() < limits::PROXY_ANSWER_BYTES
    }

    /// Whether more of a target may be read. A player that is slow slows the target down.
    pub(super) fn takes_target(&self, id: UpstreamId) -> bool {
        let answers = |to: &Upstream| to.id != id || to.out.len() < limits::PROXY_ANSWER_BYTES;
        self.to_client.len() < limits::PROXY_BACKLOG_BYTES && self.upstreams.iter().all(answers)
    }

    /// Bytes for the client. What was sent is taken off their front.
    pub(super) fn client_output(&mut self) -> &mut BytesMut {
        &mut self.to_client
    }

    /// Bytes for a target; nothing if there is no such connection any more.
    pub(super) fn target_output(&mut self, id: UpstreamId) -> Option<&mut BytesMut> {
        self.upstream(id).filter(|to| to.is_open()).map(|to| &mut to.out)
    }

    /// A connection that is wanted now.
    pub(super) fn next_dial(&mut self, now: Instant) -> Option<(UpstreamId, RtmpUrl)> {
        let due = |to: &&mut Upstream| matches!(to.state, State::Waiting { until } if until <= now);
        let upstream = self.upstreams.iter_mut().find(due)?;
        upstream.state = State::Dialling;
        Some((upstream.id, upstream.url.clone()))
    }

    /// A connection that was wanted is there. False if it is wanted no more.
    pub(super) fn dialled(&mut self, id: UpstreamId, now: Instant) -> bool {
        let Some(upstream) = self.upstream(id) else { return false };
        if !matches!(upstream.state, State::Dialling) {
            return false;
        }
        let wire = ClientConnection::new(upstream.options.clone(), entropy());
        let Ok(wire) = wire else {
            // What the client said of itself came in a command, and can be sent in one.
            self.end = Some(End::TargetGone);
            return false;
        };
        upstream.state = State::Open { wire: Box::new(wire), since: now };
        upstream.collect();
        self.ask_all(id);
        true
    }

    /// A connection was lost, or could not be made.
    pub(super) fn target_lost(&mut self, id: UpstreamId, loss: Loss, now: Instant) {
        let (session, figures) = (self.id, Arc::clone(&self.figures));
        let Some(upstream) = self.upstream(id) else { return };
        figures.target_losses.add(1);
        let first = upstream.failing.is_none();
        let words = loss.to_string();
        let (may_pass, told) = (loss.may_pass(), loss.to_client());
        let wait = upstream.failed(loss, now);
        let server = upstream.url.server();
        // A target that is away for long is told of once, and again when it is back.
        if first {
            tracing::warn!(session, target = %server, "the target is lost: {words}");
        } else {
            tracing::debug!(session, target = %server, ?wait, "the target is away: {words}");
        }
        self.calls.retain(|call| call.upstream != id);
        for route in self.routes.on(id) {
            (route.request, route.running) = (None, None);
        }
        // What has ended before does not come back.
        let over = self.routes.take(id, |route| route.stopped);
        over.iter().for_each(|route| self.turn_away(route, None, ""));
        if !over.is_empty() && self.routes.is_empty() {
            self.finish(End::TargetGone);
        }
        if !may_pass {
            let asked = self.routes.take(id, |route| route.asked.is_some());
            asked.iter().for_each(|route| self.turn_away(route, None, told));
        }
    }

    /// Whether, and why, the session is at its end.
    pub(super) fn ended(&self) -> Option<&End> {
        self.end.as_ref()
    }

    /// Ends it.
    pub(super) fn finish(&mut self, end: End) {
        self.end.get_or_insert(end);
    }

    /// Takes leave on both sides: what is published is unpublished, and players are told.
    pub(super) fn close(&mut self) {
        for route in self.routes.take_all() {
            self.leave_target(&route);
            if let Aim::Play(_) = route.aim
                && route.asked.is_none()
            {
                // It plays, or the client has gone and hears nothing of it.
                let _ = self.client.unpublish_notify(route.stream_id);
                let _ = self.client.stop_play(route.stream_id);
            }
        }
        self.collect_client();
    }

    pub(super) fn is_connected(&self) -> bool {
        self.client.is_connected()
    }

    /// Whether a request of the client waits for its answer.
    fn is_asking(&self) -> bool {
        self.routes.all().any(|route| route.asked.is_some())
    }

    /// Refuses a request, or ends what was accepted, in these words. The route is removed before.
    fn turn_away(&mut self, route: &Route, code: Option<&str>, description: &str) {
        // A stream that was accepted and ends was no request refused.
        self.figures.refused.add(u64::from(route.asked.is_some()));
        // None of these fails but for a request that the client has withdrawn meanwhile.
        match (&route.aim, route.asked) {
            (Aim::Publish { .. }, asked) => {
                let code = code.unwrap_or("NetStream.Publish.Failed");
                let rejection = Rejection { code, description };
                let _ = match asked {
                    Some((request, _)) => self.client.reject_publish(request, &rejection),
                    None => self.client.stop_publish(route.stream_id, &rejection),
                };
            }
            (Aim::Play(_), Some((request, _))) => {
                let code = code.unwrap_or("NetStream.Play.Failed");
                let _ = self.client.reject_play(request, &Rejection { code, description });
            }
            (Aim::Play(_), None) => {
                let _ = self.client.unpublish_notify(route.stream_id);
                let _ = self.client.stop_play(route.stream_id);
            }
        }
        self.collect_client();
    }

    fn upstream(&mut self, id: UpstreamId) -> Option<&mut Upstream> {
        self.upstreams.iter_mut().find(|upstream| upstream.id == id)
    }

    fn collect_client(&mut self) {
        append(self.client.output(), &mut self.to_client);
    }

    /// Sends a player a message, on its message stream and with the time it came with.
    fn play_on(&mut self, stream_id: u32, kind: MessageType, timestamp: u32, payload: &[u8]) {
        let chunk_stream = match kind {
            MessageType::AUDIO => AUDIO_CHUNK_STREAM,
            MessageType::VIDEO => VIDEO_CHUNK_STREAM,
            _ => DATA_CHUNK_STREAM,
        };
        let (size, out) = (self.chunk_size, &mut self.to_client);
        write_standalone(kind, chunk_stream, timestamp, stream_id, payload, size, out);
        self.figures.down.count(payload.len());
    }
}

/// Moves bytes behind others, without a copy where there are none.
fn append(from: &mut BytesMut, to: &mut BytesMut) {
    if to.is_empty() {
        std::mem::swap(from, to);
        from.clear();
    } else {
        to.extend_from_slice(from);
        from.clear();
    }
}

/// Random bytes for a handshake. They protect nothing; they differ from connection to connection.
fn entropy() -> [u8; 32] {
    let mut bytes = [0; 32];
    for chunk in bytes.chunks_exact_mut(8) {
        chunk.copy_from_slice(&RandomState::new().build_hasher().finish().to_ne_bytes());
    }
    bytes
}
