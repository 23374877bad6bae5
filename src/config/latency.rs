//! The latency budget: how long a frame may wait so that several leave in one send.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::de::{self, Deserialize, Deserializer};
use serde::{Serialize, Serializer};

use super::units::{Scalar, format_duration, parse_duration};

/// Longest budget that may be asked for. Above it, viewers' own buffers (2 s in common players)
/// would run dry between two sends.
pub const LATENCY_BUDGET_MAX: Duration = Duration::from_secs(2);

/// What `--latency-budget` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LatencyBudget {
    /// At once at low load, widening with the load.
    #[default]
    Auto,
    /// Always this window; zero sends each message at once.
    Fixed(Duration),
}

/// Why a text is no latency budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LatencyBudgetError {
    /// Neither `auto` nor a duration.
    Form,
    /// Longer than [`LATENCY_BUDGET_MAX`].
    TooLong,
}

impl fmt::Display for LatencyBudgetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            LatencyBudgetError::Form => {
                "expected \"auto\", \"0\", or a duration with its unit such as \"100ms\""
            }
            LatencyBudgetError::TooLong => "at most 2s is allowed",
        })
    }
}

impl std::error::Error for LatencyBudgetError {}

impl FromStr for LatencyBudget {
    type Err = LatencyBudgetError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.trim().eq_ignore_ascii_case("auto") {
            return Ok(LatencyBudget::Auto);
        }
        match parse_duration(text) {
            Ok(window) if window <= LATENCY_BUDGET_MAX => Ok(LatencyBudget::Fixed(window)),
            Ok(_) => Err(LatencyBudgetError::TooLong),
            Err(_) => Err(LatencyBudgetError::Form),
        }
    }
}

impl fmt::Display for LatencyBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LatencyBudget::Auto => f.write_str("auto"),
            LatencyBudget::Fixed(window) => f.write_str(&format_duration(*window)),
        }
    }
}

impl Serialize for LatencyBudget {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for LatencyBudget {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Scalar::deserialize(deserializer)?.to_string().parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_forms_are_read() {
        assert_eq!("auto".parse(), Ok(LatencyBudget::Auto));
        assert_eq!("0".parse(), Ok(LatencyBudget::Fixed(Duration::ZERO)));
        assert_eq!("100ms".parse(), Ok(LatencyBudget::Fixed(Duration::from_millis(100))));
        assert_eq!("2s".parse(), Ok(LatencyBudget::Fixed(LATENCY_BUDGET_MAX)));
    }

    #[test]
    fn the_rest_is_refused_with_its_reason() {
        assert_eq!("2001ms".parse::<LatencyBudget>(), Err(LatencyBudgetError::TooLong));
        for wrong in ["", "100", "fast", "-1ms"] {
            assert_eq!(wrong.parse::<LatencyBudget>(), Err(LatencyBudgetError::Form), "{wrong}");
        }
    }
}
