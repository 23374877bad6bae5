//! What publishing does to streams on this shard: claiming, appending, holding, handing over.

use super::connection::report;
use super::inbox::Mail;
use super::state::{Asked, Phase, Publishing, State};
use super::tasks::Shard;
use crate::hook::{Decision, MayPublish};
use crate::ingest;
use crate::moment::Moment;
use crate::name::StreamName;
use crate::slots::Key;
use crate::stats::{Rate, Refusal, State as StreamState};
use crate::stream::publisher::Publisher;
use crate::stream::registry::{Claim, ClaimId, Claimant, Heir, Refusal as ClaimRefusal};
use crate::stream::writer::{Appended, Arrival, StreamWriter};
use millstream_rtmp::message::Message;
use millstream_rtmp::session::{Data, Rejection, RequestId};
use std::cmp::Reverse;
use std::rc::Rc;

impl Shard {
    pub(super) fn publish_decided(
        self: &Rc<Self>,
        state: &mut State,
        key: Key,
        asked: Asked,
        decision: Decision<MayPublish>,
        now: Moment,
    ) {
        let Some(connection) = state.connections.at_mut(key) else { return };
        let (number, address) = (connection.number, connection.address);
        let may = match decision {
            Ok(may) => may,
            Err(rejection) => {
                let reason = if rejection.name.starts_with("key") {
                    Refusal::Key
                } else if rejection.name == "name" {
                    Refusal::Name
                } else {
                    Refusal::Hook
                };
                self.stats.refuse(reason);
                tracing::warn!(connection = number, peer = %address, reason = rejection.name, "publish refused");
                let rejection = Rejection::publish_denied(&rejection.description);
                report(connection.protocol.reject_publish(asked.request, &rejection));
                return;
            }
        };
        let claimant =
            Claimant { shard: self.index, address: address.ip(), identity: may.identity };
        let claim = self.common.registry().claim(&may.stream, claimant, now);
        let (claim, hub, phase, seal) = match claim {
            Ok(Claim::Granted { id, hub, writer }) => {
                let publisher = self.publisher(id, &hub, writer, now);
                (id, hub, Phase::Owned(publisher), None)
            }
            Ok(Claim::Promised { id, hub, seal }) => {
                let phase = Phase::Promised { request: asked.request, sealed: false };
                (id, hub, phase, Some(seal))
            }
            Err(refusal) => {
                self.stats.refuse(Refusal::Busy);
                let (reason, text) = refusal_text(refusal);
                tracing::warn!(connection = number, peer = %address, stream = %may.stream, reason, "publish refused");
                let rejection = Rejection::bad_name(text);
                report(connection.protocol.reject_publish(asked.request, &rejection));
                return;
            }
        };
        let owned = matches!(phase, Phase::Owned(_));
        let publishing = state.publishing.insert(Publishing {
            claim,
            hub,
            phase,
            source: Some((key, asked.stream_id)),
            rate: Rate::default(),
            bytes: 0,
        });
        connection.publishes.push(publishing);
        state.claims.insert(claim, publishing);
        self.stats.streams.add(1);
        if owned {
            self.began(state, publishing, asked.request, now);
        } else if let Some((claim, shard)) = seal {
            self.mail(state, shard, Mail::Seal { name: may.stream, claim });
        }
    }

    fn publisher(
        &self,
        id: ClaimId,
        hub: &std::sync::Arc<crate::stream::hub::Hub>,
        writer: Box<StreamWriter>,
        now: Moment,
    ) -> Box<Publisher> {
        let hub = std::sync::Arc::clone(hub);
        Box::new(Publisher::begin(id, hub, writer, self.common.eagerness(), now))
    }

    /// Tells the publisher that it may begin, and everybody that it has.
    fn began(self: &Rc<Self>, state: &mut State, publishing: Key, request: RequestId, now: Moment) {
        let Some(entry) = state.publishing.at_mut(publishing) else { return };
        let Some((key, _)) = entry.source else { return };
        let Some(connection) = state.connections.at_mut(key) else { return };
        entry.rate.restart(now.as_ms(), 0);
        let encoder = connection.peer.as_ref().map(|peer| peer.flash_ver.clone());
        let address = connection.address;
        let shard = self.index;
        entry.hub.stats.update(|info| {
            info.state = StreamState::Live;
            info.shard = Some(shard);
            info.publisher = Some(address);
            info.encoder = encoder;
            info.since_unix_ms = unix_ms();
            info.video = None;
            info.audio = None;
        });
        entry.hub.stats.publisher.generation.add(1);
        self.stats.publishers.add(1);
        tracing::info!(
            connection = connection.number,
            peer = %address,
            stream = %entry.hub.name,
            shard,
            "publish started"
        );
        report(connection.protocol.accept_publish(request));
    }

    pub(super) fn media(
        self: &Rc<Self>,
        state: &mut State,
        key: Key,
        message: &Message,
        now: Moment,
    ) {
        if let Some(arrival) = ingest::rtmp::media(message) {
            self.push(state, key, message.stream_id, &arrival, now);
        }
    }

    pub(super) fn data(self: &Rc<Self>, state: &mut State, key: Key, data: &Data, now: Moment) {
        if data.frame != millstream_rtmp::session::DataFrame::Clear {
            let arrival = ingest::rtmp::data(data);
            self.push(state, key, data.stream_id, &arrival, now);
        }
    }

    fn push(
        self: &Rc<Self>,
        state: &mut State,
        key: Key,
        stream_id: u32,
        arrival: &Arrival<'_>,
        now: Moment,
    ) {
        let State { connections, publishing, rides, .. } = state;
        let Some(connection) = connections.at_mut(key) else { return };
        let Some((place, entry)) = find(publishing, &connection.publishes, stream_id) else {
            return;
        };
        let Phase::Owned(publisher) = &mut entry.phase else { return };
        let before = publisher.flush_due();
        match publisher.push(arrival, now) {
            Appended::Due(due) => {
                if due > now && before.is_none() {
                    rides.push(Reverse((due, place)));
                    self.rides.notify();
                }
            }
            Appended::TooManyHeaders => {
                tracing::warn!(connection = connection.number, stream = %entry.hub.name, error = "too-many-headers", "protocol error");
                self.begin_closing(connection, key, "too-many-headers", now);
                return;
            }
        }
        let stats = &entry.hub.stats.publisher;
        entry.bytes += arrival.payload.len() as u64;
        stats.bytes_in.add(arrival.payload.len() as u64);
        if arrival.kind.is_frame() {
            stats.frames_in.add(1);
            self.stats.frames_in.add(1);
        }
        match arrival.kind {
            crate::stream::segment::Kind::VideoKey => stats.keyframes_in.add(1),
            kind if arrival.header.is_some() => {
                ingest::describe::describe(&entry.hub.stats, kind, arrival.payload);
            }
            _ => {}
        }
    }

    /// Tells readers of what a connection's publishers appended in this step, as far as it is due.
    pub(super) fn flush_publishes(&self, state: &mut State, key: Key, now: Moment) {
        let State { connections, publishing, marked, .. } = state;
        let Some(connection) = connections.at(key) else { return };
        for place in &connection.publishes {
            if let Some(entry) = publishing.at_mut(*place) {
                self.flush(entry, marked, now);
            }
        }
    }

    fn flush(&self, entry: &mut Publishing, marked: &mut [bool], now: Moment) {
        if let Phase::Owned(publisher) = &mut entry.phase
            && publisher.flush_due().is_some_and(|due| due <= now)
        {
            publisher.flush(&self.common.mailboxes, |shard| marked[shard] = true);
        }
    }

    /// Flushes the streams whose audio has waited long enough.
    pub(super) fn end_rides(self: &Rc<Self>) {
        let now = self.now();
        let mut state = self.state.borrow_mut();
        let State { publishing, rides, marked, .. } = &mut *state;
        while let Some(Reverse((due, place))) = rides.peek().copied()
            && due <= now
        {
            rides.pop();
            if let Some(entry) = publishing.at_mut(place) {
                self.flush(entry, marked, now);
                // The video that it waited for came and went, and more audio waits by now.
                if let Phase::Owned(publisher) = &entry.phase
                    && let Some(next) = publisher.flush_due()
                {
                    rides.push(Reverse((next, place)));
                }
            }
        }
        self.settle(&mut state, now);
    }

    pub(super) fn unpublish(
        self: &Rc<Self>,
        state: &mut State,
        key: Key,
        stream_id: u32,
        now: Moment,
    ) {
        let Some(connection) = state.connections.at_mut(key) else { return };
        let Some((place, _)) = find(&mut state.publishing, &connection.publishes, stream_id) else {
            return;
        };
        connection.publishes.retain(|held| *held != place);
        tracing::debug!(connection = connection.number, "unpublished");
        self.finish(state, place, "unpublished", now);
    }

    /// The connection of a publisher is gone.
    pub(super) fn lose(self: &Rc<Self>, state: &mut State, place: Key, now: Moment) {
        let Some(entry) = state.publishing.at_mut(place) else { return };
        entry.source = None;
        let name = entry.hub.name.clone();
        match &mut entry.phase {
            Phase::Owned(publisher) => {
                self.common.registry().lost(&name, entry.claim);
                publisher.hold(now, self.common.config.hold);
                entry.hub.stats.update(|info| {
                    info.state = StreamState::Held;
                    info.since_unix_ms = unix_ms();
                });
                self.stats.publishers.sub(1);
                tracing::info!(
                    stream = %name,
                    seconds = self.common.config.hold.as_secs_f32(),
                    "publisher lost; its viewers are held"
                );
            }
            Phase::Promised { .. } => {
                if self.common.registry().withdraw(&name, entry.claim) {
                    self.forget(state, place);
                }
                // Otherwise the inheritance is on its way, and is held when it comes.
            }
        }
    }

    /// Ends a stream: its readers are told, and its name is free.
    pub(super) fn finish(
        self: &Rc<Self>,
        state: &mut State,
        place: Key,
        reason: &str,
        now: Moment,
    ) {
        let Some(entry) = state.publishing.at_mut(place) else { return };
        if matches!(entry.phase, Phase::Promised { .. }) {
            return self.lose(state, place, now);
        }
        let connected = entry.source.is_some();
        let Some(entry) = self.forget(state, place) else { return };
        let Phase::Owned(publisher) = entry.phase else { return };
        if connected {
            self.stats.publishers.sub(1);
        }
        let writer = publisher.end();
        entry.hub.stats.update(|info| {
            info.state = StreamState::Idle;
            info.shard = None;
            info.publisher = None;
            info.since_unix_ms = unix_ms();
        });
        entry.hub.mark_readers(&self.common.mailboxes, |shard| state.marked[shard] = true);
        tracing::info!(stream = %entry.hub.name, reason, "publish ended");
        self.give_back(state, &entry.hub.name, entry.claim, writer);
    }

    /// Another claim takes a stream of this shard over.
    pub(super) fn seal(self: &Rc<Self>, name: &StreamName, claim: ClaimId) {
        let now = self.now();
        let mut state = self.state.borrow_mut();
        let Some(&place) = state.claims.get(&claim) else { return };
        let Some(entry) = state.publishing.at_mut(place) else { return };
        if let Phase::Promised { sealed, .. } = &mut entry.phase {
            // The inheritance has not come yet; it is passed on when it does.
            *sealed = true;
            return;
        }
        self.take_from(&mut state, place, now);
        let Some(entry) = self.forget(&mut state, place) else { return };
        let Phase::Owned(mut publisher) = entry.phase else { return };
        // What is appended but rides still is part of this generation.
        publisher.flush(&self.common.mailboxes, |shard| state.marked[shard] = true);
        self.give_back(&mut state, name, claim, publisher.into_writer());
        self.settle(&mut state, now);
    }

    /// Tells a publisher that it is one no longer, and hangs it up.
    fn take_from(self: &Rc<Self>, state: &mut State, place: Key, now: Moment) {
        let Some((key, stream_id)) = state.publishing.at_mut(place).and_then(|e| e.source.take())
        else {
            return;
        };
        self.stats.publishers.sub(1);
        let Some(connection) = state.connections.at_mut(key) else { return };
        connection.publishes.retain(|held| *held != place);
        let rejection = Rejection::bad_name("another publisher took this stream over");
        report(connection.protocol.stop_publish(stream_id, &rejection));
        self.begin_closing(connection, key, "taken-over", now);
        self.send_output(state, key, now);
    }

    /// A stream that was promised has come.
    pub(super) fn inherit(self: &Rc<Self>, claim: ClaimId) {
        let now = self.now();
        let mut state = self.state.borrow_mut();
        let Some(&place) = state.claims.get(&claim) else { return };
        let Some(entry) = state.publishing.at_mut(place) else { return };
        let Phase::Promised { request, sealed } = entry.phase else { return };
        let Some(writer) = entry.hub.take_writer() else { return };
        let hub = std::sync::Arc::clone(&entry.hub);
        if sealed {
            // Taken over before it began.
            if let Some((key, _)) = entry.source
                && let Some(connection) = state.connections.at_mut(key)
            {
                connection.publishes.retain(|held| *held != place);
                let rejection = Rejection::bad_name("another publisher took this stream over");
                report(connection.protocol.reject_publish(request, &rejection));
                self.send_output(&mut state, key, now);
            }
            self.forget(&mut state, place);
            self.give_back(&mut state, &hub.name, claim, writer);
        } else {
            entry.phase = Phase::Owned(self.publisher(claim, &hub, writer, now));
            hub.mark_readers(&self.common.mailboxes, |shard| state.marked[shard] = true);
            match state.publishing.at(place).and_then(|entry| entry.source) {
                Some((key, _)) => {
                    self.began(&mut state, place, request, now);
                    self.pump(&mut state, key, &[], now);
                }
                None => {
                    // Its connection went while the stream was on its way.
                    self.stats.publishers.add(1);
                    self.lose(&mut state, place, now);
                }
            }
        }
        self.settle(&mut state, now);
    }

    fn give_back(
        self: &Rc<Self>,
        state: &mut State,
        name: &StreamName,
        claim: ClaimId,
        writer: Box<StreamWriter>,
    ) {
        let heir = self.common.registry().give_back(name, claim, writer);
        if let Some(Heir { id, shard }) = heir {
            self.mail(state, shard, Mail::Inherit { claim: id });
        }
    }

    fn forget(&self, state: &mut State, place: Key) -> Option<Publishing> {
        let entry = state.publishing.remove(place)?;
        state.claims.remove(&entry.claim);
        self.stats.streams.sub(1);
        Some(entry)
    }
}

fn find<'a>(
    publishing: &'a mut crate::slots::Slots<Publishing>,
    places: &[Key],
    stream_id: u32,
) -> Option<(Key, &'a mut Publishing)> {
    let place = places.iter().copied().find(|place| {
        publishing
            .at(*place)
            .is_some_and(|entry| entry.source.is_some_and(|(_, id)| id == stream_id))
    })?;
    publishing.at_mut(place).map(|entry| (place, entry))
}

fn refusal_text(refusal: ClaimRefusal) -> (&'static str, &'static str) {
    match refusal {
        ClaimRefusal::Busy => ("busy", "somebody else publishes this stream"),
        ClaimRefusal::TooSoon => {
            ("takeover-too-soon", "this stream changed publishers a moment ago; try again")
        }
        ClaimRefusal::HandoverInProgress => {
            ("handover-in-progress", "this stream is just changing publishers; try again")
        }
        ClaimRefusal::TooManyStreams => {
            ("too-many-streams", "the server has no room for another stream")
        }
    }
}

/// Wall-clock time in milliseconds, for people to read.
pub(super) fn unix_ms() -> u64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
