//! Commands and media before `connect`, and `connect` twice: errors with a name each.

use crate::common::{Peer, command, data, media};
use millstream_amf0::Value;
use millstream_rtmp::message::{Message, MessageType};
use millstream_rtmp::server::ServerEvent;
use millstream_rtmp::session::{Fault, Rejection};

fn refused(peer: &mut Peer, message: Message) -> &'static str {
    let error = peer.send(message).unwrap_err();
    assert_eq!(error.fault(), Fault::Peer);
    error.name()
}

#[test]
fn everything_but_connect_is_an_error() {
    let name = [Value::Null, "cam".into()];
    let cases = [
        (command(1, "publish", 2.0, name.clone()), "publish-before-connect"),
        (command(1, "play", 2.0, name), "play-before-connect"),
        (command(0, "createStream", 2.0, [Value::Null]), "command-before-connect"),
        (media(MessageType::VIDEO, 1, 0, b"\x17"), "media-before-connect"),
        (data(1, &["onMetaData".into()]), "media-before-connect"),
    ];
    for (message, expected) in cases {
        assert_eq!(refused(&mut Peer::new(), message), expected);
    }
}

#[test]
fn a_second_connect_is_an_error() {
    let again = || command(0, "connect", 1.0, [Value::Null]);
    assert_eq!(refused(&mut Peer::connected(), again()), "connect-twice");
}

/// While the first is still unanswered, the second waits with all other commands.
#[test]
fn a_second_connect_before_the_answer_is_an_error_after_it() {
    let mut peer = Peer::new();
    let again = || command(0, "connect", 1.0, [Value::Null]);
    let Some(ServerEvent::Connect(connect)) = peer.send(again()).unwrap() else {
        panic!("connect is reported");
    };
    assert_eq!((connect.app.as_str(), connect.tc_url.as_str()), ("", ""));
    assert_eq!(peer.send(again()).unwrap(), None);
    peer.session.accept_connect(connect.request).unwrap();
    assert_eq!(refused(&mut peer, media(MessageType::VIDEO, 1, 0, b"")), "connect-twice");
}

/// A refused peer is told, and nothing that it says is heard any more.
#[test]
fn a_refused_peer_goes_on_talking() {
    let mut peer = Peer::new();
    let Some(ServerEvent::Connect(connect)) = peer.call(0, "connect", 1.0, [Value::Null]) else {
        panic!("connect is reported");
    };
    peer.session.reject_connect(connect.request, &Rejection::invalid_app("no such app")).unwrap();
    assert_eq!(peer.answers(), ["0 _error 1 NetConnection.Connect.InvalidApp"]);
    for _ in 0..100_000 {
        assert_eq!(peer.call(0, "createStream", 2.0, [Value::Null]), None);
    }
    assert_eq!(peer.answers(), [""; 0]);
}
