//! Many of everything: idle connections, names, players of nothing, and too few descriptors.

use crate::frames::{self, Sort};
use crate::peer::{PATIENCE, Peer, message};
use crate::scene::Scene;
use crate::server::{Server, Start};
use millstream_amf0::Value;
use millstream_rtmp::message::MessageType;
use std::time::{Duration, Instant};

#[test]
fn idle_connections_end_and_leave_nothing() {
    let scene = Scene::with("[timeouts]\nidle = \"1s\"\n");
    let mut idle: Vec<Peer> = (0..400).map(|_| Peer::connected(&scene.server)).collect();
    assert!(scene.memory_taken() < 16 << 20, "{} for 400", scene.memory_taken());
    for peer in &mut idle {
        assert!(peer.is_hung_up(PATIENCE));
        scene.server.wait_end(peer.port, "idle");
    }
    scene.end();
}

#[test]
fn publishers_at_rest_take_little_beyond_their_logs() {
    const MANY: usize = 300;
    let settings = "[timeouts]\nno_media = \"60s\"\n";
    let mut server = Server::start(Start { settings, ..Start::default() });
    let before = server.memory();
    let key = frames::frame(Sort::Key, 0, 0, 60_000);
    let publishers: Vec<Peer> = (0..MANY)
        .map(|number| {
            let mut peer = Peer::publishing(&server, &format!("rest-{number}"));
            peer.message(MessageType::VIDEO, 0, frames::AVC);
            peer.message(MessageType::VIDEO, 0, &key);
            // And a part of the next one, which never comes whole.
            let next = message(MessageType::VIDEO, 4, 40, 1, &key);
            peer.send(&next[..next.len() / 8]);
            peer
        })
        .collect();
    let until = Instant::now() + PATIENCE;
    loop {
        // What the logs retain is counted every quarter of a second.
        let logs: Vec<u64> = server
            .get("/api/v1/streams")
            .split("\"log_bytes\":")
            .skip(1)
            .map(|rest| rest.split(|c: char| !c.is_ascii_digit()).next().unwrap().parse().unwrap())
            .collect();
        let retained: u64 = logs.iter().sum();
        let beyond = server.memory().saturating_sub(before + retained) / MANY as u64;
        let all = logs.iter().filter(|bytes| **bytes > 60_000).count() >= MANY;
        if all && beyond <= 64 << 10 {
            break;
        }
        assert!(Instant::now() < until, "{beyond} bytes each beyond {retained} of {}", logs.len());
        std::thread::sleep(Duration::from_millis(100));
    }
    drop(publishers);
    server.assert_serves();
}

#[test]
fn published_names_are_capped() {
    let scene = Scene::with("hold = \"0\"\n[caps]\nstreams = 20\n");
    let mut publishers = Vec::new();
    // The stream beside is one of them.
    for number in 1..20 {
        publishers.push(Peer::publishing(&scene.server, &format!("s{number}")));
    }
    let mut one_more = Peer::connected(&scene.server);
    one_more.command(1, "publish", 3.0, &[Value::Null, "one-more".into()]);
    one_more.status("NetStream.Publish.BadName");
    scene.server.wait_line(&["publish refused", "reason=\"too-many-streams\""]);
    // Playing needs no room among them.
    one_more.command(2, "play", 4.0, &[Value::Null, "steady".into()]);
    one_more.media();
    let gone = publishers.pop().unwrap();
    let port = gone.port;
    drop(gone);
    scene.server.wait_end(port, "peer-closed");
    let until = Instant::now() + PATIENCE;
    while scene.server.get("/api/v1/streams").contains("live/s19") {
        assert!(Instant::now() < until);
        std::thread::sleep(Duration::from_millis(50));
    }
    let mut one_more = Peer::connected(&scene.server);
    one_more.publish("one-more");
    drop(publishers);
    scene.end();
}

pub fn players_of_nothing(epoll: bool) {
    let scene = Scene::begin(Start { settings: "play_wait = \"2s\"\n", epoll, ..Start::default() });
    let mut waiting: Vec<Peer> =
        (0..300).map(|number| Peer::playing(&scene.server, &format!("nothing-{number}"))).collect();
    for peer in &mut waiting {
        peer.status("NetStream.Play.StreamNotFound");
        assert!(peer.is_hung_up(PATIENCE));
        scene.server.wait_end(peer.port, "no-stream");
    }
    let streams = scene.server.get("/api/v1/streams");
    assert!(!streams.contains("nothing"), "{streams}");
    scene.end();
}

#[test]
fn players_of_nothing_wait_and_leave_nothing() {
    players_of_nothing(false);
}

#[test]
fn one_player_of_one_name_after_the_other_holds_one() {
    let scene = Scene::with("");
    let mut peer = Peer::connected(&scene.server);
    for number in 0..30 {
        peer.command(1, "play", 3.0, &[Value::Null, format!("nothing-{number}").into()]);
        peer.status("NetStream.Play.Start");
    }
    let streams = scene.server.get("/api/v1/streams");
    assert!(streams.matches("nothing").count() <= 2, "{streams}");
    scene.end();
}

pub fn no_descriptor_left(epoll: bool) {
    let scene = Scene::begin(Start { epoll, descriptors: Some(96), ..Start::default() });
    let mut peers: Vec<Peer> = (0..150).map(|_| Peer::dial(&scene.server)).collect();
    scene.server.wait_line(&["no descriptor left"]);
    // Those that wait to be accepted are refused one after the other.
    let until = Instant::now() + PATIENCE;
    while peers.len() >= 96 {
        peers.retain_mut(|peer| !peer.is_hung_up(Duration::from_millis(1)));
        assert!(Instant::now() < until, "{} connections with 96 descriptors", peers.len());
    }
    drop(peers);
    let until = Instant::now() + PATIENCE;
    while scene.server.count_lines(&["connection ended"]) == 0 {
        assert!(Instant::now() < until);
        std::thread::sleep(Duration::from_millis(50));
    }
    std::thread::sleep(Duration::from_millis(500));
    Peer::connected(&scene.server).assert_answers();
    scene.end();
}

#[test]
fn without_descriptors_the_server_goes_on() {
    no_descriptor_left(false);
}
