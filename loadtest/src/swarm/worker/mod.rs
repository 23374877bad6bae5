//! One pinned thread with its share of publishers and players: the loop and its turns.
//!
//! A round: do what is due, bring the number of players to what the director wants, wait, read
//! everything that is ready. Between rounds it may nap, as receivers on real networks in effect do:
//! reading each byte the moment it arrives makes the server pay for waking the reader.
//!
//! - `crowd`: who comes and who goes.
//! - `serve`: one connection's turn.
//! - `publish`: frames that are due.
//! - `patrol`: who takes too long, and who reads slowly on purpose.
//!
//! What frames are is `media`'s business, how players are judged `account`'s.

mod crowd;
mod patrol;
mod publish;
mod serve;
mod timers;

use crate::account::check::Rules;
use crate::account::tally::Counts;
use crate::account::times::{Time, Times};
use crate::host::clock::{self, Clock};
use crate::limits;
use crate::plan::Plan;
use crate::swarm::peer::{Peer, Role};
use crate::swarm::shared::Shared;
use rustix::event::{Timespec, epoll};
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use timers::{Act, Timers};

/// A worker on its thread.
pub struct Worker {
    /// Its number, from 0.
    index: usize,
    plan: Arc<Plan>,
    shared: Arc<Shared>,
    clock: Clock,
    rules: Rules,
    epoll: OwnedFd,
    peers: Vec<Option<Peer>>,
    /// Places that are free.
    free: Vec<usize>,
    /// Connections that have not come to their request's answer.
    connecting: usize,
    /// Streams of this worker's whose publisher was begun.
    streams_begun: u32,
    crowds: Vec<Crowd>,
    /// Places of players that read slowly on purpose.
    trickling: Vec<usize>,
    timers: Timers,
    /// Connections that this worker has begun in its life, and players among them.
    begun: u64,
    players_begun: u64,
    random: u64,
    counts: Counts,
    times: Times,
    /// What sockets are read into.
    buffer: Vec<u8>,
    handed_over_ns: u64,
    patrolled_ns: u64,
    trickled_ns: u64,
    /// When the last rest ended.
    rested_ns: u64,
}

/// The players of one group.
#[derive(Debug, Default)]
struct Crowd {
    /// Their places, oldest first.
    places: Vec<usize>,
    /// Those that are away and come again.
    away: usize,
    /// Those that failed and do not.
    given_up: usize,
}

impl Worker {
    /// A worker that has not begun.
    ///
    /// # Errors
    /// If no descriptor is left.
    pub fn new(index: usize, plan: Arc<Plan>, shared: Arc<Shared>) -> io::Result<Self> {
        let rules = Rules {
            sources: plan.sources.clone(),
            late_ns: plan.late.as_nanos() as u64,
            speed: plan.publishers.speed,
        };
        let clock = if plan.wall_clock { Clock::wall() } else { Clock::monotonic() };
        Ok(Self {
            index,
            shared,
            clock,
            rules,
            epoll: epoll::create(epoll::CreateFlags::CLOEXEC)?,
            peers: Vec::new(),
            free: Vec::new(),
            connecting: 0,
            streams_begun: 0,
            crowds: plan.groups.iter().map(|_| Crowd::default()).collect(),
            trickling: Vec::new(),
            timers: Timers::default(),
            begun: 0,
            players_begun: 0,
            random: 0x9e37_79b9_7f4a_7c15 ^ (index as u64 + 1),
            counts: Counts::new(plan.groups.len()),
            times: Times::default(),
            buffer: vec![0; limits::READ_BYTES],
            handed_over_ns: 0,
            patrolled_ns: 0,
            trickled_ns: 0,
            rested_ns: 0,
            plan,
        })
    }

    /// Runs until the director says that it is over.
    ///
    /// # Errors
    /// If the poller fails.
    pub fn run(mut self) -> io::Result<()> {
        while !self.shared.over.load(Ordering::Relaxed) {
            self.round()?;
        }
        for peer in self.peers.iter_mut().flatten() {
            if let Role::Player(player) = &mut peer.role {
                player.account.close(&self.rules, &mut self.counts.groups[player.group]);
            }
        }
        self.hand_over(self.clock.now_ns());
        Ok(())
    }

    fn round(&mut self) -> io::Result<()> {
        let mut now = self.clock.now_ns();
        self.act(now);
        self.match_wishes(now);
        self.patrol(now);
        if now >= self.handed_over_ns + limits::HAND_OVER_NS {
            self.hand_over(now);
        }
        self.rest();
        now = self.clock.now_ns();
        let wait = self.timers.next_ns().saturating_sub(now).min(self.longest_wait_ns());
        self.poll(wait)
    }

    /// Sleeps until something is due, no longer than a nap; where thousands of publishers always
    /// have something due, at least until half a nap after the last round began, or every frame
    /// would cost a round of its own.
    fn rest(&mut self) {
        let nap_ns = self.plan.nap.as_nanos() as u64;
        let now = self.clock.now_ns();
        let due = self.timers.next_ns().min(now + nap_ns).min(now + self.longest_wait_ns());
        let until = due.max(self.rested_ns + nap_ns / 2);
        if nap_ns > 0 && until > now {
            clock::sleep_ns(until - now);
            let late = self.clock.now_ns().saturating_sub(until);
            self.times.enter(Time::Lag, late);
        }
        self.rested_ns = self.clock.now_ns();
    }

    fn longest_wait_ns(&self) -> u64 {
        if self.trickling.is_empty() { limits::HAND_OVER_NS } else { limits::TRICKLE_NS }
    }

    /// Waits for sockets, no longer than this, and gives each that is ready its turn.
    fn poll(&mut self, wait_ns: u64) -> io::Result<()> {
        let timeout = Timespec { tv_sec: 0, tv_nsec: wait_ns as i64 };
        let mut events = Vec::with_capacity(limits::EVENTS);
        let room = rustix::buffer::spare_capacity(&mut events);
        match epoll::wait(&self.epoll, room, Some(&timeout)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        if events.is_empty() {
            return Ok(());
        }
        let woke = self.clock.now_ns();
        for batch in events.chunks(limits::EVENTS_PER_TURN) {
            for event in batch {
                self.serve(event.data.u64() as usize, event.flags);
            }
            self.act(self.clock.now_ns());
        }
        self.times.enter(Time::Round, self.clock.now_ns() - woke);
        Ok(())
    }

    /// Does everything that is due.
    fn act(&mut self, now: u64) {
        while let Some((due, act)) = self.timers.due(now) {
            match act {
                Act::Send { at, id } => self.send(at, id, due, now),
                Act::Leave { at, id } if self.is(at, id) && !self.is_closing() => {
                    self.leave(at, now)
                }
                Act::Leave { .. } => {}
                Act::Publish { stream } => self.begin_publisher(stream, now),
                Act::Play { group } => {
                    let crowd = &mut self.crowds[group];
                    crowd.away = crowd.away.saturating_sub(1);
                }
            }
        }
    }

    fn is_closing(&self) -> bool {
        self.shared.closing.load(Ordering::Relaxed)
    }

    /// Whether a place still has this connection.
    fn is(&self, at: usize, id: u64) -> bool {
        self.peers.get(at).and_then(Option::as_ref).is_some_and(|peer| peer.id == id)
    }

    fn hand_over(&mut self, now: u64) {
        self.handed_over_ns = now;
        self.counts.cpu_ns = vec![clock::thread_cpu_ns()];
        for (counts, crowd) in self.counts.groups.iter_mut().zip(&self.crowds) {
            (counts.away, counts.given_up) = (crowd.away as u64, crowd.given_up as u64);
        }
        let behind = self.peers.iter().flatten().map(|peer| match &peer.role {
            Role::Player(player) if player.slow.is_none() => player.account.behind(&self.rules),
            _ => 0,
        });
        let behind = behind.sum();
        self.shared.hand_over(self.index, &self.counts, &mut self.times, behind);
    }

    /// A number that follows from the worker's own only (xorshift64*).
    fn random(&mut self) -> u64 {
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        self.random.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// Half to one and a half of a time.
    fn about(&mut self, time: std::time::Duration) -> u64 {
        let ns = (time.as_nanos() as u64).max(2);
        ns / 2 + self.random() % ns
    }
}
