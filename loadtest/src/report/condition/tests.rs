//! Conditions are read, printed, and hold when they should.

use super::*;
use crate::account::times::Time;
use crate::report::samples;
use proptest::prelude::*;

fn condition(text: &str) -> Condition {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn conditions_are_read_as_people_write_them() {
    for (text, printed) in [
        ("p99>50ms", "p99>50ms"),
        ("video.p99 > 50 ms", "p99>50ms"),
        ("audio.p99>=80ms", "audio.p99>=80ms"),
        ("first-frame.p50>1s", "first-frame.p50>1s"),
        ("join.p99.9<=1.5s", "first-frame.p99.9<=1.5s"),
        ("p99.90>250us", "p99.9>250us"),
        ("max>2s", "max>2s"),
        ("own-lag.max>2ms", "own-lag.max>2ms"),
        ("lost>0", "lost>0"),
        ("playing<1000", "playing<1000"),
        ("cpu_per_gb>0.7", "cpu_per_gb>0.7"),
        ("resident>500mb", "resident>500MB"),
        ("per_player>16KB", "per_player>16KB"),
        ("delivered<99.9%", "delivered<99.9%"),
    ] {
        assert_eq!(condition(text).to_string(), printed);
    }
}

#[test]
fn what_is_wrong_is_named() {
    for (text, error) in [
        ("", ConditionError::Operator),
        ("lost", ConditionError::Operator),
        ("lost=0", ConditionError::Operator),
        ("found>0", ConditionError::Metric),
        ("playing.p99>1ms", ConditionError::Metric),
        (".p99>1ms", ConditionError::Metric),
        ("p>1ms", ConditionError::Metric),
        ("p100>1ms", ConditionError::Percentile),
        ("p0>1ms", ConditionError::Percentile),
        ("p99.9999>1ms", ConditionError::Percentile),
        ("p9x>1ms", ConditionError::Percentile),
        ("lost>", ConditionError::Number),
        ("lost>-1", ConditionError::Number),
        ("lost>1.2.3", ConditionError::Number),
        ("p99>inf", ConditionError::Number),
    ] {
        assert_eq!(text.parse::<Condition>(), Err(error), "{text}");
    }
    let huge = format!("lost>{}", "9".repeat(400));
    assert_eq!(huge.parse::<Condition>(), Err(ConditionError::Number));
    for (text, said) in [
        ("p99>50", "ms s us"),
        ("p99>50MB", "ms s us"),
        ("lost>5ms", "no unit"),
        ("resident>5", "KB MB GB B"),
        ("delivered<0.999", "unit: %"),
        ("found>0", "audio.p99"),
        ("found>0", "cpu_per_gb"),
    ] {
        let error = text.parse::<Condition>().unwrap_err().to_string();
        assert!(error.contains(said), "{text}: {error}");
    }
}

#[test]
fn conditions_hold_by_what_was_measured() {
    let report = samples::report();
    let p99 = report.delay(Time::Video).unwrap().percentiles.p99;
    assert!(condition(&format!("p99>{}ms", p99 - 1.0)).fails(&report).is_some());
    assert!(condition(&format!("p99>{}ms", p99 + 1.0)).fails(&report).is_none());
    assert!(condition("p99<1s").fails(&report).is_some());
    assert!(condition("delivered<100%").fails(&report).is_none());
    assert!(condition("delivered<=100%").fails(&report).is_some());
    assert!(condition("lost>0").fails(&report).is_none());
    assert!(condition("lost>=0").fails(&report).is_some());
    assert!(condition("resident>1MB").fails(&report).is_some());
    assert!(condition("resident>100GB").fails(&report).is_none());
    let said = condition("playing<100000").fails(&report).unwrap();
    assert_eq!(said, "playing<100000: playing was 1500");
}

#[test]
fn what_was_not_measured_fails() {
    let mut report = samples::report();
    report.server = None;
    for step in &mut report.steps {
        step.server = None;
    }
    for text in ["cpu_per_gb>9", "server_cores>64", "resident>9GB", "per_player>9GB", "switches>9"]
    {
        let said = condition(text).fails(&report).unwrap_or_default();
        assert!(said.contains("was not measured"), "{text}: {said}");
    }
    let nothing = Report::default();
    for known in &METRICS {
        let text = format!("{}>1{}", known.name, known.units[0].text());
        assert!(condition(&text).fails(&nothing).is_some(), "{text}");
    }
    assert!(condition("p50>1s").fails(&nothing).is_some());
    assert!(condition("join.max>1s").fails(&nothing).is_some());
}

fn any_metric() -> impl Strategy<Value = Metric> {
    let quantile = prop_oneof![(1_u32..100_000).prop_map(Quantile::At), Just(Quantile::Max)];
    prop_oneof![
        (0..metric::TIMES.len(), quantile)
            .prop_map(|(at, quantile)| Metric::Time(metric::TIMES[at].1, quantile)),
        (0..METRICS.len()).prop_map(|at| Metric::Known(&METRICS[at])),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn what_is_printed_is_read_back(
        metric in any_metric(), operator in 0_usize..4, limit in 0.0..1e12_f64, unit in 0_usize..4,
    ) {
        let units = metric.units();
        let unit = units[unit % units.len()];
        let operator = Operator::ALL[operator].0;
        let condition = Condition { metric, operator, limit, unit };
        prop_assert_eq!(condition.to_string().parse(), Ok(condition));
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,20}", metric in "[a-z.0-9]{0,8}", rest in "[<>=0-9.a-z%]{0,8}") {
        let _ = text.parse::<Condition>();
        let _ = format!("{metric}{rest}").parse::<Condition>();
    }
}
