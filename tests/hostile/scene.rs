//! What every test stands in: a server, and a stream beside it that must not notice anything.
//!
//! A publisher sends a frame each 10 ms, a player takes them. At the end each frame must have
//! arrived once, in order, unchanged and at its own time; the process must be the same and serve;
//! and its memory must be back where it was.

use crate::frames::{self, Sort};
use crate::peer::{PATIENCE, Peer, message};
use crate::server::{Server, Start};
use millstream_rtmp::message::MessageType;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How much memory a server may keep of what it went through.
const MEMORY_KEPT_MAX: u64 = 16 << 20;

pub struct Scene {
    pub server: Server,
    memory_before: u64,
    in_all_before: u64,
    stop: Arc<AtomicBool>,
    publisher: JoinHandle<u32>,
    player: JoinHandle<u32>,
}

impl Scene {
    /// With these settings, on the driver that the system has.
    pub fn with(settings: &'static str) -> Self {
        Self::begin(Start { settings, ..Start::default() })
    }

    pub fn begin(start: Start) -> Self {
        let server = Server::start(start);
        let stop = Arc::new(AtomicBool::new(false));
        let sent = Arc::new(AtomicU32::new(0));
        let mut source = Peer::publishing(&server, "steady");
        source.message(MessageType::VIDEO, 0, frames::AVC);
        let publisher = std::thread::spawn({
            let (stop, sent) = (Arc::clone(&stop), Arc::clone(&sent));
            move || publish(source, &stop, &sent)
        });
        let viewer = Peer::playing(&server, "steady");
        let seen = Arc::new(AtomicU32::new(0));
        let player = std::thread::spawn({
            let (stop, seen) = (Arc::clone(&stop), Arc::clone(&seen));
            move || play(viewer, &stop, &sent, &seen)
        });
        let until = Instant::now() + PATIENCE;
        while seen.load(Ordering::Acquire) < 50 {
            assert!(Instant::now() < until, "the stream beside did not begin");
            std::thread::sleep(Duration::from_millis(5));
        }
        let (memory_before, in_all_before) = (server.memory(), server.memory_in_all());
        Self { server, memory_before, in_all_before, stop, publisher, player }
    }

    /// Memory taken since the beginning, in bytes.
    pub fn memory_taken(&self) -> u64 {
        self.server.memory().saturating_sub(self.memory_before)
    }

    /// The most memory that was ever taken beyond that of the beginning, in bytes.
    pub fn memory_peak(&self) -> u64 {
        self.server.memory_peak().saturating_sub(self.in_all_before)
    }

    /// Wants that the server ends a connection for what is done on it, under this name.
    #[track_caller]
    pub fn ends(&self, name: &str, mut peer: Peer, act: impl FnOnce(&mut Peer)) {
        act(&mut peer);
        assert!(peer.is_hung_up(PATIENCE), "{name}: it goes on");
        self.server.wait_end(peer.port, name);
    }

    /// Ends the test: nobody else was harmed.
    pub fn end(mut self) {
        self.server.assert_serves();
        let until = Instant::now() + PATIENCE;
        while self.memory_taken() > MEMORY_KEPT_MAX {
            assert!(
                Instant::now() < until,
                "{} bytes are kept of {}, over {} before",
                self.memory_taken(),
                self.memory_peak(),
                self.memory_before
            );
            std::thread::sleep(Duration::from_millis(50));
        }
        self.stop.store(true, Ordering::Release);
        let sent = self.publisher.join().expect("the publisher beside goes on");
        let seen = self.player.join().expect("the player beside sees every frame");
        assert!(seen >= 50 && seen <= sent, "{seen} of {sent} frames were seen");
    }
}

fn publish(mut peer: Peer, stop: &AtomicBool, sent: &AtomicU32) -> u32 {
    let began = Instant::now();
    let mut number = 0;
    while !stop.load(Ordering::Acquire) {
        let ms = began.elapsed().as_millis() as u32;
        let (sort, kind) = match number % 30 {
            0 => (Sort::Key, MessageType::VIDEO),
            even if even % 2 == 0 => (Sort::Video, MessageType::VIDEO),
            _ => (Sort::Audio, MessageType::AUDIO),
        };
        let filler = 200 + number as usize * 37 % 2000;
        let payload = frames::frame(sort, number, ms, filler);
        peer.stream.write_all(&message(kind, 4, ms, 1, &payload)).expect("it is let publish");
        number += 1;
        sent.store(number, Ordering::Release);
        std::thread::sleep(Duration::from_millis(10));
    }
    number
}

/// Returns how many frames it saw, up to the last one that was sent.
fn play(mut peer: Peer, stop: &AtomicBool, sent: &AtomicU32, seen: &AtomicU32) -> u32 {
    let mut expected = None;
    let mut count = 0;
    let mut stopped_at = None;
    loop {
        if stop.load(Ordering::Acquire) {
            let since = *stopped_at.get_or_insert_with(Instant::now);
            // One frame may be under way between its count and its sending.
            if expected.is_some_and(|next| next >= sent.load(Ordering::Acquire)) {
                return count;
            }
            assert!(since.elapsed() < PATIENCE, "the last frames did not come");
        }
        let Some(message) = peer.next(Duration::from_millis(100)) else { continue };
        let media = matches!(message.kind, MessageType::AUDIO | MessageType::VIDEO);
        if !media || frames::is_header(&message.payload) {
            continue;
        }
        let (number, ms) = frames::check(&message.payload);
        if let Some(expected) = expected {
            assert_eq!(number, expected, "frames were lost, repeated or reordered");
        }
        assert_eq!(message.timestamp, ms, "the time of frame {number} was changed");
        expected = Some(number + 1);
        count += 1;
        seen.store(count, Ordering::Release);
    }
}
