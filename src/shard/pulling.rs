//! The pulls of this shard: what is wanted of them, the connections to origins that they have made, and
//! what these say. Decisions stand in `pull::course`, connections in `outbound`, and what becomes of the
//! media in `pulled`.

use super::outbound::Outbound;
use super::state::{Connection, State};
use super::tasks::Shard;
use crate::limits;
use crate::moment::Moment;
use crate::name::StreamName;
use crate::outbound::{Order, OrderId, Place, Role, Trouble};
use crate::pull::course::{Course, Do, Stage};
use crate::pull::orders::Orders;
use crate::pull::route::{Route, RouteError};
use crate::slots::Key;
use crate::stats::{PullState, PullStats};
use crate::stream::demand::{Feed, Standing};
use millstream_client::Event;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

/// A stream that is fetched.
pub struct Pull {
    pub course: Course,
    pub stats: Arc<PullStats>,
    /// The connection to an origin.
    pub outbound: Option<Key>,
    /// The stream as this pull publishes it. It may be gone: held in vain, or taken over.
    pub publishing: Option<Key>,
    /// The route that the origin is told.
    pub route: Option<Route>,
    /// Tiny messages since a moment, which is not long ago.
    pub tiny: (u64, Moment),
}

impl Pull {
    /// Whether more tiny messages came in a second than any stream has.
    fn is_flooded(&mut self, now: Moment) -> bool {
        let (count, since) = self.tiny;
        if now.since(since) < Duration::from_secs(1) {
            return count > limits::TINY_MESSAGES_PER_SECOND;
        }
        self.tiny = (0, now);
        count as f64 / now.since(since).as_secs_f64() > limits::TINY_MESSAGES_PER_SECOND as f64
    }
}

impl Shard {
    /// Looks at what is wanted of this shard's pulls, and lets the others see what time brings.
    pub(super) fn look_after_pulls(self: &Rc<Self>, state: &mut State, now: Moment) {
        let Some(orders) = self.common.pulls.clone() else { return };
        if self.draining.get().is_some() {
            return;
        }
        for (stream, standing) in orders.take(self.index) {
            self.stands(state, &orders, &stream, standing, now);
        }
        for stream in orders.take_asked(self.index) {
            self.reroute(state, &orders, &stream, now);
        }
    }

    /// News about streams that this shard pulls.
    pub(super) fn pulls_have_news(self: &Rc<Self>) {
        let now = self.now();
        let mut state = self.state.borrow_mut();
        self.look_after_pulls(&mut state, now);
        self.settle(&mut state, now);
    }

    /// What time brings, looked at with every tick.
    pub(super) fn check_pulls(self: &Rc<Self>, state: &mut State, now: Moment) {
        self.look_after_pulls(state, now);
        let streams: Vec<StreamName> = state.pulls.keys().cloned().collect();
        for stream in streams {
            let Some(pull) = state.pulls.get_mut(&stream) else { continue };
            let rerouted = pull.course.check_route(now);
            self.act(state, &stream, rerouted, now);
            let Some(pull) = state.pulls.get_mut(&stream) else { continue };
            if pull.is_flooded(now) {
                self.flooded(state, &stream, now);
                continue;
            }
            let before = pull.course.stage();
            let wanted = pull.course.check(now);
            if let Do::Dial(_) | Do::HangUp = wanted {
                match before {
                    Stage::Asking { .. } => self.note(state, &stream, &Trouble::Timeout),
                    Stage::Silent { .. } | Stage::Feeding { .. } => {
                        let text = "it sends nothing; does it have this stream?";
                        self.note_words(state, &stream, "stalled", text.into());
                    }
                    Stage::Over | Stage::Resting { .. } => {}
                }
            }
            self.act(state, &stream, wanted, now);
        }
    }

    /// An origin sends more tiny messages than any stream has: each costs us more than it.
    fn flooded(self: &Rc<Self>, state: &mut State, stream: &StreamName, now: Moment) {
        let Some(pull) = state.pulls.get_mut(stream) else { return };
        // The next origin has sent none of them.
        pull.tiny = (0, now);
        if let Some(key) = pull.outbound {
            self.fail(state, key, Trouble::Nonsense, now);
        }
    }

    /// Ends all pulls: the server stops.
    pub(super) fn end_pulls(self: &Rc<Self>, state: &mut State, now: Moment) {
        let streams: Vec<StreamName> = state.pulls.keys().cloned().collect();
        for stream in streams {
            self.act(state, &stream, Do::Finish, now);
        }
    }

    fn stands(
        self: &Rc<Self>,
        state: &mut State,
        orders: &Orders,
        stream: &StreamName,
        standing: Standing,
        now: Moment,
    ) {
        let State { pulls, publishing, .. } = state;
        let ours = pulls.get(stream).and_then(|pull| pull.publishing);
        let ours = ours.and_then(|place| publishing.at(place)).map(|entry| entry.tenure.claim);
        // A slate gives way to what is fetched.
        let free = matches!(standing.feed, Feed::None | Feed::Filled) || standing.owner == ours;
        if !pulls.contains_key(stream) {
            let Some(rule) = orders.rule_of(stream) else { return };
            if !standing.wanted || !free {
                return;
            }
            if pulls.len() >= limits::PULLS_MAX {
                tracing::warn!(%stream, "not pulled: this shard pulls as many streams as it may");
                return;
            }
            let stats = Arc::new(PullStats::new(stream.clone()));
            self.common.directory.add_pull(&stats);
            let course = Course::new(Arc::clone(rule), now.0 ^ (pulls.len() as u64) << 48);
            let pull = Pull {
                course,
                stats,
                outbound: None,
                publishing: None,
                route: None,
                tiny: (0, now),
            };
            pulls.insert(stream.clone(), pull);
            tracing::info!(%stream, shard = self.index, "pull begins: a viewer has come");
        }
        if let Some(pull) = pulls.get_mut(stream) {
            let wanted = pull.course.stands(standing.wanted, free, now);
            self.act(state, stream, wanted, now);
        }
    }

    /// An edge has come, whose route the origin may have to know.
    fn reroute(
        self: &Rc<Self>,
        state: &mut State,
        orders: &Orders,
        stream: &StreamName,
        now: Moment,
    ) {
        let Some(pull) = state.pulls.get_mut(stream) else { return };
        let lower = pull
            .route
            .as_ref()
            .is_some_and(|told| orders.route_of(stream).lowest() < told.lowest());
        if lower && pull.course.waits() {
            let wanted = pull.course.reroute(now);
            self.act(state, stream, wanted, now);
        }
    }

    /// Does what a pull's course wants.
    fn act(self: &Rc<Self>, state: &mut State, stream: &StreamName, wanted: Do, now: Moment) {
        match wanted {
            Do::Nothing => {}
            Do::Dial(origin) => {
                self.leave_origin(state, stream, now);
                self.dial_origin(state, stream, origin, now);
            }
            Do::HangUp => {
                self.leave_origin(state, stream, now);
                if let Some(pull) = state.pulls.get(stream) {
                    pull.stats.enter(PullState::BackingOff);
                }
            }
            Do::Finish => {
                self.leave_origin(state, stream, now);
                let Some(pull) = state.pulls.remove(stream) else { return };
                self.common.directory.remove_pull(&pull.stats);
                if let Some(place) = pull.publishing {
                    let stops = self.draining.get().is_some();
                    let reason = if stops { "server stops" } else { "no viewer" };
                    self.finish(state, place, reason, now);
                }
                tracing::info!(%stream, received = pull.stats.bytes_in.get(), "pull ended");
            }
        }
    }

    /// Asks an origin for the stream.
    fn dial_origin(
        self: &Rc<Self>,
        state: &mut State,
        stream: &StreamName,
        origin: usize,
        now: Moment,
    ) {
        let Some(orders) = &self.common.pulls else { return };
        let Some(pull) = state.pulls.get_mut(stream) else { return };
        pull.route = Some(orders.route_of(stream));
        let Some(Ok(url)) = pull.course.rule().origins.get(origin).map(|url| url.url_of(stream))
        else {
            // Origins were looked at when the settings were read.
            return;
        };
        pull.stats.asks(url.played().to_string());
        pull.stats.enter(PullState::Connecting);
        tracing::debug!(%stream, origin = %url.played(), "origin asked");
        let order = Order {
            id: OrderId::of_pull(pull.stats.attempts.get()),
            label: "pull".to_owned(),
            stream: stream.clone(),
            role: Role::Pull,
            places: vec![Place::of_stream(url)],
            tls: orders.tls_of(stream),
            status: Default::default(),
            passing: false,
        };
        let key = state.outbound.insert(Outbound::new(Arc::new(order), now));
        pull.outbound = Some(key);
        self.attempt(state, key, now);
    }

    /// Leaves the origin that is connected, or is being connected to; what it fed is held.
    fn leave_origin(self: &Rc<Self>, state: &mut State, stream: &StreamName, now: Moment) {
        let Some(pull) = state.pulls.get_mut(stream) else { return };
        if let Some(key) = pull.outbound.take() {
            self.abandon(state, key, now);
        }
        self.lose_pulled(state, stream, now);
    }

    /// Something that an origin said.
    pub(super) fn heard_of_origin(
        self: &Rc<Self>,
        state: &mut State,
        key: Key,
        event: Event,
        now: Moment,
    ) {
        let Some(outbound) = state.outbound.at_mut(key) else { return };
        let order = Arc::clone(&outbound.order);
        let stream = &order.stream;
        let Some(pull) = state.pulls.get_mut(stream).filter(|pull| pull.outbound == Some(key))
        else {
            return;
        };
        match event {
            Event::Playing(_) => {
                pull.course.answered(now);
                pull.stats.enter(PullState::Waiting);
                if let Some(link) = outbound.link() {
                    link.running = Some(now);
                }
            }
            Event::Stopped { .. } => self.origin_ended(state, stream, now),
            Event::Refused(refusal) => {
                let words = outbound.place().refusal(&refusal);
                self.fail(state, key, Trouble::Rejected { words }, now);
            }
            Event::Closed => self.fail(state, key, Trouble::Closed, now),
            event => self.pulled(state, key, stream, event, now),
        }
    }

    /// The connection to an origin failed, and is out of the tables.
    pub(super) fn origin_failed(
        self: &Rc<Self>,
        state: &mut State,
        key: Key,
        stream: &StreamName,
        trouble: &Trouble,
        now: Moment,
    ) {
        let Some(pull) = state.pulls.get_mut(stream).filter(|pull| pull.outbound == Some(key))
        else {
            return;
        };
        pull.outbound = None;
        let wanted = pull.course.failed(now);
        self.note(state, stream, trouble);
        self.act(state, stream, wanted, now);
    }

    /// An origin says that its publisher has left.
    fn origin_ended(self: &Rc<Self>, state: &mut State, stream: &StreamName, now: Moment) {
        let Some(pull) = state.pulls.get_mut(stream) else { return };
        let (wanted, ends) = pull.course.ended(now);
        if ends {
            pull.stats.enter(PullState::Waiting);
            let fed = pull.publishing.and_then(|place| state.publishing.at(place));
            if fed.is_some_and(|entry| self.is_covered(&entry.tenure.hub)) {
                // Its viewers need not be sent away.
                self.lose_pulled(state, stream, now);
            } else if let Some(place) = pull.publishing.take() {
                self.finish(state, place, "ended at the origin", now);
            }
        } else {
            let text = "its publisher has left".to_owned();
            self.note_words(state, stream, "ended", text);
        }
        self.act(state, stream, wanted, now);
    }

    fn note(&self, state: &State, stream: &StreamName, trouble: &Trouble) {
        let text = match trouble {
            // What is said of a push would not fit.
            Trouble::Rejected { words } => format!("refused: {words}"),
            trouble => trouble.to_string(),
        };
        self.note_words(state, stream, trouble.name(), text);
    }

    fn note_words(&self, state: &State, stream: &StreamName, error: &'static str, text: String) {
        let Some(pull) = state.pulls.get(stream) else { return };
        let snapshot = pull.stats.snapshot().info;
        let origin = snapshot.origin.unwrap_or_default();
        // The same again and again fills no log.
        if snapshot.error == Some(error) && snapshot.state != PullState::Pulling {
            tracing::debug!(%stream, origin, error, detail = text, "origin failed again");
        } else {
            tracing::warn!(%stream, origin, error, detail = text, "origin failed");
        }
        pull.stats.failed(error, text);
    }

    /// Whether a player may have a stream. An edge may not have from us what we would fetch by way of
    /// itself.
    pub(super) fn check_route(
        &self,
        connection: &Connection,
        stream: &StreamName,
    ) -> Result<(), RouteError> {
        let (Some(orders), Some(route)) = (&self.common.pulls, &connection.route) else {
            return Ok(());
        };
        let waits_for_us = route.leads_through(orders.node()) && orders.rule_of(stream).is_some();
        if waits_for_us && !self.common.registry().is_published(stream) {
            return Err(RouteError::Loop);
        }
        Ok(())
    }

    /// A player begins, which may be an edge.
    pub(super) fn edge_came(&self, connection: &Connection, stream: &StreamName) {
        if let (Some(orders), Some(route)) = (&self.common.pulls, &connection.route) {
            orders.edge_came(stream, connection.number, route);
        }
    }

    /// A player ends, which may be an edge.
    pub(super) fn edge_left(&self, connection: &Connection, stream: &StreamName) {
        if let (Some(orders), Some(_)) = (&self.common.pulls, &connection.route) {
            orders.edge_left(stream, connection.number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::PullRule;

    #[test]
    fn tiny_messages_are_counted_by_the_second() {
        let now = Moment::from_ms(1_000);
        let rule = PullRule::of_edge(vec!["rtmp://host".parse().unwrap()]);
        let mut pull = Pull {
            course: Course::new(Arc::new(rule), 7),
            stats: Arc::new(PullStats::new(StreamName::parse("live/cam").unwrap())),
            outbound: None,
            publishing: None,
            route: None,
            tiny: (limits::TINY_MESSAGES_PER_SECOND, now),
        };
        assert!(!pull.is_flooded(now + Duration::from_millis(500)));
        pull.tiny.0 += 1;
        assert!(pull.is_flooded(now + Duration::from_millis(500)), "it need not wait for the rest");
        // The same within two seconds is half as much a second.
        let later = now + Duration::from_secs(2);
        assert!(!pull.is_flooded(later));
        assert_eq!(pull.tiny, (0, later));
    }
}
