//! Who comes and who goes.

use super::timers::Act;
use super::{Crowd, Worker};
use crate::account::check::Account;
use crate::account::tally::count;
use crate::limits::{DEPARTING_MAX, PLAYERS_PER_ADDRESS, RETURN_AFTER};
use crate::plan::{Manner, Playing, Publishing, Slow};
use crate::swarm::link::{Link, Wish};
use crate::swarm::peer::{Peer, Player, Publisher, Role, Stage};
use crate::swarm::socket::{self, Wishes};
use rustix::event::epoll;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::Ordering;
use std::time::Duration;

impl Worker {
    /// Begins publishers and players, or ends players, until there are as many as wanted.
    pub(super) fn match_wishes(&mut self, now: u64) {
        if self.is_closing() {
            return;
        }
        let streams = self.shared.published.load(Ordering::Relaxed);
        while self.connecting < self.plan.connecting_max {
            let stream = self.streams_begun * self.plan.cores.len() as u32 + self.index as u32;
            if stream >= streams {
                break;
            }
            self.streams_begun += 1;
            self.begin_publisher(stream, now);
            if let Publishing::Duel { every } = self.plan.publishers.behaviour {
                let act = Act::Publish { stream };
                self.timers.set(now + every.as_nanos() as u64, act);
            }
        }
        for group in 0..self.crowds.len() {
            let wanted = self.share_of(self.shared.wanted[group].load(Ordering::Relaxed));
            // Not all in one round: publishers and those that stay have their turn in between.
            let mut departing = DEPARTING_MAX;
            while self.crowds[group].number() > wanted && departing > 0 {
                departing -= 1;
                let crowd = &mut self.crowds[group];
                if crowd.given_up > 0 {
                    crowd.given_up -= 1;
                } else if let Some(&at) = crowd.places.last() {
                    self.depart(at);
                } else {
                    // Those that are away are not wanted again; their time comes and finds no one.
                    break;
                }
            }
            while self.crowds[group].number() < wanted
                && self.connecting < self.plan.connecting_max
                && self.begin_player(group, now)
            {}
        }
    }

    /// This worker's share of a number.
    fn share_of(&self, number: usize) -> usize {
        let workers = self.plan.cores.len();
        number / workers + usize::from(self.index < number % workers)
    }

    pub(super) fn begin_publisher(&mut self, stream: u32, now: u64) {
        if self.is_closing() {
            return;
        }
        self.counts.publishers.begun += 1;
        let role = Role::Publisher(Publisher { stream, ..Publisher::default() });
        if self.begin(role, Wish::Publish, None, now).is_none() {
            count(&mut self.counts.publishers.errors, "no-socket");
        }
    }

    fn begin_player(&mut self, group: usize, now: u64) -> bool {
        let number = self.players_begun * self.plan.cores.len() as u64 + self.index as u64;
        let slow = match self.plan.groups[group].behaviour {
            Playing::Slow(slow) => Some(slow),
            Playing::Stay | Playing::Flapping { .. } => None,
        };
        let stream = (number % u64::from(self.plan.played.max(1))) as u32;
        let compares = self.players_begun.is_multiple_of(self.plan.compared_of.max(1));
        let account = Account::new(self.plan.number(stream), compares, now);
        self.players_begun += 1;
        let player = Player { group, slow, stream, account, ..Player::default() };
        self.counts.groups[group].begun += 1;
        let role = Role::Player(Box::new(player));
        match self.begin(role, Wish::Play, slow, now) {
            Some(at) => self.crowds[group].places.push(at),
            None => {
                self.crowds[group].given_up += 1;
                count(&mut self.counts.groups[group].errors, "no-socket");
                return false;
            }
        }
        true
    }

    /// Begins a connection; nothing if no socket can be had.
    fn begin(&mut self, role: Role, wish: Wish, slow: Option<Slow>, now: u64) -> Option<usize> {
        self.begun += 1;
        let id = self.begun * self.plan.cores.len() as u64 + self.index as u64;
        let mut entropy = [0; 32];
        entropy[..8].copy_from_slice(&id.to_le_bytes());
        entropy[8..16].copy_from_slice(&now.to_le_bytes());
        let wishes = Wishes {
            source: self.source_address(id),
            receive_buffer: slow.map(receive_buffer),
            congestion: self.plan.congestion.as_deref(),
        };
        let link = Link::rtmp(&self.plan.target, wish, entropy).ok()?;
        let socket = socket::connect(self.plan.target.address, wishes).ok()?;
        let at = self.free.pop().unwrap_or_else(|| {
            self.peers.push(None);
            self.peers.len() - 1
        });
        let flags = epoll::EventFlags::IN | epoll::EventFlags::OUT;
        if epoll::add(&self.epoll, &socket, epoll::EventData::new_u64(at as u64), flags).is_err() {
            self.free.push(at);
            return None;
        }
        self.peers[at] = Some(Peer::new(id, socket, link, role, now));
        self.connecting += 1;
        Some(at)
    }

    /// The address a connection comes from, if there is a choice.
    fn source_address(&self, id: u64) -> Option<Ipv4Addr> {
        match self.plan.target.address.ip() {
            IpAddr::V4(ip) if ip.is_loopback() => {}
            _ => return None,
        }
        let addresses = match u64::from(self.plan.addresses) {
            0 => self.plan.connections().div_ceil(PLAYERS_PER_ADDRESS),
            addresses => addresses,
        };
        // 127.0.0.1 and on, leaving out what ends in 0 or 255.
        let place = id % addresses.max(1);
        let (high, low) = (place / 254, place % 254);
        Some(Ipv4Addr::new(127, (high >> 8) as u8, high as u8, 1 + low as u8))
    }

    /// Ends a connection because the plan says so.
    pub(super) fn leave(&mut self, at: usize, now: u64) {
        let Some(peer) = &self.peers[at] else { return };
        let manner = match &peer.role {
            Role::Player(player) => match self.plan.groups[player.group].behaviour {
                Playing::Flapping { manner, .. } => manner,
                _ => Manner::InOrder,
            },
            Role::Publisher(_) => match self.plan.publishers.behaviour {
                Publishing::Flapping { manner, .. } => manner,
                _ => Manner::InOrder,
            },
        };
        let abrupt = match manner {
            Manner::InOrder => false,
            Manner::Abrupt => true,
            Manner::Either => self.random().is_multiple_of(2),
        };
        let Some(peer) = &self.peers[at] else { return };
        match &peer.role {
            Role::Player(player) => {
                let group = player.group;
                if abrupt {
                    socket::make_abrupt(&peer.socket);
                }
                if let Playing::Flapping { away, .. } = self.plan.groups[group].behaviour {
                    self.return_player(group, away, now);
                }
                self.depart(at);
            }
            Role::Publisher(publisher) => {
                let stream = publisher.stream;
                self.counts.publishers.left += 1;
                if let Publishing::Flapping { away, .. } = self.plan.publishers.behaviour {
                    let after = self.about(away);
                    self.timers.set(now + after, Act::Publish { stream });
                }
                self.retire(at, abrupt, now);
            }
        }
    }

    /// A player goes in good order.
    fn depart(&mut self, at: usize) {
        let Some(peer) = self.peers[at].as_mut() else { return };
        peer.link.say_goodbye();
        // Not taken at once, it is gone: what a player says last changes nothing.
        let _ = peer.flush();
        if let Some(Role::Player(mut player)) = self.remove(at) {
            let counts = &mut self.counts.groups[player.group];
            counts.left += 1;
            player.account.leave(&self.rules, counts);
        }
    }

    /// A publisher goes: at once, or after the server has taken everything.
    fn retire(&mut self, at: usize, abrupt: bool, now: u64) {
        let Some(peer) = self.peers[at].as_mut() else { return };
        if abrupt {
            socket::make_abrupt(&peer.socket);
            self.remove(at);
            return;
        }
        peer.link.say_goodbye();
        let was_going = peer.stage == Stage::Going;
        let was_connecting = peer.is_connecting();
        peer.enter(Stage::Leaving, now);
        if let Role::Publisher(publisher) = &mut peer.role {
            let stream = publisher.stream as usize;
            if was_going {
                self.counts.publishers.publishing -= 1;
                self.shared.streams[stream].end();
            }
        }
        self.connecting -= usize::from(was_connecting);
        if self.flush(at).is_err() {
            // What it sent last did not get there.
            if let Some(Role::Publisher(Publisher { epoch: Some(epoch), .. })) = self.remove(at) {
                epoch.cut();
            }
        }
    }

    /// Ends a connection that failed.
    pub(super) fn fail(&mut self, at: usize, why: &'static str, now: u64) {
        let Some(stage) = self.peers[at].as_ref().map(|peer| peer.stage) else { return };
        match self.remove(at) {
            None => {}
            // It had said goodbye: the server's end of it is what was waited for.
            Some(Role::Publisher(_)) if stage == Stage::Leaving => {}
            Some(Role::Publisher(publisher)) => self.publisher_failed(&publisher, stage, why, now),
            Some(Role::Player(mut player)) => {
                let counts = &mut self.counts.groups[player.group];
                if self.plan.groups[player.group].allows(why, self.plan.publishers.behaviour) {
                    count(&mut counts.allowed, why);
                    self.return_player(player.group, RETURN_AFTER, now);
                } else {
                    // It was not to end: what it no longer gets is lost.
                    player.account.close(&self.rules, counts);
                    count(&mut counts.errors, why);
                    // It does not come again, or a server that refuses would be asked for ever.
                    self.crowds[player.group].given_up += 1;
                }
            }
        }
    }

    fn publisher_failed(
        &mut self,
        publisher: &Publisher,
        stage: Stage,
        why: &'static str,
        now: u64,
    ) {
        let behaviour = self.plan.publishers.behaviour;
        let counts = &mut self.counts.publishers;
        if !behaviour.allows(why, stage == Stage::Asking, stage == Stage::Going) {
            // It does not come again, or a server that refuses would be asked for ever.
            count(&mut counts.errors, why);
            return;
        }
        let after = match behaviour {
            Publishing::Steady | Publishing::Flapping { .. } => RETURN_AFTER,
            Publishing::Duel { every } => every,
        };
        count(&mut counts.allowed, if stage == Stage::Going { "displaced" } else { why });
        let stream = publisher.stream;
        self.timers.set(now + after.as_nanos() as u64, Act::Publish { stream });
    }

    /// A player of a group comes again after about this time.
    fn return_player(&mut self, group: usize, after: Duration, now: u64) {
        self.crowds[group].away += 1;
        let after = self.about(after);
        self.timers.set(now + after, Act::Play { group });
    }

    /// Takes a connection out, with all that is counted of it.
    fn remove(&mut self, at: usize) -> Option<Role> {
        let peer = self.peers[at].take()?;
        self.free.push(at);
        self.connecting -= usize::from(peer.is_connecting());
        match &peer.role {
            Role::Player(player) => {
                // Found from the end: it is the latest who leave first.
                let places = &mut self.crowds[player.group].places;
                if let Some(place) = places.iter().rposition(|place| *place == at) {
                    places.remove(place);
                }
                let playing = u64::from(peer.stage == Stage::Going);
                self.counts.groups[player.group].playing -= playing;
                self.trickling.retain(|place| *place != at);
            }
            Role::Publisher(publisher) => {
                if peer.stage == Stage::Going {
                    self.counts.publishers.publishing -= 1;
                    self.shared.streams[publisher.stream as usize].end();
                }
                // Gone before it had sent everything, whether it had said goodbye or not.
                if let Some(epoch) = &publisher.epoch
                    && (peer.stage != Stage::Leaving || peer.unsent() > 0)
                {
                    epoch.cut();
                }
            }
        }
        Some(peer.role)
    }
}

impl Crowd {
    /// Players of this group, those that are away or failed included.
    fn number(&self) -> usize {
        self.places.len() + self.away + self.given_up
    }
}

/// Bytes of the receive buffer of a slow reader. The kernel doubles it and has a least of its own
/// (tcp(7), socket(7)).
fn receive_buffer(slow: Slow) -> usize {
    match slow {
        Slow::Window(bytes) => bytes,
        Slow::Trickle(_) | Slow::Stopped => 4096,
    }
}
