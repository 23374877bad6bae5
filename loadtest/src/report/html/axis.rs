//! Axes of plots: from values to places, and where the ticks stand.

use crate::report::curve;

/// Greatest value that an axis shows; files may claim anything.
const VALUE_MAX: f64 = 1e15;
/// An axis shows at least this much: beneath it, nothing is measured.
const VALUE_MIN: f64 = 1e-3;
/// A logarithmic axis spans no more than so many decades, counted from its top.
const DECADES_MAX: f64 = 6.0;

/// How an axis divides its values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// Evenly, from zero.
    Linear,
    /// The same, for what is counted: there is nothing between one and two.
    Whole,
    /// By their logarithm.
    Logarithmic,
}

/// An axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    scale: Scale,
    low: f64,
    high: f64,
    /// Values and their labels.
    pub ticks: Vec<(f64, String)>,
}

impl Axis {
    /// One that shows all these values.
    pub fn of(scale: Scale, values: impl Iterator<Item = f64>) -> Self {
        let values = values.filter(|value| value.is_finite()).map(|v| v.clamp(0.0, VALUE_MAX));
        let (mut least, mut greatest) = (f64::INFINITY, 0.0_f64);
        for value in values {
            greatest = greatest.max(value);
            if value > 0.0 {
                least = least.min(value);
            }
        }
        if greatest <= 0.0 {
            (least, greatest) = (1.0, 1.0);
        }
        greatest = greatest.max(VALUE_MIN);
        match scale {
            Scale::Linear => Self::linear(greatest, 5.0),
            Scale::Whole => Self::linear(greatest.max(1.0), greatest.clamp(1.0, 5.0)),
            Scale::Logarithmic => Self::logarithmic(least, greatest),
        }
    }

    /// From zero to about `greatest`, with about so many ticks.
    pub fn linear(greatest: f64, ticks: f64) -> Self {
        let step = round_step(greatest / ticks);
        let count = (greatest / step - 1e-9).ceil().clamp(1.0, 20.0);
        let ticks = (0..=count as u32).map(|at| f64::from(at) * step);
        Self {
            scale: Scale::Linear,
            low: 0.0,
            high: count * step,
            ticks: ticks.map(|value| (value, label(value))).collect(),
        }
    }

    /// Exactly from zero to `greatest`: for time, which ends when the run does.
    pub fn time(greatest: f64, ticks: f64) -> Self {
        let greatest = if greatest.is_finite() { greatest.clamp(1e-3, VALUE_MAX) } else { 1.0 };
        let mut axis = Self::linear(greatest, ticks);
        axis.high = greatest;
        axis.ticks.retain(|(value, _)| *value <= greatest * (1.0 + 1e-9));
        axis
    }

    fn logarithmic(least: f64, greatest: f64) -> Self {
        let low = least.max(greatest / 10_f64.powf(DECADES_MAX)).max(VALUE_MIN / 10.0);
        let decades = (greatest / low).log10();
        let factors: &[f64] = if decades > 3.0 { &[1.0] } else { &[1.0, 2.0, 5.0] };
        let (from, to) = (low.log10().floor() as i32, greatest.log10().ceil() as i32);
        let steps = (from..=to)
            .flat_map(|power| factors.iter().map(move |factor| factor * 10_f64.powi(power)));
        let steps: Vec<f64> = steps.collect();
        let below = |value: &&f64| **value <= low * (1.0 + 1e-9);
        let first = steps.iter().rfind(below).copied().unwrap_or(low);
        let above = |value: &&f64| **value >= greatest * (1.0 - 1e-9);
        let last = steps.iter().find(above).copied().unwrap_or(greatest);
        // A single value needs room on both sides of it.
        let last = if last > first { last } else { first * 10.0 };
        let shown = steps.into_iter().filter(|value| (first..=last).contains(value));
        Self {
            scale: Scale::Logarithmic,
            low: first,
            high: last,
            ticks: shown.map(|value| (value, label(value))).collect(),
        }
    }

    /// Percentiles by their number of nines, to so many. The label of each is the percentile.
    pub fn nines(most: f64) -> Self {
        let most = if most.is_finite() { most.clamp(1.0, 12.0) } else { 1.0 };
        let known = [
            (0.0, "0"),
            (curve::nines(0.5, u64::MAX), "50"),
            (1.0, "90"),
            (2.0, "99"),
            (3.0, "99.9"),
            (4.0, "99.99"),
            (5.0, "99.999"),
            (6.0, "99.9999"),
        ];
        let ticks = known.into_iter().filter(|(nines, _)| *nines <= most + 1e-9);
        Self {
            scale: Scale::Linear,
            low: 0.0,
            high: most,
            ticks: ticks.map(|(nines, label)| (nines, label.to_owned())).collect(),
        }
    }

    /// Where a value stands, from 0 to 1.
    pub fn place(&self, value: f64) -> f64 {
        let value = if value.is_finite() { value } else { self.low };
        let place = match self.scale {
            Scale::Linear | Scale::Whole => (value - self.low) / (self.high - self.low),
            Scale::Logarithmic => {
                (value.max(self.low) / self.low).log10() / (self.high / self.low).log10()
            }
        };
        if place.is_finite() { place.clamp(0.0, 1.0) } else { 0.0 }
    }
}

/// The next of 1, 2, 5, 10, 20, 50 and so on.
fn round_step(step: f64) -> f64 {
    if !step.is_finite() || step <= 0.0 {
        return 1.0;
    }
    let power = 10_f64.powf(step.log10().floor());
    let factor = step / power;
    let factors = [1.0, 2.0, 5.0, 10.0];
    factors.into_iter().find(|known| *known >= factor - 1e-9).unwrap_or(10.0) * power
}

/// A number of a tick: short, and never more exact than the tick.
pub fn label(value: f64) -> String {
    let (value, suffix) = match value {
        value if value >= 1e12 => (value / 1e12, " T"),
        value if value >= 1e9 => (value / 1e9, " G"),
        value if value >= 1e6 => (value / 1e6, " M"),
        value if value >= 1e4 => (value / 1e3, " k"),
        value => (value, ""),
    };
    let text = format!("{value:.6}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    format!("{text}{suffix}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn labels(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().map(|(_, label)| label.as_str()).collect()
    }

    #[test]
    fn ticks_are_round() {
        let axis = Axis::of(Scale::Linear, [3.0, 87.0].into_iter());
        assert_eq!(labels(&axis), ["0", "20", "40", "60", "80", "100"]);
        let axis = Axis::of(Scale::Linear, [0.3].into_iter());
        assert_eq!(labels(&axis), ["0", "0.1", "0.2", "0.3"]);
        for (greatest, ticks) in [(1.0, "0 1"), (3.0, "0 1 2 3"), (7.0, "0 2 4 6 8")] {
            let axis = Axis::of(Scale::Whole, [greatest].into_iter());
            assert_eq!(labels(&axis).join(" "), ticks);
        }
        let axis = Axis::of(Scale::Logarithmic, [3.0, 870.0].into_iter());
        assert_eq!(labels(&axis), ["2", "5", "10", "20", "50", "100", "200", "500", "1000"]);
        let axis = Axis::of(Scale::Logarithmic, [0.01, 87_000.0].into_iter());
        assert_eq!(labels(&axis), ["0.01", "0.1", "1", "10", "100", "1000", "10 k", "100 k"]);
        assert_eq!(labels(&Axis::nines(3.4)), ["0", "50", "90", "99", "99.9"]);
        assert_eq!(labels(&Axis::time(130.0, 6.0)), ["0", "50", "100"]);
    }

    #[test]
    fn places_are_where_the_ticks_are() {
        let axis = Axis::of(Scale::Logarithmic, [1.0, 100.0].into_iter());
        assert!((axis.place(10.0) - 0.5).abs() < 1e-9);
        assert_eq!((axis.place(0.0), axis.place(1e9), axis.place(f64::NAN)), (0.0, 1.0, 0.0));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn whatever_is_shown_has_a_place_and_few_ticks(
            values in prop::collection::vec(any::<f64>(), 0..8), small in prop::collection::vec(0.0..1e4_f64, 0..8),
        ) {
            for scale in [Scale::Linear, Scale::Logarithmic] {
                let all = values.iter().chain(&small).copied();
                let axis = Axis::of(scale, all.clone());
                prop_assert!((2..=22).contains(&axis.ticks.len()), "{:?}", axis);
                for value in all {
                    prop_assert!((0.0..=1.0).contains(&axis.place(value)));
                }
                let places: Vec<f64> = axis.ticks.iter().map(|(value, _)| axis.place(*value)).collect();
                prop_assert!(places.windows(2).all(|two| two[0] < two[1]), "{:?}", places);
            }
        }
    }
}
