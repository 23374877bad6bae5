//! Transaction ids of NaN, infinity, zero and below, and those that are missing.

use crate::common::{Peer, command, media};
use millstream_amf0::Value;
use millstream_rtmp::message::MessageType;
use millstream_rtmp::server::ServerEvent;

const ODD: [f64; 5] = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -3.0, 0.0];

/// `connect` is answered as if it had the 1 of the specification.
#[test]
fn connect() {
    for transaction in ODD {
        let mut peer = Peer::new();
        let Some(ServerEvent::Connect(connect)) =
            peer.call(0, "connect", transaction, [Value::Null])
        else {
            panic!("connect is reported");
        };
        peer.session.accept_connect(connect.request).unwrap();
        let answers = peer.answers();
        assert_eq!(answers.last().unwrap(), "0 _result 1 NetConnection.Connect.Success");
    }
}

/// `createStream` is answered with what was sent, or the peer could not go on.
#[test]
fn create_stream() {
    for (index, transaction) in ODD.into_iter().enumerate() {
        let mut peer = Peer::connected();
        peer.call(0, "createStream", transaction, [Value::Null]);
        let expected = ["NaN", "inf", "-inf", "-3", "0"][index];
        assert_eq!(peer.answers(), [format!("0 _result {expected} 1")]);
    }
}

/// Optional commands without a transaction get no `_result`.
#[test]
fn optional_commands() {
    for transaction in ODD {
        let mut peer = Peer::connected();
        for name in ["releaseStream", "_checkbw", "getStreamLength"] {
            peer.call(0, name, transaction, [Value::Null]);
        }
        assert_eq!(peer.answers(), [""; 0]);
    }
}

/// A command that is a name only.
#[test]
fn nothing_but_a_name() {
    let mut peer = Peer::connected();
    for name in ["publish", "play"] {
        let mut payload = vec![2, 0, name.len() as u8];
        payload.extend(name.as_bytes());
        let event = peer.send(media(MessageType::COMMAND_AMF0, 1, 0, &payload)).unwrap();
        match event {
            Some(ServerEvent::Publish(publish)) => assert_eq!(publish.name, ""),
            Some(ServerEvent::Play(play)) => {
                assert_eq!((play.name.as_str(), play.start), ("", -2.0))
            }
            other => panic!("{other:?}"),
        }
        peer.call(1, "closeStream", 0.0, [Value::Null]);
    }
}

/// Times that are no times are read as if they were absent.
#[test]
fn play_with_times_that_are_no_times() {
    let nan = || Value::Number(f64::NAN);
    let message = command(1, "play", 2.0, [Value::Null, "cam".into(), nan(), nan(), nan()]);
    let Some(ServerEvent::Play(play)) = Peer::connected().send(message).unwrap() else {
        panic!("play is reported");
    };
    assert_eq!((play.start, play.duration), (-2.0, -1.0));
}
