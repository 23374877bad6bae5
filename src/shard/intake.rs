//! Reading: one task that reads every socket of the shard that has something, round by round.
//!
//! ```text
//!   wait for arrivals -> look: who has something? -> a turn each -> rest -> wait ...
//! ```
//! A read costs the system call, the acknowledgement that goes out with it and a walk through the
//! connection's state, however little came. So when reading takes much of the core, the shard rests
//! between rounds and finds more in each socket: rests grow with the work of the round before, until
//! reading takes a quarter of the core or the rest is the longest that may be. A few publishers never
//! see one. What a turn does with the bytes stands in `connection`.

use super::runtime;
use super::tasks::Shard;
use crate::config::LatencyBudget;
use crate::limits;
use crate::moment::Moment;
use crate::net::arrivals::Found;
use std::rc::Rc;
use std::time::Duration;

/// How long to rest between rounds.
#[derive(Debug)]
struct Rests {
    most: Duration,
    /// What this round spent on publishers so far.
    worked: Duration,
}

impl Rests {
    fn new(budget: LatencyBudget) -> Self {
        let most = match budget {
            LatencyBudget::Auto => limits::INTAKE_REST_MAX,
            // Frames that wait for the window anyway wait a little less behind a rest. Without a
            // window, at once means at once.
            LatencyBudget::Fixed(window) => (window / 4).min(limits::INTAKE_REST_MAX),
        };
        Self { most, worked: Duration::ZERO }
    }

    /// A stretch of turns took so long; so many of them were publishers'. Others' do not count:
    /// dialogues are short, and a rest would only make each of their steps later.
    fn worked(&mut self, length: Duration, publishers: usize, turns: usize) {
        let publishers = u32::try_from(publishers).unwrap_or(u32::MAX);
        let turns = u32::try_from(turns).unwrap_or(u32::MAX).max(1);
        self.worked += length * publishers / turns;
    }

    /// The round is over: the rest that follows it, if it is worth a timer.
    fn next(&mut self) -> Option<Duration> {
        let rest = (std::mem::take(&mut self.worked) * limits::INTAKE_REST_SHARE).min(self.most);
        (rest >= limits::INTAKE_REST_MIN).then_some(rest)
    }
}

impl Shard {
    /// Reads until the shard ends.
    pub(super) async fn take_in(self: Rc<Self>) {
        let mut found = Found::with_capacity(limits::INTAKE_ROUND);
        let mut rests = Rests::new(self.common.config.latency_budget);
        loop {
            self.arrivals.any().await;
            self.arrivals.look(&mut found);
            let mut next = 0;
            while next < found.len() {
                if next > 0 {
                    // Who was found and not read yet keeps the set ready: this only lets the other
                    // tasks have their turns.
                    self.arrivals.any().await;
                }
                next = self.stretch(&found, next, &mut rests);
            }
            if let Some(rest) = rests.next() {
                runtime::sleep(rest).await;
            }
        }
    }

    /// Turns for those found, from one on, until the others of the shard should have theirs. Returns
    /// who comes next.
    fn stretch(self: &Rc<Self>, found: &Found, from: usize, rests: &mut Rests) -> usize {
        let began = self.now();
        let (mut at, mut publishers, mut now) = (from, 0, began);
        while let Some(place) = found.number(at)
            && now.since(began) < limits::INTAKE_STRETCH
        {
            publishers += usize::from(self.turn(place, now));
            at += 1;
            now = self.now();
        }
        rests.worked(now.since(began), publishers, at - from);
        at
    }

    /// One connection's turn. Returns whether it publishes.
    fn turn(self: &Rc<Self>, place: u32, now: Moment) -> bool {
        // Found before another's turn closed it, or even gave its place away: nothing is there then.
        let Some(key) = self.state.borrow().connections.key_at(place) else { return false };
        if let Some(publishes) = runtime::contained(|| self.on_readable(key, now)) {
            return publishes;
        }
        self.panicked();
        let closed = runtime::contained(|| {
            let mut state = self.state.borrow_mut();
            self.close(&mut state, key, "server-fault", now);
            self.settle(&mut state, now);
        });
        if closed.is_none() {
            self.panicked();
        }
        false
    }
}
