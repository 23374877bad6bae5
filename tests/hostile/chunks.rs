//! Chunk headers, sizes and times that break readers (RTMP 1.0, section 5.3).

use crate::frames::{self, Sort};
use crate::peer::{Peer, chunked, control, header, message};
use crate::scene::Scene;
use crate::server::Start;
use millstream_rtmp::control::Control;
use millstream_rtmp::message::{Message, MessageType};
use std::time::Duration;

const VIDEO: MessageType = MessageType::VIDEO;
const AUDIO: MessageType = MessageType::AUDIO;

/// A publisher whose every message its own player has to see.
struct Pair {
    publisher: Peer,
    player: Peer,
}

impl Pair {
    fn new(scene: &Scene, name: &str) -> Self {
        let mut publisher = Peer::publishing(&scene.server, name);
        publisher.message(VIDEO, 0, frames::AVC);
        publisher.message(VIDEO, 0, &frames::frame(Sort::Key, 0, 0, 10));
        let mut player = Peer::playing(&scene.server, name);
        player.wait_for(|message| {
            let frame = message.kind == VIDEO && !frames::is_header(&message.payload);
            frame.then(|| assert_eq!(frames::check(&message.payload).0, 0))
        });
        Self { publisher, player }
    }

    fn sees(&mut self, number: u32) -> Message {
        let message = self.player.media();
        assert_eq!(frames::check(&message.payload).0, number);
        message
    }
}

fn size(size: u32) -> Vec<u8> {
    control(&Control::SetChunkSize(size))
}

pub fn sizes_that_no_chunk_can_have(epoll: bool) {
    let scene = Scene::begin(Start { epoll, ..Start::default() });
    for illegal in [0, 0x8000_0000, 0x8000_0001, 0xffff_ffff] {
        scene.ends("chunk-size-invalid", Peer::connected(&scene.server), |peer| {
            peer.send(&size(illegal));
        });
    }
    scene.end();
}

#[test]
fn sizes_that_no_chunk_can_have_are_refused() {
    sizes_that_no_chunk_can_have(false);
}

#[test]
fn the_smallest_and_the_largest_size_work() {
    let scene = Scene::with("");
    let mut pair = Pair::new(&scene, "sizes");
    let mut in_force = 128;
    for (number, chunk_size) in (1..).zip([1, 0x7fff_ffff, 2, 0x00ff_ffff, 0x0100_0000, 128]) {
        let payload = frames::frame(Sort::Video, number, 40 * number, 30_000);
        let set = MessageType::SET_CHUNK_SIZE;
        pair.publisher.send(&chunked(set, 2, 0, 0, &u32::to_be_bytes(chunk_size), in_force));
        in_force = chunk_size;
        let bytes = chunked(VIDEO, 4, 40 * number, 1, &payload, chunk_size);
        pair.publisher.send(&bytes);
        assert_eq!(pair.sees(number).payload, payload);
    }
    scene.end();
}

#[test]
fn a_size_may_change_within_a_message() {
    let scene = Scene::with("");
    let mut pair = Pair::new(&scene, "change");
    let payload = frames::frame(Sort::Video, 1, 40, 1000);
    let mut bytes = header(4, 40, payload.len() as u32, VIDEO, 1);
    bytes.extend_from_slice(&payload[..128]);
    bytes.extend(size(500));
    bytes.push(0xc4);
    bytes.extend_from_slice(&payload[128..628]);
    bytes.extend(size(65_536));
    bytes.push(0xc4);
    bytes.extend_from_slice(&payload[628..]);
    pair.publisher.send(&bytes);
    assert_eq!(pair.sees(1).payload, payload);
    scene.end();
}

pub fn tiny_chunks(epoll: bool) {
    let scene = Scene::begin(Start { epoll, ..Start::default() });
    let before = scene.server.cpu();
    scene.ends("tiny-chunks", Peer::publishing(&scene.server, "tiny"), |peer| {
        peer.send(&size(1));
        let payload = frames::frame(Sort::Video, 0, 0, 60_000);
        let bytes = chunked(VIDEO, 4, 0, 1, &payload, 1);
        while peer.try_send(&bytes) {}
    });
    let spent = scene.server.cpu() - before;
    assert!(spent < Duration::from_secs(10), "{spent:?}, in a build without optimisation too");
    scene.end();
}

#[test]
fn video_in_chunks_of_one_byte_ends() {
    tiny_chunks(false);
}

#[test]
fn announced_lengths_allocate_nothing() {
    let scene = Scene::with("");
    scene.ends("message-too-long", Peer::connected(&scene.server), |peer| {
        peer.send(&header(4, 0, 0x00ff_ffff, VIDEO, 1));
    });
    // The longest message that is taken, begun on every chunk stream that there is.
    scene.ends("too-many-chunk-streams", Peer::connected(&scene.server), |peer| {
        for id in 64..=65_599_u32 {
            let mut bytes = vec![1, (id - 64) as u8, ((id - 64) >> 8) as u8];
            bytes.extend_from_slice(&header(0, 0, 10 << 20, VIDEO, 1)[1..]);
            bytes.push(0);
            bytes.resize(bytes.len() + 127, 0);
            if !peer.try_send(&bytes) {
                break;
            }
        }
    });
    assert!(scene.memory_taken() < 16 << 20, "{}", scene.memory_taken());
    scene.end();
}

#[test]
fn unfinished_messages_share_one_budget() {
    let scene = Scene::with("");
    scene.ends("reassembly-full", Peer::connected(&scene.server), |peer| {
        peer.send(&size(1 << 20));
        let half = vec![0; 1 << 20];
        for id in 4..60 {
            if !peer.try_send(&[header(id, 0, 2 << 20, VIDEO, 1), half.clone()].concat()) {
                break;
            }
        }
    });
    scene.end();
}

#[test]
fn headers_that_refer_to_nothing_or_interrupt_are_refused() {
    let scene = Scene::with("");
    for (chunk_type, name) in [(1, 7), (2, 3), (3, 0)] {
        scene.ends("chunk-without-header", Peer::connected(&scene.server), |peer| {
            let mut bytes = vec![chunk_type << 6 | 9];
            bytes.resize(1 + name + 128, 0);
            peer.send(&bytes);
        });
    }
    let begun = [header(4, 0, 1000, VIDEO, 1), vec![0; 128]].concat();
    scene.ends("message-interrupted", Peer::connected(&scene.server), |peer| {
        peer.send(&begun);
        peer.send(&header(4, 0, 1000, VIDEO, 1));
    });
    for length in [100, 1001] {
        scene.ends("message-changed", Peer::connected(&scene.server), |peer| {
            peer.send(&begun);
            let changed = header(0x44, 0, length, VIDEO, 1);
            peer.send(&changed[..8]);
        });
    }
    scene.end();
}

#[test]
fn a_large_message_lets_others_through() {
    let scene = Scene::with("");
    let mut pair = Pair::new(&scene, "between");
    pair.publisher.send(&size(4096));
    let large = frames::frame(Sort::Key, 9, 40, 200_000);
    let mut bytes = header(6, 40, large.len() as u32, VIDEO, 1);
    let mut chunks = large.chunks(4096);
    bytes.extend_from_slice(chunks.next().unwrap());
    for (number, chunk) in (10..).zip(chunks) {
        let audio = frames::frame(Sort::Audio, number, 40, 300);
        bytes.extend(chunked(AUDIO, 4, 40, 1, &audio, 4096));
        bytes.push(0xc6);
        bytes.extend_from_slice(chunk);
    }
    pair.publisher.send(&bytes);
    let others = large.len().div_ceil(4096) as u32 - 1;
    for number in 10..10 + others {
        assert_eq!(pair.sees(number).kind, AUDIO);
    }
    assert_eq!(pair.sees(9).payload, large);
    scene.end();
}

#[test]
fn long_ids_and_many_of_them_work() {
    let scene = Scene::with("");
    let mut pair = Pair::new(&scene, "ids");
    // 64 in three bytes instead of two, and the highest there is.
    for (number, id) in [(1, [1, 0, 0]), (2, [1, 0xff, 0xff])] {
        let payload = frames::frame(Sort::Video, number, 40, 20);
        let bytes = header(0, 40, payload.len() as u32, VIDEO, 1);
        pair.publisher.send(&[&id[..], &bytes[1..], &payload].concat());
        assert_eq!(pair.sees(number).payload, payload);
    }
    for number in 3..48 {
        let payload = frames::frame(Sort::Video, number, 40 * number, 500);
        pair.publisher.send(&message(VIDEO, number + 40, 40 * number, 1, &payload));
        assert_eq!(pair.sees(number).payload, payload);
    }
    scene.end();
}

#[test]
fn both_dialects_of_extended_timestamps_work() {
    let scene = Scene::with("");
    for (dialect, name) in [(true, "repeated"), (false, "said-once")] {
        let mut pair = Pair::new(&scene, name);
        let time = |number: u32| 0x0100_0000 + 40 * number;
        for number in 1..20 {
            let payload = frames::frame(Sort::Video, number, time(number), 700);
            let mut bytes = header(4, 0x00ff_ffff, payload.len() as u32, VIDEO, 1);
            bytes.extend_from_slice(&time(number).to_be_bytes());
            for (at, chunk) in payload.chunks(128).enumerate() {
                if at > 0 {
                    bytes.push(0xc4);
                }
                if at > 0 && dialect {
                    bytes.extend_from_slice(&time(number).to_be_bytes());
                }
                bytes.extend_from_slice(chunk);
            }
            pair.publisher.send(&bytes);
            assert_eq!(pair.sees(number).payload, payload);
        }
    }
    scene.end();
}

#[test]
fn deltas_of_all_sizes_keep_the_timeline_going() {
    let scene = Scene::with("");
    let mut pair = Pair::new(&scene, "deltas");
    let first = frames::frame(Sort::Video, 1, 0, 50);
    pair.publisher.send(&message(VIDEO, 4, 40, 1, &first));
    let mut last = pair.sees(1).timestamp;
    // Extended deltas (type 1 with 0xffffff), some of them backward modulo 2^32, one a wrap.
    let deltas = [0x00ff_ffff, 40, 0xffff_ffd8, 40, 0x8000_0000, 40, 0xf000_0000, 0x0fff_0000, 40];
    for (number, delta) in (2..).zip(deltas) {
        let payload = frames::frame(Sort::Video, number, 0, 50);
        let mut bytes = header(0x44, 0x00ff_ffff, payload.len() as u32, VIDEO, 1);
        bytes.truncate(8);
        bytes.extend_from_slice(&u32::to_be_bytes(delta));
        bytes.extend_from_slice(&payload);
        pair.publisher.send(&bytes);
        let time = pair.sees(number).timestamp;
        let step = time.wrapping_sub(last) as i32;
        assert!((-3000..=3000).contains(&step), "a jump of {step} ms reached a player");
        last = time;
    }
    scene.end();
}
