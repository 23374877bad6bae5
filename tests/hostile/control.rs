//! Protocol control messages in numbers and sizes that nobody needs (RTMP 1.0, 5.4 and 6.2).

use crate::frames;
use crate::peer::{Peer, control};
use crate::scene::Scene;
use crate::server::Start;
use millstream_rtmp::control::{BandwidthLimit, Control, UserControl};
use millstream_rtmp::message::MessageType;
use std::io::Read;
use std::time::{Duration, Instant};

#[test]
fn odd_controls_are_taken() {
    let scene = Scene::with("");
    let mut peer = Peer::connected(&scene.server);
    for odd in [
        Control::Abort { chunk_stream_id: 0 },
        Control::Abort { chunk_stream_id: 77 },
        Control::Abort { chunk_stream_id: u32::MAX },
        Control::Acknowledgement(u32::MAX),
        Control::WindowAckSize(0),
        Control::WindowAckSize(1),
        Control::WindowAckSize(u32::MAX),
        UserControl::SetBufferLength { stream_id: 99, ms: u32::MAX }.into(),
        UserControl::Other { event: 0xffff, data: bytes::Bytes::from_static(&[1; 64]) }.into(),
    ] {
        peer.send(&control(&odd));
        peer.assert_answers();
    }
    let short = crate::peer::message(MessageType::USER_CONTROL, 2, 0, 0, &[0, 6]);
    scene.ends("control-malformed", peer, |peer| peer.send(&short));
    scene.end();
}

/// Sends a flood until the server has enough of it, and reads what comes back, which must stay a
/// fraction of the flood.
fn answered_flood(scene: &Scene, name: &str, flood: &[u8], share: usize) {
    let mut peer = Peer::publishing(&scene.server, name);
    let mut reader = peer.stream.try_clone().unwrap();
    let answers = std::thread::spawn(move || {
        let (mut answered, mut buffer) = (0, [0; 65_536]);
        while let Ok(count @ 1..) = reader.read(&mut buffer) {
            answered += count;
        }
        answered
    });
    let (mut sent, before) = (0, scene.server.cpu());
    while peer.try_send(flood) {
        sent += flood.len();
    }
    scene.server.wait_end(peer.port, "message-flood");
    let answered = answers.join().unwrap();
    assert!(answered <= (sent + flood.len()) / share + 4096, "{answered} bytes for {sent}");
    assert!(scene.memory_taken() < 16 << 20, "{}", scene.memory_taken());
    let spent = scene.server.cpu() - before;
    assert!(spent < Duration::from_secs(5), "{spent:?}");
}

#[test]
fn floods_are_answered_in_proportion() {
    let scene = Scene::with("");
    let repeated = |one: Vec<u8>| one.repeat(4000);
    let both = |one: &Control, other: &Control| repeated([control(one), control(other)].concat());
    let limit = |size, limit| Control::SetPeerBandwidth { size, limit };
    answered_flood(&scene, "a", &repeated(control(&Control::Acknowledgement(7))), 100);
    answered_flood(
        &scene,
        "b",
        &both(&limit(0, BandwidthLimit::Hard), &limit(u32::MAX, BandwidthLimit::Soft)),
        1,
    );
    answered_flood(&scene, "c", &both(&Control::WindowAckSize(0), &Control::WindowAckSize(1)), 100);
    answered_flood(&scene, "d", &repeated(control(&UserControl::PingRequest(1).into())), 20);
    scene.end();
}

pub fn pings_whose_answers_nobody_reads(epoll: bool) {
    let settings = "[lag]\nskip = \"4s\"\nhang_up = \"4s\"\n[timeouts]\nplayer = \"30s\"\n";
    let scene = Scene::begin(Start { settings, epoll, ..Start::default() });
    // Acknowledgements between the pings, so that each is answered by itself.
    let ping = control(&UserControl::PingRequest(1).into());
    let acknowledgement = control(&Control::Acknowledgement(1));
    let flood = [ping, acknowledgement].concat().repeat(2000);
    let mut peer = Peer::connected(&scene.server);
    let began = Instant::now();
    let mut taken = 0;
    while peer.try_send(&flood) && began.elapsed() < Duration::from_secs(15) {
        taken = taken.max(scene.memory_taken());
    }
    assert!(taken < 16 << 20, "{taken} bytes of answers wait");
    assert!(began.elapsed() < Duration::from_secs(15), "it goes on");
    let peer = format!("peer=127.0.0.1:{} ", peer.port);
    let line = scene.server.wait_line(&[&peer, "connection ended"]);
    let named =
        ["message-flood", "private-bytes", "lagging"].iter().any(|name| line.contains(name));
    assert!(named, "{line}");
    scene.end();
}

#[test]
fn pings_whose_answers_nobody_reads_end() {
    pings_whose_answers_nobody_reads(false);
}

pub fn a_player_is_always_read(epoll: bool) {
    let scene = Scene::begin(Start { epoll, ..Start::default() });
    let mut player = Peer::playing(&scene.server, "steady");
    let began = Instant::now();
    let mut largest = 0;
    let mut acknowledged = 0;
    while began.elapsed() < Duration::from_secs(3) {
        let message = player.media();
        if !frames::is_header(&message.payload) {
            frames::check(&message.payload);
        }
        acknowledged += message.payload.len() as u32;
        let acknowledgement = control(&Control::Acknowledgement(acknowledged));
        let ping = control(&UserControl::PingRequest(acknowledged).into());
        player.send(&[acknowledgement, ping].concat().repeat(8));
        largest = largest.max(scene.server.unread_bytes(player.port));
    }
    player.assert_answers();
    assert!(largest < 64 * 1024, "{largest} bytes waited to be read");
    assert_eq!(scene.server.unread_bytes(player.port), 0);
    scene.end();
}

#[test]
fn what_a_player_says_is_always_read() {
    a_player_is_always_read(false);
}
