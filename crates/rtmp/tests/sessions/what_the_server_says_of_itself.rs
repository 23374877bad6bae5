//! The first answers carry the server's settings, and streams can be used again for something else.

use crate::common::{Peer, data, line};
use millstream_amf0::{Object, Value, decode_all};
use millstream_rtmp::command::Command;
use millstream_rtmp::message::MessageType;
use millstream_rtmp::server::{EndReason, ServerEvent, ServerOptions};

/// What a server with these options answers to `connect` of a peer that asks for AMF3.
fn connected(options: &ServerOptions) -> (Vec<String>, Command) {
    let mut peer = Peer::with(options);
    let object = Object::new().with("app", "live").with("objectEncoding", 3.0);
    let Some(ServerEvent::Connect(connect)) = peer.call(0, "connect", 1.0, [object.into()]) else {
        panic!("connect is reported");
    };
    assert_eq!(connect.object_encoding, 3.0);
    peer.session.accept_connect(connect.request).unwrap();
    let messages: Vec<_> = std::iter::from_fn(|| peer.session.next_message()).collect();
    let result = messages.iter().find(|message| message.kind == MessageType::COMMAND_AMF0);
    let command = Command::decode(result.expect("connect is answered")).unwrap();
    (messages.iter().map(line).collect(), command)
}

#[test]
fn settings_stand_in_the_first_answers() {
    let options = ServerOptions {
        chunk_size: 4096,
        window_ack_size: 123_456,
        peer_bandwidth: 654_321,
        fms_ver: "FMS/9,9,9,9".into(),
        ..ServerOptions::default()
    };
    let (lines, result) = connected(&options);
    assert_eq!(
        lines[..3],
        [
            "WindowAckSize(123456)",
            "SetPeerBandwidth { size: 654321, limit: Dynamic }",
            "SetChunkSize(4096)"
        ]
    );
    let properties = result.object(0).unwrap();
    assert_eq!(properties.get_str("fmsVer"), Some("FMS/9,9,9,9"));
    assert_eq!(properties.get("capabilities").and_then(Value::as_number), Some(31.0));
    // What is sent is AMF0, whatever the peer asked for.
    let information = result.object(1).unwrap();
    assert_eq!(information.get("objectEncoding").and_then(Value::as_number), Some(0.0));
}

#[test]
fn a_message_stream_is_played_from_after_it_was_published_to() {
    let mut peer = Peer::publishing();
    let closed = peer.call(1, "closeStream", 0.0, [Value::Null]);
    let ended = ServerEvent::Unpublish { stream_id: 1, reason: EndReason::CloseStream };
    assert_eq!(closed, Some(ended));
    let play = [Value::Null, "cam".into(), (-2.0).into(), 12.5.into(), false.into()];
    let Some(ServerEvent::Play(play)) = peer.call(1, "play", 4.0, play) else {
        panic!("play is reported");
    };
    assert_eq!((play.start, play.duration, play.reset), (-2.0, 12.5, false));
    peer.session.accept_play(play.request).unwrap();
    peer.answers();
    let closed = peer.call(1, "closeStream", 0.0, [Value::Null]);
    let ended = ServerEvent::StopPlay { stream_id: 1, reason: EndReason::CloseStream };
    assert_eq!(closed, Some(ended));
}

#[test]
fn metadata_is_handed_on_value_for_value() {
    let mut peer = Peer::publishing();
    let metadata = Object::new()
        .with("width", 1920.0)
        .with("videocodecid", "avc1")
        .with("stereo", true)
        .with("encoder", "obs-output module (libobs version 29.0.2)");
    let set = data(1, &["@setDataFrame".into(), "onMetaData".into(), Value::EcmaArray(metadata)]);
    let Some(ServerEvent::Data(found)) = peer.send(set).unwrap() else {
        panic!("data is reported");
    };
    let values = decode_all(&found.payload).unwrap();
    assert_eq!((found.name.as_str(), values[0].as_str()), ("onMetaData", Some("onMetaData")));
    let found = values[1].as_object().unwrap();
    assert_eq!(found.get("width").and_then(Value::as_number), Some(1920.0));
    assert_eq!(found.get_str("videocodecid"), Some("avc1"));
    assert_eq!(found.get("stereo"), Some(&Value::Boolean(true)));
    assert_eq!(found.get_str("encoder"), Some("obs-output module (libobs version 29.0.2)"));
}
