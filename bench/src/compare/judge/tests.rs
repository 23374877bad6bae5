//! From runs made up to verdicts.

use super::*;
use crate::compare::plan::MOST;
use crate::compare::scene::Scene;
use crate::compare::target::TARGETS;

fn run(group: &str, subject: &str, round: u32, players: u32, cpu: f64, p99: f64) -> Run {
    let measured = Measured {
        verdict: "pass".to_owned(),
        right: true,
        cpu_per_gb: Some(cpu),
        video: Some([p99 / 2.0, p99, p99 * 2.0]),
        ..Measured::default()
    };
    Run {
        group: group.to_owned(),
        scene: Scene::fan_out(players, 5.0),
        subject: subject.to_owned(),
        round,
        outcome: Ok(measured),
        took_s: 8.0,
    }
}

fn judge(runs: &[Run]) -> Vec<Line> {
    Judge { runs, noisy: false, players: 1000 }.lines(TARGETS)
}

fn line<'a>(lines: &'a [Line], what: &str, against: &str) -> &'a Line {
    lines.iter().find(|l| l.what.starts_with(what) && l.against.starts_with(against)).unwrap()
}

#[test]
fn a_ratio_is_the_median_over_rounds_and_leaves_out_what_does_not_count() {
    let mut runs = Vec::new();
    for (round, cpu) in [(1, 1.0), (2, 1.1), (3, 1.3), (4, 1.05), (5, 9.0)] {
        runs.push(run("ride", "bare", round, 1000, 1.0, 10.0));
        runs.push(run("ride", "millstream", round, 1000, cpu, 12.0));
    }
    runs[9].outcome.as_mut().unwrap().right = false;
    let lines = judge(&runs);
    let cpu = line(&lines, "CPU per GB, sent at once", "bare");
    assert_eq!((cpu.rounds, cpu.verdict), ((4, 5), Verdict::Met));
    let spread = cpu.spread.unwrap();
    assert!((spread.median - 1.075).abs() < 1e-9 && spread.highest == 1.3);
    assert_eq!(line(&lines, "delay of video", "bare sender's p99").verdict, Verdict::Missed);
    let nginx = line(&lines, "CPU per GB, sent at once", "nginx");
    assert_eq!((nginx.verdict, nginx.note.as_str()), (Verdict::NotMeasured, ""));
}

#[test]
fn the_most_are_those_carried_before_the_first_that_were_not() {
    let mut runs: Vec<Run> = [(500, 9.0), (2000, 30.0), (4000, 500.0), (8000, 300.0)]
        .map(|(players, p99)| run("climb", MOST, 1, players, 0.3, p99))
        .into();
    runs.push(run("climb", "nginx", 1, 500, 0.9, 9.0));
    let lines = judge(&runs);
    let most = line(&lines, "most viewers", "");
    assert_eq!((most.found.as_str(), most.verdict), ("2000", Verdict::Missed));
    // Whoever carries them does so although the load's own core is full.
    runs[1].outcome.as_mut().unwrap().verdict = "invalid".to_owned();
    assert_eq!(line(&judge(&runs), "most viewers", "").found, "2000");
    runs[1].outcome.as_mut().unwrap().right = false;
    assert_eq!(line(&judge(&runs), "most viewers", "").found, "500");
    assert!(most.note.contains("4000 players: p99 500 ms; others: nginx 500"), "{}", most.note);
}

#[test]
fn who_is_cheaper_and_sooner_beyond_the_spread_dominates() {
    let mut runs = vec![
        run("climb", "millstream", 1, 500, 0.5, 10.0),
        run("climb", "millstream", 2, 500, 0.6, 12.0),
        run("climb", "nginx", 1, 500, 0.55, 5.0),
        run("climb", "bare", 1, 500, 0.1, 1.0),
    ];
    let verdict = |runs: &[Run]| line(&judge(runs), "adaptive", "at 500").verdict;
    assert_eq!(verdict(&runs), Verdict::Met);
    runs[2] = run("climb", "nginx", 1, 500, 0.49, 9.0);
    assert_eq!(verdict(&runs), Verdict::Missed);
    runs[2] = run("climb", "nginx", 1, 500, 0.4, 11.0);
    assert_eq!(verdict(&runs), Verdict::Met);
}

#[test]
fn memory_is_what_was_added() {
    let mut viewers = run("memory", "millstream", 1, 0, 1.0, 1.0);
    let measured = viewers.outcome.as_mut().unwrap();
    measured.players = vec![500, 2500];
    measured.resident = vec![10_000_000, 13_000_000];
    let mut publishers = run("publishers", "millstream", 1, 0, 1.0, 1.0);
    publishers.scene = Scene::ingest(1000, 3.0);
    let measured = publishers.outcome.as_mut().unwrap();
    measured.resident_before = 5_000_000;
    measured.resident = vec![105_000_000];
    let lines = judge(&[viewers, publishers]);
    let viewer = line(&lines, "memory per added viewer", "");
    assert_eq!((viewer.spread.unwrap().median, viewer.verdict), (1500.0, Verdict::Met));
    let publisher = line(&lines, "memory per publisher", "");
    assert_eq!((publisher.spread.unwrap().median, publisher.verdict), (100_000.0, Verdict::Missed));
}

#[test]
fn nothing_is_no_pass() {
    let lines = judge(&[]);
    assert_eq!(lines.len(), TARGETS.len());
    assert!(lines.iter().all(|line| line.verdict == Verdict::NotMeasured));
}
