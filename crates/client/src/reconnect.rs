//! A loop of attempts, which the application steers: after each failure it says how long to wait, or
//! that it is enough. `Backoff` is one way to answer.

use std::time::Duration;

/// A failed attempt, as the application is asked about it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Failure<'a, E> {
    /// Failures in a row, this one included. One that came after [`Trial::established`] is the first.
    pub number: u32,
    /// Why it failed.
    pub error: &'a E,
    /// Time since the first failure in a row.
    pub elapsed: Duration,
    /// Whether the attempt had been [established](Trial::established) before it failed.
    pub was_established: bool,
}

/// What is to be done after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Wait so long, then try again.
    Again(Duration),
    /// Return the last error.
    GiveUp,
}

impl From<Option<Duration>> for Decision {
    /// What [`Backoff::next`](crate::Backoff::next) answers.
    fn from(wait: Option<Duration>) -> Self {
        wait.map_or(Self::GiveUp, Self::Again)
    }
}

/// One attempt, in the hands of the one who makes it.
#[derive(Debug)]
pub struct Trial {
    number: u32,
    established: bool,
}

impl Trial {
    /// Attempts so far, this one included, since one was last established.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// Says that the connection stands: if it fails from here on, counting begins anew.
    pub fn established(&mut self) {
        self.established = true;
    }
}

/// Tries until an attempt succeeds or the application gives up. `now` is the time since any fixed point.
///
/// # Errors
/// That of the last attempt.
pub async fn reconnecting<T, E>(
    mut attempt: impl AsyncFnMut(&mut Trial) -> Result<T, E>,
    mut decide: impl FnMut(&Failure<'_, E>) -> Decision,
    mut now: impl FnMut() -> Duration,
    mut sleep: impl AsyncFnMut(Duration),
) -> Result<T, E> {
    let mut row = Row::default();
    loop {
        let mut trial = row.trial();
        let error = match attempt(&mut trial).await {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        match decide(&row.failed(&trial, &error, now())) {
            Decision::Again(wait) => sleep(wait).await,
            Decision::GiveUp => return Err(error),
        }
    }
}

/// The same on a blocking thread, which sleeps.
///
/// # Errors
/// That of the last attempt.
#[cfg(feature = "blocking")]
pub fn reconnecting_blocking<T, E>(
    mut attempt: impl FnMut(&mut Trial) -> Result<T, E>,
    mut decide: impl FnMut(&Failure<'_, E>) -> Decision,
) -> Result<T, E> {
    let began = std::time::Instant::now();
    let mut row = Row::default();
    loop {
        let mut trial = row.trial();
        let error = match attempt(&mut trial) {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        match decide(&row.failed(&trial, &error, began.elapsed())) {
            Decision::Again(wait) => std::thread::sleep(wait),
            Decision::GiveUp => return Err(error),
        }
    }
}

/// Failures in a row.
#[derive(Default)]
struct Row {
    failures: u32,
    since: Duration,
}

impl Row {
    fn trial(&self) -> Trial {
        Trial { number: self.failures.saturating_add(1), established: false }
    }

    fn failed<'a, E>(&mut self, trial: &Trial, error: &'a E, now: Duration) -> Failure<'a, E> {
        if trial.established {
            self.failures = 0;
        }
        if self.failures == 0 {
            self.since = now;
        }
        self.failures = self.failures.saturating_add(1);
        let elapsed = now.saturating_sub(self.since);
        Failure { number: self.failures, error, elapsed, was_established: trial.established }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::{Cell, RefCell};
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    fn ready<T>(future: impl Future<Output = T>) -> T {
        match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(value) => value,
            Poll::Pending => panic!("nothing here waits"),
        }
    }

    #[test]
    fn failures_are_counted_in_a_row_and_time_comes_from_the_caller() {
        let clock = Cell::new(Duration::from_secs(100));
        let seen = RefCell::new(Vec::new());
        let mut attempts = 0;
        let result = ready(reconnecting(
            async |trial| {
                attempts += 1;
                match attempts {
                    // The third stands for a while.
                    3 => trial.established(),
                    6 => return Ok(trial.number()),
                    _ => {}
                }
                Err(attempts)
            },
            |failure| {
                let told = (failure.number, *failure.error, failure.elapsed.as_secs());
                seen.borrow_mut().push((told, failure.was_established));
                Decision::Again(Duration::from_secs(5))
            },
            || clock.get(),
            async |wait| clock.set(clock.get() + wait),
        ));
        assert_eq!(result, Ok(4));
        let expected = [
            ((1, 1, 0), false),
            ((2, 2, 5), false),
            ((1, 3, 0), true),
            ((2, 4, 5), false),
            ((3, 5, 10), false),
        ];
        assert_eq!(*seen.borrow(), expected);
    }

    #[cfg(feature = "blocking")]
    #[test]
    fn giving_up_returns_the_last_error() {
        let mut left = 3;
        let result: Result<(), u32> = reconnecting_blocking(
            |trial| Err(trial.number()),
            |_| {
                left -= 1;
                Decision::from((left > 0).then_some(Duration::ZERO))
            },
        );
        assert_eq!(result, Err(3));
    }
}
