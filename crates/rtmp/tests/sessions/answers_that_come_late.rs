//! The caller asks a slow authority; meanwhile the peer goes on, gives up, or fills our memory.

use crate::common::{Peer, command, media};
use crate::common_bytes::{Cut, Pair};
use millstream_amf0::Value;
use millstream_rtmp::limits::{HELD_BYTES_MAX, HELD_MESSAGES_MAX};
use millstream_rtmp::message::MessageType;
use millstream_rtmp::server::{EndReason, Publish, ServerEvent};
use millstream_rtmp::session::{AnswerError, PublishMode, Rejection};

/// A peer with one publish request open on message stream 1.
fn asked(peer: &mut Peer) -> Box<Publish> {
    let publish = command(1, "publish", 3.0, [Value::Null, "cam".into()]);
    match peer.send(publish).unwrap() {
        Some(ServerEvent::Publish(publish)) => publish,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_peer_withdraws_before_the_answer() {
    let commands = [
        command(1, "closeStream", 0.0, [Value::Null]),
        command(0, "deleteStream", 0.0, [Value::Null, 1.0.into()]),
        command(0, "FCUnpublish", 0.0, [Value::Null, "cam".into()]),
    ];
    for withdrawal in commands {
        let mut peer = Peer::connected();
        let publish = asked(&mut peer);
        assert!(matches!(
            peer.send(withdrawal).unwrap(),
            Some(ServerEvent::Unpublish { stream_id: 1, .. })
        ));
        peer.answers();
        assert_eq!(peer.session.accept_publish(publish.request), Err(AnswerError::NotOpen));
        let rejection = Rejection::bad_name("late");
        assert_eq!(
            peer.session.reject_publish(publish.request, &rejection),
            Err(AnswerError::NotOpen)
        );
        assert_eq!(peer.answers(), [""; 0], "nobody is told");
    }
}

/// The second request of a stream is another one: the answer to the first does not start it.
#[test]
fn an_answer_to_a_withdrawn_request_starts_nothing() {
    let mut peer = Peer::connected();
    let first = asked(&mut peer);
    peer.call(1, "closeStream", 0.0, [Value::Null]);
    let second = asked(&mut peer);
    assert_ne!(first.request, second.request);
    assert_eq!(peer.session.accept_publish(first.request), Err(AnswerError::NotOpen));
    assert_eq!(peer.session.accept_play(second.request), Err(AnswerError::NotOpen), "no play");
    assert_eq!(peer.session.accept_publish(second.request), Ok(()));
}

#[test]
fn answers_come_in_another_order() {
    let mut peer = Peer::connected();
    let requests: Vec<_> = (1..=3)
        .map(|stream_id| {
            let name = [Value::Null, "cam".into()];
            let Some(ServerEvent::Play(play)) = peer.call(stream_id, "play", 0.0, name) else {
                panic!("play is reported");
            };
            play.request
        })
        .collect();
    peer.session.accept_play(requests[2]).unwrap();
    peer.session.reject_play(requests[0], &Rejection::not_found("nothing here")).unwrap();
    peer.session.accept_play(requests[1]).unwrap();
    let answers = peer.answers();
    assert_eq!(answers[0], "StreamBegin(3)");
    assert_eq!(answers[3], "1 onStatus 0 NetStream.Play.StreamNotFound");
    assert_eq!(answers[4], "StreamBegin(2)");
}

#[test]
fn a_peer_that_streams_without_waiting_fills_no_memory() {
    let mut peer = Peer::connected();
    asked(&mut peer);
    let frame = vec![0; 60_000];
    for sent in 1.. {
        match peer.send(media(MessageType::VIDEO, 1, 0, &frame)) {
            Ok(event) => assert_eq!(event, None),
            Err(error) => {
                assert_eq!(error.name(), "held-too-much");
                assert_eq!(sent, HELD_BYTES_MAX / 60_000 + 1);
                break;
            }
        }
    }
    let mut peer = Peer::connected();
    asked(&mut peer);
    for sent in 1.. {
        if let Err(error) = peer.send(media(MessageType::VIDEO, 1, 0, b"")) {
            assert_eq!(error.name(), "held-too-much");
            assert_eq!(sent, HELD_MESSAGES_MAX + 1);
            break;
        }
    }
}

/// The error of a held message comes after the events of those before it.
#[test]
fn a_held_message_turns_out_to_be_broken() {
    let mut peer = Peer::new();
    let Some(ServerEvent::Connect(connect)) = peer.call(0, "connect", 1.0, [Value::Null]) else {
        panic!("connect is reported");
    };
    let publish = command(1, "publish", 2.0, [Value::Null, "cam".into()]);
    assert_eq!(peer.send(publish).unwrap(), None);
    assert_eq!(peer.send(media(MessageType::COMMAND_AMF0, 0, 0, b"\x05")).unwrap(), None);
    peer.session.accept_connect(connect.request).unwrap();
    assert!(matches!(peer.session.next_event(), Some(ServerEvent::Publish(_))));
    let error = peer.send(media(MessageType::VIDEO, 1, 0, b"")).unwrap_err();
    assert_eq!(error.name(), "command-without-name");
}

/// On bytes, what was held comes out of the next `receive`, even of an empty one.
#[test]
fn a_connection_releases_what_it_held() {
    let mut pair = Pair::new(Cut::Whole);
    pair.accept = false;
    pair.client.publish("cam", PublishMode::Live).unwrap();
    let (_, server) = pair.run();
    let ServerEvent::Connect(connect) = &server[0] else { panic!("{server:?}") };
    pair.server.accept_connect(connect.request).unwrap();
    let (_, server) = pair.run();
    let ServerEvent::Publish(publish) = &server[0] else { panic!("{server:?}") };
    // The client cannot send media yet, but can give up.
    let mut input: &[u8] = &[];
    assert_eq!(pair.server.receive(&mut input).unwrap(), None);
    pair.server.accept_publish(publish.request).unwrap();
    let (client, _) = pair.run();
    assert!(client.iter().any(|event| format!("{event:?}").starts_with("Publishing")));
}

#[test]
fn the_peer_replaces_its_play_before_the_answer() {
    let mut peer = Peer::connected();
    let name = || [Value::Null, "a".into()];
    let Some(ServerEvent::Play(first)) = peer.call(1, "play", 0.0, name()) else {
        panic!("play is reported");
    };
    peer.session.receive(command(1, "play", 0.0, name())).unwrap();
    let stopped = ServerEvent::StopPlay { stream_id: 1, reason: EndReason::Replaced };
    assert_eq!(peer.session.next_event(), Some(stopped));
    assert!(matches!(peer.session.next_event(), Some(ServerEvent::Play(_))));
    assert_eq!(peer.session.accept_play(first.request), Err(AnswerError::NotOpen));
}
