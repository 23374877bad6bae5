//! A connection that we make, from its order to its end: when it is made, what becomes of it when it
//! fails, when it is left. What goes over it stands in `outbound_link`, what a push is in `pushing`.
//!
//! Every step is taken on the tables and waits for nothing: addresses come by mail, a connection that is
//! being made wakes a task, and times run out at the shard's tick.

use super::outbound_link::Link;
use super::state::State;
use super::tasks::Shard;
use crate::egress::outlet::OutletStats;
use crate::limits;
use crate::moment::Moment;
use crate::net::socket::Socket;
use crate::outbound::{Inquiry, Order, OrderId, Phase, Place, Role, Trouble};
use crate::slots::Key;
use millstream_client::Backoff;
use rustix::io::Errno;
use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;

/// An order, and how far it is.
pub struct Outbound {
    pub order: Arc<Order>,
    pub stage: Stage,
    /// Since when it is in this stage.
    pub since: Moment,
    /// Which of its places is tried.
    place: usize,
    /// Addresses of that place that were not tried yet.
    rest: VecDeque<SocketAddr>,
    /// Attempts so far: the answer to an earlier one is nobody's.
    attempt: u64,
    backoff: Backoff,
    /// It was given up, and goes when its connection has been left.
    given_up: bool,
    /// What was logged last.
    told: Option<Trouble>,
}

/// The stages of [`Phase`], with what each of them needs.
pub enum Stage {
    Waiting,
    Resolving,
    Connecting(Rc<Socket>),
    /// From the connection to its end: handshake, media, leave.
    Open(Box<Link>),
    BackingOff {
        until: Moment,
    },
}

impl Outbound {
    pub fn new(order: Arc<Order>, now: Moment) -> Self {
        // Orders that lose the same place shall not come back to it together.
        let seed = order.id.0.wrapping_add(now.0);
        Self {
            order,
            stage: Stage::Waiting,
            since: now,
            place: 0,
            rest: VecDeque::new(),
            attempt: 0,
            backoff: Backoff::new(limits::BACKOFF_FIRST, limits::BACKOFF_MAX, seed),
            given_up: false,
            told: None,
        }
    }

    /// The connection, if there is one.
    pub fn link(&mut self) -> Option<&mut Link> {
        match &mut self.stage {
            Stage::Open(link) => Some(link),
            _ => None,
        }
    }

    /// Where it connects to at present.
    pub fn place(&self) -> &Place {
        &self.order.places[self.place]
    }

    /// Adds what its outlet did.
    pub fn count(&self, delta: OutletStats) {
        let status = &self.order.status;
        status.bytes.add(delta.bytes_sent);
        status.dropped_frames.add(delta.frames_dropped);
        status.dropped_bytes.add(delta.bytes_dropped);
        status.skips.add(u64::from(delta.skips));
    }

    /// Goes on to a stage, which is said to be this phase. The one before is given back.
    pub fn enter(&mut self, stage: Stage, phase: Phase, now: Moment) -> Stage {
        self.since = now;
        self.order.status.enter(phase);
        std::mem::replace(&mut self.stage, stage)
    }
}

impl Shard {
    /// Takes an order. It is begun at once, if there is something to do.
    pub(super) fn undertake(self: &Rc<Self>, order: Arc<Order>) {
        let now = self.now();
        let mut state = self.state.borrow_mut();
        order.status.shard.set(self.index as u64);
        if self.draining.get().is_some() {
            return order.status.enter(Phase::Stopped);
        }
        order.status.enter(Phase::Waiting);
        let key = state.outbound.insert(Outbound::new(order, now));
        self.look_after(&mut state, key, now);
        self.settle(&mut state, now);
    }

    /// Gives an order up: its connection is left as it should be.
    pub(super) fn give_up(self: &Rc<Self>, order: OrderId) {
        let now = self.now();
        let mut state = self.state.borrow_mut();
        let found = state.outbound.iter_mut().find(|(_, outbound)| outbound.order.id == order);
        let Some((key, _)) = found else { return };
        self.abandon(&mut state, key, now);
        self.settle(&mut state, now);
    }

    /// Leaves a connection for good.
    pub(super) fn abandon(self: &Rc<Self>, state: &mut State, key: Key, now: Moment) {
        let Some(outbound) = state.outbound.at_mut(key) else { return };
        outbound.given_up = true;
        outbound.order.status.enter(Phase::Stopped);
        if outbound.link().is_some_and(|link| link.running.is_some()) {
            self.take_leave_of(state, key, now);
        } else {
            self.drop_link(state, key);
            state.outbound.remove(key);
        }
    }

    /// The addresses that an attempt asked for.
    pub(super) fn resolved(
        self: &Rc<Self>,
        key: Key,
        order: OrderId,
        attempt: u64,
        addresses: Vec<SocketAddr>,
    ) {
        let now = self.now();
        let mut state = self.state.borrow_mut();
        let Some(outbound) = state.outbound.at_mut(key) else { return };
        let asked = outbound.order.id == order && outbound.attempt == attempt;
        if !asked || !matches!(outbound.stage, Stage::Resolving) {
            return;
        }
        outbound.rest = addresses.into();
        self.dial(&mut state, key, Trouble::NoSuchHost, now);
        self.settle(&mut state, now);
    }

    /// What time brings, looked at with every tick.
    pub(super) fn check_outbound(self: &Rc<Self>, state: &mut State, now: Moment) {
        let keys: Vec<Key> = state.outbound.iter().map(|(key, _)| key).collect();
        for key in keys {
            self.look_after(state, key, now);
        }
    }

    fn look_after(self: &Rc<Self>, state: &mut State, key: Key, now: Moment) {
        let Some(outbound) = state.outbound.at(key) else { return };
        let age = now.since(outbound.since);
        if self.draining.get().is_some() && !matches!(outbound.stage, Stage::Open(_)) {
            return outbound.order.status.enter(Phase::Stopped);
        }
        match outbound.stage {
            Stage::Waiting if self.is_wanted(&outbound.order) => self.attempt(state, key, now),
            Stage::Waiting if outbound.order.passing && age >= limits::ORDER_KEPT => {
                let wanted = || self.is_wanted(&outbound.order);
                if self.common.targets.forget(&outbound.order, wanted) {
                    state.outbound.remove(key);
                }
            }
            Stage::Resolving if age >= limits::RESOLVE_MAX => {
                self.fail(state, key, Trouble::Timeout, now);
            }
            Stage::Connecting(ref socket) if age >= limits::DIAL_MAX => {
                socket.shutdown();
                self.dial(state, key, Trouble::Timeout, now);
            }
            Stage::Open(_) => self.check_link(state, key, now),
            Stage::BackingOff { .. } if !self.is_wanted(&outbound.order) => {
                if let Some(outbound) = state.outbound.at_mut(key) {
                    outbound.enter(Stage::Waiting, Phase::Waiting, now);
                }
            }
            Stage::BackingOff { until } if until <= now => self.attempt(state, key, now),
            _ => {}
        }
    }

    /// Whether there is something to do for an order.
    pub(super) fn is_wanted(&self, order: &Order) -> bool {
        match order.role {
            Role::Push => self.common.registry().owner(&order.stream).is_some(),
            Role::Pull => true,
        }
    }

    /// Begins to connect.
    pub(super) fn attempt(self: &Rc<Self>, state: &mut State, key: Key, now: Moment) {
        let Some(outbound) = state.outbound.at_mut(key) else { return };
        outbound.attempt += 1;
        outbound.order.status.attempts.add(1);
        outbound.enter(Stage::Resolving, Phase::Resolving, now);
        let url = outbound.place().url();
        let inquiry = Inquiry {
            post: self.common.posts[self.index].clone(),
            outbound: key,
            order: outbound.order.id,
            attempt: outbound.attempt,
        };
        if !self.common.resolver.ask(url.host(), url.port(), inquiry) {
            self.fail(state, key, Trouble::System, now);
        }
    }

    /// Connects to the next address; without one it has failed, for the reason that was found last.
    fn dial(self: &Rc<Self>, state: &mut State, key: Key, found: Trouble, now: Moment) {
        let mut trouble = found;
        if self.draining.get().is_some() {
            self.drop_link(state, key);
            return;
        }
        loop {
            let Some(outbound) = state.outbound.at_mut(key) else { return };
            let Some(address) = outbound.rest.pop_front() else { break };
            outbound.order.status.tries(address);
            match Socket::connect(address, self.common.config.timeouts.player) {
                Ok(socket) => {
                    let socket = Rc::new(socket);
                    let stage = Stage::Connecting(Rc::clone(&socket));
                    outbound.enter(stage, Phase::Connecting, now);
                    self.spawn(Rc::clone(self).wait_connected(key, socket));
                    return;
                }
                Err(error) => trouble = trouble_of(&error),
            }
        }
        self.fail(state, key, trouble, now);
    }

    /// Waits until a connection is there, or was refused.
    async fn wait_connected(self: Rc<Self>, key: Key, socket: Rc<Socket>) {
        // Which of the two it is, the socket knows.
        let _ = socket.writable().await;
        let now = self.now();
        let mut state = self.state.borrow_mut();
        let Some(outbound) = state.outbound.at_mut(key) else { return };
        let awaited = match &outbound.stage {
            Stage::Connecting(held) => Rc::ptr_eq(held, &socket),
            _ => false,
        };
        if awaited {
            match socket.connected() {
                Ok(()) => self.open_link(&mut state, key, socket, now),
                Err(errno) => self.dial(&mut state, key, trouble_of(&errno.into()), now),
            }
            self.settle(&mut state, now);
        }
    }

    /// An attempt failed, or a connection was lost. The next place is tried; after the last one it waits.
    pub(super) fn fail(
        self: &Rc<Self>,
        state: &mut State,
        key: Key,
        trouble: Trouble,
        now: Moment,
    ) {
        let lasted = self.drop_link(state, key).and_then(|link| link.running);
        let Some(outbound) = state.outbound.at_mut(key) else { return };
        if outbound.given_up {
            state.outbound.remove(key);
            return;
        }
        if outbound.order.role == Role::Pull {
            let order = Arc::clone(&outbound.order);
            state.outbound.remove(key);
            return self.origin_failed(state, key, &order.stream, &trouble, now);
        }
        if lasted.is_some_and(|since| now.since(since) >= limits::BACKOFF_FORGETS) {
            outbound.backoff.reset();
        }
        // The same again and again fills no log.
        let known = outbound.told.as_ref() == Some(&trouble) && lasted.is_none();
        let (label, stream) = (&outbound.order.label, &outbound.order.stream);
        let (place, error, detail) = (outbound.place(), trouble.name(), &trouble);
        if known {
            tracing::debug!(label, %stream, %place, error, %detail, "outbound failed again");
        } else {
            tracing::warn!(label, %stream, %place, error, %detail, "outbound failed");
        }
        outbound.told = Some(trouble.clone());
        outbound.order.status.failed(trouble);
        outbound.rest.clear();
        outbound.place = (outbound.place + 1) % outbound.order.places.len();
        if outbound.place > 0 {
            return self.attempt(state, key, now);
        }
        let wait = outbound.backoff.next(std::time::Duration::ZERO).unwrap_or(limits::BACKOFF_MAX);
        outbound.enter(Stage::BackingOff { until: now + wait }, Phase::BackingOff, now);
    }

    /// A connection has been left, as it should be: there is nothing to do, for now or for good.
    pub(super) fn left(self: &Rc<Self>, state: &mut State, key: Key, now: Moment) {
        self.drop_link(state, key);
        let Some(outbound) = state.outbound.at_mut(key) else { return };
        if outbound.given_up {
            state.outbound.remove(key);
        } else {
            outbound.enter(Stage::Waiting, Phase::Waiting, now);
        }
    }

    /// Ends all of them, without a word.
    pub(super) fn end_outbound(self: &Rc<Self>, state: &mut State) {
        let keys: Vec<Key> = state.outbound.iter().map(|(key, _)| key).collect();
        for key in keys {
            self.drop_link(state, key);
            if let Some(outbound) = state.outbound.remove(key) {
                outbound.order.status.enter(Phase::Stopped);
            }
        }
    }
}

fn trouble_of(error: &io::Error) -> Trouble {
    match Errno::from_io_error(error) {
        Some(Errno::CONNREFUSED) => Trouble::Refused,
        Some(Errno::TIMEDOUT) => Trouble::Timeout,
        Some(Errno::MFILE | Errno::NFILE | Errno::NOMEM | Errno::NOBUFS) => Trouble::System,
        Some(Errno::CONNRESET | Errno::PIPE) => Trouble::Closed,
        _ => Trouble::Unreachable,
    }
}
