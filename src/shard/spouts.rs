//! Streams that run into sockets of the application, in a format of its own. What it did with a socket
//! before, and what its bytes mean, is its own affair; here it is one more reader of the stream, with a
//! viewer's rights and duties. The formats stand in `egress::own`.

use super::intake::Turn;
use super::state::{Owner, Sockets, State, Way};
use super::tasks::Shard;
use crate::egress::outlet::OutletId;
use crate::egress::turn::{HangUp, Notice};
use crate::limits;
use crate::moment::Moment;
use crate::name::StreamName;
use crate::net::socket::{Read, Socket, Writer};
use crate::slots::Key;
use crate::stats::Refusal;
use crate::stream::hub::Hub;
use crate::stream::projection::{Form, FormatId, Projection};
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::sync::Arc;

/// A socket that a stream runs into.
pub struct Spout {
    socket: Rc<Socket>,
    outlet: OutletId,
    hub: Arc<Hub>,
    since: Moment,
}

impl Shard {
    /// Lets a stream run into a socket, from its newest key frame on, or from when it is published.
    pub(super) fn open_spout(
        self: &Rc<Self>,
        name: &StreamName,
        format: FormatId,
        stream: UnixStream,
    ) {
        let now = self.now();
        if self.draining.get().is_some() {
            return;
        }
        let Ok(socket) = Socket::inside(stream) else {
            return self.stats.refuse(Refusal::Descriptors);
        };
        let socket = Rc::new(socket);
        let mut state = self.state.borrow_mut();
        let hub = match state.fanout.hub(name) {
            Some(hub) => Ok(Arc::clone(hub)),
            None => self.common.registry().watch(name),
        };
        let outlet = state.fanout.open(now);
        let projection = Projection { form: Form::Own(format), ..Projection::WHOLE };
        let subscribed = hub.map_err(|_| ()).and_then(|hub| {
            let subscribed = state.fanout.subscribe(outlet, &hub, projection, now);
            subscribed.map(|()| hub).map_err(|_| ())
        });
        let Ok(hub) = subscribed else {
            if !state.fanout.follows(name) {
                self.common.registry().unwatch(name);
            }
            state.fanout.close(outlet);
            tracing::warn!(stream = %name, reason = "too-many-streams", "not let out to the application");
            return self.stats.refuse(Refusal::Cap);
        };
        hub.stats.viewers.count.increment();
        hub.stats.viewers.joined.add(1);
        self.stats.players.add(1);
        let spout = Spout { socket: Rc::clone(&socket), outlet, hub, since: now };
        let key = state.spouts.insert(spout);
        let owner = Owner::spout(key);
        let at = outlet.at as usize;
        if state.sockets.len() <= at {
            state.sockets.resize_with(at + 1, || None);
        }
        let writer = Writer::new(Rc::clone(&socket));
        state.sockets[at] = Some(Way { writer, beside: None, owner });
        tracing::info!(stream = %name, shard = self.index, "let out to the application");
        if let Err(error) = self.arrivals.watch(&socket, owner.number()) {
            tracing::warn!(%error, "the kernel does not watch a socket of the application");
            self.close_spout(&mut state, key, "unwatched", now);
        } else {
            let State { fanout, sockets, .. } = &mut *state;
            fanout.turn(outlet, &mut Sockets { ways: sockets, stats: &self.stats }, now);
        }
        self.settle(&mut state, now);
    }

    /// Something came back: it is nobody's. That the other end is closed ends it.
    pub(super) fn spout_turn(self: &Rc<Self>, at: u32, now: Moment) -> Turn {
        let mut buffer = self.buffer.borrow_mut();
        let mut state = self.state.borrow_mut();
        let Some(key) = state.spouts.key_at(at) else { return Turn::default() };
        let mut turn = Turn::default();
        for _ in 0..limits::READS_PER_TURN {
            let Some(spout) = state.spouts.at(key) else { return turn };
            match spout.socket.read(&mut buffer) {
                Read::Bytes(count) => turn.bytes += count,
                Read::Nothing => return turn,
                Read::End(_) => {
                    self.close_spout(&mut state, key, "peer-closed", now);
                    self.settle(&mut state, now);
                    return turn;
                }
            }
        }
        turn.more = Some(super::intake::Pace::AtOnce);
        turn
    }

    /// What the fan-out noticed about one.
    pub(super) fn spout_notice(
        self: &Rc<Self>,
        state: &mut State,
        key: Key,
        notice: Notice,
        now: Moment,
    ) {
        let Some(spout) = state.spouts.at(key) else { return };
        match notice {
            Notice::Parked => {
                self.stats.parked.add(1);
                self.spawn(Rc::clone(self).wait_writable(spout.outlet, Rc::clone(&spout.socket)));
            }
            Notice::Skipped { frames, bytes } => {
                self.stats.skips.add(1);
                tracing::info!(stream = %spout.hub.name, frames, bytes, "the application's socket skipped");
            }
            // What it has of the stream it was sent before.
            Notice::Ended => self.close_spout(state, key, "stream-ended", now),
            Notice::HangUp(why) => {
                if matches!(why, HangUp::Lagging | HangUp::Skipping | HangUp::PrivateBytes) {
                    self.stats.hang_ups.add(1);
                    spout.hub.stats.viewers.hang_ups.add(1);
                }
                self.close_spout(state, key, why.name(), now);
            }
            Notice::Joined | Notice::Restarted => {}
        }
    }

    fn close_spout(&self, state: &mut State, key: Key, reason: &str, now: Moment) {
        let Some(spout) = state.spouts.remove(key) else { return };
        state
            .fanout
            .collect_one(spout.outlet, |delta| super::tick::count_viewer(&spout.hub, delta));
        let (outlet, unread) = state.fanout.close(spout.outlet);
        if let Some(unread) = unread {
            self.common.registry().unwatch(&unread);
        }
        if let Some(way) = state.sockets.get_mut(spout.outlet.at as usize) {
            *way = None;
        }
        self.arrivals.forget(&spout.socket);
        spout.socket.shutdown();
        spout.hub.stats.viewers.count.decrement();
        self.stats.players.sub(1);
        let outlet = outlet.unwrap_or_default();
        if outlet.parked {
            self.stats.parked.sub(1);
        }
        tracing::info!(
            stream = %spout.hub.name,
            reason,
            seconds = now.since(spout.since).as_secs_f32(),
            sent = outlet.stats.bytes_sent,
            dropped_frames = outlet.stats.frames_dropped,
            "the application's socket is closed"
        );
    }

    /// Closes all of them.
    pub(super) fn end_spouts(&self, state: &mut State, now: Moment) {
        let keys: Vec<Key> = state.spouts.iter().map(|(key, _)| key).collect();
        for key in keys {
            self.close_spout(state, key, "server-stops", now);
        }
    }
}
