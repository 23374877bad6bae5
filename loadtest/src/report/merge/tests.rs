//! What two hosts measured is what one would have.

use super::*;
use crate::account::record::{Moment, Observer as _};
use crate::account::times::Times;
use crate::report::samples;
use proptest::prelude::*;

fn log_of(began_unix_ms: u64, samples: &[Times]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer = LogWriter::new(&mut out, "host", began_unix_ms).unwrap();
    for (at, times) in samples.iter().enumerate() {
        let moment = Moment { at_s: at as f64 + 1.0, seconds: 1.0, ..Moment::default() };
        writer.moment(&moment, times);
    }
    writer.finish().unwrap();
    out
}

fn merged(logs: &[Vec<u8>]) -> Logs {
    let read = |bytes: &Vec<u8>| (PathBuf::from("x"), hdrlog::read(bytes).unwrap());
    super::logs(logs.iter().map(read).collect()).unwrap()
}

fn times(values_us: &[u64]) -> Times {
    let mut times = Times::default();
    values_us.iter().for_each(|us| times.enter(Time::Video, us * 1000));
    times
}

#[test]
fn intervals_are_laid_over_one_another_by_the_clock() {
    // The second host began 2.1 s later.
    let first = log_of(1_000_000_000_000, &[times(&[1]), times(&[2]), times(&[3])]);
    let second = log_of(1_000_000_002_100, &[times(&[30]), times(&[40])]);
    let merged = merged(&[first, second]);
    let mut out = Vec::new();
    let mut writer = LogWriter::new(&mut out, "", merged.start_unix_ms()).unwrap();
    merged.write(&mut writer).unwrap();
    writer.finish().unwrap();
    let log = hdrlog::read(&out).unwrap();
    assert_eq!(log.start_unix_s, 1e9);
    let counts: Vec<(f64, u64, u64)> = log
        .intervals
        .iter()
        .map(|interval| {
            let histogram = interval.histogram().unwrap();
            (interval.start_unix_s - 1e9, histogram.len(), histogram.max())
        })
        .collect();
    assert_eq!(counts, [(0.0, 1, 1), (1.0, 1, 2), (2.0, 2, 30), (3.0, 1, 40)]);
    let text = merged.to_string();
    assert!(text.starts_with("2 logs merged\n") && text.contains("video delay"), "{text}");
}

#[test]
fn logs_of_nothing_merge() {
    let merged = merged(&[b"#x\n".to_vec(), Vec::new()]);
    assert!(merged.totals.is_empty() && merged.to_string().contains("2 logs"));
}

#[test]
fn reports_of_hosts_add_up() {
    let host = samples::report();
    let mut both = reports(&[host.clone(), host.clone()]);
    both.judge(&[]);
    assert_eq!(both.verdict, crate::report::Verdict::Pass, "{:?}", both.reasons);
    assert_eq!(both.steps[0].playing, 2 * host.steps[0].playing);
    assert_eq!(both.groups.len(), 1);
    assert_eq!(both.groups[0].video.frames, 2 * host.groups[0].video.frames);
    assert_eq!(both.totals.delivered_bytes, 2 * host.totals.delivered_bytes);
    assert_eq!(both.publishers.wanted, 2 * host.publishers.wanted);
    assert_eq!(both.moments.len(), host.moments.len());
    assert!((both.moments[7].mbit_s - 2.0 * host.moments[7].mbit_s).abs() < 1e-6);
    // One server worked for both: the same time for twice as much.
    let per_gb = |report: &Report| report.server.unwrap().cpu_s_per_gb.unwrap();
    assert!((per_gb(&both) * 2.0 - per_gb(&host)).abs() < 1e-9);
    let per_player = |report: &Report| report.server.unwrap().bytes_per_player.unwrap();
    assert!((per_player(&both) * 2.0 - per_player(&host)).abs() < 1e-6);
    assert_eq!(both.own.cores.len(), 2);
    assert_eq!(both.settings.last().unwrap(), &("hosts".to_owned(), "2".to_owned()));
    let one = both.delay(Time::Video).unwrap();
    assert_eq!(one.percentiles.count, 2 * host.delay(Time::Video).unwrap().percentiles.count);
}

#[test]
fn differing_settings_stand_side_by_side() {
    let hosts = [samples::report(), Report::of(&samples::other(), &[])];
    let merged = reports(&hosts);
    let of = |name: &str| &merged.settings.iter().find(|(known, _)| known == name).unwrap().1;
    assert_eq!(of("steps"), "1500:30 | 200:120,2500:180,600:120");
    assert_eq!(of("publishers"), "4");
    assert_eq!(merged.steps.len(), 3);
    assert_eq!(merged.moments.len(), hosts[1].moments.len());
}

#[test]
fn a_report_without_its_histogram_gives_the_worst() {
    let mut host = samples::report();
    host.delays[0].histogram = empty();
    let merged = reports(&[host.clone(), samples::report()]);
    assert_eq!(merged.delays[0].percentiles.p99, host.delays[0].percentiles.p99);
    assert!(merged.delays[0].curve.is_empty());
    let said = "p99>1s".parse::<Condition>().unwrap().fails(&merged).unwrap();
    assert!(said.contains("not measured"), "{said}");
}

#[test]
fn files_are_told_apart_and_not_mixed() {
    let directory = std::env::temp_dir().join(format!("loadtest-merge-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let path = |name: &str| directory.join(name);
    file::write(&samples::report(), &path("a.json")).unwrap();
    std::fs::write(path("b.hlog"), log_of(1000, &[times(&[5000, 6000])])).unwrap();
    std::fs::write(path("c"), "neither").unwrap();
    let merge_files = merge;
    let merge = |names: &[&str]| {
        let paths: Vec<PathBuf> = names.iter().map(|name| path(name)).collect();
        merge_files(&paths, &[])
    };
    let logs = merge(&["b.hlog", "b.hlog"]).unwrap();
    let both = merge(&["a.json", "a.json"]).unwrap();
    assert!(matches!(merge(&["a.json", "b.hlog"]), Err(MergeError::Mixed)));
    assert!(matches!(merge(&["c"]), Err(MergeError::Log(..))));
    assert!(matches!(merge(&["none"]), Err(MergeError::File(..))));
    assert!(matches!(merge(&[]), Err(MergeError::Nothing)));
    for merged in [logs, both] {
        merged.write_log(&path("out.hlog")).unwrap();
        let read = hdrlog::read(&std::fs::read(path("out.hlog")).unwrap()).unwrap();
        let of_video = read.intervals.iter().find(|interval| interval.tag == "video").unwrap();
        let expected = match &merged {
            Merged::Logs(logs) => logs.totals["video"].clone(),
            Merged::Report(report) => report.delays[0].histogram.clone(),
        };
        assert_eq!(of_video.histogram().unwrap(), expected);
    }
    std::fs::remove_dir_all(&directory).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn two_hosts_are_as_one(
        one in prop::collection::vec(0_u64..10_000_000, 0..60),
        other in prop::collection::vec(0_u64..10_000_000, 0..60),
        later_ms in 0_u64..5000,
    ) {
        let all = times(&[one.clone(), other.clone()].concat());
        let logs = [log_of(1_000_000, &[times(&one)]), log_of(1_000_000 + later_ms, &[times(&other)])];
        let merged = merged(&logs);
        let total = merged.totals.get("video").cloned().unwrap_or_else(empty);
        prop_assert_eq!(&total, all.of(Time::Video));
        let report = |values: &[u64]| {
            let record = crate::account::record::Record { times: times(values), ..Default::default() };
            Report::of(&record, &[])
        };
        let merged = reports(&[report(&one), report(&other)]);
        prop_assert_eq!(&merged.delays[0].histogram, all.of(Time::Video));
        prop_assert_eq!(merged.delays[0].percentiles, Percentiles::of(all.of(Time::Video)));
    }
}
