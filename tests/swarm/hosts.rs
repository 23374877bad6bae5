//! Several generators against one server, as on several hosts, and what their reports are together.

use crate::generator::{Report, program};
use millstream_testkit::{Driver, Scratch, Server, Target};
use std::path::Path;
use std::process::{Child, Command, Stdio};

fn server(scratch: &Scratch) -> Server {
    let binary = env!("CARGO_BIN_EXE_millstream").into();
    let args = Vec::new();
    Server::start(scratch, &Target::Millstream { binary, driver: Driver::Default, args }).unwrap()
}

fn start(url: &str, json: &Path, arguments: &[&str]) -> Child {
    let mut command = Command::new(program());
    command.arg(url).args(arguments).arg("--quiet").arg("--json").arg(json);
    command.stdout(Stdio::null()).spawn().unwrap()
}

fn ended(mut run: Child) {
    let status = run.wait().unwrap();
    // 3 says that the machine was too busy to believe any times. Frames are right all the same.
    assert!(matches!(status.code(), Some(0 | 3)), "{status}");
}

#[test]
fn two_hosts_with_streams_of_their_own_are_one_run_together() {
    let scratch = Scratch::new("hosts").unwrap();
    let server = server(&scratch);
    let (url, both) = (server.url("load"), scratch.file("both.json"));
    let (east, west) = (scratch.file("east.json"), scratch.file("west.json"));
    let (east_log, west_log) = (scratch.file("east.hlog"), scratch.file("west.hlog"));
    let run = |first: &str, json: &Path, log: &Path| {
        let log = log.to_str().unwrap();
        let common = ["--publishers", "2", "--players", "6", "--seconds", "3"];
        start(&url, json, &[&common[..], &["--first-stream", first, "--hdr-log", log]].concat())
    };
    let runs = [run("0", &east, &east_log), run("2", &west, &west_log)];
    runs.into_iter().for_each(ended);

    let merged = Command::new(program())
        .args(["merge", "--json"])
        .args([&both, &east, &west])
        .output()
        .unwrap();
    assert!(matches!(merged.status.code(), Some(0 | 3)), "{merged:?}");
    let [east, west, both] = [east, west, both].map(|file| Report::read(&file));
    assert_eq!(both.troubles(), Vec::<String>::new(), "{both}");
    assert_eq!((both.joins(), both.number("/publishers/accepted")), (12, 4), "{both}");
    let frames = |report: &Report| report.number("/groups/0/video/frames");
    assert_eq!(frames(&both), frames(&east) + frames(&west));
    assert!(frames(&both) > 12 * 60);

    let logs = Command::new(program()).arg("merge").args([&east_log, &west_log]).output().unwrap();
    let text = String::from_utf8_lossy(&logs.stdout);
    assert!(logs.status.success() && text.contains("video"), "{logs:?}");
}

#[test]
fn one_host_publishes_and_another_plays() {
    let scratch = Scratch::new("halves").unwrap();
    let server = server(&scratch);
    let url = server.url("load{}");
    let (sent, played) = (scratch.file("sent.json"), scratch.file("played.json"));
    let publishing = ["--publishers", "2", "--players", "0", "--seconds", "7", "--wall-clock"];
    let publishing = start(&url, &sent, &publishing);
    std::thread::sleep(std::time::Duration::from_secs(2));
    let playing = ["--publishers", "0", "--streams", "2", "--players", "8", "--seconds", "3"];
    let playing = start(&url, &played, &[&playing[..], &["--wall-clock"]].concat());
    ended(playing);
    ended(publishing);

    let played = Report::read(&played);
    assert_eq!(played.troubles(), Vec::<String>::new(), "{played}");
    assert_eq!((played.joins(), played.playing()), (8, 8), "{played}");
    for (track, frames, delays) in played.tracks() {
        assert!(frames >= delays && delays >= 8 * 60, "{track}\n{played}");
    }
    // Two programs, one clock: what was sent seconds ago is no delay of seconds.
    let worst = played.value("/steps/0/times/video/p50");
    assert!((0.0..1000.0).contains(&worst), "{worst}");
}
