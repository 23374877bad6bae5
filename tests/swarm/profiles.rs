//! Each profile against millstream: that it does what its name says, and that everybody who is owed
//! every frame gets it.

use crate::generator::Report;
use millstream_testkit::{Driver, Scratch, Server, Target};

/// Runs a profile for some seconds.
fn run(profile: &str, arguments: &[&str]) -> Report {
    let binary = env!("CARGO_BIN_EXE_millstream").into();
    // Publishers come and go: whoever comes next may have the name.
    let args = vec!["--latency-budget".into(), "0".into()];
    let target = Target::Millstream { binary, driver: Driver::Default, args };
    let scratch = Scratch::new("profile").unwrap();
    let mut server = Server::start(&scratch, &target).unwrap();
    let (url, pid) = (server.url("load"), server.process().id());
    let all = [&["--profile", profile], arguments].concat();
    let report = Report::of_run(&scratch, &url, pid, &all);
    server.process().check_unharmed().unwrap();
    assert_eq!(report.troubles(), Vec::<String>::new(), "{profile}\n{report}");
    report
}

#[test]
fn a_ramp_grows_evenly() {
    let report = run("ramp", &["--players", "40", "--seconds", "4", "--sample", "250ms"]);
    let playing: Vec<u64> = report.series("playing");
    assert_eq!(playing.last(), Some(&40), "{playing:?}");
    // Halfway there is neither nobody nor everybody.
    assert!(playing.iter().filter(|count| (5..35).contains(*count)).count() >= 4, "{playing:?}");
}

#[test]
fn a_storm_comes_three_times() {
    let report = run("join-storm", &["--players", "40", "--seconds", "3"]);
    assert_eq!(report.number("/groups/0/joined"), 120, "{report}");
    assert_eq!(report.joins(), 120, "{report}");
}

#[test]
fn players_that_flap_come_again() {
    let report = run("flapping-players", &["--players", "24", "--seconds", "8"]);
    assert_eq!(report.number("/groups/0/joined"), 12, "{report}");
    for group in [1, 2] {
        let of = |name: &str| report.number(&format!("/groups/{group}/{name}"));
        assert!(of("left") >= 6 && of("joined") > 6, "{report}");
    }
}

#[test]
fn publishers_that_flap_come_again_and_their_players_stay() {
    let arguments = ["--publishers", "4", "--players", "16", "--seconds", "10"];
    let report = run("flapping-publishers", &arguments);
    assert!(report.number("/publishers/left") >= 4, "{report}");
    assert!(report.number("/publishers/accepted") > 4, "{report}");
    // The server holds a stream for its publisher.
    assert_eq!(report.number("/groups/0/joined"), 16, "{report}");
}

#[test]
fn who_reads_slowly_harms_nobody_else() {
    let arguments = ["--players", "20", "--seconds", "5", "--bitrate", "8"];
    let report = run("slow-readers", &arguments);
    let bytes = |group: u32| report.number(&format!("/groups/{group}/bytes"));
    // 14 read properly, 2 byte by byte, 2 not at all.
    assert!(bytes(2) / 2 < bytes(0) / 14 / 4 && bytes(3) / 2 < bytes(0) / 14 / 4, "{report}");
}

#[test]
fn of_two_publishers_one_has_the_stream() {
    let arguments = ["--publishers", "2", "--players", "8", "--seconds", "10"];
    let report = run("takeover", &arguments);
    let begun = report.number("/publishers/begun");
    assert!(begun >= 6, "{report}");
    assert!(report.number("/publishers/accepted") <= begun, "{report}");
}

#[test]
fn streams_of_all_kinds_mix() {
    let report = run("mixed", &["--players", "40", "--seconds", "6"]);
    assert_eq!(report.number("/publishers/publishing"), 4, "{report}");
    for group in 0..3 {
        assert!(report.number(&format!("/groups/{group}/video/frames")) > 0, "{report}");
    }
}
