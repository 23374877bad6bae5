//! The bare sender under the load generator: every frame must come, whatever the policy, or what
//! it costs is the price of something else.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use bench::bare::{
    Medium, Options, Policy, Sender, Sends, Setup, SocketOptions, ThreadedSender, Totals, Waits,
};
use loadtest::media::shape::Shape;
use loadtest::media::source::Source;
use loadtest::plan::{Plan, Publishers, Target};
use loadtest::report::{Report, Verdict};
use loadtest::swarm::director;
use rustix::process::{Pid, Signal, kill_process};
use std::io::{self, BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Plays some seconds of some streams.
fn load(address: SocketAddr, publishers: u32, players: usize) -> Report {
    let cores = std::thread::available_parallelism().unwrap().get();
    let url = format!("rtmp://{address}/live/load");
    let target = Target::from_url(&url, publishers > 1, false).unwrap();
    let plan = Plan {
        publishers: Publishers::steady(publishers),
        played: publishers,
        sources: vec![Arc::new(Source::Generated(Shape::new(1_000_000, 30)))],
        cores: vec![cores - 1],
        sample: Duration::from_millis(500),
        ..Plan::steady(target, players, Duration::from_secs(2))
    };
    Report::of(&director::run(&plan, &mut ()).unwrap(), &[])
}

/// Runs a sender for as long as it is loaded.
fn run(policy: Policy, medium: Medium, publishers: u32, players: usize) -> (Report, Totals) {
    run_with(Options { medium, ..Options::plain(policy) }, publishers, players)
}

fn run_with(options: Options, publishers: u32, players: usize) -> (Report, Totals) {
    let sender = Sender::listen("127.0.0.1:0".parse().unwrap(), options).unwrap();
    let address = sender.address();
    loaded(address, |stop| sender.run(stop, Duration::from_secs(60)), publishers, players)
}

/// Runs a sender of any kind for as long as it is loaded.
fn loaded(
    address: SocketAddr,
    run: impl FnOnce(&AtomicBool) -> io::Result<Totals> + Send,
    publishers: u32,
    players: usize,
) -> (Report, Totals) {
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let sender = scope.spawn(|| run(&stop));
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
    assert!(report.steps.iter().all(|step| step.playing == step.wanted), "{report}");
    assert!(report.judged().faults().iter().all(|(_, count)| *count == 0), "{report}");
    assert_eq!(report.errors(), 0, "{report}");
    let players = &report.groups[0];
    assert!(players.video.frames > 0 && players.audio.frames > 0 && players.compared > 0);
    assert_eq!(totals.overtaken, 0);
    assert!(totals.bytes_sent >= report.groups[0].bytes, "{totals}");
}

#[test]
fn every_frame_comes_at_once() {
    let (report, totals) = run(Policy::AtOnce, Medium::Memory, 1, 20);
    assert_whole(&report, &totals);
    // Each message apart, but for those that came in one read.
    assert!(totals.sends > report.judged().frames / 2, "{totals}");
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
    assert!(totals.sends < report.judged().frames / 4, "{totals}");
}

#[test]
fn every_frame_comes_out_of_a_file() {
    let window = Duration::from_millis(50);
    let (report, totals) = run(Policy::Window(window), Medium::File, 2, 20);
    assert_whole(&report, &totals);
}

#[test]
fn every_frame_comes_in_phases() {
    let policy = Policy::Window(Duration::from_millis(100));
    let options = Options { phases: 4, ..Options::plain(policy) };
    let (report, totals) = run_with(options, 2, 20);
    assert_whole(&report, &totals);
    assert!(totals.sends < report.judged().frames / 4, "{totals}");
}

#[test]
fn every_frame_comes_through_a_ring() {
    let options = Options { sends: Sends::Ring, ..Options::plain(Policy::Ride) };
    let (report, totals) = run_with(options, 2, 20);
    assert_whole(&report, &totals);
}

#[test]
fn every_frame_comes_from_a_runtime() {
    for waits in [Waits::Ready(Setup::Coop), Waits::Held(Setup::Defer)] {
        let options = Options { waits, ..Options::plain(Policy::Ride) };
        let (report, totals) = run_with(options, 5, 20);
        assert_whole(&report, &totals);
    }
}

#[test]
fn every_frame_comes_through_three_threads() {
    let listen = "127.0.0.1:0".parse().unwrap();
    let sender = ThreadedSender::listen(listen, SocketOptions::default()).unwrap();
    let address = sender.address();
    let (report, totals) = loaded(address, |stop| sender.run(stop, Duration::from_secs(60)), 5, 20);
    assert_whole(&report, &totals);
}

/// The line of the URL, how it ended, and what it said then.
fn started(arguments: &[&str], signal: Option<Signal>) -> (String, ExitStatus, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_bare"))
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    if let Some(signal) = signal {
        kill_process(Pid::from_child(&child), signal).unwrap();
    }
    let mut told = String::new();
    child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
    (line, child.wait().unwrap(), told)
}

#[test]
fn the_program_tells_its_url_and_ends_when_told_or_in_time() {
    let began = Instant::now();
    let window = ["--policy", "window", "--window", "350ms"];
    let (line, status, told) = started(&window, Some(Signal::TERM));
    assert!(line.starts_with("rtmp://127.0.0.1:") && line.ends_with("/live/NAME 350ms window\n"));
    assert!(status.success() && told.starts_with("0 bytes in 0 sends"), "{status} {told}");
    let (line, status, _) = started(&["--policy", "ride", "--for", "1"], None);
    assert!(line.ends_with("/live/NAME audio rides on video\n") && status.success(), "{line}");
    let (_, status, told) = started(&["--congestion", "no-such"], None);
    assert!(!status.success() && told.starts_with("bare: "), "{status} {told}");
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
}
