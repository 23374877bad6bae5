//! One connection to the target: being made, open, or waited with. What goes over it is decided in
//! `to_target` and `from_target`.

use super::end::Loss;
use crate::limits;
use bytes::BytesMut;
use millstream_client::{Backoff, RtmpUrl};
use millstream_rtmp::client::{ClientEvent, ClientOptions};
use millstream_rtmp::connection::ClientConnection;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::{Duration, Instant};

/// Tells the connections of one session apart; never used twice in it.
pub(in crate::proxy) type UpstreamId = u32;

pub(super) struct Upstream {
    pub(super) id: UpstreamId,
    /// Of one of its streams: host, port and application are the same for all.
    pub(super) url: RtmpUrl,
    pub(super) options: ClientOptions,
    pub(super) state: State,
    /// Bytes for the socket.
    pub(super) out: BytesMut,
    backoff: Backoff,
    /// When something was accepted first on this connection.
    good_since: Option<Instant>,
    /// The first loss since something was last accepted, and what the last one was.
    pub(super) failing: Option<(Instant, Loss)>,
}

pub(super) enum State {
    /// The next attempt is made then.
    Waiting { until: Instant },
    /// The socket is being connected.
    Dialling,
    /// Connected at least as far as TCP.
    Open { wire: Box<ClientConnection>, since: Instant },
}

impl Upstream {
    pub(super) fn new(id: UpstreamId, url: RtmpUrl, options: ClientOptions, now: Instant) -> Self {
        let seed = RandomState::new().build_hasher().finish();
        Self {
            id,
            url,
            options,
            state: State::Waiting { until: now },
            out: BytesMut::new(),
            backoff: Backoff::new(limits::PROXY_RETRY_FIRST, limits::PROXY_RETRY_MAX, seed),
            good_since: None,
            failing: None,
        }
    }

    /// The protocol, while there is a connection.
    pub(super) fn wire(&mut self) -> Option<&mut ClientConnection> {
        match &mut self.state {
            State::Open { wire, .. } => Some(wire),
            _ => None,
        }
    }

    /// Whether there is a connection, at least as far as TCP.
    pub(super) fn is_open(&self) -> bool {
        matches!(self.state, State::Open { .. })
    }

    /// Takes bytes in up to the next event.
    pub(super) fn receive(&mut self, input: &mut &[u8]) -> Result<Option<ClientEvent>, Loss> {
        let Some(wire) = self.wire() else { return Ok(None) };
        let event = wire.receive(input).map_err(Loss::Protocol);
        self.collect();
        event
    }

    /// Moves what the protocol has to say to what the socket gets.
    pub(super) fn collect(&mut self) {
        if let State::Open { wire, .. } = &mut self.state {
            super::append(wire.output(), &mut self.out);
        }
    }

    /// Something was accepted: the next loss is a new one.
    pub(super) fn succeeded(&mut self, now: Instant) {
        self.failing = None;
        self.good_since.get_or_insert(now);
    }

    /// The connection is gone, or did not come about; another one is tried later.
    pub(super) fn failed(&mut self, loss: Loss, now: Instant) -> Duration {
        let since = self.failing.as_ref().map_or(now, |(since, _)| *since);
        self.failing = Some((since, loss));
        // A target that accepts and goes at once, again and again, is not to be hurried.
        let good = self.good_since.take().map(|good| now.duration_since(good));
        if good.is_some_and(|time| time >= limits::PROXY_RETRY_MAX) {
            self.backoff.reset();
        }
        let wait = self.backoff.next(now.duration_since(since)).unwrap_or(limits::PROXY_RETRY_MAX);
        self.state = State::Waiting { until: now + wait };
        self.out = BytesMut::new();
        wait
    }

    /// The loss that has lasted since before `limit`.
    pub(super) fn is_given_up(&self, limit: Duration, now: Instant) -> bool {
        self.failing.as_ref().is_some_and(|(since, _)| now.duration_since(*since) >= limit)
    }
}
