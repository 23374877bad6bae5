//! Streams and the connections that play them: who is served when, and who is overtaken.

use super::connection::{Connection, Flow, Role};
use super::log::KEPT_MAX;
use super::ring::{Ring, Sending};
use super::stream::{Part, Phase, Stream};
use super::totals::Totals;
use super::{Options, Policy, Sends, Waits};
use millstream_rtmp::message::MessageType;
use rustix::event::epoll;
use rustix::io::Errno;
use rustix::net::Shutdown;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Instant;

/// All streams, and all connections by their places.
#[derive(Debug)]
pub struct Fanout {
    /// The poller; a connection's place is what it reports.
    pub epoll: OwnedFd,
    /// The connections.
    pub connections: Vec<Option<Connection>>,
    /// The streams.
    pub streams: Vec<Stream>,
    /// Counters.
    pub totals: Totals,
    policy: Policy,
    /// The poller tells who can be read. Otherwise it knows only those whose sockets are full.
    reads: bool,
    /// Windows are counted from here.
    origin: Instant,
    /// Places without a connection.
    free: Vec<usize>,
    /// When the phases of streams are due, earliest first. Where a phase's own `due` says otherwise, it
    /// was served meanwhile.
    schedule: BinaryHeap<Reverse<(Instant, usize, usize)>>,
    /// What sends for all players of a flush, if they are not served one by one.
    ring: Option<Ring>,
    /// What came of its sends; kept empty but allocated.
    results: Vec<Result<usize, Errno>>,
}

impl Fanout {
    /// Nobody and nothing.
    ///
    /// # Errors
    /// If no descriptor is left, or no io_uring can be had for the sends.
    pub fn new(options: &Options, now: Instant) -> io::Result<Self> {
        let ring = match options.sends {
            Sends::Direct => None,
            Sends::Ring => Some(Ring::new()?),
        };
        Ok(Self {
            epoll: epoll::create(epoll::CreateFlags::CLOEXEC)?,
            connections: Vec::new(),
            streams: Vec::new(),
            totals: Totals::default(),
            policy: options.policy,
            reads: options.waits == Waits::Epoll,
            origin: now,
            free: Vec::new(),
            schedule: BinaryHeap::new(),
            ring,
            results: Vec::new(),
        })
    }

    /// Takes in a connection, and returns its place.
    ///
    /// # Errors
    /// If the poller does not take it.
    pub fn add(&mut self, connection: Connection) -> io::Result<usize> {
        let at = self.free.pop().unwrap_or_else(|| {
            self.connections.push(None);
            self.connections.len() - 1
        });
        if self.reads {
            let data = epoll::EventData::new_u64(at as u64);
            epoll::add(&self.epoll, &connection.socket, data, epoll::EventFlags::IN)?;
        }
        self.connections[at] = Some(connection);
        Ok(at)
    }

    /// Ends a connection that stands in its place.
    pub fn close(&mut self, at: usize) {
        if let Some(connection) = self.connections[at].take() {
            self.free.push(at);
            if !self.reads {
                // Whoever reads it has a descriptor of his own, and learns of the end by it. Failing,
                // either was so already.
                let _ = epoll::delete(&self.epoll, &connection.socket);
                let _ = rustix::net::shutdown(&connection.socket, Shutdown::Both);
            }
            if let Role::Player { stream, phase, .. } = connection.role {
                self.streams[stream].phases[phase].players.retain(|player| *player != at);
            }
        }
    }

    /// A message of a stream came.
    ///
    /// # Errors
    /// If the log fails.
    pub fn take(
        &mut self,
        stream: usize,
        kind: MessageType,
        timestamp: u32,
        payload: &[u8],
        now: Instant,
    ) -> io::Result<()> {
        let part = Part::of(kind, payload);
        let log = &self.streams[stream].log;
        if part == Part::KeyFrame || log.end() - log.start() > KEPT_MAX {
            self.forget(stream)?;
        }
        self.streams[stream].append(part, kind, timestamp, payload)?;
        let Stream { log, phases, .. } = &mut self.streams[stream];
        let count = phases.len();
        for (number, Phase { shown, due, players }) in phases.iter_mut().enumerate() {
            if players.is_empty() {
                // There is nobody to keep waiting: a thousand idle streams are not looked after.
                *shown = log.end();
                continue;
            }
            let origin = self.origin + self.policy.shift(number, count);
            let at = self.policy.due(kind == MessageType::AUDIO, *due, now, origin);
            if *due != Some(at) {
                *due = Some(at);
                self.schedule.push(Reverse((at, stream, number)));
            }
        }
        Ok(())
    }

    /// When the next players are to be served.
    pub fn next_due(&mut self) -> Option<Instant> {
        while let Some(&Reverse((due, stream, phase))) = self.schedule.peek() {
            if self.streams[stream].phases[phase].due == Some(due) {
                return Some(due);
            }
            self.schedule.pop();
        }
        None
    }

    /// Serves the players of every stream that is due.
    pub fn flush(&mut self, now: Instant) {
        while self.next_due().is_some_and(|due| due <= now)
            && let Some(Reverse((_, number, phase))) = self.schedule.pop()
        {
            let Stream { log, phases, .. } = &mut self.streams[number];
            phases[phase].due = None;
            phases[phase].shown = log.end();
            self.serve_all(number, phase);
        }
    }

    fn serve_all(&mut self, stream: usize, phase: usize) {
        let players = std::mem::take(&mut self.streams[stream].phases[phase].players);
        let mut gone = Vec::new();
        if let Some(mut ring) = self.ring.take() {
            self.serve_together(&mut ring, stream, &players, &mut gone);
            self.ring = Some(ring);
        }
        // After a ring these are those who have something else to be sent first.
        for &player in &players {
            if !self.serve(player) {
                gone.push(player);
            }
        }
        self.streams[stream].phases[phase].players = players;
        for player in gone {
            self.close(player);
        }
    }

    /// Serves those players of a stream that are due nothing but bytes of its log, by one submission.
    fn serve_together(
        &mut self,
        ring: &mut Ring,
        stream: usize,
        players: &[usize],
        gone: &mut Vec<usize>,
    ) {
        let log = &self.streams[stream].log;
        let mut sends = Vec::with_capacity(players.len());
        let mut dues = Vec::with_capacity(players.len());
        for &player in players {
            let Some(connection) = &self.connections[player] else { continue };
            let Some(due) = connection.due(&self.streams) else { continue };
            let Some(bytes) = log.bytes(due.0, due.1) else { continue };
            sends.push(Sending { socket: connection.socket.as_fd(), bytes });
            dues.push((player, due));
        }
        let mut results = std::mem::take(&mut self.results);
        ring.send_all(&sends, &mut results);
        for ((player, due), sent) in dues.into_iter().zip(results.drain(..)) {
            let Some(connection) = &mut self.connections[player] else { continue };
            let flow = connection.sent(due, sent, &mut self.totals);
            if flow.and_then(|flow| self.park(player, flow)).is_err() {
                gone.push(player);
            }
        }
        self.results = results;
    }

    /// Sends a connection what it is due, unless its socket is known to be full. False if it is gone.
    pub fn serve(&mut self, at: usize) -> bool {
        match &mut self.connections[at] {
            Some(connection) if !connection.parked => self.send(at).is_ok(),
            _ => true,
        }
    }

    /// A socket has room again. False if the connection is gone.
    pub fn has_room(&mut self, at: usize) -> bool {
        self.send(at).is_ok()
    }

    fn send(&mut self, at: usize) -> rustix::io::Result<()> {
        let Some(connection) = &mut self.connections[at] else { return Ok(()) };
        let flow = connection.send(&self.streams, &mut self.totals)?;
        self.park(at, flow)
    }

    /// Remembers whether a connection's socket is full, and asks to be told when it has room.
    fn park(&mut self, at: usize, flow: Flow) -> rustix::io::Result<()> {
        let Some(connection) = &mut self.connections[at] else { return Ok(()) };
        let full = flow == Flow::Full;
        if full != connection.parked {
            connection.parked = full;
            let room = if full { epoll::EventFlags::OUT } else { epoll::EventFlags::empty() };
            let data = epoll::EventData::new_u64(at as u64);
            let (epoll, socket) = (&self.epoll, &connection.socket);
            match self.reads {
                true => epoll::modify(epoll, socket, data, epoll::EventFlags::IN | room)?,
                false if full => epoll::add(epoll, socket, data, room)?,
                false => epoll::delete(epoll, socket)?,
            }
        }
        Ok(())
    }

    /// Forgets what no player of a stream needs any more, as far as it may be kept, and closes those
    /// whose place was not kept.
    fn forget(&mut self, stream: usize) -> io::Result<()> {
        let cursor = |at: &usize| match &self.connections[*at] {
            Some(Connection { role: Role::Player { cursor, .. }, .. }) => Some((*at, *cursor)),
            _ => None,
        };
        let all = self.streams[stream].phases.iter().flat_map(|phase| &phase.players);
        let players: Vec<(usize, u64)> = all.filter_map(cursor).collect();
        let log = &mut self.streams[stream].log;
        let needed = players.iter().map(|(_, cursor)| *cursor).min().unwrap_or(log.end());
        log.forget_before(needed)?;
        let start = log.start();
        for (at, _) in players.iter().filter(|(_, cursor)| *cursor < start) {
            self.totals.overtaken += 1;
            self.close(*at);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bare::Medium;
    use bytes::BytesMut;
    use rustix::net::{AddressFamily, RecvFlags, SocketFlags, SocketType};
    use std::time::Duration;

    const KEY: &[u8] = &[0x17, 1, 0, 0, 0];
    const INTER: &[u8] = &[0x27, 1, 0, 0, 0];

    /// One stream, and what its players' other ends are.
    struct Scene {
        fanout: Fanout,
        now: Instant,
        ends: Vec<OwnedFd>,
    }

    impl Scene {
        fn new(policy: Policy) -> Self {
            Self::in_phases(policy, 1)
        }

        fn in_phases(policy: Policy, phases: usize) -> Self {
            Self::with(&Options { phases, ..Options::plain(policy) })
        }

        fn with(options: &Options) -> Self {
            let (phases, now) = (options.phases, Instant::now());
            let mut fanout = Fanout::new(options, now).unwrap();
            fanout.streams.push(Stream::new(Medium::Memory, phases).unwrap());
            Self { fanout, now, ends: Vec::new() }
        }

        fn join(&mut self) {
            let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
            let (socket, end) =
                rustix::net::socketpair(AddressFamily::UNIX, SocketType::STREAM, flags, None)
                    .unwrap();
            let mut private = BytesMut::new();
            let stream = &mut self.fanout.streams[0];
            let (phase, cursor) = (stream.phase_of_joiner(), stream.join(&mut private));
            let role = Role::Player { stream: 0, phase, cursor };
            let number = self.ends.len() as u64;
            let connection = Connection { socket, number, role, private, parked: false };
            self.fanout.add(connection).unwrap();
            self.ends.push(end);
            self.fanout.streams[0].phases[phase].players.push(self.ends.len() - 1);
        }

        fn video(&mut self, start: &[u8], length: usize) {
            let mut payload = start.to_vec();
            payload.resize(length, 7);
            self.fanout.take(0, MessageType::VIDEO, 0, &payload, self.now).unwrap();
        }

        fn audio(&mut self) {
            self.fanout.take(0, MessageType::AUDIO, 0, &[0xaf, 1, 2, 3], self.now).unwrap();
        }

        fn read(&self, player: usize) -> usize {
            let mut buffer = vec![0; 16 << 20];
            let (mut read, flags) = (0, RecvFlags::DONTWAIT);
            while let Ok((count @ 1.., _)) =
                rustix::net::recv(&self.ends[player], &mut buffer[..], flags)
            {
                read += count;
            }
            read
        }
    }

    #[test]
    fn everything_due_is_one_send_to_each_player() {
        let mut scene = Scene::new(Policy::Ride);
        scene.video(KEY, 1000);
        scene.fanout.flush(scene.now);
        scene.join();
        scene.join();
        assert!(scene.fanout.serve(0) && scene.fanout.serve(1));
        assert_eq!((scene.read(0), scene.read(1)), (1012, 1012));
        scene.audio();
        scene.audio();
        scene.fanout.flush(scene.now);
        assert_eq!(scene.read(0), 0, "audio waits");
        scene.video(INTER, 100);
        scene.fanout.flush(scene.now);
        assert_eq!((scene.read(0), scene.read(1)), (16 + 16 + 112, 16 + 16 + 112));
        assert_eq!(scene.fanout.totals.sends, 4);
        // Without video it goes out after a while.
        scene.audio();
        let due = scene.fanout.next_due().unwrap();
        assert!(due > scene.now && due <= scene.now + Duration::from_millis(50));
        scene.fanout.flush(due);
        assert_eq!((scene.read(0), scene.fanout.next_due()), (16, None));
    }

    #[test]
    fn phases_are_served_one_after_the_other_and_each_gets_everything() {
        let (window, ms) = (Duration::from_millis(100), Duration::from_millis(1));
        let mut scene = Scene::in_phases(Policy::Window(window), 2);
        let origin = scene.now;
        scene.join();
        scene.join();
        // Before its first turn a phase waits for a whole window.
        scene.now = origin + window;
        scene.video(KEY, 1000);
        scene.fanout.flush(origin + 149 * ms);
        assert_eq!((scene.read(0), scene.read(1)), (0, 0));
        scene.fanout.flush(origin + 150 * ms);
        assert_eq!((scene.read(0), scene.read(1)), (0, 1012));
        scene.now = origin + 160 * ms;
        scene.audio();
        scene.fanout.flush(origin + 200 * ms);
        assert_eq!((scene.read(0), scene.read(1)), (1012 + 16, 0));
        scene.fanout.flush(origin + 250 * ms);
        assert_eq!((scene.read(0), scene.read(1), scene.fanout.totals.sends), (0, 16, 3));
    }

    #[test]
    fn a_player_behind_is_served_when_there_is_room_and_loses_nothing() {
        falls_behind(Scene::new(Policy::AtOnce));
    }

    #[test]
    fn a_player_behind_a_ring_loses_nothing_either() {
        let options = Options { sends: Sends::Ring, ..Options::plain(Policy::AtOnce) };
        falls_behind(Scene::with(&options));
    }

    #[test]
    fn a_player_behind_loses_nothing_where_another_reads_him() {
        let waits = Waits::Ready(crate::bare::Setup::Plain);
        falls_behind(Scene::with(&Options { waits, ..Options::plain(Policy::AtOnce) }));
    }

    fn falls_behind(mut scene: Scene) {
        scene.join();
        for _ in 0..4 {
            scene.video(KEY, 600_000);
            scene.fanout.flush(scene.now);
        }
        // Ten chunks each: a header of 12 bytes, and 9 of one.
        let sent = 4 * (600_000 + 12 + 9);
        assert!(scene.fanout.connections[0].as_ref().unwrap().parked);
        let sends = scene.fanout.totals.sends;
        scene.fanout.flush(scene.now);
        assert_eq!(scene.fanout.totals.sends, sends, "a full socket is left alone");
        let mut read = 0;
        while scene.fanout.connections[0].as_ref().unwrap().parked {
            read += scene.read(0);
            assert!(scene.fanout.has_room(0));
        }
        read += scene.read(0);
        assert_eq!((read, scene.fanout.totals.overtaken), (sent, 0));
    }

    #[test]
    fn a_player_that_the_log_overtakes_is_closed_and_the_others_are_not() {
        let mut scene = Scene::new(Policy::AtOnce);
        scene.join();
        scene.join();
        for _ in 0..200 {
            scene.video(INTER, 60_000);
            scene.fanout.flush(scene.now);
            scene.read(1);
            assert!(scene.fanout.has_room(1));
        }
        assert_eq!(scene.fanout.totals.overtaken, 1);
        assert_eq!(scene.fanout.streams[0].phases[0].players, [1]);
        let log = &scene.fanout.streams[0].log;
        assert!(log.end() - log.start() <= KEPT_MAX + 60_012);
        // His place is free for the next one.
        assert!(scene.fanout.connections[0].is_none() && scene.fanout.connections[1].is_some());
    }
}
