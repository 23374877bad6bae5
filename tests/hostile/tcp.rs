//! Connections that say nothing, or too slowly.

use crate::peer::{PATIENCE, Peer};
use crate::scene::Scene;
use crate::server::Start;
use std::io::Write;
use std::time::{Duration, Instant};

const SETTINGS: &str = "[timeouts]\nhandshake = \"1s\"\nidle = \"1s\"\n";

pub fn two_hundred_slow_handshakes(epoll: bool) {
    let scene = Scene::begin(Start { settings: SETTINGS, epoll, ..Start::default() });
    let began = Instant::now();
    let mut peers: Vec<Peer> = (0..200).map(|_| Peer::dial(&scene.server)).collect();
    // Half of them send a byte now and then, which must not buy them time.
    while began.elapsed() < Duration::from_millis(800) {
        for peer in peers.iter_mut().step_by(2) {
            let _ = peer.stream.write(&[3]);
        }
        // Whoever does speak is served meanwhile.
        Peer::connected(&scene.server).assert_answers();
        std::thread::sleep(Duration::from_millis(100));
    }
    for peer in &mut peers {
        assert!(peer.is_hung_up(PATIENCE));
    }
    assert!(began.elapsed() < Duration::from_secs(10), "a second means about a second");
    for peer in &peers {
        scene.server.wait_end(peer.port, "handshake-timeout");
    }
    scene.end();
}

#[test]
fn two_hundred_slow_handshakes_end_at_their_deadline() {
    two_hundred_slow_handshakes(false);
}

#[test]
fn silence_after_the_handshake_ends_too() {
    let scene = Scene::with(SETTINGS);
    scene.ends("idle", Peer::open(&scene.server), |_| {});
    scene.ends("idle", Peer::connected(&scene.server), |_| {});
    // A message of commands that comes byte by byte: reading it must not keep the connection.
    scene.ends("connect-timeout", Peer::open(&scene.server), |peer| {
        let began = Instant::now();
        let mut bytes = crate::peer::command(0, "connect", 1.0, &[]).into_iter().cycle();
        while began.elapsed() < PATIENCE && peer.try_send(&[bytes.next().unwrap()]) {
            std::thread::sleep(Duration::from_millis(250));
            if scene.server.count_lines(&["connect-timeout"]) > 0 {
                break;
            }
        }
    });
    scene.end();
}

#[test]
fn the_cap_of_connections_refuses_and_comes_free() {
    let scene = Scene::with("[caps]\nconnections = 12\n");
    // The stream beside has two.
    let held: Vec<Peer> = (0..10).map(|_| Peer::connected(&scene.server)).collect();
    for _ in 0..50 {
        let mut refused = Peer::dial(&scene.server);
        assert!(refused.is_hung_up(PATIENCE));
        let peer = format!("peer=127.0.0.1:{} ", refused.port);
        scene.server.wait_line(&[&peer, "reason=\"cap-connections\""]);
    }
    let ports: Vec<u16> = held.iter().map(|peer| peer.port).collect();
    drop(held);
    for port in ports {
        scene.server.wait_end(port, "peer-closed");
    }
    Peer::connected(&scene.server).assert_answers();
    scene.end();
}
