//! A push: a stream of this server, published to another one. Its reader is an outlet like a viewer's,
//! on a log in the form that servers take; only the words that come before and after are its own.

use super::state::{Sockets, State};
use super::tasks::Shard;
use crate::limits;
use crate::moment::Moment;
use crate::outbound::{Phase, Trouble};
use crate::slots::Key;
use crate::stream::projection::{Form, Projection};
use millstream_client::Event;
use std::rc::Rc;
use std::sync::Arc;

impl Shard {
    /// Something that the server said which is pushed to.
    pub(super) fn pushed(self: &Rc<Self>, state: &mut State, key: Key, event: Event, now: Moment) {
        match event {
            Event::Publishing(_) => self.begin_push(state, key, now),
            Event::Refused(refusal) => {
                let Some(outbound) = state.outbound.at(key) else { return };
                let words = outbound.place().refusal(&refusal);
                self.fail(state, key, Trouble::Rejected { words }, now);
            }
            Event::Closed => self.fail(state, key, Trouble::Closed, now),
            // Statuses, pings and acknowledgements change nothing.
            _ => {}
        }
    }

    /// The stream is accepted: it begins with its newest key frame.
    fn begin_push(self: &Rc<Self>, state: &mut State, key: Key, now: Moment) {
        let State { outbound, fanout, .. } = state;
        let Some(outbound) = outbound.at_mut(key) else { return };
        let order = Arc::clone(&outbound.order);
        let shown = outbound.place().to_string();
        let Some(link) = outbound.link() else { return };
        let name = &order.stream;
        let hub = match fanout.hub(name) {
            Some(hub) => Ok(Arc::clone(hub)),
            None => self.common.registry().watch(name).map_err(|_| ()),
        };
        // Nearly every server gives message stream 1; those that give another one share a log by it.
        let stream_id = link.client.message_stream(link.stream).unwrap_or(1);
        if stream_id > limits::PUSH_STREAM_ID_MAX {
            return self.fail(state, key, Trouble::Nonsense, now);
        }
        let projection = Projection { stream_id, form: Form::Publish, ..Projection::WHOLE };
        let subscribed = hub
            .and_then(|hub| fanout.subscribe(link.outlet, &hub, projection, now).map_err(|_| ()));
        if subscribed.is_err() {
            if !fanout.follows(name) {
                self.common.registry().unwatch(name);
            }
            return self.fail(state, key, Trouble::System, now);
        }
        link.running = Some(now);
        order.status.connects.add(1);
        order.status.enter(Phase::Running);
        tracing::info!(label = order.label, stream = %name, to = shown, shard = self.index, "push started");
        let outlet = link.outlet;
        let State { fanout, sockets, .. } = state;
        fanout.turn(outlet, &mut Sockets { ways: sockets, stats: &self.stats }, now);
    }
}
