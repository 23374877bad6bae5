//! What playing does on this shard: joining a stream, leaving it, what viewers are told.

use super::connection::report;
use super::inbox::{Mail, Undelivered};
use super::state::{Asked, Connection, Play, State, Whose};
use super::tasks::Shard;
use crate::egress::outlet::OutletId;
use crate::egress::turn::{HangUp, Notice};
use crate::hook::Decision;
use crate::moment::Moment;
use crate::name::StreamName;
use crate::slots::Key;
use crate::stats::Refusal;
use crate::stream::projection::Projection;
use millstream_rtmp::session::{Level, Rejection, RequestId};
use std::rc::Rc;
use std::sync::Arc;

impl Shard {
    pub(super) fn play_decided(
        self: &Rc<Self>,
        state: &mut State,
        key: Key,
        asked: Asked,
        decision: Decision<StreamName>,
        now: Moment,
    ) {
        // Another play on a connection replaces the first, as `play` with reset does.
        self.stop_play_of(state, key, now);
        let Some(connection) = state.connections.at_mut(key) else { return };
        let name = match decision {
            Ok(name) => name,
            Err(rejection) => {
                let reason = if rejection.name == "name" { Refusal::Name } else { Refusal::Hook };
                self.stats.refuse(reason);
                tracing::warn!(connection = connection.number, peer = %connection.address, reason = rejection.name, "play refused");
                self.send_elsewhere(connection, &rejection);
                let rejection = Rejection::play_failed(rejection.words());
                report(connection.protocol.reject_play(asked.request, &rejection));
                return;
            }
        };
        if let Err(error) = self.check_route(connection, &name) {
            self.refuse_play(connection, asked.request, error.name(), &error.to_string());
            return;
        }
        let hub = match state.fanout.hub(&name) {
            Some(hub) => Ok(Arc::clone(hub)),
            None => self.common.registry().watch(&name),
        };
        let projection = Projection { stream_id: asked.stream_id, ..Projection::WHOLE };
        let subscribed = hub.map_err(|_| ()).and_then(|hub| {
            let subscribed = state.fanout.subscribe(connection.outlet, &hub, projection, now);
            subscribed.map(|()| hub).map_err(|_| ())
        });
        let Ok(hub) = subscribed else {
            if !state.fanout.follows(&name) {
                self.common.registry().unwatch(&name);
            }
            let text = "the server has no room for another stream";
            self.refuse_play(connection, asked.request, "too-many-streams", text);
            return;
        };
        let waits = state.fanout.waits(connection.outlet);
        if waits && let Err(capped) = self.common.addresses.begin_waiting(connection.address.ip()) {
            if let Some(unread) = state.fanout.unsubscribe(connection.outlet) {
                self.common.registry().unwatch(&unread);
            }
            let text = "too many players of this address wait for streams";
            self.refuse_play(connection, asked.request, capped.name(), text);
            return;
        }
        hub.stats.viewers.count.increment();
        hub.stats.viewers.joined.add(1);
        self.stats.players.add(1);
        self.edge_came(connection, &name);
        tracing::info!(
            connection = connection.number,
            peer = %connection.address,
            stream = %name,
            shard = self.index,
            "play started"
        );
        connection.play = Some(Play { stream_id: asked.stream_id, hub, waits });
        report(connection.protocol.accept_play(asked.request));
        self.call(connection, key, now, |session| session.play_started(&name));
        // The turn that sends this answer is the reader's first: no window delays a joiner.
        self.send_output(state, key, now);
    }

    /// Refuses a player for want of room.
    fn refuse_play(
        &self,
        connection: &mut Connection,
        request: RequestId,
        reason: &'static str,
        text: &str,
    ) {
        self.stats.refuse(Refusal::Cap);
        tracing::warn!(connection = connection.number, peer = %connection.address, reason, "play refused");
        report(connection.protocol.reject_play(request, &Rejection::play_failed(text)));
    }

    pub(super) fn stop_play(
        self: &Rc<Self>,
        state: &mut State,
        key: Key,
        stream_id: u32,
        now: Moment,
    ) {
        let plays = state
            .connections
            .at(key)
            .and_then(|connection| connection.play.as_ref())
            .is_some_and(|play| play.stream_id == stream_id);
        if plays {
            self.stop_play_of(state, key, now);
        }
    }

    /// Ends what a connection plays, if it does.
    pub(super) fn stop_play_of(&self, state: &mut State, key: Key, now: Moment) {
        let State { connections, fanout, .. } = state;
        let Some(connection) = connections.at_mut(key) else { return };
        let Some(play) = connection.play.take() else { return };
        fanout.collect_one(connection.outlet, |delta| super::tick::count_viewer(&play.hub, delta));
        if let Some(unread) = fanout.unsubscribe(connection.outlet) {
            self.common.registry().unwatch(&unread);
        }
        if play.waits {
            self.common.addresses.end_waiting(connection.address.ip());
        }
        play.hub.stats.viewers.count.decrement();
        self.stats.players.sub(1);
        self.edge_left(connection, &play.hub.name);
        tracing::info!(connection = connection.number, stream = %play.hub.name, "play ended");
        self.call(connection, key, now, |session| session.play_finished(&play.hub.name));
    }

    pub(super) fn pause(&self, state: &mut State, key: Key, stream_id: u32, paused: bool) {
        let Some(connection) = state.connections.at_mut(key) else { return };
        if connection.play.as_ref().is_none_or(|play| play.stream_id != stream_id) {
            return;
        }
        state.fanout.pause(connection.outlet, paused);
        let (code, text) = if paused {
            ("NetStream.Pause.Notify", "paused")
        } else {
            ("NetStream.Unpause.Notify", "going on at the newest key frame")
        };
        report(connection.protocol.status(stream_id, Level::Status, code, text));
        self.due.notify();
    }

    /// A live stream has no other place to go to; the player goes on where it is.
    pub(super) fn seek(&self, state: &mut State, key: Key, stream_id: u32) {
        let Some(connection) = state.connections.at_mut(key) else { return };
        if connection.play.as_ref().is_some_and(|play| play.stream_id == stream_id) {
            let (code, text) = ("NetStream.Seek.Failed", "a live stream cannot seek");
            report(connection.protocol.status(stream_id, Level::Warning, code, text));
        }
    }

    pub(super) fn project(
        &self,
        state: &mut State,
        key: Key,
        stream_id: u32,
        change: impl FnOnce(Projection) -> Projection,
        now: Moment,
    ) {
        let Some(connection) = state.connections.at_mut(key) else { return };
        if connection.play.as_ref().is_some_and(|play| play.stream_id == stream_id) {
            // The projection's log is of a stream that the shard follows: there is always room.
            let _ = state.fanout.project(connection.outlet, change, now);
            self.due.notify();
        }
    }

    /// Does what the fan-out has noticed, and wakes the shards whose streams were marked. Every
    /// step on the tables ends here.
    pub(super) fn settle(self: &Rc<Self>, state: &mut State, now: Moment) {
        loop {
            let notices = state.fanout.take_notices();
            if notices.is_empty() {
                break;
            }
            for (outlet, notice) in notices {
                self.notice(state, outlet, notice, now);
            }
        }
        self.end_closing(state, now);
        for shard in 0..state.marked.len() {
            if std::mem::take(&mut state.marked[shard]) {
                if shard == self.index {
                    self.due_since.set(Some(self.due_since.get().unwrap_or(now)));
                    self.due.notify();
                } else if self.common.mailboxes[shard].should_ring() {
                    self.stats.wakes.add(1);
                    self.common.bells[shard].ring();
                }
            }
        }
        if state.fanout.has_due() {
            self.due.notify();
        }
    }

    fn notice(self: &Rc<Self>, state: &mut State, outlet: OutletId, notice: Notice, now: Moment) {
        let Some(Some(way)) = state.sockets.get(outlet.at as usize) else { return };
        let key = match way.owner.whose() {
            Whose::Peer(key) => key,
            Whose::Target(key) => return self.outbound_notice(state, key, outlet, notice, now),
            Whose::Spout(key) => return self.spout_notice(state, key, notice, now),
        };
        let Some(connection) = state.connections.at_mut(key) else { return };
        if connection.outlet != outlet {
            return;
        }
        let stream_id = connection.play.as_ref().map(|play| play.stream_id);
        match (notice, stream_id) {
            (Notice::Parked, _) => {
                self.stats.parked.add(1);
                self.spawn(Rc::clone(self).wait_writable(outlet, Rc::clone(way.writer.socket())));
            }
            (Notice::Skipped { frames, bytes }, Some(stream_id)) => {
                self.stats.skips.add(1);
                let text =
                    format!("skipped {frames} frames, {bytes} bytes: the connection is too slow");
                let code = "NetStream.Play.InsufficientBW";
                report(connection.protocol.status(stream_id, Level::Warning, code, &text));
                tracing::info!(connection = connection.number, frames, bytes, "viewer skipped");
            }
            (Notice::Ended, Some(stream_id)) => {
                report(connection.protocol.unpublish_notify(stream_id));
                state.farewells.push_back((now, key));
            }
            (Notice::Restarted, Some(stream_id)) => {
                report(connection.protocol.publish_notify(stream_id));
                state.farewells.retain(|(_, held)| *held != key);
            }
            (Notice::Joined, _) => {
                let waited = connection.play.as_mut().map(|play| std::mem::take(&mut play.waits));
                if waited == Some(true) {
                    self.common.addresses.end_waiting(connection.address.ip());
                }
                tracing::debug!(connection = connection.number, "first frame sent");
            }
            (Notice::HangUp(why), stream_id) => {
                match why {
                    HangUp::Lagging | HangUp::Skipping | HangUp::PrivateBytes => {
                        self.stats.refuse(Refusal::Lag);
                        self.stats.hang_ups.add(1);
                        if let Some(play) = &connection.play {
                            play.hub.stats.viewers.hang_ups.add(1);
                        }
                    }
                    HangUp::NoStream => {
                        self.stats.refuse(Refusal::Timeout);
                        if let Some(stream_id) = stream_id {
                            let code = "NetStream.Play.StreamNotFound";
                            let text = "nobody publishes this stream";
                            report(connection.protocol.status(stream_id, Level::Error, code, text));
                            let last = connection.protocol.output().split();
                            // Its outlet takes no more; one attempt is what a waiting player gets.
                            let _ = way.writer.write(&last);
                        }
                    }
                    HangUp::Broken => {}
                }
                return self.close(state, key, why.name(), now);
            }
            _ => return,
        }
        self.send_output(state, key, now);
    }

    /// Lets a connection go once its last bytes are sent.
    pub(super) fn begin_closing(
        &self,
        connection: &mut Connection,
        key: Key,
        reason: &'static str,
        now: Moment,
    ) {
        if connection.closing.is_none() {
            connection.closing = Some((now, reason));
            self.closing.borrow_mut().push(key);
        }
    }

    /// Closes connections that were only waiting for their last bytes to go.
    fn end_closing(self: &Rc<Self>, state: &mut State, now: Moment) {
        if self.closing.borrow().is_empty() {
            return;
        }
        let State { connections, fanout, .. } = state;
        let mut ended = Vec::new();
        self.closing.borrow_mut().retain(|key| {
            let Some(connection) = connections.at(*key) else { return false };
            let Some((since, reason)) = connection.closing else { return false };
            let drained = fanout
                .outlet(connection.outlet)
                .is_none_or(|outlet| outlet.private.is_empty() && !outlet.parked);
            let over = drained || now.since(since) >= crate::limits::CLOSING_MAX;
            if over {
                ended.push((*key, reason));
            }
            !over
        });
        for (key, reason) in ended {
            self.close(state, key, reason, now);
        }
    }

    /// Sends mail to a shard. If its inbox is full, it is tried again at the next tick.
    pub(super) fn mail(&self, state: &mut State, shard: usize, mail: Mail) {
        if let Err(Undelivered::Full(mail) | Undelivered::Over(mail)) =
            self.common.posts[shard].send(mail)
        {
            self.stats.inbox_full.add(1);
            state.unsent.push_back((shard, mail));
        }
    }
}
