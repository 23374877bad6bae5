//! Players that do not take what they asked for. They are skipped, then hung up; nobody waits.

use crate::frames::{self, Sort};
use crate::peer::{PATIENCE, Peer, chunked, control};
use crate::scene::Scene;
use crate::server::Start;
use millstream_rtmp::control::Control;
use millstream_rtmp::message::MessageType;
use socket2::{Domain, Socket, Type};
use std::io::Read;
use std::net::Shutdown;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

const SETTINGS: &str = "hold = \"0\"\n\
    [gop]\nspan = \"1s\"\n\
    [lag]\nskip = \"2s\"\nhang_up = \"3s\"\n\
    [timeouts]\nplayer = \"20s\"\n";

/// A stream of 1.2 MB/s with a key frame each second, until it is told to stop.
struct Heavy {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Heavy {
    fn begin(scene: &Scene) -> Self {
        let mut publisher = Peer::publishing(&scene.server, "heavy");
        publisher.send(&control(&Control::SetChunkSize(1 << 20)));
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let mut number = 0;
            let began = Instant::now();
            while !stopped.load(Ordering::Acquire) {
                let ms = began.elapsed().as_millis() as u32;
                let sort = if number % 20 == 0 { Sort::Key } else { Sort::Video };
                let payload = frames::frame(sort, number, ms, 60_000);
                publisher.send(&chunked(MessageType::VIDEO, 4, ms, 1, &payload, 1 << 20));
                number += 1;
                std::thread::sleep(Duration::from_millis(50));
            }
        });
        Self { stop, thread }
    }

    fn end(self) {
        self.stop.store(true, Ordering::Release);
        self.thread.join().expect("the publisher was not held up");
    }
}

/// A player whose kernel takes little for it.
fn small_player(scene: &Scene) -> Peer {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    socket.connect(&scene.server.rtmp.into()).unwrap();
    let mut peer = Peer::on(socket.into());
    peer.shake();
    peer.connect();
    peer.play("heavy");
    peer
}

fn assert_left_behind(scene: &Scene, port: u16) {
    let peer = format!("peer=127.0.0.1:{port} ");
    let line = scene.server.wait_line(&[&peer, "connection ended"]);
    let named = ["lagging", "skipping"].iter().any(|name| line.contains(&format!("\"{name}\"")));
    assert!(named, "{line}");
}

pub fn players_that_stop(count: usize, epoll: bool) {
    let scene = Scene::begin(Start { settings: SETTINGS, epoll, ..Start::default() });
    let heavy = Heavy::begin(&scene);
    let mut healthy = Peer::playing(&scene.server, "heavy");
    let watched_enough = Arc::new(AtomicBool::new(false));
    let watching = Arc::clone(&watched_enough);
    let watcher = std::thread::spawn(move || {
        let mut last = None;
        while !watching.load(Ordering::Acquire) {
            let (number, _) = frames::check(&healthy.media().payload);
            assert!(last.is_none_or(|last| number == last + 1), "a healthy player lost a frame");
            last = Some(number);
        }
    });
    let stopped: Vec<Peer> = (0..count).map(|_| small_player(&scene)).collect();
    let before = scene.memory_taken();
    for peer in &stopped {
        assert_left_behind(&scene, peer.port);
    }
    let taken = scene.memory_taken().saturating_sub(before);
    assert!(taken < 32 << 20, "{taken} bytes for {count} players that stopped");
    watched_enough.store(true, Ordering::Release);
    watcher.join().expect("the healthy player saw everything");
    heavy.end();
    drop(stopped);
    scene.end();
}

#[test]
fn players_that_stop_reading_are_hung_up() {
    players_that_stop(100, false);
}

#[test]
fn a_player_of_a_byte_a_second_is_hung_up() {
    let scene = Scene::with(SETTINGS);
    let heavy = Heavy::begin(&scene);
    let mut slow = small_player(&scene);
    let began = Instant::now();
    let mut byte = [0];
    while scene.server.count_lines(&["connection ended"]) == 0 {
        assert!(began.elapsed() < 2 * PATIENCE);
        let _ = slow.stream.read(&mut byte);
        std::thread::sleep(Duration::from_secs(1));
    }
    assert_left_behind(&scene, slow.port);
    heavy.end();
    scene.end();
}

#[test]
fn a_half_closed_player_is_gone() {
    let scene = Scene::with("");
    let players: Vec<Peer> = (0..20).map(|_| Peer::playing(&scene.server, "steady")).collect();
    for player in &players {
        player.stream.shutdown(Shutdown::Write).unwrap();
    }
    for mut player in players {
        assert!(player.is_hung_up(PATIENCE));
        scene.server.wait_end(player.port, "peer-closed");
    }
    // One that reads no more closes by resetting, when it is sent the next frame.
    let player = Peer::playing(&scene.server, "steady");
    let port = player.port;
    socket2::SockRef::from(&player.stream).set_linger(Some(Duration::ZERO)).unwrap();
    drop(player);
    let line = scene.server.wait_line(&[&format!("peer=127.0.0.1:{port} "), "connection ended"]);
    assert!(line.contains("\"connection-lost\"") || line.contains("\"broken\""), "{line}");
    scene.end();
}
