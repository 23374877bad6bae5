//! What the runs of a trial say together: medians, and ratios within a round with their spread.

use super::{Run, Trial};
use loadtest::report::Verdict;

/// A median, with the lowest and the highest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// The median.
    pub median: f64,
    /// The lowest.
    pub low: f64,
    /// The highest.
    pub high: f64,
}

impl Spread {
    /// Of these; `None` if there are none.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let (&low, &high) = (values.first()?, values.last()?);
        let (half, even) = (values.len() / 2, values.len().is_multiple_of(2));
        let median =
            if even { f64::midpoint(values[half - 1], values[half]) } else { values[half] };
        Some(Self { median, low, high })
    }
}

/// A variant in a table. There is no figure where no run passed.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Number of the case, from 0.
    pub case: usize,
    /// The variant.
    pub variant: &'static str,
    /// CPU seconds per GB.
    pub cpu_s_per_gb: Option<Spread>,
    /// CPU per GB against that of the case's first variant in the same round.
    pub ratio: Option<Spread>,
    /// Median delay of video, milliseconds.
    pub p50_ms: Option<f64>,
    /// Its 99th percentile, likewise.
    pub p99_ms: Option<f64>,
    /// Resident memory, bytes.
    pub resident_bytes: Option<f64>,
    /// Of that in huge pages, bytes.
    pub huge_bytes: Option<f64>,
    /// Rounds that passed, of how many.
    pub rounds: (usize, usize),
}

/// A row for each variant, in the order of the trial.
pub fn rows(trial: &Trial, runs: &[Run]) -> Vec<Row> {
    let mut rows = Vec::new();
    for (case, compared) in trial.cases.iter().enumerate() {
        let of = |label: &'static str| {
            runs.iter().filter(move |run| {
                run.trial == trial.name && run.case == case && run.variant == label
            })
        };
        let passed = |label| of(label).filter(|run| run.verdict == Verdict::Pass);
        let Some(first) = compared.variants.first() else { continue };
        for variant in &compared.variants {
            let median = |figure: fn(&Run) -> f64| {
                Some(Spread::of(passed(variant.label).map(figure))?.median)
            };
            let ratios = passed(variant.label).filter_map(|run| {
                let other = passed(first.label).find(|other| other.round == run.round)?;
                Some(run.cpu_s_per_gb? / other.cpu_s_per_gb.filter(|cost| *cost > 0.0)?)
            });
            rows.push(Row {
                case,
                variant: variant.label,
                cpu_s_per_gb: Spread::of(passed(variant.label).filter_map(|run| run.cpu_s_per_gb)),
                ratio: Spread::of(ratios),
                p50_ms: median(|run| run.p50_ms),
                p99_ms: median(|run| run.p99_ms),
                resident_bytes: median(|run| run.resident_bytes as f64),
                huge_bytes: median(|run| run.huge_bytes as f64),
                rounds: (passed(variant.label).count(), of(variant.label).count()),
            });
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trials::{Case, Load, Variant};

    fn trial() -> Trial {
        let variants = vec![Variant::bare("a", &[]), Variant::bare("b", &[])];
        Trial { name: "t", question: "?", cases: vec![Case { load: Load::fan_out(1), variants }] }
    }

    fn run(variant: &str, round: usize, verdict: Verdict, cost: f64) -> Run {
        let (trial, variant) = ("t".to_owned(), variant.to_owned());
        Run { trial, variant, round, verdict, cpu_s_per_gb: Some(cost), ..Run::default() }
    }

    #[test]
    fn a_median_has_its_spread() {
        let of = |values: &[f64]| Spread::of(values.iter().copied());
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[3.0, 1.0, 2.0]), Some(Spread { median: 2.0, low: 1.0, high: 3.0 }));
        assert_eq!(of(&[4.0, 1.0, 2.0, 3.0]).map(|spread| spread.median), Some(2.5));
    }

    #[test]
    fn ratios_are_those_of_one_round_and_only_what_passed_counts() {
        use Verdict::{Fail, Invalid, Pass};
        let runs = [
            run("a", 1, Pass, 1.0),
            run("b", 1, Pass, 0.5),
            run("a", 2, Pass, 2.0),
            run("b", 2, Pass, 3.0),
            run("a", 3, Invalid, 9.0),
            run("b", 3, Pass, 1.0),
            run("a", 4, Pass, 1.0),
            run("b", 4, Fail, 9.0),
        ];
        let rows = rows(&trial(), &runs);
        assert_eq!(rows[0].ratio, Some(Spread { median: 1.0, low: 1.0, high: 1.0 }));
        assert_eq!(rows[1].ratio, Some(Spread { median: 1.0, low: 0.5, high: 1.5 }));
        assert_eq!((rows[0].rounds, rows[1].rounds), ((3, 4), (3, 4)));
        assert_eq!(rows[1].cpu_s_per_gb.map(|spread| spread.high), Some(3.0));
        let none = super::rows(&trial(), &[]);
        assert_eq!((none.len(), none[1].ratio, none[1].rounds), (2, None, (0, 0)));
    }
}
