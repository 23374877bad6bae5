//! Two ffmpegs publish one stream, and a slate is behind them. One player watches through all changes,
//! and what it recorded decodes from the first frame to the last.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

use millstream_testkit::clip::Clip;
use millstream_testkit::players::Player;
use millstream_testkit::process::{Invocation, Process};
use millstream_testkit::publisher::{Ffmpeg, Publication};
use millstream_testkit::{Driver, Scratch, Server, Target};

const PATIENCE: Duration = Duration::from_secs(30);

/// Waits until the server says that somebody in this role feeds its stream.
fn until_fed_by(server: &Server, role: &str) {
    let wanted = format!("\"source\":\"{role}\"");
    let until = Instant::now() + PATIENCE;
    loop {
        let mut socket = TcpStream::connect(server.http().unwrap()).unwrap();
        let request =
            "GET /api/v1/streams HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
        socket.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        if answer.contains(&wanted) {
            return;
        }
        assert!(Instant::now() < until, "{role} does not feed the stream: {answer}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The first two seconds of a clip, in a file of their own.
fn slate(scratch: &Scratch, clip: &Path) -> String {
    let file = scratch.file("slate.flv").display().to_string();
    let cut = Invocation::tool("ffmpeg")
        .unwrap()
        .args(["-nostdin", "-v", "error", "-i", &clip.display().to_string()])
        .args(["-t", "2", "-map", "0", "-c", "copy", &file]);
    Process::start(scratch, "cut", &cut, PATIENCE).unwrap().wait_success().unwrap();
    file
}

/// Decodes all pictures and all sound; any complaint is a failure. Pictures are counted for their time:
/// around a change, those of one encoder that are shown later than decoded (B-frames) have the times of
/// the next one's first.
fn decodes(scratch: &Scratch, file: &Path) {
    let decode = Invocation::tool("ffmpeg")
        .unwrap()
        .args(["-nostdin", "-v", "error", "-xerror", "-err_detect", "explode", "-y"])
        .args(["-i", &file.display().to_string()])
        .args(["-map", "0:v", "-vf", "setpts=N/25/TB", "-f", "rawvideo", "/dev/null"])
        .args(["-map", "0:a", "-f", "s16le", "/dev/null"]);
    let mut process = Process::start(scratch, "decode", &decode, PATIENCE).unwrap();
    process.wait_success().unwrap();
    assert_eq!(process.output(), "", "the decoder complains");
}

#[test]
fn a_player_watches_slate_primary_and_backup() {
    let clip = Clip::H264Aac.path().unwrap();
    let scratch = Scratch::new("backups").unwrap();
    let config = scratch.file("config.toml");
    let file = slate(&scratch, &clip);
    let text =
        format!("[[slate]]\nstream = \"*\"\nfile = \"{file}\"\nafter = \"200ms\"\nmax = \"8s\"\n");
    fs::write(&config, text).unwrap();
    let target = Target::Millstream {
        binary: env!("CARGO_BIN_EXE_millstream").into(),
        driver: Driver::Default,
        args: vec!["--config".into(), config.display().to_string()],
    };
    let mut server = Server::start(&scratch, &target).unwrap();
    let url = server.url("film");
    let publish = |name: &str, query: &str| {
        let url = format!("{url}{query}");
        Publication::start(&scratch, name, Ffmpeg::Distribution, &clip, &url).unwrap()
    };

    let mut playing = Player::Ffmpeg.start(&scratch, "a", &url).unwrap();
    until_fed_by(&server, "slate");
    let primary = publish("primary", "");
    until_fed_by(&server, "primary");
    let mut backup = publish("backup", "?backup=1");
    backup.wait_flowing().unwrap();
    drop(primary);
    until_fed_by(&server, "backup");
    drop(backup);
    until_fed_by(&server, "slate");
    let mut primary = publish("primary-again", "");
    until_fed_by(&server, "primary");
    primary.wait_flowing().unwrap();
    drop(primary);

    // The last slate plays as long as it may: then the player is told that this was all.
    let recording = playing.finish(&scratch).unwrap();
    for track in &recording.tracks {
        let times: Vec<i64> = track.packets.iter().map(|packet| packet.dts_ms).collect();
        let rises = times.windows(2).all(|pair| pair[0] < pair[1]);
        assert!(rises, "{:?}: time stands still or steps back: {times:?}", track.kind);
        let last = times.last().copied().unwrap();
        assert!(last > 9_000, "{:?}: only {last} ms were seen", track.kind);
    }
    assert_eq!(recording.tracks.len(), 2);
    decodes(&scratch, playing.file());
    server.process().check_unharmed().unwrap();
}
