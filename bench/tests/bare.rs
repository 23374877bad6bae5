//! The bare sender under the load generator: every frame must come, whatever the policy, or what
//! it costs is the price of something else.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use bench::bare::{Medium, Options, Policy, Sender, SocketOptions, Totals};
use loadtest::plan::{Plan, Step};
use loadtest::report::{Report, Verdict};
use loadtest::swarm::director;
use loadtest::swarm::peer::Target;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Plays some seconds of some streams.
fn load(address: SocketAddr, publishers: u32, players: usize) -> Report {
    let cores = std::thread::available_parallelism().unwrap().get();
    let url = format!("rtmp://{address}/live/load");
    let plan = Plan {
        target: Target::from_url(&url, publishers > 1, false).unwrap(),
        publishers,
        played: publishers,
        bitrate: 1_000_000,
        fps: 30,
        cores: vec![cores - 1],
        nap: Duration::from_millis(2),
        steps: vec![Step { players, length: Duration::from_secs(2) }],
        pid: None,
        http: None,
        sample: Duration::from_millis(500),
    };
    director::run(&plan, &mut |_| {}).unwrap()
}

/// Runs a sender for as long as it is loaded.
fn run(policy: Policy, medium: Medium, publishers: u32, players: usize) -> (Report, Totals) {
    let options = Options { policy, medium, socket: SocketOptions::default() };
    let sender = Sender::listen("127.0.0.1:0".parse().unwrap(), options).unwrap();
    let (address, stop) = (sender.address(), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let sender = scope.spawn(|| sender.run(&stop, Duration::from_secs(60)));
        let report = load(address, publishers, players);
        stop.store(true, Ordering::Relaxed);
        let totals = sender.join().unwrap().unwrap();
        println!("{report}\n{totals}");
        (report, totals)
    })
}

/// Every frame came. Whether this machine had time for the generator is not what is judged.
fn assert_whole(report: &Report, totals: &Totals) {
    assert!(report.verdict != Verdict::Fail, "{:?}", report.reasons);
    assert_eq!(report.video.faults() + report.audio.faults(), 0, "{report}");
    assert!(report.errors.is_empty(), "{:?}", report.errors);
    assert!(report.video.frames > 0 && report.audio.frames > 0 && report.compared > 0);
    assert_eq!(totals.overtaken, 0);
    assert!(totals.bytes_sent >= report.bytes, "{totals}");
}

#[test]
fn every_frame_comes_at_once() {
    let (report, totals) = run(Policy::AtOnce, Medium::Memory, 1, 20);
    assert_whole(&report, &totals);
    // Each message apart, but for those that came in one read.
    assert!(totals.sends > (report.video.frames + report.audio.frames) / 2, "{totals}");
}

#[test]
fn every_frame_comes_when_audio_rides() {
    let (report, totals) = run(Policy::Ride, Medium::Memory, 5, 20);
    assert_whole(&report, &totals);
}

#[test]
fn every_frame_comes_in_windows_and_few_sends() {
    let window = Duration::from_millis(100);
    let (report, totals) = run(Policy::Window(window), Medium::Memory, 5, 20);
    assert_whole(&report, &totals);
    assert!(totals.sends < (report.video.frames + report.audio.frames) / 4, "{totals}");
}

#[test]
fn every_frame_comes_out_of_a_file() {
    let window = Duration::from_millis(50);
    let (report, totals) = run(Policy::Window(window), Medium::File, 2, 20);
    assert_whole(&report, &totals);
}
