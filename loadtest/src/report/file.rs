//! Reports in files: written as JSON, read back with suspicion. A report may come from another
//! host, another version or a stranger; none of them makes this program panic or swell.

use super::{FORMAT, Report};
use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Unexpected, Visitor};
use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// Longest file that is read: an hour of samples, ten a second, has 30 MB.
pub const FILE_BYTES_MAX: u64 = 64 << 20;
/// No count, time or size is greater, and sums of a few thousand of them still fit into 64 bits.
const NUMBER_MAX: f64 = 1e15;

/// A file cannot be used.
#[derive(Debug)]
pub enum FileError {
    /// It cannot be read.
    Io(io::Error),
    /// It is longer than [`FILE_BYTES_MAX`].
    Long,
    /// It is no JSON, or not of the shape of a report.
    Json(serde_json::Error),
    /// It has no `format`: not a report of this program.
    NoReport,
    /// It was written by a newer version.
    Newer(u64),
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::Long => write!(f, "longer than {} MB", FILE_BYTES_MAX >> 20),
            Self::Json(error) => write!(f, "not a report: {error}"),
            Self::NoReport => f.write_str("not a report of this program: it has no \"format\""),
            Self::Newer(format) => {
                write!(f, "of format {format}: this program reads up to format {FORMAT}")
            }
        }
    }
}

impl std::error::Error for FileError {}

impl From<io::Error> for FileError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<serde_json::Error> for FileError {
    fn from(error: serde_json::Error) -> Self {
        Self::Json(error)
    }
}

/// Reads a file of no more than [`FILE_BYTES_MAX`].
///
/// # Errors
/// If it cannot be read or is longer.
pub fn bytes(path: &Path) -> Result<Vec<u8>, FileError> {
    let mut bytes = Vec::new();
    File::open(path)?.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > FILE_BYTES_MAX { Err(FileError::Long) } else { Ok(bytes) }
}

/// Reads a report from JSON.
///
/// # Errors
/// If it is none.
pub fn parse(json: &[u8]) -> Result<Report, FileError> {
    let head: Head = serde_json::from_slice(json)?;
    match head.format {
        None | Some(0) => return Err(FileError::NoReport),
        Some(format) if format > u64::from(FORMAT) => return Err(FileError::Newer(format)),
        Some(_) => {}
    }
    // Looked through before anything is stored. The depth is bounded: the JSON reader refuses more
    // than 128 levels.
    let _: Measured = serde_json::from_slice(json)?;
    Ok(serde_json::from_slice(json)?)
}

/// Writes a report as JSON, for programs and for people that look into it.
///
/// # Errors
/// If the file cannot be written.
pub fn write(report: &Report, path: &Path) -> io::Result<()> {
    let mut json = serde_json::to_vec_pretty(report)?;
    json.push(b'\n');
    std::fs::write(path, json)
}

/// What says that this is a report at all.
#[derive(Deserialize)]
struct Head {
    format: Option<u64>,
}

/// Any JSON whose numbers are such as are measured; nothing of it is kept.
struct Measured;

impl<'de> Deserialize<'de> for Measured {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Measured)
    }
}

impl<'de> Visitor<'de> for Measured {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a number from 0 to {NUMBER_MAX:e}, such as is measured")
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Self, E> {
        if (0.0..=NUMBER_MAX).contains(&number) {
            return Ok(self);
        }
        Err(E::invalid_value(Unexpected::Float(number), &self))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Self, E> {
        self.visit_f64(number as f64)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Self, E> {
        self.visit_f64(number as f64)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self, A::Error> {
        while seq.next_element::<Measured>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self, A::Error> {
        while map.next_entry::<IgnoredAny, Measured>()?.is_some() {}
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{html, merge, samples, series};
    use proptest::prelude::*;
    use serde_json::Value;

    #[test]
    fn every_report_comes_back_from_its_json() {
        for report in samples::all() {
            let json = serde_json::to_vec(&report).unwrap();
            assert_eq!(parse(&json).unwrap(), report);
        }
    }

    #[test]
    fn json_has_what_other_programs_look_for() {
        let json = serde_json::to_value(samples::report()).unwrap();
        assert_eq!(json["format"], 1);
        assert_eq!(json["verdict"], "pass");
        assert_eq!(json["delays"][0]["time"], "video");
        assert!(json["steps"][0]["times"]["first-frame"]["p99"].as_f64().unwrap() > 0.0);
        assert!(json["server"]["cpu_s_per_gb"].as_f64().unwrap() > 0.1);
        let curve = json["delays"][0]["curve"].as_array().unwrap();
        assert!((60..=120).contains(&curve.len()), "{}", curve.len());
    }

    #[test]
    fn what_is_no_report_is_refused() {
        let refused = |text: &str| parse(text.as_bytes()).unwrap_err().to_string();
        assert!(refused("").contains("not a report"));
        assert!(refused("{}").contains("no \"format\""));
        assert!(refused("[{}]").contains("not a report"));
        assert!(refused("{\"format\":7}").contains("format 7"));
        assert!(refused("{\"format\":1,\"steps\":7}").contains("not a report"));
        assert!(refused("{\"format\":1,\"began_unix_ms\":-1}").contains("such as is measured"));
        assert!(refused("{\"format\":1,\"began_unix_ms\":1e300}").contains("such as is measured"));
        assert!(refused("{\"format\":1,\"began_unix_ms\":1e999}").contains("not a report"));
        assert!(refused(&"[".repeat(100_000)).contains("not a report"));
        let histogram = "{\"format\":1,\"delays\":[{\"time\":\"video\",\"histogram\":\"AAAA\",\
             \"percentiles\":{\"p50\":1,\"p90\":1,\"p99\":1,\"p999\":1,\"max\":1,\"count\":1}}]}";
        assert!(refused(histogram).contains("histogram"));
        let many = format!("{{\"format\":1,\"steps\":[{}{{}}]}}", "{},".repeat(10_000));
        assert!(refused(&many).contains("no more than 10000"));
        assert!(parse(b"{\"format\":1}").is_ok());
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            (0.0..1e15_f64).prop_map(Value::from),
            (0..3_u64).prop_map(Value::from),
            "\\PC{0,6}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 16, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::hash_map("[a-z_]{1,8}", inner, 0..4)
                    .prop_map(|map| map.into_iter().collect()),
            ]
        })
    }

    /// Every place in a JSON that holds a value, as JSON pointers.
    fn places(value: &Value, at: &str, places: &mut Vec<String>) {
        places.push(at.to_owned());
        match value {
            Value::Array(all) => all
                .iter()
                .enumerate()
                .for_each(|(n, value)| self::places(value, &format!("{at}/{n}"), places)),
            Value::Object(all) => all
                .iter()
                .for_each(|(name, value)| self::places(value, &format!("{at}/{name}"), places)),
            _ => {}
        }
    }

    /// A small report, every figure of which is then replaced by something else.
    fn small() -> Value {
        let mut report = Report::of(&samples::rough(), &[]);
        report.moments.truncate(2);
        report.delays.iter_mut().for_each(|delay| delay.curve.truncate(2));
        serde_json::to_value(report).unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(150))]

        #[test]
        fn a_hostile_report_is_refused_or_shown(
            which in prop::collection::vec((any::<prop::sample::Index>(), any_json()), 1..4),
        ) {
            let mut json = small();
            for (which, other) in which {
                let mut all = Vec::new();
                places(&json, "", &mut all);
                if let Some(place) = json.pointer_mut(which.get(&all).as_str()) {
                    *place = other;
                }
            }
            if let Ok(report) = parse(&serde_json::to_vec(&json).unwrap()) {
                let page = html::page(&[report.clone(), samples::report()]);
                prop_assert!(!page.contains("NaN") && !page.contains("inf,"));
                prop_assert!(!report.to_string().contains("NaN"));
                let _ = (series::csv(&report), series::markdown(&report));
                let _ = merge::reports(&[report.clone(), report]);
            }
        }
    }
}
