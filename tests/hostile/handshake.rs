//! Handshakes that are wrong, or right in an unusual way (RTMP 1.0, section 5.2).

use crate::peer::{PATIENCE, Peer, command, connect_object};
use crate::scene::Scene;
use crate::server::Start;
use std::time::Duration;

const SETTINGS: &str = "[timeouts]\nhandshake = \"1s\"\n";
/// Long enough for an answer that ought not to come.
const SILENCE: Duration = Duration::from_millis(150);

pub fn versions_other_than_3(epoll: bool) {
    let scene = Scene::begin(Start { settings: SETTINGS, epoll, ..Start::default() });
    for (version, name) in [
        (0, "handshake-version"),
        (2, "handshake-version"),
        (4, "handshake-version"),
        (b'G', "handshake-version"),
        (0x16, "handshake-version"),
        (0xff, "handshake-version"),
        (6, "handshake-encrypted"),
        (8, "handshake-encrypted"),
        (9, "handshake-encrypted"),
    ] {
        let mut peer = Peer::dial(&scene.server);
        peer.try_send(&[version]);
        assert_eq!(peer.whatever_comes(PATIENCE), [], "nothing is said to version {version}");
        let port = format!("peer=127.0.0.1:{} ", peer.port);
        scene.server.wait_line(&[&port, "protocol error", &format!("error=\"{name}\"")]);
        scene.server.wait_end(peer.port, name);
    }
    scene.end();
}

#[test]
fn versions_other_than_3_are_refused_by_name() {
    versions_other_than_3(false);
}

#[test]
fn a_wrong_digest_is_a_simple_handshake() {
    let scene = Scene::with(SETTINGS);
    let mut peer = Peer::dial(&scene.server);
    // A version field that promises a digest, and noise where it should be.
    let mut c1: Vec<u8> = (0..1536_u32).map(|at| ((at * 167) >> 3) as u8).collect();
    c1[4..8].copy_from_slice(&[128, 0, 7, 2]);
    peer.send(&[&[3][..], &c1].concat());
    let answer = peer.exactly(1 + 1536 + 1536);
    assert_eq!(answer[1537..], c1, "S2 is an exact echo");
    peer.send(&answer[1..1537]);
    peer.connect();
    scene.end();
}

#[test]
fn everything_may_come_at_once() {
    let scene = Scene::with(SETTINGS);
    let mut peer = Peer::dial(&scene.server);
    let object = connect_object("live", "rtmp://127.0.0.1/live");
    let connect = command(0, "connect", 1.0, &[object.into()]);
    // C0, C1, C2 (of whatever content) and the first command, before the server said a word.
    peer.send(&[&[3][..], &[0; 1536], &[7; 1536], &connect].concat());
    peer.exactly(1 + 1536 + 1536);
    assert_eq!(peer.answer(1.0).name, "_result");
    scene.end();
}

#[test]
fn the_server_never_sends_more_than_it_got_before_c1_is_whole() {
    let scene = Scene::with("");
    let mut peer = Peer::dial(&scene.server);
    for piece in [&[3][..], &[0; 700], &[0; 835]] {
        peer.send(piece);
        assert_eq!(peer.whatever_comes(SILENCE), []);
    }
    peer.send(&[0]);
    peer.exactly(1 + 1536 + 1536);
    assert_eq!(peer.whatever_comes(SILENCE), [], "nothing beyond S2 before C2");
    scene.end();
}

#[test]
fn a_c2_that_never_comes_ends_at_the_deadline() {
    let scene = Scene::with(SETTINGS);
    scene.ends("handshake-timeout", Peer::dial(&scene.server), |peer| {
        peer.send(&[&[3][..], &[0; 1536]].concat());
        peer.exactly(1 + 1536 + 1536);
        peer.send(&[0; 1535]);
    });
    scene.end();
}
