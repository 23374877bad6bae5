//! What origins send: it becomes a stream of this server, published by the shard that pulls it. The
//! stream is held when its origin is lost, and goes on with the next one as with a publisher who returns.

use super::publishing::unix_ms;
use super::pulling::Pull;
use super::standing_by::TooManyHeaders;
use super::state::{Fresh, Publishing, State};
use super::tasks::Shard;
use crate::ingest;
use crate::limits;
use crate::moment::Moment;
use crate::name::StreamName;
use crate::outbound::{Role, Trouble};
use crate::slots::Key;
use crate::stats::{PullState, Rate, State as StreamState};
use crate::stream::tenure::{Loss, Tenure};
use crate::stream::writer::Arrival;
use millstream_client::Event;
use millstream_flv::TagKind;
use millstream_rtmp::message::{Message, MessageType};
use millstream_rtmp::session::DataFrame;
use std::rc::Rc;

impl Shard {
    /// Media or data of an origin; anything else is no news.
    pub(super) fn pulled(
        self: &Rc<Self>,
        state: &mut State,
        key: Key,
        stream: &StreamName,
        event: Event,
        now: Moment,
    ) {
        let appended = match event {
            Event::Media { stream: Some(_), tag } => {
                let kind = match tag.kind {
                    TagKind::Audio => MessageType::AUDIO,
                    TagKind::Video | TagKind::Script => MessageType::VIDEO,
                };
                let message = Message {
                    chunk_stream_id: 0,
                    timestamp: tag.timestamp,
                    kind,
                    stream_id: 0,
                    payload: tag.payload,
                };
                let arrival = ingest::rtmp::media(&message);
                arrival.map_or(Ok(()), |arrival| self.append(state, stream, &arrival, now))
            }
            // What servers say of themselves by data messages is not of the stream.
            Event::Data { stream: Some(_), data }
                if data.frame != DataFrame::Clear
                    && !data.name.starts_with('|')
                    && data.name != "onStatus" =>
            {
                self.append(state, stream, &ingest::rtmp::data(&data), now)
            }
            _ => Ok(()),
        };
        if let Err(trouble) = appended {
            self.fail(state, key, trouble, now);
        }
    }

    /// Appends a message to the stream, which begins with the first one.
    fn append(
        self: &Rc<Self>,
        state: &mut State,
        stream: &StreamName,
        arrival: &Arrival<'_>,
        now: Moment,
    ) -> Result<(), Trouble> {
        let Some(place) = self.fed(state, stream, now)? else { return Ok(()) };
        let State { publishing, pulls, rides, .. } = state;
        if let Some(pull) = pulls.get_mut(stream) {
            pull.stats.bytes_in.add(arrival.payload.len() as u64);
            pull.tiny.0 += u64::from(arrival.payload.len() < limits::TINY_MESSAGE_BYTES);
        }
        let Some(entry) = publishing.at_mut(place) else { return Ok(()) };
        let taken = if entry.tenure.is_promised() {
            // A slate fills the gap, until a key frame comes.
            self.stand_by(state, place, arrival, now)
        } else {
            self.keep(entry, place, rides, arrival, now)
        };
        taken.map_err(|TooManyHeaders| Trouble::Nonsense)
    }

    /// The stream that an origin feeds: begun, or gone on with, if it is not live. None if somebody
    /// publishes it here, which the pull will hear of.
    fn fed(
        self: &Rc<Self>,
        state: &mut State,
        stream: &StreamName,
        now: Moment,
    ) -> Result<Option<Key>, Trouble> {
        let State { pulls, publishing, claims, .. } = state;
        let Some(pull) = pulls.get_mut(stream) else { return Ok(None) };
        pull.course.fed(now);
        let place = pull.publishing.filter(|place| publishing.at(*place).is_some());
        if let Some(entry) = place.and_then(|place| publishing.at_mut(place)) {
            if entry.tenure.publisher().is_some_and(|publisher| publisher.held_until().is_some()) {
                let eagerness = self.common.eagerness();
                entry.tenure.resume(&mut self.common.registry(), eagerness, now);
                self.live(pull, entry, now);
            }
            return Ok(place);
        }
        let claim = self.common.registry().claim_idle(stream, self.index, now);
        let (tenure, seal) = match claim {
            Ok(claim) => Tenure::new(claim, self.common.eagerness(), now),
            Err(crate::stream::registry::Refusal::TooManyStreams) => return Err(Trouble::System),
            Err(_) => return Ok(None),
        };
        debug_assert!(seal.is_none(), "what nobody owns is granted, and for a slate one waits");
        let (claim, waits) = (tenure.claim, tenure.is_waiting());
        let mut entry = Publishing {
            tenure,
            request: None,
            source: None,
            pulled: true,
            welcomed: false,
            show: None,
            rate: Rate::default(),
            bytes: 0,
            fresh: Fresh::default(),
            tiny: 0,
        };
        if !waits {
            self.live(pull, &mut entry, now);
        }
        let place = publishing.insert(entry);
        claims.insert(claim, place);
        self.stats.streams.add(u64::from(!waits));
        pull.publishing = Some(place);
        Ok(Some(place))
    }

    /// What is fetched has its turn after a slate.
    pub(super) fn began_pulled(self: &Rc<Self>, state: &mut State, place: Key, now: Moment) {
        if !is_pulled_at(state, place) {
            // The pull ended while the stream was on its way.
            return self.finish(state, place, "no viewer", now);
        }
        let State { pulls, publishing, .. } = state;
        let Some(entry) = publishing.at_mut(place) else { return };
        let Some(pull) = pulls.get(&entry.tenure.hub.name) else { return };
        self.live(pull, entry, now);
        if pull.outbound.is_none() {
            // Its origin was lost meanwhile.
            let stream = pull.stats.name().clone();
            self.lose_pulled(state, &stream, now);
        }
    }

    /// An origin begins to feed a stream.
    fn live(&self, pull: &Pull, entry: &mut Publishing, now: Moment) {
        pull.stats.feeds.add(1);
        pull.stats.enter(PullState::Pulling);
        self.show_live(entry, None, None, now);
        let shard = self.index;
        let origin = pull.stats.snapshot().info.origin.unwrap_or_default();
        tracing::info!(stream = %pull.stats.name(), origin, shard, "pull is fed");
    }

    /// Tells readers of what came from an origin, as far as it is due.
    pub(super) fn flush_pulled(&self, state: &mut State, origin: Key, now: Moment) {
        let State { pulls, publishing, marked, outbound, .. } = state;
        let Some(outbound) = outbound.at(origin).filter(|it| it.order.role == Role::Pull) else {
            return;
        };
        let place = pulls.get(&outbound.order.stream).and_then(|pull| pull.publishing);
        if let Some(entry) = place.and_then(|place| publishing.at_mut(place)) {
            self.flush(entry, marked, now);
        }
    }

    /// The origin of a stream is left or lost: the stream is held.
    pub(super) fn lose_pulled(
        self: &Rc<Self>,
        state: &mut State,
        stream: &StreamName,
        now: Moment,
    ) {
        let State { pulls, publishing, marked, .. } = state;
        let place = pulls.get(stream).and_then(|pull| pull.publishing);
        let Some(entry) = place.and_then(|place| publishing.at_mut(place)) else { return };
        // What was appended in this step is part of it.
        self.flush(entry, marked, now);
        if entry.tenure.publisher().is_none_or(|publisher| publisher.held_until().is_some()) {
            return;
        }
        let hold = self.hold_of(&entry.tenure.hub);
        if entry.tenure.lose(&mut self.common.registry(), now, hold) == Loss::Held {
            entry.tenure.hub.stats.update(|info| {
                info.state = StreamState::Held;
                info.since_unix_ms = unix_ms();
            });
            tracing::info!(%stream, seconds = hold.as_secs_f32(), "origin lost; its viewers are held");
        }
    }
}

/// Whether a pull feeds what stands at this place.
pub(super) fn is_pulled_at(state: &State, place: Key) -> bool {
    let entry = state.publishing.at(place);
    let pull = entry.and_then(|entry| state.pulls.get(&entry.tenure.hub.name));
    pull.is_some_and(|pull| pull.publishing == Some(place))
}
