//! Conditions under which a run fails, as `--fail-if` takes them: `p99>50ms`, `lost>0`,
//! `first-frame.p50>=1s`, `delivered<99.9%`.
//!
//! ```text
//!   condition = metric operator number [unit]
//!   metric    = [time "."] ( "p" percentage | "max" ) | one of METRICS
//!   operator  = ">" | ">=" | "<" | "<="
//! ```
//!
//! What a metric is measured by stands in [`metric`]; when a condition makes a run
//! fail, in [`judge`](super::judge).

pub mod metric;

use super::Report;
use metric::{METRICS, Metric, Quantile, Unit};
use std::fmt;
use std::str::FromStr;

/// How a measured value is compared with the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `>`
    Above,
    /// `>=`
    AtLeast,
    /// `<`
    Below,
    /// `<=`
    AtMost,
}

impl Operator {
    /// Longer ones first: `>=` begins like `>`.
    const ALL: [(Self, &'static str); 4] =
        [(Self::AtLeast, ">="), (Self::AtMost, "<="), (Self::Above, ">"), (Self::Below, "<")];

    fn holds(self, measured: f64, limit: f64) -> bool {
        match self {
            Self::Above => measured > limit,
            Self::AtLeast => measured >= limit,
            Self::Below => measured < limit,
            Self::AtMost => measured <= limit,
        }
    }

    fn text(self) -> &'static str {
        Self::ALL.iter().find(|(operator, _)| *operator == self).map_or("", |(_, text)| text)
    }
}

/// A condition under which a run fails.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Condition {
    /// What is looked at.
    pub metric: Metric,
    /// How it is compared.
    pub operator: Operator,
    /// With what, in `unit`.
    pub limit: f64,
    /// As it was written.
    pub unit: Unit,
}

impl Condition {
    /// Whether it is about what joining took.
    pub fn looks_at_joins(&self) -> bool {
        self.metric.is_of_joins()
    }

    /// Why a run fails because of this, in a few words; `None` if it does not. What was not
    /// measured fails: a condition that nobody looked at must not seem to hold.
    pub fn fails(&self, report: &Report) -> Option<String> {
        let Some(measured) = self.metric.measure(report) else {
            return Some(format!("{self}: {} was not measured", self.metric));
        };
        let holds = self.operator.holds(measured, self.limit * self.unit.factor());
        holds.then(|| {
            let value = measured / self.unit.factor();
            let digits = if value.fract() == 0.0 { 0 } else { 3 };
            format!("{self}: {} was {value:.digits$}{}", self.metric, self.unit.text())
        })
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { metric, operator, limit, unit } = self;
        write!(f, "{metric}{}{limit}{}", operator.text(), unit.text())
    }
}

/// A text is no condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConditionError {
    /// There is no operator in it.
    Operator,
    /// What stands before the operator is nothing that is measured.
    Metric,
    /// The percentile is not between 0 and 100, or has more than three decimals.
    Percentile,
    /// There is no number after the operator.
    Number,
    /// The unit is not one of this metric's.
    Unit(&'static [Unit]),
}

impl fmt::Display for ConditionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Operator => {
                f.write_str("expected METRIC>LIMIT, with >, >=, < or <=, such as p99>50ms")
            }
            Self::Metric => {
                f.write_str("no such metric; possible are p50, p99, p99.9 and so on and max, of ")?;
                f.write_str("video, or as in audio.p99 of")?;
                metric::TIMES.iter().try_for_each(|(name, _)| write!(f, " {name}"))?;
                f.write_str("; and")?;
                METRICS.iter().try_for_each(|metric| write!(f, " {}", metric.name))
            }
            Self::Percentile => f.write_str(
                "a percentile is above 0 and below 100, with up to three decimals, as in p99.9",
            ),
            Self::Number => f.write_str("expected a number after the operator, as in p99>50ms"),
            Self::Unit(units) if units.contains(&Unit::None) => {
                f.write_str("this metric has no unit: write the number alone")
            }
            Self::Unit(units) => {
                f.write_str("expected the number to be followed by its unit:")?;
                units.iter().try_for_each(|unit| write!(f, " {}", unit.text()))
            }
        }
    }
}

impl std::error::Error for ConditionError {}

/// All that conditions can look at, for the help text of `--fail-if`.
pub fn help() -> String {
    let mut text = String::from(
        "FAIL if this holds, as METRIC>LIMIT with >, >=, < or <=, such as 'p99>50ms'; may be given \
         several times or with commas. Only the conditions decide then (and INVALID, if the \
         generator was the bottleneck itself). What was not measured fails.\n\n\
         Times, in us, ms or s: p50, p99, p99.9 and so on and max, of video; or, as in \
         'audio.p99>80ms', of",
    );
    for (name, _) in metric::TIMES {
        text.push_str(&format!(" {name}"));
    }
    text.push_str("\n\nAnd:");
    for known in &METRICS {
        let units: Vec<&str> = known.units.iter().map(|unit| unit.text()).collect();
        let units = if units == [""] { String::new() } else { format!(" ({})", units.join(", ")) };
        text.push_str(&format!("\n  {:<13} {}{units}", known.name, known.meaning));
    }
    text
}

impl FromStr for Condition {
    type Err = ConditionError;

    fn from_str(text: &str) -> Result<Self, ConditionError> {
        let at = text.find(['<', '>']).ok_or(ConditionError::Operator)?;
        let (metric, rest) = text.split_at(at);
        let (operator, rest) = Operator::ALL
            .iter()
            .find_map(|(operator, sign)| Some((*operator, rest.strip_prefix(sign)?)))
            .ok_or(ConditionError::Operator)?;
        let metric = metric_of(metric.trim())?;
        let rest = rest.trim();
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, unit) = rest.split_at(end);
        let limit: f64 = number.parse().map_err(|_| ConditionError::Number)?;
        if !limit.is_finite() {
            return Err(ConditionError::Number);
        }
        let units = metric.units();
        let unit = *units
            .iter()
            .find(|possible| possible.text().eq_ignore_ascii_case(unit.trim()))
            .ok_or(ConditionError::Unit(units))?;
        Ok(Self { metric, operator, limit, unit })
    }
}

fn metric_of(text: &str) -> Result<Metric, ConditionError> {
    if let Some(known) = METRICS.iter().find(|metric| metric.name == text) {
        return Ok(Metric::Known(known));
    }
    // A dot also stands within p99.9.
    let named = metric::TIMES
        .iter()
        .find_map(|(name, time)| Some((*time, text.strip_prefix(name)?.strip_prefix('.')?)));
    let (time, quantile) = named.unwrap_or((crate::account::times::Time::Video, text));
    if quantile == "max" {
        return Ok(Metric::Time(time, Quantile::Max));
    }
    let percentage = quantile.strip_prefix('p').ok_or(ConditionError::Metric)?;
    if !percentage.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(ConditionError::Metric);
    }
    let quantile = Quantile::of_percentage(percentage).ok_or(ConditionError::Percentile)?;
    Ok(Metric::Time(time, quantile))
}

#[cfg(test)]
mod tests;
