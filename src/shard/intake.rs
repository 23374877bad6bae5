//! Reading: one task that reads every socket of the shard that has something, round by round.
//!
//! ```text
//!   wait for arrivals -> look: who has something? -> a turn each -> rest -> wait ...
//! ```
//! A read costs the system call, the acknowledgement that goes out with it and a walk through the
//! connection's state, however little came. So when reading takes more than a third of the core, the
//! shard rests between rounds and finds more in each socket: as long as makes it a third again, or as
//! long as a rest may be. A few publishers never see one. What a turn does with the bytes stands
//! in `connection`.

use super::runtime;
use super::tasks::Shard;
use crate::config::LatencyBudget;
use crate::limits;
use crate::moment::Moment;
use crate::net::arrivals::Found;
use std::rc::Rc;
use std::time::Duration;

/// How long to rest between rounds: an account of the rest that is owed for work, less what there was.
#[derive(Debug)]
struct Rests {
    most: Duration,
    owed: Duration,
    /// When it last worked.
    ended: Moment,
}

impl Rests {
    fn new(budget: LatencyBudget) -> Self {
        let most = match budget {
            LatencyBudget::Auto => limits::INTAKE_REST_MAX,
            // Frames that wait for the window anyway wait a little less behind a rest. Without a
            // window, at once means at once.
            LatencyBudget::Fixed(window) => (window / 4).min(limits::INTAKE_REST_MAX),
        };
        Self { most, owed: Duration::ZERO, ended: Moment::default() }
    }

    /// A stretch of turns; so many of them were publishers'. Others' do not count: dialogues are
    /// short, and a rest would only make each of their steps later.
    fn worked(&mut self, began: Moment, ended: Moment, publishers: usize, turns: usize) {
        let publishers = u32::try_from(publishers).unwrap_or(u32::MAX);
        let turns = u32::try_from(turns).unwrap_or(u32::MAX).max(1);
        let work = ended.since(began) * publishers / turns;
        // Time without arrivals was rest, too, and so was what other tasks took.
        self.owed = self.owed.saturating_sub(began.since(self.ended));
        self.owed = (self.owed + work * limits::INTAKE_REST_SHARE).min(self.most);
        self.ended = ended;
    }

    /// The round is over: the rest that follows it, if it is worth a timer.
    fn next(&self) -> Option<Duration> {
        (self.owed >= limits::INTAKE_REST_MIN).then_some(self.owed)
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
        rests.worked(began, now, publishers, at - from);
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
            rests.worked(at(clock), at(clock + work), 1, 1);
            let rest = rests.next().map_or(0.0, |rest| rest.as_secs_f64());
            // Where there is nothing to read, it is waited for.
            gap = (work + rest).max(1.0 / (publishers * 77.0));
            (clock, worked, rested, rounds) =
                (clock + gap, worked + work, rested + rest, rounds + 1.0);
        }
        (worked / SECONDS, Duration::from_secs_f64(rested / rounds))
    }

    #[test]
    fn few_publishers_never_see_a_rest() {
        for publishers in [1.0, 10.0, 100.0, 300.0] {
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
        rests.worked(at(1.0), at(2.0), 1, 1);
        assert_eq!(rests.next(), Some(Duration::from_millis(3)));
    }

    #[test]
    fn turns_of_others_do_not_count() {
        let mut rests = Rests::new(LatencyBudget::Auto);
        rests.worked(at(1.0), at(1.008), 0, 40);
        assert_eq!(rests.next(), None);
        rests.worked(at(1.008), at(1.016), 10, 40);
        assert_eq!(rests.next(), Some(Duration::from_millis(4)));
    }
}
