//! How durations and sizes are written: `10s`, `350ms`, `2m`; `1MiB`, `128kB`, `1048576`.
//!
//! A duration without a unit is refused (except `0`), because half of all readers would take
//! `hold = 10` for milliseconds.

use std::time::Duration;

/// Why a text is no duration or size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnitError {
    /// Not a duration as this program writes them.
    Duration,
    /// Not a size as this program writes them.
    Size,
}

impl std::fmt::Display for UnitError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            UnitError::Duration => {
                "expected a duration with its unit (ms, s, m or h), such as \"350ms\" or \"10s\""
            }
            UnitError::Size => {
                "expected a size in bytes or with a unit (kB, MB, KiB or MiB), such as 1048576 or \"1MiB\""
            }
        })
    }
}

impl std::error::Error for UnitError {}

/// Parses a duration: a whole number and `ms`, `s`, `m` or `h`, or `0`.
pub fn parse_duration(text: &str) -> Result<Duration, UnitError> {
    let (count, unit) = split(text).ok_or(UnitError::Duration)?;
    let ms_per_unit = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        "" if count == 0 => 1,
        _ => return Err(UnitError::Duration),
    };
    count.checked_mul(ms_per_unit).map(Duration::from_millis).ok_or(UnitError::Duration)
}

/// Writes a duration so that [`parse_duration`] reads the same one back, to the millisecond.
pub fn format_duration(duration: Duration) -> String {
    let ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    match ms {
        0 => "0".into(),
        _ if ms.is_multiple_of(3_600_000) => format!("{}h", ms / 3_600_000),
        _ if ms.is_multiple_of(60_000) => format!("{}m", ms / 60_000),
        _ if ms.is_multiple_of(1000) => format!("{}s", ms / 1000),
        _ => format!("{ms}ms"),
    }
}

/// Parses a size in bytes: a whole number, alone or with `kB`, `MB` (powers of 1000), `KiB` or
/// `MiB` (powers of 1024).
pub fn parse_size(text: &str) -> Result<u64, UnitError> {
    let (count, unit) = split(text).ok_or(UnitError::Size)?;
    let bytes_per_unit = match unit {
        "" | "B" => 1,
        "kB" => 1000,
        "MB" => 1_000_000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        _ => return Err(UnitError::Size),
    };
    count.checked_mul(bytes_per_unit).ok_or(UnitError::Size)
}

fn split(text: &str) -> Option<(u64, &str)> {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (count, unit) = text.split_at(digits);
    Some((count.parse().ok()?, unit.trim_start()))
}

/// A value that may be written as a number or as text, as TOML and the environment give them.
#[derive(serde::Deserialize)]
#[serde(untagged, expecting = "expected text or a whole number")]
pub(crate) enum Scalar {
    Number(u64),
    Text(String),
}

impl std::fmt::Display for Scalar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Scalar::Number(number) => write!(f, "{number}"),
            Scalar::Text(text) => f.write_str(text),
        }
    }
}

/// Durations in serde fields: `#[serde(with = "units::duration")]`.
pub(crate) mod duration {
    use super::*;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(crate) fn serialize<S: Serializer>(
        duration: &Duration,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format_duration(*duration))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Duration, D::Error> {
        parse_duration(&Scalar::deserialize(deserializer)?.to_string()).map_err(D::Error::custom)
    }
}

/// Sizes in serde fields: `#[serde(with = "units::size")]`.
pub(crate) mod size {
    use super::*;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(crate) fn serialize<T, S>(size: &T, serializer: S) -> Result<S::Ok, S::Error>
    where
        T: Copy + Into<u64>,
        S: Serializer,
    {
        serializer.serialize_u64((*size).into())
    }

    pub(crate) fn deserialize<'de, T, D>(deserializer: D) -> Result<T, D::Error>
    where
        T: TryFrom<u64>,
        D: Deserializer<'de>,
    {
        let size = parse_size(&Scalar::deserialize(deserializer)?.to_string());
        let size = size.map_err(D::Error::custom)?;
        T::try_from(size).map_err(|_| D::Error::custom("this size is out of all reason"))
    }
}

/// Whole numbers in serde fields, also as text: `#[serde(with = "units::count")]`.
pub(super) mod count {
    use super::*;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(crate) fn serialize<S: Serializer>(count: &u32, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(*count)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
        let count = Scalar::deserialize(deserializer)?.to_string();
        count.trim().parse().map_err(|_| D::Error::custom("expected a whole number"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_want_a_unit() {
        assert_eq!(parse_duration("350ms"), Ok(Duration::from_millis(350)));
        assert_eq!(parse_duration("10 s"), Ok(Duration::from_secs(10)));
        assert_eq!(parse_duration("2m"), Ok(Duration::from_secs(120)));
        assert_eq!(parse_duration("0"), Ok(Duration::ZERO));
        for wrong in
            ["", "10", "s", "-1s", "1.5s", "1d", "99999999999999999999s", "9999999999999999h"]
        {
            assert_eq!(parse_duration(wrong), Err(UnitError::Duration), "{wrong}");
        }
    }

    #[test]
    fn sizes_know_both_kinds_of_unit() {
        assert_eq!(parse_size("1048576"), Ok(1 << 20));
        assert_eq!(parse_size("1MiB"), Ok(1 << 20));
        assert_eq!(parse_size("32 MB"), Ok(32_000_000));
        for wrong in ["", "MB", "1GB", "1.5MB", "-1", "99999999999999MiB"] {
            assert_eq!(parse_size(wrong), Err(UnitError::Size), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn a_duration_survives_the_round_trip(ms in 0u64..1_000_000_000) {
            let duration = Duration::from_millis(ms);
            prop_assert_eq!(parse_duration(&format_duration(duration)), Ok(duration));
        }

        #[test]
        fn no_text_panics(text in ".{0,24}") {
            let _ = (parse_duration(&text), parse_size(&text));
        }
    }
}
