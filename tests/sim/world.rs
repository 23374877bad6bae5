//! A server of a few shards in one thread on virtual time: encoders, players, and chance.

use super::encoder::{Doing, Encoder};
use super::line::Line;
use super::player::{self, Place, Player, Temper};
use super::random::Random;
use super::shard::{Mail, Publishing, Shard, Sockets};
use super::truth::Stream;
use millstream::config::Lag;
use millstream::egress::fanout::Fanout;
use millstream::egress::outlet::OutletId;
use millstream::egress::rtmp::framings;
use millstream::egress::turn::Notice;
use millstream::limits;
use millstream::moment::Moment;
use millstream::name::StreamName;
use millstream::role::Role;
use millstream::shard::mailbox::Mailbox;
use millstream::stats::Directory;
use millstream::stream::hub::Hub;
use millstream::stream::log::Retention;
use millstream::stream::projection::{MakeFraming, Projection};
use millstream::stream::registry::{ClaimId, Claimant, Heir, Registry};
use millstream::stream::ride::Eagerness;
use millstream::stream::takeover::{Identity, Policy};
use millstream::stream::tenure::{Loss, Seal, Tenure};
use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

const HOLD: Duration = Duration::from_secs(8);
const PLAY_WAIT: Duration = Duration::from_secs(20);

pub struct World {
    pub random: Random,
    pub now: Moment,
    pub names: Vec<StreamName>,
    pub registry: Registry,
    pub mailboxes: Vec<Arc<Mailbox>>,
    pub shards: Vec<Shard>,
    pub encoders: Vec<Encoder>,
    pub players: Vec<Player>,
    pub by_outlet: HashMap<(usize, OutletId), usize>,
    pub streams: Vec<Stream>,
    pub eagerness: Eagerness,
    pub retention: Retention,
    pub chunk_size: u32,
    pub next_check: Moment,
    /// Nothing but what must still happen happens.
    pub calm: bool,
}

impl World {
    pub fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let shards = 1 + random.below(3);
        let names = (0..1 + random.below(2))
            .map(|number| StreamName::new("live", format!("s{number}")).expect("a legal name"))
            .collect::<Vec<_>>();
        let chunk_size = [4096, 65_536, 1 << 20][random.below(3)];
        let make_framing: MakeFraming = framings(chunk_size);
        let bytes_max = [24 << 20, limits::GOP_CACHE_BYTES][random.below(2)];
        let retention = Retention { bytes_max, ..Retention::default() };
        let policy = [Policy::IfStale, Policy::Always, Policy::Never][random.below(3)];
        let cores: Vec<usize> = (0..shards).collect();
        let directory = Arc::new(Directory::new(&cores));
        let registry = Registry::new(directory, policy, Arc::clone(&make_framing), retention);
        let shard = |index: usize| Shard {
            fanout: Fanout::new(index, Arc::clone(&make_framing), Lag::default()),
            publishing: HashMap::new(),
            inbox: VecDeque::new(),
            marked: vec![false; shards],
            asleep: false,
            bell: false,
            due: false,
            passing: false,
        };
        let encoders = (0..names.len() * 4)
            .map(|number| Encoder::new(number % names.len(), &mut random))
            .collect();
        Self {
            mailboxes: (0..shards).map(|_| Arc::default()).collect(),
            shards: (0..shards).map(shard).collect(),
            encoders,
            eagerness: [Eagerness::Riding, Eagerness::EveryMessage][random.below(2)],
            random,
            now: Moment::from_ms(1),
            names,
            registry,
            players: Vec::new(),
            by_outlet: HashMap::new(),
            streams: Vec::new(),
            retention,
            chunk_size,
            next_check: Moment::default(),
            calm: false,
        }
    }

    /// Runs the whole story and judges it.
    pub fn run(mut self) {
        let end = self.now + Duration::from_millis(self.random.within(5_000, 60_000));
        while self.now < end {
            self.step();
        }
        self.settle_down();
        self.end();
    }

    pub fn step(&mut self) {
        self.now = self.now + Duration::from_millis(self.random.within(1, 80));
        self.encode();
        if !self.calm {
            self.players_act();
        }
        for shard in 0..self.shards.len() {
            self.deliver(shard);
            self.fan_out(shard);
        }
        self.drain_sockets();
        if self.now >= self.next_check {
            self.next_check = self.now + Duration::from_secs(1);
            self.tick();
        }
        self.check();
    }

    // Encoders.

    fn encode(&mut self) {
        for number in 0..self.encoders.len() {
            match self.encoders[number].doing {
                Doing::Rests(until) if until <= self.now && !self.calm => self.claim(number),
                Doing::Rests(_) => {}
                Doing::Publishes(claim) => {
                    let shard = self.encoders[number].shard;
                    let held = self.shards[shard]
                        .publishing
                        .get(&claim)
                        .is_some_and(|held| held.encoder == Some(number));
                    if !held {
                        self.rest(number);
                    } else if !self.calm && self.random.permille(3) {
                        self.unpublish(number);
                    } else if !self.calm && self.random.permille(4) {
                        self.lose(number);
                    } else if !self.calm {
                        self.publish(number);
                    }
                    self.flush_due(shard);
                }
            }
        }
    }

    fn rest(&mut self, number: usize) {
        let pause = Duration::from_millis(self.random.within(0, 12_000));
        self.encoders[number].doing = Doing::Rests(self.now + pause);
    }

    fn claim(&mut self, number: usize) {
        let shard = self.random.below(self.shards.len());
        let encoder = &mut self.encoders[number];
        let identity = (encoder.address == 3).then_some(Identity(7));
        let address = IpAddr::V4(Ipv4Addr::new(10, 0, 0, encoder.address));
        let claimant = Claimant { shard, address, identity, yields: false };
        let name = &self.names[encoder.name];
        let claim = match encoder.role {
            Role::Primary => self.registry.claim(name, claimant, self.now).ok(),
            Role::Backup => self.registry.wait(name, claimant, Role::Backup).ok(),
            Role::Slate => self.registry.fill_gap(name, claimant, Duration::from_secs(1), self.now),
        };
        let Some(claim) = claim else { return self.rest(number) };
        let (tenure, seal) = match encoder.role {
            Role::Slate => Tenure::of_slate(claim, self.eagerness, self.now),
            _ => Tenure::new(claim, self.eagerness, self.now),
        };
        let claim = tenure.claim;
        encoder.connects(self.shards.len(), claim, shard, &mut self.random);
        if !tenure.is_promised() {
            let stream = self.stream(&tenure.hub);
            self.streams[stream].begin();
        }
        let line = Line::default();
        let publishing = Publishing { tenure, encoder: Some(number), line };
        self.shards[shard].publishing.insert(claim, publishing);
        if let Some(Seal { claim, shard }) = seal {
            self.shards[shard].inbox.push_back(Mail::Seal(claim));
        }
    }

    fn publish(&mut self, number: usize) {
        let Doing::Publishes(claim) = self.encoders[number].doing else { return };
        let shard = self.encoders[number].shard;
        let hub = Arc::clone(&self.shards[shard].publishing[&claim].tenure.hub);
        let stream = self.stream(&hub);
        let held = self.shards[shard].publishing.get_mut(&claim).expect("it was held above");
        if held.tenure.last_media().is_none() {
            return;
        }
        let drafts = self.encoders[number].publish(
            &mut held.tenure,
            &mut self.streams[stream],
            stream as u16,
            &mut self.random,
            self.now,
        );
        let Some(publisher) = held.tenure.publisher() else {
            return self.stand_by(shard, claim, drafts);
        };
        let logs = 4;
        let slack = limits::SEGMENT_BYTES_MAX * 5 / 4;
        let retained = publisher.writer().retained_bytes();
        assert!(retained <= logs * (self.retention.bytes_max + slack), "{retained} retained");
    }

    /// Marks what is due for readers of the streams that a shard owns.
    fn flush_due(&mut self, shard: usize) {
        let Shard { publishing, marked, .. } = &mut self.shards[shard];
        for held in publishing.values_mut() {
            if let Some(publisher) = held.tenure.publisher_mut()
                && publisher.flush_due().is_some_and(|due| due <= self.now)
            {
                publisher.flush(&self.mailboxes, |at| marked[at] = true);
            }
        }
        self.ring(shard);
    }

    fn unpublish(&mut self, number: usize) {
        let Doing::Publishes(claim) = self.encoders[number].doing else { return };
        let shard = self.encoders[number].shard;
        self.rest(number);
        if self.shards[shard].publishing[&claim].tenure.is_promised() {
            return self.lose_claim(shard, claim);
        }
        let name = &self.names[self.encoders[number].name];
        if self.registry.is_waited_for(name) {
            return self.lose_claim(shard, claim);
        }
        if self.encoders[number].role == Role::Slate && self.random.permille(500) {
            self.registry.spend_slate(name);
        }
        self.finish(shard, claim);
    }

    fn lose(&mut self, number: usize) {
        let Doing::Publishes(claim) = self.encoders[number].doing else { return };
        let shard = self.encoders[number].shard;
        self.rest(number);
        self.lose_claim(shard, claim);
    }

    pub fn lose_claim(&mut self, shard: usize, claim: ClaimId) {
        let held = self.shards[shard].publishing.get_mut(&claim).expect("it is held");
        held.encoder = None;
        match held.tenure.lose(&mut self.registry, self.now, HOLD) {
            Loss::Withdrawn => {
                self.shards[shard].publishing.remove(&claim);
            }
            Loss::Held | Loss::Coming => {}
        }
    }

    fn finish(&mut self, shard: usize, claim: ClaimId) {
        let Shard { publishing, marked, .. } = &mut self.shards[shard];
        let held = publishing.remove(&claim).expect("it is held");
        let hub = Arc::clone(&held.tenure.hub);
        let heir = held.tenure.finish(&mut self.registry, &self.mailboxes, |at| marked[at] = true);
        let stream = self.stream(&hub);
        self.streams[stream].live = false;
        self.tell(heir);
        self.ring(shard);
    }

    pub fn tell(&mut self, heir: Option<Heir>) {
        if let Some(Heir { id, shard }) = heir {
            self.shards[shard].inbox.push_back(Mail::Inherit(id));
        }
    }

    // Shards.

    fn deliver(&mut self, shard: usize) {
        while !self.shards[shard].inbox.is_empty() && !self.random.permille(300) {
            match self.shards[shard].inbox.pop_front() {
                Some(Mail::Seal(claim)) => self.seal(shard, claim),
                Some(Mail::Inherit(claim)) => self.inherit(shard, claim),
                None => break,
            }
        }
    }

    fn fan_out(&mut self, at: usize) {
        let shard = &mut self.shards[at];
        if shard.asleep {
            if !shard.bell && !shard.due {
                return;
            }
            shard.asleep = false;
            shard.bell = false;
            self.mailboxes[at].wake_up();
        }
        if !shard.passing {
            shard.due = false;
            self.mailboxes[at].drain(|slot| shard.fanout.mark_due(slot));
        }
        loop {
            let budget = 1 + self.random.below(20);
            let mut sink = Sockets {
                shard: at,
                players: &mut self.players,
                by_outlet: &self.by_outlet,
                streams: &self.streams,
                random: &mut self.random,
                now: self.now,
            };
            let pass = self.shards[at].fanout.pass(&mut sink, self.now, budget);
            self.settle(at);
            self.shards[at].passing = pass.more;
            if !pass.more || self.random.permille(100) {
                break;
            }
        }
        let shard = &mut self.shards[at];
        if !shard.passing {
            shard.asleep = self.mailboxes[at].fall_asleep(|| shard.due);
        }
    }

    /// What `settle` of a shard does: hears the notices, and wakes whom it marked.
    fn settle(&mut self, at: usize) {
        loop {
            let notices = self.shards[at].fanout.take_notices();
            if notices.is_empty() {
                break;
            }
            for (outlet, notice) in notices {
                let Some(&player) = self.by_outlet.get(&(at, outlet)) else { continue };
                self.players[player].notice(notice, self.now);
                match notice {
                    Notice::HangUp(_) => self.leave(player),
                    Notice::Skipped { .. } | Notice::Ended | Notice::Restarted => {
                        self.tell_player(player);
                    }
                    Notice::Joined | Notice::Parked => {}
                }
            }
        }
        self.ring(at);
        let shard = &mut self.shards[at];
        shard.due |= shard.fanout.has_due();
    }

    pub fn ring(&mut self, from: usize) {
        for at in 0..self.shards.len() {
            if std::mem::take(&mut self.shards[from].marked[at]) {
                if at == from {
                    self.shards[at].due = true;
                } else if self.mailboxes[at].should_ring() {
                    self.shards[at].bell = true;
                }
            }
        }
    }

    fn drain_sockets(&mut self) {
        for number in 0..self.players.len() {
            let player = &mut self.players[number];
            if player.full_until.is_some_and(|until| until <= self.now) && player.hung_up.is_none()
            {
                player.full_until = None;
                let (shard, outlet) = (player.shard, player.outlet);
                let mut sink = Sockets {
                    shard,
                    players: &mut self.players,
                    by_outlet: &self.by_outlet,
                    streams: &self.streams,
                    random: &mut self.random,
                    now: self.now,
                };
                self.shards[shard].fanout.writable(outlet, &mut sink, self.now);
                self.settle(shard);
            }
        }
    }

    fn tick(&mut self) {
        for shard in 0..self.shards.len() {
            let expired: Vec<_> = self.shards[shard]
                .publishing
                .iter()
                .filter(|(_, held)| {
                    let publisher = held.tenure.publisher();
                    publisher
                        .and_then(|publisher| publisher.held_until())
                        .is_some_and(|until| until <= self.now)
                })
                .map(|(claim, _)| *claim)
                .collect();
            for claim in expired {
                self.finish(shard, claim);
            }
            self.flush_due(shard);
            self.shards[shard].fanout.check(self.now, PLAY_WAIT);
            self.settle(shard);
        }
    }

    // Players.

    fn players_act(&mut self) {
        if self.players.iter().filter(|player| player.hung_up.is_none()).count() < 6
            && self.random.permille(25)
        {
            self.join();
        }
        for number in 0..self.players.len() {
            if self.players[number].hung_up.is_some() || !self.random.permille(8) {
                continue;
            }
            let (shard, outlet) = (self.players[number].shard, self.players[number].outlet);
            match self.random.below(10) {
                0 => self.leave(number),
                1 => self.players[number].breaks = true,
                2..=4 => {
                    let paused = !self.players[number].paused;
                    self.players[number].paused = paused;
                    let newest = self.streams[self.players[number].stream].newest();
                    self.players[number].may_miss(newest);
                    self.shards[shard].fanout.pause(outlet, paused);
                    self.shards[shard].due = true;
                }
                5 | 6 => self.tell_player(number),
                _ => {
                    let old = self.players[number].projection;
                    let video = self.random.below(2) == 0;
                    let new = if video {
                        Projection { video: !old.video, ..old }
                    } else {
                        Projection { audio: !old.audio, ..old }
                    };
                    let newest = self.streams[self.players[number].stream].newest();
                    self.players[number].project(new, newest);
                    let done = self.shards[shard].fanout.project(outlet, |_| new, self.now);
                    done.expect("there is room for a few streams");
                    self.shards[shard].due = true;
                }
            }
        }
    }

    fn join(&mut self) {
        let name = self.names[self.random.below(self.names.len())].clone();
        let shard = self.random.below(self.shards.len());
        let fanout = &mut self.shards[shard].fanout;
        let hub = match fanout.hub(&name) {
            Some(hub) => Arc::clone(hub),
            None => self.registry.watch(&name).expect("there is room for a few streams"),
        };
        let outlet = fanout.open(self.now);
        fanout
            .subscribe(outlet, &hub, Projection::WHOLE, self.now)
            .expect("there is room for a few streams");
        let stream = self.stream(&hub);
        let attached_at = self.streams[stream].newest();
        let temper = [Temper::Fast, Temper::Fast, Temper::Choppy, Temper::Bursts, Temper::Stuck]
            [self.random.below(5)];
        let place = Place { shard, outlet, stream, attached_at };
        self.by_outlet.insert((shard, outlet), self.players.len());
        self.players.push(Player::new(place, temper, self.chunk_size));
        self.tell_player(self.players.len() - 1);
    }

    pub fn leave(&mut self, number: usize) {
        let player = &mut self.players[number];
        player.hung_up.get_or_insert(millstream::egress::turn::HangUp::Broken);
        self.by_outlet.remove(&(player.shard, player.outlet));
        let (_, unread) = self.shards[player.shard].fanout.close(player.outlet);
        if let Some(name) = unread {
            self.registry.unwatch(&name);
        }
    }

    /// A private message, as an answer to a command is: written, and given a turn.
    fn tell_player(&mut self, number: usize) {
        let player = &mut self.players[number];
        if player.hung_up.is_some() {
            return;
        }
        player.private_sent += 1;
        let (shard, outlet) = (player.shard, player.outlet);
        let message = player::private(player.private_sent, self.chunk_size);
        self.shards[shard].fanout.write(outlet, &message);
        let mut sink = Sockets {
            shard,
            players: &mut self.players,
            by_outlet: &self.by_outlet,
            streams: &self.streams,
            random: &mut self.random,
            now: self.now,
        };
        self.shards[shard].fanout.turn(outlet, &mut sink, self.now);
        self.settle(shard);
    }

    // Judgement.

    pub fn stream(&mut self, hub: &Arc<Hub>) -> usize {
        let known = self.streams.iter().position(|stream| Arc::ptr_eq(&stream.hub, hub));
        known.unwrap_or_else(|| {
            self.streams.push(Stream::new(Arc::clone(hub)));
            self.streams.len() - 1
        })
    }
}
