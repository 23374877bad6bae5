//! One connection from its acceptance to its end: bytes in, events, answers out.
//!
//! The protocol stands in `millstream-rtmp`; what publishing and playing do to streams stands in
//! `publishing` and `playing`.

use super::intake::{Pace, Turn};
use super::state::{Beside, Connection, Owner, Sockets, State, Way};
use super::tasks::Shard;
use crate::capture::format::Direction;
use crate::hook::{Ended, Totals};
use crate::limits;
use crate::moment::Moment;
use crate::net::socket::{Read, Socket, Writer};
use crate::slots::Key;
use crate::stats::Refusal;
use millstream_rtmp::connection::ServerConnection;
use millstream_rtmp::server::{ServerEvent, UnknownCommand};
use monoio::net::TcpStream;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::sync::atomic::Ordering;

/// Where connections come from that this process makes to itself.
const INSIDE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

impl Shard {
    /// Takes an accepted connection in, or turns it away.
    pub(super) fn admit(self: &Rc<Self>, stream: TcpStream, address: SocketAddr) {
        let now = self.now();
        self.stats.accepted.add(1);
        if let Err(capped) = self.common.addresses.admit(address.ip()) {
            self.stats.refuse(Refusal::Cap);
            tracing::info!(peer = %address, reason = capped.name(), "connection refused");
            return;
        }
        match Socket::new(stream, self.common.config.timeouts.player) {
            Ok(socket) => self.seat(socket, address, now),
            Err(error) => {
                self.common.addresses.gone(address.ip(), false);
                self.stats.refuse(Refusal::Descriptors);
                tracing::warn!(peer = %address, %error, "connection refused");
            }
        }
    }

    /// Takes a connection in that comes from this process.
    pub(super) fn admit_inside(self: &Rc<Self>, stream: UnixStream) {
        let now = self.now();
        if self.draining.get().is_some() {
            return;
        }
        self.stats.accepted.add(1);
        match Socket::inside(stream) {
            // Loopback has no caps: it is counted and never refused.
            Ok(socket) if self.common.addresses.admit(INSIDE.ip()).is_ok() => {
                self.seat(socket, INSIDE, now);
            }
            _ => self.stats.refuse(Refusal::Descriptors),
        }
    }

    fn seat(self: &Rc<Self>, socket: Socket, address: SocketAddr, now: Moment) {
        let number = self.common.next_connection.fetch_add(1, Ordering::Relaxed);
        let socket = Rc::new(socket);
        let mut entropy = [0; 32];
        fill_random(&mut entropy);
        let tap = self.common.capture.as_ref().and_then(|capture| capture.tap(number, address));
        let tap = tap.map(Rc::new);
        let mut state = self.state.borrow_mut();
        let outlet = state.fanout.open(now);
        let key = state.connections.insert(Connection {
            number,
            address,
            socket: Rc::clone(&socket),
            pace: Pace::AtOnce,
            tap: tap.clone(),
            protocol: ServerConnection::new(&self.common.options, entropy),
            outlet,
            peer: None,
            route: None,
            session: None,
            heard: false,
            told: Totals::default(),
            pinged: None,
            since: now,
            last_read: now,
            last_ping: now,
            other_messages: 0,
            asked: Vec::new(),
            publishes: Vec::new(),
            play: None,
            requests: (now, 0),
            closing: None,
        });
        let at = outlet.at as usize;
        if state.sockets.len() <= at {
            state.sockets.resize_with(at + 1, || None);
        }
        let writer = Writer::new(Rc::clone(&socket));
        let beside = tap.map(|tap| Box::new(Beside::Tap(tap)));
        state.sockets[at] = Some(Way { writer, beside, owner: Owner::peer(key) });
        self.stats.connections.add(1);
        tracing::debug!(connection = number, peer = %address, "connection accepted");
        if let Err(error) = self.arrivals.watch(&socket, Owner::peer(key).number()) {
            self.not_watched(&mut state, key, &error, now);
        }
    }

    /// Reads what is there; to the end, if that has come.
    pub(super) fn on_readable(self: &Rc<Self>, key: Key, ended: bool, now: Moment) -> Turn {
        let mut buffer = self.buffer.borrow_mut();
        let mut state = self.state.borrow_mut();
        let (mut turn, mut more) = (Turn::default(), false);
        for _ in 0..limits::READS_PER_TURN {
            let Some(connection) = state.connections.at_mut(key) else { break };
            more = false;
            match connection.socket.read(&mut buffer) {
                Read::Bytes(count) => {
                    turn.bytes += count;
                    connection.last_read = now;
                    self.stats.reads.add(1);
                    self.stats.bytes_in.add(count as u64);
                    if let Some(tap) = &connection.tap {
                        tap.bytes(Direction::In, &buffer[..count]);
                    }
                    if connection.publishes.is_empty() && connection.play.is_none() {
                        connection.socket.acknowledge();
                    }
                    self.pump(&mut state, key, &buffer[..count], now);
                    if count < buffer.len() && !ended {
                        break;
                    }
                    // What is left is there at the next turn. Full of tiny messages, these reads
                    // would keep viewers waiting.
                    more = true;
                    if self.now().since(now) >= limits::READ_TURN_MAX {
                        break;
                    }
                }
                Read::Nothing => break,
                Read::End(errno) => {
                    let reason = if errno.is_some() { "connection-lost" } else { "peer-closed" };
                    self.close(&mut state, key, reason, now);
                }
            }
        }
        self.keep_pace(&mut state, key, now);
        self.settle(&mut state, now);
        if more {
            turn.more = state.connections.at(key).map(|connection| connection.pace);
        }
        turn
    }

    /// Has a connection read as is right for what it has become.
    fn keep_pace(self: &Rc<Self>, state: &mut State, key: Key, now: Moment) {
        let Some(connection) = state.connections.at_mut(key) else { return };
        let pace = match connection.publishes.is_empty() {
            true => Pace::AtOnce,
            false => Pace::Gathered,
        };
        if pace == connection.pace {
            return;
        }
        self.arrivals_of(connection.pace).forget(&connection.socket);
        connection.pace = pace;
        if let Err(error) =
            self.arrivals_of(pace).watch(&connection.socket, Owner::peer(key).number())
        {
            self.not_watched(state, key, &error, now);
        }
    }

    fn not_watched(self: &Rc<Self>, state: &mut State, key: Key, error: &io::Error, now: Moment) {
        self.stats.refuse(Refusal::Descriptors);
        let connection = state.connections.at(key).map(|connection| connection.number);
        tracing::warn!(connection, %error, "the kernel does not watch it");
        self.close(state, key, "not-watched", now);
    }

    /// A parked outlet's socket has room.
    pub(super) fn on_writable(self: &Rc<Self>, outlet: crate::egress::outlet::OutletId) {
        let now = self.now();
        let mut state = self.state.borrow_mut();
        if state.fanout.outlet(outlet).is_some() {
            self.stats.parked.sub(1);
        }
        let State { fanout, sockets, .. } = &mut *state;
        fanout.writable(outlet, &mut Sockets { ways: sockets, stats: &self.stats }, now);
        self.settle(&mut state, now);
    }

    /// Hands bytes to the protocol, does what it reports, and sends what it answers. With no bytes,
    /// looks for what an answer of ours has released.
    pub(super) fn pump(self: &Rc<Self>, state: &mut State, key: Key, bytes: &[u8], now: Moment) {
        let mut input = bytes;
        loop {
            let Some(connection) = state.connections.at_mut(key) else { return };
            if connection.closing.is_some() {
                break;
            }
            let was_open = connection.protocol.is_open();
            let received = connection.protocol.receive(&mut input);
            if !was_open && connection.protocol.is_open() {
                self.common.addresses.opened(connection.address.ip());
            }
            match received {
                Ok(Some(event)) => self.event(state, key, event, now),
                Ok(None) => break,
                Err(error) => {
                    self.stats.refuse(refusal_of(error.name()));
                    tracing::warn!(
                        connection = connection.number,
                        peer = %connection.address,
                        error = error.name(),
                        // Under a name of its own: of two fields `error`, a JSON log keeps one.
                        detail = %error,
                        "protocol error"
                    );
                    self.begin_closing(connection, key, error.name(), now);
                }
            }
        }
        self.send_output(state, key, now);
        self.flush_publishes(state, key, now);
    }

    /// Moves the protocol's answers to the outlet and gives it a turn.
    pub(super) fn send_output(&self, state: &mut State, key: Key, now: Moment) {
        let State { connections, fanout, sockets, .. } = state;
        let Some(connection) = connections.at_mut(key) else { return };
        let outlet = connection.outlet;
        let output = connection.protocol.output();
        if !output.is_empty() {
            fanout.write(outlet, output);
            *output = bytes::BytesMut::new();
            fanout.turn(outlet, &mut Sockets { ways: sockets, stats: &self.stats }, now);
        }
    }

    fn event(self: &Rc<Self>, state: &mut State, key: Key, event: ServerEvent, now: Moment) {
        if is_request(&event) && !self.count_request(state, key, now) {
            return;
        }
        match event {
            ServerEvent::Media(message) => self.media(state, key, &message, now),
            ServerEvent::Data(data) => self.data(state, key, &data, now),
            ServerEvent::Connect(connect) => self.connect_asked(state, key, *connect, now),
            ServerEvent::Publish(publish) => self.publish_asked(state, key, *publish, now),
            ServerEvent::Play(play) => self.play_asked(state, key, *play, now),
            ServerEvent::Unpublish { stream_id, .. } => self.unpublish(state, key, stream_id, now),
            ServerEvent::StopPlay { stream_id, .. } => self.stop_play(state, key, stream_id, now),
            ServerEvent::Pause { stream_id, paused, .. } => {
                self.pause(state, key, stream_id, paused);
            }
            ServerEvent::Seek { stream_id, .. } => self.seek(state, key, stream_id),
            ServerEvent::ReceiveAudio { stream_id, on } => {
                self.project(
                    state,
                    key,
                    stream_id,
                    |p| crate::stream::projection::Projection { audio: on, ..p },
                    now,
                );
            }
            ServerEvent::ReceiveVideo { stream_id, on } => {
                self.project(
                    state,
                    key,
                    stream_id,
                    |p| crate::stream::projection::Projection { video: on, ..p },
                    now,
                );
            }
            ServerEvent::UnknownCommand(command) => self.unknown(state, key, &command, now),
            ServerEvent::Acknowledged { bytes } => {
                if let Some(connection) = state.connections.at_mut(key) {
                    self.call(connection, key, now, |session| session.acknowledged(bytes));
                }
            }
            ServerEvent::Pong { timestamp } => {
                if let Some(connection) = state.connections.at_mut(key) {
                    self.ponged(connection, key, timestamp, now);
                }
            }
            // Reading them is what matters: `last_read` is set.
            _ => {}
        }
    }

    fn unknown(&self, state: &mut State, key: Key, command: &UnknownCommand, now: Moment) {
        let Some(connection) = state.connections.at_mut(key) else { return };
        let name = command.name.as_str();
        // Its name is the peer's text: only what looks like a procedure is shown.
        let plain = name.len() <= 32 && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let shown = if plain { name } else { "(not plain)" };
        tracing::debug!(connection = connection.number, command = shown, "unknown command");
        self.call(connection, key, now, |session| session.unknown_command(command));
    }

    /// Counts a request. One too many ends the connection, and false is returned.
    fn count_request(&self, state: &mut State, key: Key, now: Moment) -> bool {
        let Some(connection) = state.connections.at_mut(key) else { return false };
        let (since, count) = &mut connection.requests;
        if now.since(*since) >= limits::REQUESTS_SPAN {
            (*since, *count) = (now, 0);
        }
        *count += 1;
        if *count <= limits::REQUESTS_MAX {
            return true;
        }
        let error = "too-many-requests";
        self.stats.refuse(Refusal::Command);
        tracing::warn!(
            connection = connection.number,
            peer = %connection.address,
            error,
            "protocol error"
        );
        self.begin_closing(connection, key, error, now);
        false
    }

    /// Ends a connection: what it published is held, what it played is left.
    pub(super) fn close(self: &Rc<Self>, state: &mut State, key: Key, reason: &str, now: Moment) {
        self.stop_play_of(state, key, now);
        let Some(mut connection) = state.connections.remove(key) else { return };
        let mut published = Vec::new();
        for publishing in &connection.publishes {
            let entry = state.publishing.at(*publishing);
            let begun = entry.filter(|entry| entry.welcomed);
            published.extend(begun.map(|entry| entry.tenure.hub.name.clone()));
            self.lose(state, *publishing, now);
        }
        let (outlet, unread) = state.fanout.close(connection.outlet);
        debug_assert!(unread.is_none(), "its play was ended above");
        if let Some(way) = state.sockets.get_mut(connection.outlet.at as usize) {
            *way = None;
        }
        self.arrivals_of(connection.pace).forget(&connection.socket);
        connection.socket.shutdown();
        if let Some(tap) = &connection.tap {
            tap.end(reason);
        }
        let opened = connection.protocol.is_open();
        self.common.addresses.gone(connection.address.ip(), opened);
        self.stats.connections.sub(1);
        let outlet = outlet.unwrap_or_default();
        if outlet.parked {
            self.stats.parked.sub(1);
        }
        tracing::info!(
            connection = connection.number,
            peer = %connection.address,
            reason,
            seconds = now.since(connection.since).as_secs_f32(),
            received = connection.protocol.bytes_received(),
            sent = outlet.stats.bytes_sent,
            dropped_frames = outlet.stats.frames_dropped,
            dropped_bytes = outlet.stats.bytes_dropped,
            skips = outlet.stats.skips,
            "connection ended"
        );
        let totals = Totals {
            received: connection.protocol.bytes_received(),
            sent: outlet.stats.bytes_sent,
        };
        let lasted = now.since(connection.since);
        self.take_leave(&mut connection, &published, &Ended { reason, totals, lasted });
    }
}

/// Whether this makes the shard change what it publishes or plays, and say so in the log.
fn is_request(event: &ServerEvent) -> bool {
    matches!(
        event,
        ServerEvent::Publish(_)
            | ServerEvent::Play(_)
            | ServerEvent::Pause { .. }
            | ServerEvent::Seek { .. }
            | ServerEvent::ReceiveAudio { .. }
            | ServerEvent::ReceiveVideo { .. }
    )
}

/// An answer of ours that the session did not take is our fault; the peer may have left meanwhile.
pub(super) fn report(answered: Result<(), millstream_rtmp::session::AnswerError>) {
    if let Err(error) = answered {
        tracing::debug!(?error, "an answer came too late");
    }
}

fn fill_random(bytes: &mut [u8]) {
    // The handshake's random bytes protect nothing; without entropy zeroes do.
    let _ = rustix::rand::getrandom(bytes, rustix::rand::GetRandomFlags::NONBLOCK);
}

/// The coarse reason of a protocol error, by its name.
fn refusal_of(error: &str) -> Refusal {
    if error.starts_with("handshake") {
        Refusal::Handshake
    } else if error.starts_with("amf") {
        Refusal::Amf
    } else if error.contains("chunk") || error.contains("message") || error.contains("reassembly") {
        Refusal::Chunk
    } else {
        Refusal::Command
    }
}
