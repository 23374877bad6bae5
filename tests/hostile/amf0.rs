//! Values that crash recursive or trusting decoders (AMF0 specification, section 2).

use crate::frames::{self, Sort};
use crate::peer::{Peer, command, message, raw_command};
use crate::scene::Scene;
use crate::server::Start;
use millstream_amf0::Value;
use millstream_rtmp::message::MessageType;

/// `connect` with transaction 1, up to its command object.
fn connect_up_to_object() -> Vec<u8> {
    [&[2, 0, 7][..], b"connect", &[0, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0]].concat()
}

/// Objects within objects: each is its marker and the name `a`.
fn nested(depth: usize) -> Vec<u8> {
    [3, 0, 1, b'a'].repeat(depth)
}

pub fn nesting(epoll: bool) {
    let scene = Scene::begin(Start { epoll, ..Start::default() });
    let connect = |object: Vec<u8>| raw_command(&[connect_up_to_object(), object].concat());
    for (depth, name) in [
        (33, "command-not-amf0"),
        (1000, "command-not-amf0"),
        (16_000, "command-not-amf0"),
        (100_000, "command-too-long"),
    ] {
        scene.ends(name, Peer::open(&scene.server), |peer| {
            peer.try_send(&connect(nested(depth)));
        });
    }
    let arrays = [10, 0, 0, 0, 1].repeat(10_000);
    scene.ends("command-not-amf0", Peer::open(&scene.server), |peer| {
        peer.try_send(&connect(arrays));
    });
    scene.end();
}

#[test]
fn nesting_ends_at_its_bound() {
    nesting(false);
}

#[test]
fn counts_and_lengths_that_lie_are_refused() {
    let scene = Scene::with("");
    let huge = [0xff; 4];
    for object in [
        // A strict array of 2^32 - 1, alone and with an element.
        [&[10][..], &huge].concat(),
        [&[10][..], &huge, &[5]].concat(),
        // Strings past the end, short and long; a name past the end.
        vec![2, 0xff, 0xff, b'a'],
        [&[12][..], &huge, b"abc"].concat(),
        vec![3, 0xff, 0xff, b'a'],
        // References to what is not there; markers that are reserved or unknown.
        vec![7, 0, 200],
        vec![4],
        vec![14],
        vec![0x55],
        // An object that does not end, a date and a number cut short.
        vec![3, 0, 1, b'a', 5],
        vec![11, 0, 0],
        vec![0, 0x40],
    ] {
        scene.ends("command-not-amf0", Peer::open(&scene.server), |peer| {
            peer.send(&raw_command(&[connect_up_to_object(), object].concat()));
        });
    }
    // AMF3 that is not there, inside and behind the object; its own counts, lengths, references and
    // nesting that lie; ten arrays of ten references each to the one before.
    let deep = [&[0x11][..], &[9, 3, 1].repeat(10_000), &[1]].concat();
    let mut tenfold = [&[9, 21, 1][..], &[1; 10]].concat();
    for index in 0..9 {
        tenfold.extend([&[9, 21, 1][..], &[9, (index + 1) << 1].repeat(10)].concat());
    }
    let tenfold = [&[0x11, 9, 21, 1][..], &tenfold].concat();
    for object in [
        vec![3, 0, 1, b'a', 0x11],
        vec![0x11],
        vec![0x11, 0x12],
        [&[0x11, 9][..], &huge, &[1]].concat(),
        [&[0x11, 6][..], &huge].concat(),
        [&[0x11, 13][..], &huge, &[0]].concat(),
        vec![0x11, 6, 0],
        vec![0x11, 10, 1],
        deep,
        tenfold,
    ] {
        scene.ends("command-not-amf3", Peer::open(&scene.server), |peer| {
            peer.send(&raw_command(&[connect_up_to_object(), object].concat()));
        });
    }
    for nameless in [&[][..], &[5], &[0, 0, 0, 0, 0, 0, 0, 0, 0]] {
        scene.ends("command-without-name", Peer::open(&scene.server), |peer| {
            peer.send(&raw_command(nameless));
        });
    }
    scene.end();
}

#[test]
fn legal_rarities_work() {
    let scene = Scene::with("");
    let app = [&[0, 3][..], b"app", &[2, 0, 4], b"live"].concat();
    let end = [0, 0, 9];
    for object in [
        // An ECMA array that says it has 2^32 - 1 properties, and one that says none.
        [&[8, 0xff, 0xff, 0xff, 0xff][..], &app, &end].concat(),
        [&[8, 0, 0, 0, 0][..], &app, &end].concat(),
        // A typed object, an empty property name, a date, unsupported, the same name twice.
        [&[16, 0, 1, b'T'][..], &app, &end].concat(),
        [&[3, 0, 0, 5][..], &app, &end].concat(),
        [&[3][..], &app, &[0, 1, b'd', 11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], &end].concat(),
        [&[3][..], &app, &[0, 1, b'u', 13], &app, &end].concat(),
        // A reference to the object that it stands in; the switch to AMF3 behind the object.
        [&[3][..], &app, &[0, 1, b'r', 7, 0, 0], &end].concat(),
        [&[3][..], &app, &end, &[0x11, 1]].concat(),
        // The object in AMF3; behind it an object of AMF3 that only its class can read.
        [&[0x11, 10, 11, 1, 7][..], b"app", &[6, 9], b"live", &[1]].concat(),
        [&[3][..], &app, &end, &[0x11, 10, 7, 3, b'C', 0xff]].concat(),
    ] {
        let mut peer = Peer::open(&scene.server);
        peer.send(&raw_command(&[connect_up_to_object(), object].concat()));
        assert_eq!(peer.answer(1.0).name, "_result");
    }
    // One value per byte, as many as a command has room for: beyond the first dozens nobody reads.
    let mut peer = Peer::open(&scene.server);
    peer.send(&raw_command(&[connect_up_to_object(), vec![5; 60_000]].concat()));
    assert_eq!(peer.answer(1.0).name, "_result");
    // The same within an object is read, up to a bound.
    let crowd = [&[3][..], &[0, 1, b'n', 5].repeat(15_000), &end].concat();
    scene.ends("command-not-amf0", Peer::open(&scene.server), |peer| {
        peer.send(&raw_command(&[connect_up_to_object(), crowd].concat()));
    });
    let mut peer = Peer::connected(&scene.server);
    for transaction in [f64::NAN, f64::INFINITY, -1.0, 0.0, 1e308, f64::MIN_POSITIVE] {
        peer.send(&command(0, "createStream", transaction, &[Value::Null]));
        peer.send(&command(0, "noSuchCommand", transaction, &[Value::Null]));
        peer.assert_answers();
    }
    scene.end();
}

#[test]
fn data_messages_are_relayed_whatever_they_hold() {
    let scene = Scene::with("");
    let mut publisher = Peer::publishing(&scene.server, "data");
    publisher.message(MessageType::VIDEO, 0, frames::AVC);
    publisher.message(MessageType::VIDEO, 0, &frames::frame(Sort::Key, 0, 0, 10));
    let mut player = Peer::playing(&scene.server, "data");
    player.media();
    let name = [&[2, 0, 6][..], b"onText"].concat();
    for values in [nested(100_000), vec![10, 0xff, 0xff, 0xff, 0xff], vec![7, 0xff, 0xff], vec![]] {
        let payload = [&name[..], &values].concat();
        publisher.send(&message(MessageType::DATA_AMF0, 5, 40, 1, &payload));
        let told = player.wait_for(|message| {
            let data = message.kind == MessageType::DATA_AMF0 && message.payload.starts_with(&name);
            data.then(|| message.payload.clone())
        });
        assert_eq!(told, payload);
    }
    scene.end();
}
