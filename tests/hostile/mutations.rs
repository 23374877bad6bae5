//! Legal dialogues with a few bytes changed, left out or repeated: what nobody has thought of.

use crate::frames::{self, Sort};
use crate::peer::{PATIENCE, Peer, command, connect_object, control, message};
use crate::scene::Scene;
use crate::server::Start;
use millstream_amf0::Value;
use millstream_rtmp::control::{Control, UserControl};
use millstream_rtmp::message::MessageType;
use std::net::Shutdown;
use std::time::{Duration, Instant};

/// Dialogues per seed.
const DIALOGUES: u32 = 250;

/// A generator whose whole state is one number, so that a failure can be had again.
struct Random(u64);

impl Random {
    fn next(&mut self, below: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % below.max(1)
    }
}

/// Everything that a publisher or player says, handshake included.
fn dialogue(number: u32) -> Vec<u8> {
    let object = connect_object("live", "rtmp://127.0.0.1/live").with("capsEx", 15.0);
    let mut bytes = [&[3][..], &[0; 1536], &[0; 1536]].concat();
    bytes.extend(command(0, "connect", 1.0, &[object.into()]));
    bytes.extend(control(&Control::WindowAckSize(5_000_000)));
    bytes.extend(command(0, "createStream", 2.0, &[Value::Null]));
    if number.is_multiple_of(2) {
        bytes.extend(command(1, "play", 3.0, &[Value::Null, "steady".into(), (-2.0).into()]));
        bytes.extend(control(&UserControl::SetBufferLength { stream_id: 1, ms: 3000 }.into()));
        bytes.extend(command(1, "receiveAudio", 0.0, &[Value::Null, false.into()]));
        bytes.extend(command(1, "pause", 0.0, &[Value::Null, true.into(), 0.0.into()]));
        bytes.extend(command(1, "pause", 0.0, &[Value::Null, false.into(), 0.0.into()]));
    } else {
        let name = format!("mutant-{number}");
        bytes.extend(command(
            1,
            "publish",
            3.0,
            &[Value::Null, name.as_str().into(), "live".into()],
        ));
        let metadata =
            ["@setDataFrame".into(), "onMetaData".into(), Value::EcmaArray(Default::default())];
        let mut payload = bytes::BytesMut::new();
        millstream_amf0::encode_all(&metadata, &mut payload).unwrap();
        bytes.extend(message(MessageType::DATA_AMF0, 4, 0, 1, &payload));
        bytes.extend(message(MessageType::VIDEO, 6, 0, 1, frames::AVC));
        bytes.extend(message(MessageType::AUDIO, 4, 0, 1, &[0xaf, 0, 0x12, 0x10]));
        for at in 0..6 {
            let sort = if at == 0 { Sort::Key } else { Sort::Video };
            bytes.extend(message(
                MessageType::VIDEO,
                6,
                40 * at,
                1,
                &frames::frame(sort, at, 0, 400),
            ));
            bytes.extend(message(MessageType::AUDIO, 4, 40 * at, 1, &[0xaf, 1, 2, 3]));
        }
        bytes.extend(command(0, "deleteStream", 4.0, &[Value::Null, 1.0.into()]));
    }
    bytes
}

fn mutate(bytes: &mut Vec<u8>, random: &mut Random) {
    // The handshake is nearly all of a dialogue, and nearly all of it does not matter.
    let from = if random.next(10) == 0 { 0 } else { 3073 };
    for _ in 0..=random.next(4) {
        let at = from + random.next(bytes.len() - from);
        let until = (at + 1 + random.next(20)).min(bytes.len());
        match random.next(5) {
            0 => bytes[at] = random.next(256) as u8,
            1 => bytes[at] ^= 1 << random.next(8),
            2 => bytes[at..until].fill(0xff),
            3 => drop(bytes.drain(at..until)),
            _ => {
                let again = bytes[at..until].to_vec();
                bytes.splice(at..at, again);
            }
        }
    }
}

fn soak(seed: u64, epoll: bool) {
    let settings = "hold = \"0\"\nplay_wait = \"1s\"\nlog = \"debug\"\n";
    let scene = Scene::begin(Start { settings, epoll, ..Start::default() });
    let mut random = Random(seed);
    let mut ports = Vec::new();
    for number in 0..DIALOGUES {
        let mut bytes = dialogue(number);
        mutate(&mut bytes, &mut random);
        let mut peer = Peer::dial(&scene.server);
        ports.push(peer.port);
        while !bytes.is_empty() {
            let piece: Vec<u8> = bytes.drain(..(1 + random.next(4000)).min(bytes.len())).collect();
            if !peer.try_send(&piece) {
                break;
            }
        }
        let _ = peer.stream.shutdown(Shutdown::Write);
        assert!(peer.is_hung_up(PATIENCE), "dialogue {number} of seed {seed} never ends");
    }
    let until = Instant::now() + PATIENCE;
    while scene.server.count_lines(&["connection ended"]) < ports.len() {
        assert!(Instant::now() < until, "a connection was not closed");
        std::thread::sleep(Duration::from_millis(20));
    }
    scene.end();
}

#[test]
fn mutated_dialogues_end_and_hurt_nobody() {
    soak(1, false);
}

#[test]
fn mutated_dialogues_end_and_hurt_nobody_on_epoll() {
    soak(2, true);
}
