//! All clients of a story on one thread: a loop over `poll`, and ways to wait for something.

use super::link::{Dial, Link};
use super::player::{Pace, Player};
use super::publisher::Publisher;
use super::source::{Shape, Source};
use super::{millis, seconds};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::net::SocketAddr;
use std::ops::Range;
use std::time::{Duration, Instant};

/// The clients of one server, or of several.
pub struct World {
    server: SocketAddr,
    pub publishers: Vec<Publisher>,
    pub players: Vec<Player>,
}

impl World {
    pub fn new(server: SocketAddr) -> Self {
        Self { server, publishers: Vec::new(), players: Vec::new() }
    }

    /// Whoever comes from now on comes to this server.
    pub fn at(&mut self, server: SocketAddr) {
        self.server = server;
    }

    /// Adds players of a stream. Returns the place of the first.
    pub fn play(&mut self, name: &str, count: usize) -> usize {
        self.play_from(name, count, Dial::default())
    }

    /// Adds players that connect in a certain way. Returns the place of the first.
    pub fn play_from(&mut self, name: &str, count: usize, dial: Dial) -> usize {
        let first = self.players.len();
        for index in first..first + count {
            let who = format!("player {index} of {name}");
            self.players.push(Player::open(self.server, name, who, dial));
            if index % 16 == 15 {
                self.step(Duration::ZERO);
            }
        }
        first
    }

    /// Asks to publish, and waits for the answer, whichever it is. Returns the publisher's place.
    pub fn ask(&mut self, app: &str, name: &str, source: Source, dial: Dial) -> usize {
        let at = self.publishers.len();
        self.publishers.push(Publisher::open(self.server, app, name, source, dial));
        self.until("an answer to publish", |world| world.publishers[at].is_answered());
        at
    }

    /// Publishes and sends the headers. It must be let.
    pub fn publish(&mut self, name: &str, source: Source) -> usize {
        let at = self.ask("live", name, source, Dial::default());
        let publisher = &mut self.publishers[at];
        assert!(
            publisher.accepted,
            "publish of {name} was refused: {:?} {}",
            publisher.refused, publisher.reason
        );
        publisher.send_headers();
        at
    }

    /// Publishes a usual stream and keeps sending, at so many milliseconds a frame.
    pub fn stream(&mut self, name: &str, stream: u32, shape: Shape, interval_ms: u64) -> usize {
        let at = self.publish(name, Source::new(stream, shape));
        self.publishers[at].go(millis(interval_ms));
        at
    }

    /// The same encoder comes again, as its next generation, as often as it takes to be let in.
    pub fn come_again(&mut self, name: &str, source: Source) -> usize {
        let deadline = Instant::now() + seconds(20);
        loop {
            let at = self.ask("live", name, source.clone(), Dial::default());
            if self.publishers[at].accepted {
                self.publishers[at].send_headers();
                return at;
            }
            assert!(
                Instant::now() < deadline,
                "the name stays taken: {:?}",
                self.publishers[at].reason
            );
            self.publishers[at].link.kill();
            self.run(millis(100));
        }
    }

    /// Waits until something holds; at most fifteen seconds, more than twice what anything here takes
    /// on a machine that does other things as well.
    pub fn until(&mut self, what: &str, holds: impl FnMut(&mut World) -> bool) {
        self.until_in(what, seconds(15), holds);
    }

    pub fn until_in(
        &mut self,
        what: &str,
        limit: Duration,
        mut holds: impl FnMut(&mut World) -> bool,
    ) {
        let deadline = Instant::now() + limit;
        while !holds(self) {
            assert!(Instant::now() < deadline, "waited {limit:?} in vain for: {what}");
            self.step(millis(20));
        }
    }

    /// Lets time pass.
    pub fn run(&mut self, span: Duration) {
        let end = Instant::now() + span;
        loop {
            let now = Instant::now();
            if now >= end {
                return;
            }
            self.step((end - now).min(millis(20)));
        }
    }

    /// Stops publisher `at` and waits until every eager player has all frames that it sent.
    pub fn settle(&mut self, at: usize) {
        self.settle_players(at, 0..self.players.len());
    }

    /// The same, for some of the players.
    pub fn settle_players(&mut self, at: usize, players: Range<usize>) {
        self.publishers[at].rest();
        let source = self.publishers[at].source.clone();
        self.until("every frame to arrive", |world| {
            world.players[players.clone()].iter().all(|player| {
                player.pace != Pace::Eager || player.check.reached(source.generation, source.frames)
            })
        });
    }

    fn step(&mut self, wait: Duration) {
        let now = Instant::now();
        let mut wake = now + wait;
        for publisher in &mut self.publishers {
            publisher.advance(now);
            if let Some(due) = publisher.next_due() {
                wake = wake.min(due);
            }
        }
        let mut fds = Vec::with_capacity(self.publishers.len() + self.players.len());
        let mut whose = Vec::with_capacity(fds.capacity());
        for (index, publisher) in self.publishers.iter_mut().enumerate() {
            let flags = interest(&mut publisher.link, true);
            if let Some(socket) = publisher.link.socket() {
                fds.push(PollFd::new(socket, flags));
                whose.push((true, index));
            }
        }
        for (index, player) in self.players.iter_mut().enumerate() {
            let reads_at = player.reads_at();
            if let Some(at) = reads_at
                && at > now
            {
                wake = wake.min(at);
            }
            let flags = interest(&mut player.link, reads_at.is_some_and(|at| at <= now));
            // A stuck player hears of nothing, not even of the end.
            if !flags.is_empty()
                && let Some(socket) = player.link.socket()
            {
                fds.push(PollFd::new(socket, flags));
                whose.push((false, index));
            }
        }
        let wait = wake.saturating_duration_since(now);
        let timeout =
            Timespec { tv_sec: wait.as_secs() as i64, tv_nsec: wait.subsec_nanos().into() };
        // An interruption is a round without news.
        let _ = poll(&mut fds, Some(&timeout));
        let ready: Vec<(bool, usize)> = fds
            .iter()
            .zip(&whose)
            .filter(|(fd, _)| !fd.revents().is_empty())
            .map(|(_, whose)| *whose)
            .collect();
        drop(fds);
        let now = Instant::now();
        for (publishes, index) in ready {
            if publishes {
                self.publishers[index].link.send();
                self.publishers[index].read();
            } else {
                self.players[index].link.send();
                self.players[index].read(now);
            }
        }
    }
}

fn interest(link: &mut Link, reads: bool) -> PollFlags {
    let mut flags = PollFlags::empty();
    if reads {
        flags |= PollFlags::IN;
    }
    if link.has_output() {
        flags |= PollFlags::OUT;
    }
    flags
}
