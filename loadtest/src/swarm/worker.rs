//! One pinned thread with its share of publishers and players: the loop and its turns.
//!
//! A round: send what is due, bring the number of players to what the director wants, wait, read
//! everything that is ready. Between rounds it may nap, as receivers on real networks in effect do:
//! reading each byte the moment it arrives makes the server pay for waking the reader.
//! What frames are is `media`'s business, how players are judged `check`'s.

use crate::account::check::Checker;
use crate::account::tally::{Counts, Delays, enter};
use crate::host::clock;
use crate::media::Track;
use crate::media::source::Source;
use crate::swarm::peer::{Got, Peer, Player, Publisher, Role, Target};
use crate::swarm::shared::{Shared, Slot};
use bytes::Bytes;
use millstream_rtmp::client::{ClientEvent, PlayOptions};
use millstream_rtmp::message::MessageType;
use millstream_rtmp::session::PublishMode;
use rustix::event::{Timespec, epoll};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::net::Ipv4Addr;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Connections under way at one time: servers bound those that have not ended their handshake.
const CONNECTING_MAX: usize = 32;
/// Players that come from one address of this machine.
const PLAYERS_PER_ADDRESS: u64 = 2000;
/// What one read takes at most.
const READ_BYTES: usize = 256 * 1024;
/// Events of one poll.
const EVENTS: usize = 4096;
/// Events after which publishers that are due have their turn.
const EVENTS_PER_TURN: usize = 64;
/// The longest wait, and how often counters are handed over.
const HAND_OVER_NS: u64 = 100_000_000;
/// A publisher with so much unsent does not get through and is given up.
const UNSENT_MAX: usize = 16 << 20;
/// Of so many players one has every byte of its frames compared.
pub const COMPARED_OF: u64 = 16;

/// A worker's share of the whole.
pub struct Share {
    /// Its number, from 0.
    pub index: usize,
    /// The core it is pinned to.
    pub core: usize,
    /// How many workers there are.
    pub workers: usize,
    /// The pause between rounds, nanoseconds.
    pub nap_ns: u64,
}

/// A worker on its thread.
pub struct Worker {
    share: Share,
    shared: Arc<Shared>,
    target: Target,
    epoll: OwnedFd,
    peers: Vec<Option<Peer>>,
    free: Vec<usize>,
    /// Places of players, oldest first.
    players: Vec<usize>,
    connecting: usize,
    /// Players that failed, of those wanted.
    given_up: usize,
    /// Publishers by when they are due.
    due: BinaryHeap<Reverse<(u64, usize)>>,
    /// Connections that this worker has begun in its life.
    begun: u64,
    checker: Checker,
    counts: Counts,
    delays: Delays,
    handed_over_ns: u64,
}

impl Worker {
    /// A worker that has not begun.
    ///
    /// # Errors
    /// If no descriptor is left.
    pub fn new(
        share: Share,
        shared: Arc<Shared>,
        target: Target,
        source: Arc<Source>,
    ) -> io::Result<Self> {
        Ok(Self {
            share,
            shared,
            target,
            epoll: epoll::create(epoll::CreateFlags::CLOEXEC)?,
            peers: Vec::new(),
            free: Vec::new(),
            players: Vec::new(),
            connecting: 0,
            given_up: 0,
            due: BinaryHeap::new(),
            begun: 0,
            checker: Checker::new(source),
            counts: Counts::default(),
            delays: Delays::default(),
            handed_over_ns: 0,
        })
    }

    /// Runs until the director says that it is over.
    ///
    /// # Errors
    /// If the poller fails.
    pub fn run(mut self) -> io::Result<()> {
        let streams = self.shared.streams.len() as u32;
        for stream in (self.share.index as u32..streams).step_by(self.share.workers) {
            // One at a time: a server's limit on open handshakes is not what is tested.
            while self.connecting >= CONNECTING_MAX && !self.is_over() {
                self.round()?;
            }
            self.begin(Role::Publisher(Publisher { stream, ..Publisher::default() }));
        }
        while !self.is_over() {
            self.round()?;
        }
        self.checker.close(open_players(&self.peers), &self.shared, &mut self.counts);
        self.hand_over(clock::now_ns());
        Ok(())
    }

    fn is_over(&self) -> bool {
        self.shared.over.load(Ordering::Relaxed)
    }

    fn round(&mut self) -> io::Result<()> {
        let mut now = clock::now_ns();
        self.publish(now);
        self.match_target();
        if now >= self.handed_over_ns + HAND_OVER_NS {
            self.hand_over(now);
        }
        now = clock::now_ns();
        let next = self.due.peek().map_or(u64::MAX, |due| due.0.0);
        let wait = next.saturating_sub(now).min(HAND_OVER_NS);
        if self.share.nap_ns > 0 && wait > 0 {
            let nap = wait.min(self.share.nap_ns);
            clock::sleep_ns(nap);
            enter(&mut self.delays.lag, clock::now_ns().saturating_sub(now + nap));
        }
        let wait = next.saturating_sub(clock::now_ns()).min(HAND_OVER_NS);
        let timeout = Timespec { tv_sec: 0, tv_nsec: wait as i64 };
        let mut events = Vec::with_capacity(EVENTS);
        match epoll::wait(&self.epoll, rustix::buffer::spare_capacity(&mut events), Some(&timeout))
        {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let woke = clock::now_ns();
        let mut buffer = std::mem::take(&mut self.checker.buffer);
        buffer.resize(READ_BYTES, 0);
        for batch in events.chunks(EVENTS_PER_TURN) {
            for event in batch {
                self.serve(event.data.u64() as usize, event.flags, &mut buffer);
            }
            self.publish(clock::now_ns());
        }
        self.checker.buffer = buffer;
        if !events.is_empty() {
            enter(&mut self.delays.round, clock::now_ns() - woke);
        }
        Ok(())
    }

    /// Begins or ends players until there are as many as wanted.
    fn match_target(&mut self) {
        let wanted = self.shared.players.load(Ordering::Relaxed);
        let (index, workers) = (self.share.index, self.share.workers);
        let wanted = wanted / workers + usize::from(index < wanted % workers);
        let wanted = wanted.saturating_sub(self.given_up);
        while self.players.len() > wanted {
            let Some(at) = self.players.pop() else { break };
            self.end(at, None);
        }
        while self.players.len() < wanted && self.connecting < CONNECTING_MAX {
            let number = self.begun * workers as u64 + index as u64;
            let stream = (number % u64::from(self.shared.played)) as u32;
            let compares = self.begun.is_multiple_of(COMPARED_OF);
            let player = Player { stream, compares, ..Player::default() };
            if !self.begin(Role::Player(player)) {
                break;
            }
        }
    }

    fn begin(&mut self, role: Role) -> bool {
        self.begun += 1;
        let number = self.begun * self.share.workers as u64 + self.share.index as u64;
        let mut entropy = [0; 32];
        entropy[..8].copy_from_slice(&number.to_le_bytes());
        entropy[8..16].copy_from_slice(&clock::now_ns().to_le_bytes());
        let source = match self.target.address.ip() {
            std::net::IpAddr::V4(ip) if ip.is_loopback() => {
                let host = 1 + (self.players.len() as u64 / PLAYERS_PER_ADDRESS) % 250;
                Some(Ipv4Addr::new(127, 0, self.share.index as u8, host as u8))
            }
            _ => None,
        };
        let is_player = matches!(role, Role::Player(_));
        let now = clock::now_ns();
        let peer = match Peer::connect(&self.target, source, entropy, role, now) {
            Ok(peer) => peer,
            Err(_) => {
                self.counts.error("no-socket");
                return false;
            }
        };
        let at = self.free.pop().unwrap_or_else(|| {
            self.peers.push(None);
            self.peers.len() - 1
        });
        let flags = epoll::EventFlags::IN | epoll::EventFlags::OUT;
        let data = epoll::EventData::new_u64(at as u64);
        if epoll::add(&self.epoll, &peer.socket, data, flags).is_err() {
            self.counts.error("no-socket");
            self.free.push(at);
            return false;
        }
        self.peers[at] = Some(peer);
        self.connecting += 1;
        if is_player {
            self.players.push(at);
        }
        true
    }

    /// Ends a connection; `why` is the error, if it is one.
    fn end(&mut self, at: usize, why: Option<&'static str>) {
        let Some(peer) = self.peers[at].take() else { return };
        self.free.push(at);
        self.connecting -= usize::from(!is_settled(&peer));
        if let Some(why) = why {
            self.counts.error(why);
        }
        match peer.role {
            Role::Player(player) => {
                self.counts.playing -= u64::from(player.video.has_begun());
                if why.is_some() {
                    // It was not to end: what it no longer gets is lost.
                    self.checker.close(std::iter::once(&player), &self.shared, &mut self.counts);
                    self.players.retain(|place| *place != at);
                    // It is not begun anew, or a server that refuses would be asked for ever.
                    self.given_up += 1;
                }
            }
            Role::Publisher(publisher) => {
                self.counts.publishing -= u64::from(publisher.origin_ns.is_some());
            }
        }
    }

    fn serve(&mut self, at: usize, flags: epoll::EventFlags, buffer: &mut [u8]) {
        let Some(peer) = self.peers.get_mut(at).and_then(Option::as_mut) else { return };
        let mut failed = None;
        if flags.intersects(epoll::EventFlags::IN | epoll::EventFlags::HUP | epoll::EventFlags::ERR)
        {
            match peer.read(buffer) {
                Got::Nothing => {}
                Got::End(why) => failed = Some(why),
                Got::Bytes(count) => {
                    let settled = is_settled(peer);
                    failed = self.take(at, &buffer[..count]).err();
                    let peer = self.peers[at].as_ref();
                    if !settled && peer.is_some_and(is_settled) {
                        self.connecting -= 1;
                        self.settled(at);
                    }
                }
            }
        }
        let failed = failed.or_else(|| self.flush(at).err());
        if failed.is_some() {
            self.end(at, failed);
        }
    }

    fn flush(&mut self, at: usize) -> Result<(), &'static str> {
        let Some(peer) = self.peers[at].as_mut() else { return Ok(()) };
        peer.flush()?;
        if peer.unsent() > UNSENT_MAX {
            return Err("publisher-stalled");
        }
        let waits = peer.unsent() > 0;
        if waits != peer.waits_for_room {
            let room = if waits { epoll::EventFlags::OUT } else { epoll::EventFlags::empty() };
            let data = epoll::EventData::new_u64(at as u64);
            epoll::modify(&self.epoll, &peer.socket, data, epoll::EventFlags::IN | room)
                .map_err(|_| "socket-error")?;
            peer.waits_for_room = waits;
        }
        Ok(())
    }

    /// The server accepted `connect`: ask for what this connection is for.
    fn settled(&mut self, at: usize) {
        let Some(peer) = self.peers[at].as_mut() else { return };
        let asked = match &peer.role {
            Role::Publisher(publisher) => {
                let name = self.target.stream(publisher.stream);
                peer.rtmp.publish(&name, PublishMode::Live)
            }
            Role::Player(player) => {
                let name = self.target.stream(player.stream);
                peer.rtmp.play(&name, PlayOptions::default())
            }
        };
        if asked.is_err() {
            self.end(at, Some("request-not-possible"));
        }
    }

    /// Takes in bytes of one connection.
    fn take(&mut self, at: usize, mut input: &[u8]) -> Result<(), &'static str> {
        let now = clock::now_ns();
        let Some(peer) = self.peers[at].as_mut() else { return Ok(()) };
        if let Role::Player(_) = peer.role {
            self.counts.bytes += input.len() as u64;
        }
        loop {
            let event = match peer.rtmp.receive(&mut input) {
                Ok(Some(event)) => event,
                Ok(None) => return Ok(()),
                Err(error) => return Err(error.name()),
            };
            match event {
                ClientEvent::Media(message) => {
                    if let Role::Player(player) = &mut peer.role {
                        let begun = player.video.has_begun();
                        let (counts, delays) = (&mut self.counts, &mut self.delays);
                        self.checker.check(player, &message, peer.began_ns, now, counts, delays);
                        if !begun && player.video.has_begun() {
                            self.counts.playing += 1;
                            enter(&mut self.delays.join, now - peer.began_ns);
                        }
                    }
                }
                ClientEvent::Publishing { .. } => {
                    if let Role::Publisher(publisher) = &mut peer.role {
                        // Publishers of one machine do not send in step.
                        let step = u64::from(publisher.stream) * 7_368_787 % 33_333_333;
                        publisher.origin_ns = Some(now + step);
                        self.due.push(Reverse((now + step, at)));
                        self.counts.publishing += 1;
                        for (kind, payload) in self.checker.source.opening() {
                            peer.rtmp
                                .send_media(*kind, 0, payload.clone())
                                .map_err(|_| "not-sendable")?;
                        }
                    }
                }
                ClientEvent::ConnectRefused(_) => return Err("connect-refused"),
                ClientEvent::Refused(_) => return Err("refused"),
                ClientEvent::Closed => return Err("closed-by-command"),
                ClientEvent::StreamEof { .. } => self.counts.error("stream-ended"),
                _ => {}
            }
        }
    }

    /// Sends every frame that is due.
    fn publish(&mut self, now: u64) {
        while let Some(&Reverse((due, at))) = self.due.peek() {
            if due > now {
                break;
            }
            self.due.pop();
            if self.shared.quiet.load(Ordering::Relaxed) {
                continue;
            }
            enter(&mut self.delays.lag, now - due);
            if let Err(why) = self.send_due(at, now).and_then(|()| self.flush(at)) {
                self.end(at, Some(why));
            }
        }
    }

    fn send_due(&mut self, at: usize, now: u64) -> Result<(), &'static str> {
        let Some(peer) = self.peers[at].as_mut() else { return Ok(()) };
        let Role::Publisher(publisher) = &mut peer.role else { return Ok(()) };
        let Some(origin) = publisher.origin_ns else { return Ok(()) };
        let Slot { video, audio } = &self.shared.streams[publisher.stream as usize];
        loop {
            let due_video = self.checker.source.due_ns(Track::Video, publisher.video);
            let due_audio = self.checker.source.due_ns(Track::Audio, publisher.audio);
            let due = due_video.min(due_audio);
            if origin + due > now {
                self.due.push(Reverse((origin + due, at)));
                return Ok(());
            }
            let (track, kind, next, published) = if due_video <= due_audio {
                (Track::Video, MessageType::VIDEO, &mut publisher.video, video)
            } else {
                (Track::Audio, MessageType::AUDIO, &mut publisher.audio, audio)
            };
            let payload: Bytes =
                self.checker.source.frame(track, publisher.stream, 0, *next, origin + due);
            let ms = (due / 1_000_000) as u32;
            peer.rtmp.send_media(kind, ms, payload).map_err(|_| "not-sendable")?;
            *next += 1;
            published.store(*next, Ordering::Relaxed);
            self.counts.sent_frames += 1;
        }
    }

    fn hand_over(&mut self, now: u64) {
        self.handed_over_ns = now;
        self.counts.cpu_ns = clock::thread_cpu_ns();
        let behind = self.checker.behind(open_players(&self.peers), &self.shared);
        self.shared.hand_over(self.share.index, &self.counts, &mut self.delays, behind);
    }
}

/// Whether `connect` was accepted.
fn is_settled(peer: &Peer) -> bool {
    peer.rtmp.is_connected()
}

fn open_players(peers: &[Option<Peer>]) -> impl Iterator<Item = &Player> {
    peers.iter().flatten().filter_map(|peer| match &peer.role {
        Role::Player(player) => Some(player),
        Role::Publisher(_) => None,
    })
}
