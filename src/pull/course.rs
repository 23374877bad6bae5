//! The course of one pull: which origin is asked, how long it may be silent, which one is next, and
//! when it is over. Decisions only: `now` comes in, and what is to be done is returned.
//!
//! ```text
//!          wanted                plays            media
//!   over ----------> asking -----------> silent ----------> feeding
//!     ^                | failed,           | stalls           | lost, stalls, ended
//!     |                | no answer         |                  |
//!     |                +<------ next ------+<------ next -----+
//!     |                +---all were tried---> resting ---pause is over---> asking
//!     +--- from anywhere: nobody wants it, or somebody publishes it here
//! ```
//! Whoever was good and is lost is tried last: the others may be there while it is not.

use crate::config::PullRule;
use crate::limits;
use crate::moment::Moment;
use millstream_client::Backoff;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// A pull of one stream.
#[derive(Debug)]
pub struct Course {
    rule: Arc<PullRule>,
    stage: Stage,
    /// The origins that are still to be tried before the next pause.
    queue: VecDeque<usize>,
    backoff: Backoff,
    /// Since when nobody wants it, if nobody does.
    unwanted: Option<Moment>,
    /// The origin has to know another route.
    rerouted: bool,
}

/// Where a pull stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It has not begun, or has ended.
    Over,
    /// An origin is being connected to and asked.
    Asking {
        /// Its place in the rule.
        origin: usize,
        /// Since when.
        since: Moment,
    },
    /// An origin said yes, and has sent nothing yet.
    Silent {
        /// Its place in the rule.
        origin: usize,
        /// Since when.
        since: Moment,
    },
    /// An origin feeds the stream.
    Feeding {
        /// Its place in the rule.
        origin: usize,
        /// Since when.
        since: Moment,
        /// When the last media came.
        last: Moment,
    },
    /// All were tried in vain.
    Resting {
        /// Until when.
        until: Moment,
    },
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Do {
    /// Nothing.
    Nothing,
    /// Leave the origin that is connected, if any, and ask this one.
    Dial(usize),
    /// Leave the origin that is connected, if any, and wait.
    HangUp,
    /// The pull is over: leave the origin, and end the stream.
    Finish,
}

impl Course {
    /// A pull that has not begun. The seed shall differ from pull to pull.
    pub fn new(rule: Arc<PullRule>, seed: u64) -> Self {
        let backoff = Backoff::new(limits::PULL_PAUSE_FIRST, limits::PULL_PAUSE_MAX, seed);
        Self {
            rule,
            stage: Stage::Over,
            queue: VecDeque::new(),
            backoff,
            unwanted: None,
            rerouted: false,
        }
    }

    /// Where it stands.
    pub fn stage(&self) -> Stage {
        self.stage
    }

    /// The rule that it follows.
    pub fn rule(&self) -> &PullRule {
        &self.rule
    }

    /// Somebody wants the stream, or nobody does any more; `free` says whether nobody publishes it here.
    pub fn stands(&mut self, wanted: bool, free: bool, now: Moment) -> Do {
        self.unwanted = match wanted {
            true => None,
            false => Some(self.unwanted.unwrap_or(now)),
        };
        if !free {
            self.stage = Stage::Over;
            return Do::Finish;
        }
        match self.stage {
            Stage::Over if wanted => {
                self.backoff.reset();
                self.queue = (0..self.rule.origins.len()).collect();
                self.next(now)
            }
            _ => self.check(now),
        }
    }

    /// The origin that was asked plays.
    pub fn answered(&mut self, now: Moment) {
        if let Stage::Asking { origin, .. } = self.stage {
            self.stage = Stage::Silent { origin, since: now };
        }
    }

    /// Media came.
    pub fn fed(&mut self, now: Moment) {
        match &mut self.stage {
            Stage::Feeding { last, .. } => *last = now,
            Stage::Asking { origin, .. } | Stage::Silent { origin, .. } => {
                self.stage = Stage::Feeding { origin: *origin, since: now, last: now };
            }
            Stage::Over | Stage::Resting { .. } => {}
        }
    }

    /// The origin refused, is lost, or does not have the stream.
    pub fn failed(&mut self, now: Moment) -> Do {
        let Some(origin) = self.origin() else { return Do::Nothing };
        if let Stage::Feeding { since, .. } = self.stage
            && now.since(since) >= limits::PULL_STEADY
        {
            self.backoff.reset();
            self.queue = (0..self.rule.origins.len()).filter(|other| *other != origin).collect();
            self.queue.push_back(origin);
        }
        self.next(now)
    }

    /// The origin says that the stream has ended. Where there is another, that one may have it still;
    /// the only one is listened to further, for a publisher who comes again. Returns what is to be done
    /// and whether the stream has ended here, too.
    pub fn ended(&mut self, now: Moment) -> (Do, bool) {
        if self.rule.origins.len() > 1 {
            return (self.failed(now), false);
        }
        if let Some(origin) = self.origin() {
            self.stage = Stage::Silent { origin, since: now };
        }
        (Do::Nothing, true)
    }

    /// Another edge wants the stream by a route that the origin has to know. Whoever feeds is asked
    /// nothing: it does not wait for us.
    pub fn reroute(&mut self, now: Moment) -> Do {
        self.rerouted = true;
        self.check_route(now)
    }

    /// Asks the same origin again, if it has to know another route and was not asked just now; to be
    /// called a few times a second.
    pub fn check_route(&mut self, now: Moment) -> Do {
        match self.stage {
            Stage::Asking { origin, since } | Stage::Silent { origin, since } if self.rerouted => {
                if now.since(since) < limits::PULL_REROUTE_MIN {
                    return Do::Nothing;
                }
                self.ask(origin, now)
            }
            _ => {
                self.rerouted = false;
                Do::Nothing
            }
        }
    }

    /// Whether an origin has been asked and does not feed the stream.
    pub fn waits(&self) -> bool {
        matches!(self.stage, Stage::Asking { .. } | Stage::Silent { .. })
    }

    /// Looks at the clock; to be called a few times a second.
    pub fn check(&mut self, now: Moment) -> Do {
        if let Some(since) = self.unwanted {
            let lingers = matches!(self.stage, Stage::Feeding { .. });
            if !lingers || now.since(since) >= self.rule.linger {
                self.stage = Stage::Over;
                return Do::Finish;
            }
        }
        let late = match self.stage {
            Stage::Over => false,
            Stage::Asking { since, .. } => {
                now.since(since) >= self.patience(limits::PULL_ANSWER_MAX)
            }
            Stage::Silent { since: at, .. } | Stage::Feeding { last: at, .. } => {
                now.since(at) >= self.patience(limits::PULL_SILENCE_MAX)
            }
            Stage::Resting { until } => {
                if until <= now {
                    self.queue = (0..self.rule.origins.len()).collect();
                    return self.next(now);
                }
                false
            }
        };
        if late { self.failed(now) } else { Do::Nothing }
    }

    fn patience(&self, alone: Duration) -> Duration {
        if self.rule.origins.len() > 1 { self.rule.stall } else { alone.max(self.rule.stall) }
    }

    /// The origin that is connected or being connected.
    fn origin(&self) -> Option<usize> {
        match self.stage {
            Stage::Asking { origin, .. }
            | Stage::Silent { origin, .. }
            | Stage::Feeding { origin, .. } => Some(origin),
            Stage::Over | Stage::Resting { .. } => None,
        }
    }

    fn ask(&mut self, origin: usize, now: Moment) -> Do {
        self.rerouted = false;
        self.stage = Stage::Asking { origin, since: now };
        Do::Dial(origin)
    }

    fn next(&mut self, now: Moment) -> Do {
        match self.queue.pop_front() {
            Some(origin) => self.ask(origin, now),
            None => {
                // It never gives up, as long as somebody waits.
                let pause = self.backoff.next(Duration::ZERO).unwrap_or(limits::PULL_PAUSE_MAX);
                self.stage = Stage::Resting { until: now + pause };
                Do::HangUp
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Moment = Moment::from_ms(100_000);
    const SECOND: Duration = Duration::from_secs(1);

    fn course(origins: usize) -> Course {
        let origins = (0..origins).map(|n| format!("rtmp://host{n}").parse().unwrap()).collect();
        Course::new(Arc::new(PullRule::of_edge(origins)), 7)
    }

    /// One that is fed by the first origin since `NOW`.
    fn fed(origins: usize) -> Course {
        let mut course = course(origins);
        assert_eq!(course.stands(true, true, NOW), Do::Dial(0));
        course.answered(NOW);
        course.fed(NOW);
        course
    }

    #[test]
    fn origins_are_tried_in_order_and_then_rested() {
        let mut course = course(3);
        assert_eq!(course.stands(true, true, NOW), Do::Dial(0));
        assert_eq!(course.stands(true, true, NOW), Do::Nothing);
        assert_eq!(course.failed(NOW), Do::Dial(1));
        assert_eq!(course.failed(NOW), Do::Dial(2));
        assert_eq!(course.failed(NOW), Do::HangUp);
        assert_eq!(course.failed(NOW), Do::Nothing, "nobody is connected");
        assert_eq!(course.check(NOW), Do::Nothing);
        assert_eq!(course.check(NOW + limits::PULL_PAUSE_FIRST), Do::Dial(0));
    }

    #[test]
    fn who_was_good_and_is_lost_is_tried_last() {
        let mut course = course(3);
        assert_eq!(course.stands(true, true, NOW), Do::Dial(0));
        assert_eq!(course.failed(NOW), Do::Dial(1));
        course.fed(NOW);
        let later = NOW + limits::PULL_STEADY;
        course.fed(later);
        assert_eq!(course.failed(later), Do::Dial(0));
        assert_eq!(course.failed(later), Do::Dial(2));
        assert_eq!(course.failed(later), Do::Dial(1));
        assert_eq!(course.failed(later), Do::HangUp);
    }

    #[test]
    fn one_that_feeds_and_goes_again_and_again_is_rested() {
        let mut course = fed(1);
        assert_eq!(course.failed(NOW + SECOND), Do::HangUp);
    }

    #[test]
    fn silence_has_the_next_one_asked() {
        let mut course = fed(2);
        let stall = course.rule().stall;
        assert_eq!(course.check(NOW + stall - SECOND), Do::Nothing);
        assert_eq!(course.check(NOW + stall), Do::Dial(1));
        assert_eq!(course.check(NOW + stall * 2), Do::Dial(0), "no answer; the first was good");
        // The only one is waited for as long as players wait.
        let mut alone = fed(1);
        assert_eq!(alone.check(NOW + stall * 2), Do::Nothing);
        assert_eq!(alone.check(NOW + limits::PULL_SILENCE_MAX), Do::Dial(0));
    }

    #[test]
    fn an_end_is_an_end_where_there_is_one_origin() {
        assert_eq!(fed(2).ended(NOW), (Do::Dial(1), false));
        let mut alone = fed(1);
        assert_eq!(alone.ended(NOW), (Do::Nothing, true));
        assert!(alone.waits());
        alone.fed(NOW + SECOND);
        assert!(!alone.waits());
    }

    #[test]
    fn it_lingers_only_over_what_is_fed() {
        let mut course = fed(1);
        let linger = course.rule().linger;
        assert_eq!(course.stands(false, true, NOW), Do::Nothing);
        course.fed(NOW + linger - SECOND);
        assert_eq!(course.check(NOW + linger - SECOND), Do::Nothing);
        assert_eq!(course.stands(true, true, NOW + linger - SECOND), Do::Nothing);
        assert_eq!(course.stands(false, true, NOW + linger), Do::Nothing, "it began anew");
        assert_eq!(course.check(NOW + linger * 2), Do::Finish);

        let mut asking = self::course(1);
        assert_eq!(asking.stands(true, true, NOW), Do::Dial(0));
        assert_eq!(asking.stands(false, true, NOW), Do::Finish);
    }

    #[test]
    fn a_publisher_of_our_own_goes_before() {
        let mut course = fed(2);
        assert_eq!(course.stands(true, false, NOW), Do::Finish);
        assert_eq!(course.check(NOW + SECOND * 100), Do::Nothing);
        assert_eq!(course.stands(true, true, NOW), Do::Dial(0));
    }

    #[test]
    fn another_route_is_told_to_whoever_does_not_feed() {
        let mut course = course(1);
        assert_eq!(course.stands(true, true, NOW), Do::Dial(0));
        assert_eq!(course.reroute(NOW), Do::Nothing, "not so soon");
        let later = NOW + limits::PULL_REROUTE_MIN;
        assert_eq!(course.check_route(later), Do::Dial(0));
        assert_eq!(course.check_route(later + SECOND), Do::Nothing, "once");
        course.fed(later);
        assert_eq!(course.reroute(later + SECOND), Do::Nothing);
    }
}
