//! A time as people write it: `250ms`, `1.5s`, `2m`.

use serde::{Deserialize, Deserializer, de};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A time as people write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span(pub Duration);

/// A text is no time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpanError;

impl fmt::Display for SpanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected a time with its unit, such as 250ms, 1.5s or 2m")
    }
}

impl std::error::Error for SpanError {}

impl FromStr for Span {
    type Err = SpanError;

    fn from_str(text: &str) -> Result<Self, SpanError> {
        let text = text.trim();
        if text == "0" {
            return Ok(Self(Duration::ZERO));
        }
        let unit = text.find(|c: char| c.is_ascii_alphabetic()).ok_or(SpanError)?;
        let number: f64 = text[..unit].trim().parse().map_err(|_| SpanError)?;
        let seconds = match &text[unit..] {
            "us" => number / 1e6,
            "ms" => number / 1e3,
            "s" => number,
            "m" => number * 60.0,
            "h" => number * 3600.0,
            _ => return Err(SpanError),
        };
        // A month is more than any run.
        if !(0.0..=2.7e6).contains(&seconds) {
            return Err(SpanError);
        }
        Ok(Self(Duration::from_secs_f64(seconds)))
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_with_their_unit() {
        let read = |text: &str| text.parse::<Span>().map(|span| span.0.as_micros());
        for (text, micros) in
            [("250us", 250), ("2ms", 2000), ("1.5s", 1_500_000), ("2m", 120_000_000), ("0", 0)]
        {
            assert_eq!(read(text), Ok(micros), "{text}");
        }
        for wrong in ["", "5", "ms", "-1s", "1x", "1e9h", "NaNs", "infs", "5 5s"] {
            assert_eq!(read(wrong), Err(SpanError), "{wrong}");
        }
    }
}
