//! Slates on this shard: which gaps of streams that are read here they fill, and their playing. What
//! they play stands in `slate`; who may fill a gap, in `stream::takeover`.

use super::inbox::Mail;
use super::runtime;
use super::state::{Fresh, Publishing, State};
use super::tasks::Shard;
use crate::limits;
use crate::moment::Moment;
use crate::slate::{Show, Slate};
use crate::slots::Key;
use crate::stats::Rate;
use crate::stream::hub::Hub;
use crate::stream::registry::Claimant;
use crate::stream::tenure::{Seal, Tenure};
use std::net::{IpAddr, Ipv4Addr};
use std::rc::Rc;
use std::sync::Arc;

impl Shard {
    /// Looks for gaps in the streams that are read here, and ends slates that are not wanted.
    pub(super) fn tend_slates(self: &Rc<Self>, state: &mut State, now: Moment) {
        if self.common.slates.is_empty() || self.draining.get().is_some() {
            return;
        }
        let mut playing = self.end_slates(state, now);
        let is_gap = |hub: &&Arc<Hub>| {
            let slate = self.slate_of(hub);
            // Most streams are fed, and are no business of the registry's lock.
            slate.is_some_and(|slate| now.since(hub.last_media()) >= slate.after)
        };
        let gaps: Vec<Arc<Hub>> = state.fanout.followed().filter(is_gap).cloned().collect();
        for hub in &gaps {
            if playing >= limits::SLATES_MAX {
                break;
            }
            if let Some(slate) = self.slate_of(hub) {
                playing += usize::from(self.fill_gap(state, hub, slate, now));
            }
        }
    }

    /// The slate for a stream's gaps, if it has one and readers.
    pub(super) fn slate_of(&self, hub: &Hub) -> Option<&Arc<Slate>> {
        self.common.slates.of(&hub.name).filter(|_| hub.is_read())
    }

    /// Returns whether there is a gap that it may fill.
    fn fill_gap(
        self: &Rc<Self>,
        state: &mut State,
        hub: &Arc<Hub>,
        slate: &Arc<Slate>,
        now: Moment,
    ) -> bool {
        let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let claimant = Claimant { shard: self.index, address, identity: None, yields: false };
        let claim = self.common.registry().fill_gap(&hub.name, claimant, slate.after, now);
        let Some(claim) = claim else { return false };
        let (tenure, seal) = Tenure::of_slate(claim, self.common.eagerness(), now);
        let claim = tenure.claim;
        let place = state.publishing.insert(Publishing {
            tenure,
            request: None,
            source: None,
            pulled: false,
            welcomed: false,
            show: Some(Box::new(Show::new(Arc::clone(slate), now))),
            rate: Rate::default(),
            bytes: 0,
            fresh: Fresh::default(),
            tiny: 0,
        });
        state.claims.insert(claim, place);
        self.stats.streams.add(1);
        match seal {
            None => self.begin_slate(state, place, now),
            Some(Seal { claim, shard }) => self.mail(state, shard, Mail::Seal { claim }),
        }
        true
    }

    /// The stream of a slate has come.
    pub(super) fn begin_slate(self: &Rc<Self>, state: &mut State, place: Key, now: Moment) {
        let show = state.publishing.at_mut(place).and_then(|entry| entry.show.as_mut());
        let Some(show) = show else { return };
        show.begin(now);
        self.began(state, place, now);
        self.spawn(Rc::clone(self).show(place));
    }

    /// Plays a slate until another has its stream.
    async fn show(self: Rc<Self>, place: Key) {
        while let Some(due) = self.show_due(place) {
            let wait = due.since(self.now()).max(limits::INTAKE_REST_MIN);
            runtime::sleep(wait).await;
        }
    }

    /// Appends what is due of a slate. Returns when the next message is; `None` when it is over.
    fn show_due(self: &Rc<Self>, place: Key) -> Option<Moment> {
        let now = self.now();
        let mut state = self.state.borrow_mut();
        let State { publishing, marked, .. } = &mut *state;
        let entry = publishing.at_mut(place)?;
        let mut show = entry.show.take()?;
        for _ in 0..limits::SLATE_BURST {
            let more = show.next(now, |arrival| {
                if let Some(publisher) = entry.tenure.publisher_mut() {
                    // A film has few headers, and no peer sends more.
                    let _ = publisher.push(arrival, now);
                    entry.note(arrival);
                }
            });
            if !more {
                break;
            }
        }
        let due = show.due();
        entry.show = Some(show);
        let publisher = entry.tenure.publisher_mut()?;
        publisher.flush(&self.common.mailboxes, |shard| marked[shard] = true);
        self.settle(&mut state, now);
        Some(due)
    }

    /// Ends slates that have played as long as they may, or that nobody watches. Returns how many
    /// go on.
    fn end_slates(self: &Rc<Self>, state: &mut State, now: Moment) -> usize {
        let mut ended = Vec::new();
        let mut playing = 0;
        for (place, entry) in state.publishing.iter_mut() {
            let Some(show) = &mut entry.show else { continue };
            playing += 1;
            if entry.tenure.is_promised() {
                continue;
            }
            let hub = &entry.tenure.hub;
            if show.is_over(now) {
                self.common.registry().spend_slate(&hub.name);
                ended.push((place, "slate played to its end"));
            } else if let Some(unwatched) = show.unwatched(hub.is_read(), now)
                && unwatched >= self.common.config.hold
            {
                // Viewers come back within the hold of a publisher, too.
                ended.push((place, "slate unwatched"));
            }
        }
        for (place, reason) in &ended {
            self.finish(state, *place, reason, now);
        }
        playing - ended.len()
    }
}
