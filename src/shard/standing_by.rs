//! What waiting does on this shard: standing in line for a stream, taking a turn at a key frame, and
//! stepping back for another. What is kept meanwhile stands in `stream::standby`.

use super::connection::report;
use super::inbox::Mail;
use super::publishing::unix_ms;
use super::state::{Connection, Publishing, State};
use super::tasks::Shard;
use crate::limits;
use crate::moment::Moment;
use crate::name::StreamName;
use crate::slots::Key;
use crate::stats::State as StreamState;
use crate::stream::hub::Hub;
use crate::stream::standby::Heard;
use crate::stream::tenure::{Seal, Turn};
use crate::stream::writer::Arrival;
use std::rc::Rc;
use std::time::Duration;

/// One who waits sends more headers than a stream may have.
pub(super) struct TooManyHeaders;

impl Shard {
    /// Tells a publisher that it may begin, once.
    pub(super) fn welcome(self: &Rc<Self>, state: &mut State, publishing: Key, now: Moment) {
        let State { publishing: table, connections, .. } = state;
        let Some(entry) = table.at_mut(publishing) else { return };
        let (Some((key, _)), Some(request)) = (entry.source, entry.request) else { return };
        let Some(connection) = connections.at_mut(key) else { return };
        if std::mem::replace(&mut entry.welcomed, true) {
            return;
        }
        self.stats.publishers.add(1);
        let name = &entry.tenure.hub.name;
        if entry.tenure.is_waiting() {
            tracing::info!(
                connection = connection.number,
                peer = %connection.address,
                stream = %name,
                role = entry.tenure.role.label(),
                "publisher waits"
            );
        }
        report(connection.protocol.accept_publish(request));
        self.call(connection, key, now, |session| session.publish_started(name));
    }

    /// A message of a publisher that does not have its stream.
    pub(super) fn stand_by(
        self: &Rc<Self>,
        state: &mut State,
        place: Key,
        arrival: &Arrival<'_>,
        now: Moment,
    ) -> Result<(), TooManyHeaders> {
        let State { publishing, marked, .. } = state;
        let Some(entry) = publishing.at_mut(place) else { return Ok(()) };
        match entry.tenure.hear(arrival, now) {
            Heard::Noted => return Ok(()),
            Heard::Kept => {
                entry.note(arrival);
                return Ok(());
            }
            Heard::TooManyHeaders => return Err(TooManyHeaders),
            Heard::Asks => {}
        }
        let turn = entry.tenure.ask(
            arrival,
            &mut self.common.registry(),
            self.common.eagerness(),
            &self.common.mailboxes,
            |shard| marked[shard] = true,
            now,
        );
        if !entry.tenure.is_waiting() {
            entry.note(arrival);
        }
        let pulled = entry.pulled;
        match turn {
            Turn::NotYet => {}
            Turn::Begun => {
                self.stats.streams.add(1);
                if pulled {
                    self.began_pulled(state, place, now);
                } else {
                    self.began(state, place, now);
                }
            }
            Turn::Promised(Seal { claim, shard }) => {
                self.stats.streams.add(1);
                self.mail(state, shard, Mail::Seal { claim });
            }
        }
        Ok(())
    }

    /// A stream of this shard went to one who stood in line, and its publisher stands there.
    pub(super) fn stepped_back(&self, entry: &mut Publishing) {
        entry.count();
        self.stats.streams.sub(1);
        tracing::info!(
            stream = %entry.tenure.hub.name,
            role = entry.tenure.role.label(),
            "publisher steps back and waits"
        );
    }

    /// A publisher takes leave where that does not end the stream: it stands in line, or others do.
    pub(super) fn leave(self: &Rc<Self>, state: &mut State, place: Key, now: Moment) {
        let Some(entry) = state.publishing.at(place) else { return };
        if let Some((key, _)) = entry.source.filter(|_| entry.welcomed) {
            let name = entry.tenure.hub.name.clone();
            self.tell_finished(state, key, &name, now);
        }
        self.lose(state, place, now);
    }

    /// Whether somebody waits who could feed a stream whose publisher leaves, so that its viewers
    /// need not be sent away.
    pub(super) fn is_covered(&self, hub: &Hub) -> bool {
        self.slate_of(hub).is_some() || self.common.registry().is_waited_for(&hub.name)
    }

    /// How long the viewers of a stream are kept whose publisher is lost: long enough for whoever
    /// covers it to come, however soon its own publisher is given up.
    pub(super) fn hold_of(&self, hub: &Hub) -> Duration {
        let slate = self.slate_of(hub).map(|slate| slate.after + limits::COVER_MARGIN);
        let waited = self.common.registry().is_waited_for(&hub.name);
        let waited = waited.then_some(limits::STANDBY_PRECEDENCE);
        [slate, waited].into_iter().flatten().fold(self.common.config.hold, Duration::max)
    }

    /// Hangs up on a publisher with more headers than a stream may have.
    pub(super) fn too_many_headers(
        &self,
        connection: &mut Connection,
        key: Key,
        name: &StreamName,
        now: Moment,
    ) {
        let error = "too-many-headers";
        tracing::warn!(connection = connection.number, stream = %name, error, "protocol error");
        self.begin_closing(connection, key, error, now);
    }
}

/// Says of a stream that nobody feeds it, but that its viewers stay.
pub(super) fn say_held(hub: &Hub, hold: Duration) {
    hub.stats.update(|info| {
        info.state = StreamState::Held;
        info.source = None;
        info.since_unix_ms = unix_ms();
    });
    let seconds = hold.as_secs_f32();
    tracing::info!(stream = %hub.name, seconds, "publisher lost; its viewers are held");
}
