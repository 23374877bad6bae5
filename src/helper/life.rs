//! When a helper's program runs for one stream: wishes, ends and orders in, starts and stops out. No
//! process, no clock; a test walks through a day in it.
//!
//! ```text
//!            wanted              began             lasted, ended
//!   waiting -------> starting --------> running ---------------+
//!      ^  ^             | ended            | unwanted, linger   |
//!      |  |             v                  v                    v
//!      |  +---- backing-off <----+     stopping ---> waiting  (backing-off)
//!      |  unwanted      | due    |         ^
//!      |                +--> starting      | order
//!      +-- stopped (by order), failed (given up) --- order, or wanted anew
//! ```

use super::config::HelperConfig;
use super::order::{End, Refused, Step};
use super::plan::PlanError;
use crate::moment::Moment;
use millstream_client::Backoff;
use serde::Serialize;
use std::fmt;
use std::time::Duration;

/// What a helper does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Nobody wants it.
    Waiting,
    /// Its process is being made.
    Starting,
    /// It runs.
    Running,
    /// It was asked to end.
    Stopping,
    /// It ended too soon, and is started again after a pause.
    BackingOff,
    /// It was stopped by an order, and rests until another one.
    Stopped,
    /// It was given up. An order starts it again, or the next time that it is wanted.
    Failed,
}

impl State {
    /// Its name in the API and the metrics.
    pub fn label(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Stopping => "stopping",
            Self::BackingOff => "backing-off",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
        }
    }
}

/// How a run ended, or why there was none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The program ran and ended.
    Ended(End),
    /// The program could not be run.
    Refused(Refused),
    /// There is nothing that could be run for this stream.
    Unplanned(PlanError),
    /// There is no guardian, or it is none. Why, in words for the operator.
    Guardian(String),
}

impl Outcome {
    /// Whether another try would come to the same.
    fn is_hopeless(&self) -> bool {
        match self {
            Self::Ended(_) => false,
            // The machine had no process or memory left at the moment.
            Self::Refused(refused) => !matches!(refused.step, Step::Process | Step::Session),
            Self::Unplanned(_) | Self::Guardian(_) => true,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ended(end) => end.fmt(f),
            Self::Refused(refused) => refused.fmt(f),
            Self::Unplanned(error) => error.fmt(f),
            Self::Guardian(why) => f.write_str(why),
        }
    }
}

/// An order of the operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// End it, if it runs, and start it anew if it is wanted.
    Restart,
    /// End it, and leave it so.
    Stop,
}

/// What is to be done with the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Make one.
    Start,
    /// Ask it to end.
    Stop,
}

/// One helper's life for one stream.
#[derive(Clone, Debug)]
pub struct Life {
    state: State,
    since: Moment,
    wanted: bool,
    held: bool,
    /// When it began to run.
    began: Option<Moment>,
    /// When it is stopped for want of viewers.
    linger_until: Option<Moment>,
    /// Before this it is not started.
    rest_until: Moment,
    backoff: Backoff,
    failures: u32,
    last: Option<Outcome>,
    linger: Duration,
    steady: Duration,
    tries: u32,
}

impl Life {
    /// A helper that nobody wants yet. The seed shall differ from one to the next.
    pub fn new(config: &HelperConfig, linger: Duration, seed: u64, now: Moment) -> Self {
        Self {
            state: State::Waiting,
            since: now,
            wanted: false,
            held: false,
            began: None,
            linger_until: None,
            rest_until: now,
            backoff: Backoff::new(config.backoff, config.backoff_max, seed),
            failures: 0,
            last: None,
            linger,
            steady: config.steady,
            tries: config.tries,
        }
    }

    /// What it does.
    pub fn state(&self) -> State {
        self.state
    }

    /// Since when.
    pub fn since(&self) -> Moment {
        self.since
    }

    /// How the newest run ended.
    pub fn last(&self) -> Option<&Outcome> {
        self.last.as_ref()
    }

    /// Whether nothing is lost by forgetting it.
    pub fn is_idle(&self, now: Moment) -> bool {
        let asleep = matches!(self.state, State::Waiting | State::Failed | State::Stopped);
        asleep && !self.wanted && now >= self.rest_until
    }

    /// When [`Life::tick`] has something to do.
    pub fn deadline(&self) -> Option<Moment> {
        match self.state {
            State::BackingOff => Some(self.rest_until),
            State::Running | State::Starting => self.linger_until,
            // It is forgotten then.
            State::Waiting | State::Failed | State::Stopped if !self.wanted => {
                Some(self.rest_until)
            }
            _ => None,
        }
    }

    /// Somebody wants it, or nobody any more.
    pub fn want(&mut self, wanted: bool, now: Moment) -> Option<Action> {
        if wanted == self.wanted {
            return None;
        }
        self.wanted = wanted;
        match (self.state, wanted) {
            (State::Waiting | State::Failed, true) => self.start(now),
            (State::Running | State::Starting, true) => {
                self.linger_until = None;
                None
            }
            (State::Running | State::Starting, false) => {
                self.linger_until = Some(now + self.linger);
                self.tick(now)
            }
            (State::BackingOff, false) => {
                self.enter(State::Waiting, now);
                None
            }
            _ => None,
        }
    }

    /// The process runs the program.
    pub fn began(&mut self, now: Moment) {
        self.began = Some(now);
        if self.state == State::Starting {
            self.enter(State::Running, now);
        }
    }

    /// The process is gone, and all that descended from it.
    pub fn ended(&mut self, outcome: Outcome, now: Moment) -> Option<Action> {
        let lasted = self.began.take().is_some_and(|began| now.since(began) >= self.steady);
        let asked = self.state == State::Stopping;
        let hopeless = outcome.is_hopeless();
        self.linger_until = None;
        self.last = Some(outcome);
        if self.held {
            self.enter(State::Stopped, now);
            return None;
        }
        if asked {
            // What it was asked for says nothing of how it does.
            return if self.wanted { self.start(now) } else { self.rest(State::Waiting, now) };
        }
        if lasted {
            self.recovered();
        }
        self.failures = self.failures.saturating_add(1);
        let pause = self.backoff.next(Duration::ZERO).unwrap_or(self.steady);
        self.rest_until = now + pause;
        if hopeless || (self.tries > 0 && self.failures >= self.tries) {
            return self.rest(State::Failed, now);
        }
        self.rest(if self.wanted { State::BackingOff } else { State::Waiting }, now)
    }

    /// The operator says so.
    pub fn order(&mut self, command: Command, now: Moment) -> Option<Action> {
        self.held = command == Command::Stop;
        self.recovered();
        self.rest_until = now;
        match self.state {
            State::Starting | State::Running => {
                self.linger_until = None;
                self.enter(State::Stopping, now);
                Some(Action::Stop)
            }
            State::Stopping => None,
            _ if self.held => self.rest(State::Stopped, now),
            _ if self.wanted => self.start(now),
            _ => self.rest(State::Waiting, now),
        }
    }

    /// Time has passed.
    pub fn tick(&mut self, now: Moment) -> Option<Action> {
        match self.state {
            State::BackingOff if now >= self.rest_until => self.start(now),
            State::Running | State::Starting if self.linger_until.is_some_and(|at| now >= at) => {
                self.linger_until = None;
                self.enter(State::Stopping, now);
                Some(Action::Stop)
            }
            _ => None,
        }
    }

    fn start(&mut self, now: Moment) -> Option<Action> {
        if now < self.rest_until {
            return self.rest(State::BackingOff, now);
        }
        self.enter(State::Starting, now);
        Some(Action::Start)
    }

    fn rest(&mut self, state: State, now: Moment) -> Option<Action> {
        self.enter(state, now);
        None
    }

    fn recovered(&mut self) {
        self.backoff.reset();
        self.failures = 0;
    }

    fn enter(&mut self, state: State, now: Moment) {
        if self.state != state {
            self.state = state;
            self.since = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::config::Start;
    use super::super::pattern::Pattern;
    use super::*;
    use proptest::prelude::*;

    const BROKEN: Outcome = Outcome::Ended(End::Status(1));

    fn life(tries: u32) -> Life {
        let stream = Pattern::parse("cam").unwrap();
        let mut config = HelperConfig::new("h", &["x"], stream, Start::Viewer).unwrap();
        config.tries = tries;
        Life::new(&config, config.linger, 1, Moment(0))
    }

    fn at(seconds: u64) -> Moment {
        Moment::from_ms(seconds * 1000)
    }

    #[test]
    fn a_viewer_starts_it_and_the_last_one_stops_it_after_a_while() {
        let mut life = life(0);
        assert_eq!(life.want(true, at(1)), Some(Action::Start));
        assert_eq!(life.want(true, at(1)), None);
        life.began(at(2));
        assert_eq!((life.state(), life.since()), (State::Running, at(2)));
        assert_eq!(life.want(false, at(20)), None);
        assert_eq!(life.deadline(), Some(at(30)));
        assert_eq!(life.tick(at(29)), None);
        // Somebody comes back in time.
        assert_eq!(life.want(true, at(29)), None);
        assert_eq!((life.tick(at(31)), life.deadline()), (None, None));
        assert_eq!(life.want(false, at(40)), None);
        assert_eq!(life.tick(at(50)), Some(Action::Stop));
        assert_eq!(life.state(), State::Stopping);
        assert_eq!(life.ended(Outcome::Ended(End::Signal(15)), at(51)), None);
        assert_eq!(life.state(), State::Waiting);
        assert!(life.is_idle(at(51)));
        // An end that was asked for is no failure.
        assert_eq!(life.want(true, at(51)), Some(Action::Start));
    }

    #[test]
    fn who_comes_while_it_stops_gets_a_new_one() {
        let mut life = life(0);
        life.want(true, at(0));
        life.began(at(0));
        life.want(false, at(1));
        assert_eq!(life.tick(at(11)), Some(Action::Stop));
        assert_eq!(life.want(true, at(12)), None);
        assert_eq!(life.ended(BROKEN, at(13)), Some(Action::Start));
    }

    #[test]
    fn one_that_ends_at_once_is_started_less_and_less_often() {
        let mut life = life(0);
        assert_eq!(life.want(true, at(0)), Some(Action::Start));
        let (mut now, mut starts) = (at(0), 1);
        while now < at(600) {
            life.began(now);
            assert_eq!(life.ended(BROKEN, now), None);
            assert_eq!(life.state(), State::BackingOff);
            now = life.deadline().unwrap();
            assert_eq!(life.tick(now), Some(Action::Start));
            starts += 1;
        }
        // 1, 2, 4, 8, 16, then 30 s, of each at least the half.
        assert!((20..50).contains(&starts), "{starts}");
        // Having lasted, it is trusted again.
        life.began(now);
        assert_eq!(life.ended(BROKEN, now + Duration::from_secs(11)), None);
        let pause = life.deadline().unwrap().since(now + Duration::from_secs(11));
        assert!(pause <= Duration::from_secs(1), "{pause:?}");
    }

    #[test]
    fn viewers_who_come_again_and_again_do_not_shorten_the_pause() {
        let mut life = life(0);
        life.want(true, at(0));
        life.began(at(0));
        life.ended(BROKEN, at(0));
        let due = life.deadline().unwrap();
        assert_eq!(life.want(false, at(0)), None);
        assert!(!life.is_idle(at(0)) && life.is_idle(due));
        assert_eq!(life.want(true, at(0)), None);
        assert_eq!((life.state(), life.deadline()), (State::BackingOff, Some(due)));
        assert_eq!(life.tick(due), Some(Action::Start));
    }

    #[test]
    fn what_cannot_be_run_is_given_up_until_it_is_wanted_anew() {
        let mut life = life(0);
        life.want(true, at(0));
        let refused = Outcome::Refused(Refused { step: Step::Program, errno: 2 });
        assert_eq!(life.ended(refused.clone(), at(1)), None);
        assert_eq!((life.state(), life.last()), (State::Failed, Some(&refused)));
        assert_eq!(life.tick(at(100)), None);
        life.want(false, at(100));
        assert_eq!(life.want(true, at(101)), Some(Action::Start));
    }

    #[test]
    fn tries_are_counted() {
        let mut life = life(2);
        life.want(true, at(0));
        assert_eq!(life.ended(BROKEN, at(1)), None);
        assert_eq!(life.state(), State::BackingOff);
        assert_eq!(life.tick(life.deadline().unwrap()), Some(Action::Start));
        assert_eq!(life.ended(BROKEN, at(4)), None);
        assert_eq!(life.state(), State::Failed);
        assert_eq!(life.order(Command::Restart, at(5)), Some(Action::Start));
    }

    #[test]
    fn orders_go_before_wishes() {
        let mut life = life(0);
        life.want(true, at(0));
        life.began(at(0));
        assert_eq!(life.order(Command::Stop, at(1)), Some(Action::Stop));
        assert_eq!(life.ended(BROKEN, at(2)), None);
        assert_eq!(life.state(), State::Stopped);
        life.want(false, at(3));
        assert_eq!(life.want(true, at(4)), None);
        assert_eq!(life.order(Command::Restart, at(5)), Some(Action::Start));
        life.began(at(5));
        assert_eq!(life.order(Command::Restart, at(6)), Some(Action::Stop));
        assert_eq!(life.ended(BROKEN, at(7)), Some(Action::Start));
    }

    proptest! {
        /// Whatever happens in whatever order: one process at a time, none is stopped that is not there,
        /// and who is wanted runs or will.
        #[test]
        fn there_is_one_process_at_a_time(steps in prop::collection::vec((0..9_u8, 0..20_u64), 0..200)) {
            let (mut life, mut now, mut process, mut wanted) = (life(0), at(0), false, false);
            for (step, seconds) in steps {
                now = now + Duration::from_secs(seconds);
                let action = match step {
                    0 | 1 => {
                        wanted = step == 0;
                        life.want(wanted, now)
                    }
                    2 if process => {
                        life.began(now);
                        None
                    }
                    3 | 4 if process => {
                        process = false;
                        life.ended(BROKEN, now)
                    }
                    5 => life.order(Command::Restart, now),
                    6 => life.order(Command::Stop, now),
                    _ => life.tick(now),
                };
                match action {
                    Some(Action::Start) => {
                        prop_assert!(!process && wanted && life.state() == State::Starting);
                        process = true;
                    }
                    Some(Action::Stop) => prop_assert!(process && life.state() == State::Stopping),
                    None => {}
                }
                let busy = matches!(life.state(), State::Starting | State::Running | State::Stopping);
                prop_assert_eq!(process, busy);
                let rests = matches!(life.state(), State::Stopped | State::Failed);
                let will = life.state() == State::BackingOff && life.deadline().is_some();
                prop_assert!(!wanted || busy || will || rests, "{:?}", life);
            }
        }
    }
}
