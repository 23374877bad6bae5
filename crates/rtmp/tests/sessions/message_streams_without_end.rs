//! `createStream` a million times, and other ways to make the server hold streams.

use crate::common::{Peer, command};
use millstream_amf0::Value;
use millstream_rtmp::limits::{MESSAGE_STREAMS_MAX, REFUSALS_MAX};

#[test]
fn create_stream_a_million_times() {
    let mut peer = Peer::connected();
    let mut refused = 0;
    for sent in 1..=1_000_000_u32 {
        let result = peer.send(command(0, "createStream", f64::from(sent), [Value::Null]));
        let answers = peer.answers();
        assert_eq!(answers.len(), 1, "each is answered once");
        if sent as usize <= MESSAGE_STREAMS_MAX {
            assert_eq!(answers, [format!("0 _result {sent} {sent}")]);
            continue;
        }
        assert_eq!(answers, [format!("0 _error {sent} NetConnection.Call.Failed")]);
        refused += 1;
        if let Err(error) = result {
            assert_eq!(error.name(), "too-many-refusals");
            assert_eq!(refused, REFUSALS_MAX + 1);
            return;
        }
    }
    panic!("the session has to end");
}

/// Streams used without `createStream` count like others.
#[test]
fn publish_on_a_million_message_streams() {
    let mut peer = Peer::connected();
    let mut opened = 0;
    for stream_id in 0..1_000_000 {
        let publish = command(stream_id, "publish", 2.0, [Value::Null, "cam".into()]);
        match peer.send(publish) {
            Ok(Some(_)) => opened += 1,
            Ok(None) => {
                let answers = peer.answers();
                assert_eq!(answers, [format!("{stream_id} onStatus 0 NetStream.Publish.BadName")]);
            }
            Err(error) => {
                assert_eq!(error.name(), "too-many-refusals");
                assert_eq!(opened, MESSAGE_STREAMS_MAX);
                return;
            }
        }
    }
    panic!("the session has to end");
}

/// Creating and deleting in turn is legal, and holds nothing.
#[test]
fn create_and_delete_for_ever() {
    let mut peer = Peer::connected();
    for _ in 0..10_000 {
        peer.call(0, "createStream", 2.0, [Value::Null]);
        assert_eq!(peer.answers(), ["0 _result 2 1"]);
        assert_eq!(peer.call(0, "deleteStream", 0.0, [Value::Null, 1.0.into()]), None);
    }
}

/// Ids that no stream has, and ids that are no ids.
#[test]
fn delete_streams_that_do_not_exist() {
    let mut peer = Peer::publishing();
    for id in [0.0, 2.0, 1e300, -1.0, f64::NAN, f64::INFINITY] {
        assert_eq!(peer.call(0, "deleteStream", 0.0, [Value::Null, id.into()]), None, "{id}");
    }
    for name in ["closeStream", "pause", "seek", "receiveAudio", "receiveVideo"] {
        assert_eq!(peer.call(7, name, 0.0, [Value::Null, 1.0.into()]), None, "{name}");
    }
    assert_eq!(peer.answers(), [""; 0]);
}
