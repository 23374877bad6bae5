//! One connection's turn: what its socket has to tell, and what follows from it.

use super::Worker;
use super::timers::Act;
use crate::account::check::Arrival;
use crate::account::tally::count;
use crate::account::times::Time;
use crate::limits;
use crate::media::Track;
use crate::media::seen::{Seen, look};
use crate::plan::{Playing, Publishing, Slow};
use crate::swarm::link::LinkEvent;
use crate::swarm::peer::{Got, Interest, Role, Stage};
use bytes::Bytes;
use millstream_rtmp::message::MessageType;
use rustix::event::epoll;
use std::sync::atomic::Ordering;

impl Worker {
    pub(super) fn serve(&mut self, at: usize, flags: epoll::EventFlags) {
        if self.shared.over.load(Ordering::Relaxed) {
            // Other workers hang up already, and what their publishers' end brings about is nobody's
            // fault.
            return;
        }
        let Some(peer) = self.peers.get_mut(at).and_then(Option::as_mut) else { return };
        let now = self.clock.now_ns();
        let broken = flags.intersects(epoll::EventFlags::HUP | epoll::EventFlags::ERR);
        if peer.stage == Stage::Connecting && !broken && flags.contains(epoll::EventFlags::OUT) {
            self.times.enter(Time::Connect, now - peer.began_ns);
            peer.enter(Stage::Handshaking, now);
        }
        let mut failed = None;
        if broken || flags.contains(epoll::EventFlags::IN) {
            failed = self.read(at, usize::MAX).err();
        }
        if let Some(why) = failed.or_else(|| self.flush(at).err()) {
            self.fail(at, why, now);
        }
    }

    /// Reads once, no more than this, and takes it in.
    pub(super) fn read(&mut self, at: usize, bytes_max: usize) -> Result<(), &'static str> {
        let mut buffer = std::mem::take(&mut self.buffer);
        let room = bytes_max.min(buffer.len());
        let got = match &self.peers[at] {
            Some(peer) => peer.read(&mut buffer[..room]),
            None => Got::Nothing,
        };
        let result = match got {
            Got::Nothing => Ok(()),
            Got::End(why) => Err(why),
            Got::Bytes(count) => self.take(at, &buffer[..count]),
        };
        self.buffer = buffer;
        result
    }

    /// Takes in bytes of one connection.
    fn take(&mut self, at: usize, mut input: &[u8]) -> Result<(), &'static str> {
        let now = self.clock.now_ns();
        let Some(peer) = self.peers[at].as_mut() else { return Ok(()) };
        peer.heard_ns = now;
        if let Role::Player(player) = &peer.role {
            self.counts.groups[player.group].bytes += input.len() as u64;
        }
        loop {
            let Some(peer) = self.peers[at].as_mut() else { return Ok(()) };
            let event = peer.link.receive(&mut input);
            if peer.stage == Stage::Handshaking && peer.link.is_open() {
                self.times.enter(Time::Handshake, now - peer.since_ns);
                peer.enter(Stage::Opening, now);
            }
            match event? {
                None => return Ok(()),
                Some(LinkEvent::Ready) => self.ask(at, now)?,
                Some(LinkEvent::Granted) => self.granted(at, now)?,
                Some(LinkEvent::Media { kind, timestamp, payload }) => {
                    self.media(at, kind, timestamp, &payload, now);
                }
                Some(LinkEvent::StreamEnded) => self.stream_ended(at),
            }
        }
    }

    /// The server takes requests.
    fn ask(&mut self, at: usize, now: u64) -> Result<(), &'static str> {
        let Some(peer) = self.peers[at].as_mut() else { return Ok(()) };
        let stream = match &peer.role {
            Role::Publisher(publisher) => publisher.stream,
            Role::Player(player) => player.stream,
        };
        let name = self.plan.target.stream(self.plan.number(stream));
        peer.enter(Stage::Asking, now);
        peer.link.ask(&name)
    }

    /// The server granted what was asked for.
    fn granted(&mut self, at: usize, now: u64) -> Result<(), &'static str> {
        let Some(peer) = self.peers[at].as_mut() else { return Ok(()) };
        if peer.stage != Stage::Asking {
            // It says so twice, or in a conversation that is over.
            return Ok(());
        }
        self.connecting -= 1;
        match &mut peer.role {
            Role::Player(_) => peer.enter(Stage::Waiting, now),
            Role::Publisher(publisher) => {
                publisher.epoch = Some(self.shared.streams[publisher.stream as usize].begin());
                // Publishers of one machine do not send in step.
                let apart = u64::from(publisher.stream) * 7_368_787 % 33_333_333;
                publisher.origin_ns = now + apart;
                let source = self.plan.source(publisher.stream);
                let id = peer.id;
                // Before anything can fail: who is counted in must be counted out.
                peer.enter(Stage::Going, now);
                self.counts.publishers.accepted += 1;
                self.counts.publishers.publishing += 1;
                for (kind, payload) in source.opening() {
                    peer.link.send(*kind, 0, payload.clone())?;
                }
                self.timers.set(now + apart, Act::Send { at, id });
                if let Publishing::Flapping { stay, .. } = self.plan.publishers.behaviour {
                    let after = self.about(stay);
                    self.timers.set(now + after, Act::Leave { at, id });
                }
            }
        }
        Ok(())
    }

    /// Media arrived at a player.
    fn media(&mut self, at: usize, kind: MessageType, timestamp: u32, payload: &Bytes, now: u64) {
        let Some(peer) = self.peers[at].as_mut() else { return };
        let Role::Player(player) = &mut peer.role else { return };
        // The track that a player waits for: video where there is any.
        let has_video = self.plan.source(player.stream).has(Track::Video);
        let leading = if has_video { Track::Video } else { Track::Audio };
        let seen = look(kind, payload);
        if !player.has_media && !matches!(seen, Seen::Other) {
            player.has_media = true;
            self.times.enter(Time::FirstByte, now - peer.began_ns);
        }
        let (track, key, mark) = match seen {
            Seen::Other => return,
            Seen::Header(track) => {
                player.has_header |= track == leading;
                return;
            }
            Seen::Frame { track, key, mark } => (track, key, mark),
        };
        let judged = player.slow.is_none();
        let arrival = Arrival { track, mark, payload, timestamp, now_ns: now };
        player.account.enter(
            &arrival,
            &self.shared.streams[player.stream as usize],
            &self.rules,
            &mut self.counts.groups[player.group],
            judged.then_some(&mut self.times),
        );
        let may_begin = peer.stage == Stage::Waiting && player.has_header;
        if may_begin && track == leading && (key || track == Track::Audio) {
            self.joined(at, now);
        }
    }

    /// A player has its first frame to decode.
    fn joined(&mut self, at: usize, now: u64) {
        let Some(peer) = self.peers[at].as_mut() else { return };
        let Role::Player(player) = &mut peer.role else { return };
        let (id, group) = (peer.id, player.group);
        self.times.enter(Time::FirstFrame, now - peer.began_ns);
        self.counts.groups[group].joined += 1;
        self.counts.groups[group].playing += 1;
        let slow = player.slow;
        peer.enter(Stage::Going, now);
        if let Playing::Flapping { stay, .. } = self.plan.groups[group].behaviour {
            let after = self.about(stay);
            self.timers.set(now + after, Act::Leave { at, id });
        }
        match slow {
            Some(Slow::Trickle(_)) => self.trickling.push(at),
            Some(Slow::Window(_) | Slow::Stopped) | None => {}
        }
    }

    /// The server says that a player's stream has ended for now.
    fn stream_ended(&mut self, at: usize) {
        let Some(Role::Player(player)) = self.peers[at].as_ref().map(|peer| &peer.role) else {
            return;
        };
        let group = player.group;
        let why = "stream-ended";
        let allowed = self.plan.groups[group].allows(why, self.plan.publishers.behaviour);
        let counts = &mut self.counts.groups[group];
        count(if allowed { &mut counts.allowed } else { &mut counts.errors }, why);
    }

    /// Sends what waits, and tells the poller what to look out for.
    pub(super) fn flush(&mut self, at: usize) -> Result<(), &'static str> {
        let Some(peer) = self.peers[at].as_mut() else { return Ok(()) };
        peer.flush()?;
        if peer.unsent() > limits::UNSENT_MAX {
            return Err("publisher-stalled");
        }
        if peer.stage == Stage::Leaving && peer.unsent() == 0 {
            // The server reads to the end and closes; what it still says is read and forgotten.
            peer.socket.shutdown(std::net::Shutdown::Write).map_err(|_| "closed")?;
        }
        let wanted = Interest {
            read: !matches!(peer.slow(), Some(Slow::Trickle(_) | Slow::Stopped)),
            write: peer.unsent() > 0,
        };
        if wanted != peer.interest {
            let mut flags = epoll::EventFlags::empty();
            flags.set(epoll::EventFlags::IN, wanted.read);
            flags.set(epoll::EventFlags::OUT, wanted.write);
            let data = epoll::EventData::new_u64(at as u64);
            epoll::modify(&self.epoll, &peer.socket, data, flags).map_err(|_| "socket-error")?;
            peer.interest = wanted;
        }
        Ok(())
    }
}
