//! Messages and names beyond their limits, and values that nest without end.

use crate::common::{Peer, command, data, media};
use millstream_amf0::{Object, Value};
use millstream_rtmp::limits::{COMMAND_BYTES_MAX, DATA_BYTES_MAX, NAME_BYTES_MAX};
use millstream_rtmp::message::{Message, MessageType};
use millstream_rtmp::server::ServerEvent;
use millstream_rtmp::session::{Fault, SessionError};

#[test]
fn metadata_of_10_megabytes() {
    let text = Value::LongString("x".repeat(10 << 20));
    let message = data(1, &["@setDataFrame".into(), "onMetaData".into(), text]);
    let error = Peer::publishing().send(message).unwrap_err();
    assert_eq!((error.name(), error.fault()), ("data-too-long", Fault::Peer));
}

#[test]
fn metadata_of_just_the_limit() {
    let message = media(MessageType::DATA_AMF0, 1, 0, &vec![5; DATA_BYTES_MAX]);
    let event = Peer::publishing().send(message).unwrap();
    assert!(matches!(event, Some(ServerEvent::Data(data)) if data.payload.len() == DATA_BYTES_MAX));
}

#[test]
fn a_command_of_more_than_the_limit() {
    let text = Value::LongString("x".repeat(COMMAND_BYTES_MAX));
    let error = Peer::connected().send(command(0, "hello", 2.0, [text])).unwrap_err();
    assert_eq!((error.name(), error.fault()), ("command-too-long", Fault::Peer));
}

#[test]
fn names_of_more_than_the_limit() {
    let name = "x".repeat(NAME_BYTES_MAX + 1);
    for command_name in ["publish", "play"] {
        let message = command(1, command_name, 2.0, [Value::Null, name.as_str().into()]);
        assert_eq!(Peer::connected().send(message).unwrap_err().name(), "name-too-long");
    }
    for property in ["app", "tcUrl"] {
        let object = Object::new().with(property, name.as_str());
        let message = command(0, "connect", 1.0, [object.into()]);
        assert_eq!(Peer::new().send(message).unwrap_err().name(), "name-too-long");
    }
}

/// Control characters, dots and broken escapes pass as they are: which names are allowed is
/// decided above.
#[test]
fn names_are_handed_up_unjudged() {
    for name in ["..", "a/../b", "\u{1b}[2J", "a\r\nb", "%2e%2e", "$(cmd)", "-flag", "a\0b"] {
        let message = command(1, "publish", 2.0, [Value::Null, name.into()]);
        let Some(ServerEvent::Publish(publish)) = Peer::connected().send(message).unwrap() else {
            panic!("publish is reported");
        };
        assert_eq!(publish.name, name);
    }
}

#[test]
fn values_nested_30000_deep() {
    let mut payload = vec![2, 0, 1, b'x', 0];
    payload.extend([0; 8]);
    for _ in 0..15_000 {
        payload.extend([3, 0, 1, b'a']);
    }
    let message = media(MessageType::COMMAND_AMF0, 0, 0, &payload);
    let error = Peer::connected().send(message).unwrap_err();
    assert_eq!((error.name(), error.fault()), ("command-not-amf0", Fault::Malformed));
}

#[test]
fn commands_that_are_no_commands() {
    let cases: [(&[u8], &str); 5] = [
        (b"", "command-without-name"),
        (b"\x05", "command-without-name"),
        (b"\x02\x00\x05conn", "command-not-amf0"),
        (b"\x02\xff\xff", "command-not-amf0"),
        (b"\x0a\xff\xff\xff\xff", "command-not-amf0"),
    ];
    for (payload, expected) in cases {
        for kind in [MessageType::COMMAND_AMF0, MessageType::COMMAND_AMF3] {
            let error = Peer::connected().send(media(kind, 0, 0, payload)).unwrap_err();
            assert_eq!(error.name(), expected, "{payload:?}");
            assert_eq!(error.fault(), Fault::Malformed);
        }
    }
}

#[test]
fn aggregates_that_do_not_add_up() {
    for payload in [&b"\x09"[..], b"\x09\x00\x00\x09\x00\x00\x00\x00\x00\x00\x00"] {
        let message: Message = media(MessageType::AGGREGATE, 1, 0, payload);
        let error = Peer::publishing().send(message).unwrap_err();
        assert!(matches!(error, SessionError::Aggregate(_)));
        assert_eq!(error.name(), "aggregate-malformed");
    }
}
