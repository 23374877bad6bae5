//! A message stream does one thing at a time.

use crate::common::{Peer, command};
use millstream_amf0::Value;
use millstream_rtmp::server::{EndReason, ServerEvent};
use millstream_rtmp::session::Rejection;

#[test]
fn a_second_publish_or_a_play_is_an_error() {
    for name in ["publish", "play"] {
        let mut peer = Peer::publishing();
        let second = command(1, name, 4.0, [Value::Null, "other".into()]);
        assert_eq!(peer.send(second).unwrap_err().name(), "stream-busy");
    }
    let mut peer = Peer::playing();
    let second = command(1, "publish", 4.0, [Value::Null, "other".into()]);
    assert_eq!(peer.send(second).unwrap_err().name(), "stream-busy");
}

#[test]
fn a_second_publish_while_the_first_waits_is_an_error() {
    let mut peer = Peer::connected();
    let publish = || command(1, "publish", 2.0, [Value::Null, "cam".into()]);
    assert!(matches!(peer.send(publish()).unwrap(), Some(ServerEvent::Publish(_))));
    assert_eq!(peer.send(publish()).unwrap_err().name(), "stream-busy");
}

/// After a refusal, or an end, the stream is free.
#[test]
fn a_stream_is_free_again_after_its_end() {
    let mut peer = Peer::connected();
    let publish = || command(1, "publish", 2.0, [Value::Null, "cam".into()]);
    for _ in 0..3 {
        let Some(ServerEvent::Publish(first)) = peer.send(publish()).unwrap() else {
            panic!("publish is reported");
        };
        peer.session.reject_publish(first.request, &Rejection::bad_name("taken")).unwrap();
        assert_eq!(peer.answers(), ["1 onStatus 0 NetStream.Publish.BadName"]);
        let Some(ServerEvent::Publish(second)) = peer.send(publish()).unwrap() else {
            panic!("publish is reported");
        };
        peer.session.accept_publish(second.request).unwrap();
        let ended = ServerEvent::Unpublish { stream_id: 1, reason: EndReason::CloseStream };
        assert_eq!(peer.call(1, "closeStream", 0.0, [Value::Null]), Some(ended));
        assert_eq!(peer.call(1, "closeStream", 0.0, [Value::Null]), None, "it ends once");
        peer.answers();
    }
}

/// Our own end of a publisher frees the stream too.
#[test]
fn a_publisher_can_be_stopped_from_our_side() {
    let mut peer = Peer::publishing();
    peer.session.stop_publish(1, &Rejection::bad_name("taken over")).unwrap();
    assert_eq!(peer.answers(), ["1 onStatus 0 NetStream.Publish.BadName"]);
    assert!(peer.session.stop_publish(1, &Rejection::bad_name("taken over")).is_err());
    let publish = command(1, "publish", 2.0, [Value::Null, "cam".into()]);
    assert!(matches!(peer.send(publish).unwrap(), Some(ServerEvent::Publish(_))));
}
