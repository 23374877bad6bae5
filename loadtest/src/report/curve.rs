//! The percentile curve of a histogram: what a plot of the tail is drawn from.
//!
//! Quantiles stand at even steps of their number of nines, x in 1 - 10^-x: as many points between
//! 99 and 99.9 % as between 90 and 99 %. The curve ends where the worst value stands alone.

use hdrhistogram::Histogram;

/// Points at most.
const POINTS_MAX: usize = 120;
/// Steps to each nine, unless there are too many nines.
const POINTS_PER_NINE: f64 = 20.0;

/// Quantiles (0 to 1) and milliseconds of a histogram of microseconds, rising in both; none if
/// nothing was entered. The last has quantile 1 and is the worst.
pub fn of(histogram: &Histogram<u64>) -> Vec<(f64, f64)> {
    if histogram.is_empty() {
        return Vec::new();
    }
    let most = most_nines(histogram.len());
    let steps = ((most * POINTS_PER_NINE).ceil() as usize).clamp(1, POINTS_MAX - 1);
    let mut points: Vec<(f64, f64)> = (0..steps)
        .map(|at| 1.0 - 10_f64.powf(-most * at as f64 / steps as f64))
        .map(|quantile| (quantile, histogram.value_at_quantile(quantile) as f64 / 1000.0))
        .collect();
    points.push((1.0, histogram.max() as f64 / 1000.0));
    points
}

/// How many nines a quantile has: 1 for 0.9, 3 for 0.999, none for what is no quantile. The
/// quantile 1 has as many as there are values to tell it by.
pub fn nines(quantile: f64, count: u64) -> f64 {
    let most = most_nines(count);
    if quantile >= 1.0 { most } else { (-(1.0 - quantile.max(0.0)).log10()).clamp(0.0, most) }
}

fn most_nines(count: u64) -> f64 {
    // Two of ten values have no nine, and a plot still needs a width.
    (count.max(1) as f64).log10().max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::times::empty;
    use proptest::prelude::*;

    #[test]
    fn nines_are_counted() {
        assert!((nines(0.9, 1000) - 1.0).abs() < 1e-9);
        assert!((nines(0.999, 1_000_000) - 3.0).abs() < 1e-9);
        assert!((nines(1.0, 1000) - 3.0).abs() < 1e-9);
        assert_eq!((nines(f64::NAN, 10), nines(-3.0, 10), nines(2.0, 0)), (0.0, 0.0, 1.0));
    }

    #[test]
    fn nothing_has_no_curve_and_one_value_is_flat() {
        assert_eq!(of(&empty()), []);
        let mut one = empty();
        one.record(7000).unwrap();
        assert!(of(&one).iter().all(|(_, ms)| (ms - 7.0).abs() < 0.01), "{:?}", of(&one));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn curves_rise_and_end_with_the_worst(values in prop::collection::vec(0_u64..1 << 32, 1..200)) {
            let mut histogram = empty();
            values.iter().for_each(|value| histogram.record(*value).unwrap());
            let points = of(&histogram);
            prop_assert!(points.len() <= POINTS_MAX);
            prop_assert!(points.windows(2).all(|two| two[0].0 < two[1].0 && two[0].1 <= two[1].1));
            prop_assert_eq!(points.last().unwrap(), &(1.0, histogram.max() as f64 / 1000.0));
        }
    }
}
