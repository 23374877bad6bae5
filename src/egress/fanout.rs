//! The fan-out of one shard: all its outlets, its views of the streams they read, and the pass.
//!
//! A pass goes over the streams that are due and gives each of their readers one turn; then those
//! who are still catching up get one turn each. It stops after a budget of turns, so that the shard
//! can read its sockets, and goes on where it stopped. What one reader's turn is stands in `turn`;
//! when a pass runs is the shard's business. No socket, no clock.

use super::outlet::{Outlet, OutletId, OutletStats, Past, Reader, Resume, Sink, Standing};
use super::place;
use super::turn::{self, HangUp, Notice, Scene};
use crate::config::Lag;
use crate::moment::Moment;
use crate::name::StreamName;
use crate::shard::mailbox::DIRTY_SLOTS;
use crate::slots::{Key, Slots};
use crate::stream::hub::Hub;
use crate::stream::log::Framing;
use crate::stream::projection::{MakeFraming, Projection};
use crate::stream::view::{Presence, View};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// All that one shard sends.
pub struct Fanout {
    shard: usize,
    make_framing: MakeFraming,
    lag: Lag,
    outlets: Slots<Outlet>,
    views: Slots<Shown>,
    /// Streams with readers here; the place is the slot of the stream's dirty bit.
    streams: Slots<Followed>,
    by_name: HashMap<StreamName, Key>,
    due: VecDeque<Key>,
    catching_up: VecDeque<OutletId>,
    notices: Vec<(OutletId, Notice)>,
}

/// A stream with readers on this shard.
struct Followed {
    hub: Arc<Hub>,
    views: Vec<Key>,
}

/// A view with its readers.
struct Shown {
    stream: Key,
    projection: Projection,
    framing: Box<dyn Framing>,
    view: View,
    readers: Vec<OutletId>,
    /// Readers before this place are still to be served in this pass; `None`: not begun.
    left: Option<usize>,
    queued: bool,
    /// Marked again while its turns are being given: those served already are due once more.
    again: bool,
}

/// How a pass ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pass {
    /// Turns given.
    pub turns: usize,
    /// The budget is used up and there is more to do.
    pub more: bool,
}

/// The shard has readers of as many streams as it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooManyStreams;

impl Fanout {
    /// A shard's fan-out, without outlets.
    pub fn new(shard: usize, make_framing: MakeFraming, lag: Lag) -> Self {
        Self {
            shard,
            make_framing,
            lag,
            outlets: Slots::default(),
            views: Slots::default(),
            streams: Slots::default(),
            by_name: HashMap::new(),
            due: VecDeque::new(),
            catching_up: VecDeque::new(),
            notices: Vec::new(),
        }
    }

    /// Opens the way out of a connection.
    pub fn open(&mut self, now: Moment) -> OutletId {
        self.outlets.insert(Outlet::new(now))
    }

    /// Closes it. Returns it for its counters, and the stream that nobody here reads any more.
    pub fn close(&mut self, id: OutletId) -> (Option<Outlet>, Option<StreamName>) {
        let unread = self.unsubscribe(id);
        // Nobody has heard yet that its socket is full, and nobody will: it was not counted.
        let unheard = self.notices.contains(&(id, Notice::Parked));
        let mut outlet = self.outlets.remove(id);
        if let Some(outlet) = &mut outlet {
            outlet.parked &= !unheard;
        }
        (outlet, unread)
    }

    /// An outlet.
    pub fn outlet(&self, id: OutletId) -> Option<&Outlet> {
        self.outlets.at(id)
    }

    /// How many outlets there are.
    pub fn len(&self) -> usize {
        self.outlets.len()
    }

    /// Whether there is no outlet.
    pub fn is_empty(&self) -> bool {
        self.outlets.is_empty()
    }

    /// Whether this shard has readers of a stream already.
    pub fn follows(&self, name: &StreamName) -> bool {
        self.by_name.contains_key(name)
    }

    /// The hub of a stream that this shard follows.
    pub fn hub(&self, name: &StreamName) -> Option<&Arc<Hub>> {
        let key = *self.by_name.get(name)?;
        self.streams.at(key).map(|followed| &followed.hub)
    }

    /// The streams that have readers on this shard.
    pub fn followed(&self) -> impl Iterator<Item = &Arc<Hub>> {
        self.streams.iter().map(|(_, followed)| &followed.hub)
    }

    /// Adds whole messages for one connection alone. They go out at its next turn.
    pub fn write(&mut self, id: OutletId, bytes: &[u8]) {
        if let Some(outlet) = self.outlets.at_mut(id)
            && !outlet.closed
        {
            outlet.private.extend_from_slice(bytes);
            turn::check_private(outlet, id, &mut self.notices);
        }
    }

    /// Lets an outlet read a stream, from its newest key frame on; it begins at its next turn. It
    /// must not read one already.
    pub fn subscribe(
        &mut self,
        id: OutletId,
        hub: &Arc<Hub>,
        projection: Projection,
        now: Moment,
    ) -> Result<(), TooManyStreams> {
        if self.outlets.at(id).is_none() {
            return Ok(());
        }
        let view = self.view_of(hub, projection)?;
        let Some(shown) = self.views.at_mut(view) else { return Ok(()) };
        shown.view.refresh();
        // The main log holds what there is from its beginning on; others are fed when the owner looks.
        let fed = shown.projection == Projection::WHOLE || shown.view.is_fed();
        let begin = shown.view.join_point().map_or_else(|| shown.view.end(), |point| point.at);
        let place =
            u32::try_from(shown.readers.len()).expect("descriptors bound a shard's readers");
        let reader = Reader {
            view,
            place,
            cursor: begin,
            owed: 0,
            standing: Standing::Waiting,
            headers: None,
            stalled_at_ms: None,
            behind_since: None,
            waiting_since: now,
            catching_up: true,
            overtaken: false,
            told_end: false,
            has_read: false,
            passed_end: false,
            halted: false,
            past: Box::new(Past { unplaced: !fed, ..Past::default() }),
        };
        shown.readers.push(id);
        if let Some(outlet) = self.outlets.at_mut(id) {
            outlet.reader = Some(reader);
        }
        Ok(())
    }

    /// Ends an outlet's reading. Returns the stream, if nobody here reads it any more. The rest of a
    /// message begun is still sent.
    pub fn unsubscribe(&mut self, id: OutletId) -> Option<StreamName> {
        let outlet = self.outlets.at_mut(id)?;
        let mut reader = outlet.reader.take()?;
        let shown = self.views.at_mut(reader.view)?;
        turn::finish_privately(&mut reader, &mut outlet.private, &shown.view);
        shown.readers.swap_remove(reader.place as usize);
        let moved = shown.readers.get(reader.place as usize).copied();
        let empty = shown.readers.is_empty();
        if let Some(moved) = moved
            && let Some(reader_moved) =
                self.outlets.at_mut(moved).and_then(|outlet| outlet.reader.as_mut())
        {
            reader_moved.place = reader.place;
        }
        if empty { self.drop_view(reader.view) } else { None }
    }

    /// Changes what an outlet is sent of its stream. Where only a track is left out, it goes on with
    /// the next message; where video comes back, with the next key frame.
    pub fn project(
        &mut self,
        id: OutletId,
        change: impl FnOnce(Projection) -> Projection,
        now: Moment,
    ) -> Result<(), TooManyStreams> {
        let Some(outlet) = self.outlets.at_mut(id) else { return Ok(()) };
        let Some(reader) = outlet.reader.as_mut() else { return Ok(()) };
        let Some(shown) = self.views.at(reader.view) else { return Ok(()) };
        let (old, new) = (shown.projection, change(shown.projection));
        if old == new {
            return Ok(());
        }
        turn::finish_privately(reader, &mut outlet.private, &shown.view);
        let gains_video = new.video && !old.video;
        // Who keeps up goes on where it is. For anybody else the other log may not reach back to
        // where it is: what it must not lose of this one it is given now.
        let keeps_up = reader.stalled_at_ms.is_none();
        let mut reads = reader.standing == Standing::Reading;
        if let Some(resume) = reader.past.resume
            && shown.view.is_fed()
        {
            // Changed twice before it had a turn: it stands where it stood in the log before.
            reads = resume.seamless && shown.view.reaches(resume.after);
            reader.past.resume = None;
            reader.past.floor = Some(resume.after);
            reader.cursor = shown.view.after(resume.after);
        }
        let seamless = reads && keeps_up && !gains_video;
        if reader.past.resume.is_none() && !seamless {
            let begin = shown.view.join_point().filter(|point| point.at >= reader.cursor);
            let target = begin.map_or_else(|| shown.view.end(), |point| point.at);
            turn::leave_behind(outlet, &shown.view, target);
            turn::check_private(outlet, id, &mut self.notices);
            if shown.view.presence() == Presence::Absent
                && let Some(reader) = outlet.reader.as_mut()
                && reader.has_read
            {
                // Nobody feeds the other log before the stream is published again.
                place::ended(reader, id, now, &mut self.notices);
            }
        }
        let Some(reader) = outlet.reader.as_mut() else { return Ok(()) };
        // In a log that is not fed yet it stands nowhere: what held before still does.
        let resume = match reader.past.resume {
            Some(resume) => Resume { seamless: resume.seamless && !gains_video, ..resume },
            None => Resume {
                after: reader.floor_at(shown.view.order_before(reader.cursor)),
                generation: shown.view.generation(reader.cursor.segment),
                seamless,
            },
        };
        let before = reader.clone();
        let unplaced = before.past.unplaced;
        let Some(followed) = self.streams.at(shown.stream) else { return Ok(()) };
        let hub = Arc::clone(&followed.hub);
        // The new view first: otherwise the stream could be let go of in between.
        self.view_of(&hub, new)?;
        self.unsubscribe(id);
        self.subscribe(id, &hub, new, now)?;
        let Some(reader) = self.outlets.at_mut(id).and_then(|outlet| outlet.reader.as_mut()) else {
            return Ok(());
        };
        if before.standing == Standing::Paused {
            reader.standing = Standing::Paused;
        }
        reader.inherit(before);
        if gains_video {
            // It waits for a key frame of its own will, and loses nothing by it.
            reader.headers = None;
        }
        if !unplaced {
            // Who had a place there has it here.
            reader.past.unplaced = false;
            reader.past.resume = Some(resume);
        }
        self.catching_up.push_back(id);
        Ok(())
    }

    /// Pauses an outlet's reading, or lets it go on: at the newest key frame, for a live stream has
    /// moved on meanwhile.
    pub fn pause(&mut self, id: OutletId, paused: bool) {
        let Some(outlet) = self.outlets.at_mut(id) else { return };
        let Some(reader) = outlet.reader.as_mut() else { return };
        if paused == (reader.standing == Standing::Paused) {
            return;
        }
        if paused {
            if let Some(shown) = self.views.at(reader.view) {
                turn::finish_privately(reader, &mut outlet.private, &shown.view);
            }
            reader.standing = Standing::Paused;
            // It goes on as a joiner does: what it does not want, it is not behind with and does not
            // lose.
            reader.stalled_at_ms = None;
            reader.behind_since = None;
            reader.headers = None;
            if let Some(resume) = &mut reader.past.resume {
                resume.seamless = false;
            }
        } else {
            reader.standing = Standing::Waiting;
            self.catching_up.push_back(id);
        }
    }

    /// A stream was marked dirty for this shard.
    pub fn mark_due(&mut self, slot: usize) {
        let Some(key) = u32::try_from(slot).ok().and_then(|at| self.streams.key_at(at)) else {
            return;
        };
        let Some(followed) = self.streams.at(key) else { return };
        for view in &followed.views {
            let Some(shown) = self.views.at_mut(*view) else { continue };
            if !std::mem::replace(&mut shown.queued, true) {
                self.due.push_back(*view);
            } else if shown.left.is_some() {
                shown.again = true;
            }
        }
    }

    /// Whether a pass would find anything to do.
    pub fn has_due(&self) -> bool {
        !self.due.is_empty() || !self.catching_up.is_empty()
    }

    /// Gives turns to the readers of streams that are due, at most `budget` of them.
    pub fn pass(&mut self, sink: &mut impl Sink, now: Moment, budget: usize) -> Pass {
        let mut turns = 0;
        while let Some(&key) = self.due.front() {
            let Some(shown) = self.views.at_mut(key) else {
                self.due.pop_front();
                continue;
            };
            // In each stretch anew: of a pass that takes longer than the window, whoever is served
            // late gets what came meanwhile.
            shown.refresh(&mut self.outlets, &self.lag, &mut self.notices);
            let held = shown.readers.len();
            let mut left = shown.left.map_or(held, |left| left.min(held));
            let scene = Scene { view: &shown.view, framing: &*shown.framing, lag: &self.lag };
            // Downwards, so that a reader who leaves meanwhile costs nobody his turn.
            while left > 0 && turns < budget {
                left -= 1;
                let id = shown.readers[left];
                let Some(outlet) = self.outlets.at_mut(id) else { continue };
                turns += 1;
                if turn::serve(outlet, id, Some(&scene), sink, now, &mut self.notices) {
                    self.catching_up.push_back(id);
                }
            }
            if left > 0 {
                shown.left = Some(left);
                return Pass { turns, more: true };
            }
            shown.left = None;
            self.due.pop_front();
            shown.queued = std::mem::take(&mut shown.again);
            if shown.queued {
                self.due.push_back(key);
                // Whoever was marked meanwhile waits for the next pass, or this one might not end.
                return Pass { turns, more: true };
            }
        }
        for _ in 0..self.catching_up.len() {
            if turns >= budget {
                return Pass { turns, more: true };
            }
            let Some(id) = self.catching_up.pop_front() else { break };
            turns += 1;
            self.turn(id, sink, now);
        }
        Pass { turns, more: !self.catching_up.is_empty() }
    }

    /// Gives one outlet a turn: it has private bytes, or it reads anew.
    pub fn turn(&mut self, id: OutletId, sink: &mut impl Sink, now: Moment) {
        let Some(outlet) = self.outlets.at_mut(id) else { return };
        let shown = outlet.reader.as_ref().and_then(|reader| self.views.at(reader.view));
        let scene = shown.map(|shown| Scene {
            view: &shown.view,
            framing: &*shown.framing,
            lag: &self.lag,
        });
        if turn::serve(outlet, id, scene.as_ref(), sink, now, &mut self.notices) {
            self.catching_up.push_back(id);
        }
    }

    /// A parked outlet's socket is writable again.
    pub fn writable(&mut self, id: OutletId, sink: &mut impl Sink, now: Moment) {
        if let Some(outlet) = self.outlets.at_mut(id) {
            outlet.parked = false;
            self.turn(id, sink, now);
        }
    }

    /// Looks for readers who are lost or wait in vain; called about once a second.
    pub fn check(&mut self, now: Moment, wait_max: Duration) {
        for (id, outlet) in self.outlets.iter_mut() {
            let view = outlet
                .reader
                .as_ref()
                .and_then(|reader| self.views.at(reader.view))
                .map(|shown| &shown.view);
            if turn::is_lost(outlet, view, &self.lag, now) {
                turn::hang_up(outlet, id, HangUp::Lagging, &mut self.notices);
            } else if let (Some(reader), Some(view)) = (outlet.reader.as_ref(), view)
                && reader.standing == Standing::Waiting
                && view.presence() == Presence::Absent
                && now.since(reader.waiting_since) >= wait_max
            {
                turn::hang_up(outlet, id, HangUp::NoStream, &mut self.notices);
            }
        }
    }

    /// Hands what an outlet did since it was last asked to `each`.
    pub fn collect_one(&mut self, id: OutletId, each: impl FnOnce(OutletStats)) {
        if let Some(outlet) = self.outlets.at_mut(id) {
            each(outlet.take_delta());
        }
    }

    /// Hands what each reading outlet did since it was last asked to `each`, with its stream.
    pub fn collect(&mut self, mut each: impl FnMut(OutletId, &Hub, OutletStats)) {
        for (id, outlet) in self.outlets.iter_mut() {
            let Some(reader) = outlet.reader.as_ref() else { continue };
            let Some(shown) = self.views.at(reader.view) else { continue };
            let Some(followed) = self.streams.at(shown.stream) else { continue };
            each(id, &followed.hub, outlet.take_delta());
        }
    }

    /// Whether an outlet reads a stream that nobody publishes.
    pub fn waits(&self, id: OutletId) -> bool {
        let reader = self.outlets.at(id).and_then(|outlet| outlet.reader.as_ref());
        let shown = reader.and_then(|reader| self.views.at(reader.view));
        shown.is_some_and(|shown| shown.view.presence() == Presence::Absent)
    }

    /// How many readers wait for somebody to publish.
    pub fn waiting(&self) -> usize {
        let absent = |shown: &&Shown| shown.view.presence() == Presence::Absent;
        let views = self.views.iter().map(|(_, shown)| shown);
        views.filter(absent).map(|shown| shown.readers.len()).sum()
    }

    /// Whether anybody is still owed bytes.
    pub fn is_owing(&self) -> bool {
        self.has_due()
            || self.outlets.iter().any(|(_, outlet)| outlet.parked || !outlet.private.is_empty())
    }

    /// What connections must hear of since the last call, in order.
    pub fn take_notices(&mut self) -> Vec<(OutletId, Notice)> {
        for (id, notice) in &self.notices {
            // Told in this step, before its next turn.
            if matches!(notice, Notice::Ended | Notice::Restarted)
                && let Some(reader) =
                    self.outlets.at_mut(*id).and_then(|outlet| outlet.reader.as_mut())
            {
                reader.halted = false;
                self.catching_up.push_back(*id);
            }
        }
        std::mem::take(&mut self.notices)
    }

    fn view_of(&mut self, hub: &Arc<Hub>, projection: Projection) -> Result<Key, TooManyStreams> {
        let stream = match self.by_name.get(&hub.name) {
            Some(key) => *key,
            None => {
                if self.streams.len() >= DIRTY_SLOTS {
                    return Err(TooManyStreams);
                }
                let followed = Followed { hub: Arc::clone(hub), views: Vec::new() };
                let key = self.streams.insert(followed);
                self.by_name.insert(hub.name.clone(), key);
                // Before the view looks at the log: from here on the owner tells of what it misses.
                hub.subscribe(self.shard, key.at);
                key
            }
        };
        let followed = self.streams.at_mut(stream).expect("named streams are followed");
        let held =
            followed.views.iter().copied().find(|view| {
                self.views.at(*view).is_some_and(|shown| shown.projection == projection)
            });
        Ok(held.unwrap_or_else(|| {
            let key = self.views.insert(Shown {
                stream,
                projection,
                framing: (self.make_framing)(projection),
                view: View::new(hub.log(projection)),
                readers: Vec::new(),
                left: None,
                queued: false,
                again: false,
            });
            followed.views.push(key);
            key
        }))
    }

    fn drop_view(&mut self, view: Key) -> Option<StreamName> {
        let shown = self.views.remove(view)?;
        let followed = self.streams.at_mut(shown.stream)?;
        followed.views.retain(|held| *held != view);
        if !followed.views.is_empty() {
            return None;
        }
        let followed = self.streams.remove(shown.stream)?;
        followed.hub.unsubscribe(self.shard);
        self.by_name.remove(&followed.hub.name);
        Some(followed.hub.name.clone())
    }
}

impl Shown {
    /// Takes in what was appended, and moves readers out of segments that left the ring.
    fn refresh(
        &mut self,
        outlets: &mut Slots<Outlet>,
        lag: &Lag,
        notices: &mut Vec<(OutletId, Notice)>,
    ) {
        if !self.view.refresh().stale {
            return;
        }
        let scene = Scene { view: &self.view, framing: &*self.framing, lag };
        for id in &self.readers {
            if let Some(outlet) = outlets.at_mut(*id) {
                turn::relocate(outlet, *id, &scene, notices);
            }
        }
        self.view.evict();
    }
}
