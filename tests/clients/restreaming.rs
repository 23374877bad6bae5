//! One stream restreamed to five targets while ffmpeg publishes it: nginx-rtmp, a millstream behind TLS, one
//! that is stuck, and two that are added while it is live. Four of them have every bit, and so have the
//! viewers beside.

use std::fmt::Write as _;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use millstream_rtmp::connection::ServerConnection;
use millstream_rtmp::server::{ServerEvent, ServerOptions};
use millstream_testkit::clip::Clip;
use millstream_testkit::players::{Player, Playing};
use millstream_testkit::publisher::{Ffmpeg, Publication};
use millstream_testkit::{Driver, Scratch, Server, Target, door, flv};

use crate::all_bit_exact;

const TOKEN: &str = "0123456789abcdef";

/// A target's way to the moment at which it publishes; far more than it takes.
const PATIENCE: Duration = Duration::from_secs(20);

fn millstream(args: &[&str]) -> Target {
    let args = args.iter().map(|arg| (*arg).to_owned()).collect();
    let binary = env!("CARGO_BIN_EXE_millstream").into();
    Target::Millstream { binary, driver: Driver::Default, args }
}

/// Asks the API, and returns what it says.
fn api(server: &Server, method: &str, path: &str, body: &str) -> String {
    let mut socket = TcpStream::connect(server.http().unwrap()).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let length = body.len();
    let request = format!(
        "{method} /api/v1/{path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n\
         Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    );
    socket.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 20"), "{method} {path}: {answer}");
    answer.split_once("\r\n\r\n").unwrap().1.to_owned()
}

/// How the stream fares on its way to the target of this name.
fn fares(server: &Server, name: &str) -> serde_json::Value {
    let list: serde_json::Value = serde_json::from_str(&api(server, "GET", "targets", "")).unwrap();
    let targets = list["targets"].as_array().unwrap();
    let target = targets.iter().find(|target| target["name"] == name).unwrap();
    target["pushes"][0].clone()
}

fn wait_for(server: &Server, name: &str, field: &str, value: &str) {
    let until = Instant::now() + PATIENCE;
    while fares(server, name)[field] != value {
        assert!(Instant::now() < until, "{name} is not {value}: {}", fares(server, name));
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A server that accepts a stream and takes nothing of it. Its receive buffer is small, so that this is
/// felt soon.
fn stuck() -> SocketAddr {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(8 * 1024).unwrap();
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    socket.listen(16).unwrap();
    let listener = TcpListener::from(socket);
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut held = Vec::new();
        while let Ok((mut socket, _)) = listener.accept() {
            accept(&mut socket);
            held.push(socket);
        }
    });
    address
}

/// Says yes to a publisher.
fn accept(socket: &mut TcpStream) {
    let mut protocol = ServerConnection::new(&ServerOptions::default(), [7; 32]);
    let mut buffer = [0; 4096];
    loop {
        let count = socket.read(&mut buffer).unwrap_or(0);
        let mut input = &buffer[..count];
        let mut accepted = false;
        while let Ok(Some(event)) = protocol.receive(&mut input) {
            match event {
                ServerEvent::Connect(connect) => {
                    protocol.accept_connect(connect.request).unwrap();
                }
                ServerEvent::Publish(publish) => {
                    protocol.accept_publish(publish.request).unwrap();
                    accepted = true;
                }
                _ => {}
            }
        }
        let output = protocol.output().split();
        if socket.write_all(&output).is_err() || accepted || count == 0 {
            return;
        }
    }
}

#[test]
fn to_five_targets_of_which_one_is_stuck() {
    let clip = Clip::H264Aac.path().unwrap();
    let source = flv::read_recording(&clip).unwrap();
    let homes = ["restream", "nginx", "behind-tls", "late"].map(|name| Scratch::new(name).unwrap());
    let [home, at_nginx, at_door, at_late] = &homes;
    let nginx = Server::start(at_nginx, &Target::Nginx).unwrap();
    let behind = Server::start(at_door, &millstream(&[])).unwrap();
    let late = Server::start(at_late, &millstream(&["--key", "copy=correct-horse"])).unwrap();
    let ca = home.file("ca.pem");
    let port = door::open(behind.rtmp(), &ca).unwrap();

    let mut config = format!("http_token = \"{TOKEN}\"\n[lag]\nskip = \"2s\"\nhang_up = \"3s\"\n");
    for (name, url, ca) in [
        ("nginx", nginx.url("restream"), None),
        ("encrypted", format!("rtmps://127.0.0.1:{port}/live/restream"), Some(&ca)),
        ("stuck", format!("rtmp://{}/live/restream", stuck()), None),
    ] {
        let what = format!("stream = \"live/restream\"\nurl = \"{url}\"");
        writeln!(config, "[[push]]\nname = \"{name}\"\n{what}").unwrap();
        if let Some(ca) = ca {
            writeln!(config, "ca = \"{}\"", ca.display()).unwrap();
        }
    }
    let file = home.file("millstream.toml");
    fs::write(&file, config).unwrap();
    let main = millstream(&["--config", file.to_str().unwrap()]);
    let mut server = Server::start(home, &main).unwrap();

    let url = server.url("restream");
    let mut publication =
        Publication::start(home, "publisher", Ffmpeg::Distribution, &clip, &url).unwrap();
    publication.wait_flowing().unwrap();
    for (name, app, key) in
        [("late", "live", "copy?key=correct-horse"), ("later", "other", "restream")]
    {
        let there = if name == "late" { &late } else { &behind };
        let body = format!(
            r#"{{"stream":"live/restream","url":"rtmp://{}/{app}","key":"{key}","name":"{name}"}}"#,
            there.rtmp()
        );
        api(&server, "POST", "targets", &body);
    }
    let mut playing: Vec<Playing> = vec![
        Player::Ffmpeg.start(home, "viewer", &url).unwrap(),
        Player::Rtmpdump.start(home, "viewer", &url).unwrap(),
    ];
    for (name, url) in [
        ("nginx", nginx.url("restream")),
        ("encrypted", behind.url("restream")),
        ("late", late.url("copy")),
        ("later", behind.url_in("other", "restream")),
    ] {
        wait_for(&server, name, "state", "publishing");
        playing.push(Player::Ffmpeg.start(home, name, &url).unwrap());
    }
    publication.finish().unwrap();
    all_bit_exact(home, &server, &source, &mut playing);
    wait_for(&server, "stuck", "error", "stuck");
    for name in ["nginx", "encrypted", "late", "later"] {
        wait_for(&server, name, "state", "waiting");
        let end = fares(&server, name);
        assert_eq!((&end["connects"], &end["dropped_frames"]), (&1.into(), &0.into()), "{name}");
        assert!(end["error"].is_null(), "{end}");
    }
    let streams = api(&server, "GET", "streams", "");
    assert!(!streams.contains("\"live\""), "the stream has ended: {streams}");
    let shown = api(&server, "GET", "targets", "");
    assert!(!shown.contains("correct-horse") && shown.contains("***"), "{shown}");
    server.process().check_unharmed().unwrap();
    let log = server.process().output();
    assert!(!log.contains("correct-horse"), "keys are masked everywhere");
}

#[test]
fn a_certificate_that_nobody_vouches_for_is_named_as_the_trouble() {
    let homes = ["distrust", "distrusted"].map(|name| Scratch::new(name).unwrap());
    let [home, there] = &homes;
    let behind = Server::start(there, &millstream(&[])).unwrap();
    let port = door::open(behind.rtmp(), &home.file("ca.pem")).unwrap();
    let file = home.file("millstream.toml");
    let target = format!("stream = \"live/film\"\nurl = \"rtmps://127.0.0.1:{port}/live/film\"");
    let config = format!("http_token = \"{TOKEN}\"\n[[push]]\nname = \"door\"\n{target}\n");
    fs::write(&file, config).unwrap();
    let main = millstream(&["--config", file.to_str().unwrap()]);
    let mut server = Server::start(home, &main).unwrap();
    let clip = Clip::H264Aac.path().unwrap();
    let url = server.url("film");
    let _publication =
        Publication::start(home, "publisher", Ffmpeg::Distribution, &clip, &url).unwrap();
    wait_for(&server, "door", "error", "certificate");
    wait_for(&server, "door", "state", "backing-off");
    let until = Instant::now() + PATIENCE;
    while fares(&server, "door")["attempts"].as_u64() < Some(2) {
        assert!(Instant::now() < until, "it is not tried again: {}", fares(&server, "door"));
        std::thread::sleep(Duration::from_millis(50));
    }
    server.process().check_unharmed().unwrap();
}
