//! What a shard does now and then: deadlines, holds, lost viewers, pacing, counters, the end.

use super::load::{Busy, Load, Meter, Share};
use super::state::{State, Whose};
use super::tasks::Shard;
use crate::egress::outlet::OutletStats;
use crate::limits;
use crate::moment::Moment;
use crate::slots::Key;
use crate::stats::Refusal;
use crate::stream::hub::Hub;
use std::rc::Rc;

/// Adds what a viewer did to its stream's counters.
pub(super) fn count_viewer(hub: &Hub, delta: OutletStats) {
    let viewers = &hub.stats.viewers;
    viewers.bytes_out.add(delta.bytes_sent);
    viewers.dropped_frames.add(delta.frames_dropped);
    viewers.dropped_bytes.add(delta.bytes_dropped);
    viewers.skips.add(u64::from(delta.skips));
}

impl Shard {
    pub(super) async fn tick(self: Rc<Self>) {
        let meter = Meter::new();
        let mut load = Load::default();
        let read = || Share { passed: self.passing.get(), ..meter.read() };
        let mut last = self.now();
        load.observe(read(), last);
        for round in 0_u64.. {
            super::runtime::sleep(limits::TICK).await;
            let now = self.now();
            let late = now.since(last).saturating_sub(limits::TICK);
            self.stats.loop_lag_us.set(u64::try_from(late.as_micros()).unwrap_or(u64::MAX));
            if self.pace(load.observe(read(), now), now) {
                load.restart();
            }
            last = now;

            let mut state = self.state.borrow_mut();
            self.resend_mail(&mut state);
            self.check_connections(&mut state, round, now);
            self.check_publishing(&mut state, now);
            self.check_outbound(&mut state, now);
            self.check_pulls(&mut state, now);
            self.tend_slates(&mut state, now);
            self.say_farewell(&mut state, now);
            if round % limits::TICKS_PER_SECOND == 0 {
                state.fanout.check(now, self.common.config.play_wait);
                self.count(&mut state);
            }
            self.settle(&mut state, now);
            if self.draining.get().is_some_and(|since| self.is_drained(&state, since, now)) {
                tracing::info!(shard = self.index, "drained");
                self.stop.notify();
                break;
            }
        }
    }

    /// Judges the load. Returns whether the window is another one now.
    fn pace(&self, busy: Busy, now: Moment) -> bool {
        self.stats.busy_permille.set(u64::from(busy.all));
        let mut pacer = self.pacer.borrow_mut();
        let before = pacer.window();
        pacer.observe(busy, now);
        let window = pacer.window();
        self.stats.pacing_window_ms.set(u64::try_from(window.as_millis()).unwrap_or(u64::MAX));
        if window != before {
            tracing::info!(
                shard = self.index,
                busy_permille = busy.all,
                passes_permille = busy.passes,
                from_ms = before.as_millis(),
                to_ms = window.as_millis(),
                "pacing window changed"
            );
        }
        window != before
    }

    /// Sends stream end to players that heard of the end a while ago.
    fn say_farewell(&self, state: &mut State, now: Moment) {
        while let Some((told, key)) = state.farewells.front().copied()
            && now.since(told) >= limits::FAREWELL_AFTER
        {
            state.farewells.pop_front();
            let Some(connection) = state.connections.at_mut(key) else { continue };
            let Some(play) = &connection.play else { continue };
            connection.protocol.stream_eof(play.stream_id);
            self.send_output(state, key, now);
        }
    }

    fn resend_mail(&self, state: &mut State) {
        for _ in 0..state.unsent.len() {
            if let Some((shard, mail)) = state.unsent.pop_front() {
                self.mail(state, shard, mail);
            }
        }
    }

    /// Looks at a share of the connections; each has its turn once a second.
    fn check_connections(self: &Rc<Self>, state: &mut State, round: u64, now: Moment) {
        let share = (round % limits::TICKS_PER_SECOND) as u32;
        let keys: Vec<Key> = state
            .connections
            .iter()
            .map(|(key, _)| key)
            .filter(|key| key.at % limits::TICKS_PER_SECOND as u32 == share)
            .collect();
        for key in keys {
            if self.is_flooding(state, key) {
                self.stats.refuse(Refusal::Command);
                self.close(state, key, "message-flood", now);
            } else if let Some(reason) = self.deadline(state, key, now) {
                self.stats.refuse(Refusal::Timeout);
                self.close(state, key, reason, now);
            }
        }
    }

    /// Whether a connection sent more messages besides media in the last second than any dialogue has,
    /// or more tiny ones of media than any stream: each of them costs us more than it costs the peer.
    fn is_flooding(&self, state: &mut State, key: Key) -> bool {
        let State { connections, publishing, .. } = state;
        let Some(connection) = connections.at_mut(key) else { return false };
        let total = connection.protocol.other_messages();
        let before = std::mem::replace(&mut connection.other_messages, total);
        let mut tiny = 0;
        for place in &connection.publishes {
            tiny += publishing.at_mut(*place).map_or(0, |entry| std::mem::take(&mut entry.tiny));
        }
        total - before > limits::OTHER_MESSAGES_PER_SECOND
            || tiny > limits::TINY_MESSAGES_PER_SECOND
    }

    /// The deadline that a connection has passed, if it has.
    fn deadline(self: &Rc<Self>, state: &mut State, key: Key, now: Moment) -> Option<&'static str> {
        let timeouts = &self.common.config.timeouts;
        let State { connections, publishing, .. } = state;
        let connection = connections.at_mut(key)?;
        if !connection.protocol.is_open() {
            let over = now.since(connection.since) >= timeouts.handshake;
            return over.then_some("handshake-timeout");
        }
        // Counted from the beginning: whoever sends a byte now and then has not connected either.
        // An application that takes its time is not the peer's fault.
        if !connection.protocol.is_connected()
            && connection.asked.is_empty()
            && now.since(connection.since) >= timeouts.handshake + timeouts.idle
        {
            return Some("connect-timeout");
        }
        let publishes = connection.publishes.iter().filter_map(|place| publishing.at(*place));
        let mut published = false;
        for entry in publishes {
            published = true;
            if entry.tenure.last_media().is_some_and(|last| now.since(last) >= timeouts.no_media) {
                return Some("no-media");
            }
        }
        let waits = !connection.asked.is_empty();
        if !published
            && !waits
            && connection.play.is_none()
            && now.since(connection.last_read.max(connection.since)) >= timeouts.idle
        {
            return Some("idle");
        }
        self.expire_questions(state, key, now);
        self.tell_totals(state, key, now);
        // A peer that is silent because it only listens is asked whether it is there: its answer
        // keeps address translators from forgetting it, and TCP notices if there is nobody.
        let connection = state.connections.at_mut(key)?;
        let silent = now.since(connection.last_read.max(connection.last_ping));
        if connection.protocol.is_connected() && silent >= limits::PING_AFTER {
            self.ping(connection, key, now);
            self.send_output(state, key, now);
        }
        None
    }

    fn check_publishing(self: &Rc<Self>, state: &mut State, now: Moment) {
        let mut expired = Vec::new();
        for (place, entry) in state.publishing.iter_mut() {
            entry.count();
            let Some(publisher) = entry.tenure.publisher() else { continue };
            if publisher.held_until().is_some_and(|until| until <= now) {
                expired.push(place);
            }
            let stats = &entry.tenure.hub.stats.publisher;
            stats.bitrate.set(entry.rate.update(now.as_ms(), entry.bytes));
            let repairs = publisher.writer().repairs();
            stats.timeline_repairs.add(repairs.saturating_sub(stats.timeline_repairs.get()));
            stats.log_bytes.set(publisher.writer().retained_bytes() as u64);
        }
        for place in expired {
            self.finish(state, place, "hold expired", now);
        }
    }

    fn count(&self, state: &mut State) {
        let State { fanout, sockets, outbound, .. } = state;
        fanout.collect(|id, hub, delta| {
            let way = sockets.get(id.at as usize).and_then(Option::as_ref);
            if let Some(Whose::Target(key)) = way.map(|way| way.owner.whose()) {
                return outbound.at(key).map_or((), |target| target.count(delta));
            }
            count_viewer(hub, delta);
            self.stats.dropped_frames.add(delta.frames_dropped);
            self.stats.dropped_bytes.add(delta.bytes_dropped);
        });
        self.stats.waiting.set(fanout.waiting() as u64);
    }

    /// Begins to end: streams end, viewers are told and get what is theirs.
    pub(super) fn drain(self: &Rc<Self>) {
        let now = self.now();
        let mut state = self.state.borrow_mut();
        tracing::info!(
            shard = self.index,
            connections = state.connections.len(),
            "draining: no new connections, streams end"
        );
        self.draining.set(Some(now));
        self.end_pulls(&mut state, now);
        let places: Vec<Key> = state.publishing.iter().map(|(place, _)| place).collect();
        for place in places {
            self.finish(&mut state, place, "server stops", now);
        }
        self.due.notify();
        self.settle(&mut state, now);
    }

    fn is_drained(&self, state: &State, since: Moment, now: Moment) -> bool {
        // One round for the other shards' ends to arrive, then until nobody is owed anything.
        let age = now.since(since);
        let settled =
            age >= limits::DRAIN_MIN && state.farewells.is_empty() && !state.fanout.is_owing();
        settled || age >= limits::DRAIN_MAX
    }
}
