//! Reading: two tasks that read every socket of the shard that has something, round by round.
//!
//! ```text
//!   wait for arrivals -> look: who has something? -> a turn each -> rest -> wait ...
//! ```
//! Whoever is still in a dialogue, or plays, is read at once. Publishers are gathered: a read costs the
//! system call, the acknowledgement that goes out with it and a walk through the connection's state,
//! however little came, and a frame comes in several pieces. So the shard rests between rounds of
//! publishers, and finds more in each socket:
//!
//! - when reading takes more than a fifth of the core: as long as makes it a fifth again, or as long
//!   as a rest may be. A few publishers never see one;
//! - when the frames of many wait for a window anyway: a part of it. A pass begins with a round of its
//!   own, so that what came before it goes with it.
//!
//! What a turn does with the bytes stands in `connection`.

use super::runtime::{self, Yielder};
use super::state::{Owner, Table};
use super::tasks::Shard;
use crate::config::LatencyBudget;
use crate::limits;
use crate::moment::Moment;
use crate::net::arrivals::{Arrival, Arrivals, Found};
use std::rc::Rc;
use std::time::Duration;

/// How a connection is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// When something comes.
    AtOnce,
    /// In rounds, with other publishers.
    Gathered,
}

/// How long to rest between rounds of publishers: an account of the rest that is owed for work, less
/// what there was.
#[derive(Debug)]
struct Rests {
    most: Duration,
    owed: Duration,
    /// When it last worked.
    ended: Moment,
    /// A socket was found so full that waiting longer could hold its sender up.
    full: bool,
}

impl Rests {
    fn new(budget: LatencyBudget) -> Self {
        let most = match budget {
            LatencyBudget::Auto => limits::INTAKE_REST_MAX,
            // Frames that wait for the window anyway wait a little less behind a rest. Without a
            // window, at once means at once.
            LatencyBudget::Fixed(window) => (window / 4).min(limits::INTAKE_REST_MAX),
        };
        Self { most, owed: Duration::ZERO, ended: Moment::default(), full: false }
    }

    /// A stretch of turns.
    fn worked(&mut self, began: Moment, ended: Moment, full: bool) {
        // Time without arrivals was rest, too, and so was what other tasks took.
        self.owed = self.owed.saturating_sub(began.since(self.ended));
        let work = ended.since(began) * limits::INTAKE_REST_SHARE;
        self.owed = (self.owed + work).min(self.most);
        self.ended = ended;
        self.full |= full;
    }

    /// A round of so many is over: the rest that follows it, if it is worth a timer. `window` is the
    /// narrowest that anybody's frames wait for.
    fn next(&mut self, found: usize, window: Duration) -> Option<Duration> {
        // A rest costs a timer, which a few that are found together do not pay for.
        let few = found < limits::INTAKE_MANY;
        let gather = match std::mem::take(&mut self.full) || few {
            true => Duration::ZERO,
            false => (window / limits::INTAKE_ROUNDS_PER_WINDOW).min(limits::INTAKE_REST_MAX),
        };
        let rest = self.owed.max(gather);
        (rest >= limits::INTAKE_REST_MIN).then_some(rest)
    }
}

/// What a turn of one connection came to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Turn {
    /// Bytes read.
    pub bytes: usize,
    /// There may be more: it stopped for the sake of others, and is to go on at this pace.
    pub more: Option<Pace>,
}

/// What a stretch of turns came to.
struct Stretch {
    /// The one found whose turn is next.
    next: usize,
    began: Moment,
    ended: Moment,
    /// A turn took so much that its socket may have been full.
    full: bool,
}

impl Shard {
    /// The sockets that are read at this pace.
    pub(super) fn arrivals_of(&self, pace: Pace) -> &Arrivals {
        match pace {
            Pace::AtOnce => &self.arrivals,
            Pace::Gathered => &self.feeds,
        }
    }

    /// Reads until the shard ends.
    pub(super) async fn take_in(self: Rc<Self>, pace: Pace, yielder: Yielder) {
        let arrivals = self.arrivals_of(pace);
        let mut found = Found::with_capacity(limits::INTAKE_ROUND);
        let mut rests = Rests::new(self.common.config.latency_budget);
        loop {
            if arrivals.has_left() {
                // Not waited for, so that the other tasks have their turns here, too.
                yielder.yield_now().await;
            } else {
                arrivals.any().await;
            }
            arrivals.look(&mut found);
            let mut next = 0;
            while next < found.len() {
                if next > 0 {
                    // The other tasks have their turns.
                    yielder.yield_now().await;
                }
                let stretch = self.stretch(&found, next);
                rests.worked(stretch.began, stretch.ended, stretch.full);
                next = stretch.next;
            }
            if pace == Pace::Gathered
                && let Some(rest) =
                    rests.next(found.len(), self.common.directory.narrowest_window())
            {
                runtime::sleep(rest).await;
            }
        }
    }

    /// Reads what publishers have sent until now, before a pass that it shall go with. Of many, as
    /// many as a stretch has time for.
    pub(super) fn gather(self: &Rc<Self>, found: &mut Found) {
        self.feeds.look(found);
        let stretch = self.stretch(found, 0);
        (stretch.next..).map_while(|at| found.at(at)).for_each(|unread| self.feeds.leave(unread));
    }

    /// Turns for those found, from one on, until the others of the shard should have theirs.
    fn stretch(self: &Rc<Self>, found: &Found, from: usize) -> Stretch {
        let began = self.now();
        let (mut next, mut full, mut now) = (from, false, began);
        while let Some(arrival) = found.at(next)
            && now.since(began) < limits::INTAKE_STRETCH
        {
            let turn = self.turn(arrival, now);
            full |= turn.bytes >= limits::INTAKE_FULL;
            if let Some(pace) = turn.more {
                self.arrivals_of(pace).leave(arrival);
            }
            next += 1;
            now = self.now();
        }
        Stretch { next, began, ended: now, full }
    }

    /// One connection's turn.
    fn turn(self: &Rc<Self>, arrival: Arrival, now: Moment) -> Turn {
        // Found before another's turn closed it, or even gave its place away: nothing is there then.
        let at = match Owner::table(arrival.number) {
            Table::Peer(at) => at,
            Table::Target(at) => return self.outbound_turn(at, now),
            Table::Spout(at) => return self.spout_turn(at, now),
        };
        let Some(key) = self.state.borrow().connections.key_at(at) else {
            return Turn::default();
        };
        if let Some(turn) = runtime::contained(|| self.on_readable(key, arrival.ended, now)) {
            return turn;
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
        Turn::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECONDS: f64 = 5.0;

    fn at(seconds: f64) -> Moment {
        Moment((seconds * 1e6) as u64)
    }

    /// Publishers that send 77 messages a second each, whose reads cost so much each; one read takes
    /// all that came since the one before. Returns the share of the core that reading takes, and the
    /// mean rest.
    fn run(budget: LatencyBudget, publishers: f64, cost: f64) -> (f64, Duration) {
        let mut rests = Rests::new(budget);
        let (mut clock, mut worked, mut rested, mut rounds) = (1.0, 0.0, 0.0, 0.0);
        let mut gap: f64 = 0.0;
        while clock < 1.0 + SECONDS {
            // Who has sent something within the gap, by the chance of independent senders.
            let found = (publishers * (1.0 - (-77.0 * gap).exp())).max(1.0);
            let work = found * cost;
            rests.worked(at(clock), at(clock + work), false);
            let rest = rests.next(1, Duration::ZERO).map_or(0.0, |rest| rest.as_secs_f64());
            // Where there is nothing to read, it is waited for.
            gap = (work + rest).max(1.0 / (publishers * 77.0));
            (clock, worked, rested, rounds) =
                (clock + gap, worked + work, rested + rest, rounds + 1.0);
        }
        (worked / SECONDS, Duration::from_secs_f64(rested / rounds))
    }

    #[test]
    fn few_publishers_never_see_a_rest() {
        for publishers in [1.0, 10.0, 100.0, 150.0] {
            let (_, rest) = run(LatencyBudget::Auto, publishers, 8e-6);
            assert_eq!(rest, Duration::ZERO, "{publishers}");
        }
    }

    #[test]
    fn many_publishers_are_gathered_up_to_the_longest_rest() {
        let (share, rest) = run(LatencyBudget::Auto, 1000.0, 8e-6);
        assert!(rest > Duration::from_millis(3) && rest <= limits::INTAKE_REST_MAX, "{rest:?}");
        assert!(share < 0.5, "{share}: without rests it is 0.6");
        // One whose every turn takes what a turn may take has its share of the core and no more.
        let (share, _) = run(LatencyBudget::Auto, 1.0, limits::READ_TURN_MAX.as_secs_f64());
        assert!(share < 0.35, "{share}");
    }

    #[test]
    fn a_budget_bounds_the_rest() {
        let (_, rest) = run(LatencyBudget::Fixed(Duration::ZERO), 4000.0, 8e-6);
        assert_eq!(rest, Duration::ZERO);
        let mut rests = Rests::new(LatencyBudget::Fixed(Duration::from_millis(12)));
        rests.worked(at(1.0), at(2.0), false);
        assert_eq!(rests.next(1, Duration::ZERO), Some(Duration::from_millis(3)));
    }

    #[test]
    fn frames_that_wait_for_a_window_are_gathered() {
        let mut rests = Rests::new(LatencyBudget::Auto);
        let rest = |rests: &mut Rests, window| rests.next(100, Duration::from_millis(window));
        assert_eq!(rest(&mut rests, 0), None);
        assert_eq!(rests.next(1, Duration::from_millis(100)), None, "for one it is not worth it");
        assert_eq!(rest(&mut rests, 40), Some(Duration::from_millis(5)));
        assert_eq!(rest(&mut rests, 1000), Some(limits::INTAKE_REST_MAX));
        // Who sends more than a socket holds is not held up.
        rests.worked(at(1.0), at(1.0), true);
        assert_eq!(rest(&mut rests, 1000), None);
        assert_eq!(rest(&mut rests, 1000), Some(limits::INTAKE_REST_MAX));
    }
}
