//! Media for streams that do not publish: dropped, counted, and too much of it is an end.

use crate::common::{Peer, data, media};
use millstream_amf0::Value;
use millstream_rtmp::limits::STRAY_MESSAGES_MAX;
use millstream_rtmp::message::MessageType;

#[test]
fn an_encoder_empties_its_queue_after_its_end() {
    let mut peer = Peer::publishing();
    peer.call(0, "FCUnpublish", 4.0, [Value::Null, "cam".into()]);
    for timestamp in 0..1_000 {
        let late = media(MessageType::VIDEO, 1, timestamp, b"\x27\x01");
        assert_eq!(peer.send(late).unwrap(), None);
    }
}

#[test]
fn an_encoder_never_stops() {
    let mut peer = Peer::connected();
    for _ in 0..STRAY_MESSAGES_MAX {
        assert_eq!(peer.send(data(1, &["onMetaData".into()])).unwrap(), None);
    }
    let error = peer.send(media(MessageType::AUDIO, 1, 0, b"\xaf")).unwrap_err();
    assert_eq!(error.name(), "too-much-stray-media");
}

/// A player must not feed a stream, nor a publisher the stream of another id.
#[test]
fn media_on_the_stream_of_a_player() {
    let mut peer = Peer::playing();
    assert_eq!(peer.send(media(MessageType::VIDEO, 1, 0, b"\x17")).unwrap(), None);
    let mut peer = Peer::publishing();
    assert_eq!(peer.send(media(MessageType::VIDEO, 2, 0, b"\x17")).unwrap(), None);
}

/// With two publishers, id 0 is nobody's.
#[test]
fn message_stream_0_with_two_publishers() {
    let mut peer = Peer::publishing();
    peer.call(2, "publish", 4.0, [Value::Null, "b".into()]);
    assert_eq!(peer.send(media(MessageType::VIDEO, 0, 0, b"\x17")).unwrap(), None);
}
