//! What becomes of a session as time passes: who is too slow, who is idle, and targets that stay away.

use super::upstream::{State, UpstreamId};
use super::{End, Loss, Session};
use crate::limits;
use std::time::Instant;

impl Session {
    /// Looks at what has become of time. To be called several times a second.
    pub(in crate::proxy) fn tick(&mut self, now: Instant) {
        self.look_at_client(now);
        for id in self.upstreams.iter().map(|to| to.id).collect::<Vec<_>>() {
            self.look_at_target(id, now);
        }
        self.refuse_unanswered(now);
        // Connections without a stream are of no use when their target is away.
        let routes = &mut self.routes;
        self.upstreams.retain(|to| to.is_open() || routes.on(to.id).next().is_some());
        if !self.routes.is_empty() {
            self.idle_since = now;
        }
    }

    fn look_at_client(&mut self, now: Instant) {
        let (seen, at) = self.other_messages;
        let other = self.client.other_messages();
        let span = now.duration_since(at).max(limits::TICK);
        if (other - seen) as f64 > limits::OTHER_MESSAGES_PER_SECOND as f64 * span.as_secs_f64() {
            self.finish(End::Flood);
        }
        if now.duration_since(at) >= limits::TICK {
            self.other_messages = (other, now);
        }
        if !self.client.is_connected() && now.duration_since(self.since) >= limits::PROXY_OPEN_MAX {
            self.finish(End::Slow);
        } else if self.routes.is_empty()
            && now.duration_since(self.idle_since) >= limits::PROXY_IDLE_MAX
        {
            self.finish(End::Idle);
        }
    }

    fn look_at_target(&mut self, id: UpstreamId, now: Instant) {
        let give_up = self.give_up;
        let Some(upstream) = self.upstream(id) else { return };
        let given_up = upstream.is_given_up(give_up, now);
        match &upstream.state {
            State::Open { wire, since }
                if !wire.is_connected() && now.duration_since(*since) >= limits::PROXY_OPEN_MAX =>
            {
                self.target_lost(id, Loss::Silent, now);
            }
            _ if given_up => self.give_up_target(id),
            _ => {}
        }
    }

    /// The target stayed away for too long: who is on it is told, and the client goes with its last
    /// stream.
    fn give_up_target(&mut self, id: UpstreamId) {
        let Some(at) = self.upstreams.iter().position(|to| to.id == id) else { return };
        let upstream = self.upstreams.remove(at);
        let loss = upstream.failing.map_or(Loss::Closed, |(_, loss)| loss);
        for route in self.routes.take(id, |_| true) {
            let (code, words) = match &loss {
                Loss::Refused { code, description } => (Some(code.as_str()), description.as_str()),
                loss => (None, loss.to_client()),
            };
            self.turn_away(&route, code, words);
        }
        if self.routes.is_empty() {
            self.finish(End::TargetGone);
        }
    }

    /// Requests that waited for too long for a target. One that is connected has more time: it may have
    /// reasons of its own.
    fn refuse_unanswered(&mut self, now: Instant) {
        let late: Vec<u32> = self
            .routes
            .all()
            .filter(|route| {
                let limit = match route.request {
                    Some(_) => limits::PROXY_ANSWER_MAX,
                    None => limits::PROXY_OPEN_MAX,
                };
                route.asked.is_some_and(|(_, since)| now.duration_since(since) >= limit)
            })
            .map(|route| route.stream_id)
            .collect();
        for stream_id in late {
            let Some(route) = self.routes.remove(stream_id) else { continue };
            self.leave_target(&route);
            let failing = self.upstream(route.upstream).and_then(|to| to.failing.clone());
            let loss = failing.map_or(Loss::Silent, |(_, loss)| loss);
            tracing::warn!(session = self.id, to = %route.url, "refused: {loss}");
            self.turn_away(&route, None, loss.to_client());
        }
    }
}
