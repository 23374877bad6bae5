//! A connection of ours while it is open: its socket, what is read and written, its leave. The protocol
//! is `millstream-client`'s; which stage comes next stands in `outbound`.

use super::intake::{Pace, Turn};
use super::outbound::Stage;
use super::runtime::contained;
use super::state::{Beside, Owner, Sockets, State, Way};
use super::tasks::Shard;
use crate::egress::outlet::OutletId;
use crate::egress::turn::{HangUp, Notice};
use crate::limits;
use crate::moment::Moment;
use crate::net::secure::{Secure, TlsFault};
use crate::net::socket::{Read, Socket, Writer};
use crate::outbound::{Phase, Role, Trouble};
use crate::pull::route::{self, Route};
use crate::slots::Key;
use millstream_client::{Client, Options, PlayOptions, PublishMode, RtmpUrl, StreamId};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

/// An open connection.
pub struct Link {
    pub client: Client,
    /// What was asked for on it.
    pub stream: StreamId,
    pub outlet: OutletId,
    /// Since when the other end has accepted that.
    pub running: Option<Moment>,
    /// Whether a frame went over it.
    joined: bool,
    writer: Writer,
    secure: Option<Rc<RefCell<Secure>>>,
    leave: Option<Leave>,
    /// Bytes received when they were looked at last, and when that was.
    received: (u64, Moment),
}

/// How far a leave is.
#[derive(Clone, Copy)]
enum Leave {
    /// The last words are on their way since then.
    Speaking(Moment),
    /// All is said since then, and the other end may close.
    Said(Moment),
}

impl Link {
    fn read(&self, buffer: &mut [u8]) -> Read {
        match &self.secure {
            None => self.writer.socket().read(buffer),
            Some(secure) => {
                let mut secure = secure.borrow_mut();
                let read = secure.read(&self.writer, buffer);
                // Handshakes answer; what the socket does not take goes with the next look.
                let _ = secure.flush(&self.writer);
                read
            }
        }
    }

    /// What a broken connection means.
    fn trouble(&self) -> Trouble {
        match self.secure.as_ref().and_then(|secure| secure.borrow().fault()) {
            Some(TlsFault::Certificate) => Trouble::Certificate,
            Some(TlsFault::Other) => Trouble::Tls,
            None => Trouble::Closed,
        }
    }
}

impl Shard {
    /// A connection is there: what is wanted is asked for.
    pub(super) fn open_link(
        self: &Rc<Self>,
        state: &mut State,
        key: Key,
        socket: Rc<Socket>,
        now: Moment,
    ) {
        let Some(outbound) = state.outbound.at(key) else { return };
        let (order, place) = (&outbound.order, outbound.place());
        let route = state.pulls.get(&order.stream).and_then(|pull| pull.route.as_ref());
        let options = match order.role {
            Role::Push => options_of_push(place.url()),
            Role::Pull => options_of_pull(place.url(), route),
        };
        let asked = Client::new(options).and_then(|mut client| {
            let stream = match order.role {
                Role::Push => client.publish(&place.name(), PublishMode::Live)?,
                Role::Pull => client.play(&place.name(), LIVE)?,
            };
            Ok((client, stream))
        });
        let secure = match (place.url().is_tls(), &order.tls) {
            (false, _) => Ok(None),
            (true, Some(config)) => Secure::new(config.clone(), place.url().host()).map(Some),
            (true, None) => Err(TlsFault::Other),
        };
        let secure = secure.map(|secure| secure.map(|secure| Rc::new(RefCell::new(secure))));
        let (Ok((client, stream)), Ok(secure)) = (asked, secure) else {
            // Names that no command can hold, hosts that no certificate can: settings have been looked at.
            socket.shutdown();
            return self.fail(state, key, Trouble::System, now);
        };
        let outlet = state.fanout.open(now);
        let at = outlet.at as usize;
        if state.sockets.len() <= at {
            state.sockets.resize_with(at + 1, || None);
        }
        let beside = secure.clone().map(|secure| Box::new(Beside::Secure(secure)));
        let owner = Owner::target(key);
        let writer = Writer::new(Rc::clone(&socket));
        state.sockets[at] = Some(Way { writer, beside, owner });
        let writer = Writer::new(Rc::clone(&socket));
        let received = (0, now);
        let link = Link {
            client,
            stream,
            outlet,
            running: None,
            joined: false,
            writer,
            secure,
            leave: None,
            received,
        };
        if let Some(outbound) = state.outbound.at_mut(key) {
            outbound.enter(Stage::Open(Box::new(link)), Phase::Handshake, now);
        }
        if let Err(error) = self.arrivals.watch(&socket, owner.number()) {
            tracing::warn!(%error, "the kernel does not watch a connection of ours");
            return self.fail(state, key, Trouble::System, now);
        }
        self.flush_link(state, key);
        self.send_link(state, key, now);
    }

    /// A turn of reading, for the connection at this place.
    pub(super) fn outbound_turn(self: &Rc<Self>, at: u32, now: Moment) -> Turn {
        let Some(key) = self.state.borrow().outbound.key_at(at) else { return Turn::default() };
        if let Some(turn) = contained(|| self.read_link(key, now)) {
            return turn;
        }
        self.panicked();
        let failed = contained(|| {
            let mut state = self.state.borrow_mut();
            self.fail(&mut state, key, Trouble::System, now);
            self.settle(&mut state, now);
        });
        if failed.is_none() {
            self.panicked();
        }
        Turn::default()
    }

    fn read_link(self: &Rc<Self>, key: Key, now: Moment) -> Turn {
        let mut buffer = self.buffer.borrow_mut();
        let mut state = self.state.borrow_mut();
        let (mut turn, mut more) = (Turn::default(), true);
        for _ in 0..limits::READS_PER_TURN {
            let Some(link) = state.outbound.at_mut(key).and_then(|outbound| outbound.link()) else {
                more = false;
                break;
            };
            match link.read(&mut buffer) {
                Read::Bytes(count) => {
                    turn.bytes += count;
                    self.stats.reads.add(1);
                    self.stats.bytes_in.add(count as u64);
                    self.hear(&mut state, key, &buffer[..count], now);
                    if self.now().since(now) >= limits::READ_TURN_MAX {
                        break;
                    }
                }
                Read::Nothing => {
                    more = false;
                    break;
                }
                Read::End(_) => {
                    more = false;
                    self.broke(&mut state, key, now);
                    break;
                }
            }
        }
        self.settle(&mut state, now);
        turn.more = more.then_some(Pace::AtOnce);
        turn
    }

    /// Hands bytes to the protocol, does what it reports, and sends what it answers.
    fn hear(self: &Rc<Self>, state: &mut State, key: Key, bytes: &[u8], now: Moment) {
        let mut input = bytes;
        loop {
            let Some(outbound) = state.outbound.at_mut(key) else { return };
            let role = outbound.order.role;
            let Some(link) = outbound.link() else { return };
            let leaves = link.leave.is_some();
            match link.client.receive(&mut input) {
                Ok(Some(_)) if leaves => {}
                Ok(Some(event)) => match role {
                    Role::Push => self.pushed(state, key, event, now),
                    Role::Pull => self.heard_of_origin(state, key, event, now),
                },
                Ok(None) => break,
                Err(_) if leaves => return self.left(state, key, now),
                Err(error) => {
                    tracing::debug!(error = error.to_string(), "a server beyond tolerance");
                    return self.fail(state, key, Trouble::Nonsense, now);
                }
            }
        }
        self.flush_pulled(state, key, now);
        self.send_link(state, key, now);
    }

    /// Moves the protocol's answers to the outlet and gives it a turn.
    pub(super) fn send_link(&self, state: &mut State, key: Key, now: Moment) {
        let State { outbound, fanout, sockets, .. } = state;
        let Some(link) = outbound.at_mut(key).and_then(|outbound| outbound.link()) else { return };
        let mut written = false;
        loop {
            let bytes = link.client.outgoing();
            let count = bytes.len();
            if count == 0 {
                break;
            }
            fanout.write(link.outlet, bytes);
            link.client.sent(count);
            written = true;
        }
        if written {
            let mut sink = Sockets { ways: sockets, stats: &self.stats };
            fanout.turn(link.outlet, &mut sink, now);
        }
    }

    /// Sends what the encryption has of its own.
    fn flush_link(&self, state: &mut State, key: Key) {
        let Some(link) = state.outbound.at_mut(key).and_then(|outbound| outbound.link()) else {
            return;
        };
        if let Some(secure) = &link.secure {
            // A failure shows itself in the next read.
            let _ = secure.borrow_mut().flush(&link.writer);
        }
    }

    /// What the fan-out has noticed of an outlet of ours.
    pub(super) fn outbound_notice(
        self: &Rc<Self>,
        state: &mut State,
        key: Key,
        outlet: OutletId,
        notice: Notice,
        now: Moment,
    ) {
        let Some(outbound) = state.outbound.at_mut(key) else { return };
        let order = Arc::clone(&outbound.order);
        let Some(link) = outbound.link().filter(|link| link.outlet == outlet) else { return };
        let leaves = link.leave.is_some();
        match notice {
            Notice::Parked => {
                self.stats.parked.add(1);
                let socket = Rc::clone(link.writer.socket());
                self.spawn(Rc::clone(self).wait_writable(outlet, socket));
            }
            Notice::Skipped { frames, bytes } => {
                tracing::info!(label = order.label, stream = %order.stream, frames, bytes, "outbound skipped");
            }
            Notice::Joined => {
                link.joined = true;
                tracing::debug!(label = order.label, stream = %order.stream, "first frame sent");
            }
            Notice::Ended => self.take_leave_of(state, key, now),
            // Whoever was told of an end has been left.
            Notice::Restarted => {}
            Notice::HangUp(_) if leaves => self.left(state, key, now),
            Notice::HangUp(HangUp::NoStream) => self.take_leave_of(state, key, now),
            Notice::HangUp(HangUp::Broken) => self.broke(state, key, now),
            Notice::HangUp(HangUp::Lagging | HangUp::Skipping | HangUp::PrivateBytes) => {
                self.stats.hang_ups.add(1);
                self.fail(state, key, Trouble::Stuck, now);
            }
        }
    }

    /// The connection is at its end.
    fn broke(self: &Rc<Self>, state: &mut State, key: Key, now: Moment) {
        let Some(link) = state.outbound.at_mut(key).and_then(|outbound| outbound.link()) else {
            return;
        };
        if link.leave.is_some() {
            return self.left(state, key, now);
        }
        let trouble = link.trouble();
        self.fail(state, key, trouble, now);
    }

    /// Looks for what has taken too long.
    pub(super) fn check_link(self: &Rc<Self>, state: &mut State, key: Key, now: Moment) {
        let Some(outbound) = state.outbound.at_mut(key) else { return };
        let (order, since) = (Arc::clone(&outbound.order), outbound.since);
        let Some(link) = outbound.link() else { return };
        match link.leave {
            Some(Leave::Said(since)) if now.since(since) >= limits::GOODBYE_MAX => {
                return self.left(state, key, now);
            }
            Some(Leave::Speaking(since)) if now.since(since) >= limits::CLOSING_MAX => {
                return self.left(state, key, now);
            }
            Some(_) => return self.see_off(state, key, now),
            None => {}
        }
        if link.running.is_none() && now.since(since) >= limits::OUTBOUND_ANSWER_MAX {
            return self.fail(state, key, Trouble::Timeout, now);
        }
        if link.running.is_some() && !link.joined && !self.is_wanted(&order) {
            // The stream ended while we came: whoever had nothing of it is told of no end.
            return self.take_leave_of(state, key, now);
        }
        let (before, looked) = link.received;
        if now.since(looked) >= std::time::Duration::from_secs(1) {
            let total = link.client.bytes_received();
            link.received = (total, now);
            if order.role == Role::Push && total - before > limits::PUSH_ANSWER_BYTES {
                return self.fail(state, key, Trouble::Nonsense, now);
            }
        }
        self.flush_link(state, key);
    }

    /// Ends what goes over a connection, with the words that the protocol has for it, then itself.
    pub(super) fn take_leave_of(self: &Rc<Self>, state: &mut State, key: Key, now: Moment) {
        let State { outbound, fanout, .. } = state;
        let Some(link) = outbound.at_mut(key).and_then(|outbound| outbound.link()) else { return };
        if link.leave.is_some() {
            return;
        }
        link.leave = Some(Leave::Speaking(now));
        if let Some(unread) = fanout.unsubscribe(link.outlet) {
            self.common.registry().unwatch(&unread);
        }
        link.client.finish();
        self.send_link(state, key, now);
        self.see_off(state, key, now);
    }

    /// Closes our side once the last words have gone.
    fn see_off(self: &Rc<Self>, state: &mut State, key: Key, now: Moment) {
        let State { outbound, fanout, .. } = state;
        let Some(link) = outbound.at_mut(key).and_then(|outbound| outbound.link()) else { return };
        let outlet = fanout.outlet(link.outlet);
        let gone = outlet.is_none_or(|outlet| outlet.private.is_empty() && !outlet.parked);
        if gone && matches!(link.leave, Some(Leave::Speaking(_))) {
            if let Some(secure) = &link.secure {
                secure.borrow_mut().close(&link.writer);
            }
            link.writer.socket().finish();
            link.leave = Some(Leave::Said(now));
        }
    }

    /// Takes a connection, or one that is being made, out of all tables.
    pub(super) fn drop_link(&self, state: &mut State, key: Key) -> Option<Box<Link>> {
        let State { outbound, fanout, sockets, .. } = state;
        let outbound = outbound.at_mut(key)?;
        let link = match std::mem::replace(&mut outbound.stage, Stage::Waiting) {
            Stage::Open(link) => link,
            Stage::Connecting(socket) => {
                socket.shutdown();
                return None;
            }
            _ => return None,
        };
        fanout.collect_one(link.outlet, |delta| outbound.count(delta));
        let (outlet, unread) = fanout.close(link.outlet);
        if let Some(unread) = unread {
            self.common.registry().unwatch(&unread);
        }
        if outlet.is_some_and(|outlet| outlet.parked) {
            self.stats.parked.sub(1);
        }
        if let Some(way) = sockets.get_mut(link.outlet.at as usize) {
            *way = None;
        }
        self.arrivals.forget(link.writer.socket());
        link.writer.socket().shutdown();
        Some(link)
    }
}

/// What is wanted of an origin: the stream from now on, as it comes. We buffer nothing, and say so.
const LIVE: PlayOptions = PlayOptions { start: -2.0, duration: -1.0, reset: true, buffer_ms: 0 };

/// What we say of ourselves. To services we are an encoder as OBS is: they judge what they know.
fn options_of_push(url: &RtmpUrl) -> Options {
    let mut options = Options::for_publishing(url);
    options.session.four_cc_list = Vec::new();
    options
}

/// To origins we are a player, and to those that know of it, one of a certain route.
fn options_of_pull(url: &RtmpUrl, route: Option<&Route>) -> Options {
    let mut options = Options::new(url);
    if let Some(route) = route {
        options.session.properties.insert(route::PROPERTY, route.to_string());
    }
    options
}
