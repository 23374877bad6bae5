//! Media that no decoder would like (FLV annex E; Enhanced RTMP v2). The server relays it.

use crate::frames::{self, Sort};
use crate::peer::{Peer, chunked, control, message};
use crate::scene::Scene;
use crate::server::Start;
use millstream_rtmp::control::Control;
use millstream_rtmp::message::MessageType;
use std::time::Duration;

const VIDEO: MessageType = MessageType::VIDEO;
const AUDIO: MessageType = MessageType::AUDIO;

/// A publisher with large chunks and a player that has seen its first key frame.
fn pair(scene: &Scene, name: &str) -> (Peer, Peer) {
    let mut publisher = Peer::publishing(&scene.server, name);
    publisher.send(&control(&Control::SetChunkSize(1 << 20)));
    send(&mut publisher, VIDEO, 0, frames::AVC);
    send(&mut publisher, VIDEO, 0, &frames::frame(Sort::Key, 0, 0, 10));
    let mut player = Peer::playing(&scene.server, name);
    assert_eq!(&player.media().payload[..], frames::AVC);
    player.media();
    (publisher, player)
}

fn send(peer: &mut Peer, kind: MessageType, ms: u32, payload: &[u8]) {
    peer.send(&chunked(kind, 4, ms, 1, payload, 1 << 20));
}

/// A sequence start of one track (Enhanced RTMP v2, `ManyTracks` apart).
fn sequence_start(track: u8, configuration: &[u8]) -> Vec<u8> {
    // IsExHeader, key frame, Multitrack; one track, SequenceStart; FourCC; track id.
    [&[0x96, 0x00][..], b"hvc1", &[track], configuration].concat()
}

#[test]
fn the_tracks_of_a_stream_are_bounded() {
    let scene = Scene::with("hold = \"0\"\n");
    scene.ends("too-many-headers", Peer::publishing(&scene.server, "tracks"), |peer| {
        peer.send(&control(&Control::SetChunkSize(1 << 20)));
        for track in 0..255 {
            let start = sequence_start(track, &[1; 40]);
            if !peer.try_send(&chunked(VIDEO, 4, 0, 1, &start, 1 << 20)) {
                break;
            }
        }
    });
    scene.ends("too-many-headers", Peer::publishing(&scene.server, "huge"), |peer| {
        peer.send(&control(&Control::SetChunkSize(1 << 20)));
        peer.try_send(&chunked(VIDEO, 4, 0, 1, &sequence_start(0, &vec![1; 2 << 20]), 1 << 20));
    });
    scene.end();
}

/// Two bytes on the wire each, and an entry of its own in the log.
pub fn dust(epoll: bool) {
    let settings = "hold = \"0\"\n";
    let scene = Scene::begin(Start { settings, epoll, ..Start::default() });
    let before = scene.server.cpu();
    scene.ends("message-flood", Peer::publishing(&scene.server, "dust"), |peer| {
        peer.message(AUDIO, 0, &[0xaf]);
        let again = [0xc4, 0xaf].repeat(1000);
        while peer.try_send(&again) {}
    });
    let spent = scene.server.cpu() - before;
    assert!(spent < Duration::from_secs(5), "{spent:?}, in a build without optimisation too");
    scene.end();
}

#[test]
fn messages_of_one_byte_end() {
    dust(false);
}

#[test]
fn what_does_not_parse_is_relayed_as_it_is() {
    let scene = Scene::with("");
    let (mut publisher, mut player) = pair(&scene, "odd");
    let before = scene.server.cpu();
    let mod_ex = |count: usize| [&[0x97][..], &[0x00, 0x00, 0x07].repeat(count)].concat();
    let sizes_past_the_end = [&[0x96, 0x11][..], b"hvc1", &[0, 0xff, 0xff, 0xff, 1, 2]].concat();
    // Exponential Golomb codes of zeroes only, where an SPS is announced.
    let bomb = [&[0x17, 0, 0, 0, 0, 1, 0x64, 0, 0x1e, 0xff, 0xe1, 0xff, 0xff, 0x67], &[0; 900][..]];
    for payload in [
        mod_ex(1),
        mod_ex(200_000),
        [&[0x97, 0xff, 0xff, 0xff][..], &[0; 64]].concat(),
        sizes_past_the_end,
        vec![0x96, 0x20],
        vec![0x80],
        vec![0xff; 3],
        vec![0x17],
        vec![0x17, 0],
        bomb.concat(),
        [&[0x17, 0][..], &[0xff; 600]].concat(),
    ] {
        send(&mut publisher, VIDEO, 40, &payload);
        assert_eq!(player.media().payload, payload, "{:02x?}", &payload[..payload.len().min(16)]);
    }
    // Configurations of AAC that are cut short or claim everything.
    for payload in
        [&[0xaf, 0][..], &[0xaf, 0, 0xff], &[0xaf, 0, 0xff, 0xff, 0xff], &[0x9f], &[0x95]]
    {
        send(&mut publisher, AUDIO, 40, payload);
        assert_eq!(player.media().payload, payload);
    }
    let spent = scene.server.cpu() - before;
    assert!(spent < Duration::from_secs(5), "{spent:?}");
    publisher.assert_answers();
    scene.end();
}

#[test]
fn a_sequence_start_before_every_frame_is_relayed() {
    let scene = Scene::with("hold = \"0\"\n");
    let (mut publisher, mut player) = pair(&scene, "starts");
    // A player of such a stream has half a second until the ring overtakes it: it may lose frames,
    // but what it sees is whole and in order.
    let reader = std::thread::spawn(move || {
        let mut last = 0;
        while last < 2999 {
            let message = player.media();
            if !frames::is_header(&message.payload) {
                let (number, _) = frames::check(&message.payload);
                assert!(number > last);
                last = number;
            }
        }
    });
    for number in 1..3000_u32 {
        let configuration = [frames::AVC, &number.to_be_bytes()].concat();
        send(&mut publisher, VIDEO, number, &configuration);
        send(&mut publisher, VIDEO, number, &frames::frame(Sort::Key, number, number, 30));
        if number % 10 == 0 {
            std::thread::sleep(Duration::from_millis(10));
        }
    }
    reader.join().expect("the last frame comes");
    assert!(scene.memory_taken() < 64 << 20, "{}", scene.memory_taken());
    // Who joins now gets the newest of them and nothing else before the key frame.
    let mut late = Peer::playing(&scene.server, "starts");
    assert!(frames::is_header(&late.media().payload));
    frames::check(&late.media().payload);
    drop((publisher, late));
    scene.end();
}

#[test]
fn a_stream_without_any_sequence_start_is_relayed() {
    let scene = Scene::with("");
    let mut publisher = Peer::publishing(&scene.server, "bare");
    let mut player = Peer::playing(&scene.server, "bare");
    for number in 0..50 {
        let sort = if number % 25 == 0 { Sort::Key } else { Sort::Video };
        publisher.message(VIDEO, 40 * number, &frames::frame(sort, number, 40 * number, 400));
        assert_eq!(frames::check(&player.media().payload).0, number);
    }
    scene.end();
}

#[test]
fn empty_messages_by_the_million_stay_cheap() {
    let scene = Scene::with("gop.span = \"1s\"\nhold = \"0\"\n");
    let before = scene.server.cpu();
    let mut publisher = Peer::publishing(&scene.server, "empty");
    publisher.message(VIDEO, 0, &frames::frame(Sort::Key, 0, 0, 10));
    let mut player = Peer::playing(&scene.server, "empty");
    player.media();
    // One full header without payload, then a byte for each further message.
    publisher.send(&message(VIDEO, 5, 40, 1, &[]));
    let flood = vec![0xc5; 64 * 1024];
    for _ in 0..16 {
        publisher.send(&flood);
    }
    publisher.assert_answers();
    assert!(scene.memory_taken() < 48 << 20, "{}", scene.memory_taken());
    publisher.message(VIDEO, 80, &frames::frame(Sort::Key, 1, 80, 10));
    let mut seen = 0;
    while player.media().payload.is_empty() {
        seen += 1;
    }
    assert_eq!(seen, 0, "empty messages reached a player");
    assert!(scene.server.cpu() - before < Duration::from_secs(15));
    let port = publisher.port;
    drop((publisher, player));
    scene.server.wait_end(port, "peer-closed");
    scene.end();
}

/// A part of an aggregate message (RTMP 1.0, 7.1.6).
fn part(kind: MessageType, length: u32, payload: &[u8]) -> Vec<u8> {
    let head = [&[kind.0][..], &length.to_be_bytes()[1..], &[0; 7]].concat();
    [&head[..], payload, &(length + 11).to_be_bytes()].concat()
}

#[test]
fn aggregates_that_lie_or_multiply_end() {
    let scene = Scene::with("hold = \"0\"\n");
    let aggregate = |payload: &[u8]| chunked(MessageType::AGGREGATE, 4, 0, 1, payload, 1 << 20);
    let nested = part(MessageType::AGGREGATE, 4, &[0; 4]);
    let nested =
        (0..1000).fold(nested, |inner, _| part(MessageType::AGGREGATE, inner.len() as u32, &inner));
    for payload in [&nested[..], &part(AUDIO, 5, &[0xaf, 1, 0]), &[8; 10]] {
        scene.ends("aggregate-malformed", Peer::publishing(&scene.server, "agg"), |peer| {
            peer.send(&control(&Control::SetChunkSize(1 << 20)));
            peer.send(&aggregate(&[&payload[..payload.len() - 4], &[9][..]].concat()));
        });
    }
    scene.ends("aggregate-too-long", Peer::publishing(&scene.server, "agg"), |peer| {
        peer.send(&control(&Control::SetChunkSize(1 << 20)));
        peer.try_send(&aggregate(&part(AUDIO, 0, &[]).repeat(600_000)));
    });
    // Ten megabytes of message, twice while it grows, and nothing of the kind for its parts.
    let peak = scene.memory_peak();
    assert!(peak < 48 << 20, "{peak}");
    let mut peer = Peer::publishing(&scene.server, "whole");
    peer.message(VIDEO, 0, &frames::frame(Sort::Key, 0, 0, 10));
    let mut player = Peer::playing(&scene.server, "whole");
    player.media();
    let frame = frames::frame(Sort::Video, 1, 0, 10);
    peer.message(MessageType::AGGREGATE, 40, &part(VIDEO, frame.len() as u32, &frame));
    assert_eq!(player.media().payload, frame);
    scene.end();
}
