//! A stretch of a run with a number of players.

use std::fmt;
use std::time::Duration;

/// A stretch of a run with a number of players.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Players at a time, of all groups.
    pub players: usize,
    /// How long it is measured, once all of them play.
    pub length: Duration,
    /// Over how long they come, evenly; zero is as fast as they can.
    pub over: Duration,
}

impl Step {
    /// So many players, who come as fast as they can.
    pub fn new(players: usize, length: Duration) -> Self {
        Self { players, length, over: Duration::ZERO }
    }
}

impl std::str::FromStr for Step {
    type Err = StepError;

    fn from_str(text: &str) -> Result<Self, StepError> {
        let mut parts = text.split(':');
        let mut next = || parts.next().map(str::trim);
        let players = next().and_then(|text| text.parse().ok()).ok_or(StepError)?;
        let length = next().and_then(seconds).ok_or(StepError)?;
        let over = match next() {
            None => Duration::ZERO,
            Some(text) => seconds(text).ok_or(StepError)?,
        };
        match parts.next() {
            None => Ok(Self { players, length, over }),
            Some(_) => Err(StepError),
        }
    }
}

fn seconds(text: &str) -> Option<Duration> {
    let seconds: f64 = text.parse().ok()?;
    (0.0..=1e6).contains(&seconds).then(|| Duration::from_secs_f64(seconds))
}

/// A text is no step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepError;

impl fmt::Display for StepError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "expected PLAYERS:SECONDS or PLAYERS:SECONDS:OVER, such as 1000:20 or 5000:30:60",
        )
    }
}

impl std::error::Error for StepError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_read() {
        assert_eq!("100:5".parse(), Ok(Step::new(100, Duration::from_secs(5))));
        let over = Duration::from_secs(60);
        let step = Step { over, ..Step::new(100, Duration::from_millis(2500)) };
        assert_eq!("100:2.5:60".parse(), Ok(step));
        for wrong in ["", "100", "a:5", "5:b", "-1:5", "5:-1", "5:1:", "5:1:2:3", "5:NaN", "5:inf"]
        {
            assert_eq!(wrong.parse::<Step>(), Err(StepError), "{wrong}");
        }
    }
}
