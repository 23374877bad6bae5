//! What publishing does to streams on this shard: claiming, appending, holding, handing over.

use super::connection::report;
use super::inbox::Mail;
use super::pulled::is_pulled_at;
use super::standing_by::TooManyHeaders;
use super::standing_by::say_held;
use super::state::{Asked, Connection, Fresh, Publishing, Rides, State};
use super::tasks::Shard;
use crate::hook::{Decision, MayPublish};
use crate::ingest;
use crate::limits;
use crate::moment::Moment;
use crate::name::StreamName;
use crate::role::Role;
use crate::slots::Key;
use crate::stats::{Rate, Refusal, State as StreamState};
use crate::stream::registry::{ClaimId, Claimant, Heir, Refusal as ClaimRefusal};
use crate::stream::tenure::{GivenUp, Inheritance, Loss, Seal, Tenure};
use crate::stream::writer::{Appended, Arrival};
use millstream_rtmp::message::Message;
use millstream_rtmp::session::{Data, Rejection};
use std::cmp::Reverse;
use std::net::SocketAddr;
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
                self.send_elsewhere(connection, &rejection);
                let rejection = Rejection::publish_denied(rejection.words());
                report(connection.protocol.reject_publish(asked.request, &rejection));
                return;
            }
        };
        let claimant = Claimant {
            shard: self.index,
            address: address.ip(),
            identity: may.identity,
            yields: false,
        };
        let claim = {
            let mut registry = self.common.registry();
            match may.role {
                Role::Primary => registry.claim(&may.stream, claimant, now),
                role => registry.wait(&may.stream, claimant, role),
            }
        };
        let (tenure, seal) = match claim {
            Ok(claim) => Tenure::new(claim, self.common.eagerness(), now),
            Err(refusal) => {
                self.stats.refuse(Refusal::Busy);
                let (reason, text) = refusal_text(refusal);
                tracing::warn!(connection = number, peer = %address, stream = %may.stream, reason, "publish refused");
                let rejection = Rejection::bad_name(text);
                report(connection.protocol.reject_publish(asked.request, &rejection));
                return;
            }
        };
        let (claim, waits) = (tenure.claim, tenure.is_waiting());
        let publishing = state.publishing.insert(Publishing {
            tenure,
            request: Some(asked.request),
            source: Some((key, asked.stream_id)),
            pulled: false,
            welcomed: false,
            show: None,
            rate: Rate::default(),
            bytes: 0,
            fresh: Fresh::default(),
            tiny: 0,
        });
        connection.publishes.push(publishing);
        state.claims.insert(claim, publishing);
        self.stats.streams.add(u64::from(!waits));
        match seal {
            None if waits => self.welcome(state, publishing, now),
            None => self.began(state, publishing, now),
            Some(Seal { claim, shard }) => {
                self.mail(state, shard, Mail::Seal { claim });
            }
        }
    }

    /// Tells everybody that a stream has begun, and its publisher, if it was not told, that it may.
    pub(super) fn began(self: &Rc<Self>, state: &mut State, publishing: Key, now: Moment) {
        let State { publishing: table, connections, .. } = state;
        let Some(entry) = table.at_mut(publishing) else { return };
        let connection = entry.source.and_then(|(key, _)| connections.at(key));
        let peer = connection.and_then(|connection| connection.peer.as_ref());
        let encoder = peer.map(|peer| peer.flash_ver.clone());
        let address = connection.map(|connection| connection.address);
        let (shard, role) = (self.index, entry.tenure.role);
        self.show_live(entry, address, encoder, now);
        tracing::info!(
            connection = connection.map(|connection| connection.number),
            peer = address.map(tracing::field::display),
            stream = %entry.tenure.hub.name,
            role = role.label(),
            shard,
            "publish started"
        );
        self.welcome(state, publishing, now);
    }

    /// Enters in the stream's figures, and with those who push it, that it is fed.
    pub(super) fn show_live(
        &self,
        entry: &mut Publishing,
        publisher: Option<SocketAddr>,
        encoder: Option<String>,
        now: Moment,
    ) {
        entry.rate.restart(now.as_ms(), entry.bytes);
        let (shard, role) = (self.index, entry.tenure.role);
        let hub = &entry.tenure.hub;
        hub.stats.update(|info| {
            info.state = StreamState::Live;
            info.source = Some(role);
            info.shard = Some(shard);
            info.publisher = publisher;
            info.encoder = encoder;
            info.since_unix_ms = unix_ms();
            info.video = None;
            info.audio = None;
        });
        hub.stats.publisher.generation.add(1);
        if let Some(publisher) = entry.tenure.publisher() {
            // Those of one who waited are there already.
            for (slot, payload) in publisher.writer().headers().iter() {
                ingest::describe::describe(&hub.stats, slot.carrier.kind(), payload);
            }
        }
        self.common.targets.begun(&hub.name);
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
            if let Some((connection, stream)) = heard(state, key, message.stream_id) {
                self.hear_media(connection, key, &stream, message, now);
            }
        }
    }

    pub(super) fn data(self: &Rc<Self>, state: &mut State, key: Key, data: &Data, now: Moment) {
        if data.frame != millstream_rtmp::session::DataFrame::Clear {
            let arrival = ingest::rtmp::data(data);
            self.push(state, key, data.stream_id, &arrival, now);
            if let Some((connection, stream)) = heard(state, key, data.stream_id) {
                self.hear_data(connection, key, &stream, data, now);
            }
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
        entry.tiny += u64::from(arrival.payload.len() < limits::TINY_MESSAGE_BYTES);
        if entry.tenure.is_promised() {
            let name = entry.tenure.hub.name.clone();
            let stood = self.stand_by(state, place, arrival, now);
            if let (Err(TooManyHeaders), Some(connection)) = (stood, state.connections.at_mut(key))
            {
                self.too_many_headers(connection, key, &name, now);
            }
        } else if let Err(TooManyHeaders) = self.keep(entry, place, rides, arrival, now) {
            self.too_many_headers(connection, key, &entry.tenure.hub.name, now);
        }
    }

    /// Appends a message to a stream that is owned here, and counts it.
    pub(super) fn keep(
        &self,
        entry: &mut Publishing,
        place: Key,
        rides: &mut Rides,
        arrival: &Arrival<'_>,
        now: Moment,
    ) -> Result<(), TooManyHeaders> {
        let Some(publisher) = entry.tenure.publisher_mut() else { return Ok(()) };
        let before = publisher.flush_due();
        match publisher.push(arrival, now) {
            Appended::Due(due) => {
                if due > now && before.is_none() {
                    rides.push(Reverse((due, place)));
                    self.rides.notify();
                }
            }
            Appended::TooManyHeaders => return Err(TooManyHeaders),
        }
        entry.note(arrival);
        self.stats.frames_in.add(u64::from(arrival.kind.is_frame()));
        if arrival.header.is_some() {
            ingest::describe::describe(&entry.tenure.hub.stats, arrival.kind, arrival.payload);
        }
        Ok(())
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

    pub(super) fn flush(&self, entry: &mut Publishing, marked: &mut [bool], now: Moment) {
        if let Some(publisher) = entry.tenure.publisher_mut()
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
                if let Some(publisher) = entry.tenure.publisher()
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
        let Some(entry) = state.publishing.at(place) else { return };
        if !entry.tenure.is_promised() && self.is_covered(&entry.tenure.hub) {
            return self.leave(state, place, now);
        }
        self.finish(state, place, "unpublished", now);
    }

    /// The connection of a publisher is gone.
    pub(super) fn lose(self: &Rc<Self>, state: &mut State, place: Key, now: Moment) {
        let Some(entry) = state.publishing.at_mut(place) else { return };
        entry.source = None;
        let welcomed = entry.welcomed;
        let hold = self.hold_of(&entry.tenure.hub);
        let loss = entry.tenure.lose(&mut self.common.registry(), now, hold);
        match loss {
            Loss::Held => {
                self.stats.publishers.sub(1);
                say_held(&entry.tenure.hub, hold);
            }
            Loss::Withdrawn => {
                self.stats.publishers.sub(u64::from(welcomed));
                self.forget(state, place);
            }
            Loss::Coming => {}
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
        if entry.tenure.is_promised() {
            return self.leave(state, place, now);
        }
        let source = entry.source;
        let Some(entry) = self.forget(state, place) else { return };
        if let Some((key, _)) = source {
            self.stats.publishers.sub(1);
            self.tell_finished(state, key, &entry.tenure.hub.name, now);
        }
        entry.tenure.hub.stats.update(|info| {
            info.state = StreamState::Idle;
            info.source = None;
            info.shard = None;
            info.publisher = None;
            info.since_unix_ms = unix_ms();
        });
        tracing::info!(stream = %entry.tenure.hub.name, reason, "publish ended");
        let heir =
            entry.tenure.finish(&mut self.common.registry(), &self.common.mailboxes, |shard| {
                state.marked[shard] = true
            });
        self.tell_heir(state, heir);
    }

    /// Another claim takes a stream of this shard over.
    pub(super) fn seal(self: &Rc<Self>, claim: ClaimId) {
        let now = self.now();
        let mut state = self.state.borrow_mut();
        let Some(&place) = state.claims.get(&claim) else { return };
        let State { publishing, marked, .. } = &mut *state;
        let Some(entry) = publishing.at_mut(place) else { return };
        let given_up = entry.tenure.give_up(
            entry.source.is_some(),
            &mut self.common.registry(),
            &self.common.mailboxes,
            |shard| marked[shard] = true,
            now,
        );
        let heir = match given_up {
            GivenUp::Kept => return,
            GivenUp::SteppedBack(heir) => {
                self.stepped_back(entry);
                heir
            }
            GivenUp::Left(heir) => {
                self.take_from(&mut state, place, now);
                self.forget(&mut state, place);
                heir
            }
        };
        self.tell_heir(&mut state, heir);
        self.settle(&mut state, now);
    }

    /// Tells a publisher that it is one no longer, and hangs it up.
    fn take_from(self: &Rc<Self>, state: &mut State, place: Key, now: Moment) {
        let Some((key, stream_id)) = state.publishing.at_mut(place).and_then(|e| e.source.take())
        else {
            return;
        };
        self.stats.publishers.sub(1);
        if let Some(entry) = state.publishing.at(place) {
            let name = entry.tenure.hub.name.clone();
            self.tell_finished(state, key, &name, now);
        }
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
        let State { publishing, marked, .. } = &mut *state;
        let Some(entry) = publishing.at_mut(place) else { return };
        let inheritance = entry.tenure.inherit(
            &mut self.common.registry(),
            self.common.eagerness(),
            &self.common.mailboxes,
            |shard| marked[shard] = true,
            now,
        );
        let (source, request) = (entry.source, entry.request);
        let (welcomed, slate, pulled) = (entry.welcomed, entry.show.is_some(), entry.pulled);
        match (inheritance, source) {
            (Inheritance::Nothing, _) => return,
            (Inheritance::SteppedBack(heir), source) => {
                self.stats.streams.sub(1);
                self.tell_heir(&mut state, heir);
                if source.is_none() && !(pulled && is_pulled_at(&state, place)) {
                    // Its connection went while the stream was on its way.
                    self.lose(&mut state, place, now);
                }
            }
            (Inheritance::PassedOn(heir), _) if welcomed => {
                self.stats.publishers.sub(u64::from(source.is_none()));
                self.take_from(&mut state, place, now);
                self.forget(&mut state, place);
                self.tell_heir(&mut state, heir);
            }
            (Inheritance::PassedOn(heir), source) => {
                if let Some((key, _)) = source
                    && let Some(connection) = state.connections.at_mut(key)
                {
                    connection.publishes.retain(|held| *held != place);
                    let rejection = Rejection::bad_name("another publisher took this stream over");
                    if let Some(request) = request {
                        report(connection.protocol.reject_publish(request, &rejection));
                    }
                    self.send_output(&mut state, key, now);
                }
                self.forget(&mut state, place);
                self.tell_heir(&mut state, heir);
            }
            (Inheritance::Begun, Some((key, _))) => {
                self.began(&mut state, place, now);
                self.pump(&mut state, key, &[], now);
            }
            (Inheritance::Begun, None) if slate => self.begin_slate(&mut state, place, now),
            (Inheritance::Begun, None) if pulled => self.began_pulled(&mut state, place, now),
            (Inheritance::Begun, None) => {
                // Its connection went while the stream was on its way.
                self.stats.publishers.add(u64::from(!welcomed));
                self.lose(&mut state, place, now);
            }
        }
        self.settle(&mut state, now);
    }

    pub(super) fn tell_heir(self: &Rc<Self>, state: &mut State, heir: Option<Heir>) {
        if let Some(Heir { id, shard }) = heir {
            self.mail(state, shard, Mail::Inherit { claim: id });
        }
    }

    fn forget(&self, state: &mut State, place: Key) -> Option<Publishing> {
        let mut entry = state.publishing.remove(place)?;
        entry.count();
        state.claims.remove(&entry.tenure.claim);
        self.stats.streams.sub(u64::from(!entry.tenure.is_waiting()));
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

/// A connection whose session hears media, and the stream that it publishes on this message stream.
fn heard(state: &mut State, key: Key, stream_id: u32) -> Option<(&mut Connection, StreamName)> {
    let State { connections, publishing, .. } = state;
    let connection = connections.at_mut(key).filter(|connection| connection.heard)?;
    let (_, entry) = find(publishing, &connection.publishes, stream_id)?;
    let name = entry.tenure.hub.name.clone();
    Some((connection, name))
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
        ClaimRefusal::TooManyWaiting => {
            ("too-many-waiting", "as many publishers as may wait for this stream already")
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
