//! Medians and how far apart the values are that they were taken of. Nothing here knows what was
//! measured.

use serde::Serialize;

/// The middle of some values, with the outermost ones.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// The middle one; of an even count, the mean of the middle two.
    pub median: f64,
    /// The lowest.
    pub lowest: f64,
    /// The highest.
    pub highest: f64,
    /// How many there were.
    pub count: usize,
}

impl Spread {
    /// Of all values that are numbers; `None` if there are none.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().filter(|value| value.is_finite()).collect();
        values.sort_by(f64::total_cmp);
        let count = values.len();
        let (lowest, highest) = (*values.first()?, *values.last()?);
        let middle = values[count / 2];
        let median = if count % 2 == 1 { middle } else { (values[count / 2 - 1] + middle) / 2.0 };
        Some(Self { median, lowest, highest, count })
    }

    /// Whether all of these values lie below all of the others.
    pub fn below(&self, other: &Self) -> bool {
        self.highest < other.lowest
    }
}

/// Of the rounds in which both were measured, the one by the other.
pub fn ratios(pairs: impl IntoIterator<Item = (Option<f64>, Option<f64>)>) -> Option<Spread> {
    let ratio = |(of, to): (Option<f64>, Option<f64>)| Some(of? / to.filter(|to| *to > 0.0)?);
    Spread::of(pairs.into_iter().filter_map(ratio))
}

/// A number with as many decimals as tell something: three digits, no more than three decimals.
pub fn number(value: f64) -> String {
    let places = match value.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 1.0 => 2,
        _ => 3,
    };
    format!("{value:.places$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_and_the_ends() {
        let spread = Spread::of([3.0, 1.0, 2.0]).unwrap();
        assert_eq!(
            (spread.lowest, spread.median, spread.highest, spread.count),
            (1.0, 2.0, 3.0, 3)
        );
        assert_eq!(Spread::of([4.0, 1.0, 3.0, 2.0]).unwrap().median, 2.5);
        assert_eq!(Spread::of([7.0]).unwrap().median, 7.0);
        assert_eq!(Spread::of([]), None);
        assert_eq!(Spread::of([f64::NAN, f64::INFINITY]), None);
    }

    #[test]
    fn a_ratio_is_of_one_round_and_needs_both() {
        let pairs = [
            (Some(1.1), Some(1.0)),
            (Some(5.0), None),
            (None, Some(2.0)),
            (Some(2.6), Some(2.0)),
            (Some(1.0), Some(0.0)),
        ];
        let spread = ratios(pairs).unwrap();
        assert_eq!((spread.count, spread.median), (2, 1.2000000000000002));
        assert_eq!(ratios([(None, None)]), None);
    }

    #[test]
    fn below_means_beyond_the_spread() {
        let of = |values: &[f64]| Spread::of(values.iter().copied()).unwrap();
        assert!(of(&[1.0, 1.2]).below(&of(&[1.3, 1.4])));
        assert!(!of(&[1.0, 1.35]).below(&of(&[1.3, 1.4])));
        assert!(!of(&[1.0]).below(&of(&[1.0])));
    }

    #[test]
    fn numbers_have_three_digits() {
        let shown = [0.1234, 1.2345, 12.345, 123.45, 0.0].map(number);
        assert_eq!(shown, ["0.123", "1.23", "12.3", "123", "0.000"]);
    }
}
